#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The life of an interface: output of `ip link` and ethtool, carrier, MTU, and removal of everything
# under full traffic.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

link_flags() { ip -n "$1" -d -j link show dev pvs0 | json_get 0.flags; }

ip_d_link_shows_the_kind()
{
	new_ns left
	ip -n "$left" link add pvs0 type pvsvpn
	check kind "$(link_get "$left" pvs0 linkinfo.info_kind)" pvsvpn
	check 'link type' "$(link_get "$left" pvs0 link_type)" none
	check flags "$(link_flags "$left")" '["POINTOPOINT","NOARP"]'
	check MTU "$(link_get "$left" pvs0 mtu)" 1446
}

add_and_remove_many()
{
	local i

	new_ns left
	for i in {1..40}; do
		echo "link add pvs$i type pvsvpn"
		echo "link set pvs$i up"
	done | ip -n "$left" -batch -
	check devices "$(ip -n "$left" -j link show type pvsvpn | grep -o '"ifname"' | wc -l)" 40
	for i in {1..20}; do
		echo "link del pvs$i"
	done | ip -n "$left" -batch -
	check 'devices left' "$(ctl "$left" -j show | grep -c '"peers": \[')" 20
}

ip_link_refuses_names_and_sizes()
{
	new_ns left
	ip -n "$left" link add pvs0 type pvsvpn
	! ip -n "$left" link add pvs0 type pvsvpn 2>"$tmp/err" || fail 'the same name twice'
	grep -q 'File exists' "$tmp/err" || fail "$(cat "$tmp/err")"
	! ip -n "$left" link set pvs0 mtu 67 2>"$tmp/err" || fail 'MTU 67'
	! ip -n "$left" link set pvs0 mtu 65536 2>"$tmp/err" || fail 'MTU 65536'
	check MTU "$(link_get "$left" pvs0 mtu)" 1446
}

# Containers are set up in this order: first the tunnel, then addresses
configured_before_any_address()
{
	new_ns left
	ip netns del "$left"
	ip netns add "$left"
	ip -n "$left" link add pvs0 type pvsvpn
	ctl "$left" peer add pvs0 right remote 192.0.2.2
	check remote "$(show "$left" peers.0.remote)" 192.0.2.2
}

ethtool_i_names_the_driver()
{
	new_ns left
	ip -n "$left" link add pvs0 type pvsvpn
	in_ns "$left" ethtool -i pvs0 >"$tmp/i"
	grep -qx 'driver: pvsvpn' "$tmp/i" || fail "$(cat "$tmp/i")"
	grep -qE '^version: [0-9]' "$tmp/i" || fail "$(cat "$tmp/i")"
}

by_ethtool() { in_ns "$left" ethtool -S pvs0 | awk -F'[: ]+' 'NR > 1 { print $2, $3 }'; }

by_pvsvpnctl()
{
	ctl "$left" -j stats pvs0 | jq -r '.devices[0].drops | to_entries[] | "\(.key) \(.value)"'
}

alike() { diff <(by_ethtool | sort) <(by_pvsvpnctl | sort) >"$tmp/diff"; }

# The same names and values as `pvsvpnctl stats`, one of them not 0. Retry, since the kernel's own
# multicast may come in between.
ethtool_S_shows_every_reason()
{
	tunnel_up
	in_ns "$left" ip route add 10.77.0.0/16 dev pvs0
	unreachable "$left" 10.77.0.1
	by_ethtool >"$tmp/reasons"
	grep -qE '^tx_no_peer [1-9]' "$tmp/reasons" || fail 'no tx_no_peer in:' "$(cat "$tmp/reasons")"
	busywait 10 alike || fail "ethtool -S and pvsvpnctl stats differ:" "$(cat "$tmp/diff")"
}

carrier_follows_the_outbound_SAs()
{
	local key

	pair_up
	key=$("$PVSVPNCTL" genkey aes128gcm16)
	check 'without SAs' "$(link_get "$left" pvs0 operstate)" DOWN
	ctl "$left" sa add pvs0 right dir in spi 0x1002 transform aes128gcm16 key-file - <<<"$key"
	check 'with an inbound one' "$(link_get "$left" pvs0 operstate)" DOWN
	ctl "$left" sa add pvs0 right dir out spi 0x1001 transform aes128gcm16 key-file - <<<"$key"
	wait_for carrier is UP link_get "$left" pvs0 operstate
	ctl "$left" sa del pvs0 right spi 0x1001 dir out
	wait_for 'no carrier' is DOWN link_get "$left" pvs0 operstate
	unreachable "$left" 10.2.0.1
}

# Also if the kernel's linkwatch worker cannot get RTNL between the command and the packet
first_packet_behind_the_first_SA()
{
	pair_up
	(umask 077 && "$PVSVPNCTL" genkey aes128gcm16 >"$tmp/key")
	sa_pair aes128gcm16 0x1002 "$("$PVSVPNCTL" genkey aes128gcm16)" "$right" left "$left" right
	ctl "$right" sa add pvs0 left dir in spi 0x1001 transform aes128gcm16 key-file - <"$tmp/key"
	wait_for 'carrier there' is UP link_get "$right" pvs0 operstate
	rtnl_held_behind sa_new "$left" "$left_dev" "$PVSVPNCTL" -n "$left" sa add pvs0 right \
		dir out spi 0x1001 transform aes128gcm16 key-file "$tmp/key"
	pings "$left" 10.2.0.1 -c 1
}

