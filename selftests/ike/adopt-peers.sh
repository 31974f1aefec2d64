#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The peer of an adopted SA, the addresses of its packets and its direction: the state itself
# decides all three, whatever other reqids, names and addresses exist.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"
# shellcheck source=../lib/states.sh
. "$(dirname "$0")/../lib/states.sh"

# two_sites: a gateway with a peer for each of two sites; the wire is a dummy device
two_sites()
{
	new_ns gw
	ip -n "$gw" link add outer0 type dummy
	in_batch "$gw" <<-END
		addr add 192.0.2.1/24 dev outer0
		addr add 192.0.2.4/24 dev outer0
		link set outer0 up
		neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev outer0
		neigh add 192.0.2.3 lladdr 02:00:00:00:00:03 dev outer0
		link add pvs0 type pvsvpn
		addr add 10.1.0.1/32 dev lo
	END
	ctl "$gw" set pvs0 if-id 42
	quiet_up "$gw" pvs0
	ip -n "$gw" route add 10.0.0.0/8 dev pvs0 src 10.1.0.1
	new_keys
}

# out_state DST SPI KEY [ARGUMENTS...]
out_state()
{
	state "$gw" 192.0.2.1 "$1" "$2" "${@:4}" aead "$GCM" "$3" 128
}

# remote_of PEER: the remote address of this peer of the gateway
remote_of()
{
	ctl "$gw" -j show pvs0 | jq -r --arg name "$1" '.devices[0].peers[] | select(.name == $name) | .remote'
}

# sent ADDRESS COUNT: the gateway sends COUNT packets
sent()
{
	local i

	for ((i = 0; i < $2; i++)); do
		in_ns "$gw" bash -c "echo one >/dev/udp/$1/9"
	done
}

# The connections of both daemons have number 1. No packet for site A may use site B's key
two_gateways_with_one_reqid()
{
	two_sites
	ctl "$gw" peer add pvs0 site-a remote 192.0.2.2 subnets 10.2.0.0/24
	out_state 192.0.2.2 0x1001 "$there" reqid 1
	wait_for 'the SA of site A' is 1 sa_count
	out_state 192.0.2.3 0x2001 "$back" reqid 1
	wait_for 'the SA of site B' is 2 sa_count
	sent 10.2.0.5 2
	check 'packets for A by the key of A' "$(xfrm "$gw" 0x1001 packets)" 2
	check 'packets for A by the key of B' "$(xfrm "$gw" 0x2001 packets)" 0
	check 'address of A' "$(remote_of site-a)" 192.0.2.2
	check 'address of B' "$(remote_of 192.0.2.3)" 192.0.2.3
	sent 10.3.0.5 3
	check 'packets for B by the key of B' "$(xfrm "$gw" 0x2001 packets)" 3
	check 'packets for A by the key of A' "$(xfrm "$gw" 0x1001 packets)" 2
}

# Both gateways have the same address and differ in their ports
two_gateways_behind_one_NAT()
{
	two_sites
	ctl "$gw" peer add pvs0 site-a remote 192.0.2.2 encap udp dport 10001 subnets 10.2.0.0/24
	ctl "$gw" peer add pvs0 site-b remote 192.0.2.2 encap udp dport 10002 subnets 10.3.0.0/24
	out_state 192.0.2.2 0x2001 "$back" reqid 1 encap espinudp 4500 10002 0.0.0.0
	out_state 192.0.2.2 0x1001 "$there" reqid 1 encap espinudp 4500 10001 0.0.0.0
	wait_for 'two SAs' is 2 sa_count
	sent 10.2.0.5 2
	sent 10.3.0.5 3
	check 'packets for A' "$(xfrm "$gw" 0x1001 packets)" 2
	check 'packets for B' "$(xfrm "$gw" 0x2001 packets)" 3
	# A third SA belongs to neither peer, and takes no packets from them
	out_state 192.0.2.2 0x3001 "$back" reqid 1 encap espinudp 4500 10003 0.0.0.0
	wait_for 'its SA' is 3 sa_count
	sent 10.2.0.5 1
	sent 10.3.0.5 1
	check 'packets for the third' "$(xfrm "$gw" 0x3001 packets)" 0
	check 'packets for A' "$(xfrm "$gw" 0x1001 packets)" 3
	check 'packets for B' "$(xfrm "$gw" 0x2001 packets)" 4
}

