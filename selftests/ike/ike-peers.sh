#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# A device that carries an IKE daemon's (strongSwan's) SAs, against other far ends: Libreswan, ESP
# in user space, IKEv1, another pvsvpn; through a NAT. Also the life of a tunnel: rekeys from both
# ends at once, a far end that dies and returns, a change of its address, a restart of the daemon.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"
# shellcheck source=../lib/swan.sh
. "$(dirname "$0")/../lib/swan.sh"
# shellcheck source=../lib/libreswan.sh
. "$(dirname "$0")/../lib/libreswan.sh"

middle=''

# near_end [CHILD-SETTING...]: this end, with its daemon
near_end()
{
	pvsvpn_end "$gw" pvs0 42 "${near[@]}"
	daemon "$gw" "${LOCAL:-192.0.2.1}" "${REMOTE:-192.0.2.2}" near far "$@"
}

# far_end: the other end, with its daemon and stock IPsec
far_end()
{
	stock_end "$stock" ipsec0 42 "${far[@]}"
	daemon "$stock" "${LOCAL:-192.0.2.2}" "${REMOTE:-192.0.2.1}" far near
}

# Ends for a peer that takes only the IPv4 subnets
near_end_v4() { LOCAL_TS=10.1.0.0/24 REMOTE_TS=10.2.0.0/24 near_end; }
far_end_v4() { LOCAL_TS=10.2.0.0/24 REMOTE_TS=10.1.0.0/24 far_end; }

# pvsvpn_at_both_ends: connected
pvsvpn_at_both_ends()
{
	# There is no stock IPsec, so no loss is its own
	stock_own='^$'
	has_strongswan
	ends
	pvsvpn_end "$stock" pvs0 42 "${far[@]}"
	daemon "$stock" 192.0.2.2 192.0.2.1 far near
	near_end
	initiate
}

# both_ways [PING-OPTIONS]: pings both ways, none lost
both_ways()
{
	pings "$gw" 10.2.0.1 "$@"
	pings "$stock" 10.1.0.1 "$@"
}

both_ways6()
{
	pings "$gw" fd00:2::1
	pings "$stock" fd00:1::1
}

# rekey NS [CHILD]: this end rekeys the child in use; waits until the new SA is in use
rekey()
{
	local before child=${2:-$(child_of "$1")}

	before=$(show "$gw" peers.0.tx_spi)
	swan "$1" --rekey --child-id "$child" >"$tmp/rekey" 2>&1 || fail "$(cat "$tmp/rekey")"
	wait_for 'another SA' is_not "$before" show "$gw" peers.0.tx_spi
}

# ---- other daemons ----

# pluto: Libreswan's daemon at the far end, with connection t, waits for us
pluto()
{
	local dir=$tmp/pluto

	mkdir -p "$dir/nss"
	echo '@far @near : PSK "what both have been told"' >"$dir/secrets"
	cat >"$dir/conf" <<-END
		conn t
		  ikev2=insist
		  authby=secret
		  left=192.0.2.2
		  leftid=@far
		  leftsubnet=10.2.0.0/24
		  leftupdown=%disabled
		  right=192.0.2.1
		  rightid=@near
		  rightsubnet=10.1.0.0/24
		  ike=aes_gcm128-sha2_256-dh31
		  esp=aes_gcm256;dh31
		  rekey=no
	END
	start_pluto t
}

# Libreswan selects traffic by policies: no device, the address is on lo
libreswan_with_stock_IPsec()
{
	has_strongswan
	has_libreswan
	ends
	in_batch "$stock" <<-END
		addr add 10.2.0.1/32 dev lo
		route add 10.1.0.0/24 via 192.0.2.1 src 10.2.0.1
	END
	pluto
	near_end_v4
	initiate
	both_ways
	both_ways -s 1400
	flood in "$stock" 10.1.0.1
	flood out "$gw" 10.2.0.1
	rekey "$gw"
	wait_for 'the old SA to go' is 2 sa_count
	# Libreswan sends by the new SA before our daemon can have the keys: stock IPsec at this end
	# would lose as many
	EARLY=$(xfrm_stat "$gw" XfrmAcquireError) flood_end in out
	check 'drops' "$(drops "$gw")" ''
	swan "$gw" --terminate --ike t >/dev/null
	wait_for 'no SA here' is 0 sa_count
	wait_for 'no SA there' is '' ip -n "$stock" xfrm state
}

