#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The interface, addresses, routes and rules of a connection: other programs change them, and all
# packets go through the tunnel. The far end is as in ike-connection.sh.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"
# shellcheck source=../lib/swan.sh
. "$(dirname "$0")/../lib/swan.sh"
# shellcheck source=../lib/connection.sh
. "$(dirname "$0")/../lib/connection.sh"

# Each line: the reason in status, and a change that another program makes to the interface
changes()
{
	cat <<-END
		route_missing     ip route del 10.2.0.0/24
		route_missing     ip -6 route del fd00:2::/64
		interface_altered ip address add 10.9.9.9/32 dev pvs0 && ip address flush dev pvs0
		interface_altered ip link set pvs0 down && ip link set pvs0 up
		interface_altered ip address del 10.255.0.1/30 dev pvs0
		interface_altered ip address flush dev pvs0
		device_down       ip link set pvs0 down
		interface_altered ip link set pvs0 mtu 1300
		interface_altered $PVSVPNCTL set pvs0 mss-clamp off
		interface_altered $PVSVPNCTL set pvs0 if-id-out 7
		interface_altered $PVSVPNCTL peer set pvs0 site-b subnets 10.0.0.0/8
		interface_altered $PVSVPNCTL peer set pvs0 site-b local-subnets 0.0.0.0/0,::/0
		interface_altered $PVSVPNCTL peer del pvs0 site-b
		interface_altered echo 0 >/proc/sys/net/ipv4/conf/pvs0/ignore_routes_with_linkdown
		interface_gone    ip link del pvs0
	END
}

# An interface with everything that a file can configure
rich_gateway()
{
	gateway
	site site-b 'WithdrawRoutes = yes' 'TunnelAddress = 10.255.0.1/30, fd00:255::1/64' 'MTU = auto'
	sed -i 's/^PeerSubnets.*/&, fd00:2::\/64/; s/^LocalSubnets.*/&, fd00:1::\/64/' \
		"$PVSVPN_CONFIG_DIR/site-b.conf"
	our_daemon
	LOCAL_TS=10.2.0.0/24,fd00:2::/64 REMOTE_TS=10.1.0.0/24,fd00:1::/64 far_end
}

# with_changes COMMAND: runs COMMAND after each $change, whose reason is $reason
with_changes()
{
	local list

	mapfile -t list < <(changes)
	for change in "${list[@]}"; do
		read -r reason change <<<"$change"
		in_ns "$gw" bash -c "$change" || fail "$change"
		"$1"
	done
}

# settled: the configuration, without times and counters
settled()
{
	ip -n "$gw" address show dev pvs0 | grep -E 'inet|mtu' | sed 's/^[0-9]*: //'
	ip -n "$gw" route show table all dev pvs0 | grep -v 'proto kernel' | sed 's/ linkdown//'
	ip -6 -n "$gw" route show dev pvs0 | grep -v 'proto kernel' | sed 's/ linkdown//'
	cat_in "$gw" /proc/sys/net/ipv{4,6}/conf/pvs0/ignore_routes_with_linkdown
	vpn -j show pvs0 | jq '.devices[0] | .if_id_in, .if_id_out, .mss_clamp,
		(.peers[] | .name, .remote, .subnets, .local_subnets)'
}

cat_in() { in_ns "$1" cat "${@:2}"; }

is_as_before() { [ "$(settled)" = "$good" ] && [ "$(status_of status)" = active ]; }

mended()
{
	wait_for "it to be mended after: $change" is_as_before
	pings "$gw" 10.2.0.1
}

seen_and_mended()
{
	check "reason after: $change" "$(status_of reason)" "$reason"
	follows_schema || fail "the schema does not know $reason"
	up
	# The MTU follows the path a moment later
	mended
}

what_others_change()
{
	local good change reason strangers

	rich_gateway
	up
	check status "$(status_of status)" active
	good=$(settled)
	with_changes seen_and_mended
	check 'SAs' "$(list "$stock" uniqueid)" 1
	says_nothing_new
	# Keep a route, and an interface, of another program
	ip -n "$gw" route replace 10.2.0.0/24 dev lan
	check 'a route of another' "$(status_of reason)" route_missing
	ip -n "$gw" -6 route del fd00:2::/64
	swan "$gw" --terminate --ike site-b >/dev/null
	expect_refused 'PeerSubnets: File exists' vpn up site-b
	grep -q 'dev lan' <<<"$(ip -n "$gw" route get 10.2.0.9)" || fail 'the route is not as it was'
	# The rest has been done
	check 'child SAs' "$(children "$gw")" 1
	grep -q pvs0 <<<"$(ip -n "$gw" -6 route show fd00:2::/64)" || fail 'the other route is missing'
	ip -n "$gw" link del pvs0
	expect_refused 'PeerSubnets: File exists' vpn up site-b
	grep -q pvs0 <<<"$(ip -n "$gw" -6 route show fd00:2::/64)" || fail 'the other route is missing'
	check 'a route of another' "$(status_of reason)" route_missing
	in_batch "$gw" <<-END
		link set pvs0 down
		link set pvs0 name other
	END
	expect_refused 'up: site-b: somebody has renamed pvs0 to other' vpn up site-b
	! ip -n "$gw" link show dev pvs0 >/dev/null 2>&1 || fail 'there are two'
	ip -n "$gw" route del 10.2.0.0/24
	vpn down site-b >/dev/null
	untouched
	! ip -n "$gw" link show dev other >/dev/null 2>&1 || fail 'other is there'
	up
	ip -n "$gw" link del pvs0
	ip -n "$gw" link add pvs0 type dummy
	strangers=$(ip -n "$gw" link show dev pvs0)
	expect_refused 'up: site-b: interface pvs0 is there and was not made by up' vpn up site-b
	check 'the other' "$(ip -n "$gw" link show dev pvs0)" "$strangers"
}

