#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The routes of packets: a link that is deleted and created again, ICMP redirects, the mark of inner
# packets. The key negotiation does not matter here.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"
# shellcheck source=../lib/swan.sh
. "$(dirname "$0")/../lib/swan.sh"

# ---- a link that is deleted and created again ----

#   $left outer0 ---- near0 $router far0 ---- outer0 $right
#         other0, another possible way for packets

# routes_out: the routes that a dialler adds
routes_out()
{
	in_batch "$left" <<-END
		route add default via 192.0.2.254 metric 10
		route add default via 2001:db8:1::fe metric 10
	END
}

# dialled: the ends are $left_outer and $right_outer
dialled()
{
	wire_with_router
	in_batch "$left" <<<$'route del default\nroute del ::/0'
	routes_out
	ip -n "$left" link add other0 type dummy
	quiet_up "$left" other0
	in_batch "$left" <<-END
		addr add 203.0.113.1/24 dev other0
		route add default dev other0 metric 500
		route add ::/0 dev other0 metric 500
	END
}

# hung_up: removes the link, and with it the addresses and routes
hung_up() { ip -n "$left" link del outer0; }

# dial: creates the link again, with another index
dial()
{
	ip link add outer0 netns "$left" type veth peer name near0 netns "$router"
	leg "$left" outer0 192.0.2.1 2001:db8:1::1
	leg "$router" near0 192.0.2.254 2001:db8:1::fe
	routes_out
}

# problems: those of the left's peer
problems() { ctl "$left" -j show pvs0 | jq -r '.devices[0].peers[0].problems | join(" ")'; }

# no_way: no packet leaves, not even by another interface, and show says why
no_way()
{
	local sent drops

	sent=$(link_stat "$left" other0 tx.packets)
	drops=$(drop_count "$left" pvs0 tx_no_route)
	unreachable "$left" 10.2.0.1
	check 'packets by another interface' "$(link_stat "$left" other0 tx.packets)" "$sent"
	at_least $((drops + 1)) drop_count "$left" pvs0 tx_no_route || fail 'no tx_no_route'
	has_problem no-link || fail "problems are $(problems)"
	grep -q 'interface outer0 is not there (ip link; peer set ... dev)' <<<"$(ctl "$left" show pvs0)" ||
		fail "$(ctl "$left" show pvs0)"
	check 'dev shown' "$(show "$left" peers.0.link)" outer0
}

# own_ends LOCAL REMOTE: two ends with SAs of their own, over outer0
own_ends()
{
	end_up "$left" right "$2" 10.1.0.1 fd00:1::1 10.2.0.0/16,fd00:2::/64
	end_up "$right" left "$1" 10.2.0.1 fd00:2::1 10.1.0.0/16,fd00:1::/64
	sa_both aes128gcm16
	ctl "$left" peer set pvs0 right local "$1" dev outer0
}

# made_anew: the link is created again twice; nothing else is needed
made_anew()
{
	pings "$left" 10.2.0.1
	hung_up
	no_way
	dial
	pings "$left" 10.2.0.1
	pings "$right" fd00:1::1
	hung_up
	dial
	pings "$left" 10.2.0.1
	check 'problems' "$(problems)" ''
}

link_made_anew_over_IPv4()
{
	dialled
	own_ends 192.0.2.1 198.51.100.2
	made_anew
	# A request keeps all values it does not name, also while the link is gone
	hung_up
	ctl "$left" peer set pvs0 right keepalive 30
	no_way
	expect_refused 'no interface outer1 where' ctl "$left" peer set pvs0 right dev outer1
	check 'dev shown' "$(show "$left" peers.0.link)" outer0
	# An alternative name does not count
	ip -n "$left" link property add dev other0 altname outer0
	no_way
	ip -n "$left" link property del dev other0 altname outer0
	dial
	pings "$left" 10.2.0.1
}

link_made_anew_over_IPv6()
{
	dialled
	own_ends 2001:db8:1::1 2001:db8:2::2
	made_anew
}

link_made_anew_without_a_local_address()
{
	dialled
	own_ends 192.0.2.1 198.51.100.2
	ctl "$left" peer set pvs0 right local 0.0.0.0
	made_anew
}

