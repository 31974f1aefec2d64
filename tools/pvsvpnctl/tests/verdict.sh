#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# For the tests of commands to source
#
# shellcheck disable=SC2034 # for who sources this

count=0 failed=0

# verdict NAME COMMAND...: prints what the command said if it fails
verdict()
{
	local said name=$1

	shift
	count=$((count + 1))
	if said=$("$@" 2>&1); then
		echo "ok $count $name"
	else
		echo "not ok $count $name"
		sed 's/^/# /' <<<"$said"
		failed=1
	fi
}
