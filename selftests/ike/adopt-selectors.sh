#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Which inner packets pass: local subnets of a peer, with own and adopted SAs; the selector of an
# XFRM state; the flags of a state for DSCP, ECN and DF. The other end is stock Linux IPsec, also
# the reference for the flags.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"

GCM='rfc4106(gcm(aes))'

# new_keys: one for each direction of a tunnel
new_keys()
{
	there=0x$("$PVSVPNCTL" genkey aes128gcm16)
	back=0x$("$PVSVPNCTL" genkey aes128gcm16)
}

# state NS SRC DST SPI KEY ARGUMENTS...: with if_id 42, in tunnel mode
state()
{
	ip -n "$1" xfrm state add src "$2" dst "$3" proto esp spi "$4" mode tunnel if_id 42 \
		replay-window 128 aead "$GCM" "$5" 128 "${@:6}"
}

# others: addresses outside all selectors, and routes to them
others()
{
	in_batch "$gw" <<-END
		addr add 10.8.0.1/32 dev lo
		addr add fd00:8::1/128 dev lo nodad
		route add 172.16.6.0/24 dev pvs0
	END
	in_batch "$stock" <<-END
		addr add 172.16.6.6/32 dev lo
		addr add fd00:66::6/128 dev lo nodad
		route add 10.8.0.0/24 dev ipsec0 src 10.2.0.1
		route add fd00:8::/64 dev ipsec0 src fd00:2::1
	END
}

# watch_delivery: counts packets out of pvs0 with source or destination in others
watch_delivery()
{
	in_ns "$gw" nft -f - <<-END
		table inet watch {
			counter strange { }
			chain in {
				type filter hook prerouting priority raw
				iifname pvs0 ip daddr { 10.8.0.1, 224.0.0.5 } counter name strange
				iifname pvs0 ip6 daddr fd00:8::1 counter name strange
				iifname pvs0 ip saddr 172.16.6.6 counter name strange
				iifname pvs0 ip6 saddr fd00:66::6 counter name strange
			}
		}
	END
}

# delivered: the number of those packets
delivered()
{
	in_ns "$gw" nft -j list counter inet watch strange | jq '.nftables[] | .counter.packets // empty'
}

# sent NS SPI: packets of a state, as stock IPsec counts them
sent()
{
	ip -n "$1" -s xfrm state | awk -v spi="$(printf 0x%08x "$2")" '
		/^src/ { inside = 0 }
		$3 == "spi" { inside = index($4, spi) == 1 }
		inside && /lifetime current:/ { current = 1 }
		/\(bytes\)/ && inside && current { sub(/\(packets\)/, "", $2); print $2; exit }'
}

# in_vain NS ADDRESS [PING-OPTIONS]: sends three pings and expects no answer
in_vain()
{
	! in_ns "$1" ping -q -c 3 -i 0.1 -W 1 "${@:3}" "$2" >"$tmp/ping" 2>&1 ||
		fail "ping ${*:2} from $1 was answered"
	grep -q '^3 packets transmitted' "$tmp/ping" || fail "$(cat "$tmp/ping")"
}

# ---- local subnets ----

# The topology of stock.sh; the gateway's peer may reach 10.1.0.0/24 and fd00:1::/64
limited()
{
	others
	watch_delivery
	ctl "$gw" peer set pvs0 stock local-subnets 10.1.0.0/24,fd00:1::/64
}

