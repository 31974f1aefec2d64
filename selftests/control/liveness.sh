#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Keepalives (dummy packets) and the death of a silent peer. esp_idle.py tests the contents and
# times of dummy packets.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"

# said PATTERN [COUNT]: waits until COUNT events of $left match
said()
{
	wait_for "event '$1'; there were: $(cat "$tmp/events")" \
		at_least "${2:-1}" grep -cE "$1" "$tmp/events"
}

# said_not PATTERN: no event has matched so far
said_not() { check "events '$1'" "$(grep -E "$1" "$tmp/events" || true)" ''; }

# cut, mend: blocks ESP to $left, and unblocks it
cut()
{
	in_ns "$left" nft -f - <<-END
		table ip cut {
			chain in {
				type filter hook prerouting priority raw
				meta l4proto esp drop
			}
		}
	END
}

mend() { in_ns "$left" nft delete table ip cut; }

# peer EXPRESSION: a jq expression on the left's peer
peer() { ctl "$left" -j show pvs0 | jq -r ".devices[0].peers[0] | $1"; }

# sent: the number of the last packet of the left's current SA
sent() { peer '.sas[] | select(.current) | .seq'; }

dummies() { drop_count "$1" pvs0 rx_dummy; }

on_the_wire()
{
	local gate wire

	new_ns gate
	new_ns wire
	"$here/../packet/esp_test.py" "$gate" "$wire" dummy >"$tmp/wire" 2>&1 || fail "$(cat "$tmp/wire")"
}

# moved BEFORE AFTER: prints the lines that differ
moved() { diff <(echo "$1") <(echo "$2") | grep '^>' || true; }

# Stock IPsec discards dummy packets too (RFC 4303 section 2.6), but counts each as a protocol
# error, as does its interface. No other counter moves
stock_IPsec_discards_them()
{
	local before after count

	tunnel
	pings "$gw" 10.2.0.1
	before=$(all_errors)
	ctl "$gw" peer set pvs0 stock keepalive 1
	wait_for 'three of them' at_least 3 in_ns "$stock" \
		awk '$1 == "XfrmInStateProtoError" { print $2 }' /proc/net/xfrm_stat
	ctl "$gw" peer set pvs0 stock keepalive 0
	after=$(all_errors)
	count=$(in_ns "$stock" awk '$1 == "XfrmInStateProtoError" { print $2 }' /proc/net/xfrm_stat)
	moved "$before" "$after" | sed 's/^> */stock: /' | report
	check 'what has moved' "$(moved "$before" "$after" | sed 's/[ \t].*//;s/^>//' | wc -l)" 2
	grep -qE "XfrmInStateProtoError[ 	]+$count\$" <<<"$(moved "$before" "$after")" ||
		fail 'what has moved is not XfrmInStateProtoError:' "$(moved "$before" "$after")"
	grep -q "ipsec0: rx $count $count " <<<"$(moved "$before" "$after")" ||
		fail 'what has moved is not ipsec0:' "$(moved "$before" "$after")"
	pings "$gw" 10.2.0.1 -s 1300
	pings "$stock" fd00:1::1
	check 'dummies at this end' "$(dummies "$gw")" 0
}

dies_and_comes_back()
{
	local seq late

	tunnel_up
	ctl "$right" peer set pvs0 left keepalive 1
	ctl "$left" peer set pvs0 right keepalive 1 dead-after 3
	watch "$left"
	wait_for 'keepalives of the other end' at_least 5 dummies "$left"
	said_not peer-down
	cut
	said 'peer-down right .*reason dead-peer'
	late=$(peer '.last_rx_ms - .dead_ms - 3000')
	echo "found dead $late ms after the time" | report
	[ "$late" -ge -100 ] && [ "$late" -le 3000 ] || fail "found dead $late ms after the time"
	check up "$(peer .up)" false
	check carrier "$(show "$left" carrier)" false
	wait_for 'the link to be down' is DOWN link_get "$left" pvs0 operstate
	ctl "$left" show pvs0 |
		grep -qE '^  state: down: dead for [0-9ms. ]+ [^,]*, sending with spi 0x00001001' ||
		fail "not in show:" "$(ctl "$left" show pvs0)"
	seq=$(sent)
	wait_for 'keepalives to the dead' at_least $((seq + 2)) sent
	mend
	said 'peer-up right .*reason authentic-packet'
	check 'up again' "$(peer '[.up, .dead_ms]' | tr -d ' \n')" '[true,null]'
	check 'carrier again' "$(show "$left" carrier)" true
	pings "$left" 10.2.0.1
	check 'times it died' "$(grep -c peer-down "$tmp/events")" 1
}