# The kernel's IPsec never sees its packets. It requires UDP encapsulation from both ends
ESP_in_user_space()
{
	local plugin=/usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so

	has_strongswan
	[ -e $plugin ] || skip 'no kernel-libipsec (libcharon-extra-plugins)'
	ends
	modprobe -q tun
	PLUGINS=kernel-libipsec LOCAL_TS=10.2.0.0/24 REMOTE_TS=10.1.0.0/24 \
		daemon "$stock" 192.0.2.2 192.0.2.1 far near
	ip -n "$stock" addr add 10.2.0.1/32 dev ipsec0
	ip -n "$stock" route add 10.1.0.0/24 dev ipsec0 src 10.2.0.1
	near_end_v4
	initiate
	check 'encapsulation' "$(show "$gw" peers.0 | jq -r '"\(.encap) \(.sport) \(.dport)"')" 'udp 4500 4500'
	check 'stock states there' "$(ip -n "$stock" xfrm state)" ''
	both_ways
	both_ways -s 1200
	rekey "$gw"
	both_ways
	rekey "$stock"
	both_ways
	check 'drops' "$(drops "$gw")" ''
}

# Main mode and quick mode. The daemon keeps old inbound SAs until they expire
IKEv1_with_CBC()
{
	local version=$'version = 1\nproposals = aes128-sha256-modp2048' esp=aes128-sha256-modp2048

	has_strongswan
	has_IKEv1 || skip 'a strongSwan without IKEv1'
	ends
	CONNECTION=$version PROPOSAL=$esp far_end_v4
	CONNECTION=$version PROPOSAL=$esp near_end_v4
	initiate
	check 'version' "$(swan "$gw" --list-sas --raw | grep -o 'version=.')" 'version=1'
	check 'transform' "$(show "$gw" peers.0.sas.0.transform)" aes128-sha256
	both_ways
	rekey "$gw"
	both_ways -s 1200
	rekey "$stock"
	both_ways
	check 'SAs' "$(show "$gw" peers.0.sas | jq -c 'group_by(.dir) | map([.[0].dir, length])')" \
		'[["in",3],["out",1]]'
	no_error
	swan "$gw" --terminate --ike t >/dev/null
	wait_for 'no SA' is 0 sa_count
}

# ---- on the way ----

# behind_nat INNER OUTER: INNER reaches OUTER (gw and stock, in either order) through $middle, a NAT
# that changes its address and ports
behind_nat()
{
	local -n inner=$1 outer=$2

	new_ns gw
	new_ns middle
	new_ns stock
	ip link add outer0 netns "$inner" type veth peer name inside netns "$middle"
	ip link add outer0 netns "$outer" type veth peer name outside netns "$middle"
	in_batch "$inner" <<-END
		addr add 192.0.2.1/24 dev outer0
		link set outer0 up
		route add default via 192.0.2.254
	END
	in_batch "$middle" <<-END
		addr add 192.0.2.254/24 dev inside
		addr add 198.51.100.1/24 dev outside
		link set inside up
		link set outside up
	END
	in_batch "$outer" <<-END
		addr add 198.51.100.2/24 dev outer0
		link set outer0 up
	END
	in_ns "$middle" sysctl -q net.ipv4.ip_forward=1
	in_ns "$middle" nft -f - <<-END
		table ip t {
			counter bare { }
			counter there { }
			counter back { }
			chain forward {
				type filter hook forward priority 0
				meta l4proto esp counter name bare drop
				iifname inside udp dport 4500 counter name there
				iifname outside udp sport 4500 counter name back
			}
			chain postrouting {
				type nat hook postrouting priority 100
				oifname outside meta l4proto udp masquerade to :20000-29999
			}
		}
	END
}