# In this case the address is meaningless without its link
link_of_a_link_local_remote_made_anew()
{
	dialled
	end_up "$left" right fe80::2%outer0 10.1.0.1 fd00:1::1 10.2.0.0/16,fd00:2::/64
	end_up "$router" left fe80::1%near0 10.2.0.1 fd00:2::1 10.1.0.0/16,fd00:1::/64
	sa_pair aes128gcm16 0x1001 "$("$PVSVPNCTL" genkey aes128gcm16)" "$left" right "$router" left
	sa_pair aes128gcm16 0x1002 "$("$PVSVPNCTL" genkey aes128gcm16)" "$router" left "$left" right
	link_locals
	pings "$left" 10.2.0.1
	hung_up
	no_way
	dial
	link_locals
	pings "$left" 10.2.0.1
	pings "$router" fd00:1::1
}

link_locals()
{
	ip -n "$left" addr add fe80::1/64 dev outer0 nodad
	ip -n "$router" addr add fe80::2/64 dev near0 nodad
}

# renamed OLD NEW: uses ip link; kernels before 6.2 require the link to be down
renamed()
{
	ip -n "$left" link set "$1" name "$2" 2>/dev/null && return
	ip -n "$left" link set "$1" down
	ip -n "$left" link set "$1" name "$2"
	ip -n "$left" link set "$2" up
}

# uplinks: the routes that a link loses when it is down
uplinks()
{
	ip -n "$left" route replace default via 192.0.2.254 metric 10
	ip -n "$left" route replace default dev "$1" metric 500
}

# Another interface takes the name; then the old one gets it back. If the interface stays up
# meanwhile, the kernel keeps its cached routes
link_renamed()
{
	dialled
	own_ends 192.0.2.1 198.51.100.2
	pings "$left" 10.2.0.1
	renamed outer0 outer9
	uplinks other0
	# A fifth of a second later, the cached routes are dropped
	wait_for 'no answer' on_each_cpu unanswered
	no_way
	# Now the other interface has the name
	renamed other0 outer0
	uplinks outer0
	wait_for 'ESP by the other interface' esp_by_the_other
	renamed outer0 other0
	renamed outer9 outer0
	uplinks other0
	wait_for 'the tunnel' on_each_cpu answered
	pings "$left" 10.2.0.1
}

# on_each_cpu CHECK: every processor caches a route of its own
on_each_cpu()
{
	local cpu

	for ((cpu = 0; cpu < $(nproc); cpu++)); do
		"$1" $cpu || return
	done
}

# answered CPU: a ping from this processor is answered
answered() { in_ns "$left" taskset -c "$1" ping -q -c 1 -W 1 10.2.0.1 >/dev/null; }

unanswered() { ! answered "$1"; }

has_problem() { [[ " $(problems) " == *" $1 "* ]]; }

esp_by_the_other()
{
	local sent

	sent=$(link_stat "$left" outer0 tx.packets)
	in_ns "$left" ping -q -c 1 -W 1 10.2.0.1 >/dev/null || :
	at_least $((sent + 1)) link_stat "$left" outer0 tx.packets
}

# The link decides, whatever other routes exist
only_by_the_link()
{
	dialled
	own_ends 2001:db8:1::1 2001:db8:2::2
	pings "$left" 10.2.0.1
	# A better route by another interface, then one with a longer prefix
	ip -n "$left" -6 route add default dev other0 metric 5
	pings "$left" 10.2.0.1
	ip -n "$left" -6 route add 2001:db8:2::/64 dev other0
	pings "$left" 10.2.0.1
	ip -n "$left" -6 route add 2001:db8:2::2/128 dev pvs0
	pings "$left" 10.2.0.1
	ip -n "$left" -6 route del default via 2001:db8:1::fe
	no_route_but_the_other
	has_problem no-route || fail "problems are $(problems)"
	grep -q 'no route to remote (ip route get .* oif outer0)' <<<"$(ctl "$left" show pvs0)" ||
		fail "$(ctl "$left" show pvs0)"
	ip -n "$left" -6 route add default via 2001:db8:1::fe metric 10
	pings "$left" 10.2.0.1
	ctl "$left" peer set pvs0 right remote 198.51.100.2 local 192.0.2.1
	ctl "$right" peer set pvs0 left remote 192.0.2.1
	pings "$left" 10.2.0.1
	ip -n "$left" route add default dev other0 metric 5
	pings "$left" 10.2.0.1
	# Over IPv4 the kernel then treats the remote as a neighbour
	ip -n "$left" route del default via 192.0.2.254
	no_route_but_the_other
}

no_route_but_the_other()
{
	local sent

	sent=$(link_stat "$left" other0 tx.packets)
	unreachable "$left" 10.2.0.1
	check 'packets by another interface' "$(link_stat "$left" other0 tx.packets)" "$sent"
}

