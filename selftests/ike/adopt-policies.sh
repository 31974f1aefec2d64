#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# XFRM policies of a device with an if_id, in all three directions: which packets a child SA may
# carry in and out, and which a policy blocks (RFC 4301 sections 4.4.1 and 5.2). ip xfrm stands for
# the daemon; the other end is stock Linux IPsec and sends everything by one SA.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"
# shellcheck source=../lib/states.sh
. "$(dirname "$0")/../lib/states.sh"

KEY=0x$(printf '%040d' 7)

# keyed NS SRC DST SPI ARGUMENTS...: a state with the key that all states share
keyed() { state "$@" aead "$GCM" "$KEY" 128; }

# child REQID SPI: both states of a child at the gateway, SPI outbound, SPI + 1 inbound
child()
{
	keyed "$gw" 192.0.2.2 192.0.2.1 $(($2 + 1)) reqid "$1"
	keyed "$gw" 192.0.2.1 192.0.2.2 "$2" reqid "$1"
}

# far SPI: the far end sends everything by the gateway's SPI + 1, and receives by SPI
far()
{
	ip -n "$stock" xfrm state flush
	keyed "$stock" 192.0.2.1 192.0.2.2 "$1"
	keyed "$stock" 192.0.2.2 192.0.2.1 $(($1 + 1))
}

# lines DIR SRC DST REQID [SELECTOR...]: ip commands for a policy of the gateway; in adds fwd, too
lines()
{
	local tmpl='src 192.0.2.1 dst 192.0.2.2' dirs=out dir

	[ "$1" = out ] || tmpl='src 192.0.2.2 dst 192.0.2.1' dirs='in fwd'
	for dir in $dirs; do
		echo "xfrm policy ${COMMAND:-add} dir $dir src $2 dst $3 ${*:5} if_id 42 priority 10" \
			"tmpl $tmpl proto esp reqid $4 mode tunnel"
	done
}

# both NEAR FAR REQID [SELECTOR...]: policies out, in and fwd
both()
{
	lines out "$1" "$2" "${@:3}"
	lines in "$2" "$1" "${@:3}"
}

# gateway: waits for states and policies of if_id 42; the far end sends by child 1
gateway()
{
	adopting_devices
	in_batch "$stock" <<-END
		addr add 172.16.6.6/32 dev lo
		addr add fd66::6/128 dev lo nodad
		addr add 10.2.0.9/32 dev lo
	END
	in_ns "$gw" nft -f - <<-END
		table inet t {
			chain in {
				type filter hook prerouting priority raw
				iif pvs0 counter
			}
		}
	END
	far 0x1001
}

up() { wait_for 'the peer to be up' is true show "$gw" peers.0.up; }

# delivered: the number of packets that have come out of the device
delivered()
{
	in_ns "$gw" nft list chain inet t in | sed -nE 's/.*packets ([0-9]+) .*/\1/p'
}

# sends FROM TO [OPTIONS]: the far end sends three packets; answers do not matter
sends()
{
	in_ns "$stock" ping -q -c 3 -i 0.02 -W 0.1 -I "$1" "${@:3}" "$2" >/dev/null || true
}

# counted WHY [PEER SPI]: drops; 0 also if the module has no such reason
counted()
{
	local count

	count=$(drop_count "$gw" pvs0 "$@" 2>/dev/null) || count=0
	echo "$count"
}

# refused FROM TO WHY [OPTIONS]: none of three packets is delivered, and each counts as WHY
refused()
{
	local before count

	before=$(delivered)
	count=$(counted "$3")
	sends "$1" "$2" "${@:4}"
	busywait 10 is $((count + 3)) counted "$3" ||
		fail "of three packets of $1, $(($(counted "$3") - count)) are $3," \
			"$(($(delivered) - before)) were delivered; drops:" "$(drops "$gw")"
	check "packets of $1 delivered" "$(delivered)" "$before"
}

# accepted FROM TO [OPTIONS]: all of three packets are delivered
accepted()
{
	local before

	before=$(delivered)
	sends "$@"
	wait_for "packets from $1" is $((before + 3)) delivered
}

