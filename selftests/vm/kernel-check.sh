#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The kernel's own reports about a test run, as KTAP: log, taint, unloading of the module, kmemleak.
# "start" before the run, "end" after it. Root only.
set -u

state=/run/pvsvpn-kernel-check
mark='pvsvpn-kernel-check: start'
kmemleak=/sys/kernel/debug/kmemleak

# Messages that no healthy kernel prints. Call traces alone and failed allocations are not included:
# fault injection causes them.
splats='WARNING:|\bBUG:|kernel BUG|Oops|KASAN|KCSAN|KFENCE|UBSAN|ODEBUG|DEBUG_LOCKS_WARN'
splats+='|INFO: (possible|suspicious|inconsistent|trying to register|task .* blocked|rcu_)'
splats+='|suspicious RCU usage|possible (circular|irq|recursive).*|inconsistent lock state'
splats+='|general protection fault|[Uu]nable to handle|invalid opcode|double fault'
splats+='|refcount_t:|ref_tracker:|reference already released|leaked reference'
splats+='|unregister_netdevice: waiting|scheduling while atomic|sleeping function called'
splats+='|list_(add|del) corruption|soft lockup|hard LOCKUP|detected stall|stall on CPU'
splats+='|MAX_LOCKDEP|MAX_STACK_TRACE|turning off the locking correctness validator'
splats+='|Kernel panic|segfault at|slab .*: .*Objects remaining|kmem_cache_destroy'

# Caused by fault injection: the tracker had no memory to record a reference
asked_for='ref_tracker: memory allocation failure, unreliable refcount tracker'

count=0
result()	# result STATUS NAME [REPORT]
{
	count=$((count + 1))
	[ -z "${3-}" ] || printf '%s\n' "$3" | sed 's/^/# /'
	echo "$1 $count $2"
}

# The log since the mark, in the kernel's order
log()
{
	dmesg | awk -v mark="$mark" 'seen; index($0, mark) { seen = 1 }'
}

# Each report with the lines after it, at most five
check_log()
{
	local report

	report=$(log | grep -vE -- "$asked_for" | grep -E -m 5 -A 30 -- "$splats")
	if [ -n "$report" ]; then
		result 'not ok' 'kernel log holds no splat' "$report"
	else
		result ok 'kernel log holds no splat'
	fi
}

# The module itself sets bits 12 (out of tree) and 13 (unsigned)
check_taint()
{
	local before after new

	before=$(cat $state/taint)
	after=$(cat /proc/sys/kernel/tainted)
	new=$((after & ~before & ~(1 << 12 | 1 << 13)))
	if [ $new -ne 0 ]; then
		result 'not ok' 'kernel is not tainted' "new taint bits: $new (of $after)"
	else
		result ok 'kernel is not tainted'
	fi
}

check_unload()
{
	local report

	if report=$(timeout 60 rmmod pvsvpn 2>&1); then
		result ok 'module unloads'
	else
		result 'not ok' 'module unloads' "$report"
	fi
}

# kmemleak reports an object only when it is 5 s old; a second scan finds what the first missed
scan()
{
	sleep 6
	echo scan >$kmemleak
	sleep 1
	echo scan >$kmemleak
}

# Check after unloading: then the module's own data holds no references. The report from before has
# the names of its functions.
check_kmemleak()
{
	local report

	scan
	report=$(head -n 120 $kmemleak)
	if [ -n "$report" ]; then
		[ ! -s $state/loaded ] || report="while loaded:
$(head -n 120 $state/loaded)
unloaded:
$report"
		result 'not ok' 'kmemleak finds nothing' "$report"
	else
		result ok 'kmemleak finds nothing'
	fi
}

loaded() { grep -q '^pvsvpn ' /proc/modules; }

start()
{
	mkdir -p $state
	cat /proc/sys/kernel/tainted >$state/taint
	if [ -e $kmemleak ]; then
		scan
		echo clear >$kmemleak
	fi
	echo "<6>$mark" >/dev/kmsg
}

# Plan only checks that apply. The log comes last: unloading and kmemleak also write to it.
end()
{
	local checks='check_taint check_log' check

	if [ -e $kmemleak ]; then
		checks="check_kmemleak $checks"
		if loaded; then
			scan
			cat $kmemleak >$state/loaded
		fi
	fi
	! loaded || checks="check_unload $checks"
	echo 'TAP version 13'
	echo "1..$(wc -w <<<"$checks")"
	for check in $checks; do
		$check
	done
}

case ${1-} in
start) start ;;
end) end ;;
*) echo "usage: $0 start|end" >&2; exit 2 ;;
esac
