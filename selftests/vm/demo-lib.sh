#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# For the demos to source: the README's topology from network namespaces, the README's own commands,
# captures, iperf3.
#
# shellcheck disable=SC2034 # variables for the scripts that source this
set -euo pipefail
shopt -s inherit_errexit

top=$(cd "$(dirname "$0")/../.." && pwd -P)
work=$(mktemp -d)
# A ping's payload to search for on the wire: at most 16 bytes
secret='CAN-YOU-READ-ME?'
declare -A capture=()

title() { printf '\n== %s\n' "$*"; }
fail() { printf '\ndemo: FAILED: %s\n' "$*"; exit 1; }

# in_ns NETNS COMMAND...: shows the command, then runs it
in_ns()
{
	local ns=$1

	shift
	printf '%s# %s\n' "$ns" "$*"
	ip netns exec "$ns" "$@"
}

# wait_for SECONDS WHAT COMMAND...
wait_for()
{
	local deadline=$((SECONDS + $1)) what=$2

	shift 2
	until "$@"; do
		[ $SECONDS -lt $deadline ] || fail "timed out waiting for $what"
		sleep 0.2
	done
}

# readme BLOCK: prints README.md's block ```BLOCK
readme()
{
	awk -v start="\`\`\`$1" '
		$0 == start { inside = 1; found = 1; next }
		/^```/ { inside = 0 }
		inside
		END { exit !found }' "$top/README.md" || fail "README.md has no block '$1'"
}

# run_readme BLOCK NETNS: runs its commands in one shell, and prints each first
run_readme()
{
	local line

	readme "sh $1" >"$work/$1.readme"
	while read -r line; do
		printf 'printf "%%s\\n" %q\n%s\n' "$2# $line" "$line"
	done <"$work/$1.readme" >"$work/$1.sh"
	(cd "$work/keys" && ip netns exec "$2" bash -euo pipefail "$work/$1.sh") ||
		fail "a command of the README's block '$1' failed"
}

# wire NETNS NAME ADDRESS NAME-AT-ROUTER ROUTER-ADDRESS: with fixed neighbours and without IPv6, so
# that the wire carries nothing but the tunnel
wire()
{
	local ns=$1 dev=$2 addr=$3 far=$4 router=$5
	local mac_near=02:00:00:00:01:01 mac_far=02:00:00:00:01:02

	ip -n internet link add "$far" address "$mac_far" type veth \
		peer name "$dev" netns "$ns" address "$mac_near"
	ip netns exec internet sysctl -qw "net.ipv6.conf.$far.disable_ipv6=1"
	ip netns exec "$ns" sysctl -qw "net.ipv6.conf.$dev.disable_ipv6=1"
	ip -n internet address add "$router/24" dev "$far"
	ip -n "$ns" address add "$addr/24" dev "$dev"
	ip -n internet link set "$far" up
	ip -n "$ns" link set "$dev" up
	ip -n internet neigh replace "$addr" lladdr "$mac_near" dev "$far" nud permanent
	ip -n "$ns" neigh replace "$router" lladdr "$mac_far" dev "$dev" nud permanent
	ip -n "$ns" route add default via "$router"
}

# site GATEWAY HOST PREFIX: a host .2 behind a gateway .1
site()
{
	ip -n "$1" link add lan type veth peer name eth0 netns "$2"
	ip -n "$1" address add "$3.1/24" dev lan
	ip -n "$2" address add "$3.2/24" dev eth0
	ip -n "$1" link set lan up
	ip -n "$2" link set eth0 up
	ip -n "$2" route add default via "$3.1"
}

build_sites()
{
	local ns

	for ns in internet gateway-a gateway-b host-a host-b; do
		ip netns add "$ns"
		ip -n "$ns" link set lo up
	done
	ip netns exec internet sysctl -qw net.ipv4.ip_forward=1
	wire gateway-a wan 192.0.2.1 to-a 192.0.2.254
	wire gateway-b wan 198.51.100.1 to-b 198.51.100.254
	site gateway-a host-a 10.1.0
	site gateway-b host-b 10.2.0
}

listening() { grep -q 'listening on' "$work/$1.log"; }

# start_capture NAME NETNS DEV FILTER...
start_capture()
{
	local name=$1 ns=$2 dev=$3

	shift 3
	ip netns exec "$ns" tcpdump -n -U -i "$dev" -w "$work/$name.pcap" "$@" 2>"$work/$name.log" &
	capture[$name]=$!
	wait_for 30 "tcpdump on $dev" listening "$name"
}

stop_capture()
{
	kill -INT "${capture[$1]}"
	wait "${capture[$1]}" || fail "tcpdump: $(tail -n 1 "$work/$1.log")"
	unset "capture[$1]"
	grep -q '^0 packets dropped by kernel' "$work/$1.log" || fail "the capture '$1' has gaps"
}

packets() { tcpdump -n -r "$work/$1.pcap" 2>/dev/null | wc -l; }

# Every ping summary in the output says 0 % loss
check_pings()
{
	grep -q 'packets transmitted' "$1" || fail "no ping in $1"
	! grep 'packets transmitted' "$1" | grep -qv ' 0% packet loss' ||
		fail "a ping was lost"
}

frames()
{
	ip netns exec internet cat /sys/class/net/to-a/statistics/{rx,tx}_packets |
		awk '{ sum += $1 } END { print sum }'
}

# The same payload is readable at host B, but not on the wire
show_secrecy()
{
	local pattern

	pattern=$(printf %s "$secret" | od -An -tx1 | tr -d ' \n')
	start_capture esp internet to-a
	start_capture plain host-b eth0 icmp
	in_ns host-a ping -c 5 -i 0.5 -p "$pattern" 10.2.0.2 | tee "$work/host.out"
	stop_capture plain
	stop_capture esp
	check_pings "$work/host.out"
	grep -qaF "$secret" "$work/plain.pcap" ||
		fail "the payload did not arrive at host B as it was sent"
	! grep -qaF "$secret" "$work/esp.pcap" ||
		fail "the payload went over the wire in plain text"

	printf '\nThe first of them at host B:\n'
	tcpdump -n -A -c 1 -r "$work/plain.pcap" 2>/dev/null
	printf '\nThe same traffic between the gateways ("%s" is not in it):\n' "$secret"
	tcpdump -n -c 4 -r "$work/esp.pcap" 2>/dev/null
	tcpdump -n -A -c 1 -r "$work/esp.pcap" 2>/dev/null | tail -n +2
}

serving() { ip netns exec host-b ss -Hltn 'sport = 5201' | grep -q LISTEN; }

run_iperf()
{
	ip netns exec host-b iperf3 -s -1 >"$work/server.log" 2>&1 &
	wait_for 30 "the iperf3 server" serving
	in_ns host-a iperf3 --forceflush -f m -t 5 -c 10.2.0.2 | tee "$work/iperf.out" ||
		fail "iperf3: $(tail -n 1 "$work/iperf.out")"
	wait $!
}

# The result of iperf3's receiver: "32.1 MBytes at 53.8 Mbits/sec"
iperf_result()
{
	awk '$NF == "receiver" { print $5, $6, "of TCP at", $7, $8 }' "$work/iperf.out"
}

