#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Many peers and devices. 1,000 peers with 2,000 SAs are listed completely, also while others are
# added and removed. 10,000 peers with 20,000 SAs, and 1,000 devices, are added, found and removed.
# The costs are printed, and a lookup that scans fails. Only 2,000 peers and 200 devices unless the
# test is named (EVERY).
#
# With run.sh -i (used by scale-count.sh) costs are in instructions, else in nanoseconds.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# many WITH-CHECKERS SAMPLE ALL: a kernel with checkers handles only few
many()
{
	if checkers_on; then
		echo "$1"
	elif [ -z "${EVERY:-}" ]; then
		echo "$2"
	else
		echo "$3"
	fi
}

# peers FIRST LAST: pvsvpnctl commands that add peers
peers()
{
	awk -v first="$1" -v last="$2" 'BEGIN {
		for (i = first; i <= last; i++)
			printf "peer add pvs0 p%d remote 198.%d.%d.%d subnets 10.%d.%d.0/24\n", i,
				51 + int(i / 40000), int(i / 200) % 200, 1 + i % 200,
				100 + int(i / 256), i % 256
	}'
}

# sas FIRST LAST: pvsvpnctl commands that add two SAs to each peer
sas()
{
	awk -v first="$1" -v last="$2" -v key="$tmp/key" 'BEGIN {
		sa = "sa add pvs0 p%d dir %s spi %d transform aes128gcm16 key-file %s\n"
		for (i = first; i <= last; i++) {
			printf sa, i, "in", 100000 + i, key
			printf sa, i, "out", 200000 + i, key
		}
	}'
}

# commands FIRST LAST: peers and their SAs
commands()
{
	peers "$@"
	sas "$@"
}

# removals FIRST LAST
removals()
{
	awk -v first="$1" -v last="$2" 'BEGIN {
		for (i = first; i <= last; i++)
			print "peer del pvs0 p" i
	}'
}

new_key() { (umask 077 && "$PVSVPNCTL" genkey aes128gcm16 >"$tmp/key"); }

thousand()
{
	new_ns left
	ip -n "$left" link add pvs0 type pvsvpn
	ip -n "$left" link set pvs0 up
	new_key
	commands 1 1000 >"$tmp/batch"
	ctl "$left" -b "$tmp/batch"
}

# whole LAST: JSON on stdin has peers p1 to pLAST with their SAs, each once; other peers may exist.
# Prints the numbers of peers and of SAs.
whole()
{
	jq -r --argjson last "$1" '
		def sas: [.sas[] | [.dir, .spi]] | sort;
		.devices[0].peers as $peers
		| ($peers | INDEX(.name)) as $named
		| ($named | length) as $names
		| [range(1; $last + 1) | "p\(.)" | select($named[.] | not)] as $missing
		| [$peers[] | (.name[1:] | tonumber) as $i | select($i <= $last)
			| select(sas != [["in", 100000 + $i], ["out", 200000 + $i]])] as $wrong
		| [$peers[] | select((sas | unique) != sas)] as $twice
		| if $names != ($peers | length) then error("a peer is listed twice")
		elif $missing != [] then
			error("\($missing | length) peers are missing, such as \($missing[0])")
		elif $wrong != [] then error("SAs of \($wrong[0].name): \($wrong[0] | sas)")
		elif $twice != [] then error("an SA of \($twice[0].name) is listed twice")
		else "\($peers | length) \([$peers[].sas | length] | add)" end'
}

listed_whole()
{
	thousand
	check 'peers and SAs of show' "$(ctl "$left" -j show pvs0 | whole 1000)" '1000 2000'
	check 'peers and SAs of all devices' "$(ctl "$left" -j show | whole 1000)" '1000 2000'
	check 'peers and SAs of stats' "$(ctl "$left" -j stats pvs0 | whole 1000)" '1000 2000'
	wait_for carrier is UP link_get "$left" pvs0 operstate
	ctl "$left" peer del pvs0 p500
	check 'with one less' "$(ctl "$left" -j show pvs0 | grep -c '"remote"')" 999
	time_limit 20 ip -n "$left" link del pvs0
}

# time_limit SECONDS COMMAND...
time_limit()
{
	local start=$SECONDS

	"${@:2}"
	[ $((SECONDS - start)) -le "$1" ] || fail "${*:2} took $((SECONDS - start)) s"
}

# come_and_go: 50 more peers with SAs are added and removed repeatedly
come_and_go()
{
	local netns=$left

	commands 1001 1050 >"$tmp/more"
	removals 1001 1050 >"$tmp/less"
	# shellcheck disable=SC2016 # the inner shell's variables
	background bash -c 'while "$1" -n "$2" -b "$3" && "$1" -n "$2" -b "$4"; do
		echo >>"$5"
	done' - "$PVSVPNCTL" "$netns" "$tmp/more" "$tmp/less" "$tmp/rounds"
	: >"$tmp/rounds"
}

