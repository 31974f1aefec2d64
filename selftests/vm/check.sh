#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# "make check": tests that need no VM (lint, the tool, dkms), and at the same time the selftests in
# VMs of each kernel. Logs are in build/logs/.
#
#   KERNELS="6.1 6.12"  kernels (also: debug)     TESTS="replay lint"  only these
#
# If TESTS names "ike" tests, they run once more in guests with a newer strongSwan.
#
# Last line: "N passed, N failed, N skipped". Exit: 0 if none failed, else 1.
set -euo pipefail
shopt -s extglob
# shellcheck source-path=SCRIPTDIR source=vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"

read -r -a kernels <<<"${KERNELS:-6.1 6.12}"
read -r -a tests <<<"${TESTS:-}"
default_host_tests=(lint tool dkms-test adopt-scale-count)
# Tests that give figures in instructions (NAME-count.sh). They also run if TESTS names the test
counted=(scale hostile adopt-scale)
all_host_tests=("${default_host_tests[@]}" "${counted[@]/%/-count}")
host_tests=() guest_tests=() newer_tests=()
last=${kernels[-1]} host_kernels="${kernels[*]}"
logs=$top/build/logs

# count NAME: adds the figures in instructions for NAME; "adopt" is every adopt-*
count()
{
	local test

	for test in "${counted[@]}"; do
		case $test in
		"$1" | "$1"-*) host_tests+=("$test-count") ;;
		esac
	done
}

# If TESTS is set, run only what it names, here or in the VMs. Lint and dkms build for the kernels;
# the debug kernel alone adds nothing to "make check".
pick_tests()
{
	local name

	if [ ${#tests[@]} -eq 0 ] && [ "${kernels[*]}" != debug ]; then
		host_tests=("${default_host_tests[@]}")
	fi
	for name in "${tests[@]}"; do
		name=${name%.sh}
		[ "${kernels[*]}" = debug ] || count "$name"
		case " ${all_host_tests[*]} " in
		*" $name "*) host_tests+=("$name") ;;
		*) guest_tests+=("$name") ;;
		esac
		case $name in
		ike*) newer_tests+=("$name") ;;
		esac
	done
}

