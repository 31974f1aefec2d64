#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# How long packets are on their way beside a hostile user, in instructions: hostile.sh in a
# guest whose clock counts them. Runs on the host, as it boots a guest of its own.
set -eu

here=$(cd "$(dirname "$0")" && pwd -P)
kernel=6.12
for name in ${KERNELS:-}; do
	[ "$name" = debug ] || kernel=$name
done

cd "$here"
# Such a clock jumps ahead where the guest waits for this machine: wide limits
exec vm/run.sh -i -t 100000 -e WAIT_LIMIT=600 -e CASES=latency_in_instructions "$kernel" -- \
	./hostile.sh
