#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# "pvsvpnctl metrics": the values of show and stats in OpenMetrics format, read by the parsers of
# the Prometheus project.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# compared NAMESPACE: compares every sample with show and stats; $samples gets their number
compared()
{
	/usr/bin/python3 "$here/metrics_compare.py" "$1" >"$tmp/compared" 2>&1 ||
		fail 'metrics, show and stats differ:' "$(cat "$tmp/compared")"
	samples=$(tail -n 1 "$tmp/compared")
}

# esp_from NAMESPACE SOURCE DESTINATION SPI SEQ: sends an ESP packet that is not authentic
esp_from()
{
	in_ns "$1" /usr/bin/python3 -IS -c '
import socket, struct, sys
source, destination, spi, seq = sys.argv[1:]
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ESP)
s.bind((source, 0))
s.sendto(struct.pack(">II", int(spi, 0), int(seq)) + bytes(64), (destination, 0))' "${@:2}"
}

# sample NAME LABELS: prints its value; LABELS as printed by metrics
sample()
{
	ctl "$left" metrics pvs0 | awk -v start="$1{$2}" 'index($0, start " ") == 1 { print $2 }'
}

# dropped SCOPE LABELS REASON: for pvs0 at the left
dropped() { sample "pvsvpn_$1_dropped_packets_total" "device=\"pvs0\",${2:+$2,}reason=\"$3\""; }

values_of_show_and_stats()
{
	local key

	tunnel_up
	# An SA with all properties: limits, 64-bit numbers, expired
	key=$("$PVSVPNCTL" genkey aes256-sha256)
	ctl "$left" peer add pvs0 other local 192.0.2.1 remote 192.0.2.9 encap udp subnets 10.9.0.0/16
	ctl "$left" sa add pvs0 other dir out spi 0x3000 transform aes256-sha256 key-file - esn seq 5000000000 \
		soft-seconds 1000 hard-seconds 2000 soft-packets 10 hard-bytes 100000 \
		hard-use-seconds 500 <<<"$key"
	ctl "$left" sa add pvs0 other dir in spi 0x3001 transform aes256-sha256 key-file - \
		hard-packets 1 <<<"$key"
	pings "$left" 10.2.0.1 -c 5
	pings "$right" fd00:1::1 -c 3
	in_ns "$left" ping -q -c 2 -W 1 -i 0.1 -I 10.1.0.1 10.9.0.1 >/dev/null 2>&1 || :
	unreachable "$left" 10.200.0.1 -I pvs0
	compared "$left"
	[ "$samples" -gt 200 ] || fail "only $samples samples"
	compared "$right"
}

# Each scope has its own metric, so that a sum over one metric counts a packet once
a_drop_has_its_reason()
{
	local peer='peer="right"' sa='peer="right",dir="in",spi="0x00001002"'

	tunnel_up
	pings "$left" 10.2.0.1
	check 'forged before' "$(dropped peer "$peer" rx_icv)" 0
	esp_from "$right" 192.0.2.2 192.0.2.1 0x1002 1000
	esp_from "$right" 192.0.2.2 192.0.2.1 0x1002 1001
	esp_from "$right" 192.0.2.2 192.0.2.1 0x7777 1
	wait_for 'a forged packet' is 2 dropped device '' rx_icv
	wait_for 'an unknown SPI' is 1 dropped device '' rx_unknown_spi
	check 'rx_icv of the peer' "$(dropped peer "$peer" rx_icv)" 2
	check 'rx_icv of the SA' "$(dropped sa "$sa" rx_icv)" 2
	check 'rx_unknown_spi of the peer' "$(dropped peer "$peer" rx_unknown_spi)" 1
	check 'rx_unknown_spi of the SA' "$(dropped sa "$sa" rx_unknown_spi)" ''
	compared "$left"
}

# The name of a device may contain quotes and backslashes
names_are_escaped()
{
	new_ns left
	ip -n "$left" link add 'q"\n\' type pvsvpn
	ctl "$left" peer add 'q"\n\' right remote 192.0.2.2
	compared "$left"
	ctl "$left" metrics >"$tmp/metrics"
	grep -qF 'pvsvpn_device_up{device="q\"\\n\\"} 0' "$tmp/metrics" ||
		fail 'not escaped:' "$(grep device_up "$tmp/metrics")"
}

no_device_no_metric()
{
	new_ns left
	check 'metrics of nothing' "$(ctl "$left" metrics)" '# EOF'
	check "and in Prometheus' format" "$(ctl "$left" metrics format prometheus)" ''
	expect_refused 'nosuch: no such device; see ip link' ctl "$left" metrics nosuch
	ip -n "$left" link add pvs0 type pvsvpn
	ip -n "$left" link add pvs1 type pvsvpn
	check 'devices in the metrics of one' \
		"$(ctl "$left" metrics pvs1 format prometheus | grep -o 'device="[^"]*"' | sort -u)" 'device="pvs1"'
}

promtool_has_nothing_to_say()
{
	local status=0

	command -v promtool >/dev/null || skip 'no promtool'
	tunnel_up
	ctl "$left" sa add pvs0 right dir in spi 0x3000 transform aes128gcm16 key-file - \
		hard-seconds 2000 hard-packets 10 hard-bytes 100000 <<<"$("$PVSVPNCTL" genkey aes128gcm16)"
	pings "$left" 10.2.0.1 -c 2
	ctl "$left" metrics format prometheus >"$tmp/metrics"
	promtool check metrics <"$tmp/metrics" >"$tmp/said" 2>&1 || status=$?
	check "promtool's status ($(cat "$tmp/said"))" $status 0
	check 'what promtool says' "$(cat "$tmp/said")" ''
}

run_cases values_of_show_and_stats a_drop_has_its_reason names_are_escaped no_device_no_metric \
	promtool_has_nothing_to_say
