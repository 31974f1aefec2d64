#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The tool's own tests, which need no kernel module, as KTAP.
set -u

cd "$(dirname "$0")/../../tools/pvsvpnctl" || exit 1
count=0 failed=0

# check NAME COMMAND...: prints the output if the command fails
check()
{
	local name=$1 output status=0

	shift
	count=$((count + 1))
	output=$("$@" 2>&1) || status=$?
	if [ $status -eq 0 ]; then
		echo "ok $count $name"
	else
		failed=1
		printf '%s\n' "$output" | sed 's/^/# /'
		echo "not ok $count $name"
	fi
}

echo 'TAP version 13'
echo '1..2'
check 'pvsvpnctl builds' make -s
check "pvsvpnctl's unit tests" make -s check
exit $failed
