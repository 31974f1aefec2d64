#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# ESP in UDP (RFC 3948): on a port of our own and on a daemon's socket, through a NAT that changes
# its mapping, keepalives, malformed packets. interop.sh tests against stock IPsec.
#
#   $left 192.0.2.1 ---- $right 192.0.2.2          or, behind a NAT,
#   $left 10.9.0.1 ---- 10.9.0.254 $nat 192.0.2.254 ---- $right 192.0.2.2
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

nat=''

# udp_ends LEFT RIGHT [OPTIONS...]: both ends, each with the address that the other sees, with SAs
udp_ends()
{
	end_up "$left" right "$2" 10.1.0.1 fd00:1::1 10.2.0.0/16,fd00:2::/64
	end_up "$right" left "$1" 10.2.0.1 fd00:2::1 10.1.0.0/16,fd00:1::/64
	ctl "$left" peer set pvs0 right encap udp "${@:3}"
	ctl "$right" peer set pvs0 left encap udp "${@:3}"
	sa_both aes128gcm16
}

udp_up()
{
	wire_up
	udp_ends 192.0.2.1 192.0.2.2 "$@"
}

no_drops()
{
	check 'drops of the left' "$(drops "$left")" ''
	check 'drops of the right' "$(drops "$right")" ''
}

on_a_port_of_our_own()
{
	udp_up
	watch_for "$right" "$right_dev" 4 'udp port 4500'
	pings "$left" 10.2.0.1
	watched
	pings "$left" fd00:2::1 -s 1300
	no_drops
	# 20 of IPv4, 8 of UDP, 16 of ESP and IV, 2 of trailer, 16 of ICV
	check MTU "$(link_get "$left" pvs0 mtu)" 1438
	check 'port shown' "$(show "$left" peers.0.dport)" 4500
	iperf_server "$right"
	in_ns "$left" timeout 120 iperf3 -c 10.2.0.1 -n "$(mib 8)" >"$tmp/iperf" 2>&1 || fail "$(cat "$tmp/iperf")"
	no_drops
}

# unreachables: the left's "port unreachable" answers, as no socket is at the port
unreachables() { in_ns "$left" nstat -asz IcmpOutDestUnreachs | awk 'END { print $2 + 0 }'; }

# The port is released with its last peer, and for another protocol on request
the_port_is_given_back()
{
	udp_up sport 4501 dport 4501
	pings "$left" 10.2.0.1
	ctl "$left" peer set pvs0 right encap none
	unreachable "$right" 10.1.0.1
	at_least 1 unreachables || fail 'the port is still ours'
	ctl "$right" peer set pvs0 left encap none
	pings "$left" 10.2.0.1
	ctl "$left" peer set pvs0 right encap udp
	ctl "$right" peer set pvs0 left encap udp
	pings "$left" 10.2.0.1
	ip -n "$left" link del pvs0
	unreachable "$right" 10.1.0.1
	at_least 2 unreachables || fail 'the port outlives the device'
}

over_IPv6()
{
	wire_up
	ip -n "$left" addr add 2001:db8::1/64 dev "$left_dev" nodad
	ip -n "$right" addr add 2001:db8::2/64 dev "$right_dev" nodad
	udp_ends 2001:db8::1 2001:db8::2
	# Use complete checksums, not those that a NIC would finish
	in_ns "$left" ethtool -K "$left_dev" tx off >/dev/null
	in_ns "$right" ethtool -K "$right_dev" tx off >/dev/null
	watch_for "$right" "$right_dev" 4 'ip6 and udp port 4500'
	pings "$left" 10.2.0.1
	watched
	! grep -q 'bad udp cksum\|no cksum' "$tmp/seen" || fail "checksum:" "$(cat "$tmp/seen")"
	pings "$right" fd00:1::1 -s 1300
	check MTU "$(link_get "$left" pvs0 mtu)" 1418
	no_drops
}

every_inner_length()
{
	udp_up
	/usr/bin/python3 "$lib/traffic_probe.py" sizes "$left" "$right" 1438 >"$tmp/probe" 2>&1 ||
		fail "traffic_probe.py:" "$(cat "$tmp/probe")"
}

# An IKE daemon owns the port and still receives everything that is not ESP
as_the_guest_of_a_daemon()
{
	wire_up
	background ip netns exec "$left" /usr/bin/python3 -IS "$lib/encap_daemon.py" 4500 >"$tmp/daemon"
	wait_for 'the daemon' grep -q ready "$tmp/daemon"
	udp_ends 192.0.2.1 192.0.2.2
	pings "$left" 10.2.0.1
	pings "$right" fd00:1::1 -s 1300
	no_drops
	in_ns "$right" /usr/bin/python3 -IS "$lib/encap_send.py" 192.0.2.1 4500 00000000696b65 ff
	wait_for 'the IKE message' grep -qx 'received 00000000696b65' "$tmp/daemon"
	check 'messages to the daemon' "$(grep -c received "$tmp/daemon")" 1
	no_drops
}

# nat_up: the left is behind a NAT that maps to another port
nat_up()
{
	new_ns left
	new_ns right
	new_ns nat
	ip link add outer0 netns "$left" type veth peer name in0 netns "$nat"
	ip link add out0 netns "$nat" type veth peer name outer0 netns "$right"
	ip -n "$left" addr add 10.9.0.1/24 dev outer0
	ip -n "$nat" addr add 10.9.0.254/24 dev in0
	ip -n "$nat" addr add 192.0.2.254/24 dev out0
	ip -n "$right" addr add 192.0.2.2/24 dev outer0
	ip -n "$left" link set outer0 up
	ip -n "$nat" link set in0 up
	ip -n "$nat" link set out0 up
	ip -n "$right" link set outer0 up
	ip -n "$left" route add default via 10.9.0.254
	in_ns "$nat" sysctl -qw net.ipv4.ip_forward=1
	masquerade 20000
}