counted() { in_ns "$middle" nft -j list counter ip t "$1" | jq '.nftables[1].counter.packets'; }

through_a_NAT()
{
	has_strongswan
	behind_nat gw stock
	LOCAL=198.51.100.2 REMOTE=%any far_end
	REMOTE=198.51.100.2 near_end
	initiate
	check 'encapsulation' "$(show "$gw" peers.0 | jq -r '"\(.encap) \(.dport)"')" 'udp 4500'
	grep -qE 'encap type espinudp sport 2[0-9]{4} dport 4500' <<<"$(ip -n "$stock" xfrm state)" ||
		fail "no other port: $(ip -n "$stock" xfrm state)"
	both_ways -c 10
	both_ways6
	rekey "$gw"
	both_ways -s 1300
	rekey "$stock"
	both_ways
	at_least 34 counted there || fail 'too few packets in UDP there'
	at_least 34 counted back || fail 'too few packets in UDP back'
	check 'ESP without UDP' "$(counted bare)" 0
	no_error
}

# The device reports the packets' new source address, and the daemon updates the states
NAT_has_another_address()
{
	has_strongswan
	behind_nat stock gw
	LOCAL=192.0.2.1 REMOTE=198.51.100.2 far_end
	LOCAL=198.51.100.2 REMOTE=%any near_end
	initiate t "$stock"
	both_ways
	check remote "$(show "$gw" peers.0.remote)" 198.51.100.1
	grep -qE '^2[0-9]{4}$' <<<"$(show "$gw" peers.0.dport)" || fail "$(show "$gw" peers.0)"
	# The NAT loses its port mappings
	in_batch "$middle" <<-END
		addr del 198.51.100.1/24 dev outside
		addr add 198.51.100.3/24 dev outside
	END
	background ip netns exec "$stock" ping -q -i 0.2 10.1.0.1 >/dev/null
	wait_for 'the new address' is 198.51.100.3 show "$gw" peers.0.remote
	both_ways
	both_ways6
	check 'peers, SAs' "$(show "$gw" peers | jq 'length'), $(sa_count)" '1, 2'
}

# ---- rekeys ----

# rekeys_under_load [MILLISECONDS]: rekeys a child from each end in turn; twenty times if the test
# is named
rekeys_under_load()
{
	local i count=20 first

	[ -n "${EVERY:-}" ] || count=8
	! checkers_on || count=6
	both_ways -s 1000
	both_ways6
	first=$(child_of "$gw")
	check 'the same number there' "$(child_of "$stock")" "$first"
	flood in "$stock" 10.1.0.1 "$@"
	flood out "$gw" 10.2.0.1 "$@"
	for ((i = 0; i < count; i += 2)); do
		rekey "$gw" $((first + i))
		rekey "$stock" $((first + i + 1))
	done
	flood_end in out
	check 'rekeys' $(($(child_of "$gw") - first)) $count
	echo "$count child rekeys" | report
	no_error
}

child_rekeys_under_load()
{
	has_strongswan
	ends
	far_end
	near_end
	initiate
	# Pings at twice the rate: stock IPsec itself may lose some (stock_lost)
	rekeys_under_load 20
}

child_rekeys_of_our_own()
{
	pvsvpn_at_both_ends
	rekeys_under_load
	check 'drops there' "$(drops "$stock")" ''
}

collisions() { grep -c 'CHILD_SA rekey collision' "$tmp/$gw/log" || true; }

# one_other_child SPI: both ends have only one child, the same, and not the one of SPI
one_other_child()
{
	local out

	is 1 children "$gw" && is 1 children "$stock" || return 1
	out=$(list_in_use "$gw" spi-out)
	[ "$out" != "$1" ] && [ "$out" = "$(list_in_use "$stock" spi-in)" ]
}

