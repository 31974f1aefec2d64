#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Another program has installed states in XFRM; a device with their if_id carries them. ip xfrm
# state stands for the daemon; the other end is stock Linux IPsec.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"
# shellcheck source=../lib/states.sh
. "$(dirname "$0")/../lib/states.sh"

those_of_now_and_those_to_come()
{
	adopting
	# States first, if-id afterwards
	ctl "$gw" set pvs0 if-id 0
	states "$stock" 0x1001
	states "$gw" 0x1001
	check 'SAs without if-id' "$(sa_count)" 0
	ctl "$gw" set pvs0 if-id 42
	check 'SAs as soon as set returns' "$(sa_count)" 2
	pings "$gw" 10.2.0.1 -s 1300
	pings "$stock" fd00:1::1
	# A rekey: the newer state carries outbound packets
	states "$stock" 0x2001
	states "$gw" 0x2001
	wait_for 'the newer SA' is $((0x2001)) show "$gw" peers.0.tx_spi
	pings "$gw" fd00:2::1
	pings "$stock" 10.1.0.1
	check 'origin' "$(ctl "$gw" -j show pvs0 | jq -r '[.devices[0].peers[] | .origin, .sas[].origin] | unique[]')" xfrm
	check 'name' "$(show "$gw" peers.0.name)" 192.0.2.2
	check 'drops' "$(drops "$gw")" ''
}

# counts NS: XFRM's counters of both states: SPI, packets, bytes, sequence number
counts()
{
	local spi

	ip -n "$1" -s xfrm state >"$tmp/state-$1"
	for spi in 0x1001 0x1002; do
		echo "$spi $(xfrm "$1" $spi packets) $(xfrm "$1" $spi bytes) $(sequence "$1" $spi)"
	done
}

same_counts() { [ "$(counts "$gw")" = "$(counts "$stock")" ]; }

# XFRM's counters equal stock IPsec's at the other end to the byte
XFRM_counts()
{
	adopted
	pings "$gw" 10.2.0.1 -c 7 -s 500
	wait_for "the same counts: $(counts "$gw") and $(counts "$stock")" same_counts
	counts "$gw" | report
	at_least 7 xfrm "$gw" 0x1001 packets || fail 'too few packets'
	at_least 3696 xfrm "$gw" 0x1002 bytes || fail 'too few bytes'
	check 'sequence number' "$(sequence "$gw" 0x1001)" "$(printf 0x%x "$(show "$gw" peers.0.sas.0.seq)")"
	check 'times of use' "$(ip -n "$gw" -s xfrm state | grep -c 'use 20')" 2
}

# Soft and hard expiry come from XFRM's own timer and event, for which a daemon waits
XFRM_ends_them()
{
	adopting
	watch "$gw"
	background ip -n "$gw" xfrm monitor expire >"$tmp/monitor"
	states "$stock" 0x1001
	states "$gw" 0x1001 limit packet-soft 3 limit packet-hard 6
	wait_for 'the peer to be up' is true show "$gw" peers.0.up
	# XFRM checks the counters as they were before the packet
	in_ns "$gw" ping -q -c 4 -i 0.1 -W 1 10.2.0.1 >/dev/null || fail 'no ping'
	said 'sa-soft-expired 192.0.2.2 .* dir out spi 0x00001001 reason xfrm'
	in_ns "$gw" ping -q -c 5 -i 0.1 -W 1 10.2.0.1 >/dev/null || true
	said 'sa-del 192.0.2.2 .* dir out spi 0x00001001 reason xfrm'
	# Send one more packet back: six were answered
	in_ns "$stock" ping -q -c 1 -W 1 10.1.0.1 >/dev/null || true
	said 'peer-del 192.0.2.2 .*reason xfrm'
	check 'packets of the other end' "$(xfrm "$stock" 0x1001 packets)" 6
	check 'peers' "$(peer_count)" 0
	wait_for 'soft and hard' at_least 4 grep -c '0x0000100[12]' "$tmp/monitor"
	at_least 2 grep -c 'hard 1' "$tmp/monitor" || fail 'no hard expiry:' "$(cat "$tmp/monitor")"
}

deleted_and_flushed()
{
	adopted
	states "$gw" 0x3001
	wait_for 'four SAs' is 4 sa_count
	ip -n "$gw" xfrm state delete src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x3001
	wait_for 'three SAs' is 3 sa_count
	wait_for 'the older SA' is $((0x1001)) show "$gw" peers.0.tx_spi
	pings "$gw" 10.2.0.1
	ip -n "$gw" xfrm state flush
	wait_for 'no SA' is 0 sa_count
	check 'peers' "$(peer_count)" 0
	check 'carrier' "$(show "$gw" carrier)" false
	# The same once more
	states "$gw" 0x1001
	wait_for 'the peer to be up' is true show "$gw" peers.0.up
}