# The operator adds the peer, because of its link; strongSwan provides the keys
link_made_anew_under_strongSwan()
{
	has_strongswan
	dialled
	# shellcheck disable=SC2154 # by wire_with_router
	gw=$left stock=$right
	pvsvpn_end "$gw" pvs0 42 "${near[@]}"
	stock_end "$stock" ipsec0 42 "${far[@]}"
	ctl "$gw" peer add pvs0 far remote 198.51.100.2 dev outer0
	CONNECTION='mobike = no' daemon "$gw" 192.0.2.1 198.51.100.2 near far
	CONNECTION='mobike = no' daemon "$stock" 198.51.100.2 192.0.2.1 far near
	initiate
	pings "$gw" 10.2.0.1
	hung_up
	no_way
	dial
	wait_for 'the tunnel' in_ns "$gw" ping -q -c 1 -W 1 10.2.0.1 >/dev/null
	pings "$gw" 10.2.0.1
	pings "$stock" fd00:1::1
}

# ---- ICMP redirects ----

#   $right 10.2.0.1 ---- $left, the hub ---- $spoke 10.3.0.1
hub_and_spokes()
{
	wire_up
	new_ns spoke
	# shellcheck disable=SC2154 # by new_ns
	ip link add outer1 netns "$left" type veth peer name outer0 netns "$spoke"
	leg "$spoke" outer0 203.0.113.2 2001:db8:3::2
	leg "$left" outer1 203.0.113.1 2001:db8:3::1
	end_up "$left" right 192.0.2.2 10.1.0.1 fd00:1::1 10.2.0.0/16,fd00:2::/64
	end_up "$right" left 192.0.2.1 10.2.0.1 fd00:2::1 10.1.0.0/16,10.3.0.0/16,fd00:1::/64,fd00:3::/64
	end_up "$spoke" left 203.0.113.1 10.3.0.1 fd00:3::1 10.1.0.0/16,10.2.0.0/16,fd00:1::/64,fd00:2::/64
	ctl "$left" peer add pvs0 spoke remote 203.0.113.2 subnets 10.3.0.0/16,fd00:3::/64
	in_batch "$left" <<<$'route add 10.3.0.0/16 dev pvs0\nroute add fd00:3::/64 dev pvs0'
	# The kernel sends IPv6 redirects from this address
	ip -n "$left" addr add fe80::1/64 dev pvs0 nodad
	in_ns "$left" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.conf.all.send_redirects=1 net.ipv4.conf.pvs0.send_redirects=1
}

hub_SAs()
{
	sa_both aes128gcm16
	sa_pair aes128gcm16 0x1003 "$("$PVSVPNCTL" genkey aes128gcm16)" "$left" spoke "$spoke" left
	sa_pair aes128gcm16 0x1004 "$("$PVSVPNCTL" genkey aes128gcm16)" "$spoke" left "$left" spoke
}

# redirects [NS]: the number that the hub has sent, IPv4 and IPv6
redirects() { in_ns "${1:-$left}" nstat -asz IcmpOutRedirects Icmp6OutRedirects | awk '!/^#/ { print $2 }' | xargs; }

no_redirects_between_spokes()
{
	hub_and_spokes
	hub_SAs
	pings "$right" 10.3.0.1
	pings "$right" fd00:3::1
	pings "$spoke" 10.2.0.1
	pings "$spoke" fd00:2::1
	pings "$right" 10.1.0.1
	pings "$right" fd00:1::1
	check 'redirects sent' "$(redirects)" '0 0'
	# Packets back to the same peer are redirected, which proves that this hub can
	in_batch "$right" <<<$'route add 10.2.8.0/24 dev pvs0\nroute add fd00:2::8000/113 dev pvs0'
	ctl "$right" peer set pvs0 left subnets 0.0.0.0/0,::/0
	in_ns "$right" ping -q -c 1 -W 1 -I 10.2.0.1 10.2.8.1 >/dev/null 2>&1 || :
	in_ns "$right" ping -q -c 1 -W 1 fd00:2::8001 >/dev/null 2>&1 || :
	wait_for 'redirects' is '1 1' redirects
}

# If the operator enables the reverse path filter, the kernel filters, whatever the subnets are.
# Then the operator is also responsible for redirects
reverse_path_between_spokes()
{
	hub_and_spokes
	hub_SAs
	pings "$right" 10.3.0.1
	ip -n "$left" link add lan0 type dummy
	quiet_up "$left" lan0
	in_batch "$left" <<<'addr add 10.2.50.1/24 dev lan0'
	ip -n "$right" addr add 10.2.50.7/32 dev lo
	in_ns "$left" sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.pvs0.rp_filter=0
	reaches_spoke 1
	in_ns "$left" sysctl -qw net.ipv4.conf.pvs0.rp_filter=1
	reaches_spoke 0
	pings "$right" 10.3.0.1
}

