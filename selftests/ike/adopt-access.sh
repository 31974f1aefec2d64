#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Limits for other users: what they can see of tunnels, and how much of the host they can use.
# Rights, limits, accounted memory, no generic netlink lock.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"

KEY=0x$(printf '%040d' 1)

# public_tools: copies the tool and the raw reader to $public, where every user can run them
public_tools()
{
	public=$(mktemp -d /tmp/pvs-access-XXXXXX)
	defer "rm -rf $public"
	chmod 755 "$public"
	install -m 755 "$PVSVPNCTL" "$public/pvsvpnctl"
	install -m 644 "$lib/esp_netlink.py" "$public/"
}

# as_nobody COMMAND...: in $gw, without any capability
as_nobody() { in_ns "$gw" setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }

# state SPI SRC DST [ARGUMENTS...]: adds a state that pvs0 adopts
state()
{
	ip -n "$gw" xfrm state add src "$2" dst "$3" proto esp spi "$1" mode tunnel if_id 42 \
		flag af-unspec replay-window 128 "${@:4}" aead 'rfc4106(gcm(aes))' $KEY 128
}

# adopting: the gateway's device waits for states with if_id 42
adopting()
{
	ends
	ip -n "$gw" link add pvs0 type pvsvpn
	ctl "$gw" set pvs0 if-id 42 fwmark 7
	quiet_up "$gw" pvs0
}

# adopted: adopting, and the device has both SAs
adopted()
{
	adopting
	state 0x51001 192.0.2.1 192.0.2.2
	state 0x51002 192.0.2.2 192.0.2.1
	wait_for 'both SAs' is 2 sa_count
}

# raw_dump COMMAND...: writes every dump of the family that COMMAND is allowed to see to $tmp/raw
raw_dump() { "$@" /usr/bin/python3 "$public/esp_netlink.py" dump >"$tmp/raw" 2>"$tmp/raw.err"; }

# holds HEX: is it in $tmp/raw?
holds() { od -An -v -tx1 "$tmp/raw" | tr -d ' \n' | grep -q "$1"; }

# Little-endian SPIs, addresses in network byte order, the name of a peer with that address
INSIDE='01100500 02100500 c0000201 c0000202 3139322e302e322e32'

# nothing_inside: none of these is in $tmp/raw
nothing_inside()
{
	local hex

	for hex in $INSIDE; do
		! holds "$hex" || fail "$hex is in the raw dump"
	done
}

reading_takes_CAP_NET_ADMIN()
{
	local command

	adopted
	public_tools
	raw_dump in_ns "$gw"
	holds 01100500 && holds c0000202 || fail 'root does not see the SPI and the address'
	raw_dump as_nobody
	check 'bytes for nobody' "$(wc -c <"$tmp/raw")" 0
	for command in show stats metrics 'show pvs0'; do
		# shellcheck disable=SC2086 # words are wanted
		expect_refused 'not permitted; run it as root \(CAP_NET_ADMIN' \
			as_nobody "$public/pvsvpnctl" $command
	done
	! as_nobody ip xfrm state >"$tmp/out" 2>&1 || fail 'stock IPsec shows them, so may we'
	grep -q 'RX:' <<<"$(as_nobody ip -s link show pvs0)" || fail 'no ip -s link'
}

listening_takes_CAP_NET_ADMIN()
{
	adopting
	public_tools
	expect_refused 'events: .*not permitted; run it as root' \
		as_nobody timeout 10 "$public/pvsvpnctl" monitor
}

# own_ns: a user and a network namespace of its own; its process is $owner
own_ns()
{
	background unshare -Urn sleep 600
	owner=$background
	wait_for 'the namespaces' sh -c "[ \"\$(readlink /proc/$owner/ns/user)\" != \"\$(readlink /proc/self/ns/user)\" ]"
	wait_for 'its user' grep -q ' 0 ' "/proc/$owner/uid_map"
}

