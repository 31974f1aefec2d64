#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Thousands of policies and states of one device: each costs the same, however many there are before
# it, and RTNL is never held for long.
#
# With run.sh -i costs are in instructions and are judged; else in nanoseconds and only shown.
# 10,000 children if the test is named (EVERY), else 1,000 if costs are judged, else 300.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

unit=ns
[ -z "${VM_ICOUNT:-}" ] || unit=instructions

# commands FIRST LAST [IF_ID]: ip commands for one child each: two states, policies out, in, fwd
commands()
{
	awk -v first="$1" -v last="$2" -v if_id="${3:-42}" 'BEGIN {
		key = "0x000102030405060708090a0b0c0d0e0f10111213"
		here = "192.0.2.1"; there = "192.0.2.2"
		for (i = first; i <= last; i++) {
			far = sprintf("10.%d.%d.0/24", 64 + int(i / 256), i % 256)
			policy("in", far, "10.1.0.0/24", there, here)
			policy("fwd", far, "10.1.0.0/24", there, here)
			policy("out", "10.1.0.0/24", far, here, there)
			state(there, here, 100000 + i)
			state(here, there, 300000 + i)
		}
	}
	function state(src, dst, spi) {
		printf "xfrm state add src %s dst %s proto esp spi %d mode tunnel if_id %d reqid %d" \
			" aead rfc4106(gcm(aes)) %s 128\n", src, dst, spi, if_id, i, key
	}
	function policy(dir, src, dst, from, to) {
		printf "xfrm policy add dir %s src %s dst %s if_id %d" \
			" tmpl src %s dst %s proto esp reqid %d mode tunnel\n", \
			dir, src, dst, if_id, from, to, i
	}'
}

# device: carries if_id 42
device()
{
	new_ns left
	ip -n "$left" addr add 192.0.2.1/32 dev lo
	ip -n "$left" link add pvs0 type pvsvpn
	ctl "$left" set pvs0 if-id 42
	ip -n "$left" link set pvs0 up
	# Otherwise XFRM walks all policies for each new one
	ip -n "$left" xfrm policy set hthresh4 24 24
}

sa_count() { ctl "$left" -j show pvs0 | grep -c '"spi"'; }

# workers: time used so far by the kernel's workers, in $unit
workers()
{
	awk '/^kworker/ { n += $NF } END { printf "%d\n", n }' < <(
		cd /proc
		for task in [0-9]*; do
			{ read -r comm <"$task/comm" && read -r used _ <"$task/schedstat" &&
				echo "$comm $used"; } 2>/dev/null
		done
	)
}

# cost VARIABLE COUNT FILE SAS: the cost of these commands and of the workers until there are SAS
# SAs, per one of COUNT; the polling is not counted
cost()
{
	local TIMEFORMAT='%3U %3S' before after cost_of_one

	before=$(workers)
	{ time ip -n "$left" -batch "$3" >"$tmp/said" 2>&1; } 2>"$tmp/time" || fail "$(cat "$tmp/said")"
	wait_for "$4 SAs" is "$4" sa_count
	after=$(workers)
	cost_of_one=$(awk -v n="$2" -v workers=$((after - before)) \
		'{ printf "%d\n", (($1 + $2) * 1e9 + workers) / n }' < <(tail -n 1 "$tmp/time"))
	printf -v "$1" %s "$cost_of_one"
}

# many: the number of children; small if the kernel's checkers are on
many()
{
	if checkers_on; then
		echo 300
	elif [ -n "${EVERY:-}" ]; then
		echo 10000
	elif [ -n "${VM_ICOUNT:-}" ]; then
		echo 1000
	else
		echo 300
	fi
}

# Subtract stock IPsec's own cost, measured with as many children of another if_id
every_child_costs_the_same()
{
	local few=100 many first last stock_first stock_last

	many=$(many)
	device
	commands 1 "$few" >"$tmp/none"
	commands $((few + 1)) $((2 * few)) >"$tmp/first"
	commands $((2 * few + 1)) $((many - few)) >"$tmp/between"
	commands $((many - few + 1)) "$many" >"$tmp/last"
	# The first children load modules, so they do not count
	cost first "$few" "$tmp/none" $((2 * few))
	cost first "$few" "$tmp/first" $((4 * few))
	ip -n "$left" -batch "$tmp/between"
	wait_for 'those between' is $((2 * (many - few))) sa_count
	cost last "$few" "$tmp/last" $((2 * many))
	ctl "$left" set pvs0 if-id 0
	ip -n "$left" xfrm policy flush
	ip -n "$left" xfrm state flush
	cost stock_first "$few" "$tmp/none" 0
	cost stock_first "$few" "$tmp/first" 0
	ip -n "$left" -batch "$tmp/between"
	cost stock_last "$few" "$tmp/last" 0
	report <<<"$unit for each of $many children: few others before it: $first (of that stock IPsec $stock_first), all others: $last ($stock_last)"
	# Beside other guests, nanoseconds are meaningless: the first children once had a negative
	# cost
	[ -n "${VM_ICOUNT:-}" ] || return 0
	first=$((first - stock_first))
	last=$((last - stock_last))
	[ "$last" -le $((2 * first + stock_first / 2)) ] ||
		fail "the last children cost $last $unit each, the first ones $first"
}

# longest FILE: the longest wait of root's change to a device until FILE exists, in milliseconds
longest()
{
	local start took longest=0

	until [ -e "$1" ]; do
		start=${EPOCHREALTIME/./}
		ip link set lo alias "$RANDOM"
		took=$(((${EPOCHREALTIME/./} - start) / 1000))
		[ "$took" -le "$longest" ] || longest=$took
	done
	echo "$longest"
}

# User nobody in its own user namespace: creates a device, then many children, and makes the device
# look at all of them once more
nobody_delays_root()
{
	local alone loaded

	! checkers_on || skip 'a kernel that checks everything tells no time'
	defer "ip link set lo alias ''"
	chmod 755 "$tmp" "${tmp%/*}"
	commands 1 1200 >"$tmp/batch"
	background sh -c "sleep 3; touch $tmp/waited"
	alone=$(longest "$tmp/waited")
	cat >"$tmp/nobody" <<-END
		ip addr add 192.0.2.1/32 dev lo
		ip link add pvs0 type pvsvpn
		$PVSVPNCTL set pvs0 if-id 42
		ip -batch $tmp/batch
		$PVSVPNCTL set pvs0 if-id 0
		$PVSVPNCTL set pvs0 if-id 42
		until [ "\$($PVSVPNCTL -j show pvs0 | grep -c '"spi"')" -ge 2400 ]; do
			sleep 0.5
		done
		ip xfrm policy flush
		ip xfrm state flush
	END
	background sh -c "setpriv --reuid 65534 --regid 65534 --clear-groups \
		unshare -Urn sh -e $tmp/nobody >$tmp/said 2>&1
		echo \$? >$tmp/status; touch $tmp/done"
	loaded=$(longest "$tmp/done")
	report <<<"root's longest wait, ms: $alone alone, $loaded beside 1,200 children of nobody's"
	check "nobody's commands: $(cat "$tmp/said")" "$(cat "$tmp/status")" 0
	# Other work slows a machine, but not by that much: one hold for all children took 67 s
	[ "$loaded" -le $((10 * alone + 5000)) ] ||
		fail "root waited $loaded ms beside nobody's children, $alone alone"
}

run_cases every_child_costs_the_same nobody_delays_root