listed_whole_while_others_come_and_go()
{
	local i before times

	times=$(many 6 3 6)
	thousand
	come_and_go
	wait_for 'the first round' [ -s "$tmp/rounds" ]
	before=$(stat -c %s "$tmp/rounds")
	for ((i = 1; i <= times; i++)); do
		ctl "$left" -j show pvs0 >"$tmp/show" || fail "show, time $i"
		whole 1000 <"$tmp/show" >/dev/null
	done
	wait_for 'peers that come and go' at_least $((before + 1)) stat -c %s "$tmp/rounds"
}

# wire_to_right: the wire and namespace of one more peer; pvs0 of $left already exists
wire_to_right()
{
	new_ns right
	ip link add outer0 netns "$left" type veth peer name outer0 netns "$right"
	ip -n "$left" addr add 192.0.2.1/24 dev outer0
	ip -n "$right" addr add 192.0.2.2/24 dev outer0
	ip -n "$left" link set outer0 up
	ip -n "$right" link set outer0 up
	end_up "$right" left 192.0.2.1 10.2.0.1 fd00:2::1 10.1.0.0/16,fd00:1::/64
}

peer_right()
{
	wire_to_right
	ip -n "$left" addr add 10.1.0.1/32 dev pvs0
	ip -n "$left" addr add fd00:1::1/128 dev pvs0 nodad
	ctl "$left" peer add pvs0 right remote 192.0.2.2 subnets 10.2.0.0/16,fd00:2::/64
	ip -n "$left" route add 10.2.0.0/16 dev pvs0
	sa_both aes128gcm16
}

# The last of many peers is found like the first
traffic_among_many()
{
	thousand
	peer_right
	pings "$left" 10.2.0.1
}

# ---- costs ----

unit=ns
[ -z "${VM_ICOUNT:-}" ] || unit=instructions

# cost COUNT COMMAND...: processor time of the command, user and kernel, per one of COUNT
cost()
{
	local TIMEFORMAT='%3U %3S' count=$1 spent

	shift
	{ time "$@" >"$tmp/said" 2>&1; } 2>"$tmp/time" || fail "$*:" "$(cat "$tmp/said")"
	spent=$(tail -n 1 "$tmp/time")
	awk -v n="$count" '{ printf "%d\n", ($1 + $2) * 1e9 / n }' <<<"$spent"
}

# elapsed COMMAND...: wall-clock time in ms; under run.sh -i the clock jumps when idle
elapsed()
{
	local start=${EPOCHREALTIME/./}

	"$@" >&2
	echo $(((${EPOCHREALTIME/./} - start) / 1000))
}

# in_time MS WHAT: fails after two minutes, to detect a hang
in_time()
{
	[ -n "${VM_ICOUNT:-}" ] || [ "$1" -le 120000 ] || fail "$2 took $1 ms"
}

# kernel_memory: bytes of slab and of per-CPU memory
kernel_memory() { awk '/^(Slab|Percpu):/ { n += $2 } END { print n * 1024 }' /proc/meminfo; }

tracing=/sys/kernel/tracing

# function_times FUNCTION: the time of each traced call, in $unit, fastest first
function_times()
{
	sed -nE "s/.* ([0-9.]+) us +\|  $1[^a-z0-9_].*/\1/p" "$tmp/trace" |
		awk '{ printf "%d\n", $1 * 1000 }' | sort -n
}

# lookup_time FUNCTION: the 75th percentile of its calls. Both ends call it, so more than half of
# the calls, the fast ones, may be the other end's
lookup_time()
{
	function_times "$1" >"$tmp/times"
	[ "$(wc -l <"$tmp/times")" -ge 100 ] ||
		fail "$1 was traced too seldom:" "$(tail "$tmp/trace")"
	awk '{ t[NR] = $1 } END { print t[int(NR * 3 / 4)] }' "$tmp/times"
}

# trace_lookups ADDRESS: traces 100 packets there and back, into $tmp/trace
trace_lookups()
{
	echo nop >$tracing/current_tracer
	echo pvsvpn_sad_find_in pvsvpn_selector_find_dst >$tracing/set_ftrace_filter
	defer "echo >$tracing/set_ftrace_filter; echo nop >$tracing/current_tracer"
	echo function_graph >$tracing/current_tracer
	pings "$left" "$1" -c 100 -i 0.002
	cat $tracing/trace >"$tmp/trace"
	echo nop >$tracing/current_tracer
}

# can_trace: some kernels are built without function_graph
can_trace() { grep -qw function_graph $tracing/available_tracers; }

# lookups PEERS: traces both lookups, into spi_PEERS and peer_PEERS of $tmp
lookups()
{
	can_trace || return 0
	trace_lookups 10.2.0.1
	lookup_time pvsvpn_sad_find_in >"$tmp/spi_$1"
	lookup_time pvsvpn_selector_find_dst >"$tmp/peer_$1"
}

# compare WHAT FEW MANY: with many peers the lookup may take three times as long at most
compare()
{
	local few many

	if ! can_trace; then
		echo "$1 lookup: not measured, this kernel has no function_graph" | report
		return
	fi
	few=$(cat "$tmp/$1_$2")
	many=$(cat "$tmp/$1_$3")
	echo "$1 lookup, $unit: $few with $2 peers, $many with $3" | report
	[ "$many" -le $((few * 3)) ] ||
		fail "$1 lookup takes $many $unit with $3 peers, $few with $2: does it scan?"
}