in_own_ns() { nsenter -t "$owner" -U -n --preserve-credentials "$@"; }
as_host_there() { nsenter -t "$owner" -n "$@"; }

# moved: the device is in a container
moved()
{
	adopted
	public_tools
	own_ns
	ip -n "$gw" link set pvs0 netns "$owner"
	in_own_ns ip link set pvs0 up
}

a_container_sees_no_addresses_of_the_birthplace()
{
	moved
	raw_dump in_own_ns
	[ -s "$tmp/raw" ] || fail 'the device itself is not shown'
	nothing_inside
	in_own_ns "$PVSVPNCTL" show pvs0 >"$tmp/show"
	grep -q 'peers and SAs are not shown: needs CAP_NET_ADMIN in the namespace pvs0 was created in' \
		"$tmp/show" || fail 'show does not say why:' "$(cat "$tmp/show")"
	check 'what JSON has' "$(in_own_ns "$PVSVPNCTL" -j show |
		jq -c '.devices[0] | [.hidden, .peers, .fwmark, .if_id_in, .ttl, .carrier]')" \
		'[true,null,null,null,"auto",true]'
	expect_refused 'needs CAP_NET_ADMIN in the namespace pvs0 was created in' \
		in_own_ns "$PVSVPNCTL" peer del pvs0 192.0.2.2
}

the_host_sees_them_there()
{
	moved
	raw_dump as_host_there
	holds 01100500 && holds c0000202 || fail 'the host does not see its SPI and address'
	check 'peers' "$(as_host_there "$PVSVPNCTL" -j show | jq -r '.devices[0].peers[].name')" 192.0.2.2
	check 'hidden' "$(as_host_there "$PVSVPNCTL" -j show | jq '.devices[0].hidden')" false
}

heard() { grep -q "$1" "$tmp/events"; }

events_in_a_container_tell_no_addresses()
{
	moved
	background nsenter -t "$owner" -U -n --preserve-credentials "$PVSVPNCTL" monitor >"$tmp/events"
	wait_for 'the monitor to listen' in_own_ns \
		awk '$2 == 16 && $4 != "00000000" { n++ } END { exit !n }' /proc/net/netlink
	state 0x51003 192.0.2.1 192.0.2.2
	wait_for 'an event' heard 'pvs0 sa-new reason xfrm$'
	ip -n "$gw" xfrm state flush
	wait_for 'the last event' heard 'pvs0 peer-del reason xfrm$'
	! grep -E '192\.0\.2|0x0005100' "$tmp/events" || fail 'the lines above tell the birthplace'
}

limit() { in_ns "$gw" sysctl -qw "net.pvsvpn.$1=$2"; }

peers_have_a_limit()
{
	adopting
	check 'by default' "$(in_ns "$gw" cat /proc/sys/net/pvsvpn/max_peers)" 65536
	limit max_peers 2
	ctl "$gw" peer add pvs0 a remote 192.0.2.11 subnets 10.1.0.0/16
	ctl "$gw" peer add pvs0 b remote 192.0.2.12 subnets 10.2.0.0/16
	expect_refused_in "$gw" 'the limit is 2 peers; raise sysctl net.pvsvpn.max_peers' \
		ctl "$gw" peer add pvs0 c remote 192.0.2.13 subnets 10.3.0.0/16
	# The limit is for all devices of the namespace together
	ip -n "$gw" link add pvs1 type pvsvpn
	expect_refused_in "$gw" 'the limit is 2 peers' ctl "$gw" peer add pvs1 c remote 192.0.2.13
	ctl "$gw" peer del pvs0 a
	ctl "$gw" peer add pvs1 c remote 192.0.2.13
	ip -n "$gw" link del pvs0
	ctl "$gw" peer add pvs1 d remote 192.0.2.14 subnets 10.4.0.0/16
}

