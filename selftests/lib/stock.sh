#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# For the tests to source, after lib.sh: stock Linux IPsec (XFRM with an xfrm interface) at the
# other end.
#
#   namespace $gw                                   namespace $stock
#   pvs0 10.1.0.1 fd00:1::1                         ipsec0 10.2.0.1 fd00:2::1
#     outer0 192.0.2.1 -------------veth------------- outer0 192.0.2.2
#
# shellcheck disable=SC2154 # variables of lib.sh

# stock_state NS SRC DST SPI KEY IF_ID, for aes128gcm16
# The window is 1024, as ours: two CPUs that send at once reorder by more than 32.
stock_state()
{
	ip -n "$1" xfrm state add src "$2" dst "$3" proto esp spi "$4" mode tunnel \
		aead 'rfc4106(gcm(aes))' "0x$5" 128 if_id "$6" replay-window 1024 flag af-unspec
}

# stock_policies NS LOCAL REMOTE IF_ID
stock_policies()
{
	local any dir

	for any in 0.0.0.0/0 ::/0; do
		ip -n "$1" xfrm policy add dir out src $any dst $any if_id "$4" \
			tmpl src "$2" dst "$3" proto esp mode tunnel
		for dir in in fwd; do
			ip -n "$1" xfrm policy add dir $dir src $any dst $any if_id "$4" \
				tmpl src "$3" dst "$2" proto esp mode tunnel
		done
	done
}

# stock_device NS LOCAL REMOTE DEV IF_ID: an xfrm interface; all its traffic is for REMOTE
stock_device()
{
	ip -n "$1" link add "$4" type xfrm dev outer0 if_id "$5"
	stock_policies "$1" "$2" "$3" "$5"
	# The host itself must send nothing into the tunnel, as a missing state would count such
	# packets
	quiet_up "$1" "$4"
}

# inner NS DEV ADDR4 ADDR6 TO4 TO6: addresses and routes of a tunnel's end
inner()
{
	ip -n "$1" addr add "$3/32" dev "$2"
	ip -n "$1" addr add "$4/128" dev "$2" nodad
	ip -n "$1" route add "$5" dev "$2" src "$3"
	ip -n "$1" route add "$6" dev "$2" src "$4"
}

# ends: creates the namespaces and the wire of lib.sh
ends()
{
	wire_up
	# shellcheck disable=SC2154 # by wire_up
	gw=$left stock=$right
}

# both_devices COMMAND...: both ends, without SAs; runs pvsvpnctl COMMAND at the gateway
both_devices()
{
	ends
	ip -n "$gw" link add pvs0 type pvsvpn
	ctl "$gw" "$@"
	quiet_up "$gw" pvs0
	inner "$gw" pvs0 10.1.0.1 fd00:1::1 10.2.0.0/24 fd00:2::/64
	stock_device "$stock" 192.0.2.2 192.0.2.1 ipsec0 42
	inner "$stock" ipsec0 10.2.0.1 fd00:2::1 10.1.0.0/24 fd00:1::/64
}

# devices: the gateway has its peer; adopting_devices: it waits for XFRM states with if_id 42
devices() { both_devices peer add pvs0 stock local 192.0.2.1 remote 192.0.2.2; }
adopting_devices() { both_devices set pvs0 if-id 42; }

# sa_count [NS]: the number of pvs0's SAs
sa_count() { ctl "${1:-$gw}" -j show pvs0 | jq '[.devices[0].peers[].sas[]] | length'; }

# peer_count: the number of peers of the gateway's pvs0
peer_count() { ctl "$gw" -j show pvs0 | jq '.devices[0].peers | length'; }

# tunnel: creates everything, with aes128gcm16
tunnel()
{
	local there back

	devices
	there=$("$PVSVPNCTL" genkey aes128gcm16)
	back=$("$PVSVPNCTL" genkey aes128gcm16)
	ctl "$gw" sa add pvs0 stock dir out spi 0x1001 transform aes128gcm16 key-file - <<<"$there"
	ctl "$gw" sa add pvs0 stock dir in spi 0x1002 transform aes128gcm16 key-file - <<<"$back"
	stock_state "$stock" 192.0.2.1 192.0.2.2 0x1001 "$there" 42
	stock_state "$stock" 192.0.2.2 192.0.2.1 0x1002 "$back" 42
}

# flood NAME NS ADDRESS [MILLISECONDS]: pings until flood_end, which waits for the answers; it has
# started when this returns. ping itself waits for its last answer only twice the longest time so
# far, whatever -W says, and a guest that stood still needs more
flood()
{
	touch "$tmp/flooding"
	background ip netns exec "$2" sh -c "
		echo begin
		while fping -q -c 100 -p ${4:-10} -t 10000 $3; [ -e $tmp/flooding ]; do
			:
		done
		echo end" >"$tmp/flood-$1" 2>&1
	wait_for 'the first pings' grep -q '^begin' "$tmp/flood-$1"
}