# XFRM's state also counts packet errors. The other end's kernel may send multicast packets of its
# own
failures_count_there()
{
	adopting
	states "$stock" 0x1001
	states "$gw" 0x1001
	wait_for 'the peer to be up' is true show "$gw" peers.0.up
	ip -n "$stock" xfrm state delete src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x1002
	# A wrong key
	state "$stock" 192.0.2.2 192.0.2.1 0x1002 aead "$GCM" "$there" 128
	in_ns "$stock" ping -q -c 3 -i 0.1 -W 1 10.1.0.1 >/dev/null || true
	at_least 3 xfrm "$gw" 0x1002 failed || fail 'not all are there as failed'
	check 'failed' "$(xfrm "$gw" 0x1002 failed)" "$(drop_count "$gw" pvs0 rx_icv)"
	# The right key, from the first sequence number on
	ip -n "$stock" xfrm state delete src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x1002
	state "$stock" 192.0.2.2 192.0.2.1 0x1002 aead "$GCM" "$back" 128
	pings "$stock" 10.1.0.1 -c 4
	ip -n "$stock" xfrm state delete src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x1002
	state "$stock" 192.0.2.2 192.0.2.1 0x1002 aead "$GCM" "$back" 128
	in_ns "$stock" ping -q -c 4 -i 0.1 -W 1 10.1.0.1 >/dev/null || true
	at_least 4 xfrm "$gw" 0x1002 replay || fail 'not all are there as replayed'
	check 'replay' "$(xfrm "$gw" 0x1002 replay)" "$(drop_count "$gw" pvs0 rx_replayed)"
}

# refused WHY STATE...: the state is left to stock IPsec, and an event says why
refused()
{
	local why=$1

	shift
	ip -n "$gw" xfrm state add "$@" if_id 42
	said "pvs0 sa-refused remote 192.0.2.2 dir out spi 0x0000200[0-9] reason $why$"
	check "SAs with $why" "$(sa_count)" 0
	ip -n "$gw" xfrm state flush
}

what_cannot_be_carried()
{
	local esp='src 192.0.2.1 dst 192.0.2.2 proto esp' ah='src 192.0.2.1 dst 192.0.2.2 proto ah'

	adopting
	watch "$gw"
	# shellcheck disable=SC2086
	{
		refused transport-mode $esp spi 0x2001 mode transport aead "$GCM" "$there" 128
		# Some kernels have no AH
		if ip -n "$gw" xfrm state add $ah spi 0x2002 mode tunnel \
			auth-trunc 'hmac(sha256)' "${there:0:66}" 128 2>/dev/null; then
			ip -n "$gw" xfrm state flush
			refused ah $ah spi 0x2002 mode tunnel auth-trunc 'hmac(sha256)' "${there:0:66}" 128
		fi
		refused transform $esp spi 0x2003 mode tunnel \
			auth-trunc 'hmac(sha256)' "${there:0:66}" 96 enc 'cbc(aes)' "${there:0:34}"
	}
	# Another peer already takes all addresses
	ctl "$gw" peer add pvs0 other remote 192.0.2.9
	refused peer-in-the-way src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x2004 mode tunnel \
		aead "$GCM" "$there" 128
	ctl "$gw" peer del pvs0 other
	# The operator's SA already has the SPI
	ctl "$gw" peer add pvs0 mine remote 192.0.2.2 subnets 10.3.0.0/16
	ctl "$gw" sa add pvs0 mine dir out spi 0x2005 transform aes128gcm16 key-file - <<<"${there#0x}"
	ip -n "$gw" xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x2005 mode tunnel \
		aead "$GCM" "$there" 128 if_id 42
	said 'sa-refused remote 192.0.2.2 dir out spi 0x00002005 reason spi-taken$'
}

