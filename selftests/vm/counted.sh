#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Boots a guest whose clock counts instructions (run.sh -i) and runs cases of a test in it.
#
#   counted.sh CASE TEST [NAME=VALUE]...
#
# In the last of $KERNELS, but not in the debug kernel: its checkers count as well.
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
# Such a clock jumps ahead while the guest waits for this machine, by minutes where this machine is
# busy. A limit in the guest's seconds says nothing then: runner.sh's limit counts
exec vm/run.sh -i -t 100000 -e WAIT_LIMIT=100000 -e CASES="$cases" "${options[@]}" "$kernel" -- \
	"./$test.sh"