# says_nothing_new: up changes nothing if the interface is correct
says_nothing_new()
{
	up
	check 'steps' "$(grep -E '^(#|site-b: )' "$tmp/up" || :)" ''
}

# The running process repairs everything without another command
what_others_change_and_keep()
{
	local good change reason strangers

	rich_gateway
	background "$PVSVPNCTL" -n "$gw" up site-b timeout 20 keep 2 >"$tmp/kept" 2>&1
	said "$tmp/kept"
	wait_for 'the connection' is active status_of status
	good=$(settled)
	with_changes mended
	check 'SAs' "$(list "$stock" uniqueid)" 1
	check 'errors' "$(grep '^pvsvpnctl: ' "$tmp/kept")" ''
	grep -q '^site-b: the route to 10.2.0.0/24 into pvs0 is gone$' "$tmp/kept" ||
		fail "$(cat "$tmp/kept")"
	# Otherwise the process would be faster
	kill -STOP "$background"
	ip -n "$gw" link del pvs0
	ip -n "$gw" link add pvs0 type dummy
	kill -CONT "$background"
	wait_for 'a word of it' grep -q 'interface pvs0 is not the one that up has made' "$tmp/kept"
	strangers=$(ip -n "$gw" link show dev pvs0)
	sleep 3
	check 'the other' "$(ip -n "$gw" link show dev pvs0)" "$strangers"
	check 'words' "$(grep -c 'is not the one that up has made' "$tmp/kept")" 1
	ip -n "$gw" link del pvs0
	mended
}

# ---- everything through the tunnel ----

# $host is behind the gateway. The gateway has only a default route outside. Packets could use it to
# bypass the tunnel, and it also leads to the far gateway.
full_tunnel_ends()
{
	gateway
	new_ns host
	# shellcheck disable=SC2154 # by new_ns
	ip link add inner0 netns "$host" type veth peer name lan0 netns "$gw"
	in_batch "$host" <<-END
		addr add 10.1.0.9/24 dev inner0
		addr add fd00:1::9/64 dev inner0 nodad
		link set inner0 up
		route add default via 10.1.0.1
		route add default via fd00:1::1
	END
	in_batch "$gw" <<-END
		link del lan
		addr add 10.1.0.1/24 dev lan0
		addr add fd00:1::1/64 dev lan0 nodad
		link set lan0 up
		addr flush dev outer0
		addr add 192.0.2.1/32 dev outer0
		addr add 2001:db8::1/128 dev outer0 nodad
		route add default dev outer0
		route add ::/0 dev outer0
		link add other type dummy
		addr add 172.16.6.1/24 dev other
		link set other up
	END
	in_batch "$stock" <<-END
		addr add 2001:db8::2/64 dev outer0 nodad
	END
	in_ns "$gw" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.outer0.rp_filter=1
	sed -i 's/^PeerSubnets.*/PeerSubnets = 0.0.0.0\/0, ::\/0/; s/^LocalSubnets.*/&, fd00:1::\/64/
		s/^RouteSource.*/&, fd00:1::1/' "$PVSVPN_CONFIG_DIR/site-b.conf"
	# The far end has two Internet addresses of its own
	in_batch "$stock" <<-END
		addr add 203.0.113.7/32 dev lo
		addr add 2001:db8:f::7/128 dev lo nodad
	END
	# Count before neighbour resolution
	in_ns "$gw" nft -f - <<-'END'
		table inet plain {
			counter seen { }
			chain out {
				type filter hook postrouting priority srcnat
				oifname != "outer0" return
				ip saddr 10.1.0.0/24 counter name seen
				ip daddr { 10.2.0.0/24, 203.0.113.0/24 } counter name seen
				ip6 saddr fd00:1::/64 counter name seen
				ip6 daddr { fd00:2::/64, 2001:db8:f::/64 } counter name seen
			}
		}
	END
}

