#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The costs of each of 10,000 adopted children, in instructions: adopt-scale.sh's figures from a
# guest whose clock counts them. Runs on the host, since it boots a guest of its own. There are
# 1,000 children if the environment has EVERY=, as in the whole check.
exec "$(dirname "$0")/../vm/counted.sh" every_child_costs_the_same adopt-scale EVERY="${EVERY-1}"
