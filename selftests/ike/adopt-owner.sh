#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Each value of an adopted SA has one owner: keys, sequence numbers and replay window belong to
# XFRM's state, whoever else uses that state. The peer is the gateway that the state names.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"
# shellcheck source=../lib/states.sh
. "$(dirname "$0")/../lib/states.sh"

# ---- the state's AEAD ----

# Any user can make another driver serve the name of the state's algorithm (AF_ALG). This driver's
# private memory has another layout. The far end gets its states before: stock IPsec of 6.1 keeps a
# reference to the device for each packet that an asynchronous driver decrypts
another_driver_of_the_IV_generator()
{
	modprobe -q pcrypt || skip 'no pcrypt in this kernel'
	# Later tests need the usual driver
	defer 'modprobe -q -r pcrypt'
	adopting
	states "$stock" 0x1001
	setpriv --reuid 65534 --regid 65534 --clear-groups \
		/usr/bin/python3 "$here/adopt_alg.py" >"$tmp/driver" || skip "$(cat "$tmp/driver")"
	grep -q '^pcrypt(seqiv(' "$tmp/driver" || fail "the driver is $(cat "$tmp/driver")"
	states "$gw" 0x1001
	wait_for 'the peer to be up' is true show "$gw" peers.0.up
	pings "$gw" 10.2.0.1 -c 10
	pings "$stock" fd00:1::1 -c 10 -s 1300
	check 'drops' "$(drops "$gw")" ''
	# The states of the namespace use the driver
	ip netns del "$gw"
	wait_for 'pcrypt to be free' modprobe -q -r pcrypt
}

# ---- numbers ----

# beside: an xfrm interface with the device's if_id carries the upper half of the far end's network.
# The wire is a dummy device, and its packets are captured
beside()
{
	new_ns gw
	ip -n "$gw" link add outer0 type dummy
	in_batch "$gw" <<-END
		addr add 192.0.2.1/24 dev outer0
		link set outer0 mtu 1500 up
		neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev outer0
		link add pvs0 type pvsvpn
		addr add 10.1.0.1/32 dev lo
	END
	ctl "$gw" set pvs0 if-id 42
	quiet_up "$gw" pvs0
	stock_device "$gw" 192.0.2.1 192.0.2.2 ipsec0 42
	ip -n "$gw" route add 10.2.0.0/25 dev pvs0 src 10.1.0.1
	ip -n "$gw" route add 10.2.0.128/25 dev ipsec0 src 10.1.0.1
	new_keys
	state "$gw" 192.0.2.1 192.0.2.2 0x1001 "$@" aead "$GCM" "$there" 128
	wait_for 'the peer to be up' is true show "$gw" peers.0.up
}

# both_send [STATE-ARGUMENTS...]: the device and the interface send in turn; all sequence numbers
# are consecutive and all IVs differ
both_send()
{
	local count=20000

	[ -z "${EVERY-}" ] || count=1000000
	! checkers_on || count=4000
	beside "$@"
	in_ns "$gw" timeout 600 /usr/bin/python3 "$here/adopt_nonces.py" outer0 10.2.0.5 10.2.0.200 \
		$count >"$tmp/nonces" 2>&1 || fail "$(cat "$tmp/nonces")"
	report <"$tmp/nonces"
	check 'number of the state' "$(sequence "$gw" 0x1001)" "$(printf 0x%x $count)"
	check 'the same number' "$(show "$gw" peers.0.sas.0.seq)" $count
	check 'drops' "$(drops "$gw")" ''
}

numbers_and_IVs_beside_an_xfrm_interface() { both_send; }

# The short form of a state has no window of its own, and its counters are elsewhere
numbers_of_the_short_form_beside_an_xfrm_interface()
{
	EVERY='' both_send replay-window 0
}

# The SA moves between the device and stock IPsec; its sequence numbers continue
given_to_and_fro()
{
	local i

	adopted
	for i in 1 2; do
		pings "$gw" 10.2.0.1 -c 3
		ctl "$gw" set pvs0 if-id 0
		ip -n "$gw" link add ipsec0 type xfrm dev outer0 if_id 42
		[ "$i" = 2 ] || stock_policies "$gw" 192.0.2.1 192.0.2.2 42
		quiet_up "$gw" ipsec0
		ip -n "$gw" route replace 10.2.0.0/24 dev ipsec0 src 10.1.0.1
		pings "$gw" 10.2.0.1 -c 3 -I 10.1.0.1
		ip -n "$gw" link del ipsec0
		ip -n "$gw" route replace 10.2.0.0/24 dev pvs0 src 10.1.0.1
		ctl "$gw" set pvs0 if-id 42
	done
	check 'sequence number, out' "$(sequence "$gw" 0x1001)" 0xc
	check 'sequence number, in' "$(sequence "$gw" 0x1002)" 0xc
	check 'replayed at the far end' "$(xfrm "$stock" 0x1001 replay)" 0
	check 'replayed here' "$(xfrm "$gw" 0x1002 replay)" 0
	check 'packets of the far end' "$(xfrm "$stock" 0x1001 packets)" 12
}