# The wire's delay makes each end request a rekey before it receives the other's. One of the two new
# SAs is deleted again
both_ends_rekey_at_once()
{
	local i ns before

	pvsvpn_at_both_ends
	for ns in "$gw" "$stock"; do
		in_ns "$ns" tc qdisc add dev outer0 root netem delay 250ms
	done
	flood in "$stock" 10.1.0.1
	flood out "$gw" 10.2.0.1
	for ((i = 0; i < 3 || (i < 9 && $(collisions) == 0); i++)); do
		before=$(list_in_use "$gw" spi-out)
		at_once
		wait_for 'one new child of both' one_other_child "$before"
		wait_for 'its use' is $((0x$(list_in_use "$gw" spi-out))) show "$gw" peers.0.tx_spi
		wait_for 'its use' is $((0x$(list_in_use "$stock" spi-out))) show "$stock" peers.0.tx_spi
	done
	flood_end in out
	echo "$i times at once, $(collisions) collisions" | report
	at_least 1 collisions || fail 'no collision'
	no_error
	check 'drops there' "$(drops "$stock")" ''
}

at_once()
{
	local ours theirs other

	ours=$(child_of "$gw") theirs=$(child_of "$stock")
	swan "$stock" --rekey --child-id "$theirs" >"$tmp/other" 2>&1 &
	other=$!
	swan "$gw" --rekey --child-id "$ours" >"$tmp/rekey" 2>&1 || fail "$(cat "$tmp/rekey")"
	wait $other || fail "$(cat "$tmp/other")"
}

# list_in_use NS FIELD: a field of the child in use
list_in_use()
{
	swan "$1" --list-sas --raw | grep -oE 'state=INSTALLED[^}]*' | head -n 1 |
		grep -oE "\b$2=[^ ]*" | cut -d= -f2
}

# ---- the life of a tunnel ----

now() { echo "${EPOCHREALTIME/./}"; }

# DPD starts after 1 s without traffic; after 3 requests, 1 s each, the peer is dead
far_end_dies_and_comes_back()
{
	local started took slack=4

	! checkers_on || slack=20
	has_strongswan
	ends
	far_end
	CHARON="$impatient
retransmit_base = 1" CONNECTION=$'dpd_delay = 1s\nkeyingtries = 0' \
		near_end 'dpd_action = restart'
	initiate
	both_ways
	watch "$gw"
	started=$(now)
	kill -9 "${pids[$stock]}"
	ip -n "$stock" link set outer0 down
	wait_for 'peer-down' grep -q 'peer-down' "$tmp/events"
	took=$((($(now) - started) / 100000))
	echo "found out after $((took / 10)).$((took % 10)) s" | report
	[ $took -le $(((1 + 3 + slack) * 10)) ] || fail 'too late'
	check carrier "$(show "$gw" carrier)" false
	# The far end loses all states
	ip -n "$stock" xfrm state flush
	ip -n "$stock" xfrm policy flush
	charon "$stock"
	load "$stock"
	# Set the link up only now: without its connection the far end would refuse, and no end
	# would retry
	ip -n "$stock" link set outer0 up
	busywait "${WAIT_LIMIT:-20}" is true show "$gw" carrier ||
		fail 'it does not come back'
	both_ways
	both_ways6
}

# another_address NS OLD NEW: replaces OLD by NEW
another_address()
{
	in_ns "$1" sysctl -q net.ipv4.conf.outer0.promote_secondaries=1
	ip -n "$1" addr add "$3/24" dev outer0
	ip -n "$1" addr del "$2/24" dev outer0
}

# knows NS ADDRESS: a state in NS has this source address
knows() { grep -qF "src $2 " <<<"$(ip -n "$1" xfrm state)"; }

