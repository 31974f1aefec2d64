#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# "pvsvpnctl show": reasons why a tunnel does not work, each shown and removed in time; the
# calculation of the inner MTU; the remaining lifetimes.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# problems NAMESPACE [PEER]: prints their names
problems() { show "$1" "peers.${2-0}" | jq -r '.problems | join(" ")'; }

# state_line NAMESPACE [PEER]: the state as printed by "show"
state_line() { ctl "$1" show pvs0 | sed -n 's/^  state: //p' | sed -n "$((${2-0} + 1))p"; }

# says PATTERN PROBLEMS: compares text and JSON of $left's first peer
says()
{
	check 'problems' "$(problems "$left")" "$2"
	[[ $(state_line "$left") =~ ^$1$ ]] || fail "state is '$(state_line "$left")', should be '$1'"
}

# add DIR SPI [OPTIONS...]: an SA of $left
add()
{
	"$PVSVPNCTL" genkey aes128gcm16 |
		ctl "$left" sa add pvs0 right dir "$1" spi "$2" transform aes128gcm16 key-file - "${@:3}"
}

SAs_one_by_one()
{
	pair_up
	says 'down: no outbound SA \(.*dir out\), no inbound SA \(.*dir in\), nothing received yet' \
		'no-outbound-sa no-inbound-sa nothing-received'
	add in 0x2000
	says 'down: no outbound SA \(.*\), nothing received yet' 'no-outbound-sa nothing-received'
	add out 0x3000
	says 'up, sending with spi 0x00003000, nothing received yet' nothing-received
	ctl "$left" sa del pvs0 right spi 0x2000 dir in
	says 'sending only: no inbound SA \(.*\), sending with spi 0x00003000, nothing received yet' \
		'no-inbound-sa nothing-received'
}

it_works()
{
	tunnel_up
	says 'up, sending with spi 0x00001001, nothing received yet' nothing-received
	pings "$left" 10.2.0.1
	says 'up, sending with spi 0x00001001, last received [0-9.]+s ago' ''
}

# ends DIR LIMIT...: adds an SA with that limit, and sends packets until it is reached
ends()
{
	add "$1" 0x3000 "${@:2}"
	in_ns "$left" ping -q -c 3 -i 0.1 -W 1 10.2.0.1 >/dev/null 2>&1 || :
}

why_an_outbound_SA_ended()
{
	pair_up
	add in 0x2000
	ends out hard-packets 2
	wait_for 'its end' is 'outbound-sa-expired nothing-received' problems "$left"
	says 'down: outbound SA 0x00003000 expired \(packets; .*\), nothing received yet' \
		'outbound-sa-expired nothing-received'
	grep -qE '^  out 0x00003000 .* expired: packets ' <<<"$(ctl "$left" show pvs0)" ||
		fail 'not in the table:' "$(ctl "$left" show pvs0)"
	check 'reason in JSON' "$(show "$left" peers.0.sas.0.expired_reason)" packets
	ctl "$left" sa del pvs0 right spi 0x3000 dir out
	ends out hard-bytes 100
	wait_for 'its end' is bytes show "$left" peers.0.sas.0.expired_reason
	ctl "$left" sa del pvs0 right spi 0x3000 dir out
	ends out seq 4294967294
	wait_for 'its end' is sequence-exhausted show "$left" peers.0.sas.0.expired_reason
	ctl "$left" sa del pvs0 right spi 0x3000 dir out
	ends out hard-use-seconds 1
	wait_for 'its end' is use-seconds show "$left" peers.0.sas.0.expired_reason
	# The newest expired SA is named, but one usable SA is enough
	add out 0x3001
	says 'up, sending with spi 0x00003001, nothing received yet' nothing-received
}

why_an_inbound_SA_ended()
{
	pair_up
	add in 0x2000 hard-seconds 1
	add out 0x3000
	wait_for 'its end' is 'inbound-sa-expired nothing-received' problems "$left"
	says 'sending only: inbound SA 0x00002000 expired \(seconds; .*\), sending with .*' \
		'inbound-sa-expired nothing-received'
}