# Stock IPsec also drops these, and counts them as XfrmInNoPols
selectors_of_the_child()
{
	gateway
	both 10.1.0.0/24 10.2.0.0/24 1 | in_batch "$gw"
	both fd00:1::/64 fd00:2::/64 1 | in_batch "$gw"
	child 1 0x1001
	up
	accepted 10.2.0.1 10.1.0.1
	accepted fd00:2::1 fd00:1::1
	refused 172.16.6.6 10.1.0.1 rx_policy
	refused fd66::6 fd00:1::1 rx_policy
	check 'drops of the SA' "$(counted rx_policy 192.0.2.2 0x1002)" 6
	check 'all drops' "$(drops "$gw")" rx_policy=6
	# The destination is checked, too: 10.1.1.1 is outside the child's networks
	ip -n "$gw" addr add 10.1.1.1/32 dev lo
	ip -n "$stock" route add 10.1.1.0/24 dev ipsec0
	refused 10.2.0.1 10.1.1.1 rx_policy
}

# to PORT [BYTES]: the far end sends UDP
to() { in_ns "$stock" bash -c "printf %0${2:-8}d 0 >/dev/udp/10.1.0.1/$1"; }

ports_and_protocol()
{
	local before

	gateway
	ip -n "$stock" link set ipsec0 mtu 1400
	both 10.1.0.0/24 10.2.0.0/24 1 proto udp dport 7000 | in_batch "$gw"
	child 1 0x1001
	up
	before=$(delivered)
	to 7000
	wait_for 'the packet to the port' is $((before + 1)) delivered
	to 7001
	wait_for 'the one to another port' is 1 counted rx_policy
	refused 10.2.0.1 10.1.0.1 rx_policy
	# Fragments after the first have no ports; they are useless without the first
	to 7000 3000
	wait_for 'all three fragments' is $((before + 4)) delivered
	to 7001 3000
	wait_for 'the first fragment' is 5 counted rx_policy
	# ICMP by type: requests pass, replies do not
	{
		lines in 10.2.0.0/24 10.1.0.0/24 1 proto icmp type 8
	} | in_batch "$gw"
	accepted 10.2.0.1 10.1.0.1
}

# to6 PORT [BYTES]: the same over IPv6
to6() { in_ns "$stock" bash -c "printf %0${2:-8}d 0 >/dev/udp/fd00:1::1/$1"; }

# The fragment header has the protocol of a fragment after the first
fragments_over_IPv6()
{
	local before

	gateway
	ip -n "$stock" link set ipsec0 mtu 1400
	both fd00:1::/64 fd00:2::/64 1 proto udp dport 7000 | in_batch "$gw"
	child 1 0x1001
	up
	before=$(delivered)
	to6 7000
	wait_for 'the packet to the port' is $((before + 1)) delivered
	to6 7000 3000
	wait_for 'all three fragments' is $((before + 4)) delivered
	check 'drops' "$(counted rx_policy)" 0
	to6 7001 3000
	wait_for 'the first fragment' is 1 counted rx_policy
}

# The policies select children by ports, which fragments lack. The inner packet therefore stays
# whole, and the outer packet is fragmented
fragments_where_ports_count()
{
	gateway
	{
		lines out 10.1.0.0/24 10.2.0.0/24 1 proto udp dport 7000
		lines out 10.1.0.0/24 10.2.0.0/24 2 proto udp dport 7001
		lines in 10.2.0.0/24 10.1.0.0/24 1
	} | in_batch "$gw"
	child 1 0x1001
	child 2 0x1011
	keyed "$stock" 192.0.2.1 192.0.2.2 0x1011
	up
	wait_for 'four SAs' is 4 sa_count
	ip -n "$gw" link set pvs0 mtu 9000
	in_ns "$gw" sysctl -qw net.ipv4.ip_no_pmtu_disc=1
	in_ns "$gw" bash -c 'printf %03000d 0 >/dev/udp/10.2.0.1/7001'
	wait_for 'the packet, whole' is 1 sent 0x1011
	check 'drops' "$(drops "$gw")" ''
}

