#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Several peers on a device, the inner source address, the SA of a peer's packets.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# of_peer NS PEER FIELD: from "pvsvpnctl show"
of_peer()
{
	ctl "$1" -j show pvs0 | jq -r --arg peer "$2" --arg field "$3" '
		.devices[0].peers[] | select(.name == $peer)[$field]'
}

# of_sa NS PEER DIR SPI FIELD: from "pvsvpnctl show"
of_sa()
{
	ctl "$1" -j show pvs0 |
		jq -r --arg peer "$2" --arg dir "$3" --argjson spi $(($4)) --arg field "$5" '
		.devices[0].peers[] | select(.name == $peer).sas[]
		| select(.dir == $dir and .spi == $spi)[$field]'
}

# out_sa NS PEER SPI: with a new key
out_sa()
{
	"$PVSVPNCTL" genkey aes128gcm16 |
		ctl "$1" sa add pvs0 "$2" dir out spi "$3" transform aes128gcm16 key-file -
}

# many_peers: nested subnets, given to peers in mixed order
many_peers()
{
	local peer subnets spi=0x3000

	wire_up
	ip -n "$left" link add pvs0 type pvsvpn
	ip -n "$left" link set pvs0 up
	while read -r peer subnets; do
		spi=$((spi + 1))
		ctl "$left" peer add pvs0 "$peer" remote 192.0.2.2 subnets "$subnets"
		out_sa "$left" "$peer" $spi
	done <<-END
		net24 10.2.3.0/24,fd00:2:0:3::/64
		host 10.2.3.4/32,fd00:2:0:3::4/128
		net9 10.0.0.0/9
		net16 10.2.0.0/16,fd00:2::/32
		rest 0.0.0.0/0,::/0
		half 10.2.3.128/25,fd00:2:0:3:8000::/65
	END
	ip -n "$left" addr add 172.16.0.1/32 dev pvs0
	ip -n "$left" addr add fd00:99::1/128 dev pvs0 nodad
	ip -n "$left" route add 0.0.0.0/1 dev pvs0
	ip -n "$left" route add fd00::/8 dev pvs0
}

# tx_of_peers: prints "NAME PACKETS" for each peer
tx_of_peers()
{
	ctl "$left" -j show pvs0 | jq -r '.devices[0].peers[] | "\(.name) \(.tx_packets)"'
}

# go_to LINE...: "PEER ADDRESS"; a datagram to ADDRESS is counted with PEER and no other. The peer
# with ff00::/8 may also count some multicast.
go_to()
{
	local line

	tx_of_peers >"$tmp/before"
	for line; do
		in_ns "$left" bash -c "echo x >/dev/udp/${line#* }/9"
	done
	tx_of_peers >"$tmp/after"
	printf '%s\n' "$@" | awk '
		FILENAME == "-" { want[$1]++; next }
		!($1 in before) { before[$1] = $2; next }
		{
			gone = $2 - before[$1]
			if (gone < want[$1] || (gone > want[$1] && $1 != "rest" && $1 != "all")) {
				print gone " packets to " $1 ", should be " want[$1] + 0
				exit 1
			}
		}' - "$tmp/before" "$tmp/after"
}

longest_prefix_picks_the_peer()
{
	many_peers
	go_to 'host 10.2.3.4' 'net24 10.2.3.5' 'half 10.2.3.128' 'net16 10.2.4.1' 'net9 10.3.0.1' \
		'net9 10.127.255.255' 'rest 10.128.0.1' 'rest 11.0.0.1'
	go_to 'host fd00:2:0:3::4' 'net24 fd00:2:0:3::5' 'half fd00:2:0:3:8000::' \
		'net16 fd00:2:0:4::1' 'rest fd00:3::1'
}

subnets_move_between_peers()
{
	many_peers
	ctl "$left" peer del pvs0 host
	go_to 'net24 10.2.3.4'
	ctl "$left" peer set pvs0 net24 subnets 10.2.7.0/24
	go_to 'net16 10.2.3.4' 'net24 10.2.7.7'
	ctl "$left" peer set pvs0 net9 subnets 10.0.0.0/9,10.2.3.0/24
	go_to 'net9 10.2.3.4' 'net16 fd00:2:0:3::5'
}