# outside WHAT: the number of packets that have left, by nft's counters
outside() { in_ns "$gw" nft -j list counter inet t "$1" | jq '.nftables[1].counter.packets'; }

count_outside()
{
	in_ns "$gw" nft -f - <<-END
		table inet t {
			counter plain { }
			counter in_udp { }
			counter other_source { }
			counter marked { }
			chain out {
				type filter hook postrouting priority 0
				oifname outer0 meta l4proto esp counter name plain
				oifname outer0 udp dport 4500 counter name in_udp
				oifname outer0 ip saddr 192.0.2.4 counter name other_source
				oifname outer0 meta mark 9 counter name marked
			}
		}
	END
}

# The newest state is in UDP and has another address; the policy still names the older state
each_SA_has_addresses_of_its_own()
{
	two_sites
	count_outside
	out_state 192.0.2.2 0x1001 "$there" reqid 1
	ip -n "$gw" xfrm policy add dir out src 10.1.0.0/24 dst 10.2.0.0/24 if_id 42 \
		tmpl src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1001 reqid 1 mode tunnel
	wait_for 'the SA' is 1 sa_count
	state "$gw" 192.0.2.4 192.0.2.2 0x2001 reqid 1 encap espinudp 4500 4500 0.0.0.0 \
		output-mark 9 aead "$GCM" "$back" 128
	wait_for 'two SAs' is 2 sa_count
	check 'the SA in use' "$(show "$gw" peers.0.tx_spi)" $((0x1001))
	sent 10.2.0.5 3
	check 'packets of ESP' "$(outside plain)" 3
	check 'packets in UDP' "$(outside in_udp)" 0
	check 'packets from the other address' "$(outside other_source)" 0
	ip -n "$gw" xfrm policy update dir out src 10.1.0.0/24 dst 10.2.0.0/24 if_id 42 \
		tmpl src 192.0.2.4 dst 192.0.2.2 proto esp spi 0x2001 reqid 1 mode tunnel
	wait_for 'the newer SA' is $((0x2001)) show "$gw" peers.0.tx_spi
	sent 10.2.0.5 2
	check 'packets of ESP' "$(outside plain)" 3
	check 'packets in UDP' "$(outside in_udp)" 2
	check 'packets from the other address' "$(outside other_source)" 2
	check 'packets with the mark' "$(outside marked)" 2
	check 'drops' "$(drops "$gw")" ''
}

# XFRM_MSG_UPDSA changes the mark or the if_id
a_state_that_is_updated()
{
	two_sites
	count_outside
	out_state 192.0.2.2 0x1001 "$there" reqid 1
	wait_for 'the SA' is 1 sa_count
	sent 10.2.0.5 1
	update output-mark 9
	wait_for 'the mark' marked_now
	check 'SAs' "$(sa_count)" 1
	update if_id 43
	wait_for 'no SA' is 0 sa_count
	update if_id 42
	wait_for 'the SA' is 1 sa_count
}

# update ARGUMENTS...: updates the state above
update()
{
	ip -n "$gw" xfrm state update src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1001 mode tunnel \
		reqid 1 flag af-unspec replay-window 128 "$@" aead "$GCM" "$there" 128
}

marked_now()
{
	sent 10.2.0.5 1
	[ "$(outside marked)" -gt 0 ]
}

# directions: the directions of the gateway's SAs, by SPI
directions()
{
	ctl "$gw" -j show pvs0 |
		jq -r '[.devices[0].peers[].sas[] | "\(.spi) \(.dir)"] | sort | join(", ")'
}

# Standby gateway: the daemon installs its states before this host has the address
address_that_comes_later()
{
	adopting
	watch "$gw"
	ip -n "$gw" addr del 192.0.2.1/24 dev outer0
	states "$stock" 0x1001
	states "$gw" 0x1001
	said 'sa-refused .* spi 0x00001001 reason direction$'
	check 'SAs' "$(sa_count)" 0
	ip -n "$gw" addr add 192.0.2.1/24 dev outer0
	wait_for 'the SAs' is '4097 out, 4098 in' directions
	pings "$gw" 10.2.0.1
	# If the address is removed and added again, the SAs stay unchanged
	ip -n "$gw" addr del 192.0.2.1/24 dev outer0
	ip -n "$gw" addr add 192.0.2.1/24 dev outer0
	pings "$stock" 10.1.0.1
	check 'SAs' "$(directions)" '4097 out, 4098 in'
}