# A packet that one carrier has received is a replay to the next carrier
nothing_received_comes_twice()
{
	local sent

	adopted
	pings "$stock" 10.1.0.1 -c 5
	ctl "$gw" set pvs0 if-id 0
	stock_device "$gw" 192.0.2.1 192.0.2.2 ipsec0 42
	ip -n "$gw" route replace 10.2.0.0/24 dev ipsec0 src 10.1.0.1
	# The far end starts again from the first sequence number
	again
	in_ns "$stock" ping -q -c 5 -i 0.1 -W 1 10.1.0.1 >/dev/null || true
	check 'replayed to stock IPsec' "$(xfrm "$gw" 0x1002 replay)" 5
	pings "$stock" 10.1.0.1 -c 3
	ip -n "$gw" link del ipsec0
	ip -n "$gw" route replace 10.2.0.0/24 dev pvs0 src 10.1.0.1
	ctl "$gw" set pvs0 if-id 42
	again
	in_ns "$stock" ping -q -c 8 -i 0.1 -W 1 10.1.0.1 >/dev/null || true
	sent=$(drop_count "$gw" pvs0 rx_replayed)
	check 'replayed to us' "$sent" 8
	pings "$stock" 10.1.0.1 -c 3
}

# again: resets the far end's outbound state to before its first packet
again()
{
	ip -n "$stock" xfrm state delete src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x1002
	state "$stock" 192.0.2.2 192.0.2.1 0x1002 aead "$GCM" "$back" 128
}

# A daemon sets sequence numbers (XFRM_MSG_NEWAE), reads them (XFRM_MSG_GETAE) and receives events
numbers_that_a_daemon_sets_and_reads()
{
	adopted
	pings "$gw" 10.2.0.1 -c 3
	check 'what it reads' "$(in_ns "$gw" /usr/bin/python3 "$here/adopt_ae.py" get 192.0.2.2 0x1001)" 'oseq 3 seq 0'
	check 'what it reads' "$(in_ns "$gw" /usr/bin/python3 "$here/adopt_ae.py" get 192.0.2.1 0x1002)" 'oseq 0 seq 3'
	background ip -n "$gw" xfrm monitor aevent >"$tmp/aevents"
	in_ns "$gw" /usr/bin/python3 "$here/adopt_ae.py" set 192.0.2.2 0x1001 1000
	pings "$gw" 10.2.0.1 -c 4
	check 'the next numbers' "$(sequence "$stock" 0x1001)" 0x3ec
	check 'the device tells' "$(show "$gw" peers.0.sas | jq '.[] | select(.dir == "out").seq')" 1004
	wait_for 'events of numbers' at_least 2 grep -c 'Async event' "$tmp/aevents"
	# The number does not fall below the value set when the device gives the state up
	ctl "$gw" set pvs0 if-id 0
	check 'afterwards' "$(sequence "$gw" 0x1001)" 0x3ec
}

# Windows of 32 and 4096 numbers; 64-bit numbers near the end of their low half
windows_of_all_forms()
{
	local form

	for form in 'replay-window 32' 'replay-window 4096' \
		'replay-window 1000 flag esn replay-seq-hi 1 replay-oseq-hi 1 replay-seq 0xfffffffa replay-oseq 0xfffffffa'; do
		window_of "$form"
	done
}

window_of()
{
	local ns

	adopting
	# shellcheck disable=SC2086
	for ns in "$stock" "$gw"; do
		form_state "$ns" 192.0.2.1 192.0.2.2 0x1001 "$there" $1
		form_state "$ns" 192.0.2.2 192.0.2.1 0x1002 "$back" $1
	done
	wait_for 'the peer to be up' is true show "$gw" peers.0.up
	pings "$stock" 10.1.0.1 -c 12
	check "drops with $1" "$(drops "$gw")" ''
	ip -n "$stock" xfrm state delete src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x1002
	# shellcheck disable=SC2086
	form_state "$stock" 192.0.2.2 192.0.2.1 0x1002 "$back" $1
	in_ns "$stock" ping -q -c 12 -i 0.05 -W 1 10.1.0.1 >/dev/null || true
	check "replayed with $1" "$(drop_count "$gw" pvs0 rx_replayed)" 12
	pings "$stock" 10.1.0.1 -c 2
	ip netns del "$gw"
	ip netns del "$stock"
}

# form_state NS SRC DST SPI KEY FORM...: a state of this form
form_state()
{
	ip -n "$1" xfrm state add src "$2" dst "$3" proto esp spi "$4" mode tunnel if_id 42 \
		flag af-unspec "${@:6}" aead "$GCM" "$5" 128
}

run_cases another_driver_of_the_IV_generator numbers_and_IVs_beside_an_xfrm_interface \
	numbers_of_the_short_form_beside_an_xfrm_interface given_to_and_fro \
	nothing_received_comes_twice numbers_that_a_daemon_sets_and_reads windows_of_all_forms