# xfrm_stat NS COUNTER
xfrm_stat() { in_ns "$1" awk -v name="$2" '$1 == name { print $2 }' /proc/net/xfrm_stat; }

# one_after_the_other: with full preemption a process can interrupt another in the kernel. The
# device's work runs on their processor, so no packets are sent while the work has none
one_after_the_other()
{
	local preempt=/sys/kernel/debug/sched/preempt cpus=/sys/devices/virtual/workqueue/cpumask
	local before

	if [ -e $preempt ]; then
		before=$(grep -oE '\([a-z]+\)' $preempt | tr -d '()')
		echo full >$preempt
		defer "echo $before >$preempt"
	fi
	defer "echo $(cat $cpus) >$cpus"
	echo 1 >$cpus
}

# churn NS LOCAL FIRST: adds and deletes states of if_id 42 endlessly, with SPIs from FIRST on
churn()
{
	background ip netns exec "$1" /usr/bin/python3 "$lib/adopt_churn.py" "$2" "$3" >"$tmp/churn-$3"
	wait_for 'states that come and go' grep -q ready "$tmp/churn-$3"
}

# early_packets WHAT TURNS: sends without a pause while XFRM has states that it has not announced.
# adopt_early.py lists the values of WHAT
early_packets()
{
	local turns=$2

	! checkers_on || turns=$((turns / 3))
	one_after_the_other
	/usr/bin/python3 "$lib/adopt_early.py" "$1" "$gw" "$stock" "$turns" | report
}

# early_received: the device received the inbound packets
early_received()
{
	echo "packets: $(drops "$gw")" | report
	at_least 100 drop_count "$gw" pvs0 rx_icv || fail 'too few packets for the device'
	check 'packets that stock IPsec decrypted' "$(xfrm_stat "$gw" XfrmInStateProtoError)" 0
	check 'packets of states not valid yet' "$(xfrm_stat "$gw" XfrmInStateInvalid)" 0
	check 'packets of dead states' "$(drop_count "$gw" pvs0 rx_expired)" 0
}

# Losses of stock IPsec itself. Outbound: the packet's state dies during transmission, or is gone
# after the policy lookup. Inbound: the state dies during reception, or another packet replaced the
# cached route, as any change of a policy makes all of them stale
stock_own='^Xfrm(OutStateInvalid|OutNoStates|InStateInvalid|InError)$'

# stock_lost: the number of these losses at the stock end
stock_lost()
{
	in_ns "$stock" awk -v own="$stock_own" '$1 ~ own { n += $2 } END { print n + 0 }' /proc/net/xfrm_stat
}

# xfrm_errors: all other errors that XFRM has counted, at either end
xfrm_errors()
{
	in_ns "$gw" awk '$2 { print $1, $2 }' /proc/net/xfrm_stat
	in_ns "$stock" awk -v own="$stock_own" '$2 && $1 !~ own { print $1, $2 }' /proc/net/xfrm_stat
}

# flood_end NAME...: some pings were sent, and each came once, except those that stock IPsec itself
# lost, and the $EARLY ones that came before their keys
flood_end()
{
	local name sent received twice lost=0

	rm "$tmp/flooding"
	for name; do
		wait_for 'the last pings' grep -q '^end' "$tmp/flood-$name"
		read -r sent received twice < <(awk '
			/xmt\/rcv/ { split($5, n, "/"); s += n[1]; r += n[2] }
			/duplicate for/ { d++ }
			END { print s + 0, r + 0, d + 0 }' "$tmp/flood-$name")
		echo "pings $name: sent $sent, received $received," \
			"lost $((sent - received)), duplicated $twice" | report
		[ "$sent" -ge 100 ] || fail "only $sent pings $name"
		[ "$twice" -eq 0 ] || fail "$twice pings $name came twice"
		lost=$((lost + sent - received))
	done
	[ $lost -eq 0 ] || echo "lost by stock IPsec: $(stock_lost), before their keys: ${EARLY:-0}" | report
	[ $lost -le $(($(stock_lost) + ${EARLY:-0})) ] || fail "$lost pings were lost; drops:" "$(drops "$gw")" \
		"$(xfrm_errors)"
}

# errors NS: the error counters of all devices and of stock IPsec, one a line
errors()
{
	in_ns "$1" awk 'NR > 2 { print $1, "rx", $4, $5, $6, $7, "tx", $12, $13, $14, $15, $16 }' \
		/proc/net/dev
	in_ns "$1" cat /proc/net/xfrm_stat
	ip -n "$1" -s xfrm state | grep failed || true
}

# Counters of both ends that must not move
all_errors()
{
	errors "$gw"
	errors "$stock"
	ctl "$gw" stats | grep -vE ' ([rt]x_)?(packets|bytes) [0-9]+$'
}

# no_errors BEFORE
no_errors()
{
	local moved

	moved=$(diff <(echo "$1") <(all_errors)) || fail "error counters have moved:" "$moved"
}
