#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Tracepoint pvsvpn:pvsvpn_drop: every drop, with the name of its reason. Tracepoint
# pvsvpn:pvsvpn_event: the events of pvsvpnctl monitor.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

tracefs=/sys/kernel/tracing
trace=''

# trace_on: uses its own instance, since others may be tracing
trace_on()
{
	[ -d "$tracefs/events" ] || mount -t tracefs tracefs "$tracefs" 2>/dev/null || skip 'no tracefs'
	trace=$tracefs/instances/pvsvpn-$BASHPID
	mkdir "$trace"
	defer "rmdir $trace"
	defer "echo 0 >$trace/events/pvsvpn/enable"
	echo 1 >"$trace/events/pvsvpn/enable"
}

# traced PATTERN: an event matches; drops of other namespaces may be there, too
traced() { grep -qE "${2:-pvsvpn_drop}: $1" "$trace/trace"; }

# expect_event PATTERN
expect_event()
{
	busywait 10 traced "$1" || fail "no event '$1' in:" "$(grep pvsvpn_drop "$trace/trace" || :)"
}

# ifindex NAMESPACE
ifindex() { link_get "$1" pvs0 ifindex; }

every_reason_has_its_name()
{
	local name names count=0

	trace_on
	names=$(sed -nE 's/^\tPVSVPN_DROP\([A-Z_0-9]+, "([a-z_0-9]+)".*/\1/p' "$here/../../module/drop.h")
	for name in $names; do
		grep -q "\"$name\"" "$tracefs/events/pvsvpn/pvsvpn_drop/format" || fail "no $name in format"
		count=$((count + 1))
	done
	[ "$count" -ge 20 ] || fail "only $count reasons found in drop.h"
}

# Drops with no peer and no SA have number 0
of_the_device()
{
	tunnel_up
	trace_on
	ip -n "$left" route add 10.9.0.0/16 dev pvs0
	unreachable "$left" 10.9.0.1 -s 100
	expect_event "dev=pvs0 ifindex=$(ifindex "$left") peer=0 spi=0x00000000 len=128 reason=tx_no_peer"
}

of_a_peer()
{
	local id

	pair_up
	trace_on
	id=$(show "$left" peers.0.id)
	ip -n "$left" link set pvs0 up
	ctl "$left" peer add pvs0 up remote 192.0.2.9 subnets 10.9.0.0/16
	"$PVSVPNCTL" genkey aes128gcm16 |
		ctl "$left" sa add pvs0 up dir out spi 0x1111 transform aes128gcm16 key-file -
	wait_for carrier is UP link_get "$left" pvs0 operstate
	unreachable "$left" 10.2.0.1 -s 100
	expect_event "dev=pvs0 ifindex=$(ifindex "$left") peer=$id spi=0x00000000 len=128 reason=tx_no_sa"
}

# The two ends have different keys for the same SPI
of_an_SA()
{
	pair_up
	trace_on
	"$PVSVPNCTL" genkey aes128gcm16 |
		ctl "$right" sa add pvs0 left dir in spi 0x1001 transform aes128gcm16 key-file -
	"$PVSVPNCTL" genkey aes128gcm16 |
		ctl "$left" sa add pvs0 right dir out spi 0x1001 transform aes128gcm16 key-file -
	unreachable "$left" 10.2.0.1
	expect_event "dev=pvs0 ifindex=$(ifindex "$right") peer=$(show "$right" peers.0.id) spi=0x00001001 len=[0-9]+ reason=rx_icv"
}

wrong_source()
{
	tunnel_up
	trace_on
	ip -n "$right" addr add 10.99.0.1/32 dev lo
	unreachable "$right" 10.1.0.1 -I 10.99.0.1 -s 100
	expect_event "dev=pvs0 .* spi=0x00001002 len=128 reason=rx_source"
}

# There is one event for each counted drop
as_many_events_as_drops()
{
	local index

	tunnel_up
	trace_on
	index=$(ifindex "$left")
	ip -n "$left" route add 10.9.0.0/16 dev pvs0
	in_ns "$left" ping -q -c 20 -i 0.01 -W 1 10.9.0.1 >/dev/null || :
	check events "$(grep -c "ifindex=$index .* reason=tx_no_peer" "$trace/trace")" \
		"$(drop_count "$left" pvs0 tx_no_peer)"
	check drops "$(drop_count "$left" pvs0 tx_no_peer)" 20
}

every_event_has_its_name()
{
	local type count=0

	trace_on
	for type in $(sed -nE 's/^\tPVSVPN_EVENT_TYPE_([A-Z_]+),$/\1/p' "$here/../../uapi/linux/pvsvpn.h"); do
		type=${type,,}
		grep -q "\"${type//_/-}\"" "$tracefs/events/pvsvpn/pvsvpn_event/format" || fail "no $type in format"
		count=$((count + 1))
	done
	[ "$count" -ge 10 ] || fail "only $count events found in pvsvpn.h"
}

of_events()
{
	local who

	pair_up
	trace_on
	who="dev=pvs0 ifindex=$(ifindex "$left") peer=$(show "$left" peers.0.id)"
	"$PVSVPNCTL" genkey aes128gcm16 |
		ctl "$left" sa add pvs0 right dir out spi 0x1111 transform aes128gcm16 key-file - hard-packets 1
	in_ns "$left" ping -q -c 1 -W 1 10.2.0.1 >/dev/null || :
	busywait 10 traced "$who spi=0x00001111 dir=out type=sa-expired reason=packets" pvsvpn_event ||
		fail 'no sa-expired in:' "$(grep pvsvpn_event "$trace/trace" || :)"
	traced "$who spi=0x00001111 dir=out type=sa-new reason=request" pvsvpn_event || fail 'no sa-new'
	busywait 10 traced "$who spi=0x00000000 dir=in type=peer-down reason=no-outbound-sa" pvsvpn_event ||
		fail 'no peer-down'
	ctl "$left" sa del pvs0 right dir out spi 0x1111
	traced "$who spi=0x00001111 dir=out type=sa-del reason=request" pvsvpn_event || fail 'no sa-del'
}

run_cases every_event_has_its_name of_events every_reason_has_its_name of_the_device of_a_peer \
	of_an_SA wrong_source \
	as_many_events_as_drops
