#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# A device in another namespace than it was created in: the outer packets stay at the birthplace,
# the inner packets are where the device is.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

inside=''

# settle NS: adds addresses and routes of the left end, which a device loses when it moves
settle()
{
	ip -n "$1" addr add 10.1.0.1/32 dev pvs0
	ip -n "$1" addr add fd00:1::1/128 dev pvs0 nodad
	ip -n "$1" link set pvs0 up
	ip -n "$1" route add 10.2.0.0/16 dev pvs0
	ip -n "$1" route add fd00:2::/64 dev pvs0
}

# moved: a tunnel whose left device is in $inside, which has no other way out
moved()
{
	tunnel_up
	new_ns inside
	ip -n "$left" link set pvs0 netns "$inside"
	settle "$inside"
}

outer_packets_stay_where_the_device_was_created()
{
	local before

	moved
	before=$(link_stat "$left" "$left_dev" tx.packets)
	pings "$inside" 10.2.0.1
	pings "$inside" fd00:2::1
	pings "$right" 10.1.0.1
	at_least $((before + 6)) link_stat "$left" "$left_dev" tx.packets ||
		fail 'the outer packets did not leave from the birthplace'
	check 'devices at the birthplace' "$(ctl "$left" -j show | json_get devices)" '[]'
	check 'peer seen in the new place' "$(show "$inside" peers.0.name)" right
}

created_for_another_namespace_at_once()
{
	wire_up
	new_ns inside
	ip -n "$left" link add pvs0 netns "$inside" type pvsvpn
	ctl "$inside" peer add pvs0 right remote 192.0.2.2 subnets 10.2.0.0/16,fd00:2::/64
	settle "$inside"
	end_up "$right" left 192.0.2.1 10.2.0.1 fd00:2::1 10.1.0.0/16,fd00:1::/64
	sa_pair aes128gcm16 0x1001 "$("$PVSVPNCTL" genkey aes128gcm16)" "$inside" right "$right" left
	sa_pair aes128gcm16 0x1002 "$("$PVSVPNCTL" genkey aes128gcm16)" "$right" left "$inside" right
	pings "$inside" 10.2.0.1
	pings "$right" fd00:1::1
}

ip_link_names_the_birthplace()
{
	moved
	link_get "$inside" pvs0 link_netnsid >"$tmp/id" || fail 'no link-netnsid'
}

# SAs are added in the device's namespace, and use addresses of the birthplace
configured_in_the_new_namespace()
{
	moved
	sa_pair aes256gcm16 0x5001 "$("$PVSVPNCTL" genkey aes256gcm16)" "$inside" right "$right" left
	sa_pair aes256gcm16 0x5002 "$("$PVSVPNCTL" genkey aes256gcm16)" "$right" left "$inside" right
	pings "$inside" 10.2.0.1
	expect_refused_in "$inside" "remote 192.0.2.1 is this host's own" \
		ctl "$inside" peer set pvs0 right remote 192.0.2.1
}

mtu_follows_the_birthplace()
{
	moved
	ip -n "$left" link set "$left_dev" mtu 1400
	wait_for 'MTU of 1400' is 1346 link_get "$inside" pvs0 mtu
}

moved_back()
{
	moved
	pings "$inside" 10.2.0.1
	ip -n "$inside" link set pvs0 netns "$left"
	settle "$left"
	pings "$left" 10.2.0.1
}

# The device moves away from traffic in both directions
moved_under_traffic()
{
	tunnel_up
	full_load
	new_ns inside
	ip -n "$left" link set pvs0 netns "$inside"
	settle "$inside"
	pings "$inside" 10.2.0.1 -W 20
	ip -n "$inside" link set pvs0 netns "$left"
	settle "$left"
	pings "$left" 10.2.0.1 -W 20
}

# gone NS: no pvsvpn device is there
gone() { [ -z "$(ip -n "$1" link show type pvsvpn)" ]; }

birthplace_removed()
{
	moved
	background ip netns exec "$inside" ping -q -f -w 60 10.2.0.1 >/dev/null 2>&1
	wait_for traffic at_least 100 link_stat "$inside" pvs0 tx.packets
	ip netns del "$left"
	wait_for 'the device to go with its birthplace' gone "$inside"
}

new_place_removed()
{
	local before

	moved
	pings "$inside" 10.2.0.1
	before=$(drop_count "$right" pvs0 rx_icv)
	ip netns del "$inside"
	# The SA belonged to the birthplace: it is deleted with the device
	wait_for 'room for the SPI' readd
	check 'rx_icv' "$(drop_count "$right" pvs0 rx_icv)" "$before"
}

# readd: a new device uses the old one's SPI
readd()
{
	ip -n "$left" link show pvs1 >/dev/null 2>&1 || ip -n "$left" link add pvs1 type pvsvpn
	ctl "$left" peer add pvs1 right remote 192.0.2.2 2>/dev/null || :
	"$PVSVPNCTL" genkey aes128gcm16 |
		ctl "$left" sa add pvs1 right dir in spi 0x1002 transform aes128gcm16 key-file -
}

# Both ends are in one namespace; the wire's namespaces do not see the inner packets
two_devices_meet_in_one_namespace()
{
	tunnel_up
	new_ns inside
	ip -n "$left" link set pvs0 netns "$inside"
	settle "$inside"
	# Before 6.2 only a device that is down can be renamed
	ip -n "$right" link set pvs0 down
	ip -n "$right" link set pvs0 name pvs1
	ip -n "$right" link set pvs1 netns "$inside"
	ip -n "$inside" link set pvs1 up
	check devices "$(ctl "$inside" -j show | grep -c '"carrier"')" 2
}

run_cases outer_packets_stay_where_the_device_was_created created_for_another_namespace_at_once \
	ip_link_names_the_birthplace configured_in_the_new_namespace mtu_follows_the_birthplace \
	moved_back moved_under_traffic birthplace_removed new_place_removed \
	two_devices_meet_in_one_namespace
