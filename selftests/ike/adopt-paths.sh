#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The route of the outer packets depends on the family, ESP in UDP, a mark, a VRF or a link. An ICMP
# error must change that same route. Also NAT keepalives of a peer that moves.
#
#   $left ---- near0 $router far0 ---- $right
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

left_outer='' right_outer='' family='' other=''

# outside 4|6: sets the addresses of that family
outside()
{
	family=$1
	if [ "$family" = 4 ]; then
		left_outer=192.0.2.1 right_outer=198.51.100.2
	else
		left_outer=2001:db8:1::1 right_outer=2001:db8:2::2
	fi
}

# routed_by_mark: everything the left sends goes into the tunnel, except packets with the mark
routed_by_mark()
{
	ip -n "$left" rule add fwmark 7 table 77
	ip -n "$left" -6 rule add fwmark 7 table 77
	in_batch "$left" <<-END
		route replace 0.0.0.0/0 dev pvs0
		route del ::/0
		route add ::/0 dev pvs0
		route add 0.0.0.0/0 via 192.0.2.254 table 77
		route add ::/0 via 2001:db8:1::fe table 77
	END
}

# own_ends ENCAP: two ends with SAs of their own
own_ends()
{
	end_up "$left" right "$right_outer" 10.1.0.1 fd00:1::1 10.2.0.0/16,fd00:2::/64
	end_up "$right" left "$left_outer" 10.2.0.1 fd00:2::1 10.1.0.0/16,fd00:1::/64
	ctl "$left" peer set pvs0 right encap "$1"
	ctl "$right" peer set pvs0 left encap "$1"
	sa_both aes128gcm16
}

# narrow: reduces the MTU of the wire behind the router
narrow()
{
	ip -n "$router" link set far0 mtu 1400
	ip -n "$right" link set outer0 mtu 1400
}

large_ping()
{
	in_ns "$left" ping -c 1 -W 1 -M "do" -s 1372 10.2.0.1 >"$tmp/ping" 2>&1 || :
}

path_is_learnt()
{
	large_ping
	is 1400 show "$left" peers.0.path_mtu
}

# The inner sender then receives the error, and packets that fit pass, also TCP-like ones
learns_the_path()
{
	local inner

	wait_for 'the tunnel' in_ns "$left" ping -q -c 1 -W 1 10.2.0.1 >/dev/null
	check 'path MTU at first' "$(show "$left" peers.0.path_mtu)" 1500
	narrow
	wait_for 'the path MTU' path_is_learnt
	inner=$(show "$left" peers.0.inner_mtu)
	wait_for "MTU of $inner" is "$inner" link_get "$left" pvs0 mtu
	large_ping
	grep -qE "mtu ?= ?$inner" "$tmp/ping" || fail "the sender was not told $inner:" "$(cat "$tmp/ping")"
	pings "$left" 10.2.0.1 -M "do" -s $((inner - 28))
	check 'errors not believed' "$(drop_count "$left" pvs0 rx_icmp)" 0
}

# by_mark FAMILY ENCAP
by_mark()
{
	wire_with_router
	outside "$1"
	own_ends "$2"
	ctl "$left" set pvs0 fwmark 7
	routed_by_mark
	learns_the_path
}

path_MTU_by_mark_over_IPv4() { by_mark 4 none; }
path_MTU_by_mark_over_IPv6() { by_mark 6 none; }
path_MTU_by_mark_over_UDP_and_IPv4() { by_mark 4 udp; }
path_MTU_by_mark_over_UDP_and_IPv6() { by_mark 6 udp; }

# state NS SRC DST SPI KEY [ARGUMENTS...]: in tunnel mode
state()
{
	ip -n "$1" xfrm state add src "$2" dst "$3" proto esp spi "$4" mode tunnel if_id 42 \
		flag af-unspec replay-window 128 aead 'rfc4106(gcm(aes))' "0x$5" 128 "${@:6}"
}

# daemon NS: holds the port, as an IKE daemon does; its socket has no mark
daemon()
{
	background ip netns exec "$1" /usr/bin/python3 -IS "$lib/encap_daemon.py" 4500 "$family" >"$tmp/daemon"
	wait_for 'the daemon' grep -q ready "$tmp/daemon"
}

# adopted_states ENCAP: the left has states; their outbound packets have the mark
adopted_states()
{
	local there back encap=()

	there=$("$PVSVPNCTL" genkey aes128gcm16)
	back=$("$PVSVPNCTL" genkey aes128gcm16)
	[ "$1" = none ] || encap=(encap espinudp 4500 4500 0.0.0.0)
	ctl "$right" sa add pvs0 left dir in spi 0x1001 transform aes128gcm16 key-file - <<<"$there"
	ctl "$right" sa add pvs0 left dir out spi 0x1002 transform aes128gcm16 key-file - <<<"$back"
	state "$left" "$right_outer" "$left_outer" 0x1002 "$back" "${encap[@]}"
	state "$left" "$left_outer" "$right_outer" 0x1001 "$there" "${encap[@]}" output-mark 7
	wait_for 'the peer to be up' is true show "$left" peers.0.up
}

