#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The modules esp4_offload and esp6_offload let GRO give each ESP packet to stock IPsec, before any
# protocol handler is called. Adopted and own SAs still receive their packets, in whatever order the
# modules are loaded and removed, and stock IPsec does, too. Both have a tunnel between the same two
# addresses:
#
#   namespace $gw                                        namespace $stock
#   pvs0   10.1.0.1 fd00:1::1  SPI 0x1001, 0x1002 back   ipsec0 10.2.0.1 fd00:2::1
#   ipsec9 10.9.1.1 fd09:1::1  SPI 0x3001, 0x3002 back   ipsec9 10.9.2.1 fd09:2::1
#     outer0 192.0.2.1 2001:db8::1 ----- veth, with GRO ----- outer0 192.0.2.2 2001:db8::2
#
# Netfilter does not see a packet that GRO has given to stock IPsec.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"

# ---- the stock modules ----

offload_in() { modprobe -a esp4_offload esp6_offload; }

# A state added while they were loaded holds them until it is freed
offload_is_out()
{
	rmmod esp4_offload 2>/dev/null || true
	rmmod esp6_offload 2>/dev/null || true
	! grep -q '^esp[46]_offload ' /proc/modules
}

offload_out() { wait_for 'the stock modules to go' offload_is_out; }

# Some kernels have them built in
built_in() { grep -q ' esp4_gro_receive$' /proc/kallsyms; }

# without_offload: the modules are not loaded when the case begins and when it ends
without_offload()
{
	offload_out
	! built_in || skip 'esp4_offload is part of this kernel'
	defer 'busywait 20 offload_is_out'
}

# with_offload: the modules stay loaded until the case ends
with_offload()
{
	! built_in || return 0
	defer 'busywait 20 offload_is_out'
	offload_in
}

# ---- both tunnels ----

# addresses 4|6: puts the addresses of the two ends into $near and $far
addresses()
{
	if [ "$1" = 4 ]; then
		near=192.0.2.1 far=192.0.2.2
	else
		near=2001:db8::1 far=2001:db8::2
	fi
}

# wire: connects the two ends, with GRO towards $gw
wire()
{
	ends
	ip -n "$gw" addr add 2001:db8::1/64 dev outer0 nodad
	ip -n "$stock" addr add 2001:db8::2/64 dev outer0 nodad
	in_ns "$gw" ethtool -K outer0 gro on
	in_ns "$stock" ethtool -K outer0 tso off
	in_ns "$gw" nft -f - <<-END
		table inet seen {
			counter ours {}
			counter theirs {}
			chain in {
				type filter hook prerouting priority raw
				meta l4proto esp @th,0,32 0x1002 counter name ours
				meta l4proto esp @th,0,32 0x3002 counter name theirs
				udp dport 4500 @th,64,32 0x1002 counter name ours
				udp dport 4500 @th,64,32 0x3002 counter name theirs
			}
		}
	END
}

# pairs IF_ID SPI [ARGUMENTS...]: SPI from the gateway and SPI + 1 to it, at both ends. Each end can
# receive before the other can send
pairs()
{
	local if_id=$1 spi=$2 there back

	shift 2
	there=$("$PVSVPNCTL" genkey aes128gcm16)
	back=$("$PVSVPNCTL" genkey aes128gcm16)
	state "$gw" "$far" "$near" $((spi + 1)) "$back" "$if_id" "$@"
	state "$stock" "$near" "$far" $((spi)) "$there" "$if_id" "$@"
	state "$stock" "$far" "$near" $((spi + 1)) "$back" "$if_id" "$@"
	state "$gw" "$near" "$far" $((spi)) "$there" "$if_id" "$@"
}

# state NS SRC DST SPI KEY IF_ID [ARGUMENTS...]
state()
{
	ip -n "$1" xfrm state add src "$2" dst "$3" proto esp spi "$4" mode tunnel if_id "$6" \
		flag af-unspec replay-window 1024 "${@:7}" aead 'rfc4106(gcm(aes))' "0x$5" 128
}

# xfrm_interface NS LOCAL REMOTE DEV IF_ID ADDR4 ADDR6 TO4 TO6
xfrm_interface()
{
	stock_device "$1" "$2" "$3" "$4" "$5"
	inner "$1" "$4" "${@:6}"
}

