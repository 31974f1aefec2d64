#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# An unprivileged user does all possible harm, in its own namespaces or as an ordinary process,
# while root's tunnels carry numbered traffic. No packet is lost or doubled, root's requests finish
# in time, the kernel logs nothing, and memory is freed. hostile-count.sh counts instructions.
#
#   namespace $gw                                   namespace $stock
#   pvs0 if-id 42, 10.1.0.1                         ipsec0 10.2.0.1
#   pvs1 with its own SAs, 10.1.1.1                 ipsec1 10.2.1.1
#     outer0 192.0.2.1 -------------veth------------- outer0 192.0.2.2, 192.0.2.3
#
# hostile_victim.py is root, hostile_user.py the user. SEED=N selects other random bytes.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"

SEED=${SEED:-1}

# Kernel messages when a user loads modules and sends invalid data, and with an emulated clock:
# informational, once or rate limited, and none from the module
said_anyway=(
	'netlink: [0-9]+ bytes leftover after parsing attributes in process `python3'
	"netlink: 'python3': attribute type [0-9]+ has an invalid length"
	'(__nla_validate_parse|validate_nla): [0-9]+ callbacks suppressed'
	'([vg][0-9]+:|device [vg][0-9]+) (entered|left) (promiscuous|allmulticast) mode'
	'alg: No test for ' 'IPv6: ADDRCONF\(NETDEV_CHANGE\): '
	'NET: (Registered|Unregistered) ' 'Initializing XFRM netlink socket' 'IPsec XFRM device driver'
	'evm: overlay not supported' 'clocksource: ' 'hrtimer: interrupt took'
	'bridge: filtering via arp' ' GRE over IPv[46] (demultiplexor|tunneling) driver' 'gtp: GTP module loaded'
	'ipip: IPv4 and MPLS' 'sit: IPv6, IPv4 and MPLS' 'MACsec IEEE' 'CAN device driver interface'
	'vcan: Virtual CAN' 'vxcan: Virtual CAN' '8021q: 802.1Q' 'IPv4 over IPsec tunneling driver'
	'wireguard: (WireGuard|Copyright)' 'sctp: Hash tables configured' 'UDPLite: UDP-Lite is deprecated'
	'(Guest|Initialized host) personality' 'VMCI host device registered' 'can: (controller area|raw)'
	'l2tp_(core|ip): L2TP' 'k[0-9]+ \(unregistering\): Released all slaves' 'tun: Universal TUN'
	'Ethernet Channel Bonding Driver' 'tipc: Activated' 'vti6: ' 'ip6_vti: ' 'Bridge firewalling'
	'A link change request failed with some changes committed already' 'IPVS: ' 'DCCP: ' 'dccp: ' 'ipvlan: ' 'team: '
)

# far_device REMOTE DEVICE IF_ID: of stock IPsec, or of pvsvpn if the case sets far=pvsvpn
far_device()
{
	if [ "${far:-stock}" = stock ]; then
		stock_device "$stock" "$1" 192.0.2.1 "$2" "$3"
		return
	fi
	ip -n "$stock" link add "$2" type pvsvpn
	ctl "$stock" set "$2" if-id "$3"
	stock_policies "$stock" "$1" 192.0.2.1 "$3"
	quiet_up "$stock" "$2"
}

# tunnels [udp]: both tunnels; the victim adds the SAs
tunnels()
{
	in_batch "$gw" <<-END
		link add pvs0 type pvsvpn
		link add pvs1 type pvsvpn
	END
	ctl "$gw" set pvs0 if-id 42
	ctl "$gw" peer add pvs1 stock local 192.0.2.1 remote 192.0.2.3 ${1:+encap "$1"}
	quiet_up "$gw" pvs0
	quiet_up "$gw" pvs1
	in_batch "$gw" <<-END
		addr add 10.1.0.1/32 dev pvs0
		addr add 10.1.1.1/32 dev pvs1
		route add 10.2.0.0/24 dev pvs0 src 10.1.0.1
		route add 10.2.1.0/24 dev pvs1 src 10.1.1.1
	END
	ip -n "$stock" addr add 192.0.2.3/24 dev outer0
	far_device 192.0.2.2 ipsec0 42
	far_device 192.0.2.3 ipsec1 43
	in_batch "$stock" <<-END
		addr add 10.2.0.1/32 dev ipsec0
		addr add 10.2.1.1/32 dev ipsec1
		route add 10.1.0.0/24 dev ipsec0 src 10.2.0.1
		route add 10.1.1.0/24 dev ipsec1 src 10.2.1.1
	END
}

