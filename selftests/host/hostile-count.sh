#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The latency of packets beside a hostile user, in instructions: hostile.sh in a guest whose clock
# counts them. Runs on the host, since it boots a guest of its own.
exec "$(dirname "$0")/../vm/counted.sh" latency_in_instructions hostile EVERY=1