# An operator's peer with that address keeps the operator's settings
peer_of_the_operator()
{
	adopting
	ctl "$gw" peer add pvs0 site-b remote 192.0.2.2 subnets 10.2.0.0/24 replay-window 64 tfc 256
	states "$stock" 0x1001
	states "$gw" 0x1001
	wait_for 'the peer to be up' is true show "$gw" peers.0.up
	pings "$gw" 10.2.0.1
	check 'peers' "$(peer_count)" 1
	check 'subnets' "$(show "$gw" peers.0.subnets | jq -r '.[]')" 10.2.0.0/24
	check 'tfc, local' "$(show "$gw" peers.0 | jq -r '"\(.tfc) \(.local)"')" '256 192.0.2.1'
	check 'window, of the state' "$(show "$gw" peers.0.sas | jq '.[] | select(.dir == "in").replay_window')" 128
	expect_refused_in "$gw" "spi 0x00001001 is XFRM's; ask its daemon, or ip xfrm state delete" \
		ctl "$gw" sa del pvs0 site-b spi 0x1001 dir out
	# If the peer is deleted, the states make a new one
	ctl "$gw" peer del pvs0 site-b
	wait_for 'a peer of the states' is 192.0.2.2 show "$gw" peers.0.name
	wait_for 'its SAs' is 2 sa_count
	pings "$gw" 10.2.0.1
	expect_refused_in "$gw" 'peer 192.0.2.2 goes with its XFRM states; delete those' \
		ctl "$gw" peer del pvs0 192.0.2.2
	ctl "$gw" peer set pvs0 192.0.2.2 tfc 128
	ip -n "$gw" xfrm state flush
	wait_for 'no SA' is 0 sa_count
	check 'a peer that was set stays' "$(show "$gw" peers.0.origin)" operator
}

# A peer that is added later replaces the one that the states have made
peer_that_comes_later()
{
	adopted
	check 'peer' "$(show "$gw" peers.0.origin)" xfrm
	flood in "$stock" 10.1.0.1
	flood out "$gw" 10.2.0.1
	ctl "$gw" peer add pvs0 site-b remote 192.0.2.2 subnets 10.2.0.0/24
	wait_for 'its SAs' is 2 sa_count
	flood_end in out
	check 'peers' "$(ctl "$gw" -j show pvs0 | jq -r '.devices[0].peers[].name')" site-b
	pings "$gw" 10.2.0.1
}

# The device keeps its carrier in between, also while RTNL is contended
place_is_taken_at_once()
{
	adopted
	pings "$gw" 10.2.0.1
	rtnl_held_behind request_begin "$gw" outer0 "$PVSVPNCTL" -n "$gw" peer add pvs0 site-b \
		remote 192.0.2.2 subnets 10.2.0.0/24
	in_ns "$gw" ping -q -c 1 -W 5 10.2.0.1 >"$tmp/ping" || fail 'a packet was lost, or waits' "$(cat "$tmp/ping")"
	kill "$after"
	check 'peers' "$(ctl "$gw" -j show pvs0 | jq -r '.devices[0].peers[].name')" site-b
	check 'SAs' "$(sa_count)" 2
	check 'drops' "$(drops "$gw")" ''
}

given_back_with_the_device()
{
	adopted
	pings "$stock" 10.1.0.1 -c 5
	ip -n "$gw" link del pvs0
	check 'the number received last' "$(sequence "$gw" 0x1002)" 0x5
}

# Stock IPsec continues our sequence numbers, and accepts no packet twice
given_back()
{
	adopted
	pings "$stock" 10.1.0.1 -c 5
	ctl "$gw" set pvs0 if-id 0
	check 'SAs' "$(sa_count)" 0
	check 'peers' "$(peer_count)" 0
	ip -n "$gw" link del pvs0
	stock_device "$gw" 192.0.2.1 192.0.2.2 ipsec0 42
	inner "$gw" ipsec0 10.1.0.1 fd00:1::1 10.2.0.0/24 fd00:2::/64
	pings "$stock" 10.1.0.1 -c 3
	at_least 8 xfrm "$gw" 0x1002 packets || fail 'stock IPsec has not counted on from ours'
}

# policy NS DIR SRC DST FROM TO REQID [SELECTOR...]: FROM to TO by a tunnel from SRC to DST. A
# higher REQID has a higher priority
policy()
{
	ip -n "$1" xfrm policy add dir "$2" src "$5" dst "$6" "${@:8}" if_id 42 \
		priority $((10 - $7)) tmpl src "$3" dst "$4" proto esp reqid "$7" mode tunnel
}

# child FROM TO REQID: policies at both ends, for the gateway's FROM and the far end's TO
child()
{
	local dir

	policy "$gw" out 192.0.2.1 192.0.2.2 "$1" "$2" "$3"
	policy "$stock" out 192.0.2.2 192.0.2.1 "$2" "$1" "$3"
	for dir in in fwd; do
		policy "$gw" $dir 192.0.2.2 192.0.2.1 "$2" "$1" "$3"
		policy "$stock" $dir 192.0.2.1 192.0.2.2 "$1" "$2" "$3"
	done
}