# reaches_spoke COUNT: one packet from the right, with an address of the hub's LAN
reaches_spoke()
{
	local count

	count=$(link_stat "$spoke" pvs0 rx.packets)
	in_ns "$right" ping -q -c 1 -W 1 -I 10.2.50.7 10.3.0.1 >/dev/null 2>&1 || :
	check 'packets that the spoke got' "$(($(link_stat "$spoke" pvs0 rx.packets) - count))" "$1"
}

# The device was created in one namespace and moved to another, where the packets are
no_redirects_in_another_namespace()
{
	hub_and_spokes
	hub_SAs
	new_ns inside
	# shellcheck disable=SC2154 # by new_ns
	ip -n "$left" link set pvs0 netns "$inside"
	in_batch "$inside" <<-END
		link set pvs0 up
		addr add 10.1.0.1/32 dev pvs0
		addr add fd00:1::1/128 dev pvs0 nodad
		addr add fe80::1/64 dev pvs0 nodad
		route add 10.2.0.0/16 dev pvs0
		route add 10.3.0.0/16 dev pvs0
		route add fd00:2::/64 dev pvs0
		route add fd00:3::/64 dev pvs0
	END
	in_ns "$inside" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	pings "$right" 10.3.0.1
	pings "$spoke" fd00:2::1
	check 'redirects sent' "$(redirects "$inside")" '0 0'
	# Packets may still be in flight when the namespaces are deleted
	ip netns del "$left"
	ip netns del "$inside"
}

# ---- the mark of inner packets ----

# marked_ends: packets from outside get a mark, which routes to the left's uplink
marked_ends()
{
	local dev mark

	wire_up
	for dev in lan0 wan0 wan1; do
		ip -n "$left" link add $dev type dummy
		quiet_up "$left" $dev
	done
	in_batch "$left" <<-END
		addr add 10.1.7.1/24 dev lan0
		addr add fd00:1:0:0:7::1/80 dev lan0 nodad
	END
	for mark in 0 1; do
		in_batch "$left" <<-END
			route add default dev wan$mark table $((100 + mark))
			route add ::/0 dev wan$mark table $((100 + mark))
			rule add fwmark $((0x64 + mark)) table $((100 + mark))
		END
		ip -n "$left" -6 rule add fwmark $((0x64 + mark)) table $((100 + mark))
	done
	in_ns "$left" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	in_ns "$left" nft -f - <<-END
		table inet uplinks {
			chain in {
				type filter hook prerouting priority mangle
				iifname outer0 meta mark set 0x64
			}
		}
	END
}

# goes_by DEVICE: packets of both families to a host behind the left leave by this device
goes_by()
{
	local others=() before count dev

	for dev in lan0 wan0 wan1; do
		[ $dev = "$1" ] || others+=("$dev")
	done
	before=$(sent_by "${others[@]}")
	count=$(sent_by "$1")
	in_ns "$right" ping -q -c 1 -W 1 10.1.7.9 >/dev/null 2>&1 || :
	in_ns "$right" ping -q -c 1 -W 1 fd00:1::7:0:0:9 >/dev/null 2>&1 || :
	wait_for "two packets by $1" is $((count + 2)) sent_by "$1"
	check "packets sent by ${others[*]}" "$(sent_by "${others[@]}")" "$before"
}

# sent_by DEVICE...: the number of packets that the left has sent
sent_by()
{
	local dev

	for dev; do
		link_stat "$left" "$dev" tx.packets
	done | xargs
}

inner_mark_of_own_SAs()
{
	marked_ends
	end_up "$left" right 192.0.2.2 10.1.0.1 fd00:1::1 10.2.0.0/16,fd00:2::/64
	end_up "$right" left 192.0.2.1 10.2.0.1 fd00:2::1 10.1.0.0/16,fd00:1::/64
	sa_both aes128gcm16
	check 'inner-mark shown' "$(show "$left" inner_mark)" clear
	goes_by lan0
	ctl "$left" set pvs0 inner-mark inherit
	check 'inner-mark shown' "$(show "$left" inner_mark)" inherit
	goes_by wan0
	ctl "$left" set pvs0 inner-mark 0x65
	check 'inner-mark shown' "$(show "$left" inner_mark)" 101
	grep -q 'inner-mark 0x65' <<<"$(ctl "$left" show pvs0)" || fail "$(ctl "$left" show pvs0)"
	goes_by wan1
	EXIT_STATUS=2 expect_refused 'inner-mark: .*clear or inherit' ctl "$left" set pvs0 inner-mark 4294967295
	ctl "$left" set pvs0 inner-mark clear
	goes_by lan0
	# ESP in UDP takes another receive path
	ctl "$left" peer set pvs0 right encap udp
	ctl "$right" peer set pvs0 left encap udp
	goes_by lan0
	ctl "$left" set pvs0 inner-mark inherit
	goes_by wan0
}