# The if_ids alone tell the directions apart; no address is local
direction_by_if_id()
{
	two_sites
	ctl "$gw" set pvs0 if-id-in 41 if-id-out 42
	ip -n "$gw" xfrm state add src 198.51.100.1 dst 198.51.100.2 proto esp spi 0x1001 mode tunnel \
		if_id 42 aead "$GCM" "$there" 128
	ip -n "$gw" xfrm state add src 198.51.100.2 dst 198.51.100.1 proto esp spi 0x1002 mode tunnel \
		if_id 41 aead "$GCM" "$back" 128
	wait_for 'both SAs' is '4097 out, 4098 in' directions
}

# Duplicate address detection takes a second or two
tentative_IPv6_address()
{
	adopting
	in_ns "$gw" sysctl -qw net.ipv6.conf.outer0.accept_dad=1 net.ipv6.conf.outer0.dad_transmits=20
	ip -n "$gw" addr add 2001:db8::1/64 dev outer0
	grep -q tentative <<<"$(ip -n "$gw" addr show dev outer0 to 2001:db8::1)" ||
		fail 'the address is not tentative'
	ip -n "$gw" xfrm state add src 2001:db8::1 dst 2001:db8::2 proto esp spi 0x1001 mode tunnel \
		if_id 42 aead "$GCM" "$there" 128
	ip -n "$gw" xfrm state add src 2001:db8::2 dst 2001:db8::1 proto esp spi 0x1002 mode tunnel \
		if_id 42 aead "$GCM" "$back" 128
	wait_for 'both SAs' is '4097 out, 4098 in' directions
}

# If its peer has moved, a daemon installs the same SA with the new address
the_same_SA_under_another_address()
{
	two_sites
	ctl "$gw" peer add pvs0 site-a remote 192.0.2.2 subnets 10.2.0.0/24
	out_state 192.0.2.2 0x1001 "$there" reqid 1
	wait_for 'the SA' is 1 sa_count
	local new="proto esp spi 0x1001 mode tunnel if_id 42 reqid 1 aead $GCM $there 128"
	in_batch "$gw" <<-END
		xfrm state delete src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1001
		xfrm state add src 192.0.2.1 dst 192.0.2.3 $new
	END
	wait_for 'the new address' is 192.0.2.3 show "$gw" peers.0.remote
	check 'its name' "$(show "$gw" peers.0.name)" site-a
	check 'peers, SAs' "$(peer_count), $(sa_count)" '1, 1'
	sent 10.2.0.5 2
	check 'packets' "$(xfrm "$gw" 0x1001 packets)" 2
	# Another key means another SA, with another peer
	ip -n "$gw" xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1001 mode tunnel \
		if_id 42 reqid 1 aead "$GCM" "$back" 128
	wait_for 'another peer' is 2 peer_count
	check 'the first peer' "$(remote_of site-a)" 192.0.2.3
}

# peer_went: how often the peer was down
peer_went() { awk '/peer-down/ && /192\.0\.2\.[23] / { n++ } END { print n + 0 }' "$tmp/events"; }

# refusals: how often the moving state was refused
refusals() { awk '/sa-refused/ && /0x00001001/ { n++ } END { print n + 0 }' "$tmp/events"; }