# now_out SPI: the number of packets that have left by this SA
now_out() { xfrm "$gw" "$1" packets; }

# Several child SAs of one if_id to one gateway: stock IPsec accepts from each only packets that
# match its policies
children_by_their_policies()
{
	local hmac=0x1112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30 before ns

	adopting
	ip -n "$stock" xfrm policy flush
	child 10.1.0.0/24 10.2.0.0/24 1
	child fd00:1::/64 fd00:2::/64 2
	# This policy is for one port
	policy "$gw" out 192.0.2.1 192.0.2.2 10.1.0.0/24 10.2.0.0/24 3 proto udp dport 7000
	for ns in "$stock" "$gw"; do
		states "$ns" 0x1001 reqid 1
		states "$ns" 0x1011 reqid 2
	done
	wait_for 'four SAs' is 4 sa_count
	pings "$gw" 10.2.0.1
	pings "$gw" fd00:2::1
	pings "$stock" 10.1.0.1
	pings "$stock" fd00:1::1
	check 'outbound SAs in use' "$(outbound_in_use)" '4097 4113'
	no_mismatch
	# Another child with child 1's addresses, and a larger overhead
	before=$(show "$gw" peers.0.inner_mtu)
	state "$gw" 192.0.2.1 192.0.2.2 0x1021 reqid 3 \
		auth-trunc 'hmac(sha256)' $hmac 128 enc 'cbc(aes)' "${there:0:34}"
	wait_for 'five SAs' is 5 sa_count
	check 'outbound SAs in use' "$(outbound_in_use)" '4097 4113 4129'
	[ "$(show "$gw" peers.0.inner_mtu)" -lt "$before" ] || fail "MTU as before, $before"
	in_ns "$gw" bash -c 'echo to the port >/dev/udp/10.2.0.1/7000'
	in_ns "$gw" bash -c 'echo to another >/dev/udp/10.2.0.1/7001'
	check 'packets to the port' "$(now_out 0x1021)" 1
	# No child has this source address
	ip -n "$gw" addr add 10.9.0.1/32 dev lo
	in_ns "$gw" ping -q -c 2 -i 0.1 -W 1 -I 10.9.0.1 10.2.0.1 >/dev/null || true
	check 'drops' "$(drops "$gw")" tx_no_policy=2
	one_child_goes
}

# outbound_in_use: the SPIs of the outbound SAs in use
outbound_in_use()
{
	ctl "$gw" -j show pvs0 |
		jq -r '[.devices[0].peers[0].sas[] | select(.dir == "out" and .current) | .spi] | sort | join(" ")'
}

# no_mismatch: stock IPsec has received no packet by the wrong child's SA
no_mismatch() { check 'mismatches' "$(xfrm_stat "$stock" XfrmInTmplMismatch)" 0; }

# policy_names SPI: child 1's policy names this SPI
policy_names()
{
	ip -n "$gw" xfrm policy update dir out src 10.1.0.0/24 dst 10.2.0.0/24 if_id 42 priority 9 \
		tmpl src 192.0.2.1 dst 192.0.2.2 proto esp spi "$1" reqid 1 mode tunnel
}

one_child_goes()
{
	# A rekey of child 1 does not affect child 2
	states "$stock" 0x2001 reqid 1
	states "$gw" 0x2001 reqid 1
	wait_for 'the newer SA of child 1' is '4113 4129 8193' outbound_in_use
	pings "$gw" 10.2.0.1
	pings "$gw" fd00:2::1
	no_mismatch
	# The policy may name the older SA, then the newer one when the other end is ready for it
	policy_names 0x1001
	wait_for 'the named SA' is '4097 4113 4129' outbound_in_use
	policy_names 0x2001
	wait_for 'the other one' is '4113 4129 8193' outbound_in_use
	# One child is left: it still sends nothing that the other end would refuse
	ip -n "$gw" xfrm policy delete dir out src fd00:1::/64 dst fd00:2::/64 if_id 42
	ip -n "$gw" xfrm policy delete dir out src 10.1.0.0/24 dst 10.2.0.0/24 proto udp dport 7000 if_id 42
	ip -n "$gw" xfrm state delete src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1011
	ip -n "$gw" xfrm state delete src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1021
	wait_for 'one outbound SA in use' is 8193 outbound_in_use
	in_ns "$gw" ping -q -c 2 -i 0.1 -W 1 -I 10.9.0.1 10.2.0.1 >/dev/null || true
	check 'drops' "$(drops "$gw")" tx_no_policy=4
	pings "$gw" 10.2.0.1
	# If all policies are flushed, packets pass
	ip -n "$gw" xfrm policy flush
	pings "$gw" 10.2.0.1
}