# losses: counters shown as lost; the peer's, since the device's also count the kernel's own packets
losses()
{
	echo "link $(link_stat "$left" pvs0 rx.errors) $(link_stat "$left" pvs0 rx.dropped)"
	ctl "$left" show pvs0 | sed -n 's/.*dropped: /show /p' | tail -n 1
}

# The left receives only dummy packets from the right. They keep the peer alive and are not counted
# as losses
alive_while_idle()
{
	local count losses

	tunnel_up
	ip -n "$left" addr add 2001:db8::1/64 dev "$left_dev" nodad
	ip -n "$right" addr add 2001:db8::2/64 dev "$right_dev" nodad
	watch "$left"
	idle()
	{
		count=$(dummies "$left")
		losses=$(losses)
		wait_for "keepalives $1" at_least $((count + 5)) dummies "$left"
		said_not peer-down
		check "state $1" "$(peer .up)" true
		check "losses $1" "$(losses)" "$losses"
	}
	ctl "$right" peer set pvs0 left keepalive 1
	ctl "$left" peer set pvs0 right dead-after 4
	idle 'over IPv4'
	ctl "$left" peer set pvs0 right encap udp
	ctl "$right" peer set pvs0 left encap udp
	idle 'in UDP'
	ctl "$left" peer set pvs0 right remote 2001:db8::2
	ctl "$right" peer set pvs0 left remote 2001:db8::1
	idle 'in UDP over IPv6'
}

# The clock starts with the first outbound SA
never_heard_of()
{
	pair_up
	watch "$left"
	ctl "$left" peer set pvs0 right dead-after 1
	sleep 2
	check 'events without an SA' "$(cat "$tmp/events")" ''
	"$PVSVPNCTL" genkey aes128gcm16 |
		ctl "$left" sa add pvs0 right dir out spi 0x1001 transform aes128gcm16 key-file -
	said 'peer-down right .*reason dead-peer'
	check 'events' \
		"$(sed 's/.* pvs0 \([a-z-]*\) .*reason \(.*\)/\1:\2/' "$tmp/events" | paste -sd ' ')" \
		'sa-new:request peer-up:outbound-sa peer-down:dead-peer'
	check 'last packet' "$(peer .last_rx_ms)" null
}

set_and_unset()
{
	local seq

	tunnel_up
	watch "$left"
	ctl "$left" peer set pvs0 right dead-after 1
	said 'peer-down right .*reason dead-peer'
	ctl "$left" peer set pvs0 right dead-after 0
	said 'peer-up right .*reason request'
	check carrier "$(show "$left" carrier)" true
	ctl "$left" peer set pvs0 right keepalive 1
	seq=$(sent)
	wait_for keepalives at_least $((seq + 2)) sent
	check 'what is shown' "$(ctl "$left" show pvs0 | grep keepalive)" '  keepalive: 1 s'
	ctl "$left" peer set pvs0 right keepalive 0
	seq=$(sent)
	sleep 3
	check 'packets without keepalives' "$(sent)" "$seq"
	check 'what is shown' "$(ctl "$left" show pvs0 | grep -E 'keepalive|dead' || true)" ''
}

# A dead peer stays dead, whatever is set, until any authentic packet comes
dead_until_it_is_heard_of()
{
	tunnel_up
	watch "$left"
	ctl "$left" peer set pvs0 right dead-after 1
	said 'peer-down right .*reason dead-peer'
	ctl "$left" peer set pvs0 right dead-after 3600 keepalive 600
	"$PVSVPNCTL" genkey aes128gcm16 |
		ctl "$left" sa add pvs0 right dir out spi 0x3001 transform aes128gcm16 key-file -
	check 'up, with a new SA' "$(peer .up)" false
	said_not peer-up
	in_ns "$right" ping -q -c 1 -W 1 10.1.0.1 >/dev/null || true
	said 'peer-up right .*reason authentic-packet'
}

# A dead peer that loses its last SA is only down; with a new SA its time starts again
dead_and_without_SA()
{
	tunnel_up
	watch "$left"
	ctl "$left" peer set pvs0 right dead-after 2
	said 'peer-down right .*reason dead-peer'
	ctl "$left" sa del pvs0 right spi 0x1001 dir out
	check 'dead for' "$(peer .dead_ms)" null
	"$PVSVPNCTL" genkey aes128gcm16 |
		ctl "$left" sa add pvs0 right dir out spi 0x3001 transform aes128gcm16 key-file -
	said 'peer-up right .*reason outbound-sa'
	said 'peer-down right .*reason dead-peer' 2
}

# A device that is down receives nothing; its peers must not die for that
while_the_device_is_down()
{
	local seq

	tunnel_up
	watch "$left"
	ip -n "$left" link set pvs0 down
	ctl "$left" peer set pvs0 right keepalive 1 dead-after 2
	seq=$(sent)
	sleep 4
	said_not peer-down
	check 'packets of a device that is down' "$(sent)" "$seq"
	ip -n "$left" link set pvs0 up
	said_not peer-down
	said 'peer-down right .*reason dead-peer'
	wait_for 'keepalives' at_least $((seq + 2)) sent
}