# A router outside the policies sends an error about a packet inside them
ICMP_errors_by_the_flag_of_the_state()
{
	gateway
	both 10.1.0.0/24 10.2.0.0/24 1 | in_batch "$gw"
	child 1 0x1001
	up
	in_ns "$stock" sysctl -qw net.ipv4.ip_forward=1
	ip -n "$stock" route add unreachable 10.2.0.7
	ip -n "$stock" route replace 10.1.0.0/24 dev ipsec0 src 172.16.6.6
	in_ns "$gw" ping -c 1 -W 1 10.2.0.7 >"$tmp/ping" || true
	! grep -q Unreachable "$tmp/ping" || fail "$(cat "$tmp/ping")"
	check 'drops' "$(drops "$gw")" rx_policy=1
	ip -n "$gw" xfrm state delete src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x1002
	keyed "$gw" 192.0.2.2 192.0.2.1 0x1002 reqid 1 flag icmp
	wait_for 'the other SA' is 2 sa_count
	in_ns "$gw" ping -c 1 -W 5 10.2.0.7 >"$tmp/ping" || true
	grep -q '^From 172.16.6.6 .*Unreachable' "$tmp/ping" || fail "$(cat "$tmp/ping")"
	check 'drops' "$(drops "$gw")" rx_policy=1
	# Other packets from that router do not pass
	refused 172.16.6.6 10.1.0.1 rx_policy
}

# block DIR SRC DST PRIORITY: the ip command for a policy that blocks
block() { echo "xfrm policy add dir $1 src $2 dst $3 if_id 42 action block priority $4"; }

blocked_both_ways()
{
	gateway
	both 10.1.0.0/24 10.2.0.0/24 1 | in_batch "$gw"
	child 1 0x1001
	up
	accepted 10.2.0.9 10.1.0.1
	pings "$gw" 10.2.0.9
	# Policies of lower priority change nothing
	{
		block out 10.1.0.0/24 10.2.0.9/32 20
		block in 10.2.0.9/32 10.1.0.0/24 20
	} | in_batch "$gw"
	pings "$gw" 10.2.0.9
	accepted 10.2.0.9 10.1.0.1
	{
		block out 0.0.0.0/0 10.2.0.9/32 5
		block in 10.2.0.9/32 0.0.0.0/0 5
	} | in_batch "$gw"
	in_ns "$gw" ping -q -c 3 -i 0.05 -W 0.1 10.2.0.9 >/dev/null || true
	check 'drops outbound' "$(counted tx_blocked)" 3
	refused 10.2.0.9 10.1.0.1 rx_blocked
	pings "$gw" 10.2.0.1
	check 'all drops' "$(drops "$gw" | xargs)" 'rx_blocked=3 tx_blocked=3'
	in_batch "$gw" <<-END
		xfrm policy delete dir out src 0.0.0.0/0 dst 10.2.0.9/32 if_id 42
		xfrm policy delete dir in src 10.2.0.9/32 dst 0.0.0.0/0 if_id 42
	END
	pings "$gw" 10.2.0.9
	accepted 10.2.0.9 10.1.0.1
	passed_without_IPsec_is_blocked
}

# A policy that allows a packet without IPsec does not allow it through a tunnel
passed_without_IPsec_is_blocked()
{
	in_batch "$gw" <<-END
		xfrm policy update dir out src 10.1.0.0/24 dst 10.2.0.9/32 if_id 42 priority 1
		xfrm policy update dir in src 10.2.0.9/32 dst 10.1.0.0/24 if_id 42 priority 1
	END
	in_ns "$gw" ping -q -c 3 -i 0.05 -W 0.1 10.2.0.9 >/dev/null || true
	check 'drops outbound' "$(counted tx_blocked)" 6
	refused 10.2.0.9 10.1.0.1 rx_blocked
}