# daemon NAMESPACE: its stock IPsec receives ESP in UDP
daemon()
{
	background ip netns exec "$1" /usr/bin/python3 "$lib/encap_daemon.py" 4500 >"$tmp/daemon"
	wait_for 'the daemon' grep -q ready "$tmp/daemon"
}

# victim [udp]: starts root's traffic and requests
victim()
{
	/usr/bin/python3 "$lib/hostile_victim.py" "$gw" "$stock" "$tmp/stop" "$@" >"$tmp/victim" 2>&1 &
	victim=$!
	defer "kill $victim 2>/dev/null"
}

victim_says() { grep -qE "^($1)" "$tmp/victim"; }

# under_way [udp]: starts the tunnels and the victim; from now on the kernel must log nothing
under_way()
{
	ends
	tunnels "$@"
	[ -z "${1-}" ] || daemon "$stock"
	# The gateway merges received packets (GRO), as behind a NIC. veth does so if the other end
	# has no TSO
	in_ns "$stock" ethtool -K outer0 tso off
	in_ns "$gw" ethtool -K outer0 gro on
	victim "$@"
	wait_for 'the traffic' victim_says 'ready|WRONG|Traceback'
	victim_says ready || fail 'no traffic before anybody is hostile' "$(cat "$tmp/victim")"
	# The last kernel message about dropped caches
	echo 4 >/proc/sys/vm/drop_caches
	memory_before=$(memory)
	mark="pvsvpn hostile: $BASHPID $RANDOM"
	echo "<6>$mark" >/dev/kmsg
}