SAs_have_a_limit()
{
	adopting
	limit max_sas 1
	ctl "$gw" peer add pvs0 a remote 192.0.2.11
	ctl "$gw" sa add pvs0 a dir out spi 0x1001 transform aes128gcm16 key-file - <<<"${KEY#0x}"
	echo "${KEY#0x}" >"$tmp/key"
	chmod 600 "$tmp/key"
	expect_refused_in "$gw" 'the limit is 1 SAs; raise sysctl net.pvsvpn.max_sas' \
		ctl "$gw" sa add pvs0 a dir in spi 0x1002 transform aes128gcm16 key-file "$tmp/key"
	limit max_sas 2
	ctl "$gw" sa add pvs0 a dir in spi 0x1002 transform aes128gcm16 key-file "$tmp/key"
	ctl "$gw" sa del pvs0 a dir in spi 0x1002
	ctl "$gw" peer del pvs0 a
	limit max_sas 1
	ctl "$gw" peer add pvs0 a remote 192.0.2.11
	ctl "$gw" sa add pvs0 a dir in spi 0x1002 transform aes128gcm16 key-file "$tmp/key"
}

adopted_SAs_have_it_too()
{
	adopting
	limit max_sas 1
	watch "$gw"
	state 0x51001 192.0.2.1 192.0.2.2
	wait_for 'the first' is 1 sa_count
	state 0x51002 192.0.2.2 192.0.2.1
	wait_for 'the refusal' heard 'sa-refused.*spi 0x00051002 reason limit$'
	check SAs "$(sa_count)" 1
	limit max_sas 2
	ctl "$gw" set pvs0 if-id 42
	check 'SAs after the limit was raised' "$(sa_count)" 2
	# The limit on peers applies, too
	limit max_peers 1
	state 0x51005 192.0.2.1 192.0.2.9
	wait_for 'the refusal' heard 'sa-refused.*spi 0x00051005 reason limit$'
	check peers "$(peer_count)" 1
}

# refused_then SPI REASON COMMAND...: the state from 192.0.2.1 to 192.0.2.2 is refused, and adopted
# after the command
refused_then()
{
	state "$1" 192.0.2.1 192.0.2.2
	wait_for 'the refusal' heard "sa-refused.*spi 0x000${1#0x} reason $2\$"
	"${@:3}"
	wait_for "the SA, after $2" has_adopted "$1"
}

has_adopted()
{
	ctl "$gw" -j show pvs0 |
		jq -e "[.devices[0].peers[].sas[] | select(.spi == $(($1)) and .origin == \"xfrm\")] | length == 1" \
		>/dev/null
}

room_that_is_made_by_hand()
{
	adopting
	watch "$gw"
	# Another peer takes all addresses
	ctl "$gw" peer add pvs0 other remote 192.0.2.9
	refused_then 0x51001 peer-in-the-way ctl "$gw" peer set pvs0 other subnets 10.9.0.0/16
	# The operator's SA to the same gateway already has the SPI
	ip -n "$gw" link add pvs1 type pvsvpn
	ctl "$gw" peer add pvs1 same remote 192.0.2.2
	ctl "$gw" sa add pvs1 same dir out spi 0x51002 transform aes128gcm16 key-file - <<<"${KEY#0x}"
	refused_then 0x51002 spi-taken ctl "$gw" sa del pvs1 same dir out spi 0x51002
	# If a device has never been up, its removal sends no address event
	ctl "$gw" sa add pvs1 same dir out spi 0x51004 transform aes128gcm16 key-file - <<<"${KEY#0x}"
	limit max_sas 3
	refused_then 0x51003 limit ip -n "$gw" link del pvs1
}

# hooks: the number of the module's netfilter hooks in $gw
hooks() { in_ns "$gw" nft list hooks | grep -c pvsvpn || true; }

