#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Routes that send outer packets into a tunnel: in a circle they are dropped and counted, without a
# lock-up; a tunnel inside a tunnel works.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# flood NS ADDRESS: some hundred packets, lost or not
flood() { in_ns "$1" timeout 20 ping -q -f -c 300 -W 1 "$2" >/dev/null 2>&1 || :; }

route_into_the_own_tunnel()
{
	tunnel_up
	pings "$left" 10.2.0.1
	ip -n "$left" route add 192.0.2.2/32 dev pvs0
	flood "$left" 10.2.0.1
	at_least 300 drop_count "$left" pvs0 tx_loop right || fail 'not every packet was counted as tx_loop'
	check 'tx errors of ip -s link' "$(link_stat "$left" pvs0 tx.errors)" \
		"$(drop_count "$left" pvs0 tx_loop)"
	ip -n "$left" route del 192.0.2.2/32 dev pvs0
	pings "$left" 10.2.0.1
}

# A common mistake: the default route, also for outer packets, leads into the tunnel
default_route_into_the_own_tunnel()
{
	tunnel_up
	ip -n "$left" route flush 192.0.2.0/24
	ip -n "$left" route add default dev pvs0
	unreachable "$left" 10.2.0.1
	at_least 1 drop_count "$left" pvs0 tx_loop right || fail 'no tx_loop counted'
	ip -n "$left" route add 192.0.2.0/24 dev "$left_dev"
	pings "$left" 10.2.0.1
}

# circle_end DEV REMOTE SPI: packets routed into DEV leave for REMOTE
circle_end()
{
	ip -n "$left" link add "$1" type pvsvpn
	ip -n "$left" link set "$1" up
	ctl "$left" peer add "$1" next local 192.0.2.1 remote "$2"
	"$PVSVPNCTL" genkey aes128gcm16 |
		ctl "$left" sa add "$1" next dir out spi "$3" transform aes128gcm16 key-file -
}

# circle: each of two devices routes its outer packets into the other
circle()
{
	new_ns left
	ip -n "$left" addr add 192.0.2.1/32 dev lo
	circle_end pvs0 198.51.100.1 0x1001
	circle_end pvs1 198.51.100.2 0x1002
	ip -n "$left" route add 198.51.100.1/32 dev pvs1
	ip -n "$left" route add 198.51.100.2/32 dev pvs0
	ip -n "$left" route add 10.0.0.0/8 dev pvs0
}

loops() { echo $(($(drop_count "$left" pvs0 tx_loop) + $(drop_count "$left" pvs1 tx_loop))); }

two_devices_into_each_other()
{
	circle
	flood "$left" 10.2.0.1
	at_least 300 loops || fail "not every packet was counted as tx_loop, but $(loops)"
	# The MTUs lower each other, and then settle
	wait_for 'the MTU to settle' is 1280 link_get "$left" pvs0 mtu
	ip -n "$left" link del pvs1
	flood "$left" 10.2.0.1
}

removal_in_a_circle()
{
	circle
	background ip netns exec "$left" ping -q -f -W 1 10.2.0.1 >/dev/null 2>&1
	wait_for 'packets that go round' at_least 50 loops
	ip -n "$left" link del pvs0
	ip -n "$left" link del pvs1
}

# inner_tunnel NS PEER LOCAL REMOTE ADDR ROUTE: pvs1 through pvs0
inner_tunnel()
{
	ip -n "$1" link add pvs1 type pvsvpn
	ip -n "$1" addr add "$5/32" dev pvs1
	ip -n "$1" link set pvs1 up
	ctl "$1" peer add pvs1 "$2" local "$3" remote "$4"
	ip -n "$1" route add "$6" dev pvs1
}

# inner_sa SPI FROM-NS FROM-PEER TO-NS TO-PEER
inner_sa()
{
	local key

	key=$("$PVSVPNCTL" genkey aes256gcm16)
	ctl "$4" sa add pvs1 "$5" dir in spi "$1" transform aes256gcm16 key-file - <<<"$key"
	ctl "$2" sa add pvs1 "$3" dir out spi "$1" transform aes256gcm16 key-file - <<<"$key"
}

a_tunnel_in_a_tunnel_is_fine()
{
	tunnel_up
	inner_tunnel "$left" right 10.1.0.1 10.2.0.1 10.11.0.1 10.12.0.0/16
	inner_tunnel "$right" left 10.2.0.1 10.1.0.1 10.12.0.1 10.11.0.0/16
	inner_sa 0x2001 "$left" right "$right" left
	inner_sa 0x2002 "$right" left "$left" right
	pings "$left" 10.12.0.1
	pings "$right" 10.11.0.1 -s 1300
	wait_for 'the inner MTU' is 1390 link_get "$left" pvs1 mtu
	check tx_loop "$(loops)" 0
}

run_cases route_into_the_own_tunnel default_route_into_the_own_tunnel \
	two_devices_into_each_other removal_in_a_circle a_tunnel_in_a_tunnel_is_fine
