#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# ECN by RFC 6040, DSCP by RFC 2983's uniform model outwards and none inwards,
# TTL, DF and ID of the outer header.
#
# The wire is traffic_probe.py, which reads and writes TUN devices.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# tun_wire: instead of the veth pair, the same names and addresses
tun_wire()
{
	modprobe -q tun || :
	ip -n "$left" link del "$left_dev"
	ip -n "$left" tuntap add "$left_dev" mode tun
	ip -n "$right" tuntap add "$right_dev" mode tun
	ip -n "$left" addr add 192.0.2.1/24 dev "$left_dev"
	ip -n "$right" addr add 192.0.2.2/24 dev "$right_dev"
	ip -n "$left" link set "$left_dev" up
	ip -n "$right" link set "$right_dev" up
}

# 4 inner by 4 outer fields, at 3 DSCPs, in 2 families; an outer CE without ECN inside must be
# dropped
outer_header_and_ECN()
{
	tunnel_up
	tun_wire
	/usr/bin/python3 "$lib/traffic_probe.py" wire "$left" "$right" >"$tmp/probe" 2>&1 ||
		fail 'traffic_probe.py wire:' "$(cat "$tmp/probe")"
	check rx_ecn "$(drop_count "$right" pvs0 rx_ecn left 0x1001)" 6
	check 'rx errors of ip -s link' "$(link_stat "$right" pvs0 rx.errors)" 6
}

# For a router before it, the tunnel is one hop; the outer TTL is the host's
inner_TTL_is_not_the_outer_one()
{
	tunnel_up
	pings "$left" 10.2.0.1 -t 1
	pings "$left" fd00:2::1 -t 1
	in_ns "$left" sysctl -qw net.ipv4.ip_default_ttl=1
	pings "$left" 10.2.0.1 -t 64
}

run_cases outer_header_and_ECN inner_TTL_is_not_the_outer_one