# only_what_is_local: tests an end with local subnets
only_what_is_local()
{
	local before errors

	pings "$gw" 10.2.0.1
	pings "$gw" fd00:2::1
	pings "$stock" 10.1.0.1
	pings "$stock" fd00:1::1
	check 'drops before' "$(drops "$gw")" ''
	before=$(show "$gw" peers.0.rx_packets)
	in_vain "$stock" 10.8.0.1
	in_vain "$stock" fd00:8::1
	check 'drops' "$(drops "$gw")" rx_destination=6
	check 'of the SA' "$(drop_count "$gw" pvs0 rx_destination stock 0x1002)" 6
	check 'rx errors' "$(link_stat "$gw" pvs0 rx.errors)" 6
	# Multicast of the other end is not an error
	errors=$(link_stat "$gw" pvs0 rx.errors)
	in_vain "$stock" 224.0.0.5 -I ipsec0
	check 'multicast' "$(drop_count "$gw" pvs0 rx_multicast)" 3
	check 'rx errors' "$(link_stat "$gw" pvs0 rx.errors)" "$errors"
	check 'received' "$(show "$gw" peers.0.rx_packets)" "$before"
	check 'delivered' "$(delivered)" 0
	# The far end would refuse these
	before=$(sent "$stock" 0x1001)
	in_vain "$gw" 10.2.0.1 -I 10.8.0.1
	in_vain "$gw" fd00:2::1 -I fd00:8::1
	check 'tx_source' "$(drop_count "$gw" pvs0 tx_source)" 6
	check 'tx errors' "$(link_stat "$gw" pvs0 tx.errors)" 6
	check 'sent' "$(sent "$stock" 0x1001)" "$before"
	# If the IPv6 subnets are removed, IPv4 still passes
	ctl "$gw" peer set pvs0 stock local-subnets 10.1.0.0/24
	in_vain "$stock" fd00:1::1
	pings "$stock" 10.1.0.1
	check 'rx_destination' "$(drop_count "$gw" pvs0 rx_destination)" 9
	# No limit
	ctl "$gw" peer set pvs0 stock local-subnets 0.0.0.0/0,::/0
	pings "$stock" 10.8.0.1
	pings "$stock" fd00:8::1
	check 'rx_destination' "$(drop_count "$gw" pvs0 rx_destination)" 9
	[ "$(delivered)" -ge 4 ] || fail 'the counter of deliveries does not count'
}

destination_outside_local_subnets()
{
	tunnel
	limited
	only_what_is_local
}

destination_outside_local_subnets_by_adopted_SAs()
{
	local ns

	ends
	new_keys
	ip -n "$gw" link add pvs0 type pvsvpn
	ctl "$gw" set pvs0 if-id 42
	ctl "$gw" peer add pvs0 stock remote 192.0.2.2
	quiet_up "$gw" pvs0
	inner "$gw" pvs0 10.1.0.1 fd00:1::1 10.2.0.0/24 fd00:2::/64
	stock_device "$stock" 192.0.2.2 192.0.2.1 ipsec0 42
	inner "$stock" ipsec0 10.2.0.1 fd00:2::1 10.1.0.0/24 fd00:1::/64
	for ns in "$stock" "$gw"; do
		state "$ns" 192.0.2.2 192.0.2.1 0x1002 "$back" flag af-unspec
		state "$ns" 192.0.2.1 192.0.2.2 0x1001 "$there" flag af-unspec
	done
	wait_for 'the peer to be up' is true show "$gw" peers.0.up
	limited
	only_what_is_local
}

local_subnets()
{
	ctl "$gw" -j show pvs0 | jq -c '.devices[0].peers[] | select(.name == "stock").local_subnets'
}

local_subnets_are_kept_and_replaced()
{
	local list many more

	devices
	check 'of a peer without' "$(local_subnets)" null
	! grep -q 'local subnets' <<<"$(ctl "$gw" show pvs0)" || fail 'shown where there is none'
	ctl "$gw" peer set pvs0 stock local-subnets fd00:1::/64,10.1.0.0/24,10.1.0.0/16,10.0.0.0/8
	list='["fd00:1::/64","10.1.0.0/24","10.1.0.0/16","10.0.0.0/8"]'
	check 'as given' "$(local_subnets)" "$list"
	grep -q '^  local subnets: fd00:1::/64, 10.1.0.0/24, 10.1.0.0/16, 10.0.0.0/8$' \
		<<<"$(ctl "$gw" show pvs0)" || fail "$(ctl "$gw" show pvs0)"
	ctl "$gw" peer set pvs0 stock tfc 256 remote 192.0.2.2 subnets 10.2.0.0/24
	check 'another change' "$(local_subnets)" "$list"
	check 'subnets' "$(show "$gw" peers.0.subnets.0)" 10.2.0.0/24
	expect_refused_in "$gw" 'host bits set; 10.1.0.1/16 means 10.1.0.0/16' \
		ctl "$gw" peer set pvs0 stock local-subnets 10.3.0.0/16,10.1.0.1/16
	expect_refused_in "$gw" '10.3.0.0/16 is given twice; give it once' \
		ctl "$gw" peer set pvs0 stock local-subnets 10.3.0.0/16,fd00::/8,10.3.0.0/16
	printf -v many 'fd00:0:0:%x::/64,' {1..1024}
	expect_refused_in "$gw" '1025 local-subnets are too many; a peer takes up to 1024' \
		ctl "$gw" peer set pvs0 stock local-subnets "${many}10.1.0.0/16"
	# Both lists are full and need several messages
	printf -v more 'fd01:0:0:%x::/64,' {1..1024}
	ctl "$gw" peer set pvs0 stock subnets "${more%,}" local-subnets "${many%,}"
	check 'both lists' "$(ctl "$gw" -j show pvs0 | jq -r '.devices[0].peers
		| "\(length) \(.[0].subnets | unique | length) \(.[0].local_subnets | unique | length)"')" \
		'1 1024 1024'
	# Peers may share them; a new list replaces the old
	ctl "$gw" peer set pvs0 stock local-subnets 10.1.0.0/16
	check 'replaced' "$(local_subnets)" '["10.1.0.0/16"]'
	ctl "$gw" peer add pvs0 other remote 192.0.2.9 subnets 10.9.0.0/16 local-subnets 10.1.0.0/16
	ctl "$gw" peer set pvs0 stock local-subnets ::/0,0.0.0.0/0
	check 'no limit' "$(local_subnets)" null
}