# show looks up the route itself: no packet need be lost to detect this
no_route_to_the_remote()
{
	tunnel_up
	pings "$left" 10.2.0.1
	ip -n "$left" link set $left_dev down
	says 'down: no route to remote \(ip route get 192.0.2.2\), sending with .*' no-route
	ip -n "$left" link set $left_dev up
	wait_for 'the route' is '' problems "$left"
	ctl "$left" peer set pvs0 right local 192.0.2.77
	says 'down: no route to remote \(ip route get 192.0.2.2 from 192.0.2.77\), .*' no-route
	ctl "$left" peer set pvs0 right local 192.0.2.1
	says 'up, .*' ''
	ip -n "$left" rule add fwmark 7 table 77
	ip -n "$left" route add blackhole default table 77
	ctl "$left" set pvs0 fwmark 7
	says 'down: no route to remote \(ip route get 192.0.2.2 from 192.0.2.1 mark 0x7\), .*' no-route
	ctl "$left" set pvs0 fwmark 0
	ip -n "$left" route add 198.51.100.0/24 dev pvs0
	ctl "$left" peer set pvs0 right local 0.0.0.0 remote 198.51.100.1
	says 'down: route to remote leads back into pvs0 \(ip route add 198.51.100.1 .*' route-loop
	check 'packets dropped to find out' "$(drops "$left")" ''
}

no_route_over_IPv6()
{
	tunnel_up
	ip -n "$left" addr add 2001:db8::1/64 dev $left_dev nodad
	ctl "$left" peer set pvs0 right local :: remote 2001:db8::2
	check problems "$(problems "$left")" nothing-received
	ctl "$left" peer set pvs0 right local 2001:db8::77
	check problems "$(problems "$left")" 'no-route nothing-received'
	ctl "$left" peer set pvs0 right local :: remote fd00:2::9
	check problems "$(problems "$left")" 'route-loop nothing-received'
	ctl "$left" peer set pvs0 right remote 2001:db8:1::1
	check problems "$(problems "$left")" 'no-route nothing-received'
}

device_is_down()
{
	tunnel_up
	pings "$left" 10.2.0.1
	ip -n "$left" link set pvs0 down
	says 'down: device is down \(ip link set pvs0 up\), .*' device-down
	grep -q '^  device is down (ip link set pvs0 up)' <<<"$(ctl "$left" show pvs0)" ||
		fail 'not said of the device:' "$(ctl "$left" show pvs0)"
	check 'JSON' "$(show "$left" up)" false
	ip -n "$left" link set pvs0 up
	says 'up, .*' ''
}

# mtu_line NAMESPACE: the line up to the inner MTU
mtu_line() { ctl "$1" show pvs0 | sed -nE 's/^  mtu: ([0-9]+ path .*inner) .*/\1/p'; }