# adopted SPI [ARGUMENT...]: an inbound state at the left, from the right
adopted()
{
	local key

	key=$("$PVSVPNCTL" genkey aes128gcm16)
	ip -n "$left" xfrm state add src 192.0.2.2 dst 192.0.2.1 proto esp spi "$1" mode tunnel if_id 42 \
		flag af-unspec replay-window 128 aead 'rfc4106(gcm(aes))' "0x$key" 128 "${@:2}"
	wait_for "SA $1" sa_of_left $(($1))
	ctl "$right" sa add pvs0 left dir out spi "$1" transform aes128gcm16 key-file - <<<"$key"
}

sa_of_left() { ctl "$left" -j show pvs0 | jq -e --argjson spi "$1" '.devices[0].peers[].sas[] | select(.spi == $spi)' >/dev/null; }

inner_mark_of_adopted_SAs()
{
	marked_ends
	ip -n "$left" link add pvs0 type pvsvpn
	ctl "$left" set pvs0 if-id 42
	quiet_up "$left" pvs0
	end_up "$right" left 192.0.2.1 10.2.0.1 fd00:2::1 10.1.0.0/16,fd00:1::/64
	adopted 0x2001
	goes_by lan0
	ctl "$left" set pvs0 inner-mark inherit
	goes_by wan0
	# The IKE daemon's mark for the SA is added, as with stock IPsec
	adopted 0x2002 output-mark 0x01 mask 0x01
	goes_by wan1
	ctl "$left" set pvs0 inner-mark clear
	adopted 0x2003 output-mark 0x65 mask 0xff
	goes_by wan1
	adopted 0x2004
	goes_by lan0
}

# A rule sends all packets through the tunnel, as wg-quick does. For strict reverse path filtering,
# nftables restores the mark of ESP's route from conntrack, so that ESP gets in.
strict_reverse_path_filter()
{
	wire_with_router
	end_up "$left" right 198.51.100.2 10.1.0.1 fd00:1::1 0.0.0.0/1,128.0.0.0/1
	ip -n "$left" route del 0.0.0.0/1
	ip -n "$left" route del 128.0.0.0/1
	end_up "$right" left 192.0.2.1 10.2.0.1 fd00:2::1 10.1.0.0/16,fd00:1::/64
	sa_both aes128gcm16
	ctl "$left" set pvs0 fwmark 7
	in_batch "$left" <<-END
		route add default dev pvs0 src 10.1.0.1 table 77
		rule add not fwmark 7 table 77
		rule add table main suppress_prefixlength 0
	END
	in_ns "$left" sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.outer0.rp_filter=1 \
		net.ipv4.conf.pvs0.rp_filter=1
	unreachable "$left" 10.2.0.1
	in_ns "$left" sysctl -qw net.ipv4.conf.all.src_valid_mark=1
	in_ns "$left" nft add table ip marks
	in_ns "$left" nft add chain ip marks some
	in_ns "$left" nft add rule ip marks some ct mark set 1 2>/dev/null || skip 'no marks of connections'
	in_ns "$left" nft delete table ip marks
	in_ns "$left" nft -f - <<-END
		table ip strict {
			chain in {
				type filter hook prerouting priority mangle
				meta l4proto esp meta mark set ct mark
			}
			chain out {
				type filter hook postrouting priority mangle
				meta l4proto esp meta mark 7 ct mark set mark
			}
		}
	END
	pings "$left" 10.2.0.1
	ctl "$left" set pvs0 inner-mark inherit
	unreachable "$left" 10.2.0.1
	ctl "$left" set pvs0 inner-mark clear
	pings "$left" 10.2.0.1
}

run_cases link_made_anew_over_IPv4 link_made_anew_over_IPv6 link_made_anew_without_a_local_address \
	link_of_a_link_local_remote_made_anew link_renamed only_by_the_link \
	link_made_anew_under_strongSwan \
	no_redirects_between_spokes reverse_path_between_spokes no_redirects_in_another_namespace \
	inner_mark_of_own_SAs inner_mark_of_adopted_SAs strict_reverse_path_filter
