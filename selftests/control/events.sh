#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Events of "pvsvpnctl monitor", and when they come.
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# said PATTERN: an event matches, now or later
said() { wait_for "the event '$1'; there were: $(cat "$tmp/events")" grep -qE "$1" "$tmp/events"; }

# order PATTERN...: matching lines come in this order, with none in between
order()
{
	local line=1 pattern

	for pattern; do
		grep -qE "$pattern" <<<"$(sed -n ${line}p "$tmp/events")" ||
			fail "line $line is no '$pattern':" "$(cat "$tmp/events")"
		line=$((line + 1))
	done
	check 'number of events' "$(wc -l <"$tmp/events")" $#
}

life_of_a_peer()
{
	wire_up
	ip -n "$left" link add pvs0 type pvsvpn
	watch "$left"
	ctl "$left" peer add pvs0 right remote 192.0.2.2
	"$PVSVPNCTL" genkey aes128gcm16 |
		ctl "$left" sa add pvs0 right dir out spi 0x1001 transform aes128gcm16 key-file -
	"$PVSVPNCTL" genkey aes128gcm16 |
		ctl "$left" sa add pvs0 right dir in spi 0x1002 transform aes128gcm16 key-file -
	ctl "$left" sa del pvs0 right spi 0x1001 dir out
	ctl "$left" peer del pvs0 right
	said 'peer-del'
	order 'pvs0 peer-new right remote 192.0.2.2' 'sa-new.*0x00001001' 'peer-up.*right' \
		'sa-new.*0x00001002' 'sa-del.*0x00001001' 'peer-down.*right.*no-outbound-sa' 'sa-del.*0x00001002' \
		'peer-del.*right'
}

device_removed()
{
	tunnel_up
	watch "$left"
	ip -n "$left" link del pvs0
	said peer-del
	said peer-down
	check 'SAs said to be gone' "$(grep -c sa-del "$tmp/events")" 2
}

sequence_numbers_run_out()
{
	tunnel_up
	watch "$left"
	"$PVSVPNCTL" genkey aes128gcm16 |
		ctl "$left" sa add pvs0 right dir out spi 0x3001 transform aes128gcm16 key-file - seq 4294967290
	in_ns "$left" ping -q -c 8 -l 8 -W 1 10.2.0.1 >/dev/null || true
	said 'sa-expired.*0x00003001.*sequence-exhausted'
	# The older SA takes over, so the peer stays up.
	wait_for 'the older SA' is $((0x1001)) show "$left" peers.0.tx_spi
	check 'peer-down' "$(grep -c peer-down "$tmp/events" || true)" 0
	pings "$left" 10.2.0.1
}

the_last_SA_runs_out()
{
	pair_up
	"$PVSVPNCTL" genkey aes128gcm16 |
		ctl "$left" sa add pvs0 right dir out spi 0x3001 transform aes128gcm16 key-file - seq 4294967294
	watch "$left"
	in_ns "$left" ping -q -c 3 -l 3 -W 1 10.2.0.1 >/dev/null || true
	said 'peer-down.*no-outbound-sa'
	order 'sa-expired.*sequence-exhausted' 'peer-down'
}

# refused_pings COUNT: the receiver's window begins far above their numbers
refused_pings() { in_ns "$left" ping -q -c "$1" -l "$1" -W 1 10.2.0.1 >/dev/null || true; }

# receiver SEQUENCE-NUMBER: the right's inbound SA, starting at this number
receiver()
{
	ctl "$right" sa add pvs0 left dir in spi 0x1001 transform aes128gcm16 key-file "$tmp/key" seq "$1"
}

bursts() { grep -c 'sa-replay-burst' "$tmp/events"; }

many_packets_below_the_window()
{
	pair_up
	(umask 077 && "$PVSVPNCTL" genkey aes128gcm16 >"$tmp/key")
	ctl "$left" sa add pvs0 right dir out spi 0x1001 transform aes128gcm16 key-file "$tmp/key"
	receiver 100000
	watch "$right"
	refused_pings 63
	sleep 2
	check 'after 63 packets' "$(cat "$tmp/events")" ''
	refused_pings 64
	said 'pvs0 sa-replay-burst left remote 192.0.2.1 dir in spi 0x00001001 reason too-old$'
	refused_pings 200
	sleep 1
	check 'bursts told within seconds' "$(bursts)" 1
	check 'packets refused' "$(drop_count "$right" pvs0 rx_too_old left 0x1001)" 327
	sleep 10
	refused_pings 64
	wait_for 'a second burst' is 2 bursts
}

# The same key and SPI are added again, so the numbers begin at 1 again
many_replayed_packets()
{
	pair_up
	(umask 077 && "$PVSVPNCTL" genkey aes128gcm16 >"$tmp/key")
	receiver 1000
	watch "$right"
	ctl "$left" sa add pvs0 right dir out spi 0x1001 transform aes128gcm16 key-file "$tmp/key" seq 900
	refused_pings 64
	said 'pvs0 sa-replay-burst left .* dir in spi 0x00001001 reason replayed$'
	check 'packets refused' "$(drop_count "$right" pvs0 rx_replayed left 0x1001)" 64
}

as_JSON()
{
	pair_up
	watch "$left" -j
	sa_both aes128gcm16
	said peer-up
	jq -e -s '[.[] | select(.event == "sa-new")][0]
		| .ifname == "pvs0" and .peer == "right" and (.spi == 4097 or .spi == 4098)' \
		"$tmp/events" >/dev/null ||
		fail "$(cat "$tmp/events")"
}

only_in_the_device_s_namespace()
{
	tunnel_up
	watch "$right"
	ctl "$left" peer del pvs0 right
	ctl "$right" peer del pvs0 left
	said 'peer-del.*left'
	check "the other namespace's events" "$(grep -c 'peer-del.*right' "$tmp/events" || true)" 0
}

run_cases life_of_a_peer device_removed sequence_numbers_run_out the_last_SA_runs_out as_JSON \
	many_packets_below_the_window many_replayed_packets \
	only_in_the_device_s_namespace