# plain: the number of packets that bypassed the tunnel
plain() { in_ns "$gw" nft -j list counter inet plain seen | jq '.nftables[1].counter.packets'; }

# full_tunnel_far LOCAL REMOTE: starts the far end's daemon at these addresses
full_tunnel_far()
{
	stock_end "$stock" ipsec0 42 "${far[@]}"
	CONNECTION=$FAR_IKE PROPOSAL=aes256gcm16-ecp256 LOCAL_TS='0.0.0.0/0,::/0' \
		REMOTE_TS='10.1.0.0/24,fd00:1::/64' daemon "$stock" "$1" "$2" far near
}

# all_through_the_tunnel: packets of this host, and of a host behind it
all_through_the_tunnel()
{
	local to

	for to in 203.0.113.7 2001:db8:f::7 10.2.0.1 fd00:2::1; do
		pings "$host" $to
		pings "$gw" $to
	done
	# For other hosts, the peer's own address is behind the tunnel, too
	pings "$host" 192.0.2.2
	pings "$host" 2001:db8::2
	check 'packets in plain text' "$(plain)" 0
	pings "$host" 172.16.6.1
	pings "$host" 10.1.0.1
}

# The kernel adds routes after carrier and duplicate address detection of the link-local address.
links_ready()
{
	local dev

	for dev in lan0 other; do
		ip -6 -n "$gw" address show dev $dev scope link -tentative | grep -q inet6 || return 1
	done
}

# what_there_is: rules and routes of both families, except those of the interface
what_there_is()
{
	ip -n "$gw" rule
	ip -6 -n "$gw" rule
	ip -n "$gw" route show table all | grep -v pvs0
	ip -6 -n "$gw" route show table all | grep -v pvs0
}

everything_through_the_tunnel()
{
	local before change

	full_tunnel_ends
	our_daemon
	full_tunnel_far 192.0.2.2 192.0.2.1
	wait_for 'link-local addresses' links_ready
	before=$(what_there_is)
	up
	all_through_the_tunnel
	check status "$(status_of status)" active
	# The peer ends it. IKE starts again while the rules exist
	swan "$stock" --terminate --ike t >/dev/null
	up
	all_through_the_tunnel
	for change in 'ip rule del priority 31700' 'ip rule del priority 31701' \
		'ip -6 rule del priority 31702' 'ip route del unreachable default table 3342583137' \
		'ip route del default table 3342583137'; do
		in_ns "$gw" bash -c "$change"
		check "reason after: $change" "$(status_of reason)" route_missing
		up
		# strongSwan may have asked the peer meanwhile; it retransmits after 4 s
		wait_for "the connection after: $change" is active status_of status
		all_through_the_tunnel
	done
	# If the interface is deleted, no packet leaves by another way
	ip -n "$gw" link del pvs0
	for change in 203.0.113.7 2001:db8:f::7; do
		! in_ns "$host" ping -q -c 2 -i 0.1 -W 1 $change >"$tmp/ping" || fail 'there is another way'
		! in_ns "$gw" ping -q -c 2 -i 0.1 -W 1 $change >"$tmp/ping" || fail 'there is another way'
	done
	check 'packets in plain text' "$(plain)" 0
	up
	all_through_the_tunnel
	ip -n "$gw" rule del priority 31702
	vpn down site-b >/dev/null
	check 'rules and routes' "$(what_there_is)" "$before"
	untouched
	# The same after its state and file are lost
	up
	rm -r "$PVSVPN_RUN_DIR"
	rm "$PVSVPN_CONFIG_DIR/site-b.conf"
	vpn down site-b >/dev/null
	check 'rules and routes' "$(what_there_is)" "$before"
}

everything_over_ipv6()
{
	full_tunnel_ends
	# strongSwan selects its own address, and would also add routes
	sed -i '/^LocalGateway/d; s/192.0.2.2/2001:db8::2/' "$PVSVPN_CONFIG_DIR/site-b.conf"
	CHARON='install_routes = yes' our_daemon
	full_tunnel_far 2001:db8::2 2001:db8::1
	background "$PVSVPNCTL" -n "$gw" up site-b timeout 20 keep 2 >"$tmp/kept" 2>&1
	said "$tmp/kept"
	wait_for 'the connection' is active status_of status
	all_through_the_tunnel
	in_ns "$gw" ip -6 rule flush
	ip -6 -n "$gw" rule add priority 32766 lookup main
	wait_for 'the rules' at_least 3 our_rules
	all_through_the_tunnel
	vpn down site-b >/dev/null
	check 'rules' "$(our_rules)" 0
}

our_rules() { ip -6 -n "$gw" rule | grep -c '^3170' || :; }

run_cases what_others_change what_others_change_and_keep everything_through_the_tunnel \
	everything_over_ipv6
