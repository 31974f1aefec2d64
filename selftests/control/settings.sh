#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Effects of "set" and "peer set" on packets: the outer header, its priority and VRF, the place of
# fragmentation, the MSS of TCP; and which ICMP errors are accepted.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# outer_has PATTERN ADDRESS [PING-OPTIONS]: the ESP packets of two pings match PATTERN
outer_has()
{
	local pattern=$1

	shift
	watch_for "$left" "$left_dev" 2 'src host 192.0.2.1 and ip proto 50'
	pings "$left" "$@"
	watched "$pattern"
}

TTL_of_the_outer_header()
{
	tunnel_up
	check 'ttl shown' "$(show "$left" ttl)" auto
	outer_has 'ttl 64,' 10.2.0.1 -t 33
	ctl "$left" set pvs0 ttl 77
	outer_has 'ttl 77,' 10.2.0.1 -t 33
	ctl "$left" set pvs0 ttl inherit
	outer_has 'ttl 33,' 10.2.0.1 -t 33
	outer_has 'ttl 34,' fd00:2::1 -t 34
	check 'ttl shown' "$(show "$left" ttl)" inherit
	grep -q 'settings: ttl inherit' <<<"$(ctl "$left" show pvs0)" || fail 'no ttl in show'
}

DSCP_and_ECN_of_the_outer_header()
{
	tunnel_up
	outer_has 'tos 0xb9,ECT\(1\)' 10.2.0.1 -Q 0xb9
	ctl "$left" set pvs0 ecn off
	outer_has 'tos 0xb8,' 10.2.0.1 -Q 0xb9
	ctl "$left" set pvs0 dscp 10 ecn on
	outer_has 'tos 0x29,ECT\(1\)' 10.2.0.1 -Q 0xb9
	outer_has 'tos 0x29,ECT\(1\)' fd00:2::1 -Q 0xb9
	ctl "$left" set pvs0 dscp inherit
	outer_has 'tos 0xb9,ECT\(1\)' 10.2.0.1 -Q 0xb9
}

DF_of_the_outer_header()
{
	tunnel_up
	outer_has 'flags \[DF\], proto ESP' 10.2.0.1
	ctl "$left" set pvs0 pmtudisc off
	outer_has 'flags \[none\], proto ESP' 10.2.0.1
	# If the outer header has no DF, no packet is too big, even with DF inside
	ctl "$left" set pvs0 mtu 1600
	pings "$left" 10.2.0.1 -M "do" -s 1500
	pings "$left" fd00:2::1 -M "do" -s 1500
	check tx_too_big "$(drop_count "$left" pvs0 tx_too_big)" 0
}

# matched: the number of packets that the rule has seen
matched() { in_ns "$left" nft list chain inet pvs out | sed -nE 's/.*counter packets ([0-9]+) .*/\1/p'; }

priority_of_the_outer_packets()
{
	tunnel_up
	in_ns "$left" nft -f - <<-END
		table inet pvs {
			chain out {
				type filter hook output priority 0;
				ip protocol esp meta priority 1:7 counter
			}
		}
	END
	pings "$left" 10.2.0.1
	check 'packets of that priority' "$(matched)" 0
	ctl "$left" set pvs0 priority 0x10007
	pings "$left" 10.2.0.1
	check 'packets of that priority' "$(matched)" 2
	ctl "$left" set pvs0 priority inherit
	pings "$left" 10.2.0.1
	check 'packets of that priority' "$(matched)" 2
}

# esp_fragments: the number of IPv4 fragments that the right received for reassembly
esp_fragments() { in_ns "$right" nstat -asz IpReasmReqds | awk 'END { print $2 }'; }

# In both modes two fragments arrive. If they are made inside, each ESP packet is complete, and the
# right's own stack, not its IPsec, reassembles the ping
fragments_inside_and_outside()
{
	tunnel_up
	ctl "$left" set pvs0 mtu 1600
	watch_for "$right" pvs0 4 'src host 10.1.0.1'
	pings "$left" 10.2.0.1 -M dont -s 1500
	watched 'flags \[\+\], proto ICMP'
	ctl "$left" set pvs0 fragment outer
	watch_for "$right" pvs0 1 'icmp'
	pings "$left" 10.2.0.1 -M dont -s 1500
	watched 'flags \[none\], proto ICMP .*length 1528'
	at_least 4 esp_fragments || fail 'no ESP was fragmented'
	check 'drops of the left' "$(drops "$left")" ''
}