# A newer strongSwan must be downloaded. Only "ike" tests in TESTS need it
pick_newer()
{
	[ ${#newer_tests[@]} -gt 0 ] && [ "$last" != debug ] || return 0
	if "$vm_dir/deps.sh" newer; then
		kernels+=("$last-newer")
	else
		failed_result 'a newer strongSwan is there' | shown "$last-newer"
	fi
}

# If TESTS names only host tests, no VM is needed
wants_guests() { [ ${#tests[@]} -eq 0 ] || [ ${#guest_tests[@]} -gt 0 ]; }

# shown NAME: copies stdin to the log of NAME and prints it at once
shown()
{
	tee "$logs/$1.ktap" | sed -u "s/^/$1 | /"
}

# run_on_host NAME "KERNEL..." TEST...
run_on_host()
{
	local name=$1 with=$2 scripts

	shift 2
	[ $# -gt 0 ] || return 0
	scripts=("${@/#/host/}")
	scripts=("${scripts[@]/%/.sh}")
	(cd "$top/selftests" && KERNELS=$with TEST_TIMEOUT=3000 EVERY=${tests[*]} \
		nice -n 10 lib/runner.sh "${scripts[@]}") 2>&1 | shown "$name" || :
}

# Lint takes as long as the others together, so run both at once, on the time that guests leave.
# Lint compiles for each kernel, so dkms uses the last one only, unless TESTS is set
run_host_tests()
{
	local name lint=() others=() with=$last

	[ ${#tests[@]} -eq 0 ] || with=$host_kernels
	for name in "${host_tests[@]}"; do
		if [ "$name" = lint ]; then
			lint=(lint)
		else
			others+=("$name")
		fi
	done
	run_on_host lint "$host_kernels" "${lint[@]}" &
	run_on_host host "$with" "${others[@]}"
	wait
}

# failed_result TEXT: a result that belongs to no script
failed_result() { printf '  not ok 1 %s\n' "$*"; }

# processors KERNEL: one processor saves a guest a tenth of its time. The last kernel has two, and
# if TESTS is set, every kernel
processors()
{
	if [ "$1" = debug ] || { [ ${#tests[@]} -eq 0 ] && [ "$1" != "$last" ]; }; then
		echo 1
	else
		echo 2
	fi
}

# The checkers make debug slower
limits()
{
	echo "-t 5000 -m 2048 -c $(processors "$1") -e TEST_TIMEOUT=1200"
	case $1 in
	debug) echo '-e WAIT_LIMIT=90' ;;
	*) echo '-e WAIT_LIMIT=60' ;;
	esac
}

# explain STATUS: prints what run.sh's exit status adds to the results
explain()
{
	case $1 in
	124) failed_result 'guest: the tests took longer than their limit' ;;
	125) failed_result 'guest: died before the tests had ended' ;;
	esac
}

# check_plan LOG: there is an outer plan, and the results match it
check_plan()
{
	awk '
	/^1\.\./ { planned = substr($1, 4) + 0 }
	/^(not )?ok / { results++ }
	END { exit !(planned != "" && planned == results) }' "$1" ||
		failed_result 'guest: not every test has run'
}

# One kernel is enough for these tests: the tool, the daemon, other far ends, adopted peers and
# policies, the module's own requests, events, timers, tables and sizes, and the longest
own=(hostile ike ike-certificates ike-connection ike-health ike-names ike-peers)
own+=(ike-policies ike-policies-odd ike-routes ike-systemd)
own+=(adopt-access adopt-peers adopt-policies adopt-scale adopt-selectors)
own+=(events export lifetime liveness loop metrics mtu peers refuse rekey scale secrets settings)
own+=(show tfc)

# left_out KERNEL: all kernels but the last skip those tests; the debug kernel skips the tool's. A
# test that TESTS names runs on each kernel
left_out()
{
	case $1 in
	debug) echo export ike-{certificates,connection,health,names,policies{,-odd},routes} ;;
	"$last" | *-newer) ;;
	*) echo "${own[@]}" ;;
	esac
}

# sample KERNEL: options for run.sh; all but the last test one transform of each kind (interop)
sample()
{
	[ ${#tests[@]} -gt 0 ] || [ "$1" = "$last" ] || echo '-e SAMPLE=1'
}

# selftests KERNEL: sets the caller's "make" to the command for that kernel's tests, without a goal
selftests()
{
	local names="${guest_tests[*]}"

	[ "$1" = "${1%-newer}" ] || names="${newer_tests[*]}"
	make=(make -s -C "$top/selftests" TESTS="$names" LEAVE="$(left_out "$1")")
}

# run_guest KERNEL NAME: prints the selftests' KTAP, then the kernel's own
run_guest()
{
	local kernel=$1 out=$logs/$2 status=0 make

	selftests "$kernel"
	mkdir -p "$out"
	# shellcheck disable=SC2046 # words are wanted
	"$vm_dir/run.sh" -B -o "$out" -q "$logs/$kernel.queue" \
		$(limits "$kernel") $(sample "$kernel") "$kernel" -- "${make[@]}" run_tests 2>"$out/errors" || status=$?
	sed 's/^/# /' "$out/errors"
	explain $status
	check_plan "$out/stdout"
	if [ -s "$out/kernel.ktap" ]; then
		echo '# kernel'
		sed 's/^/  /' "$out/kernel.ktap"
	fi
}

# Downloads and builds run first, one by one; the rest runs in parallel
prepare_kernel()
{
	"$vm_dir/kernels.sh" dir "${1%-newer}" >/dev/null &&
		"$vm_dir/kernels.sh" module "${1%-newer}" >/dev/null
}

prepare_guests()
{
	local kernel

	make -s -C "$top/tools/pvsvpnctl" || :
	for kernel in "${kernels[@]}"; do
		say "preparing kernel $kernel"
		if prepare_kernel "$kernel"; then
			mkdir "$logs/$kernel.queue"
			ready+=("$kernel")
		else
			failed_result 'kernel and module are built' | shown "$kernel"
		fi
	done
}

# left KERNEL: true if a test has not been taken yet
left()
{
	local name make

	[ -n "$(ls "$logs/$1.queue")" ] || return 0
	selftests "$1"
	for name in $("${make[@]}" list); do
		[ -d "$logs/$1.queue/$name" ] || return 0
	done
	return 1
}

# work NUMBER: runs one guest after the other, for each kernel with tests left. Each worker starts
# with another kernel, then helps with the others
work()
{
	local i kernel

	for ((i = 0; i < ${#ready[@]}; i++)); do
		kernel=${ready[($1 + i) % ${#ready[@]}]}
		if left "$kernel"; then
			run_guest "$kernel" "$kernel-$1" 2>&1 | shown "$kernel-$1"
		fi
	done
}

# Run as many guests as processors, since more slow each other down. Two guests on two processors
# need 2/3 of the time of four
count_workers()
{
	workers=$(nproc)
	[ "$workers" -le 4 ] || workers=4
	[ ${#guest_tests[@]} -ne 1 ] || [ ${#ready[@]} -gt 1 ] || workers=1
}

run_guests()
{
	local i

	for ((i = 1; i <= workers; i++)); do
		work $i &
	done
	wait
}

# A guest is idle for a third of its time. When the host tests are done, another guest uses that
run_host_tests_then_guest()
{
	[ ${#host_tests[@]} -gt 0 ] || return 0
	run_host_tests
	work $((workers + 1))
}

# sums LOG...: counts the KTAP results that are indented once
sums()
{
	cat "$@" | awk '
	/^  ok [0-9]/ { if ($0 ~ /# *SKIP/) skipped++; else passed++ }
	/^  not ok [0-9]/ { failed++ }
	END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped }'
}

# failures LOG: prints them by name, each with the first lines of its output
failures()
{
	awk -v where="$(basename "$1" .ktap)" '
		/^# / { test = substr($0, 3) }
		/^  # / { said[++n] = substr($0, 5); next }
		/^  not ok [0-9]/ {
			sub(/^  not ok [0-9]+ /, "")
			print "FAILED: " where ": " test ": " $0
			for (i = 1; i <= n && i <= 15; i++)
				print "    " said[i]
		}
		{ n = 0 }' "$1"
}

# report: the sums of each log, failures, the total
report()
{
	local log name of_name

	echo
	for name in "${kernels[@]}" host lint; do
		of_name=("$logs/$name"?(-[1-5]).ktap)
		[ -e "${of_name[0]}" ] || continue
		printf '%-8s %s\n' "$name" "$(sums "${of_name[@]}")"
	done
	for log in "$logs"/*.ktap; do
		failures "$log"
	done
	echo "took $SECONDS s, logs in build/logs/"
	sums "$logs"/*.ktap | tee "$logs/sum"
}

"$vm_dir/deps.sh"
rm -rf "$logs"
mkdir -p "$logs"
pick_tests
pick_newer
ready=()
! wants_guests || prepare_guests
count_workers
run_host_tests_then_guest &
run_guests
wait
report
! grep -q '^  not ok [0-9]' "$logs"/*.ktap && grep -q '^  ok [0-9]' "$logs"/*.ktap
