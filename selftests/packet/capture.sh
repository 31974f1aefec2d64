#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Packets that tcpdump captures between two gateways, decrypted by tshark with their keys.
#
# tshark 4.0 does not support ChaCha20-Poly1305 for ESP; esp.sh decrypts it with scapy.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

text=pvsvpn-selftest-payload
gcm='AES-GCM with 16 octet ICV [RFC4106]'

# keyed_tunnel TRANSFORM: two gateways; sets key_there and key_back
keyed_tunnel()
{
	pair_up
	key_there=$("$PVSVPNCTL" genkey "$1")
	key_back=$("$PVSVPNCTL" genkey "$1")
	sa_pair "$1" 0x1001 "$key_there" "$left" right "$right" left
	sa_pair "$1" 0x1002 "$key_back" "$right" left "$left" right
}

# record: captures packets on the wire until recorded; the wire itself has no IPv6 traffic
record()
{
	in_ns "$left" sysctl -qw net.ipv6.conf.$left_dev.disable_ipv6=1
	in_ns "$right" sysctl -qw net.ipv6.conf.$right_dev.disable_ipv6=1
	background ip netns exec "$left" tcpdump -U --immediate-mode -s 0 -Z root -i $left_dev \
		-w "$tmp/wire.pcap" 2>"$tmp/tcpdump"
	tcpdump=$background
	wait_for tcpdump grep -q 'listening on' "$tmp/tcpdump"
}

# recorded BYTES: ends the capture when the file has this size
recorded()
{
	wait_for "$1 bytes from tcpdump" at_least "$1" stat -c %s "$tmp/wire.pcap"
	kill $tcpdump
	wait_for 'tcpdump to end' sh -c "! kill -0 $tcpdump 2>/dev/null"
}

# traffic: ping and UDP with known payload, v4 and v6, from left to right
traffic()
{
	local addr

	for addr in 10.2.0.1 fd00:2::1; do
		pings "$left" $addr -p 70767376706e -s 100
		in_ns "$left" bash -c "echo -n $text >/dev/udp/$addr/4000"
	done
}

# sa_row SRC DST SPI KEY: a row of tshark's SA table
sa_row()
{
	printf 'uat:esp_sa:"IPv4","%s","%s","%s","%s","0x%s","NULL",""' "$1" "$2" "$3" "$gcm" "$4"
}

# dissect: tshark decrypts with the keys and prints one line a frame. It starts slowly, so it runs
# once for all checks.
dissect()
{
	tshark -r "$tmp/wire.pcap" -o esp.enable_encryption_decode:TRUE \
		-o esp.enable_authentication_check:TRUE \
		-o "$(sa_row 192.0.2.1 192.0.2.2 0x00001001 "$key_there")" \
		-o "$(sa_row 192.0.2.2 192.0.2.1 0x00001002 "$key_back")" \
		-T json -e frame.protocols -e esp.spi -e esp.icv_good -e esp.icv_bad -e icmp.type \
		-e icmpv6.type -e ip.dst -e ipv6.dst -e udp.dstport -e data.data -Y esp \
		2>"$tmp/tshark" >"$tmp/frames"
}

# frames FILTER [NAME VALUE]: the number of frames for which the jq filter is true. The filter uses
# list("FIELD"), the field's values, one("FIELD"), its only value or null, and $NAME
frames()
{
	jq --arg "${2-unused}" "${3-}" '
		def list($field): ._source.layers[$field] // [];
		def one($field): list($field) | if length == 1 then .[0] else null end;
		def good: . == "1" or . == "True";
		def has($text): . != null and contains($text);
		map(select('"$1"')) | length' "$tmp/frames"
}

# The outer wire carries only ESP and ARP, and no payload in clear
only_esp()
{
	check 'frames that are not ESP' \
		"$(tcpdump -n -r "$tmp/wire.pcap" 'not esp and not arp' 2>/dev/null)" ''
	check 'payload in clear' "$(grep -acE "$text|pvsvpnpvsvpn" "$tmp/wire.pcap")" 0
}

# Four pings and their answers, two datagrams, two "port unreachable"
decrypted()
{
	local all text_hex ping_hex=70767376706e70767376706e sent

	text_hex=$(echo -n "$text" | od -An -tx1 | tr -d ' \n')
	sent='one("udp.dstport") == "4000" and one("data.data") == $hex'
	dissect
	all=$(frames true)
	[ "$all" -ge 12 ] || fail "$all ESP packets captured, 12 at least were sent"
	check 'packets with a good ICV' "$(frames 'one("esp.icv_good") | good')" "$all"
	check 'packets with a bad ICV' "$(frames 'one("esp.icv_bad") | good')" 0
	check 'pings over IPv4' \
		"$(frames 'one("icmp.type") == "8" and (one("data.data") | has($hex))' hex $ping_hex)" 2
	check 'pings over IPv6' \
		"$(frames 'one("icmpv6.type") == "128" and (one("frame.protocols") | has("esp:ipv6"))')" 2
	check answers "$(frames 'one("icmp.type") == "0" or one("icmpv6.type") == "129"')" 4
	check 'UDP over IPv4' "$(frames 'list("ip.dst")[-1] == "10.2.0.1" and list("icmp.type") == [] and
		'"$sent" hex "$text_hex")" 1
	check 'UDP over IPv6' \
		"$(frames 'list("ipv6.dst") == ["fd00:2::1"] and '"$sent" hex "$text_hex")" 1
}

capture()
{
	keyed_tunnel "$1"
	record
	traffic
	recorded 1900
	only_esp
}

# A wrong key decrypts nothing, which proves that the checks can fail. One of 256 packets then
# appears to have another ESP packet inside, whose fields come after its own
tshark_decrypts_with_our_keys_only()
{
	local to_right

	capture aes128gcm16
	decrypted
	key_there=$("$PVSVPNCTL" genkey aes128gcm16)
	dissect
	to_right='list("esp.spi")[0] == "0x00001001"'
	[ "$(frames "$to_right")" -gt 0 ] || fail 'no packet to the right'
	check 'packets to the right with a good ICV' \
		"$(frames "$to_right"' and any(list("esp.icv_good")[]; good)')" 0
}

tshark_decrypts_aes256gcm16() { capture aes256gcm16; decrypted; }
only_ESP_on_the_wire_chacha20poly1305() { capture chacha20poly1305; }

cases=(tshark_decrypts_with_our_keys_only only_ESP_on_the_wire_chacha20poly1305)
checkers_on || cases+=(tshark_decrypts_aes256gcm16)
run_cases "${cases[@]}"