# lost ADDRESS: one packet is lost, and its sender receives an error
lost()
{
	! in_ns "$gw" ping -q -c 1 -W 5 "$1" >/dev/null || fail "$1 has answered"
}

# drops_of_policies: tx_no_policy and tx_no_sa of the gateway
drops_of_policies() { echo "$(drop_count "$gw" pvs0 tx_no_policy) $(drop_count "$gw" pvs0 tx_no_sa)"; }

# Like strongSwan's policy for start_action = trap. Its packets do not use another child's SA. When
# it is removed, their fate does not change
policy_without_an_SA()
{
	local ns

	adopting
	ip -n "$stock" xfrm policy flush
	child 10.1.0.0/24 10.2.0.0/24 1
	for ns in "$stock" "$gw"; do
		states "$ns" 0x1001 reqid 1
	done
	wait_for 'two SAs' is 2 sa_count
	ctl "$gw" peer set pvs0 192.0.2.2 subnets 10.2.0.0/24,10.3.0.0/24 local-subnets 10.1.0.0/24
	ip -n "$gw" route add 10.3.0.0/24 dev pvs0 src 10.1.0.1
	pings "$gw" 10.2.0.1
	lost 10.3.0.1
	check 'drops' "$(drops_of_policies)" '1 0'
	policy "$gw" out 192.0.2.1 192.0.2.2 10.1.0.0/24 10.3.0.0/24 4
	lost 10.3.0.1
	check 'drops' "$(drops_of_policies)" '1 1'
	pings "$gw" 10.2.0.1
	ip -n "$gw" xfrm policy delete dir out src 10.1.0.0/24 dst 10.3.0.0/24 if_id 42
	lost 10.3.0.1
	check 'drops' "$(drops_of_policies)" '2 1'
	# If policies for its SA cover the whole peer, the lookup is skipped
	policy "$gw" out 192.0.2.1 192.0.2.2 10.1.0.0/24 10.3.0.0/24 1
	in_ns "$gw" ping -q -c 1 -W 1 10.3.0.1 >/dev/null || :
	check 'drops' "$(drops_of_policies)" '2 1'
	ip -n "$gw" xfrm policy delete dir out src 10.1.0.0/24 dst 10.3.0.0/24 if_id 42
	lost 10.3.0.1
	check 'drops' "$(drops_of_policies)" '3 1'
	pings "$gw" 10.2.0.1
	# The same if another policy covers all of the peer's packets and this one has higher
	# priority
	ctl "$gw" peer set pvs0 192.0.2.2 subnets 10.2.0.0/24
	pings "$gw" 10.2.0.1
	policy "$gw" out 192.0.2.1 192.0.2.2 10.1.0.0/24 10.2.0.9/32 5
	lost 10.2.0.9
	check 'drops' "$(drops_of_policies)" '3 2'
	pings "$gw" 10.2.0.1
	ip -n "$gw" xfrm policy delete dir out src 10.1.0.0/24 dst 10.2.0.9/32 if_id 42
	in_ns "$gw" ping -q -c 1 -W 1 10.2.0.9 >/dev/null || :
	check 'drops' "$(drops_of_policies)" '3 2'
}

# Routers behind the gateway have addresses outside the agreed selectors. The far end needs their
# errors to learn a path's MTU
errors_of_routers()
{
	local ns

	adopting
	ip -n "$stock" xfrm policy flush
	child 10.1.0.0/24 10.2.0.0/24 1
	for ns in "$stock" "$gw"; do
		states "$ns" 0x1001 reqid 1
	done
	wait_for 'two SAs' is 2 sa_count
	ip -n "$gw" addr add 172.16.0.1/32 dev lo
	ip -n "$gw" route replace 10.2.0.0/24 dev pvs0 src 172.16.0.1
	in_ns "$gw" sysctl -qw net.ipv4.ip_forward=1
	error_leaves
	ctl "$gw" peer set pvs0 192.0.2.2 subnets 10.2.0.0/24 local-subnets 10.1.0.0/24
	error_leaves
	# Packets that are not errors must match the agreed selectors
	lost 10.2.0.1
	check 'drops' "$(drops "$gw")" tx_source=1
}

# error_leaves: the gateway sends an error for a packet that it cannot forward
error_leaves()
{
	local count

	count=$(now_out 0x1001)
	in_ns "$stock" ping -q -c 1 -W 1 -t 1 10.1.0.9 >/dev/null || :
	wait_for 'the error' is $((count + 1)) now_out 0x1001
	check 'drops' "$(drops "$gw")" ''
}