# sums TEXT: the line equals TEXT; JSON has the same numbers, whose sum is the path MTU
sums()
{
	check 'how the MTU comes about' "$(mtu_line "$left")" "$1"
	check 'sum of the parts' "$(show "$left" peers.0 | jq '.inner_mtu + (.overhead | add)')" \
		"$(show "$left" peers.0.path_mtu)"
	check 'numbers in JSON' \
		"$(show "$left" peers.0 | jq -r '[.path_mtu, (.overhead | .ip, .udp, .esp, .icv, .trailer | select(. > 0)), .inner_mtu] | join(" ")')" \
		"$(tr -dc '0-9 ' <<<"${1//IPv?/}" | xargs)"
}

# new_outbound TRANSFORM SPI: adds an outbound SA, which becomes the current one
new_outbound()
{
	"$PVSVPNCTL" genkey "$1" |
		ctl "$left" sa add pvs0 right dir out spi "$2" transform "$1" key-file -
}

how_the_MTU_comes_about()
{
	pair_up
	sums '1500 path - 20 IPv4 - 16 ESP and IV - 16 ICV - 2 trailer and padding = 1446 inner'
	new_outbound aes128gcm12 0x3000
	sums '1500 path - 20 IPv4 - 16 ESP and IV - 12 ICV - 2 trailer and padding = 1450 inner'
	ctl "$left" peer set pvs0 right encap udp
	sums '1500 path - 20 IPv4 - 8 UDP - 16 ESP and IV - 12 ICV - 2 trailer and padding = 1442 inner'
	new_outbound aes256-sha256 0x3001
	sums '1500 path - 20 IPv4 - 8 UDP - 24 ESP and IV - 16 ICV - 10 trailer and padding = 1422 inner'
	ip -n "$left" link set $left_dev mtu 1400
	wait_for 'the path' is 1400 show "$left" peers.0.path_mtu
	sums '1400 path - 20 IPv4 - 8 UDP - 24 ESP and IV - 16 ICV - 6 trailer and padding = 1326 inner'
	ip -n "$left" addr add 2001:db8::1/64 dev $left_dev nodad
	ctl "$left" peer set pvs0 right local :: remote 2001:db8::2 encap none
	sums '1400 path - 40 IPv6 - 24 ESP and IV - 16 ICV - 10 trailer and padding = 1310 inner'
}

# A path MTU too small for any overhead, and an unknown one
MTU_without_a_sum()
{
	pair_up
	ip -n "$left" link set $left_dev mtu 100
	wait_for 'the path' is 100 show "$left" peers.0.path_mtu
	check overhead "$(show "$left" peers.0 | jq .overhead)" null
	grep -q '^  mtu: 68 inner, the least; the path carries 100 only' <<<"$(ctl "$left" show pvs0)" ||
		fail 'not said:' "$(ctl "$left" show pvs0)"
	ctl "$left" peer add pvs0 unknown remote 198.51.100.9 subnets 10.99.0.0/16
	check 'path MTU' "$(show "$left" peers.1 | jq .path_mtu)" null
	grep -q '^  mtu: 1446 inner, as long as the path is not known' <<<"$(ctl "$left" show pvs0)" ||
		fail 'not said:' "$(ctl "$left" show pvs0)"
}

# left_of FIELD: what remains for the outbound SA
left_of() { show "$left" "peers.0.sas.0.left.$1"; }

what_is_left_of_lifetimes()
{
	pair_up
	add out 0x3000 hard-packets 10 soft-packets 5 hard-bytes 1000 hard-seconds 5000 \
		hard-use-seconds 400
	check 'packets before' "$(left_of hard_packets)" 10
	check 'seconds of use before' "$(left_of hard_use_seconds)" 400
	check 'use before' "$(show "$left" peers.0.sas.0 | jq .use_age_ms)" null
	in_ns "$left" ping -q -c 3 -l 3 -W 1 10.2.0.1 >/dev/null 2>&1 || :
	check 'packets' "$(left_of hard_packets) $(left_of soft_packets)" '7 2'
	check 'bytes' "$(left_of hard_bytes)" $((1000 - 3 * 84))
	wait_for 'the clock of use' at_least 1000 show "$left" peers.0.sas.0.use_age_ms
	[ "$(left_of hard_use_seconds)" -lt 400 ] || fail 'seconds of use do not fall'
	[ "$(left_of hard_seconds)" -lt 5000 ] || fail 'seconds do not fall'
	ctl "$left" show pvs0 |
		grep -qE ' 1h 2[0-9]m, [56]m [0-9]+s of use, 7 packets, 748 B, soft 2 packets ' ||
		fail 'not in show:' "$(ctl "$left" show pvs0)"
}

# More subnets than fit into one message of a dump
a_peer_with_many_subnets_is_one()
{
	local subnets

	new_ns left
	ip -n "$left" link add pvs0 type pvsvpn
	printf -v subnets 'fd00:0:0:%x::/64,' {1..1024}
	ctl "$left" peer add pvs0 many remote 192.0.2.2 subnets "${subnets%,}"
	check 'peers and subnets' "$(ctl "$left" -j show pvs0 |
		jq -r '.devices[0].peers | "\(length) \(.[0].subnets | unique | length)"')" '1 1024'
}

run_cases SAs_one_by_one it_works why_an_outbound_SA_ended why_an_inbound_SA_ended \
	no_route_to_the_remote no_route_over_IPv6 device_is_down how_the_MTU_comes_about \
	MTU_without_a_sum what_is_left_of_lifetimes a_peer_with_many_subnets_is_one