# theirs [ARGUMENTS...]: stock IPsec's own tunnel
theirs()
{
	xfrm_interface "$gw" "$near" "$far" ipsec9 9 10.9.1.1 fd09:1::1 10.9.2.0/24 fd09:2::/64
	xfrm_interface "$stock" "$far" "$near" ipsec9 9 10.9.2.1 fd09:2::1 10.9.1.0/24 fd09:1::/64
	pairs 9 0x3001 "$@"
}

device()
{
	ip -n "$gw" link add pvs0 type pvsvpn
	quiet_up "$gw" pvs0
	inner "$gw" pvs0 10.1.0.1 fd00:1::1 10.2.0.0/24 fd00:2::/64
}

far_end()
{
	xfrm_interface "$stock" "$far" "$near" ipsec0 42 10.2.0.1 fd00:2::1 10.1.0.0/24 fd00:1::/64
}

# adopted [ARGUMENTS...]: the device's tunnel, from states of XFRM
adopted()
{
	device
	ctl "$gw" set pvs0 if-id 42
	far_end
	pairs 42 0x1001 "$@"
	wait_for 'the peer to be up' is true show "$gw" peers.0.up
	wait_for 'both SAs' is 2 sa_count
}

# own: the same with the operator's keys. XFRM has a state with the SPI and address of the inbound
# SA, but another key
own()
{
	local there back

	device
	far_end
	there=$("$PVSVPNCTL" genkey aes128gcm16)
	back=$("$PVSVPNCTL" genkey aes128gcm16)
	ctl "$gw" peer add pvs0 stock local "$near" remote "$far"
	ctl "$gw" sa add pvs0 stock dir in spi 0x1002 transform aes128gcm16 key-file - <<<"$back"
	state "$gw" "$far" "$near" 0x1002 "$there" 0
	state "$stock" "$near" "$far" 0x1001 "$there" 42
	state "$stock" "$far" "$near" 0x1002 "$back" 42
	ctl "$gw" sa add pvs0 stock dir out spi 0x1001 transform aes128gcm16 key-file - <<<"$there"
}

# ---- counters ----

# packets NS SPI: counted by XFRM's state
packets()
{
	ip -n "$1" -s xfrm state | awk -v spi="$(printf 0x%08x "$2")" '
		/^src/ { inside = 0 }
		$3 == "spi" { inside = index($4, spi) == 1 }
		inside && /\(packets\)/ { split($2, n, "("); value = n[1] }
		END { print value + 0 }'
}

# seen ours|theirs: packets to $gw that netfilter has seen
seen() { in_ns "$gw" nft list counter inet seen "$1" | awk '$1 == "packets" { print $2 }'; }

pings_each_way()
{
	pings "$gw" 10.2.0.1
	pings "$stock" fd00:1::1 -s 1200
	pings "$gw" 10.9.2.1
	pings "$stock" fd09:1::1 -s 1200
}

# both_carry BY_GRO: both tunnels carry all packets; stock IPsec's come by GRO (1) or not (0)
both_carry()
{
	local before back

	before=$(all_errors)
	pings_each_way
	no_errors "$before"
	back=$(packets "$stock" 0x1002)
	[ "$back" -ge 4 ] || fail "only $back packets were sent to the device"
	check 'packets received by the device' "$(link_stat "$gw" pvs0 rx.packets)" "$back"
	check 'packets for the device, seen by netfilter' "$(seen ours)" "$back"
	check 'packets sent by the device' "$(packets "$stock" 0x1001)" \
		"$(link_stat "$gw" pvs0 tx.packets)"
	check 'packets received by stock IPsec' "$(packets "$gw" 0x3002)" "$(packets "$stock" 0x3002)"
	check 'packets sent by stock IPsec' "$(packets "$stock" 0x3001)" "$(packets "$gw" 0x3001)"
	back=$(packets "$stock" 0x3002)
	[ "$1" = 0 ] || back=0
	check 'packets for stock IPsec, seen by netfilter' "$(seen theirs)" "$back"
}

# ---- cases ----

# The user has no capability in the namespaces of the tunnels
user_loads_them()
{
	setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Urn sh -ec "
		ip link add d0 type dummy
		ip xfrm state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 1 mode tunnel \
			aead 'rfc4106(gcm(aes))' 0x$("$PVSVPNCTL" genkey aes128gcm16) 128 \
			offload dev d0 dir in || true
		ip xfrm state add src fd00::1 dst fd00::2 proto esp spi 1 mode tunnel \
			aead 'rfc4106(gcm(aes))' 0x$("$PVSVPNCTL" genkey aes128gcm16) 128 \
			offload dev d0 dir in || true" 2>"$tmp/user" ||
		skip "no user namespaces: $(head -n 1 "$tmp/user")"
}