# One large packet is split into segments, each too large for the path
segments_in_fragments()
{
	tunnel_up
	ctl "$left" set pvs0 mtu 9000
	/usr/bin/python3 "$lib/traffic_probe.py" fragments "$left" "$right" >"$tmp/probe" 2>&1 ||
		fail "traffic_probe.py:" "$(cat "$tmp/probe")"
}

# syn_has MSS TARGET: the right sees a SYN to TARGET with this MSS. Over IPv6, byte 53 has the TCP
# flags
syn_has()
{
	watch_for "$right" pvs0 1 'tcp port 5201 and (tcp[tcpflags] & tcp-syn != 0 or ip6[53] & 2 != 0)'
	in_ns "$left" timeout 20 bash -c "exec 3<>/dev/tcp/$2/5201" || fail "no connection to $2"
	watched "mss $1[],]"
}

# advmss BYTES: sets it on the left's routes, to simulate the MSS of a host behind it
advmss()
{
	ip -n "$left" route change 10.2.0.0/16 dev pvs0 advmss "$1"
	ip -n "$left" route change fd00:2::/64 dev pvs0 advmss "$1"
}

MSS_is_clamped_on_either_side()
{
	tunnel_up
	iperf_server "$right"
	advmss 1460
	ctl "$right" set pvs0 mss-clamp off
	syn_has 1406 10.2.0.1
	syn_has 1386 fd00:2::1
	ctl "$left" set pvs0 mss-clamp off
	syn_has 1460 10.2.0.1
	ctl "$right" set pvs0 mss-clamp auto
	syn_has 1406 10.2.0.1
	syn_has 1386 fd00:2::1
	ctl "$right" set pvs0 mss-clamp 1000
	syn_has 1000 10.2.0.1
	syn_has 1000 fd00:2::1
	# A smaller MSS stays
	advmss 900
	syn_has 900 10.2.0.1
}

# TCP options may be at odd offsets; the checksum must be right there, too
MSS_at_an_odd_place()
{
	tunnel_up
	watch_for "$right" pvs0 1 'tcp port 5201'
	ip netns exec "$left" /usr/bin/python3 "$here/settings_send.py" syn 10.1.0.1 10.2.0.1
	watched 'cksum 0x[0-9a-f]+ \(correct\).*mss 1406'
}

# vrf_up NAMESPACE DEVICE: moves the outer device into a VRF
vrf_up()
{
	modprobe -q vrf || :
	ip -n "$1" link add vrf9 type vrf table 9 2>"$tmp/vrf" || skip "no VRF: $(cat "$tmp/vrf")"
	in_batch "$1" <<-END
		link set vrf9 up
		link set $2 master vrf9
		link set $2 addrgenmode none
		addr replace 192.0.2.1/24 dev $2
		addr replace 2001:db8::1/64 dev $2 nodad
	END
}

# The remote is reachable in a VRF only
outer_packets_in_a_VRF()
{
	local encap

	tunnel_up
	ip -n "$right" addr add 2001:db8::2/64 dev "$right_dev" nodad
	vrf_up "$left" "$left_dev"
	unreachable "$left" 10.2.0.1
	at_least 1 drop_count "$left" pvs0 tx_no_route right || fail 'a route outside the VRF'
	ctl "$left" peer set pvs0 right dev vrf9
	check 'dev shown' "$(show "$left" peers.0.link)" vrf9
	for encap in none udp; do
		ctl "$left" peer set pvs0 right remote 192.0.2.2 encap $encap
		ctl "$right" peer set pvs0 left remote 192.0.2.1 encap $encap
		pings "$left" 10.2.0.1
		pings "$right" fd00:1::1
		ctl "$left" peer set pvs0 right remote 2001:db8::2
		ctl "$right" peer set pvs0 left remote 2001:db8::1
		pings "$left" 10.2.0.1
		pings "$right" fd00:1::1
	done
	ctl "$left" peer set pvs0 right dev none
	unreachable "$left" 10.2.0.1
}

