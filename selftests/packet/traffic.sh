#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Real traffic through two pvsvpn gateways.
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# transform NAME: both families, small and large pings
transform()
{
	tunnel_up "$1"
	check transform "$(show "$left" peers.0.sas.0.transform)" "$1"
	pings "$left" 10.2.0.1
	pings "$left" 10.2.0.1 -s 1400
	pings "$left" fd00:2::1
	pings "$right" fd00:1::1 -s 1380
	check drops "$(drops "$left")$(drops "$right")" ''
}

aes128gcm16() { transform aes128gcm16; }
aes192gcm16() { transform aes192gcm16; }
aes256gcm16() { transform aes256gcm16; }
chacha20poly1305() { transform chacha20poly1305; }
aes256-sha256() { transform aes256-sha256; }
aes128ccm16() { transform aes128ccm16; }

# iperf SECONDS-OR-SIZE OPTIONS...: iperf3 from left; no packet may be dropped
iperf()
{
	in_ns "$left" timeout 100 iperf3 -c 10.2.0.1 -J "$@" >"$tmp/report" ||
		fail "iperf3 $*:" "$(tail -n 5 "$tmp/report")"
	check "drops of iperf3 $*" "$(drops "$left")$(drops "$right")" ''
}

TCP_both_ways()
{
	tunnel_up
	iperf_server "$right"
	iperf -n "$(mib 20)"
	iperf -n "$(mib 20)" -R
	# Segments were split inside: the device carried no packet above its MTU. iperf3 does not
	# send what is still in its socket after its last write.
	show "$left" peers.0 | jq -e '
		.tx_packets > 700 and .tx_bytes / .tx_packets < 1446' >/dev/null ||
		fail "$(show "$left" peers.0)"
}

TCP_over_IPv6()
{
	tunnel_up chacha20poly1305
	iperf_server "$right"
	in_ns "$left" timeout 100 iperf3 -c fd00:2::1 -n "$(mib 10)" >/dev/null
	check drops "$(drops "$left")$(drops "$right")" ''
}

# Datagrams of 8 KiB and 32 KiB are larger than the MTU, so they are fragmented inside
large_UDP()
{
	tunnel_up
	iperf_server "$right"
	iperf -u -b "$(mib 10)" -l 8192 -n 1M
	iperf -u -b "$(mib 10)" -l 32000 -n 1M
	none_lost "$tmp/report"
}

none_lost()
{
	jq -e '.end.sum | .packets > 20 and .lost_packets == 0' "$1" >/dev/null ||
		fail "$(jq .end.sum "$1")"
}

UDP_segmentation_offload()
{
	tunnel_up
	background ip netns exec "$right" /usr/bin/python3 "$here/traffic_udp.py" \
		receive 10.2.0.1 600 >"$tmp/received"
	wait_for 'the receiver' in_ns "$right" sh -c 'ss -Hluan sport = 7000 | grep -q .'
	in_ns "$left" /usr/bin/python3 "$here/traffic_udp.py" send 10.2.0.1 600
	wait_for 'all datagrams' grep -qx whole "$tmp/received"
	check drops "$(drops "$left")$(drops "$right")" ''
}

offloads_off()
{
	local feature

	tunnel_up
	iperf_server "$right"
	for feature in tso gso gro tx; do
		in_ns "$left" ethtool -K pvs0 "$feature" off >/dev/null
		in_ns "$right" ethtool -K pvs0 "$feature" off >/dev/null
		iperf -n "$(mib 2)"
		iperf -n "$(mib 2)" -R
	done
}

# Decrypted segments are merged again: far fewer, larger packets go up.
GRO()
{
	tunnel_up
	iperf_server "$right"
	in_ns "$right" sysctl -qw net.ipv4.tcp_moderate_rcvbuf=1
	background ip netns exec "$right" tcpdump -q -n -Z root -i pvs0 -s 60 -U \
		-w "$tmp/pvs0.pcap" 'tcp and greater 3000' 2>"$tmp/tcpdump"
	wait_for tcpdump grep -q 'listening on' "$tmp/tcpdump"
	wait_for 'packets above the MTU on the receiver' more_and_many_in "$tmp/pvs0.pcap"
}

more_and_many_in()
{
	iperf -n "$(mib 10)"
	[ "$(stat -c %s "$1")" -gt 2000 ]
}

only_some_numbers_left()
{
	pair_up
	sa_pair aes128gcm16 0x1002 "$("$PVSVPNCTL" genkey aes128gcm16)" "$right" left "$left" right
	"$PVSVPNCTL" genkey aes128gcm16 >"$tmp/key" 2>/dev/null
	chmod 600 "$tmp/key"
	ctl "$right" sa add pvs0 left dir in spi 0x1001 transform aes128gcm16 key-file "$tmp/key" seq 4294967290
	ctl "$left" sa add pvs0 right dir out spi 0x1001 transform aes128gcm16 key-file "$tmp/key" seq 4294967290
}

# Five numbers are left, so only five packets leave; a new SA continues.
sequence_numbers_run_out()
{
	only_some_numbers_left
	# Send all at once: after the carrier is lost, packets would not reach the tunnel.
	in_ns "$left" ping -q -c 8 -l 8 -W 2 10.2.0.1 >"$tmp/ping" || true
	check 'packets that left' "$(show "$left" peers.0.sas.0.packets)" 5
	check 'packets that arrived' "$(show "$right" peers.0.rx_packets)" 5
	check 'tx_seq_exhausted' "$(($(drop_count "$left" pvs0 tx_seq_exhausted right 0x1001) > 0))" 1
	wait_for 'no carrier' is DOWN link_get "$left" pvs0 operstate
	sa_pair aes128gcm16 0x1003 "$("$PVSVPNCTL" genkey aes128gcm16)" "$left" right "$right" left
	wait_for carrier is UP link_get "$left" pvs0 operstate
	pings "$left" 10.2.0.1
}

fwmark_chooses_the_route()
{
	tunnel_up
	ip -n "$left" link add null type dummy
	ip -n "$left" link set null up
	ip -n "$left" route add 192.0.2.2/32 dev null table 77
	ip -n "$left" rule add fwmark 7 table 77
	pings "$left" 10.2.0.1
	ctl "$left" set pvs0 fwmark 7
	unreachable "$left" 10.2.0.1
	ip -n "$left" rule del fwmark 7 table 77
	pings "$left" 10.2.0.1
	ctl "$left" set pvs0 fwmark 0
	pings "$left" 10.2.0.1
}

run_cases aes128gcm16 aes192gcm16 aes256gcm16 chacha20poly1305 aes256-sha256 aes128ccm16 \
	TCP_both_ways TCP_over_IPv6 large_UDP UDP_segmentation_offload offloads_off GRO \
	sequence_numbers_run_out fwmark_chooses_the_route
