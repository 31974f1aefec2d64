#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Boots a guest whose clock counts instructions (run.sh -i) and runs cases of a test in it.
#
#   counted.sh CASE TEST [NAME=VALUE]...
#
# Uses the last of $KERNELS, but not the debug kernel, whose checkers would count as well.
set -eu

here=$(cd "$(dirname "$0")" && pwd -P)
cases=$1 test=$2
shift 2
kernel=6.12
for name in ${KERNELS:-}; do
	[ "$name" = debug ] || kernel=$name
done
options=()
for setting; do
	options+=(-e "$setting")
done

cd "$here/.."
# This clock jumps ahead while the guest waits for the host, by minutes if the host is busy. A limit
# in the guest's seconds is then meaningless, and runner.sh's limit applies
exec vm/run.sh -i -t 100000 -e WAIT_LIMIT=100000 -e CASES="$cases" "${options[@]}" "$kernel" -- \
	./*/"$test.sh"