# dev selects one of the routes to a remote
outer_interface_of_a_peer()
{
	tunnel_up
	ip -n "$left" link add other0 type dummy
	ip -n "$left" link set other0 up
	ctl "$left" peer set pvs0 right dev other0
	pings_not=$(drop_count "$left" pvs0 tx_no_route)
	unreachable "$left" 10.2.0.1
	ctl "$left" peer set pvs0 right dev "$left_dev"
	pings "$left" 10.2.0.1
	check 'tx_no_route' "$(drop_count "$left" pvs0 tx_no_route)" "$pings_not"
}

# error WHAT [ARGUMENTS]: the right sends an ICMP error to the left
error() { ip netns exec "$right" /usr/bin/python3 "$here/settings_send.py" "$@"; }

path_mtu() { show "$left" peers.0.path_mtu; }

# The path MTU is only updated by traffic
path_is()
{
	pings "$left" 10.2.0.1 >/dev/null
	is "$1" path_mtu
}

# errors_believed SOURCE DESTINATION [PORT]: errors about packets from SOURCE to DESTINATION
errors_believed()
{
	local seq port=${3:-0}

	pings "$left" 10.2.0.1
	seq=$(ctl "$left" -j show pvs0 | jq '.devices[0].peers[0].sas[] | select(.dir == "out").seq')
	error error "$1" "$2" $port 0x1001 $((seq + 1)) 1300
	error error "$1" "$2" $port 0x1001 $((seq + 1000000)) 1300
	wait_for 'the errors to be counted' at_least 2 drop_count "$left" pvs0 rx_icmp right
	path_is 1500 || fail "path MTU is $(path_mtu) by an ICMP error about another packet"
	# UDP itself accepts errors about a port, whatever they quote
	test "$port" != 0 || errors_of_others_ignored "$1" "$2"
	seq=$(ctl "$left" -j show pvs0 | jq '.devices[0].peers[0].sas[] | select(.dir == "out").seq')
	error error "$1" "$2" $port 0x1001 "$seq" 1300
	wait_for 'the path MTU of a real ICMP error' path_is 1300
}

errors_of_others_ignored()
{
	error error "$1" "$2" 0 0x9999 "$seq" 1300
	check rx_icmp "$(drop_count "$left" pvs0 rx_icmp right)" 2
	error garbage "$1" "$2" 0
	# The tool shows a new path MTU with a delay, the route at once
	never_learnt "$2" || fail "the route to $2 has an MTU by an ICMP error about nobody's packet"
	path_is 1500 || fail "path MTU is $(path_mtu) by an ICMP error about nobody's packet"
}

never_learnt() { ! ip -n "$left" route get "$1" | grep -q 'mtu'; }

ICMP_errors_are_believed_about_what_was_sent()
{
	tunnel_up
	errors_believed 192.0.2.1 192.0.2.2
}

ICMP_errors_about_ESP_in_UDP()
{
	tunnel_up
	ctl "$left" peer set pvs0 right encap udp
	ctl "$right" peer set pvs0 left encap udp
	errors_believed 192.0.2.1 192.0.2.2 4500
}

# outer6 ENCAP
outer6()
{
	tunnel_up
	ip -n "$left" addr add 2001:db8::1/64 dev "$left_dev" nodad
	ip -n "$right" addr add 2001:db8::2/64 dev "$right_dev" nodad
	ctl "$left" peer set pvs0 right remote 2001:db8::2 encap "$1"
	ctl "$right" peer set pvs0 left remote 2001:db8::1 encap "$1"
}

ICMPv6_errors()
{
	outer6 none
	errors_believed 2001:db8::1 2001:db8::2
}

ICMPv6_errors_about_ESP_in_UDP()
{
	outer6 udp
	errors_believed 2001:db8::1 2001:db8::2 4500
}

run_cases TTL_of_the_outer_header DSCP_and_ECN_of_the_outer_header DF_of_the_outer_header \
	priority_of_the_outer_packets fragments_inside_and_outside segments_in_fragments \
	MSS_is_clamped_on_either_side MSS_at_an_odd_place outer_packets_in_a_VRF \
	outer_interface_of_a_peer ICMP_errors_are_believed_about_what_was_sent \
	ICMP_errors_about_ESP_in_UDP ICMPv6_errors ICMPv6_errors_about_ESP_in_UDP
