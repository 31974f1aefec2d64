#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Traffic flow confidentiality padding (RFC 4303 section 2.7): bytes on the wire (esp_idle.py),
# stock IPsec and our own device as receivers, refusals.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"

on_the_wire()
{
	local gate wire

	new_ns gate
	new_ns wire
	"$here/esp_test.py" "$gate" "$wire" tfc >"$tmp/wire" 2>&1 || fail "$(cat "$tmp/wire")"
}

# Stock IPsec removes the padding; started from either end, and no error counter moves
stock_IPsec_takes_it_off()
{
	local before tfc addr

	tunnel
	before=$(all_errors)
	for tfc in 200 mtu; do
		ctl "$gw" peer set pvs0 stock tfc $tfc
		for addr in 10.2.0.1 fd00:2::1; do
			pings "$gw" $addr
			pings "$gw" $addr -s 1300
		done
		pings "$stock" 10.1.0.1 -s 100
		pings "$stock" fd00:1::1 -s 100
	done
	iperf_server "$stock"
	in_ns "$gw" timeout 120 iperf3 -c 10.2.0.1 -n "$(mib 8)" >"$tmp/iperf" 2>&1 ||
		fail "$(cat "$tmp/iperf")"
	no_errors "$before"
}

# Every inner length; the contents are compared
between_two_of_ours()
{
	tunnel_up
	ctl "$left" peer set pvs0 right tfc mtu
	ctl "$right" peer set pvs0 left tfc 64
	/usr/bin/python3 "$lib/traffic_probe.py" sizes "$left" "$right" 1446 >"$tmp/probe" 2>&1 ||
		fail "traffic_probe.py:" "$(cat "$tmp/probe")"
	/usr/bin/python3 "$lib/traffic_probe.py" segments "$left" "$right" >"$tmp/probe" 2>&1 ||
		fail "traffic_probe.py:" "$(cat "$tmp/probe")"
	iperf_server "$right"
	in_ns "$left" timeout 120 iperf3 -c 10.2.0.1 -n "$(mib 8)" >"$tmp/iperf" 2>&1 ||
		fail "$(cat "$tmp/iperf")"
	check 'drops of the left' "$(drops "$left")" ''
	check 'drops of the right' "$(drops "$right")" ''
}

# tfc is shown, and values out of range are refused
shown_and_refused()
{
	pair_up
	check 'tfc of itself' "$(show "$left" peers.0.tfc)" off
	for tfc in 2 65535 mtu; do
		ctl "$left" peer set pvs0 right tfc $tfc
		check tfc "$(show "$left" peers.0.tfc)" $tfc
		grep -qx "  tfc: $tfc" <<<"$(ctl "$left" show pvs0)" ||
			fail "tfc $tfc is not in show:" "$(ctl "$left" show pvs0)"
	done
	for tfc in 1 65536 4294967294; do
		expect_refused_in "$left" "tfc $tfc is out of range; use 2 to 65535, mtu or off" \
			ctl "$left" peer set pvs0 right tfc $tfc
	done
}

run_cases on_the_wire stock_IPsec_takes_it_off between_two_of_ours shown_and_refused