two_devices()
{
	adopting
	ip -n "$gw" link add pvs1 type pvsvpn
	expect_refused_in "$gw" 'if-id-in 42 is that of pvs0; use another' ctl "$gw" set pvs1 if-id 42
	expect_refused_in "$gw" 'if-id-out 42 is that of pvs0; use another' \
		ctl "$gw" set pvs1 if-id-in 43 if-id-out 42
	check 'nothing was set' "$(ctl "$gw" -j show pvs1 | jq '.devices[0] | .if_id_in + .if_id_out')" 0
	ip -n "$gw" link del pvs0
	ctl "$gw" set pvs1 if-id-in 43 if-id-out 42
	ip -n "$gw" xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x2001 mode tunnel if_id 42 \
		aead "$GCM" "$there" 128
	ip -n "$gw" xfrm state add src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x2002 mode tunnel if_id 43 \
		aead "$GCM" "$back" 128
	ip -n "$gw" xfrm state add src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x2003 mode tunnel if_id 42 \
		aead "$GCM" "$back" 128
	wait_for 'one SA each way' is 2 sa_count_of pvs1
	sleep 0.5
	check 'and no third' "$(sa_count_of pvs1)" 2
}

sa_count_of() { ctl "$gw" -j show "$1" | jq '[.devices[0].peers[].sas[]] | length'; }

# Each kind works the same: ESN, CBC with HMAC; below ESP in UDP of a daemon's port, IPv6 outside
other_kinds()
{
	local hmac=0x1112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30

	adopting
	for ns in "$gw" "$stock"; do
		state "$ns" 192.0.2.1 192.0.2.2 0x4001 flag esn \
			auth-trunc 'hmac(sha256)' $hmac 128 enc 'cbc(aes)' "${there:0:34}"
		state "$ns" 192.0.2.2 192.0.2.1 0x4002 flag esn \
			auth-trunc 'hmac(sha256)' $hmac 128 enc 'cbc(aes)' "${back:0:34}"
	done
	wait_for 'the peer to be up' is true show "$gw" peers.0.up
	check 'transform' "$(show "$gw" peers.0.sas.0 | jq -r '"\(.transform) \(.esn)"')" 'aes128-sha256 true'
	pings "$gw" 10.2.0.1 -s 1200
	pings "$stock" fd00:1::1
	check 'drops' "$(drops "$gw")" ''
}

in_UDP_of_a_daemon()
{
	local ns

	adopting
	for ns in "$gw" "$stock"; do
		background ip netns exec "$ns" /usr/bin/python3 "$lib/encap_daemon.py" 4500 >"$tmp/daemon-$ns"
		wait_for 'the daemon' grep -q ready "$tmp/daemon-$ns"
		states "$ns" 0x1001 encap espinudp 4500 4500 0.0.0.0
	done
	wait_for 'the peer to be up' is true show "$gw" peers.0.up
	check 'encapsulation' "$(show "$gw" peers.0 | jq -r '"\(.encap) \(.sport) \(.dport)"')" 'udp 4500 4500'
	pings "$gw" 10.2.0.1 -s 1200
	pings "$stock" fd00:1::1
	check 'drops' "$(drops "$gw")" ''
	# The far end's mapping changes: the daemon receives an event, and only the daemon changes
	# anything
	background ip netns exec "$gw" /usr/bin/python3 "$here/adopt_mapping.py" >"$tmp/mappings"
	wait_for 'the listener' grep -q ready "$tmp/mappings"
	in_ns "$stock" nft -f - <<-END
		table ip nat {
			chain out {
				type nat hook postrouting priority srcnat
				udp sport 4500 masquerade to :20001
			}
		}
	END
	in_ns "$stock" conntrack -F 2>/dev/null || true
	in_ns "$stock" ping -q -c 2 -i 0.1 -W 1 10.1.0.1 >/dev/null || true
	wait_for "the mapping; $(cat "$tmp/mappings")" grep -q 'spi 0x00001002 192.0.2.2 4500 to 192.0.2.2 20001' "$tmp/mappings"
	check 'the port, before the daemon has spoken' "$(show "$gw" peers.0.dport)" 4500
	ip -n "$gw" xfrm state update src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x1002 mode tunnel if_id 42 \
		flag af-unspec replay-window 128 encap espinudp 20001 4500 0.0.0.0 \
		aead "$GCM" "$back" 128
	wait_for 'the other port' is 20001 show "$gw" peers.0.dport
	pings "$gw" 10.2.0.1
}