a_peer_without_subnets_takes_everything()
{
	wire_up
	ip -n "$left" link add pvs0 type pvsvpn
	ip -n "$left" link set pvs0 up
	ctl "$left" peer add pvs0 all remote 192.0.2.2
	out_sa "$left" all 0x3001
	ip -n "$left" addr add 172.16.0.1/32 dev pvs0
	ip -n "$left" addr add fd00:99::1/128 dev pvs0 nodad
	ip -n "$left" route add 128.0.0.0/1 dev pvs0
	ip -n "$left" route add 2000::/3 dev pvs0
	go_to 'all 203.0.113.5' 'all 2001:db8::1'
}

# rejected FROM TO: a ping from inner address FROM is counted as rx_source only
rejected()
{
	local before after

	before=$(drop_count "$left" pvs0 rx_source right 0x1002)
	unreachable "$right" "$2" -I "$1"
	wait_for "rx_source for $1" at_least $((before + 1)) \
		drop_count "$left" pvs0 rx_source right 0x1002
	after=$(drop_count "$left" pvs0 rx_source right 0x1002)
	check 'rx_source of the peer' "$(drop_count "$left" pvs0 rx_source right)" "$after"
	check 'rx_source of the device' "$(drop_count "$left" pvs0 rx_source)" "$after"
	check 'rx errors of ip -s link' "$(link_stat "$left" pvs0 rx.errors)" "$after"
}

wrong_inner_source_is_dropped_and_counted()
{
	tunnel_up
	ip -n "$right" addr add 10.99.0.1/32 dev lo
	ip -n "$right" addr add fd00:99::1/128 dev lo nodad
	# The answer would have a route back
	ip -n "$left" route add 10.99.0.0/16 dev pvs0
	rejected 10.99.0.1 10.1.0.1
	rejected fd00:99::1 fd00:1::1
	pings "$right" 10.1.0.1 -I 10.2.0.1
}

# If another peer has a nested prefix, its addresses are not this peer's any more
source_in_a_nested_subnet_of_another_peer()
{
	tunnel_up
	ip -n "$right" addr add 10.2.3.4/32 dev lo
	pings "$right" 10.1.0.1 -I 10.2.3.4
	ctl "$left" peer add pvs0 other remote 192.0.2.9 subnets 10.2.3.0/24
	rejected 10.2.3.4 10.1.0.1
	ctl "$left" peer del pvs0 other
	pings "$right" 10.1.0.1 -I 10.2.3.4
}

newest_outbound_SA_is_current()
{
	tunnel_up
	check 'first' "$(show "$left" peers.0.tx_spi)" $((0x1001))
	sa_pair aes256gcm16 0x2001 "$("$PVSVPNCTL" genkey aes256gcm16)" "$left" right "$right" left
	check 'second' "$(show "$left" peers.0.tx_spi)" $((0x2001))
	pings "$left" 10.2.0.1
	check 'packets with the first' "$(of_sa "$left" right out 0x1001 packets)" 0
	at_least 2 of_sa "$right" left in 0x2001 packets || fail 'nothing came by the second'
	sa_pair chacha20poly1305 0x1500 "$("$PVSVPNCTL" genkey chacha20poly1305)" "$left" right "$right" left
	check 'third' "$(show "$left" peers.0.tx_spi)" $((0x1500))
	pings "$left" fd00:2::1
}

removal_falls_back_to_the_newest_that_remains()
{
	local spi

	tunnel_up
	for spi in 0x2001 0x1500 0x3001; do
		sa_pair aes128gcm16 $spi "$("$PVSVPNCTL" genkey aes128gcm16)" "$left" right "$right" left
	done
	ctl "$left" sa del pvs0 right spi 0x2001 dir out
	check 'an old one removed' "$(show "$left" peers.0.tx_spi)" $((0x3001))
	ctl "$left" sa del pvs0 right spi 0x3001 dir out
	check 'the newest removed' "$(show "$left" peers.0.tx_spi)" $((0x1500))
	pings "$left" 10.2.0.1
	ctl "$left" sa del pvs0 right spi 0x1500 dir out
	check 'the next removed' "$(show "$left" peers.0.tx_spi)" $((0x1001))
	pings "$left" 10.2.0.1
	ctl "$left" sa del pvs0 right spi 0x1001 dir out
	check 'none left' "$(of_peer "$left" right tx_spi)" null
	check 'peer up' "$(of_peer "$left" right up)" false
}

# lost_at_most_one FILE: only the packet in flight when ping was stopped
lost_at_most_one()
{
	awk '/packets transmitted/ { ok = $1 > 12 && $4 >= $1 - 1 } END { exit !ok }' "$1" ||
		fail "$(tail -n 3 "$1")"
}