# The lookup does not use the list as given: nested prefixes are dropped, the rest is sorted
any_address_among_many_prefixes()
{
	local many address

	tunnel
	printf -v many '10.%d.0.0/17,' {2..255..2}
	ctl "$gw" peer set pvs0 stock local-subnets \
		"${many}10.100.64.0/18,fd00:2::/32,10.1.0.0/24,fd00:1::/64,::/128,255.255.255.255/32,10.101.0.0/32"
	ip -n "$stock" route add 10.0.0.0/8 dev ipsec0 src 10.2.0.1
	for address in 10.2.0.5 10.100.64.1 10.254.127.255 10.101.0.0; do
		ip -n "$gw" addr add $address/32 dev lo
		pings "$stock" $address -c 1
	done
	pings "$stock" 10.1.0.1 -c 1
	pings "$stock" fd00:1::1 -c 1
	check 'drops' "$(drops "$gw")" ''
	for address in 10.2.128.0 10.100.128.1 10.254.128.0 10.101.0.1 10.3.0.0 10.0.255.255; do
		ip -n "$gw" addr add $address/32 dev lo
		unreachable "$stock" $address
	done
	check 'drops' "$(drops "$gw")" rx_destination=6
}

# ---- the selector of a state ----

# adopted_with WORDS...: the gateway's states have selectors FROM TO [MORE], as for outbound; the
# other end's states have none
adopted_with()
{
	local from=$1 to=$2

	ends
	new_keys
	ip -n "$gw" link add pvs0 type pvsvpn
	ctl "$gw" set pvs0 if-id 42
	quiet_up "$gw" pvs0
	inner "$gw" pvs0 10.1.0.1 fd00:1::1 10.2.0.0/24 fd00:2::/64
	stock_device "$stock" 192.0.2.2 192.0.2.1 ipsec0 42
	inner "$stock" ipsec0 10.2.0.1 fd00:2::1 10.1.0.0/24 fd00:1::/64
	others
	watch_delivery
	state "$stock" 192.0.2.2 192.0.2.1 0x1002 "$back" flag af-unspec
	state "$stock" 192.0.2.1 192.0.2.2 0x1001 "$there" flag af-unspec
	# shellcheck disable=SC2086 # words are wanted
	{
		state "$gw" 192.0.2.2 192.0.2.1 0x1002 "$back" ${IN-} sel src "$to" dst "$from" ${MORE-}
		state "$gw" 192.0.2.1 192.0.2.2 0x1001 "$there" ${OUT-} sel src "$from" dst "$to" ${MORE-}
	}
	wait_for 'the peer to be up' is true show "$gw" peers.0.up
}