# Two children of one gateway: each carries only its own packets
child_by_child()
{
	gateway
	both 10.1.0.0/24 10.2.0.0/24 1 | in_batch "$gw"
	both fd00:1::/64 fd00:2::/64 2 | in_batch "$gw"
	child 1 0x1001
	child 2 0x1011
	up
	accepted 10.2.0.1 10.1.0.1
	refused fd00:2::1 fd00:1::1 rx_policy
	far 0x1011
	accepted fd00:2::1 fd00:1::1
	refused 10.2.0.1 10.1.0.1 rx_policy
	check 'drops of child 1' "$(counted rx_policy 192.0.2.2 0x1002)" 3
	check 'drops of child 2' "$(counted rx_policy 192.0.2.2 0x1012)" 3
}

# A reqid is only valid together with a remote address
one_reqid_two_gateways()
{
	gateway
	ip -n "$gw" addr add 192.0.2.101/24 dev outer0
	ctl "$gw" peer add pvs0 b remote 192.0.2.2 subnets 10.2.0.0/25,fd00:2::/64
	ctl "$gw" peer add pvs0 c remote 192.0.2.3 subnets 10.2.0.128/25
	in_batch "$gw" < <(
		both 10.1.0.0/24 10.2.0.0/25 1
		both fd00:1::/64 fd00:2::/64 2
		both 10.1.0.0/24 10.2.0.128/25 1 | sed 's/192\.0\.2\.2 /192.0.2.3 /'
	)
	child 1 0x1001
	child 2 0x1011
	# The other gateway's SAs are the newest with reqid 1
	keyed "$gw" 192.0.2.3 192.0.2.1 0x2002 reqid 1
	keyed "$gw" 192.0.2.1 192.0.2.3 0x2001 reqid 1
	wait_for 'six SAs' is 6 sa_count
	in_ns "$gw" ping -q -c 3 -i 0.05 -W 0.1 10.2.0.1 >/dev/null || fail 'no answer of b'
	check 'packets to b' "$(sent 0x1001)" 3
	check 'packets to c' "$(sent 0x2001)" 0
	in_ns "$gw" ping -q -c 2 -i 0.05 -W 0.1 10.2.0.200 >/dev/null || true
	check 'packets to b' "$(sent 0x1001)" 3
	# A packet of b's policy is refused on c's SA, even if c's subnets contain its addresses
	ctl "$gw" peer set pvs0 b subnets fd00:2::/64
	ctl "$gw" peer set pvs0 c subnets 10.2.0.0/24
	ip -n "$stock" addr add 192.0.2.3/24 dev outer0
	ip -n "$stock" xfrm state flush
	ip -n "$stock" xfrm policy flush
	stock_policies "$stock" 192.0.2.3 192.0.2.1 42
	keyed "$stock" 192.0.2.3 192.0.2.1 0x2002
	refused 10.2.0.1 10.1.0.1 rx_policy
	check 'drops of that SA' "$(counted rx_policy c 0x2002)" 3
}

# sent SPI: the number of packets that have left by this SA
sent()
{
	ctl "$gw" -j show pvs0 | jq --argjson spi $(($1)) \
		'[.devices[0].peers[].sas[] | select(.spi == $spi and .dir == "out")][0].packets'
}

# If there are no policies, the state may have a selector of its own
selector_of_the_state()
{
	gateway
	keyed "$gw" 192.0.2.2 192.0.2.1 0x1002 sel src 10.2.0.0/24 dst 10.1.0.0/24
	keyed "$gw" 192.0.2.1 192.0.2.2 0x1001
	up
	accepted 10.2.0.1 10.1.0.1
	refused 172.16.6.6 10.1.0.1 rx_selector
}

# If there are only states, every address of the peer's subnets is accepted
states_without_policies()
{
	gateway
	child 1 0x1001
	up
	accepted 172.16.6.6 10.1.0.1
	both 10.1.0.0/24 10.2.0.0/24 1 | in_batch "$gw"
	refused 172.16.6.6 10.1.0.1 rx_policy
	ip -n "$gw" xfrm policy flush
	wait_for 'the end of the policies' lets_pass 172.16.6.6
	accepted 172.16.6.6 10.1.0.1
}

# others COMMAND: 200 policies for other networks, with as many prefix lengths as fit
others()
{
	local i

	for ((i = 0; i < 200; i++)); do
		echo "xfrm policy $1 dir in src 10.77.$i.0/$((24 + i % 8)) dst 10.1.0.0/24 if_id 42" "${@:2}"
	done
}