# grow FIRST LAST: adds peers, then SAs; prints the cost of each
grow()
{
	local count=$(($2 - $1 + 1)) memory=() each

	peers "$1" "$2" >"$tmp/peers"
	sas "$1" "$2" >"$tmp/sas"
	memory[0]=$(kernel_memory)
	each=$(cost $count ctl "$left" -b "$tmp/peers")
	memory[1]=$(kernel_memory)
	echo "peer: $each $unit to add, $(((memory[1] - memory[0]) / count)) bytes" | report
	each=$(cost $((2 * count)) ctl "$left" -batch "$tmp/sas")
	memory[2]=$(kernel_memory)
	echo "SA: $each $unit to add, $(((memory[2] - memory[1]) / (2 * count))) bytes" | report
}

many_peers()
{
	local many took

	many=$(many 1000 2000 10000)
	new_ns left
	ip -n "$left" link add pvs0 type pvsvpn
	ip -n "$left" link set pvs0 up
	new_key
	commands 1 9 | ctl "$left" -b -
	peer_right
	lookups 10
	took=$(elapsed grow 10 "$many")
	echo "$((many + 1)) peers, $((2 * many + 2)) SAs, $(nproc) processors: $took ms" | report
	lookups "$many"
	compare spi 10 "$many"
	compare peer 10 "$many"
	ctl "$left" -j show pvs0 >"$tmp/show"
	check 'peers listed' "$(grep -o '"remote"' "$tmp/show" | wc -l)" $((many + 1))
	took=$(elapsed ip -n "$left" link del pvs0)
	echo "deleting that device: $took ms" | report
	in_time "$took" 'deleting the device'
}

# devices COUNT: ip commands that add them
devices()
{
	awk -v count="$1" 'BEGIN {
		for (i = 1; i <= count; i++) {
			print "link add pvs" i " group 7 type pvsvpn"
			print "link set pvs" i " up"
		}
	}'
}

# behind COUNT: pvsvpnctl commands that give each device a peer with two SAs; the last peer is
# $right
behind()
{
	commands 1 "$1" | awk -v last="$1" '{
		i = substr($4, 2)
		$3 = "pvs" i
		if (i == last) {
			sub("remote [^ ]*", "remote 192.0.2.2")
			sub("subnets .*", "subnets 10.2.0.0/16")
		}
		print
	}'
}

# Configure the other end of the last device
right_end()
{
	local sa="transform aes128gcm16 key-file $tmp/key"

	ctl "$right" -b - <<-END
		sa add pvs0 left dir out spi $((100000 + $1)) $sa
		sa add pvs0 left dir in spi $((200000 + $1)) $sa
	END
	ip -n "$left" addr add 10.1.0.1/32 dev "pvs$1"
	ip -n "$left" route add 10.2.0.0/16 dev "pvs$1"
}

list() { ctl "$left" -j show >"$tmp/show"; }

many_devices()
{
	local many memory took

	many=$(many 50 200 1000)
	new_ns left
	wire_to_right
	new_key
	devices "$many" >"$tmp/devices"
	behind "$many" >"$tmp/batch"
	memory=$(kernel_memory)
	took=$(elapsed ip -n "$left" -batch "$tmp/devices")
	echo "$many devices: $took ms, $((($(kernel_memory) - memory) / many)) bytes each" | report
	took=$(elapsed ctl "$left" -b "$tmp/batch")
	echo "a peer with two SAs behind each: $took ms" | report
	right_end "$many"
	pings "$left" 10.2.0.1
	took=$(elapsed list)
	echo "listing them: $took ms" | report
	check 'devices listed' "$(jq '[.devices[].peers[].sas[]] | length / 2' "$tmp/show")" "$many"
	took=$(elapsed ip -n "$left" link del group 7)
	echo "deleting them: $took ms" | report
	check 'devices left' "$(ip -n "$left" link show type pvsvpn)" ''
	in_time "$took" 'deleting the devices'
}

# An error in a batch names the line
batch_says_where()
{
	new_ns left
	ip -n "$left" link add pvs0 type pvsvpn
	peers 1 2 >"$tmp/batch"
	echo 'peer add pvs0 p1 remote 192.0.2.9 subnets 10.9.0.0/16' >>"$tmp/batch"
	expect_refused "^pvsvpnctl: $tmp/batch:3: .* has a peer p1 already" \
		ctl "$left" -batch "$tmp/batch"
	check 'peers before that line' "$(show "$left" peers | jq length)" 2
	expect_refused '^pvsvpnctl: standard input:3: ' ctl "$left" --batch - <<-END
		peer del pvs0 p1
		peer del pvs0 p2
		peer del pvs0 p3
	END
}

run_cases listed_whole listed_whole_while_others_come_and_go traffic_among_many \
	batch_says_where many_peers many_devices
