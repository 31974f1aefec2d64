#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# What peers and SAs cost, in instructions: scale.sh's figures from a guest whose clock
# counts them. Runs on the host, as it boots a guest of its own.
set -eu

here=$(cd "$(dirname "$0")" && pwd -P)
kernel=6.12
for name in ${KERNELS:-}; do
	[ "$name" = debug ] || kernel=$name
done

cd "$here"
# Such a clock jumps ahead where the guest waits for this machine: a wide limit
exec vm/run.sh -i -t 100000 -e CASES=ten_thousand_peers "$kernel" -- ./scale.sh