# Adding, changing and removing policies loses no packet
under_traffic()
{
	local i

	gateway
	both 10.1.0.0/24 10.2.0.0/24 1 | in_batch "$gw"
	child 1 0x1001
	up
	flood in "$stock" 10.1.0.1
	flood out "$gw" 10.2.0.1
	for ((i = 1; i <= 3; i++)); do
		others add priority "$i" tmpl src 192.0.2.2 dst 192.0.2.1 proto esp reqid 9 mode tunnel |
			in_batch "$gw"
		COMMAND=update both 10.1.0.0/24 10.2.0.0/24 1 | in_batch "$gw"
		others delete | in_batch "$gw"
		# Flush all policies, then add the relevant ones at once. If there is none, packets
		# pass
		ip -n "$gw" xfrm policy flush
		{
			lines in 10.2.0.0/24 10.1.0.0/24 1
			lines out 10.1.0.0/24 10.2.0.0/24 1
		} | in_batch "$gw"
	done
	flood_end in out
	check 'drops' "$(drops "$gw")" ''
	refused 172.16.6.6 10.1.0.1 rx_policy
}

# There are more policies than one look handles when the device gets its if_id: no packet passes
# before its policy is known
policies_before_the_device()
{
	gateway
	ctl "$gw" set pvs0 if-id 0
	{
		others add tmpl src 192.0.2.2 dst 192.0.2.1 proto esp reqid 9 mode tunnel
		both 10.1.0.0/24 10.2.0.0/24 1
		others add priority 3 tmpl src 192.0.2.2 dst 192.0.2.1 proto esp reqid 9 \
			mode tunnel | sed 's/dir in/dir fwd/'
	} | in_batch "$gw"
	child 1 0x1001
	background ip netns exec "$stock" ping -q -i 0.01 -I 172.16.6.6 10.1.0.1 >/dev/null
	ctl "$gw" set pvs0 if-id 42
	up
	wait_for 'the first drops' at_least 5 counted rx_policy
	check 'packets delivered' "$(delivered)" 0
	kill "$background"
	accepted 10.2.0.1 10.1.0.1
}

# many_states COUNT: ip commands for this many unused states
many_states()
{
	local i

	for ((i = 1; i <= $1; i++)); do
		echo "xfrm state add src 192.0.2.2 dst 192.0.2.1 proto esp spi $((0x5000 + i)) mode tunnel" \
			"if_id 42 reqid 9 flag af-unspec aead $GCM $KEY 128"
	done
}

# As long as the device has an SA, it has the policies: no packet passes while both are lost and
# adopted again. The many states before it make that slow
device_loses_and_gets_its_if_id()
{
	local i

	gateway
	both 10.1.0.0/24 10.2.0.0/24 1 | in_batch "$gw"
	many_states 200 | in_batch "$gw"
	child 1 0x1001
	up
	background ip netns exec "$stock" ping -q -i 0.005 -I 172.16.6.6 10.1.0.1 >/dev/null
	wait_for 'the first drops' at_least 5 counted rx_policy
	for ((i = 0; i < 6; i++)); do
		ctl "$gw" set pvs0 if-id $((42 * (i % 2)))
	done
	wait_for 'the SAs' is 202 sa_count
	check 'packets delivered' "$(delivered)" 0
	kill "$background"
	accepted 10.2.0.1 10.1.0.1
}

# kinds COUNT: this many pairs of prefix lengths
kinds()
{
	local i

	for ((i = 0; i < $1; i++)); do
		echo "xfrm policy add dir in src 10.88.0.0/$((17 + i % 10)) dst 10.99.0.0/$((17 + i / 10)) if_id 42" \
			"tmpl src 192.0.2.2 dst 192.0.2.1 proto esp reqid 9 mode tunnel"
	done
}

# alike COUNT: this many policies with the same addresses
alike()
{
	local i

	for ((i = 1; i <= $1; i++)); do
		lines out 10.1.0.0/24 10.88.0.0/24 9 proto udp dport "$i"
	done
}