packet_outside_the_states_selector()
{
	local before

	adopted_with 10.1.0.0/24 10.2.0.0/24
	pings "$gw" 10.2.0.1
	pings "$stock" 10.1.0.1
	check 'drops before' "$(drops "$gw")" ''
	before=$(show "$gw" peers.0.rx_packets)
	# Source, then destination, then family
	in_vain "$stock" 10.1.0.1 -I 172.16.6.6
	check 'source' "$(drops "$gw")" rx_selector=3
	in_vain "$stock" 10.8.0.1
	check 'destination' "$(drops "$gw")" rx_selector=6
	in_vain "$stock" fd00:1::1
	check 'family' "$(drops "$gw")" rx_selector=9
	check 'of the SA' "$(drop_count "$gw" pvs0 rx_selector 192.0.2.2 0x1002)" 9
	in_vain "$stock" 224.0.0.5 -I ipsec0
	check 'multicast' "$(drop_count "$gw" pvs0 rx_multicast)" 3
	check 'rx errors' "$(link_stat "$gw" pvs0 rx.errors)" 9
	check 'received' "$(show "$gw" peers.0.rx_packets)" "$before"
	check 'delivered' "$(delivered)" 0
	before=$(sent "$stock" 0x1001)
	in_vain "$gw" 10.2.0.1 -I 10.8.0.1
	in_vain "$gw" 172.16.6.6
	in_vain "$gw" fd00:2::1
	check 'tx_selector' "$(drop_count "$gw" pvs0 tx_selector)" 9
	check 'sent' "$(sent "$stock" 0x1001)" "$before"
	pings "$gw" 10.2.0.1
}

packet_outside_the_states_selector_over_IPv6()
{
	adopted_with fd00:1::/64 fd00:2::/64
	pings "$gw" fd00:2::1
	pings "$stock" fd00:1::1
	in_vain "$stock" fd00:1::1 -I fd00:66::6
	in_vain "$stock" fd00:8::1
	in_vain "$stock" 10.1.0.1
	check 'drops' "$(drops "$gw")" rx_selector=9
	check 'delivered' "$(delivered)" 0
	in_vain "$gw" fd00:2::1 -I fd00:8::1
	check 'tx_selector' "$(drop_count "$gw" pvs0 tx_selector)" 3
}

# to_port NS ADDRESS PORT: a packet of UDP
to_port() { in_ns "$1" bash -c "echo a packet >/dev/udp/$2/$3"; }

protocol_and_ports_of_the_states_selector()
{
	local ns

	MORE='proto udp dport 7000' adopted_with 10.1.0.0/24 10.2.0.0/24
	# No socket listens; suppress the ICMP errors
	for ns in "$gw" "$stock"; do
		in_ns "$ns" nft -f - <<-END
			table ip quiet {
				chain out {
					type filter hook output priority filter
					icmp type destination-unreachable drop
				}
			}
		END
	done
	to_port "$gw" 10.2.0.1 7000
	wait_for 'the packet to the port' is 1 sent "$stock" 0x1001
	to_port "$gw" 10.2.0.1 7001
	in_vain "$gw" 10.2.0.1
	check 'tx_selector' "$(drop_count "$gw" pvs0 tx_selector)" 4
	to_port "$stock" 10.1.0.1 7000
	to_port "$stock" 10.1.0.1 7001
	wait_for 'the other port to be dropped' is 1 drop_count "$gw" pvs0 rx_selector
	in_vain "$stock" 10.1.0.1
	check 'rx_selector' "$(drop_count "$gw" pvs0 rx_selector)" 4
	check 'received' "$(show "$gw" peers.0.rx_packets)" 1
	check 'sent' "$(sent "$stock" 0x1001)" 1
}

