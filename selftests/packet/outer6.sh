#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# IPv6 outside: IPv4 and IPv6 inside, header, path MTU, link-local peers, loops. interop.sh tests
# against stock IPsec.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# wire6_up: wire_up with IPv6 addresses on the wire
wire6_up()
{
	wire_up
	ip -n "$left" addr add 2001:db8::1/64 dev "$left_dev" nodad
	ip -n "$right" addr add 2001:db8::2/64 dev "$right_dev" nodad
}

# ends_up LEFT RIGHT: both gateways with these outer addresses, and with SAs
ends_up()
{
	end_up "$left" right "$2" 10.1.0.1 fd00:1::1 10.2.0.0/16,fd00:2::/64
	end_up "$right" left "$1" 10.2.0.1 fd00:2::1 10.1.0.0/16,fd00:1::/64
	sa_both aes128gcm16
}

tunnel6_up()
{
	wire6_up
	ends_up 2001:db8::1 2001:db8::2
}

pings_both()
{
	local size

	for size in 56 1300; do
		pings "$left" 10.2.0.1 -s $size
		pings "$right" fd00:1::1 -s $size
	done
}

both_families_inside()
{
	tunnel6_up
	pings_both
	check 'remote shown' "$(show "$left" peers.0.remote)" 2001:db8::2
	check 'drops of the left' "$(drops "$left")" ''
	check 'drops of the right' "$(drops "$right")" ''
	# 40 of IPv6, 16 of ESP and IV, 2 of trailer, 16 of ICV, as a multiple of 4
	check MTU "$(link_get "$left" pvs0 mtu)" 1426
}

TCP_both_ways()
{
	tunnel6_up
	iperf_server "$right"
	in_ns "$left" timeout 120 iperf3 -c 10.2.0.1 -n "$(mib 16)" >"$tmp/iperf" 2>&1 || fail "$(cat "$tmp/iperf")"
	in_ns "$left" timeout 120 iperf3 -c fd00:2::1 -R -n "$(mib 16)" >"$tmp/iperf" 2>&1 || fail "$(cat "$tmp/iperf")"
	check 'drops of the left' "$(drops "$left")" ''
	check 'drops of the right' "$(drops "$right")" ''
}

every_inner_length()
{
	tunnel6_up
	/usr/bin/python3 "$lib/traffic_probe.py" sizes "$left" "$right" 1426 >"$tmp/probe" 2>&1 ||
		fail "traffic_probe.py:" "$(cat "$tmp/probe")"
}

# outer_headers ADDRESS [PING-OPTIONS]: class and flow label of two packets to ADDRESS
outer_headers()
{
	local addr=$1

	shift
	watch_for "$right" "$right_dev" 2 'ip6 src 2001:db8::1 and ip6 proto 50'
	pings "$left" "$addr" "$@"
	watched
	# "(class 0xb8, flowlabel 0x12345, hlim 64, next-header ESP (50) ...": a missing field is 0
	sed -nE 's/^.*IP6 \((class (0x[0-9a-f]+), )?(flowlabel (0x[0-9a-f]+), )?hlim ([0-9]+), .*/\2 \4 \5/p' "$tmp/seen"
}

# The class is copied from the inner header, the flow label comes from the inner flow
class_flow_label_and_hop_limit()
{
	tunnel6_up
	outer_headers 10.2.0.1 -Q 0xb8 >"$tmp/headers"
	check 'different headers of one flow' "$(sort -u "$tmp/headers" | wc -l)" 1
	grep -qE '^0xb8 0x[0-9a-f]+ 64$' "$tmp/headers" || fail "class, label, hop limit:" "$(cat "$tmp/headers")"
	in_ns "$left" sysctl -qw net.ipv6.auto_flowlabels=0
	outer_headers fd00:2::1 >"$tmp/headers"
	grep -qxE '  64' "$tmp/headers" || fail "without label:" "$(cat "$tmp/headers")"
}

# link_local NAMESPACE DEVICE: prints its fe80:: address
link_local() { ip -n "$1" -6 -o addr show dev "$2" scope link | sed -nE 's/.*inet6 (fe80:[^/]*).*/\1/p'; }

link_local_peers()
{
	wire_up
	wait_for 'link-local addresses' sh -c \
		"! ip -n $left -6 addr show dev $left_dev tentative | grep -q fe80 && ip -n $right -6 addr show dev $right_dev -tentative | grep -q fe80"
	ends_up "$(link_local "$left" "$left_dev")%$right_dev" "$(link_local "$right" "$right_dev")%$left_dev"
	pings_both
	check 'link shown' "$(show "$left" peers.0.link)" "$left_dev"
	grep -q "remote: fe80:.*%$left_dev" <<<"$(ctl "$left" show pvs0)" || fail 'no link in show'
}

