#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Stock Linux IPsec (XFRM with an xfrm interface) at the other end.
#
#   namespace $gw                                   namespace $stock
#   pvs0 10.1.0.1 fd00:1::1                         ipsec0 10.2.0.1 fd00:2::1
#     outer0 192.0.2.1 -------------veth------------- outer0 192.0.2.2
#
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# stock_state NS SRC DST SPI KEY IF_ID, for aes128gcm16
# A window of 1024, as ours: two CPUs that send at once reorder by more than 32.
stock_state()
{
	ip -n "$1" xfrm state add src "$2" dst "$3" proto esp spi "$4" mode tunnel \
		aead 'rfc4106(gcm(aes))' "0x$5" 128 if_id "$6" replay-window 1024 flag af-unspec
}

# stock_policies NS LOCAL REMOTE IF_ID
stock_policies()
{
	local any dir

	for any in 0.0.0.0/0 ::/0; do
		ip -n "$1" xfrm policy add dir out src $any dst $any if_id "$4" \
			tmpl src "$2" dst "$3" proto esp mode tunnel
		for dir in in fwd; do
			ip -n "$1" xfrm policy add dir $dir src $any dst $any if_id "$4" \
				tmpl src "$3" dst "$2" proto esp mode tunnel
		done
	done
}

# stock_device NS LOCAL REMOTE DEV IF_ID: an xfrm interface, all traffic of which is for REMOTE
stock_device()
{
	ip -n "$1" link add "$4" type xfrm dev outer0 if_id "$5"
	stock_policies "$1" "$2" "$3" "$5"
	# No packets of the host's own into the tunnel: they count where a state is missing
	ip -n "$1" link set "$4" addrgenmode none up
}

# inner NS DEV ADDR4 ADDR6 TO4 TO6: addresses and routes of a tunnel's end
inner()
{
	ip -n "$1" addr add "$3/32" dev "$2"
	ip -n "$1" addr add "$4/128" dev "$2" nodad
	ip -n "$1" route add "$5" dev "$2" src "$3"
	ip -n "$1" route add "$6" dev "$2" src "$4"
}

# ends: the namespaces and the wire of lib.sh
ends()
{
	wire_up
	gw=$left stock=$right
}

# devices: both ends, without SAs
devices()
{
	ends
	ip -n "$gw" link add pvs0 type pvsvpn
	ctl "$gw" peer add pvs0 stock local 192.0.2.1 remote 192.0.2.2
	ip -n "$gw" link set pvs0 addrgenmode none up
	inner "$gw" pvs0 10.1.0.1 fd00:1::1 10.2.0.0/24 fd00:2::/64
	stock_device "$stock" 192.0.2.2 192.0.2.1 ipsec0 42
	inner "$stock" ipsec0 10.2.0.1 fd00:2::1 10.1.0.0/24 fd00:1::/64
}

# tunnel: from nothing to both ends up, with aes128gcm16
tunnel()
{
	local there back

	devices
	there=$("$PVSVPNCTL" genkey aes128gcm16)
	back=$("$PVSVPNCTL" genkey aes128gcm16)
	ctl "$gw" sa add pvs0 stock dir out spi 0x1001 transform aes128gcm16 key-file - <<<"$there"
	ctl "$gw" sa add pvs0 stock dir in spi 0x1002 transform aes128gcm16 key-file - <<<"$back"
	stock_state "$stock" 192.0.2.1 192.0.2.2 0x1001 "$there" 42
	stock_state "$stock" 192.0.2.2 192.0.2.1 0x1002 "$back" 42
}

# pings_all NS ADDR...: small and large
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

# errors NS: the error counters of all devices and of stock IPsec, one a line
errors()
{
	in_ns "$1" awk 'NR > 2 { print $1, "rx", $4, $5, $6, $7, "tx", $12, $13, $14, $15, $16 }' \
		/proc/net/dev
	in_ns "$1" cat /proc/net/xfrm_stat
	ip -n "$1" -s xfrm state | grep failed || true
}