over_IPv6()
{
	adopting
	ip -n "$gw" addr add 2001:db8::1/64 dev outer0 nodad
	ip -n "$stock" addr add 2001:db8::2/64 dev outer0 nodad
	ip -n "$stock" xfrm policy flush
	stock_policies "$stock" 2001:db8::2 2001:db8::1 42
	for ns in "$gw" "$stock"; do
		state "$ns" 2001:db8::1 2001:db8::2 0x1001 aead "$GCM" "$there" 128
		state "$ns" 2001:db8::2 2001:db8::1 0x1002 aead "$GCM" "$back" 128
	done
	wait_for 'the peer to be up' is true show "$gw" peers.0.up
	check 'name' "$(show "$gw" peers.0.name)" 2001:db8::2
	pings "$gw" 10.2.0.1
	pings "$stock" fd00:1::1 -s 1200
}

# The outbound state's mark selects the route; the inbound state's mark selects the state
marks()
{
	adopting
	ip -n "$gw" route add 192.0.2.2 dev outer0 table 77
	ip -n "$gw" route add unreachable 192.0.2.2
	ip -n "$gw" rule add fwmark 7 table 77
	states "$stock" 0x1001
	state "$gw" 192.0.2.2 192.0.2.1 0x1002 aead "$GCM" "$back" 128 mark 5 mask 0xff
	state "$gw" 192.0.2.1 192.0.2.2 0x1001 aead "$GCM" "$there" 128 output-mark 7
	wait_for 'the peer to be up' is true show "$gw" peers.0.up
	in_ns "$gw" ping -q -c 2 -i 0.1 -W 1 10.2.0.1 >/dev/null || true
	check 'packets sent' "$(xfrm "$stock" 0x1001 packets)" 2
	check 'packets received without the mark' "$(show "$gw" peers.0.traffic.rx_packets 2>/dev/null || show "$gw" peers.0.rx_packets)" 0
	in_ns "$gw" nft -f - <<-END
		table inet m {
			chain in {
				type filter hook prerouting priority raw
				meta l4proto esp meta mark set 5
			}
		}
	END
	pings "$gw" 10.2.0.1
}

# rtnl_is_busy: a loop takes RTNL again and again, so that the device's work has to wait for it
rtnl_is_busy()
{
	touch "$tmp/flooding"
	background ip netns exec "$gw" sh -c "while [ -e $tmp/flooding ]; do
		ip link add d0 type dummy
		ip link del d0
	done" 2>/dev/null
}

# A rekey as daemons do it: inbound states first. The gateway's state exists when the call returns,
# and the other end sends by it at once. Packets have to wait.
no_packet_lost_in_rekeys()
{
	local i old=0x1001 new rekeys=10

	adopted
	flood in "$stock" 10.1.0.1
	flood out "$gw" 10.2.0.1
	rtnl_is_busy
	! checkers_on || rekeys=3
	for ((i = 1; i <= rekeys; i++)); do
		new=$((0x1001 + 16 * i))
		new_keys
		state "$gw" 192.0.2.2 192.0.2.1 $((new + 1)) aead "$GCM" "$back" 128
		states "$stock" $new
		ip -n "$stock" xfrm state delete src 192.0.2.2 dst 192.0.2.1 proto esp spi $((old + 1))
		state "$gw" 192.0.2.1 192.0.2.2 $new aead "$GCM" "$there" 128
		wait_for 'the newer SA' is $new show "$gw" peers.0.tx_spi
		for ns in "$gw" "$stock"; do
			ip -n "$ns" xfrm state delete src 192.0.2.1 dst 192.0.2.2 proto esp spi $((old))
		done
		ip -n "$gw" xfrm state delete src 192.0.2.2 dst 192.0.2.1 proto esp spi $((old + 1))
		old=$new
	done
	flood_end in out
	wait_for 'two SAs' is 2 sa_count
}

# While RTNL is held, a state and its first packets arrive: the packets wait. The old outbound state
# carries the answers. ip xfrm needs no RTNL.
packets_faster_than_the_adoption()
{
	local held ping

	adopted
	ip -n "$stock" xfrm state delete src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x1002
	new_keys
	hold_rtnl held "$gw" outer0
	rtnl_held held
	state "$stock" 192.0.2.2 192.0.2.1 0x2002 aead "$GCM" "$back" 128
	state "$gw" 192.0.2.2 192.0.2.1 0x2002 aead "$GCM" "$back" 128
	in_ns "$stock" ping -q -c 5 -i 0.05 -W 30 10.1.0.1 >"$tmp/ping" &
	ping=$!
	sleep 1
	kill -0 $ping 2>/dev/null || fail 'answered while RTNL was held' "$(cat "$tmp/ping")"
	kill "$held"
	wait $ping || fail 'pings were lost' "$(cat "$tmp/ping")" "$(drops "$gw")" \
		"$(in_ns "$gw" awk '$2 { print $1, $2 }' /proc/net/xfrm_stat)"
	grep -q ' 5 received' "$tmp/ping" || fail 'pings were lost' "$(cat "$tmp/ping")"
}

