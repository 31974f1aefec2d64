#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The costs of peers and SAs, in instructions: scale.sh's figures from a guest whose clock counts
# them. Runs on the host, since it boots a guest of its own.
exec "$(dirname "$0")/../vm/counted.sh" many_peers scale EVERY=1