# One device with a peer of each family, then a peer that changes its family
families_side_by_side_and_changed()
{
	wire6_up
	end_up "$left" right 2001:db8::2 10.1.0.1 fd00:1::1 10.2.0.0/16
	ctl "$left" peer add pvs0 right6 remote 192.0.2.2 subnets fd00:2::/64
	ip -n "$left" route add fd00:2::/64 dev pvs0
	end_up "$right" left 2001:db8::1 10.2.0.1 fd00:2::1 10.1.0.0/16
	ctl "$right" peer add pvs0 left6 remote 192.0.2.1 subnets fd00:1::/64
	ip -n "$right" route add fd00:1::/64 dev pvs0
	sa_both aes128gcm16
	"$PVSVPNCTL" genkey aes128gcm16 >"$tmp/key"
	sa_pair aes128gcm16 0x2001 "$(cat "$tmp/key")" "$left" right6 "$right" left6
	"$PVSVPNCTL" genkey aes128gcm16 >"$tmp/key"
	sa_pair aes128gcm16 0x2002 "$(cat "$tmp/key")" "$right" left6 "$left" right6
	pings_both
	# The device's MTU follows the smaller path
	check MTU "$(link_get "$left" pvs0 mtu)" 1426
	ctl "$left" peer set pvs0 right remote 192.0.2.2
	ctl "$right" peer set pvs0 left remote 192.0.2.1
	pings_both
	wait_for 'MTU of IPv4 outside' is 1446 link_get "$left" pvs0 mtu
}

via_router()
{
	wire_with_router
	ends_up 2001:db8:1::1 2001:db8:2::2
	wait_for 'the router' in_ns "$left" ping -q -c 1 -W 1 10.2.0.1 >/dev/null
}

# large_ping_and MTU: sends the largest packet of the device, then checks its MTU
large_ping_and()
{
	in_ns "$left" ping -q -c 1 -W 1 -M "do" -s $(($(link_get "$left" pvs0 mtu) - 28)) 10.2.0.1 \
		>/dev/null 2>&1 || :
	is "$1" link_get "$left" pvs0 mtu
}

path_MTU_falls_with_packet_too_big()
{
	via_router
	check 'MTU of 1500' "$(link_get "$left" pvs0 mtu)" 1426
	ip -n "$router" link set far0 mtu 1400
	ip -n "$right" link set outer0 mtu 1400
	wait_for 'MTU of 1400' large_ping_and 1326
	check 'path MTU shown' "$(show "$left" peers.0.path_mtu)" 1400
	pings "$left" 10.2.0.1 -M "do" -s 1298
}

# A packet that does not fit and may be fragmented is fragmented outside
outer_fragments()
{
	tunnel6_up
	ctl "$left" set pvs0 mtu 1600 fragment outer
	pings "$left" 10.2.0.1 -M dont -s 1500
	at_least 1 fragments_made || fail 'nothing was fragmented outside'
}

fragments_made() { in_ns "$left" nstat -asz Ip6FragCreates | awk 'END { print int($2) }'; }

route_into_the_own_tunnel()
{
	tunnel6_up
	pings "$left" 10.2.0.1
	ip -n "$left" route add 2001:db8::2/128 dev pvs0
	unreachable "$left" 10.2.0.1
	at_least 1 drop_count "$left" pvs0 tx_loop right || fail 'no tx_loop counted'
	ip -n "$left" route del 2001:db8::2/128 dev pvs0
	pings "$left" 10.2.0.1
}

no_route_and_no_such_local_address()
{
	tunnel6_up
	ctl "$left" peer set pvs0 right local 2001:db8::77
	unreachable "$left" 10.2.0.1
	at_least 1 drop_count "$left" pvs0 tx_no_route right || fail 'no tx_no_route for a foreign local'
	ctl "$left" peer set pvs0 right local 2001:db8::1
	pings "$left" 10.2.0.1
}

# An unknown SPI is counted for the peer with that source address
unknown_SPI()
{
	tunnel6_up
	ctl "$right" sa del pvs0 left spi 0x1001 dir in
	unreachable "$left" 10.2.0.1
	wait_for rx_unknown_spi at_least 1 drop_count "$right" pvs0 rx_unknown_spi left
}

# chains right|wrong: sends ESP after extension headers from the right; prints how many packets
chains()
{
	in_ns "$right" /usr/bin/python3 "$here/esp_chains.py" "$1" 2001:db8::2 2001:db8::1 0x3001 "$tmp/key"
}

# received: the number of packets of the left's SA 0x3001
received() { ctl "$left" -j show pvs0 | jq '.devices[0].peers[0].sas[] | select(.spi == 12289).packets'; }

extension_headers_before_ESP()
{
	local before sent good

	tunnel6_up
	(umask 077 && "$PVSVPNCTL" genkey aes128gcm16 >"$tmp/key")
	ctl "$left" sa add pvs0 right dir in spi 0x3001 transform aes128gcm16 key-file "$tmp/key"
	good=$(chains right)
	[ "$good" -ge 8 ] || fail "only $good packets were sent"
	wait_for 'the packets of every chain' is "$good" received
	check 'drops of the left' "$(drops "$left")" ''
	before=$(link_stat "$left" pvs0 rx.packets)
	sent=$(chains wrong)
	[ "$sent" -ge 100 ] || fail "only $sent packets were sent"
	pings "$right" 10.1.0.1
	check 'packets from wrong chains' "$(received)" "$good"
	check 'packets of pvs0 but the pings' $(($(link_stat "$left" pvs0 rx.packets) - before)) 2
}

run_cases both_families_inside TCP_both_ways every_inner_length class_flow_label_and_hop_limit \
	link_local_peers families_side_by_side_and_changed path_MTU_falls_with_packet_too_big \
	outer_fragments route_into_the_own_tunnel no_route_and_no_such_local_address unknown_SPI \
	extension_headers_before_ESP