# memory: KiB that the kernel uses and does not free on request. Each processor keeps partly free
# slabs. An idle kworker stays for five minutes: its stack of 16 KiB is in VmallocUsed, and the rest
# of a thread takes 12 KiB of slabs
memory()
{
	local shrink

	echo 3 >/proc/sys/vm/drop_caches
	for shrink in /sys/kernel/slab/*/shrink; do
		[ ! -e "$shrink" ] || echo 1 >"$shrink"
	done
	awk '
		/^(SUnreclaim|Percpu|VmallocUsed|PageTables):/ { n += $2 }
		/^KernelStack:/ { n -= $2 * 28 / 16 }
		END { print int(n) }' /proc/meminfo
}

memory_within() { [ "$(memory)" -le "$1" ]; }

# memory_back BEFORE GROWTH: in KiB. Waits until a last namespace is gone, and so all earlier ones
memory_back()
{
	local last

	last=pvs-last-$BASHPID
	ip netns add "$last"
	ip link add "l$BASHPID" type veth peer name outer0 netns "$last"
	ip netns del "$last"
	wait_for 'the namespaces to be gone' link_is_gone "l$BASHPID"
	busywait "${WAIT_LIMIT:-20}" memory_within $(($1 + $2)) ||
		fail "memory: $1 KiB before, $(memory) after; $2 more are allowed"
	echo "memory: $1 KiB before, $(memory) after" | report
}

link_is_gone() { ! ip link show "$1" >/dev/null 2>&1; }

# kernel_silent: the kernel logged nothing but known messages
kernel_silent()
{
	local said

	printf '%s\n' "${said_anyway[@]}" >"$tmp/anyway"
	said=$(dmesg | awk -v mark="$mark" 'seen; index($0, mark) { seen = 1 }' |
		grep -vE -f "$tmp/anyway") || return 0
	fail 'the kernel said:' "$(head -n 40 <<<"$said")"
}

# unharmed [GROWTH]: checks the victim's last lines, the kernel's log, and memory
unharmed()
{
	touch "$tmp/stop"
	wait "$victim" || fail 'the victim has failed' "$(cat "$tmp/victim")"
	grep -E '^(flow|request|guest)' "$tmp/victim" | report
	! grep '^refused' "$tmp/victim" | sort | uniq -c | report
	victim_says end || fail 'the victim did not come to its end' "$(cat "$tmp/victim")"
	! victim_says WRONG || fail "$(grep '^WRONG' "$tmp/victim")" "drops: $(drops "$gw")" "$(xfrm_errors)"
	kernel_silent
	memory_back "$memory_before" "${1:-6144}"
}

# hostile ATTACK [ARGUMENT...]: runs the user's attack to its end
hostile()
{
	: >"$tmp/user"
	background /usr/bin/python3 "$here/hostile_user.py" "$1" "$SEED" "${@:2}" >"$tmp/user" 2>&1
	while kill -0 "$background" 2>/dev/null && ! victim_says WRONG; do
		sleep 0.2
	done
	! victim_says WRONG || fail "$(grep '^WRONG' "$tmp/victim")" "$(cat "$tmp/user")"
	sed "s/^/$1, seed $SEED: /" "$tmp/user" | cut -c -200 | report
	[ "$(tail -n 1 "$tmp/user")" = "done" ] || fail "the attack $1 has failed" "$(cat "$tmp/user")"
}

# hostile_in NAMESPACE ATTACK [ARGUMENT...]: starts an attack that lasts until the case ends
hostile_in()
{
	background ip netns exec "$1" /usr/bin/python3 "$here/hostile_user.py" "$2" "$SEED" "${@:3}" \
		>"$tmp/user" 2>&1
	user=$background
	# Preparation takes long: the kernel tests each algorithm that the attack creates
	busywait $((5 * ${WAIT_LIMIT:-20})) grep -qE '^(ready|Traceback)' "$tmp/user" ||
		fail "timed out waiting for the attack $2" "$(cat "$tmp/user")"
	sed "s/^/$2, seed $SEED: /" "$tmp/user" | cut -c -200 | report
	grep -q '^ready' "$tmp/user" || fail "the attack $2 has failed" "$(cat "$tmp/user")"
}

# rekeys N: waits for N more rekeys
rekeys()
{
	wait_for "$1 rekeys; there were: $(tail -n 1 "$tmp/victim")" \
		at_least $(($(rekeys_done) + $1)) rekeys_done
}

rekeys_done() { grep -c '^rekeyed' "$tmp/victim"; }

nobody_is_hostile()
{
	under_way
	rekeys 2
	unharmed
}

# twice ATTACK: the slabs may keep memory after the first run, but none after the second
twice()
{
	local first

	hostile "$1"
	memory_back "$memory_before" 12288
	first=$(memory)
	hostile "$1"
	memory_back "$first" 1536
}

# All states have one remote, with as many policies; each state might look at each policy
states_and_policies()
{
	under_way
	twice states_and_policies
	unharmed 12288
}

objects_by_the_thousand()
{
	under_way
	twice objects_by_the_thousand
	unharmed 12288
}

killed_in_the_middle()
{
	under_way
	hostile killed_in_the_middle
	unharmed
}

netlink_garbage()
{
	under_way
	hostile netlink_garbage
	unharmed
}

packets_of_his_own()
{
	under_way
	hostile packets_of_his_own
	unharmed
}

# Remove modules that the case has loaded, so that later tests do not have them
module_loading()
{
	local module

	under_way
	for module in esp4_offload esp6_offload; do
		grep -q "^$module " /proc/modules || defer "modprobe -q -r $module"
	done
	hostile load_modules
	# Otherwise nothing was tried; the debug kernel has the module built in
	! modinfo -F filename esp4_offload 2>/dev/null | grep -q '\.ko' ||
		grep -q '^esp4_offload ' /proc/modules || fail 'esp4_offload was not loaded'
	rekeys 2
	unharmed 16384
}

# rekeys_tried N: N more, done or refused: stock IPsec refuses drivers whose name is too long
rekeys_tried()
{
	wait_for "$1 rekeys, done or refused" at_least $(($(tried) + $1)) tried
}

tried() { grep -cE '^(rekeyed|refused)' "$tmp/victim"; }

# needs_AF_ALG: the debug kernel lacks it
needs_AF_ALG()
{
	/usr/bin/python3 -c 'import socket; socket.socket(38, socket.SOCK_SEQPACKET, 0)' 2>/dev/null ||
		skip 'no AF_ALG in this kernel'
}

# asynchronous_far_end: sets far. If a driver is asynchronous, stock IPsec of 6.1 drops references
# to its device that it has not taken, and the device is never freed
asynchronous_far_end()
{
	case $(uname -r) in
	6.1.*) far=pvsvpn ;;
	*) far=stock ;;
	esac
}

# The next states and SAs use the user's algorithm instances
AF_ALG_instances()
{
	local far

	needs_AF_ALG
	asynchronous_far_end
	under_way
	AF_ALG_LOAD=0 hostile_in "$gw" af_alg
	rekeys_tried 3
	kill -KILL "$user"
	rekeys_tried 1
	unharmed
}

# In addition, the user fills queues that all instances share
AF_ALG_load()
{
	local far

	needs_AF_ALG
	asynchronous_far_end
	under_way
	hostile_in "$gw" af_alg
	rekeys_tried 3
	kill -KILL "$user"
	unharmed
}

# The user is an ordinary process beside root's tunnels
requests_without_the_right()
{
	local before

	under_way
	touch "$tmp/stop"
	wait "$victim"
	before=$(state_of "$gw")
	: >"$tmp/user"
	in_ns "$gw" /usr/bin/python3 "$here/hostile_user.py" commands "$SEED" >"$tmp/user" 2>&1 ||
		fail "$(cat "$tmp/user")"
	sed "s/^/seed $SEED: /" "$tmp/user" | report
	check 'answers' "$(grep '^answers' "$tmp/user")" \
		'answers DEVICE_SET=EPERM PEER_NEW=EPERM PEER_SET=EPERM PEER_DEL=EPERM SA_NEW=EPERM SA_DEL=EPERM'
	check 'state' "$(state_of "$gw")" "$before"
	kernel_silent
}

port_taken_after_the_tunnel()
{
	under_way udp
	hostile_in "$gw" ports
	rekeys 2
	unharmed
}

# told: show tells root that nothing can be received at the port
told() { ctl "$gw" -j show | jq -r '.devices[].peers[].problems[]?' | grep -q 4500; }

flows_or_told() { victim_says ready || told; }

# Root cannot take the user's port away. Either root is told so, or root's tunnels still work
port_taken_before_the_tunnel()
{
	local said

	ends
	hostile_in "$gw" ports
	if ! said=$(tunnels udp 2>&1); then
		grep -q 4500 <<<"$said" || fail "refused, but not told why: $said"
		report <<<"refused: $said"
		return
	fi
	daemon "$stock"
	victim udp
	wait_for 'traffic, or a word about port 4500' flows_or_told
	if told; then
		report <<<'told'
		return
	fi
	touch "$tmp/stop"
	wait "$victim"
	! victim_says WRONG || fail "$(cat "$tmp/victim")"
}

# The user is behind a wire that root has provided, and sees packets of root's tunnels
packets_from_a_neighbour()
{
	under_way
	ip link add n0 type veth peer name hostile0 netns "$gw"
	defer 'ip link del n0 2>/dev/null'
	ip -n "$gw" link set hostile0 address 02:00:00:00:00:01
	ip -n "$gw" addr add 198.51.100.1/24 dev hostile0
	quiet_up "$gw" hostile0
	background /usr/bin/python3 "$here/hostile_user.py" neighbour "$SEED" "$gw" >"$tmp/user" 2>&1
	wait_for 'the neighbour' grep -qE '^(ready|Traceback)' "$tmp/user"
	ip link set n0 netns "$background"
	wait_for "the neighbour's end" grep -qE '^(done|Traceback)' "$tmp/user"
	sed "s/^/neighbour, seed $SEED: /" "$tmp/user" | report
	grep -q '^done' "$tmp/user" || fail "$(cat "$tmp/user")"
	wait_for 'replays' at_least 50 drop_count "$gw" pvs1 rx_replayed
	wait_for 'forgeries' at_least 20 drop_count "$gw" pvs1 rx_icv
	rekeys 1
	unharmed
}

# The clock counts instructions, one per nanosecond: a packet may take 10 million, and a request of
# root's 200 million. Measured: 2 million for a packet and 15 million for a request, which is one
# hold of RTNL. All states in one hold would take 500 million
latency_in_instructions()
{
	[ -n "${VM_ICOUNT:-}" ] || fail 'the clock counts no instructions: run.sh -i, as hostile-count.sh does'
	export LATENCY_LIMIT=10 VICTIM_LIMIT=0.2
	under_way
	hostile states_and_policies
	unharmed 12288
}

cases=(nobody_is_hostile states_and_policies objects_by_the_thousand killed_in_the_middle)
cases+=(netlink_garbage packets_of_his_own requests_without_the_right port_taken_after_the_tunnel)
cases+=(port_taken_before_the_tunnel packets_from_a_neighbour module_loading)
# The instances stay as long as the kernel runs, so later tests would have them. Run these only if
# the test is named, since then it is the last one
[ -z "${EVERY:-}" ] || cases+=(AF_ALG_instances AF_ALG_load)
run_cases "${cases[@]}"