# A rekey every few packets, in a daemon's order: add inbound, add outbound, delete the old SAs
rekeys_lose_nothing()
{
	local spi

	tunnel_up
	ip netns exec "$left" ping -q -i 0.05 -W 20 10.2.0.1 >"$tmp/flow" &
	ping=$!
	defer "kill $ping 2>/dev/null"
	for spi in {8193..8200}; do
		sa_pair aes128gcm16 "$spi" "$("$PVSVPNCTL" genkey aes128gcm16)" \
			"$left" right "$right" left
		[ "$spi" = 8193 ] || ctl "$left" sa del pvs0 right spi $((spi - 1)) dir out
		wait_for "a packet by $spi" at_least 1 of_sa "$right" left in "$spi" packets
	done
	kill -INT $ping
	wait $ping || :
	lost_at_most_one "$tmp/flow"
}

fifty_inbound_SAs()
{
	local spi key

	tunnel_up
	key=$("$PVSVPNCTL" genkey aes128gcm16)
	for spi in {8193..8242}; do
		echo "sa add pvs0 left dir in spi $spi transform aes128gcm16 key-file $tmp/key"
	done >"$tmp/batch"
	(umask 077 && echo "$key" >"$tmp/key")
	ctl "$right" -b "$tmp/batch"
	check 'SAs of the peer' "$(ctl "$right" -j show pvs0 | grep -c '"dir": "in"')" 51
	for spi in 8193 8217 8242; do
		ctl "$left" sa add pvs0 right dir out spi $spi transform aes128gcm16 key-file "$tmp/key"
		pings "$left" 10.2.0.1
		at_least 2 of_sa "$right" left in $spi packets || fail "nothing came by $spi"
	done
	pings "$right" 10.1.0.1
}

# No SA, no peer or no route: each is counted, and the sender gets an error at once
what_cannot_leave_is_counted()
{
	tunnel_up
	ip -n "$left" route add 10.9.0.0/16 dev pvs0
	in_ns "$left" ping -c 1 -W 5 10.9.0.1 >"$tmp/out" || :
	grep -q 'Destination Host Unreachable' "$tmp/out" || fail 'no ICMP for tx_no_peer' "$(cat "$tmp/out")"
	check tx_no_peer "$(drop_count "$left" pvs0 tx_no_peer)" 1
	ctl "$left" peer add pvs0 nine remote 192.0.2.9 subnets 10.9.0.0/16
	in_ns "$left" ping -c 1 -W 1 10.9.0.1 >/dev/null || :
	check tx_no_sa "$(drop_count "$left" pvs0 tx_no_sa nine)" 1
	ctl "$left" peer set pvs0 nine remote 203.0.113.9
	out_sa "$left" nine 0x4001
	in_ns "$left" ping -c 1 -W 1 10.9.0.1 >/dev/null || :
	check tx_no_route "$(drop_count "$left" pvs0 tx_no_route nine)" 1
	check 'tx errors of ip -s link' "$(link_stat "$left" pvs0 tx.errors)" 3
	check 'of the other peer' "$(drop_count "$left" pvs0 tx_no_route right)" 0
}

unknown_SPI_from_a_peer_is_counted()
{
	pair_up
	out_sa "$left" right 0x7001
	unreachable "$left" 10.2.0.1
	wait_for rx_unknown_spi at_least 1 drop_count "$right" pvs0 rx_unknown_spi left
}

# The remote gets another address, and packets follow
remote_is_changed()
{
	tunnel_up
	pings "$left" 10.2.0.1
	ip -n "$right" addr add 192.0.2.22/24 dev "$right_dev"
	ctl "$left" peer set pvs0 right remote 192.0.2.22
	check remote "$(show "$left" peers.0.remote)" 192.0.2.22
	pings "$left" 10.2.0.1
	ip -n "$left" addr add 192.0.2.11/24 dev $left_dev
	ctl "$left" peer set pvs0 right local 192.0.2.11
	check local "$(show "$left" peers.0.local)" 192.0.2.11
}

run_cases longest_prefix_picks_the_peer subnets_move_between_peers \
	a_peer_without_subnets_takes_everything wrong_inner_source_is_dropped_and_counted \
	source_in_a_nested_subnet_of_another_peer newest_outbound_SA_is_current \
	removal_falls_back_to_the_newest_that_remains rekeys_lose_nothing fifty_inbound_SAs \
	what_cannot_leave_is_counted unknown_SPI_from_a_peer_is_counted remote_is_changed