# A router outside the selector sends an error about a packet inside it
ICMP_errors_by_the_flag_of_the_state()
{
	IN='' adopted_with 10.1.0.0/24 10.2.0.0/24
	in_ns "$stock" sysctl -qw net.ipv4.ip_forward=1
	ip -n "$stock" route add unreachable 10.2.0.9
	ip -n "$stock" route replace 10.1.0.0/24 dev ipsec0 src 172.16.6.6
	# Send one at a time, because the kernel limits the rate of errors
	! in_ns "$gw" ping -c 1 -W 1 10.2.0.9 >"$tmp/ping" || fail 'an answer'
	check 'without the flag' "$(drops "$gw")" rx_selector=1
	! grep -q Unreachable "$tmp/ping" || fail "$(cat "$tmp/ping")"
	ip -n "$gw" xfrm state delete src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x1002
	ip -n "$stock" xfrm state delete src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x1002
	state "$gw" 192.0.2.2 192.0.2.1 0x1012 "$there" flag icmp sel src 10.2.0.0/24 dst 10.1.0.0/24
	state "$stock" 192.0.2.2 192.0.2.1 0x1012 "$there" flag af-unspec
	wait_for 'the other SA' is 1 inbound 0x1012
	in_ns "$gw" ping -c 1 -W 5 10.2.0.9 >"$tmp/ping" || true
	grep -q '^From 172.16.6.6 .*Unreachable' "$tmp/ping" || fail "$(cat "$tmp/ping")"
	check 'drops' "$(drops "$gw")" rx_selector=1
	# Other packets from that router are dropped
	in_vain "$stock" 10.1.0.1 -I 172.16.6.6
	check 'drops' "$(drops "$gw")" rx_selector=4
}

# inbound SPI: the number of SAs with this SPI
inbound()
{
	ctl "$gw" -j show pvs0 | jq --argjson spi $(($1)) '[.devices[0].peers[].sas[] | select(.spi == $spi)] | length'
}

# ---- the flags of a state ----

# record NS DEVICE FILTER FILE: writes each packet as a line of FILE
record()
{
	background ip netns exec "$1" tcpdump -nvlU -i "$2" "$3" >"$tmp/$4" 2>"$tmp/$4.err"
	wait_for 'tcpdump to listen' grep -q 'listening on' "$tmp/$4.err"
}

# recorded FILE: the number of packets in FILE
recorded() { grep -cE '^[^ ].*(tos|class|IP6)' "$tmp/$1"; }

# last_tos FILE: "tos DF" of the last packet; tos is 0 if tcpdump shows no class
last_tos()
{
	grep -E '^[^ ].*(tos|class|IP6)' "$tmp/$1" | tail -n 1 |
		sed -E 's/.*(tos|class) (0x[0-9a-f]+).*flags \[([^]]*)\].*/\2 \3/;s/.*(tos|class) (0x[0-9a-f]+).*/\2/;s/.*IP6.*/0x0/'
}