# adopted_by_mark FAMILY ENCAP
adopted_by_mark()
{
	wire_with_router
	outside "$1"
	[ "$2" = none ] || daemon "$left"
	end_up "$right" left "$left_outer" 10.2.0.1 fd00:2::1 10.1.0.0/16,fd00:1::/64
	ctl "$right" peer set pvs0 left encap "$2"
	in_batch "$left" <<-END
		link add pvs0 type pvsvpn
		addr add 10.1.0.1/32 dev pvs0
		link set pvs0 up
	END
	routed_by_mark
	ctl "$left" set pvs0 if-id 42
	adopted_states "$2"
	# "src" is needed, since the kernel would choose addresses of the router's side
	ip -n "$left" route add 10.2.0.0/16 dev pvs0 src 10.1.0.1
	learns_the_path
}

path_MTU_of_adopted_SAs_over_IPv4() { adopted_by_mark 4 none; }
path_MTU_of_adopted_SAs_over_IPv6() { adopted_by_mark 6 none; }
path_MTU_of_adopted_SAs_over_a_daemon_s_port_and_IPv4() { adopted_by_mark 4 udp; }
path_MTU_of_adopted_SAs_over_a_daemon_s_port_and_IPv6() { adopted_by_mark 6 udp; }

# in_a_vrf FAMILY ENCAP: the left's wire is in a VRF; outside it, all packets go into the tunnel
in_a_vrf()
{
	wire_with_router
	outside "$1"
	modprobe -q vrf || :
	ip -n "$left" link add vrf9 type vrf table 9 2>"$tmp/vrf" || skip "no VRF: $(cat "$tmp/vrf")"
	in_batch "$left" <<-END
		link set vrf9 up
		link set outer0 master vrf9
		addr replace 192.0.2.1/24 dev outer0
		addr replace 2001:db8:1::1/64 dev outer0 nodad
		route replace 0.0.0.0/0 via 192.0.2.254 table 9
		route replace ::/0 via 2001:db8:1::fe table 9
	END
	own_ends "$2"
	in_batch "$left" <<-END
		route replace 0.0.0.0/0 dev pvs0
		route replace ::/0 dev pvs0
	END
	ctl "$left" peer set pvs0 right dev vrf9
	learns_the_path
}

path_MTU_in_a_VRF_over_IPv4() { in_a_vrf 4 none; }
path_MTU_in_a_VRF_over_IPv6() { in_a_vrf 6 none; }
path_MTU_in_a_VRF_over_UDP_and_IPv4() { in_a_vrf 4 udp; }
path_MTU_in_a_VRF_over_UDP_and_IPv6() { in_a_vrf 6 udp; }

# by_link FAMILY ENCAP: the route by the peer's link is used, which is not the best route
by_link()
{
	wire_with_router
	outside "$1"
	own_ends "$2"
	in_batch "$left" <<-END
		route del 0.0.0.0/0
		route del ::/0
		route add 0.0.0.0/0 dev pvs0 metric 10
		route add ::/0 dev pvs0 metric 10
		route add 0.0.0.0/0 via 192.0.2.254 metric 20
		route add ::/0 via 2001:db8:1::fe metric 20
	END
	ctl "$left" peer set pvs0 right dev outer0
	learns_the_path
}

path_MTU_by_link_over_IPv4() { by_link 4 none; }
path_MTU_by_link_over_IPv6() { by_link 6 none; }
path_MTU_by_link_over_UDP_and_IPv4() { by_link 4 udp; }
path_MTU_by_link_over_UDP_and_IPv6() { by_link 6 udp; }

# ---- another gateway ----

# another_router: $other is on the link of $left and $router, and has its own link to $right.
# $router forwards to it, and so sends redirects to the left
#
#   $left ---- near0 $router far0 ---- $right
#                br0 fe80::fe             |
#                 |                       |
#    192.0.2.253 near0 $other far0 -------+
#       fe80::fd
another_router()
{
	new_ns other
	ip -n "$router" link add br0 type bridge
	ip link add near0 netns "$other" type veth peer name near1 netns "$router"
	ip link add far0 netns "$other" type veth peer name outer1 netns "$right"
	in_batch "$router" <<-END
		link set br0 addrgenmode none
		link set near0 addrgenmode none
		link set near0 master br0
		link set near1 master br0
		addr flush dev near0
		addr add 192.0.2.254/24 dev br0
		addr add 2001:db8:1::fe/64 dev br0 nodad
		addr add fe80::fe/64 dev br0 nodad
		link set near1 up
		link set br0 up
		route add 198.51.100.2/32 via 192.0.2.253
		route add 2001:db8:2::2/128 via fe80::fd dev br0
	END
	in_batch "$other" <<-END
		link set near0 addrgenmode none
		link set near0 up
		link set far0 up
		addr add 192.0.2.253/24 dev near0
		addr add fe80::fd/64 dev near0 nodad
		addr add fe80::1/64 dev far0 nodad
		route add 198.51.100.2/32 dev far0
		route add 2001:db8:2::2/128 via fe80::2 dev far0
	END
	in_ns "$other" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	in_batch "$right" <<-END
		link set outer1 up
		addr add fe80::2/64 dev outer1 nodad
	END
	ip -n "$left" -6 route replace ::/0 via fe80::fe dev outer0 table 77
}

