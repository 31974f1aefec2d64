#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Runs test scripts one after the other and prints nested KTAP: the scripts'
# own results indented by two spaces, one result for each script.
#
#   runner.sh SCRIPT...      TEST_TIMEOUT: seconds for each script (default 300)
#                            QUEUE: a directory; scripts that another run has taken
#                            from there are left out, and the plan comes last
#
# A script that dies, hangs or does not keep its plan gets an extra, failed result, so that the
# indented results add up to the total.
# Exit: 0 all passed, 1 a failure, 2 usage, 4 everything skipped.
set -u

limit=${TEST_TIMEOUT:-300}

# judge SUMS: indents the KTAP of stdin line by line, at once (mawk would buffer 4 KiB); writes
# "PASSED FAILED SKIPPED PLANNED" to SUMS
judge()
{
	local line passed=0 failed=0 skipped=0 planned=-1

	while IFS= read -r line || [ -n "$line" ]; do
		if [[ $line =~ ^1\.\.([0-9]+) ]]; then
			planned=${BASH_REMATCH[1]}
		elif [[ $line =~ ^ok\ [0-9]+.*#\ *SKIP ]]; then
			skipped=$((skipped + 1))
		elif [[ $line =~ ^ok\ [0-9] ]]; then
			passed=$((passed + 1))
		elif [[ $line =~ ^not\ ok\ [0-9] ]]; then
			failed=$((failed + 1))
		fi
		printf '  %s\n' "$line"
	done
	echo $passed $failed $skipped $planned >"$1"
}

# complaint STATUS PASSED FAILED SKIPPED PLANNED: prints an error other than failed results
complaint()
{
	local status=$1 results=$(($2 + $3 + $4))

	if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
		echo "took longer than $limit s"
	elif [ "$5" -lt 0 ]; then
		echo "printed no plan, exit status $status"
	elif [ "$5" -ne $results ]; then
		echo "planned $5 results, gave $results, exit status $status"
	elif [ "$3" -eq 0 ] && [ "$status" -ne 0 ] && [ "$status" -ne 4 ]; then
		echo "exit status $status without a failed result"
	elif [ "$3" -ne 0 ] && [ "$status" -eq 0 ]; then
		echo "exit status 0 with a failed result"
	fi
}

# run SCRIPT: prints its results; sets outcome to passed, failed or skipped.
# Use a file, not a pipe: a process that the script left running would keep a pipe open.
run()
{
	local script=$1 pid status sums why

	: >"$tmp/output"
	timeout -k 10 "$limit" "$script" </dev/null >"$tmp/output" 2>&1 &
	pid=$!
	tail -q -s 0.2 -n +1 -f --pid=$pid "$tmp/output" | judge "$tmp/sums"
	wait $pid
	status=$?
	read -r -a sums <"$tmp/sums"
	why=$(complaint $status "${sums[@]}")
	if [ -n "$why" ]; then
		echo "  not ok $((sums[0] + sums[1] + sums[2] + 1)) runs to its end: $why"
	fi
	if [ -n "$why" ] || [ "${sums[1]}" -gt 0 ]; then
		outcome=failed
	elif [ "${sums[0]}" -gt 0 ]; then
		outcome=passed
	else
		outcome=skipped
	fi
}

# taken NAME: another run has taken it; only one run can create the directory
taken() { [ -n "${QUEUE:-}" ] && ! mkdir "$QUEUE/$1" 2>/dev/null; }

[ $# -gt 0 ] || { echo "usage: runner.sh SCRIPT..." >&2; exit 2; }
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT

declare -A total=([passed]=0 [failed]=0 [skipped]=0)
count=0
echo 'TAP version 13'
[ -n "${QUEUE:-}" ] || echo "1..$#"
for script in "$@"; do
	name=$(basename "$script" .sh)
	! taken "$name" || continue
	count=$((count + 1))
	started=$SECONDS
	echo "# $name"
	run "$(realpath "$script")"
	total[$outcome]=$((total[$outcome] + 1))
	echo "  # took $((SECONDS - started)) s"
	case $outcome in
	passed) echo "ok $count $name" ;;
	failed) echo "not ok $count $name" ;;
	skipped) echo "ok $count $name # SKIP" ;;
	esac
done

[ -z "${QUEUE:-}" ] || echo "1..$count"
[ "${total[failed]}" -eq 0 ] || exit 1
[ "${total[passed]}" -gt 0 ] || exit 4