# one_ping FROM ADDRESS FILE[:ANSWERS] [PING-OPTIONS]: prints the packet's fields from FILE. If
# ANSWERS is given, waits for the answer in it, so that the next ping does not read it
one_ping()
{
	local file=${3%:*} other=${3#*:} before answers

	before=$(recorded "$file" || true)
	answers=$(recorded "$other" || true)
	pings "$1" "$2" -c 1 "${@:4}"
	wait_for "the packet in $file" at_least $((before + 1)) recorded "$file"
	wait_for "the answer in $other" at_least $((answers + 1)) recorded "$other"
	last_tos "$file"
}

# flagged [FLAGS...]: new states with these flags at both ends; the inbound flags follow --
spi=0x1000
flagged()
{
	local out=() in=() ns

	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		out+=("$1")
		shift
	done
	in=("${@:2}")
	spi=$((spi + 16))
	new_keys
	for ns in "$gw" "$stock"; do
		ip -n "$ns" xfrm state flush
	done
	state "$gw" 192.0.2.2 192.0.2.1 $((spi + 1)) "$back" flag af-unspec "${in[@]}"
	state "$stock" 192.0.2.1 192.0.2.2 $spi "$there" flag af-unspec "${in[@]}"
	state "$stock" 192.0.2.2 192.0.2.1 $((spi + 1)) "$back" flag af-unspec "${out[@]}"
	state "$gw" 192.0.2.1 192.0.2.2 $spi "$there" flag af-unspec "${out[@]}"
	wait_for 'the new SAs' is $spi show "$gw" peers.0.tx_spi
	wait_for 'the new SAs' is 1 inbound $((spi + 1))
}

# outer_is EXPECTED ADDRESS4-OR-6 PING-OPTIONS...: compares our outer header and stock IPsec's
outer_is()
{
	local expected=$1 family=$2

	shift 2
	if [ "$family" = 4 ]; then
		check 'outer header' "$(one_ping "$gw" 10.2.0.1 ours:theirs "$@")" "$expected"
		check 'that of stock IPsec' "$(one_ping "$stock" 10.1.0.1 theirs:ours "$@")" "$expected"
	else
		# Stock IPsec allows fragments of small IPv6 packets, so do not compare DF
		check 'outer header' \
			"$(one_ping "$gw" fd00:2::1 ours:theirs "$@" | cut -d ' ' -f 1)" "$expected"
		check 'that of stock IPsec' \
			"$(one_ping "$stock" fd00:1::1 theirs:ours "$@" | cut -d ' ' -f 1)" "$expected"
	fi
}

flags_that_say_what_the_outer_header_has()
{
	adopting_devices
	# One file has the request of each ping, the other has the answer
	record "$gw" outer0 'src host 192.0.2.1 and ip proto 50' ours
	record "$stock" outer0 'src host 192.0.2.2 and ip proto 50' theirs
	flagged
	outer_is '0xb9 DF' 4 -Q 0xb9 -M 'do'
	outer_is 0xb9 6 -Q 0xb9
	flagged flag noecn
	outer_is '0xb8 DF' 4 -Q 0xb9 -M 'do'
	outer_is 0xb8 6 -Q 0xb9
	flagged extra-flag dont-encap-dscp
	outer_is '0x1 DF' 4 -Q 0xb9 -M 'do'
	outer_is 0x1 6 -Q 0xb9
	flagged flag nopmtudisc
	outer_is '0xb9 none' 4 -Q 0xb9 -M 'do'
	flagged flag noecn flag nopmtudisc extra-flag dont-encap-dscp
	outer_is '0x0 none' 4 -Q 0xb9 -M 'do'
	check 'drops' "$(drops "$gw")" ''
}

# inner_is EXPECTED FAMILY PING-OPTIONS...: as our device delivers it, and as stock IPsec does
inner_is()
{
	local expected=$1 family=$2

	shift 2
	if [ "$family" = 4 ]; then
		check 'inner header' "$(one_ping "$stock" 10.1.0.1 ours "$@")" "$expected"
		check 'that of stock IPsec' "$(one_ping "$gw" 10.2.0.1 theirs "$@")" "$expected"
	else
		check 'inner header' "$(one_ping "$stock" fd00:1::1 ours "$@")" "$expected"
		check 'that of stock IPsec' "$(one_ping "$gw" fd00:2::1 theirs "$@")" "$expected"
	fi
}

# congested: from now on every packet gets CE, as by a congested router
congested()
{
	local ns

	for ns in "$gw" "$stock"; do
		in_ns "$ns" nft -f - <<-END
			table ip congested {
				chain in {
					type filter hook prerouting priority raw
					ip protocol esp ip ecn set ce
				}
			}
		END
	done
}

flags_that_say_what_the_inner_header_gets()
{
	local echo='(icmp[icmptype] == icmp-echo or (ip6 and icmp6[icmp6type] == icmp6-echo))'

	adopting_devices
	record "$gw" pvs0 "$echo and not src host 10.1.0.1 and not src host fd00:1::1" ours
	record "$stock" ipsec0 "$echo and not src host 10.2.0.1 and not src host fd00:2::1" theirs
	flagged extra-flag dont-encap-dscp --
	inner_is '0xb8 DF' 4 -Q 0xb8 -M 'do'
	flagged extra-flag dont-encap-dscp -- flag decap-dscp
	inner_is '0x0 DF' 4 -Q 0xb8 -M 'do'
	inner_is '0x0' 6 -Q 0xb8
	congested
	flagged
	inner_is '0xbb DF' 4 -Q 0xba -M 'do'
	inner_is '0xbb' 6 -Q 0xba
	flagged -- flag noecn
	inner_is '0xba DF' 4 -Q 0xba -M 'do'
	inner_is '0xba' 6 -Q 0xba
	# A packet without ECN inside is not lost
	inner_is '0xb8 DF' 4 -Q 0xb8 -M 'do'
	check 'drops' "$(drops "$gw")" ''
}

run_cases destination_outside_local_subnets destination_outside_local_subnets_by_adopted_SAs \
	local_subnets_are_kept_and_replaced any_address_among_many_prefixes \
	packet_outside_the_states_selector packet_outside_the_states_selector_over_IPv6 \
	protocol_and_ports_of_the_states_selector ICMP_errors_by_the_flag_of_the_state \
	flags_that_say_what_the_outer_header_has flags_that_say_what_the_inner_header_gets
