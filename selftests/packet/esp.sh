#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# ESP packets of other implementations, valid and invalid, and ours as others decode them. The cases
# are in esp_test.py: one python process for all.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

trap undo EXIT
set -e
new_ns gw
new_ns wire
# shellcheck disable=SC2154 # by new_ns
"$here/esp_test.py" "$gw" "$wire" receive send
