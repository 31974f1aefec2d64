#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Sizes: every inner length, large UDP, packets larger than the path.
#
#   $site 10.1.1.2 fd00:1::1:2 ---- $left ====tunnel==== $right 10.2.0.1 fd00:2::1
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

site=''

# probe ACTION [ARGUMENTS]: runs traffic_probe.py between the two ends
probe()
{
	local action=$1

	shift
	/usr/bin/python3 "$lib/traffic_probe.py" "$action" "$left" "$right" "$@" >"$tmp/probe" 2>&1 ||
		fail "traffic_probe.py $action:" "$(cat "$tmp/probe")"
}

no_checksum_errors()
{
	check 'UDP checksum errors' \
		"$(in_ns "$right" nstat -asz UdpInCsumErrors Udp6InCsumErrors | awk 'NR > 1 { n += $2 } END { print n + 0 }')" 0
}

every_inner_length() { tunnel_up aes128gcm16; probe sizes 1446; }
every_inner_length_chacha20poly1305() { tunnel_up chacha20poly1305; probe sizes 1446; }

# If the device's MTU is larger than the path, the outer packets are fragmented
lengths_above_the_path()
{
	tunnel_up
	ctl "$left" set pvs0 mtu 1600 fragment outer
	pings "$left" 10.2.0.1 -M dont -s 1500
	at_least 1 outer_fragments || fail 'nothing was fragmented outside'
}

outer_fragments() { in_ns "$left" nstat -asz IpFragCreates | awk 'END { print $2 }'; }

large_UDP_and_segments()
{
	tunnel_up
	probe datagrams
	probe segments
	no_checksum_errors
}

# Before 6.11 UDP_SEGMENT fails if the device leaves checksums to the stack
large_UDP_and_segments_without_offload()
{
	tunnel_up
	in_ns "$left" ethtool -K pvs0 tx off sg off gso off >/dev/null
	probe datagrams
	in_ns "$left" ethtool -K pvs0 tx on >/dev/null
	probe segments
	no_checksum_errors
}

# site_up: a host behind the left gateway
site_up()
{
	tunnel_up
	new_ns site
	ip link add site0 netns "$left" type veth peer name site0 netns "$site"
	ip -n "$left" addr add 10.1.1.1/24 dev site0
	ip -n "$left" addr add fd00:1::1:1/112 dev site0 nodad
	ip -n "$site" addr add 10.1.1.2/24 dev site0
	ip -n "$site" addr add fd00:1::1:2/112 dev site0 nodad
	ip -n "$left" link set site0 up
	ip -n "$site" link set site0 up
	ip -n "$site" route add default via 10.1.1.1
	ip -n "$site" route add default via fd00:1::1:1
	in_ns "$left" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	wait_for 'the site to be reached' in_ns "$site" ping -q -c 1 -W 1 fd00:2::1 >/dev/null
	pings "$site" 10.2.0.1
}

# outer_mtu BYTES: sets the MTU at both ends of the wire
outer_mtu()
{
	ip -n "$left" link set "$left_dev" mtu "$1"
	ip -n "$right" link set "$right_dev" mtu "$1"
}

# told TEXT ADDRESS PING-OPTIONS...: the inner sender gets an ICMP error with TEXT
told()
{
	local text=$1 addr=$2

	shift 2
	in_ns "$site" ping -c 1 -W 5 "$@" "$addr" >"$tmp/ping" 2>&1 || :
	grep -qE "$text" "$tmp/ping" || fail "no '$text' for ping $* $addr:" "$(cat "$tmp/ping")"
}

# If the device's MTU is larger than the path, the device itself sends the error
too_big_replies_reach_the_inner_sender()
{
	site_up
	ctl "$left" set pvs0 mtu 1446
	outer_mtu 1400
	told 'Frag needed and DF set \(mtu = 1346\)' 10.2.0.1 -M "do" -s 1372
	check tx_too_big "$(drop_count "$left" pvs0 tx_too_big right)" 1
	told 'Packet too big: mtu=1346' fd00:2::1 -M "do" -s 1352
	check tx_too_big "$(drop_count "$left" pvs0 tx_too_big right)" 2
	check 'tx errors of ip -s link' "$(link_stat "$left" pvs0 tx.errors)" 2
	pings "$site" 10.2.0.1 -M "do" -s 1318
	pings "$site" fd00:2::1 -M "do" -s 1298
}