# The other peers of the device stay up, and so does the carrier
one_of_two()
{
	tunnel_up
	ctl "$left" peer add pvs0 up remote 192.0.2.9 subnets 10.9.0.0/16
	"$PVSVPNCTL" genkey aes128gcm16 |
		ctl "$left" sa add pvs0 up dir out spi 0x1111 transform aes128gcm16 key-file -
	watch "$left"
	ctl "$left" peer set pvs0 right dead-after 1
	said 'peer-down right .*reason dead-peer'
	check carrier "$(show "$left" carrier)" true
	ctl "$left" peer set pvs0 up dead-after 1
	said 'peer-down up .*reason dead-peer'
	check carrier "$(show "$left" carrier)" false
	ctl "$left" peer del pvs0 right
	ctl "$left" peer set pvs0 up dead-after 0
	said 'peer-up up .*reason request'
	check carrier "$(show "$left" carrier)" true
}

what_makes_no_sense()
{
	pair_up
	no() { expect_refused_in "$left" "$1" ctl "$left" peer set pvs0 right "${@:2}"; }
	no 'keepalive 3601 is out of range; use 0 \(off\) to 3600' keepalive 3601
	no 'dead-after 86401 is out of range; use 0 \(off\) to 86400' dead-after 86401
	no 'dead-after 10 is not longer than keepalive 10; raise it or lower that' \
		keepalive 10 dead-after 10
	ctl "$left" peer set pvs0 right keepalive 20
	no 'dead-after 15 is not longer than keepalive 20' dead-after 15
	ctl "$left" peer set pvs0 right keepalive 0
	ctl "$left" peer set pvs0 right dead-after 30
	no 'dead-after 30 is not longer than keepalive 40' keepalive 40
	expect_refused_in "$left" 'dead-after 5 is not longer than keepalive 6' \
		ctl "$left" peer add pvs0 new remote 192.0.2.9 subnets 10.9.0.0/16 \
		keepalive 6 dead-after 5
	ctl "$left" peer set pvs0 right keepalive 29
	ctl "$left" peer set pvs0 right keepalive 0 dead-after 1
}

# crowd COUNT: COUNT peers of the left, all with keepalives and deaths every second
crowd()
{
	local i

	wire_up
	ip -n "$left" link add pvs0 type pvsvpn
	ip -n "$left" link set pvs0 up
	umask 077
	"$PVSVPNCTL" genkey aes128gcm16 >"$tmp/key"
	for ((i = 1; i <= $1; i++)); do
		echo "peer add pvs0 p$i remote 192.0.2.2 subnets 10.9.$i.0/24 keepalive 1 dead-after 2"
		echo "sa add pvs0 p$i dir out spi $((0x2000 + i)) transform aes128gcm16 key-file $tmp/key"
	done | ctl "$left" -b -
	wait_for 'keepalives of all' is "$1" sent_by 1
}

# sent_by NUMBER: the number of the left's SAs that have sent NUMBER packets
sent_by()
{
	ctl "$left" -j show pvs0 |
		jq "[.devices[0].peers[].sas[] | select(.seq >= $1)] | length"
}

deleted_meanwhile()
{
	local i

	crowd 30
	wait_for 'all of them to die' is 0 up_count
	for ((i = 1; i <= 15; i++)); do
		echo "peer del pvs0 p$i"
	done | ctl "$left" -b -
	wait_for 'keepalives of the others' is 15 sent_by 4
	ip -n "$left" link del pvs0
	crowd_of_a_namespace
}

up_count() { ctl "$left" -j show pvs0 | jq '[.devices[0].peers[] | select(.up)] | length'; }

crowd_of_a_namespace()
{
	crowd 10
	ip netns del "$left"
}

# Only if no other tunnel would be lost
the_module_goes_meanwhile()
{
	no_tunnels_in_use
	tunnel_up
	ctl "$left" peer set pvs0 right keepalive 1 dead-after 2
	ctl "$right" peer set pvs0 left keepalive 1 dead-after 2
	wait_for 'keepalives to the left' at_least 1 dummies "$left"
	wait_for 'keepalives to the right' at_least 1 dummies "$right"
	rmmod pvsvpn
	load_module
}

run_cases on_the_wire stock_IPsec_discards_them dies_and_comes_back alive_while_idle \
	never_heard_of set_and_unset dead_until_it_is_heard_of dead_and_without_SA \
	while_the_device_is_down one_of_two what_makes_no_sense deleted_meanwhile \
	the_module_goes_meanwhile
