#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Stock Linux IPsec at the other end, with every encapsulation and transform.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"

# pings_all NS ADDR...: small and large pings
pings_all()
{
	local ns=$1 addr size

	shift
	for addr; do
		for size in 56 1300; do
			pings "$ns" "$addr" -s $size
		done
	done
}

# All pings arrive, started from either end, and no error counter moves
pings_of_all_kinds()
{
	local before

	tunnel
	before=$(all_errors)
	pings_all "$gw" 10.2.0.1 fd00:2::1
	pings_all "$stock" 10.1.0.1 fd00:1::1
	no_errors "$before"
}

# way NUMBER OUR-ADDRESS STOCK-ADDRESS PEER [ENCAP]: a peer of pvs0 and an xfrm interface for it;
# NUMBER determines the inner addresses, the interface the if_id
way()
{
	local ours=$1 theirs=$(($1 + 1)) if_id=$(($1 / 2 + 42))

	ctl "$gw" peer add pvs0 "$4" remote "$3" encap "${5:-none}" \
		subnets "10.$theirs.0.0/24,fd00:$theirs::/64"
	inner "$gw" pvs0 "10.$ours.0.1" "fd00:$ours::1" "10.$theirs.0.0/24" "fd00:$theirs::/64"
	stock_device "$stock" "$3" "$2" "ipsec$if_id" $if_id
	inner "$stock" "ipsec$if_id" "10.$theirs.0.1" "fd00:$theirs::1" "10.$ours.0.0/24" "fd00:$ours::/64"
}

# daemon FAMILY: opens a socket through which stock IPsec receives ESP in UDP
daemon()
{
	background ip netns exec "$stock" /usr/bin/python3 -IS "$lib/encap_daemon.py" 4500 "$1" \
		>"$tmp/daemon$1"
	wait_for "the daemon's socket" grep -q ready "$tmp/daemon$1"
}

# every_way: IPv4 and IPv6 outside, plain and in UDP
every_way()
{
	ends
	ip -n "$gw" addr add 2001:db8::1/64 dev outer0 nodad
	ip -n "$stock" addr add 2001:db8::2/64 dev outer0 nodad
	daemon 4
	daemon 6
	ip -n "$gw" link add pvs0 type pvsvpn
	quiet_up "$gw" pvs0
	way 1 192.0.2.1 192.0.2.2 stock4
	way 3 2001:db8::1 2001:db8::2 stock6
	way 5 192.0.2.1 192.0.2.2 stock4u udp
	way 7 2001:db8::1 2001:db8::2 stock6u udp
}

# All pings arrive, started from either end, and no error counter moves
pings_of_all_kinds()
{
	local before

	tunnel
	before=$(all_errors)
	pings_all "$gw" 10.2.0.1 fd00:2::1
	pings_all "$stock" 10.1.0.1 fd00:1::1
	no_errors "$before"
}

# Each way with and without ESN, IPv4 and IPv6 inside, both directions
every_transform()
{
	local status=0

	every_way
	"$here/interop_matrix.py" "$gw" "$stock" >"$tmp/matrix" 2>&1 || status=$?
	report <"$tmp/matrix"
	[ $status -eq 0 ] || fail "see the matrix"
}

# iperf OPTIONS...: receives 256 MiB of TCP if the test is named, else 32. A little more is sent:
# iperf3 does not send what is still in the socket after its last write
iperf()
{
	local report bytes wanted

	wanted=$(mib "$([ -n "${EVERY-}" ] && echo 256 || echo 32)")
	wanted=${wanted%M}
	report=$(in_ns "$gw" timeout 300 iperf3 -J -c 10.2.0.1 -n $((wanted + 8))M "$@") || fail "iperf3 $*: $report"
	bytes=$(grep -A 8 '"sum_received"' <<<"$report" | grep -oE '"bytes":[[:space:]]*[0-9]+')
	[ "${bytes##*[!0-9]}" -ge $((wanted << 20)) ] || fail "iperf3 $*: received $bytes"
}

# Also, no error counter moves at either end
tcp_each_way()
{
	local before

	tunnel
	before=$(all_errors)
	iperf_server "$stock"
	iperf
	iperf -R
	no_errors "$before"
}

# second_tunnel: stock IPsec at both ends, between the same two addresses
second_tunnel()
{
	local there back

	there=$("$PVSVPNCTL" genkey aes128gcm16)
	back=$("$PVSVPNCTL" genkey aes128gcm16)
	stock_device "$gw" 192.0.2.1 192.0.2.2 ipsec1 7
	stock_device "$stock" 192.0.2.2 192.0.2.1 ipsec1 7
	for ns in "$gw" "$stock"; do
		stock_state "$ns" 192.0.2.1 192.0.2.2 0x2001 "$there" 7
		stock_state "$ns" 192.0.2.2 192.0.2.1 0x2002 "$back" 7
	done
	inner "$gw" ipsec1 10.3.0.1 fd00:3::1 10.4.0.0/24 fd00:4::/64
	inner "$stock" ipsec1 10.4.0.1 fd00:4::1 10.3.0.0/24 fd00:3::/64
}

# An SPI that pvsvpn does not know reaches stock IPsec on the same host.
both_kinds_between_the_same_addresses()
{
	local before

	tunnel
	second_tunnel
	before=$(all_errors)
	pings_all "$gw" 10.2.0.1 10.4.0.1 fd00:4::1
	pings_all "$stock" 10.1.0.1 10.3.0.1 fd00:3::1
	check "rx_unknown_spi" "$(drop_count "$gw" pvs0 rx_unknown_spi)" 0
	no_errors "$before"
}

run_cases pings_of_all_kinds every_transform tcp_each_way \
	both_kinds_between_the_same_addresses
