#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The second half of all policies (lib/policies.sh)
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"
# shellcheck source=../lib/swan.sh
. "$(dirname "$0")/../lib/swan.sh"
# shellcheck source=../lib/connection.sh
. "$(dirname "$0")/../lib/connection.sh"
# shellcheck source=../lib/policies.sh
. "$(dirname "$0")/../lib/policies.sh"

second_half() { half_of_policies 1; }

run_cases second_half
