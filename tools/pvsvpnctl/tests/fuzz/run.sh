#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Runs a fuzzer for a time, and then on until it has made a number of runs.
#
#   run.sh NAME SECONDS RUNS
set -euo pipefail

cd "$(dirname "$0")/../.."
name=$1 seconds=$2 runs=$3
log=build/fuzz/$name.log

# fuzz OPTION: the fuzzer keeps its inputs in build/, and leaves a file there for each finding
fuzz()
{
	"build/fuzz/$name" "$1" -print_final_stats=1 -artifact_prefix="build/fuzz/$name-" \
		"build/fuzz/new/$name" "tests/fuzz/corpus/$name" 2>&1 | tee "$log"
}

executed() { awk '$1 == "stat::number_of_executed_units:" { print $2 }' "$log"; }

fuzz "-max_total_time=$seconds"
done=$(executed)
if [ "$done" -lt "$runs" ]; then
	fuzz "-runs=$((runs - done))"
	done=$((done + $(executed)))
fi
echo "$name: $done runs without a finding"