# MOBIKE: a daemon tells its peer of a new address
an_end_moves()
{
	has_strongswan
	ends
	LOCAL=%any REMOTE=%any far_end
	LOCAL=%any near_end
	initiate
	both_ways
	check addresses "$(show "$gw" peers.0 | jq -r '"\(.local) \(.remote)"')" '192.0.2.1 192.0.2.2'
	another_address "$stock" 192.0.2.2 192.0.2.3
	wait_for 'the new remote address' is 192.0.2.3 show "$gw" peers.0.remote
	both_ways
	both_ways6
	rekey "$stock"
	both_ways
	another_address "$gw" 192.0.2.1 192.0.2.4
	wait_for 'the new local address' is 192.0.2.4 show "$gw" peers.0.local
	wait_for 'the far end to know' knows "$stock" 192.0.2.4
	both_ways
	both_ways6
	wait_for 'two SAs' is 2 sa_count
	check 'peers' "$(show "$gw" peers | jq 'length')" 1
	check remote "$(show "$gw" peers.0.remote)" 192.0.2.3
}

# two NS LOCAL REMOTE ID FAR-ID NET FAR-NET: connection t for subnets NET and FAR-NET, and u for NET
# + 2 and FAR-NET + 2
two()
{
	LOCAL_TS=10.$6.0.0/24,fd00:$6::/64 REMOTE_TS=10.$7.0.0/24,fd00:$7::/64 \
		connection "$1" t "$2" "$3" "$4" "$5"
	IF_ID=43 LOCAL_TS=10.$(($6 + 2)).0.0/24 REMOTE_TS=10.$(($7 + 2)).0.0/24 \
		connection "$1" u "$2" "$3" "$4-u" "$5-u"
	charon "$1"
	load "$1"
}

two_connections_to_one_gateway()
{
	has_strongswan
	ends
	pvsvpn_end "$gw" pvs0 42 "${near[@]}"
	pvsvpn_end "$gw" pvs1 43 10.3.0.1 fd00:3::1 10.4.0.0/24 fd00:4::/64
	stock_end "$stock" ipsec0 42 "${far[@]}"
	stock_end "$stock" ipsec1 43 10.4.0.1 fd00:4::1 10.3.0.0/24 fd00:3::/64
	two "$stock" 192.0.2.2 192.0.2.1 far near 2 1
	two "$gw" 192.0.2.1 192.0.2.2 near far 1 2
	initiate t
	check 'carrier of the other' "$(link_get "$gw" pvs1 operstate)" DOWN
	initiate u
	both_ways
	both_ways6
	pings "$gw" 10.4.0.1
	pings "$stock" 10.3.0.1
	check 'SAs of each' "$(ctl "$gw" -j show | jq -c '[.devices[] | [.peers[].sas[]] | length]')" '[2,2]'
	no_error
	swan "$gw" --terminate --ike t >/dev/null
	wait_for 'no SA' is 0 sa_count
	check carrier "$(show "$gw" carrier)" false
	pings "$gw" 10.4.0.1
	pings "$stock" 10.3.0.1
	unreachable "$gw" 10.2.0.1
	initiate t
	both_ways
}

ended() { ! kill -0 "$1" 2>/dev/null; }

# A daemon that ends normally deletes its SAs; a killed daemon leaves them
daemon_starts_again()
{
	has_strongswan
	ends
	far_end
	near_end
	initiate
	both_ways
	kill -TERM "${pids[$gw]}"
	wait_for 'charon to end' ended "${pids[$gw]}"
	wait_for 'no SA' is 0 sa_count
	check carrier "$(show "$gw" carrier)" false
	charon "$gw"
	load "$gw"
	initiate
	both_ways
	both_ways6
	kill -9 "${pids[$gw]}"
	wait_for 'charon to end' ended "${pids[$gw]}"
	both_ways
	charon "$gw"
	load "$gw"
	initiate
	both_ways
	both_ways6
}

run_cases libreswan_with_stock_IPsec ESP_in_user_space IKEv1_with_CBC through_a_NAT \
	NAT_has_another_address child_rekeys_under_load child_rekeys_of_our_own \
	both_ends_rekey_at_once far_end_dies_and_comes_back an_end_moves \
	two_connections_to_one_gateway daemon_starts_again