# heard_last: XFRM calls key managers in order of registration: its own listeners, then us
heard_last()
{
	no_tunnels_in_use
	rmmod pvsvpn
	defer load_module
	modprobe -q xfrm_user || true
	load_module
}

# early new|moved-in
early()
{
	heard_last
	adopting
	early_packets "$1" 300
	early_received
}

# XFRM has a state for a moment before it announces it. The device takes the packets of this moment:
# stock IPsec would drop them, as they did not come through a device of its own
packets_before_XFRM_tells_of_the_state() { early new; }

# The old state is dead in this moment
packets_before_XFRM_tells_that_a_state_has_moved() { early moved-in; }

# Stock IPsec gets these packets. They do not make the device look at the states again and again
packets_of_refused_states()
{
	local count

	adopting
	watch "$gw"
	# Another peer already takes all addresses
	ctl "$gw" peer add pvs0 other remote 192.0.2.9
	early_packets two 300
	said 'sa-refused remote 192.0.2.2 dir in spi 0x00010001 reason peer-in-the-way$'
	count=$(grep -c sa-refused "$tmp/events")
	# Twice for each state, and again when the host gets an address
	[ "$count" -le 20 ] || fail "looked at two states $count times"
	at_least 100 xfrm_stat "$gw" XfrmInStateProtoError || fail 'too few packets for stock IPsec'
}

# carrier_downs: how often the device has lost its carrier
carrier_downs() { in_ns "$gw" cat /sys/class/net/pvs0/carrier_down_count; }

# The SA of a packet is dead, and XFRM has not announced the next one. The peer stays up meanwhile
packets_to_a_peer_that_XFRM_has_moved()
{
	local downs

	heard_last
	adopting
	ip -n "$gw" addr add 192.0.2.11/24 dev outer0
	watch "$gw"
	downs=$(carrier_downs)
	rtnl_is_busy
	early_packets moved-out 300
	at_least 100 link_stat "$gw" pvs0 tx.packets || fail 'too few packets'
	check 'drops' "$(drops "$gw")" ''
	said 'peer-up'
	check 'times that the peer went down' "$(awk '/peer-down/ { n++ } END { print n + 0 }' "$tmp/events")" 0
	check 'times that the carrier went' "$(carrier_downs)" "$downs"
}

# Everything is deleted while traffic passes both ways
gone_under_traffic()
{
	adopted
	background ip netns exec "$stock" ping -q -f 10.1.0.1 >/dev/null
	background ip netns exec "$gw" ping -q -f 10.2.0.1 >/dev/null
	sleep 0.5
	ip -n "$gw" link del pvs0
	ip -n "$gw" link add pvs0 type pvsvpn
	ctl "$gw" set pvs0 if-id 42
	quiet_up "$gw" pvs0
	inner "$gw" pvs0 10.1.0.1 fd00:1::1 10.2.0.0/24 fd00:2::/64
	wait_for 'packets again' at_least 20 show "$gw" peers.0.rx_packets
	ip -n "$gw" xfrm state flush
	states "$gw" 0x1001
	ip netns del "$gw"
}

the_module_goes()
{
	no_tunnels_in_use
	adopted
	background ip netns exec "$stock" ping -q -f 10.1.0.1 >/dev/null
	sleep 0.5
	rmmod pvsvpn
	# XFRM still has the states
	check 'states' "$(ip -n "$gw" xfrm state | grep -c 'if_id 0x2a')" 2
	load_module
}

run_cases those_of_now_and_those_to_come XFRM_counts XFRM_ends_them deleted_and_flushed \
	failures_count_there what_cannot_be_carried peer_of_the_operator peer_that_comes_later \
	place_is_taken_at_once \
	given_back given_back_with_the_device children_by_their_policies policy_without_an_SA \
	errors_of_routers two_devices other_kinds in_UDP_of_a_daemon over_IPv6 marks \
	no_packet_lost_in_rekeys \
	packets_faster_than_the_adoption packets_before_XFRM_tells_of_the_state \
	packets_before_XFRM_tells_that_a_state_has_moved packets_to_a_peer_that_XFRM_has_moved \
	packets_of_refused_states \
	gone_under_traffic the_module_goes