# The number of policies per packet is limited. A policy beyond the limit allows nothing
too_many()
{
	gateway
	watch "$gw"
	both 10.1.0.0/24 10.2.0.0/24 1 | in_batch "$gw"
	child 1 0x1001
	up
	alike 128 | in_batch "$gw"
	kinds 63 | in_batch "$gw"
	accepted 10.2.0.1 10.1.0.1
	! grep -q policy-refused "$tmp/events" || fail 'refused too soon' "$(cat "$tmp/events")"
	lines out 10.1.0.0/24 10.88.0.0/24 9 proto tcp | in_batch "$gw"
	said 'pvs0 policy-refused reason too-many-alike$'
	kinds 70 | tail -n 7 | in_batch "$gw"
	said 'pvs0 policy-refused reason too-many-prefix-lengths$'
	accepted 10.2.0.1 10.1.0.1
	# A blocking policy beyond the limit blocks everything
	block in 10.88.0.0/30 10.99.0.0/30 10 | in_batch "$gw"
	refused 10.2.0.1 10.1.0.1 rx_blocked
	ip -n "$gw" xfrm policy delete dir in src 10.88.0.0/30 dst 10.99.0.0/30 if_id 42
	accepted 10.2.0.1 10.1.0.1
}

# A policy beyond the limit takes the place of one that is removed
room_again()
{
	gateway
	watch "$gw"
	both 10.1.0.0/24 10.2.0.0/24 1 | in_batch "$gw"
	child 1 0x1001
	up
	kinds 63 | in_batch "$gw"
	lines in 172.16.6.0/29 10.1.0.0/24 1 | in_batch "$gw"
	said 'pvs0 policy-refused reason too-many-prefix-lengths$'
	refused 172.16.6.6 10.1.0.1 rx_policy
	block in 10.88.0.0/30 10.99.0.0/30 10 | in_batch "$gw"
	refused 10.2.0.1 10.1.0.1 rx_blocked
	kinds 2 | sed 's/ add / delete /; s/ tmpl .*//' | in_batch "$gw"
	wait_for 'the other policy to have its place' lets_pass 172.16.6.6
	accepted 10.2.0.1 10.1.0.1
}

# lets_pass FROM: a packet passes
lets_pass()
{
	local before

	before=$(delivered)
	sends "$1" 10.1.0.1
	[ "$(delivered)" -gt "$before" ]
}

# many_policies: for no device, to make a look at all policies slow
many_policies()
{
	local i

	for ((i = 0; i < 2000; i++)); do
		echo "xfrm policy add dir in src 10.$((100 + i / 250)).$((i % 250)).0/24 dst 10.1.0.0/24 if_id 9"
	done
}

# A blocking policy holds for SAs that are being removed and for those just adopted
nothing_passes_while_two_set_the_if_id()
{
	local rounds=40

	! checkers_on || rounds=8
	gateway
	ip -n "$gw" xfrm policy set hthresh4 24 24
	{
		block out 10.1.0.0/24 10.2.0.9/32 1
		both 10.1.0.0/24 10.2.0.0/24 1
		many_policies
		many_states 200
	} | in_batch "$gw"
	child 1 0x1001
	up
	"$here/adopt_if_ids.py" "$gw" $rounds >"$tmp/sent" || fail 'a process has failed'
	report <"$tmp/sent"
	check 'packets that have left' "$(xfrm "$gw" 0x1001 packets)" 0
	ip -n "$gw" xfrm policy delete dir out src 10.1.0.0/24 dst 10.2.0.9/32 if_id 42
	wait_for 'the SAs' is 202 sa_count
	pings "$gw" 10.2.0.9
}

run_cases selectors_of_the_child ports_and_protocol fragments_over_IPv6 \
	fragments_where_ports_count ICMP_errors_by_the_flag_of_the_state blocked_both_ways \
	child_by_child one_reqid_two_gateways selector_of_the_state states_without_policies \
	under_traffic policies_before_the_device device_loses_and_gets_its_if_id too_many \
	room_again nothing_passes_while_two_set_the_if_id