# masquerade PORT: sets the mapping
masquerade()
{
	in_ns "$nat" nft -f - <<-END
		table ip nat
		delete table ip nat
		table ip nat {
			chain out {
				type nat hook postrouting priority srcnat
				oifname out0 udp sport 4500 masquerade to :$1
				oifname out0 masquerade
			}
		}
	END
	# Remove old mappings, with the tool or by deleting the address. Setting the link down also
	# works, but then the carrier may take a second to return
	in_ns "$nat" conntrack -F >/dev/null 2>&1 || in_batch "$nat" <<-END
		addr del 192.0.2.254/24 dev out0
		addr add 192.0.2.254/24 dev out0
	END
}

# The right has a wrong port for the NAT; later the NAT changes its mapping
through_a_NAT_that_changes_its_mapping()
{
	local sent lost

	nat_up
	udp_ends 192.0.2.254 192.0.2.2
	watch "$right"
	wait_for 'the first ping' in_ns "$left" ping -q -c 1 -W 1 10.2.0.1 >/dev/null
	check 'port of the NAT' "$(show "$right" peers.0.dport)" 20000
	pings "$right" 10.1.0.1
	in_ns "$left" ping -q -c 100 -i 0.05 -W 5 10.2.0.1 >"$tmp/ping" &
	sleep 1
	masquerade 20001
	wait $! || :
	read -r sent lost < <(sed -nE 's/^([0-9]+) packets transmitted, ([0-9]+) received.*/\1 \2/p' "$tmp/ping")
	lost=$((sent - lost))
	echo "NAT rebind under $sent pings: $lost lost" | report
	[ "$sent" -eq 100 ] && [ "$lost" -le 10 ] || fail "$lost of $sent pings lost:" "$(cat "$tmp/ping")"
	check 'new port of the NAT' "$(show "$right" peers.0.dport)" 20001
	pings "$right" 10.1.0.1
	wait_for "the event; there were $(cat "$tmp/events")" grep -q \
		'endpoint-changed left remote 192.0.2.254 port 20001 reason authentic-packet' "$tmp/events"
}

pinned_endpoint_stays()
{
	nat_up
	udp_ends 192.0.2.254 192.0.2.2
	ctl "$right" peer set pvs0 left pin on
	unreachable "$left" 10.2.0.1
	at_least 1 show "$right" peers.0.rx_packets || fail 'nothing arrived at all'
	check 'port' "$(show "$right" peers.0.dport)" 4500
	ctl "$right" peer set pvs0 left dport 20000
	pings "$left" 10.2.0.1
}

# A forged packet from elsewhere changes no endpoint
forged_packets_move_nothing()
{
	udp_up
	pings "$left" 10.2.0.1
	in_ns "$left" /usr/bin/python3 -IS "$lib/encap_send.py" 192.0.2.2 4500 \
		"00001001000003e8$(printf '%064d' 0)"
	wait_for rx_icv is 1 drop_count "$right" pvs0 rx_icv left
	check 'port' "$(show "$right" peers.0.dport)" 4500
	pings "$left" 10.2.0.1
}

keepalives()
{
	udp_up
	pings "$left" 10.2.0.1
	ctl "$left" peer set pvs0 right nat-keepalive 1
	watch_for "$right" "$right_dev" 2 'src 192.0.2.1 and udp port 4500 and udp[4:2] = 9 and udp[8] = 0xff'
	watched
	no_drops
	ctl "$left" peer set pvs0 right nat-keepalive 0
	check 'keepalive shown' "$(show "$left" peers.0.nat_keepalive)" 0
}

# All lengths up to 64 bytes, also with other first bytes: nothing is delivered, no harm is done
malformed_packets()
{
	local before

	udp_up
	pings "$left" 10.2.0.1
	before=$(show "$right" peers.0.rx_packets)
	in_ns "$left" /usr/bin/python3 -IS "$lib/encap_send.py" 192.0.2.2 4500 malformed 0x1001
	# Lengths of at least an ESP packet and multiples of 4: 36 to 64 bytes
	wait_for 'the last one to be counted' at_least 8 drop_count "$right" pvs0 rx_icv left
	check 'what is long enough, by its ICV' "$(drop_count "$right" pvs0 rx_icv left)" 8
	check 'what is too short, or no multiple of 4' "$(drop_count "$right" pvs0 rx_truncated left)" 49
	check 'packets delivered' "$(show "$right" peers.0.rx_packets)" "$before"
	pings "$left" 10.2.0.1
}

# If the two ends disagree, a named counter counts it
encapsulation_that_differs()
{
	udp_up
	ctl "$right" peer set pvs0 left encap none
	unreachable "$left" 10.2.0.1
	# No socket is at the port any more, so these packets end there. The other direction is
	# counted
	unreachable "$right" 10.1.0.1
	at_least 1 drop_count "$left" pvs0 rx_encap right || fail 'no rx_encap counted'
	ctl "$right" peer set pvs0 left encap udp
	pings "$left" 10.2.0.1
}

run_cases on_a_port_of_our_own the_port_is_given_back over_IPv6 every_inner_length \
	as_the_guest_of_a_daemon through_a_NAT_that_changes_its_mapping pinned_endpoint_stays \
	forged_packets_move_nothing keepalives malformed_packets encapsulation_that_differs