# A daemon deletes the state before it adds the one with the new address. The peer stays up in
# between, in spite of the limit and of other states that are added and removed meanwhile
peer_stays_up_while_its_SA_moves()
{
	local slow remote

	two_sites
	ctl "$gw" peer add pvs0 site-a remote 192.0.2.2 subnets 10.2.0.0/24
	out_state 192.0.2.2 0x1001 "$there" reqid 1
	wait_for 'the SA' is 1 sa_count
	in_ns "$gw" sysctl -qw net.pvsvpn.max_sas=1
	watch "$gw"
	churn "$gw" 192.0.2.1 0x20000
	read -r slow remote < <(in_ns "$gw" /usr/bin/python3 "$here/adopt_move.py" 192.0.2.1 \
		192.0.2.2 192.0.2.3 0x1001 "${there#0x}" 10)
	echo "moves that were too slow, beside 10 others: $slow" | report
	wait_for 'the new address' is "$remote" show "$gw" peers.0.remote
	[ "$(peer_went)" -le "$slow" ] || fail "the peer went down $(peer_went) times"
	# After a slow move, another state may have taken the place
	[ "$slow" -gt 0 ] || check 'refusals' "$(refusals)" 0
	check 'SAs' "$(sa_count)" 1
}

# Under traffic, the operator names the peer that the states have made, then removes the name
named_and_unnamed_under_traffic()
{
	local i rounds=8

	adopted
	! checkers_on || rounds=3
	watch "$gw"
	flood in "$stock" 10.1.0.1
	flood out "$gw" 10.2.0.1
	for ((i = 0; i < rounds; i++)); do
		ctl "$gw" peer add pvs0 site-b remote 192.0.2.2 subnets 10.2.0.0/24,fd00:2::/64
		check 'the name' "$(show "$gw" peers.0 | jq -r '"\(.name) \(.origin)"')" 'site-b operator'
		ctl "$gw" peer del pvs0 site-b
		check 'the name' "$(show "$gw" peers.0 | jq -r '"\(.name) \(.origin)"')" '192.0.2.2 xfrm'
	done
	flood_end in out
	check 'SAs' "$(sa_count)" 2
	said 'peer-del 192.0.2.2 .*reason renamed' $rounds
	said 'peer-new site-b ' $rounds
	check 'SAs that went' "$(grep -c sa-del "$tmp/events")" 0
	# A name that is refused changes nothing
	expect_refused_in "$gw" 'host bits set' ctl "$gw" peer add pvs0 site-b remote 192.0.2.2 subnets 10.2.0.1/24
}

# Packets wait for a state that the device then refuses: stock IPsec receives them
packets_that_have_waited_in_vain()
{
	local held ping

	adopting
	# This peer takes all addresses, so every state is refused
	ctl "$gw" peer add pvs0 other remote 192.0.2.9
	stock_device "$gw" 192.0.2.1 192.0.2.2 ipsec0 42
	ip -n "$gw" route replace 10.2.0.0/24 dev ipsec0 src 10.1.0.1
	states "$stock" 0x1001
	hold_rtnl held "$gw" outer0
	rtnl_held held
	states "$gw" 0x1001
	in_ns "$stock" ping -q -c 5 -i 0.05 -W 30 10.1.0.1 >"$tmp/ping" &
	ping=$!
	sleep 1
	kill -0 $ping 2>/dev/null || fail 'answered while RTNL was held' "$(cat "$tmp/ping")"
	kill "$held"
	wait $ping || fail 'pings were lost' "$(cat "$tmp/ping")" "$(xfrm_errors)"
	grep -q ' 5 received' "$tmp/ping" || fail 'pings were lost' "$(cat "$tmp/ping")"
	check 'SAs' "$(sa_count)" 0
	# When there is room, the device adopts the states
	ctl "$gw" peer del pvs0 other
	wait_for 'the SAs' is 2 sa_count
}

# If a packet has found the old SA and the SA dies before the packet leaves, it uses the new SA
new_SAs_under_a_flood()
{
	local rekeys=200

	! checkers_on || rekeys=20
	adopting
	"$here/adopt_rekey.py" "$gw" $rekeys >"$tmp/rekey" || fail 'no rekeys' "$(cat "$tmp/rekey")"
	report <"$tmp/rekey"
	check 'drops' "$(drops "$gw")" ''
}

run_cases two_gateways_with_one_reqid two_gateways_behind_one_NAT each_SA_has_addresses_of_its_own \
	a_state_that_is_updated address_that_comes_later direction_by_if_id tentative_IPv6_address \
	the_same_SA_under_another_address peer_stays_up_while_its_SA_moves \
	named_and_unnamed_under_traffic \
	packets_that_have_waited_in_vain new_SAs_under_a_flood