any_user_loads_them()
{
	without_offload
	addresses "$1"
	wire
	adopted
	theirs
	both_carry 0
	user_loads_them
	check 'modules loaded' "$(grep -c '^esp[46]_offload ' /proc/modules)" 2
	in_ns "$gw" nft reset counters >/dev/null
	both_carry_on
}

# both_carry_on: like both_carry; the counters were reset before
both_carry_on()
{
	local before ours

	before=$(all_errors)
	ours=$(link_stat "$gw" pvs0 rx.packets)
	pings_each_way
	no_errors "$before"
	check 'packets received by the device' "$(link_stat "$gw" pvs0 rx.packets)" \
		"$(packets "$stock" 0x1002)"
	check 'packets for the device, seen by netfilter' "$(seen ours)" \
		"$(($(packets "$stock" 0x1002) - ours))"
	check 'packets for stock IPsec, seen by netfilter' "$(seen theirs)" 0
}

any_user_loads_them_over_IPv4() { any_user_loads_them 4; }
any_user_loads_them_over_IPv6() { any_user_loads_them 6; }

# loaded_first 4|6 adopted|own
loaded_first()
{
	no_tunnels_in_use
	rmmod pvsvpn
	defer load_module
	with_offload
	load_module
	addresses "$1"
	wire
	"$2"
	theirs
	both_carry 1
}

loaded_before_us_adopted_over_IPv4() { loaded_first 4 adopted; }

# In addition, XFRM's state with the same SPI counts no packet
loaded_before_us_own_SA_over_IPv6()
{
	loaded_first 6 own
	check 'packets of the state' "$(packets "$gw" 0x1002)" 0
}

# more_packets DEVICE COUNT: waits until COUNT more packets have come to $gw
more_packets()
{
	wait_for "packets of $1" at_least $(($(link_stat "$gw" "$1" rx.packets) + $2)) \
		link_stat "$gw" "$1" rx.packets
}

# by_GRO: netfilter does not see stock IPsec's packets
by_GRO()
{
	local before

	before=$(seen theirs)
	pings "$gw" 10.9.2.1
	check 'packets for stock IPsec, seen by netfilter' "$(seen theirs)" "$before"
}

# Modules are loaded and removed while packets pass
they_come_and_go_under_traffic()
{
	local i before times=4

	without_offload
	addresses "$1"
	wire
	adopted
	theirs
	pings_each_way
	before=$(all_errors)
	flood in "$stock" 10.1.0.1
	flood theirs "$stock" 10.9.1.1
	! checkers_on || times=2
	for ((i = 0; i < times; i++)); do
		offload_in
		more_packets pvs0 5
		more_packets ipsec9 5
		offload_out
		more_packets pvs0 5
	done
	flood_end in theirs
	no_errors "$before"
	check 'packets received by the device' "$(link_stat "$gw" pvs0 rx.packets)" \
		"$(packets "$stock" 0x1002)"
	check 'packets received by stock IPsec' "$(packets "$gw" 0x3002)" "$(packets "$stock" 0x3002)"
}

they_come_and_go_under_traffic_over_IPv4() { they_come_and_go_under_traffic 4; }
they_come_and_go_under_traffic_over_IPv6() { they_come_and_go_under_traffic 6; }

# Remove both modules in either order and at the same time, while stock IPsec carries packets
both_modules_go_under_traffic()
{
	local i one

	without_offload
	no_tunnels_in_use
	defer load_module
	addresses 4
	wire
	theirs
	flood theirs "$stock" 10.9.1.1
	flood back "$gw" 10.9.2.1
	offload_in
	rmmod pvsvpn
	by_GRO
	load_module
	by_GRO
	offload_out
	rmmod pvsvpn
	for ((i = 0; i < 4; i++)); do
		offload_in
		load_module
		# Its slot is in use while it is handed back, so rmmod may fail
		rmmod esp4_offload 2>/dev/null &
		one=$!
		rmmod pvsvpn
		wait "$one" || true
		offload_out
		more_packets ipsec9 5
	done
	# The slots that are left must work for all of them
	offload_in
	by_GRO
	load_module
	adopted
	flood_end theirs back
	in_ns "$gw" nft reset counters >/dev/null
	both_carry_on
}