carrier_falls_with_the_last_peer_that_is_up()
{
	tunnel_up
	ctl "$left" peer add pvs0 other remote 192.0.2.9 subnets 10.9.0.0/16
	wait_for 'carrier of one of two peers' is UP link_get "$left" pvs0 operstate
	ctl "$left" peer del pvs0 right
	wait_for 'no carrier' is DOWN link_get "$left" pvs0 operstate
}

down_and_up_again()
{
	tunnel_up
	pings "$left" 10.2.0.1
	ip -n "$right" link set pvs0 down
	unreachable "$left" 10.2.0.1
	at_least 1 drop_count "$right" pvs0 rx_down left 0x1001 || fail 'no rx_down counted'
	ip -n "$right" link set pvs0 up
	ip -n "$right" route add 10.1.0.0/16 dev pvs0
	pings "$left" 10.2.0.1
}

# 1500 - IPv4 20, ESP 8, IV 8, ICV 16: 1448, a multiple of 4; less trailer 2
mtu_follows_the_path()
{
	tunnel_up
	wait_for 'MTU of 1500' is 1446 link_get "$left" pvs0 mtu
	ip -n "$left" link set "$left_dev" mtu 1400
	wait_for 'MTU of 1400' is 1346 link_get "$left" pvs0 mtu
	check 'path MTU shown' "$(show "$left" peers.0.path_mtu)" 1400
	check 'inner MTU shown' "$(show "$left" peers.0.inner_mtu)" 1346
	ip -n "$left" link set "$left_dev" mtu 9000
	wait_for 'MTU of 9000' is 8946 link_get "$left" pvs0 mtu
	ip -n "$left" link set "$left_dev" mtu 1000
	wait_for "IPv6's least" is 1280 link_get "$left" pvs0 mtu
}

mtu_that_was_set_stays()
{
	tunnel_up
	ctl "$left" set pvs0 mtu 1300
	check 'MTU set' "$(link_get "$left" pvs0 mtu)" 1300
	check 'not automatic' "$(show "$left" mtu_auto)" false
	ip -n "$left" link set "$left_dev" mtu 1400
	wait_for 'path MTU' is 1400 show "$left" peers.0.path_mtu
	check 'MTU after the path changed' "$(link_get "$left" pvs0 mtu)" 1300
	ctl "$left" set pvs0 mtu auto
	wait_for 'MTU of the path' is 1346 link_get "$left" pvs0 mtu
	ip -n "$left" link set pvs0 mtu 1200
	check "set by ip link" "$(show "$left" mtu_auto)" false
}

fwmark_chooses_the_route()
{
	tunnel_up
	ip -n "$left" rule add fwmark 7 table 77
	ip -n "$left" route add blackhole default table 77
	pings "$left" 10.2.0.1
	ctl "$left" set pvs0 fwmark 7
	check fwmark "$(show "$left" fwmark)" 7
	unreachable "$left" 10.2.0.1
	at_least 1 drop_count "$left" pvs0 tx_no_route right || fail 'no tx_no_route counted'
	ctl "$left" set pvs0 fwmark 0
	pings "$left" 10.2.0.1
}

remove_an_SA_under_traffic()
{
	tunnel_up
	full_load
	ctl "$left" sa del pvs0 right spi 0x1001 dir out
	ctl "$right" sa del pvs0 left spi 0x1001 dir in
	ctl "$right" sa del pvs0 left spi 0x1002 dir out
	wait_for 'no carrier' is DOWN link_get "$left" pvs0 operstate
	sa_both aes128gcm16 0x2001
	pings "$left" 10.2.0.1
}

remove_a_peer_under_traffic()
{
	tunnel_up
	full_load
	ctl "$left" peer del pvs0 right
	check peers "$(show "$left" peers)" '[]'
	ctl "$right" peer del pvs0 left
	check peers "$(show "$right" peers)" '[]'
}

remove_the_device_under_traffic()
{
	tunnel_up
	full_load
	ip -n "$left" link del pvs0
	check 'devices left' "$(ctl "$left" -j show | json_get devices)" '[]'
	ip -n "$right" link del pvs0
}

remove_the_namespaces_under_traffic()
{
	tunnel_up
	full_load
	# A namespace ends with its last process
	kill "${load[@]}"
	ip netns del "$left"
	ip netns del "$right"
}

# Only if no other tunnel would be lost
remove_the_module_under_traffic()
{
	no_tunnels_in_use
	tunnel_up
	full_load
	rmmod pvsvpn
	! ip -n "$left" link show pvs0 2>/dev/null || fail 'pvs0 is still there'
	load_module
	check 'devices left' "$(ctl "$left" -j show | json_get devices)" '[]'
}

run_cases ip_d_link_shows_the_kind add_and_remove_many ip_link_refuses_names_and_sizes \
	configured_before_any_address ethtool_i_names_the_driver ethtool_S_shows_every_reason \
	carrier_follows_the_outbound_SAs first_packet_behind_the_first_SA \
	carrier_falls_with_the_last_peer_that_is_up down_and_up_again mtu_follows_the_path \
	mtu_that_was_set_stays fwmark_chooses_the_route \
	remove_an_SA_under_traffic remove_a_peer_under_traffic remove_the_device_under_traffic \
	remove_the_namespaces_under_traffic remove_the_module_under_traffic