# What must not move, of both ends
all_errors()
{
	errors "$gw"
	errors "$stock"
	ctl "$gw" stats | grep -vE ' ([rt]x_)?(packets|bytes) [0-9]+$'
}

# no_errors BEFORE
no_errors()
{
	local moved

	moved=$(diff <(echo "$1") <(all_errors)) || fail "error counters have moved:" "$moved"
}

# Everything arrives, started from either end, and no error counter moves
pings_of_all_kinds()
{
	local before

	tunnel
	before=$(all_errors)
	pings_all "$gw" 10.2.0.1 fd00:2::1
	pings_all "$stock" 10.1.0.1 fd00:1::1
	no_errors "$before"
}

# way NUMBER OUR-ADDRESS STOCK-ADDRESS PEER [ENCAP]: a peer of pvs0 and an xfrm interface
# for it; the inner addresses follow from NUMBER, the if_id from the interface
way()
{
	local ours=$1 theirs=$(($1 + 1)) if_id=$(($1 / 2 + 42))

	ctl "$gw" peer add pvs0 "$4" remote "$3" encap "${5:-none}" \
		subnets "10.$theirs.0.0/24,fd00:$theirs::/64"
	inner "$gw" pvs0 "10.$ours.0.1" "fd00:$ours::1" "10.$theirs.0.0/24" "fd00:$theirs::/64"
	stock_device "$stock" "$3" "$2" "ipsec$if_id" $if_id
	inner "$stock" "ipsec$if_id" "10.$theirs.0.1" "fd00:$theirs::1" "10.$ours.0.0/24" "fd00:$ours::/64"
}

# daemon FAMILY: a socket with which stock IPsec receives ESP in UDP
daemon()
{
	background ip netns exec "$stock" /usr/bin/python3 -IS "$here/encap_daemon.py" 4500 "$1" \
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
	ip -n "$gw" link set pvs0 addrgenmode none up
	way 1 192.0.2.1 192.0.2.2 stock4
	way 3 2001:db8::1 2001:db8::2 stock6
	way 5 192.0.2.1 192.0.2.2 stock4u udp
	way 7 2001:db8::1 2001:db8::2 stock6u udp
}

# Everything arrives, started from either end, and no error counter moves
pings_of_all_kinds()
{
	local before

	tunnel
	before=$(all_errors)
	pings_all "$gw" 10.2.0.1 fd00:2::1
	pings_all "$stock" 10.1.0.1 fd00:1::1
	no_errors "$before"
}

# With and without ESN, by every way, IPv4 and IPv6 inside, both directions
every_transform()
{
	local status=0

	every_way
	"$here/interop_matrix.py" "$gw" "$stock" >"$tmp/matrix" 2>&1 || status=$?
	report <"$tmp/matrix"
	[ $status -eq 0 ] || fail "see the matrix"
}

# iperf OPTIONS...: 256 MiB of TCP are received. A little more is sent: iperf3 leaves
# unsent what is in the socket after its last write
iperf()
{
	local report bytes wanted

	wanted=$(mib 256)
	wanted=${wanted%M}
	report=$(in_ns "$gw" timeout 300 iperf3 -J -c 10.2.0.1 -n $((wanted + 8))M "$@") || fail "iperf3 $*: $report"
	bytes=$(grep -A 8 '"sum_received"' <<<"$report" | grep -oE '"bytes":[[:space:]]*[0-9]+')
	[ "${bytes##*[!0-9]}" -ge $((wanted << 20)) ] || fail "iperf3 $*: received $bytes"
}

# 256 MiB each way, and no error counter moves at either end
tcp_256_MiB_each_way()
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

run_cases pings_of_all_kinds every_transform tcp_256_MiB_each_way \
	both_kinds_between_the_same_addresses