# If only the device's MTU limits, the stack sends the error before the device sees the packet
device_MTU_is_told_to_the_inner_sender()
{
	site_up
	outer_mtu 1400
	wait_for 'MTU of 1400' is 1346 link_get "$left" pvs0 mtu
	told 'Frag needed and DF set \(mtu = 1346\)' 10.2.0.1 -M "do" -s 1372
	told 'Packet too big: mtu=1346' fd00:2::1 -M "do" -s 1352
}

without_DF_the_outer_packet_is_fragmented()
{
	site_up
	ctl "$left" set pvs0 mtu 1446 fragment outer
	outer_mtu 1400
	pings "$site" 10.2.0.1 -M dont -s 1418
	check tx_too_big "$(drop_count "$left" pvs0 tx_too_big right)" 0
}

# IPv6 requires 1280 bytes, even over a path of 1000
ipv6_of_1280_over_a_smaller_path()
{
	site_up
	outer_mtu 1000
	wait_for "IPv6's least" is 1280 link_get "$left" pvs0 mtu
	pings "$site" fd00:2::1 -M "do" -s 1232
	check tx_too_big "$(drop_count "$left" pvs0 tx_too_big right)" 0
	ctl "$left" set pvs0 mtu 1446
	told 'Packet too big: mtu=1280' fd00:2::1 -M "do" -s 1300
	check tx_too_big "$(drop_count "$left" pvs0 tx_too_big right)" 1
}

# via_router: the tunnel passes a router, whose far0 leads to the right
via_router()
{
	wire_with_router
	end_up "$left" right 198.51.100.2 10.1.0.1 fd00:1::1 10.2.0.0/16,fd00:2::/64
	end_up "$right" left 192.0.2.1 10.2.0.1 fd00:2::1 10.1.0.0/16,fd00:1::/64
	sa_both aes128gcm16
	pings "$left" 10.2.0.1
}

# far_mtu BYTES: sets the MTU of the wire behind the router
far_mtu()
{
	ip -n "$router" link set far0 mtu "$1"
	ip -n "$right" link set outer0 mtu "$1"
}

# large_ping_and MTU: sends the largest packet of the device, then checks its MTU
large_ping_and()
{
	in_ns "$left" ping -q -c 1 -W 1 -M "do" -s $(($(link_get "$left" pvs0 mtu) - 28)) 10.2.0.1 \
		>/dev/null 2>&1 || :
	is "$1" link_get "$left" pvs0 mtu
}

# A router's "fragmentation needed" lowers the path MTU; after it expires, the MTU rises again
path_MTU_falls_and_recovers()
{
	via_router
	in_ns "$left" sysctl -qw net.ipv4.route.mtu_expires=5
	check 'MTU of 1500' "$(link_get "$left" pvs0 mtu)" 1446
	far_mtu 1400
	wait_for 'MTU of 1400' large_ping_and 1346
	check 'path MTU shown' "$(show "$left" peers.0.path_mtu)" 1400
	far_mtu 1500
	wait_for 'MTU of 1500 again' large_ping_and 1446
	pings "$left" 10.2.0.1 -M "do" -s 1418
}

TCP_through_a_path_that_shrinks()
{
	via_router
	iperf_server "$right"
	far_mtu 1300
	in_ns "$left" timeout 60 iperf3 -c 10.2.0.1 -n "$(mib 2)" >"$tmp/iperf" 2>&1 || fail "$(cat "$tmp/iperf")"
}

run_cases every_inner_length every_inner_length_chacha20poly1305 lengths_above_the_path \
	large_UDP_and_segments large_UDP_and_segments_without_offload \
	too_big_replies_reach_the_inner_sender device_MTU_is_told_to_the_inner_sender \
	without_DF_the_outer_packet_is_fragmented ipv6_of_1280_over_a_smaller_path \
	path_MTU_falls_and_recovers TCP_through_a_path_that_shrinks