# The namespace is deleted with everything in it
namespace_goes_under_traffic()
{
	with_offload
	addresses 6
	wire
	adopted
	theirs
	background ip netns exec "$stock" ping -q -f 10.1.0.1 >/dev/null
	background ip netns exec "$stock" ping -q -f 10.9.1.1 >/dev/null
	more_packets pvs0 20
	ip netns del "$gw"
}

# daemons 4|6 NS...: starts IKE daemons
daemons()
{
	local ns

	for ns in "${@:2}"; do
		background ip netns exec "$ns" /usr/bin/python3 -IS "$lib/encap_daemon.py" 4500 "$1" gro \
			>"$tmp/daemon-$ns"
	done
	for ns in "${@:2}"; do
		wait_for 'the daemon' grep -q ready "$tmp/daemon-$ns"
	done
}

# in_UDP 4|6: GRO for the daemon's socket exists since kernel 6.7
in_UDP()
{
	local gro=0

	with_offload
	! grep -q ' xfrm4_gro_udp_encap_rcv$' /proc/kallsyms || gro=1
	addresses "$1"
	wire
	daemons "$1" "$gw" "$stock"
	adopted encap espinudp 4500 4500 0.0.0.0
	theirs encap espinudp 4500 4500 0.0.0.0
	check 'encapsulation' "$(show "$gw" peers.0.encap)" udp
	both_carry "$gro"
}

in_UDP_of_a_daemon_over_IPv4() { in_UDP 4; }
in_UDP_of_a_daemon_over_IPv6() { in_UDP 6; }

# authentic NS SRC DST: AH in transport mode around packets from SRC to DST
authentic()
{
	ip -n "$1" xfrm state add src "$2" dst "$3" proto ah spi 0x5002 mode transport if_id 42 \
		auth-trunc 'hmac(sha256)' "0x$key" 128
}

# ESP inside AH never reaches an ESP protocol handler: XFRM decrypts it
decrypted_by_XFRM()
{
	local before key=1112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30

	addresses 4
	wire
	adopted
	authentic "$gw" "$far" "$near" 2>/dev/null || skip 'the kernel has no AH'
	authentic "$stock" "$far" "$near"
	ip -n "$stock" xfrm policy update dir out src 0.0.0.0/0 dst 0.0.0.0/0 if_id 42 \
		tmpl src "$far" dst "$near" proto esp mode tunnel \
		tmpl src "$far" dst "$near" proto ah mode transport
	before=$(all_errors)
	pings "$gw" 10.2.0.1
	pings "$stock" 10.1.0.1 -s 1200
	no_errors "$before"
	check 'packets in AH' "$(packets "$gw" 0x5002)" 4
	check 'packets received by the device' "$(link_stat "$gw" pvs0 rx.packets)" 4
	# The source address is still checked
	ctl "$gw" peer set pvs0 "$far" subnets 10.7.0.0/24
	in_ns "$stock" ping -q -c 2 -i 0.1 -W 1 10.1.0.1 >/dev/null || true
	check 'drops' "$(drops "$gw")" rx_source=2
}

# early new|new-in-udp: packets come before XFRM announces the state, when GRO could already find it
early()
{
	with_offload
	wire
	daemons 4 "$gw"
	device
	ctl "$gw" set pvs0 if-id 42
	early_packets "$1" 100
	early_received
}

packets_before_XFRM_tells_of_the_state() { early new; }
packets_in_UDP_before_XFRM_tells_of_the_state() { early new-in-udp; }

run_cases any_user_loads_them_over_IPv4 any_user_loads_them_over_IPv6 \
	loaded_before_us_adopted_over_IPv4 loaded_before_us_own_SA_over_IPv6 \
	in_UDP_of_a_daemon_over_IPv4 in_UDP_of_a_daemon_over_IPv6 decrypted_by_XFRM \
	they_come_and_go_under_traffic_over_IPv4 they_come_and_go_under_traffic_over_IPv6 \
	packets_before_XFRM_tells_of_the_state packets_in_UDP_before_XFRM_tells_of_the_state \
	both_modules_go_under_traffic namespace_goes_under_traffic
