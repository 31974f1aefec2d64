#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# An IKE daemon (strongSwan) at both ends. Stock Linux IPsec carries its SAs at the far end, and a
# pvsvpn device with their if_id at this end. The daemon does not notice.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"
# shellcheck source=../lib/swan.sh
. "$(dirname "$0")/../lib/swan.sh"

both_devices()
{
	has_strongswan
	ends
	pvsvpn_end "$gw" pvs0 42 "${near[@]}"
	stock_end "$stock" ipsec0 42 "${far[@]}"
}

# ready [CHILD-SETTING...]: starts both daemons and devices, not yet connected
ready()
{
	both_devices
	daemon "$stock" 192.0.2.2 192.0.2.1 far near "$@"
	daemon "$gw" 192.0.2.1 192.0.2.2 near far "$@"
}

# When the daemon's install call returns, packets pass, including the far end's
connected()
{
	ready "$@"
	initiate
	pings "$gw" 10.2.0.1
}

up_and_counted()
{
	connected
	pings "$stock" 10.1.0.1 -c 3 -s 1000
	pings "$stock" fd00:1::1
	at_least 7 list "$gw" packets-in || fail 'the daemon sees no packets'
	at_least 7 list "$gw" packets-out || fail 'the daemon sees no packets sent'
	wait_for 'the same counts at both ends' both_count_the_same
	check 'transform' "$(show "$gw" peers.0.sas.0.transform)" aes256gcm16
	no_error
}

rekeys_under_traffic()
{
	local i before

	connected
	flood in "$stock" 10.1.0.1
	flood out "$gw" 10.2.0.1
	for ((i = 1; i <= 3; i++)); do
		before=$(show "$gw" peers.0.tx_spi)
		if ((i == 2)); then
			swan "$stock" --rekey --child net >/dev/null
		else
			swan "$gw" --rekey --child net >/dev/null
		fi
		wait_for 'another SA' is_not "$before" show "$gw" peers.0.tx_spi
		wait_for 'the old SA to go' is 2 sa_count
	done
	swan "$gw" --rekey --ike t >/dev/null
	sleep 1
	flood_end in out
	wait_for 'one child' is 1 children "$stock"
}

# XFRM tells the daemon that the byte limit is reached. Only from this end: ike-peers.sh tests both
# at once
rekeyed_by_volume()
{
	local before

	both_devices
	daemon "$stock" 192.0.2.2 192.0.2.1 far near
	daemon "$gw" 192.0.2.1 192.0.2.2 near far \
		'rekey_bytes = 2000' 'life_bytes = 100000' 'rand_bytes = 0'
	initiate
	before=$(show "$gw" peers.0.tx_spi)
	pings "$gw" 10.2.0.1 -c 30
	wait_for 'another SA' is_not "$before" show "$gw" peers.0.tx_spi
	wait_for 'the old SA to go' is 2 sa_count
	pings "$gw" 10.2.0.1
	no_error
}

ended_and_back()
{
	connected
	watch "$gw"
	swan "$gw" --terminate --ike t >/dev/null
	wait_for 'no SA' is 0 sa_count
	wait_for 'peer-down' grep -q 'peer-down 192.0.2.2 .*reason no-outbound-sa' "$tmp/events"
	check carrier "$(show "$gw" carrier)" false
	initiate
	pings "$gw" 10.2.0.1
	check carrier "$(show "$gw" carrier)" true
	# The far end ends it
	swan "$stock" --terminate --ike t >/dev/null
	wait_for 'no SA' is 0 sa_count
}

# A daemon that dies leaves its states; packets pass until the states are flushed
daemon_dies()
{
	connected
	kill -9 "${pids[$gw]}"
	pings "$gw" 10.2.0.1
	pings "$stock" fd00:1::1
	ip -n "$gw" xfrm state flush
	wait_for 'no SA' is 0 sa_count
}

# ESP in UDP on the daemon's own port, and CBC with HMAC and ESN
forced_encapsulation()
{
	CONNECTION='encap = yes' PROPOSAL=aes128-sha256-x25519-esn connected
	check 'encapsulation' "$(show "$gw" peers.0 | jq -r '"\(.encap) \(.sport) \(.dport)"')" 'udp 4500 4500'
	check 'transform' "$(show "$gw" peers.0.sas.0 | jq -r '"\(.transform) \(.esn)"')" 'aes128-sha256 true'
	pings "$stock" 10.1.0.1 -s 1200
	no_error
}

# The far end stops answering: the daemon detects this, and the carrier goes down
far_end_dies()
{
	CHARON=$impatient CONNECTION='dpd_delay = 1s' connected 'dpd_action = clear'
	watch "$gw"
	ip -n "$stock" link set outer0 down
	wait_for "peer-down; there were $(cat "$tmp/events")" grep -q 'peer-down' "$tmp/events"
	check carrier "$(show "$gw" carrier)" false
	ip -n "$stock" link set outer0 up
}

# child6 LOCAL REMOTE: a second child, as lines of swanctl.conf
child6()
{
	echo "net6 {
		local_ts = $1
		remote_ts = $2
		esp_proposals = aes128gcm16-x25519
		if_id_in = 42
		if_id_out = 42
	}"
}

# One if_id, one gateway: stock IPsec accepts no packet by the wrong child
two_children()
{
	both_devices
	LOCAL_TS=10.2.0.0/24 REMOTE_TS=10.1.0.0/24 CHILDREN=$(child6 fd00:2::/64 fd00:1::/64) \
		daemon "$stock" 192.0.2.2 192.0.2.1 far near
	LOCAL_TS=10.1.0.0/24 REMOTE_TS=10.2.0.0/24 CHILDREN=$(child6 fd00:1::/64 fd00:2::/64) \
		daemon "$gw" 192.0.2.1 192.0.2.2 near far
	initiate
	flood in "$stock" 10.1.0.1
	flood out "$gw" 10.2.0.1
	initiate t "$gw" net6
	wait_for 'two children' is 4 sa_count
	pings "$gw" fd00:2::1
	pings "$stock" fd00:1::1
	swan "$gw" --rekey --child net >/dev/null
	swan "$stock" --rekey --child net6 >/dev/null
	sleep 1
	wait_for 'the old SAs to go' is 4 sa_count
	pings "$gw" fd00:2::1
	swan "$gw" --terminate --child net6 >/dev/null
	wait_for 'one child' is 2 sa_count
	flood_end in out
	no_error
}

run_cases up_and_counted rekeys_under_traffic rekeyed_by_volume ended_and_back daemon_dies \
	forced_encapsulation two_children far_end_dies
