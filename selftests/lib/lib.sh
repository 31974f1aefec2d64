#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# For the tests to source: cases, results (KTAP), namespaces, tunnels, counters.
#
# A case is a function. It runs in its own subshell with "set -e", ends by returning, by "fail" or
# by "skip", and leaves nothing behind: each thing it starts has a "defer" beside it. Tests wait for
# a condition (busywait), never for a time. Write "grep -q WORD <<<"$(command)"", not "command |
# grep -q WORD": grep exits at the first match, and if the command then prints more, its SIGPIPE
# would become the pipe's status.
#
# shellcheck disable=SC2034 # variables for the scripts that source this
set -uo pipefail
shopt -s inherit_errexit

# shellcheck disable=SC2155
# The directories of these helpers, and of the test
lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
here=$(cd "$(dirname "$0")" && pwd -P)
# Helpers in Python import others from there. A guest keeps their bytecode in memory, a host would
# keep it in the tree
export PYTHONPATH=$lib
[ -n "${VM_KERNEL-}" ] || export PYTHONDONTWRITEBYTECODE=1
test_name=$(basename "$0" .sh)
tmp='' deferred=() logs=()
SKIP_STATUS=4

# ---- results ----

# fail LINE...: the case fails; LINEs say why
fail()
{
	printf '%s\n' "$@"
	exit 1
}

# skip WHY: the case cannot run here
skip()
{
	printf '%s\n' "$*" >"$tmp.skip"
	exit $SKIP_STATUS
}

# report: prints the lines of stdin with the result, also if the case passes
report()
{
	cat >>"$tmp.report"
}

# check WHAT ACTUAL EXPECTED
check()
{
	[ "$2" = "$3" ] || fail "$1: is '$2', should be '$3'"
}

# defer COMMAND: runs COMMAND when the case ends, in reverse order
defer()
{
	deferred+=("$*")
}

# said FILE: prints the end of a daemon's FILE if the case fails
said()
{
	[[ " ${logs[*]} " == *" $1 "* ]] || logs+=("$1")
}

