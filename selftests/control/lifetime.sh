#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Lifetimes of SAs: a soft limit sends an event, a hard limit ends the SA, each once and exactly; a
# rekey in time loses nothing (rekey.sh).
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# add DIR SPI [OPTIONS...]: an SA of peer right at the left; its counterpart at the right has no
# limits
add()
{
	local other=in

	[ "$1" = out ] || other=out
	umask 077
	"$PVSVPNCTL" genkey aes128gcm16 >"$tmp/key"
	ctl "$right" sa add pvs0 left dir $other spi "$2" transform aes128gcm16 key-file "$tmp/key"
	ctl "$left" sa add pvs0 right dir "$1" spi "$2" transform aes128gcm16 key-file "$tmp/key" "${@:3}"
}

# echo_requests COUNT: sends COUNT at once, of 84 bytes each; they may be lost
echo_requests() { in_ns "$left" ping -q -c "$1" -l "$1" -W 1 10.2.0.1 >/dev/null || true; }

# said PATTERN COUNT: exactly COUNT events of $left match
said() { wait_for "event '$1'" is "$2" grep -cE "$1" "$tmp/events"; }

# The way back, so that requests are answered
back() { add in 0x2000; }

# keep_carrier: another peer is up, so that pvs0 still receives packets that peer right cannot send
keep_carrier()
{
	ctl "$left" peer add pvs0 up remote 192.0.2.9 subnets 10.9.0.0/16
	"$PVSVPNCTL" genkey aes128gcm16 |
		ctl "$left" sa add pvs0 up dir out spi 0x1111 transform aes128gcm16 key-file -
}

# sa SPI FIELD: a field of the left's SA
sa() { show "$left" peers.0.sas | jq -r --argjson spi $(($1)) ".[] | select(.spi == \$spi) | .$2"; }

packets_soft_and_hard()
{
	pair_up
	back
	keep_carrier
	add out 0x3000 soft-packets 3 hard-packets 6
	watch "$left"
	echo_requests 2
	check 'events so early' "$(cat "$tmp/events")" ''
	echo_requests 2
	said 'sa-soft-expired right .*spi 0x00003000 reason packets' 1
	echo_requests 4
	said 'sa-expired right .*spi 0x00003000 reason packets' 1
	said 'peer-down' 1
	check 'packets sent' "$(sa 0x3000 packets)" 6
	check tx_expired "$(drop_count "$left" pvs0 tx_expired right 0x3000)" 2
	check 'soft events' "$(grep -c sa-soft-expired "$tmp/events")" 1
}

bytes_soft_and_hard()
{
	pair_up
	back
	keep_carrier
	add out 0x3000 soft-bytes 200 hard-bytes 400
	watch "$left"
	echo_requests 2
	check 'events so early' "$(cat "$tmp/events")" ''
	echo_requests 1
	said 'sa-soft-expired .*spi 0x00003000 reason bytes' 1
	# 5 x 84 reaches 400; the sixth is not sent
	echo_requests 3
	said 'sa-expired .*spi 0x00003000 reason bytes' 1
	check 'bytes sent' "$(sa 0x3000 bytes)" 420
	check tx_expired "$(drop_count "$left" pvs0 tx_expired right 0x3000)" 1
}

seconds_since_it_was_added()
{
	pair_up
	back
	watch "$left"
	add out 0x3000 soft-seconds 1 hard-seconds 3
	echo_requests 1
	said 'sa-soft-expired .*spi 0x00003000 reason seconds' 1
	at_least 1000 sa 0x3000 age_ms || fail "too early"
	said 'sa-expired .*spi 0x00003000 reason seconds' 1
	at_least 3000 sa 0x3000 age_ms || fail "too early"
	wait_for 'no carrier' is DOWN link_get "$left" pvs0 operstate
}

seconds_since_first_use()
{
	pair_up
	back
	watch "$left"
	add out 0x3000 soft-use-seconds 1 hard-use-seconds 2
	sleep 3
	check 'events before its use' "$(grep -c expired "$tmp/events" || true)" 0
	echo_requests 1
	said 'sa-soft-expired .*spi 0x00003000 reason use-seconds' 1
	said 'sa-expired .*spi 0x00003000 reason use-seconds' 1
}

# The other direction: packets after the limit are counted
inbound()
{
	pair_up
	add out 0x3000
	add in 0x2000 soft-packets 2 hard-packets 4
	watch "$left"
	echo_requests 7
	said 'sa-soft-expired .*dir in spi 0x00002000 reason packets' 1
	said 'sa-expired .*dir in spi 0x00002000 reason packets' 1
	check 'packets received' "$(sa 0x2000 packets)" 4
	check rx_expired "$(drop_count "$left" pvs0 rx_expired right 0x2000)" 3
	check 'peer-down' "$(grep -c peer-down "$tmp/events" || true)" 0
}

# The older SA takes over with the very next packet
an_older_SA_takes_over()
{
	pair_up
	back
	add out 0x3000
	add out 0x3001 hard-packets 5
	watch "$left"
	pings "$left" 10.2.0.1 -c 20 -i 0.05
	said 'sa-expired .*spi 0x00003001 reason packets' 1
	check 'packets of the newer' "$(sa 0x3001 packets)" 5
	check 'peer-down' "$(grep -c peer-down "$tmp/events" || true)" 0
	check drops "$(drops "$left")" ''
}

what_is_left_is_shown()
{
	pair_up
	add out 0x3000 hard-packets 1000 hard-seconds 7200 hard-bytes 1048576
	check 'limit in JSON' "$(sa 0x3000 hard_packets)" 1000
	grep -qE '1h 59m, 1000 packets, 1.00 MiB' <<<"$(ctl "$left" show pvs0)" ||
		fail "not in show:" "$(ctl "$left" show pvs0)"
}

limits_that_make_no_sense()
{
	local before

	pair_up
	umask 077
	"$PVSVPNCTL" genkey aes128gcm16 >"$tmp/key"
	no()
	{
		local pattern=$1

		shift
		expect_refused_in "$left" "$pattern" ctl "$left" sa add pvs0 right dir out spi 0x3000 \
			transform aes128gcm16 key-file "$tmp/key" "$@"
	}
	no 'soft-packets has to be less than hard-packets' soft-packets 5 hard-packets 5
	no 'hard-bytes 0 is out of range; use 1 to' hard-bytes 0
	no 'hard-seconds 4294967296 is out of range; use 1 to 4294967295' hard-seconds 4294967296
}

run_cases packets_soft_and_hard bytes_soft_and_hard seconds_since_it_was_added \
	seconds_since_first_use inbound an_older_SA_takes_over what_is_left_is_shown \
	limits_that_make_no_sense