# A refused SA leaves no port open
refused_SAs_keep_no_port()
{
	local udp='encap espinudp 4500 4500 0.0.0.0'

	adopting
	# shellcheck disable=SC2086 # several words
	state 0x51001 192.0.2.1 192.0.2.2 $udp
	wait_for 'the SA' is 1 sa_count
	[ "$(hooks)" -gt 0 ] || skip 'nft lists no hooks'
	ip -n "$gw" xfrm state flush
	wait_for 'no hook' is 0 hooks
	limit max_sas 1
	watch "$gw"
	state 0x51002 192.0.2.2 192.0.2.1
	wait_for 'the SA' is 1 sa_count
	# shellcheck disable=SC2086 # several words
	state 0x51003 192.0.2.1 192.0.2.2 $udp
	wait_for 'the refusal' heard 'sa-refused.*spi 0x00051003 reason limit$'
	check 'hooks' "$(hooks)" 0
}

# These SAs differ in destination address. Packets and requests walk the list of one SPI
SAs_of_one_SPI_have_a_limit()
{
	local i

	adopting
	ctl "$gw" set pvs0 if-id-in 42 if-id-out 43
	watch "$gw"
	for ((i = 0; i < 260; i++)); do
		echo "xfrm state add src 192.0.2.2 dst 10.77.$((i / 250)).$((i % 250)) proto esp spi 0x51001" \
			"mode tunnel if_id 42 aead rfc4106(gcm(aes)) $KEY 128"
	done | in_batch "$gw"
	wait_for 'the refusal' heard 'sa-refused.*spi 0x00051001 reason limit$'
	check 'SAs' "$(sa_count)" 256
	ctl "$gw" peer add pvs0 a local 192.0.2.1 remote 192.0.2.3 subnets 10.2.0.0/24
	echo "${KEY#0x}" >"$tmp/key"
	chmod 600 "$tmp/key"
	expect_refused_in "$gw" 'too many SAs have this SPI; use another one' \
		ctl "$gw" sa add pvs0 a dir in spi 0x51001 transform aes128gcm16 key-file "$tmp/key"
	ctl "$gw" sa add pvs0 a dir out spi 0x51001 transform aes128gcm16 key-file "$tmp/key"
}

# A request waits for the device's work while it holds a generic netlink lock that others need. In
# this case the work never gets RTNL
requests_do_not_wait_for_the_work_without_end()
{
	local request before='' after=''

	adopted
	hold_rtnl before "$gw" outer0
	rtnl_held before
	background "$PVSVPNCTL" -n "$gw" set pvs0 if-id 43
	request=$background
	wait_for 'the request to wait for RTNL' asleep_in "$request" request_begin
	hold_rtnl after "$gw" outer0
	wait_for 'the next one to wait for RTNL' asleep_in "$after" dev_
	kill "$before"
	rtnl_held after
	wait_for 'the answer to the request' ended "$request"
	kill "$after"
	wait_for 'no SA' is 0 sa_count
}

a_user_namespace_cannot_raise_its_limit()
{
	new_ns left
	own_ns
	check 'peers in a user namespace' "$(in_own_ns cat /proc/sys/net/pvsvpn/max_peers)" 1024
	check 'SAs in a user namespace' "$(in_own_ns cat /proc/sys/net/pvsvpn/max_sas)" 4096
	! in_own_ns sysctl -qw net.pvsvpn.max_peers=4000 2>/dev/null ||
		fail 'its owner raised the limit'
	check 'afterwards' "$(in_own_ns cat /proc/sys/net/pvsvpn/max_peers)" 1024
	as_host_there sysctl -qw net.pvsvpn.max_peers=2000
	check 'as the host set it' "$(in_own_ns cat /proc/sys/net/pvsvpn/max_peers)" 2000
}

# charged: bytes that the kernel holds for the cgroup
charged() { awk '$1 == "percpu" || $1 == "slab" { n += $2 } END { print n }' "$cgroup/memory.stat"; }

