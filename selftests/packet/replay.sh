#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The anti-replay window. The cases are in esp_replay.py.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

trap undo EXIT
set -e
new_ns gw
new_ns wire
# shellcheck disable=SC2154 # by new_ns
"$here/esp_test.py" "$gw" "$wire" replay