# goes_by GATEWAY: the left sends marked packets by this gateway
goes_by() { grep -q "via $1 " <<<"$(ip -n "$left" route get "$right_outer" mark 7)"; }

# A router sends redirects only when it knows the other's hardware address, so try repeatedly
goes_by_now()
{
	in_ns "$left" ping -q -c 1 -W 1 10.2.0.1 >/dev/null
	goes_by "$1"
}

# redirected FAMILY ENCAP GATEWAY OTHER
redirected()
{
	wire_with_router
	outside "$1"
	own_ends "$2"
	ctl "$left" set pvs0 fwmark 7
	routed_by_mark
	another_router
	goes_by "$3" || fail "the way is not by $3:" "$(ip -n "$left" route get "$right_outer" mark 7)"
	wait_for "the way by $4" goes_by_now "$4"
	pings "$left" 10.2.0.1
	check 'errors not believed' "$(drop_count "$left" pvs0 rx_icmp)" 0
}

another_gateway_over_IPv4() { redirected 4 none 192.0.2.254 192.0.2.253; }
another_gateway_over_IPv6() { redirected 6 none fe80::fe fe80::fd; }
another_gateway_over_UDP_and_IPv4() { redirected 4 udp 192.0.2.254 192.0.2.253; }
another_gateway_over_UDP_and_IPv6() { redirected 6 udp fe80::fe fe80::fd; }

# ---- NAT keepalives ----

# capture FILTER: captures at the right, from now on, to $tmp/seen
capture()
{
	background ip netns exec "$right" tcpdump -nlx -i outer0 "$1" >"$tmp/seen" 2>"$tmp/tcpdump"
	wait_for 'tcpdump to listen' grep -q 'listening on' "$tmp/tcpdump"
}

# outbound_state SPI [ARGUMENTS...]: replaces all others
outbound_state()
{
	ip -n "$left" xfrm state flush
	state "$left" "$left_outer" "$right_outer" "$1" "$("$PVSVPNCTL" genkey aes128gcm16)" "${@:2}"
}

# Dummy packets continue and serve as the clock: in the time of three, plain ESP has no keepalive
NAT_keepalives_follow_a_peer_that_moves()
{
	wire_with_router
	outside 4
	ip -n "$left" link add pvs0 type pvsvpn
	ip -n "$left" link set pvs0 up
	ctl "$left" peer add pvs0 right remote "$right_outer" encap udp nat-keepalive 1 keepalive 3
	ctl "$left" set pvs0 if-id 42
	capture "src $left_outer and (ip proto 50 or udp port 4500)"
	outbound_state 0x1001
	wait_for 'plain ESP' is none show "$left" peers.0.encap
	wait_for 'three dummy packets' at_least 3 grep -c 'spi=0x00001001' "$tmp/seen"
	check 'packets of one byte' "$(grep -cE '0x0000: +45[0-9a-f]{2} 0015' "$tmp/seen")" 0
	outbound_state 0x1003 encap espinudp 4500 4500 0.0.0.0
	wait_for 'ESP in UDP' is udp show "$left" peers.0.encap
	# 20 bytes of IPv4, 8 of UDP, 1 of payload
	wait_for 'NAT keepalives' at_least 2 grep -cE '0x0000: +45[0-9a-f]{2} 001d' "$tmp/seen"
}

run_cases path_MTU_by_mark_over_IPv4 path_MTU_by_mark_over_IPv6 \
	path_MTU_by_mark_over_UDP_and_IPv4 path_MTU_by_mark_over_UDP_and_IPv6 \
	path_MTU_of_adopted_SAs_over_IPv4 path_MTU_of_adopted_SAs_over_IPv6 \
	path_MTU_of_adopted_SAs_over_a_daemon_s_port_and_IPv4 \
	path_MTU_of_adopted_SAs_over_a_daemon_s_port_and_IPv6 \
	path_MTU_in_a_VRF_over_IPv4 path_MTU_in_a_VRF_over_IPv6 \
	path_MTU_in_a_VRF_over_UDP_and_IPv4 path_MTU_in_a_VRF_over_UDP_and_IPv6 \
	path_MTU_by_link_over_IPv4 path_MTU_by_link_over_IPv6 \
	path_MTU_by_link_over_UDP_and_IPv4 path_MTU_by_link_over_UDP_and_IPv6 \
	another_gateway_over_IPv4 another_gateway_over_IPv6 \
	another_gateway_over_UDP_and_IPv4 another_gateway_over_UDP_and_IPv6 \
	NAT_keepalives_follow_a_peer_that_moves