memory_is_accounted()
{
	local root before i

	grep -q '^memory[[:space:]].*1$' /proc/cgroups || skip 'the kernel has no memory cgroup'
	root=$tmp/cgroup
	mkdir "$root"
	mount -t cgroup2 none "$root" 2>/dev/null || skip 'cgroup2 cannot be mounted'
	defer "umount $root"
	grep -qw memory "$root/cgroup.controllers" || skip 'memory is not in cgroup2'
	echo +memory >"$root/cgroup.subtree_control"
	cgroup=$root/pvs-access-$BASHPID
	mkdir "$cgroup"
	defer "rmdir $cgroup 2>/dev/null"
	adopting
	for ((i = 0; i < 500; i++)); do
		echo "peer add pvs0 p$i remote 192.0.2.$((i % 250 + 3)) subnets 10.$((i / 250)).$((i % 250)).0/24"
	done >"$tmp/batch"
	before=$(charged)
	sh -c "echo \$\$ >$cgroup/cgroup.procs; exec '$PVSVPNCTL' -n $gw -b $tmp/batch"
	echo "memory of 500 peers: $((($(charged) - before) / 500)) bytes each" | report
	[ $(($(charged) - before)) -gt $((500 * 1024)) ] || fail "500 peers are charged $(($(charged) - before)) bytes"
}

# slow_modprobe: while $slow.wait exists, loading a module for an SA does not finish
slow_modprobe()
{
	modprobe_was=$(cat /proc/sys/kernel/modprobe)
	slow=$(mktemp /tmp/pvs-modprobe-XXXXXX)
	defer "rm -f $slow $slow.*"
	cat >"$slow" <<-END
		#!/bin/sh
		case "\$*" in
		*crypto-*) touch $slow.begun; while [ -e $slow.wait ]; do sleep 0.1; done ;;
		esac
		exec $modprobe_was "\$@"
	END
	chmod 755 "$slow"
	touch "$slow.wait"
	defer "echo $modprobe_was >/proc/sys/kernel/modprobe"
	echo "$slow" >/proc/sys/kernel/modprobe
	defer "rm -f $slow.wait"
}

# While its module is missing, the crypto API requests AES-CCM again and again
no_other_family_waits_for_a_module()
{
	adopting
	ctl "$gw" peer add pvs0 a remote 192.0.2.11
	"$PVSVPNCTL" genkey aes256ccm16 >"$tmp/key"
	chmod 600 "$tmp/key"
	! grep -q '^ccm ' /proc/modules || modprobe -r ccm || skip 'somebody uses ccm'
	! grep -q 'ccm(' /proc/crypto || skip 'ccm is no module of this kernel'
	slow_modprobe
	background "$PVSVPNCTL" -n "$gw" sa add pvs0 a dir out spi 0x1001 transform aes256ccm16 \
		key-file "$tmp/key"
	wait_for 'the crypto API to ask for a module' test -e "$slow.begun"
	# The generic netlink controller takes the global mutex, as do families without their own
	background "$PVSVPNCTL" -n "$gw" show >"$tmp/show"
	wait_for 'generic netlink, which waits for the module' test -s "$tmp/show"
	check 'SAs meanwhile' "$(sa_count)" 0
	rm "$slow.wait"
	wait_for 'the SA' is 1 sa_count
}

run_cases reading_takes_CAP_NET_ADMIN listening_takes_CAP_NET_ADMIN \
	a_container_sees_no_addresses_of_the_birthplace the_host_sees_them_there \
	events_in_a_container_tell_no_addresses peers_have_a_limit SAs_have_a_limit \
	adopted_SAs_have_it_too room_that_is_made_by_hand refused_SAs_keep_no_port \
	SAs_of_one_SPI_have_a_limit \
	requests_do_not_wait_for_the_work_without_end a_user_namespace_cannot_raise_its_limit \
	memory_is_accounted \
	no_other_family_waits_for_a_module