undo()
{
	local status=$? i log

	# Ignore errors: some of it may be gone already.
	set +e
	trap - ERR
	if [ $status -ne 0 ] && [ $status -ne $SKIP_STATUS ]; then
		for log in "${logs[@]}"; do
			echo "the last lines of ${log#"$tmp/"}:"
			tail -n "${LOG_LINES:-80}" "$log"
		done
	fi
	for ((i = ${#deferred[@]} - 1; i >= 0; i--)); do
		eval "${deferred[i]}"
	done
	rm -rf "$tmp"
}

# busywait SECONDS COMMAND...: retries COMMAND until it succeeds; fails on timeout. Polls slowly
# after 2 s, since polling takes emulated processor time from the condition
busywait()
{
	local deadline=$((SECONDS + $1)) begin=$SECONDS pause=0.1

	shift
	until "$@"; do
		[ $SECONDS -lt $deadline ] || return 1
		[ $((SECONDS - begin)) -lt 2 ] || pause=0.4
		sleep $pause
	done
}

# wait_for WHAT COMMAND...: busywait that prints WHAT on timeout
wait_for()
{
	local what=$1

	shift
	busywait "${WAIT_LIMIT:-20}" "$@" || fail "timed out waiting for $what: $*"
}

run_case()
{
	tmp=$(mktemp -d) || exit 1
	trap undo EXIT
	# Print the line at which a case ended without calling fail
	trap 'echo "${BASH_SOURCE[0]##*/}:$LINENO: $BASH_COMMAND (status $?)" >&2' ERR
	set -eE
	"$1" </dev/null
}

# run_cases CASE...: runs all of them, or those of $CASES
run_cases()
{
	local case count=0 failed=0 passed=0 status base log

	base=$(mktemp -d)
	log=$base/log
	echo 'TAP version 13'
	# shellcheck disable=SC2086
	[ -z "${CASES:-}" ] || set -- $CASES
	echo "1..$#"
	for case; do
		count=$((count + 1))
		(TMPDIR=$base run_case "$case") >"$log" 2>&1
		status=$?
		sed 's/^/# /' "$base"/*.report 2>/dev/null
		if [ $status -eq 0 ]; then
			passed=$((passed + 1))
			echo "ok $count $test_name: ${case//_/ }"
		elif [ $status -eq $SKIP_STATUS ] && cat "$base"/*.skip >"$base/why" 2>/dev/null; then
			echo "ok $count $test_name: ${case//_/ } # SKIP $(head -n 1 "$base/why")"
		else
			failed=1
			sed 's/^/# /' "$log"
			echo "not ok $count $test_name: ${case//_/ }"
		fi
		rm -f "$base"/*.skip "$base"/*.report
	done
	rm -rf "$base"
	[ $failed -eq 0 ] || exit 1
	[ $passed -gt 0 ] || exit $SKIP_STATUS
	exit 0
}

# ---- the module and the tool ----

PVSVPNCTL=${PVSVPNCTL:-$(command -v pvsvpnctl)} || {
	echo "Bail out! no pvsvpnctl: build it, or name it in PVSVPNCTL"
	exit 1
}

loaded() { grep -q '^pvsvpn ' /proc/modules; }

# Load the modules it depends on first: insmod resolves no dependencies
load_module()
{
	loaded && return
	modprobe -q pvsvpn 2>/dev/null && return
	modprobe -q -a xfrm_algo tunnel4 ip_tunnel nf_defrag_ipv6 2>/dev/null
	insmod "${PVSVPN_KO:?no module: install it, or name the .ko in PVSVPN_KO}"
}

load_module || {
	echo "Bail out! module pvsvpn cannot be loaded"
	exit 1
}

# ---- namespaces ----

# new_ns VARIABLE: a network namespace for this case; VARIABLE gets its name
new_ns()
{
	local name

	name=pvs-$1-$BASHPID-$RANDOM
	ip netns add "$name"
	defer "ip netns del $name 2>/dev/null"
	ip -n "$name" link set lo up
	printf -v "$1" %s "$name"
}

# in_ns NAMESPACE COMMAND...
in_ns()
{
	local ns=$1

	shift
	ip netns exec "$ns" "$@"
}

# ctl NAMESPACE ARGUMENTS...: pvsvpnctl
ctl()
{
	local ns=$1

	shift
	"$PVSVPNCTL" -n "$ns" "$@"
}

# ---- two gateways ----
#
#   namespace $left                                 namespace $right
#   pvs0 10.1.0.1/32 fd00:1::1                      pvs0 10.2.0.1/32 fd00:2::1
#     $left_dev 192.0.2.1 ---------veth------------ $right_dev 192.0.2.2

left='' right='' router='' left_dev=outer0 right_dev=outer0

# in_batch NAMESPACE: runs ip commands from stdin in one process, since starting many is slow
in_batch() { ip -n "$1" -batch -; }

# wire_up: creates the two namespaces and the wire
wire_up()
{
	new_ns left
	new_ns right
	ip link add $left_dev netns "$left" type veth peer name $right_dev netns "$right"
	in_batch "$left" <<-END
		addr add 192.0.2.1/24 dev $left_dev
		link set $left_dev up
	END
	in_batch "$right" <<-END
		addr add 192.0.2.2/24 dev $right_dev
		link set $right_dev up
	END
}

# quiet_up NAMESPACE DEVICE: up without a link-local address, with which the kernel would send
# router solicitations. Two commands: a single one sets the device up before addrgenmode
quiet_up()
{
	in_batch "$1" <<-END
		link set $2 addrgenmode none
		link set $2 up
	END
}

# leg NAMESPACE DEVICE ADDR4 ADDR6: one end of a wire
leg()
{
	in_batch "$1" <<-END
		addr add $3/24 dev $2
		addr add $4/64 dev $2 nodad
		link set $2 up
	END
}

# wire_with_router: two namespaces in different networks, with $router between them
#
#   $left ---- near0 $router far0 ---- $right
#   192.0.2.1 2001:db8:1::1            198.51.100.2 2001:db8:2::2
wire_with_router()
{
	new_ns left
	new_ns right
	new_ns router
	ip link add outer0 netns "$left" type veth peer name near0 netns "$router"
	ip link add outer0 netns "$right" type veth peer name far0 netns "$router"
	leg "$left" outer0 192.0.2.1 2001:db8:1::1
	leg "$router" near0 192.0.2.254 2001:db8:1::fe
	leg "$router" far0 198.51.100.254 2001:db8:2::fe
	leg "$right" outer0 198.51.100.2 2001:db8:2::2
	in_ns "$router" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	in_batch "$left" <<<$'route add default via 192.0.2.254\nroute add default via 2001:db8:1::fe'
	in_batch "$right" <<<$'route add default via 198.51.100.254\nroute add default via 2001:db8:2::fe'
}

# end_up NAMESPACE PEER REMOTE ADDR4 ADDR6 SUBNETS: pvs0 with one peer
end_up()
{
	local routes

	# shellcheck disable=SC2086 # words are wanted
	printf -v routes 'route add %s dev pvs0\n' ${6//,/ }
	in_batch "$1" <<-END
		link add pvs0 type pvsvpn
		addr add $4/32 dev pvs0
		addr add $5/128 dev pvs0 nodad
		link set pvs0 up
		$routes
	END
	ctl "$1" peer add pvs0 "$2" remote "$3" subnets "$6"
}

# pair_up: the picture above, without SAs; each end's peer has the other's name
pair_up()
{
	wire_up
	end_up "$left" right 192.0.2.2 10.1.0.1 fd00:1::1 10.2.0.0/16,fd00:2::/64
	end_up "$right" left 192.0.2.1 10.2.0.1 fd00:2::1 10.1.0.0/16,fd00:1::/64
}

# sa_pair TRANSFORM SPI KEY FROM-NS FROM-PEER TO-NS TO-PEER: inbound first, so nothing is lost
sa_pair()
{
	ctl "$6" sa add pvs0 "$7" dir in spi "$2" transform "$1" key-file - <<<"$3"
	ctl "$4" sa add pvs0 "$5" dir out spi "$2" transform "$1" key-file - <<<"$3"
}

# sa_both TRANSFORM [SPI]: SAs in both directions, SPI to the right, SPI + 1 to the left
sa_both()
{
	local spi=$((${2:-0x1001}))

	sa_pair "$1" $spi "$("$PVSVPNCTL" genkey "$1")" "$left" right "$right" left
	sa_pair "$1" $((spi + 1)) "$("$PVSVPNCTL" genkey "$1")" "$right" left "$left" right
}

# tunnel_up [TRANSFORM]: pair_up and sa_both
tunnel_up()
{
	pair_up
	sa_both "${1:-aes128gcm16}"
}

# counted_replies FILE: echo replies that a namespace has received, of a copy of its counters
counted_replies()
{
	awk '/^Icmp: In/ { for (i = 2; i <= NF; i++) if ($i == "InEchoReps") field = i }
		/^Icmp: [0-9]/ { sum += $field }
		/^Icmp6InEchoReplies / { sum += $2 }
		END { print sum + 0 }' "$1"
}

# all_answered NAMESPACE: it has received a reply for each request of the last pings, and no other
all_answered()
{
	local sent

	sent=$(sed -n 's/ packets transmitted.*//p' "$tmp/ping")
	in_ns "$1" sh -c 'cat /proc/net/snmp*' >"$tmp/after"
	[ $(($(counted_replies "$tmp/after") - $(counted_replies "$tmp/before"))) -eq "${sent:-0}" ]
}

# pings NAMESPACE ADDRESS [PING-OPTIONS]: no ping is lost. After the first reply, ping waits for the
# others only twice as long as that one took, whatever -W says. A busy machine may need longer, so
# the kernel's counters decide about those that ping misses
pings()
{
	local ns=$1 addr=$2

	shift 2
	# ping itself succeeds with a single answer
	# shellcheck disable=SC2016 # for the other shell
	in_ns "$ns" sh -c 'cat /proc/net/snmp* >"$0"; exec "$@"' "$tmp/before" \
		ping -q -c 2 -i 0.1 -W 10 "$@" "$addr" >"$tmp/ping" &&
		grep -q ' 0% packet loss' "$tmp/ping" && return
	grep -q ' [1-9][0-9]* received' "$tmp/ping" &&
		busywait "${WAIT_LIMIT:-20}" all_answered "$ns" && return
	fail "ping $* $addr from $ns:" "$(tail -n 3 "$tmp/ping")"
}

# unreachable NAMESPACE ADDRESS [PING-OPTIONS]: all pings are lost
unreachable()
{
	local ns=$1 addr=$2

	shift 2
	! in_ns "$ns" ping -q -c 1 -W 1 "$@" "$addr" >/dev/null 2>&1 ||
		fail "ping $* $addr from $ns: answered, should be lost"
}

# checkers_on: the kernel's checkers slow down every packet and process, so tests do less
checkers_on() { [ -e /sys/kernel/debug/kmemleak ]; }

# mib N: an amount for iperf3, reduced if checkers are on
mib()
{
	local part=1

	! checkers_on || part=16
	echo "$((($1 + part - 1) / part))M"
}

# watch_for NAMESPACE DEVICE COUNT FILTER: tcpdump captures COUNT packets, for watched
watch_for()
{
	# This tcpdump may start late; an earlier one's output would look like its own
	: >"$tmp/tcpdump"
	in_ns "$1" timeout 30 tcpdump -nvvlc "$3" -i "$2" "$4" >"$tmp/seen" 2>"$tmp/tcpdump" &
	watch=$!
	wait_for 'tcpdump to listen' grep -q 'listening on' "$tmp/tcpdump"
}

# watched [PATTERN]: all packets have come, and one matches PATTERN
watched()
{
	wait $watch || fail 'tcpdump saw too little:' "$(cat "$tmp/seen" "$tmp/tcpdump")"
	grep -qE -- "${1-}" "$tmp/seen" || fail "no '${1-}' in:" "$(cat "$tmp/seen")"
}

# iperf_server NAMESPACE [PORT]: listens when it returns; iperf_pid is its process
iperf_server()
{
	local port=${2:-5201}

	in_ns "$1" iperf3 -s -D -p "$port" --pidfile "$tmp/iperf$port.pid"
	defer "kill \$(tr -d '\\0' <'$tmp/iperf$port.pid') 2>/dev/null"
	wait_for "iperf3's server" in_ns "$1" sh -c "ss -Hltn sport = $port | grep -q ."
	iperf_pid=$(tr -d '\0' <"$tmp/iperf$port.pid")
}

iperf_pid=''

# background COMMAND...: runs until the case ends; $background is its process. Not for functions:
# only their shell would be killed, not its children
background()
{
	[ "$(type -t "$1")" != function ] || fail "background: $1 is a function"
	"$@" &
	background=$!
	# Suppress the shell's message about a killed process
	disown $background
	defer "kill $background 2>/dev/null"
}

# hold_rtnl NAME NAMESPACE DEVICE: a process takes RTNL, or waits for it, and holds it until it is
# killed; variable NAME gets its process ID
hold_rtnl()
{
	background ip netns exec "$2" /usr/bin/python3 "$lib/hold_rtnl.py" "$3" >"$tmp/$1" 2>&1
	printf -v "$1" %s "$background"
}

# rtnl_held NAME: waits until that process holds RTNL
rtnl_held()
{
	wait_for "RTNL to be held by $1" test -s "$tmp/$1"
	! grep -q 'no userfaultfd' "$tmp/$1" || skip "nobody can hold RTNL: $(cat "$tmp/$1")"
	check "$1" "$(cat "$tmp/$1")" held
}

# asleep_in PROCESS FUNCTION: the process sleeps in this kernel function
asleep_in() { grep -qs "$2" /proc/"$1"/task/*/stack; }

# asleep_or_gone PROCESS FUNCTION
asleep_or_gone() { ended "$1" || asleep_in "$1" "$2"; }

# ended PROCESS: true also before the shell has waited for it
ended() { [ ! -e /proc/"$1"/exe ]; }

# rtnl_held_behind FUNCTION NAMESPACE DEVICE COMMAND...: the command takes RTNL in this kernel
# function, once or more often. Each time another process holds RTNL before and after it; the last
# one, process $after, holds it until it is killed
rtnl_held_behind()
{
	local before command

	after=''
	hold_rtnl after "$2" "$3"
	rtnl_held after
	background "${@:4}"
	command=$background
	wait_for 'the command to wait for RTNL' asleep_in "$command" "$1"
	until ended "$command"; do
		before=$after
		hold_rtnl after "$2" "$3"
		wait_for 'the next one to wait for RTNL' asleep_in "$after" dev_
		kill "$before"
		rtnl_held after
		wait_for 'the command to end, or to wait again' asleep_or_gone "$command" "$1"
	done
}

# watch NAMESPACE [OPTIONS]: from now on its events go to $tmp/events
watch()
{
	local ns=$1

	shift
	background "$PVSVPNCTL" -n "$ns" "$@" monitor >"$tmp/events"
	wait_for 'the monitor to listen' listening "$ns"
}

# A generic netlink socket (16) with a group; only pvsvpn's monitor has one here
listening()
{
	in_ns "$1" awk '$2 == 16 && $4 != "00000000" { n++ } END { exit !n }' /proc/net/netlink
}

# one_load PORT [OPTIONS]: TCP from $left to $right until the case ends
one_load()
{
	iperf_server "$right" "$1"
	background ip netns exec "$left" iperf3 -c 10.2.0.1 -t 120 -p "$@" >"$tmp/load$1" 2>&1
	load+=("$background" "$iperf_pid")
}

# full_load: TCP both ways between $left and $right until the case ends; returns when it flows. Do
# not use --bidir: if the server accepts the two connections in another order, both ends send on the
# same one, and neither reads
full_load()
{
	load=()
	one_load 5201
	one_load 5202 -R
	wait_for "traffic to the right" at_least 500 link_stat "$left" pvs0 tx.packets
	wait_for "traffic to the left" at_least 500 link_stat "$left" pvs0 rx.packets
}

# processes of full_load
load=()

# no_tunnels_in_use: skips if removing the module would break existing tunnels
no_tunnels_in_use()
{
	local ns

	[ -z "$(ip link show type pvsvpn)" ] || skip 'there are tunnels in use'
	for ns in $(ip netns list | cut -d ' ' -f 1); do
		[ -z "$(ip -n "$ns" link show type pvsvpn)" ] || skip 'there are tunnels in use'
	done
}

# ---- counters and state ----

# gojq starts five times as fast as jq, and tests start it often. It sorts by keys
! command -v gojq >/dev/null || jq() { gojq "$@"; }

# json_get PATH: from JSON on stdin, e.g. devices.0.peers.0.tx_spi
json_get()
{
	jq -c -r --arg path "$1" '
		getpath($path / "." | map(tonumber? // .))
		| if . == null then error("no " + $path) else . end'
}

# show NAMESPACE PATH: a value of "pvsvpnctl show" for pvs0; PATH starts at the device
show()
{
	ctl "$1" -j show pvs0 | json_get "devices.0.$2"
}

# drop_count NAMESPACE DEVICE REASON [PEER [SPI]]: SPI in decimal or hex
drop_count()
{
	ctl "$1" -j stats "$2" | jq -e --arg reason "$3" --arg peer "${4-}" --argjson spi $((${5-0})) '
		.devices[0]
		| if $peer != "" then .peers[] | select(.name == $peer) else . end
		| if $spi != 0 then first(.sas[] | select(.spi == $spi)) else . end
		| .drops[$reason]'
}

# drops NAMESPACE: pvs0's drop counters, except those of the kernel's own packets
drops()
{
	ctl "$1" -j show pvs0 | jq -r '
		.devices[0].drops | del(.tx_multicast, .rx_multicast, .rx_link_local)
		| to_entries[] | "\(.key)=\(.value)"'
}

# link_stat NAMESPACE DEVICE FIELD: of "ip -s link", e.g. rx.errors, tx.dropped
# Called very often, so it does not use python
link_stat()
{
	ip -n "$1" -s -j link show dev "$2" |
		sed -nE "s/.*\"${3%.*}\":\{([^}]*)\}.*/,\1,/;s/.*,\"${3#*.}\":([0-9]+),.*/\1/p"
}

# link_get NAMESPACE DEVICE FIELD: of "ip -d link", e.g. mtu, operstate
link_get()
{
	ip -n "$1" -d -j link show dev "$2" |
		sed -nE "s/.*\"${3##*.}\":\"?([^],\"}]*).*/\1/p" | grep .
}

# is EXPECTED COMMAND...: COMMAND prints EXPECTED; for wait_for
is()
{
	local expected=$1

	shift
	[ "$("$@" 2>/dev/null)" = "$expected" ]
}

# at_least EXPECTED COMMAND...: COMMAND prints a number >= EXPECTED; for wait_for
at_least()
{
	local expected=$1 value

	shift
	value=$("$@" 2>/dev/null) && [ "${value:-0}" -ge "$expected" ]
}

# state_of NAMESPACE: devices, peers and SAs without values that change by themselves
state_of()
{
	ctl "$1" -j show | jq -c '
		walk(if type == "object" then del(
			.rx_packets, .rx_bytes, .tx_packets, .tx_bytes, .packets, .bytes, .drops,
			.seq, .age_ms, .use_age_ms, .left, .last_rx_ms, .dead_ms, .problems)
			else . end)'
}

# expect_refused PATTERN COMMAND...: status 1 and one line that matches PATTERN (grep -E)
expect_refused()
{
	local pattern=$1 status=0 said

	shift
	said=$("$@" 2>&1 >/dev/null) || status=$?
	check "exit status of '$*' ($said)" $status "${EXIT_STATUS:-1}"
	[[ $said != *$'\n'* ]] || fail "'$*' said more than one line:" "$said"
	[[ $said =~ $pattern ]] || fail "'$*' was refused as '$said', should be '$pattern'"
}

# expect_refused_in NAMESPACE PATTERN COMMAND...: in addition, nothing has changed there
expect_refused_in()
{
	local ns=$1 before

	shift
	before=$(state_of "$ns")
	expect_refused "$@"
	check "state after '${*:2}'" "$(state_of "$ns")" "$before"
}
