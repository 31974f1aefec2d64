#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# 1,000 peers with 2,000 SAs: listed whole, also while others come and go.
#
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# commands FIRST LAST: pvsvpnctl commands that add peers with two SAs each
commands()
{
	awk -v first="$1" -v last="$2" -v key="$tmp/key" 'BEGIN {
		for (i = first; i <= last; i++) {
			net = "10." 100 + int(i / 256) "." i % 256 ".0/24"
			printf "peer add pvs0 p%d remote 198.51.%d.%d subnets %s\n",
				i, 100 + int(i / 200), 1 + i % 200, net
			sa = "sa add pvs0 p%d dir %s spi %d transform aes128gcm16 key-file %s\n"
			printf sa, i, "in", 100000 + i, key
			printf sa, i, "out", 200000 + i, key
		}
	}'
}

# removals FIRST LAST
removals()
{
	awk -v first="$1" -v last="$2" 'BEGIN {
		for (i = first; i <= last; i++)
			print "peer del pvs0 p" i
	}'
}

thousand()
{
	new_ns left
	ip -n "$left" link add pvs0 type pvsvpn
	ip -n "$left" link set pvs0 up
	(umask 077 && "$PVSVPNCTL" genkey aes128gcm16 >"$tmp/key")
	commands 1 1000 >"$tmp/batch"
	ctl "$left" -b "$tmp/batch"
}

# whole LAST: JSON on stdin has peers p1 to pLAST with their SAs, each once; others
# may come and go
whole()
{
	/usr/bin/python3 -IS -c '
import json, sys
last = int(sys.argv[1])
peers = json.load(sys.stdin)["devices"][0]["peers"]
names = [p["name"] for p in peers]
if len(set(names)) != len(names):
    sys.exit("a peer is listed twice")
missing = {f"p{i}" for i in range(1, last + 1)} - set(names)
if missing:
    sys.exit(f"{len(missing)} peers are missing, such as {min(missing)}")
for peer in peers:
    i = int(peer["name"][1:])
    sas = sorted((s["dir"], s["spi"]) for s in peer["sas"])
    if i <= last and sas != [("in", 100000 + i), ("out", 200000 + i)]:
        sys.exit(f"SAs of p{i}: {sas}")
    if len(set(sas)) != len(sas):
        sys.exit(f"an SA of p{i} is listed twice")
print(len(peers), sum(len(p["sas"]) for p in peers))' "$1"
}

listed_whole()
{
	thousand
	check 'peers and SAs of show' "$(ctl "$left" -j show pvs0 | whole 1000)" '1000 2000'
	check 'peers and SAs of all devices' "$(ctl "$left" -j show | whole 1000)" '1000 2000'
	check 'peers and SAs of stats' "$(ctl "$left" -j stats pvs0 | whole 1000)" '1000 2000'
	check carrier "$(link_get "$left" pvs0 operstate)" UP
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

# come_and_go: 50 further peers with SAs are added and removed, again and again
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
	local i before

	thousand
	come_and_go
	wait_for 'the first round' [ -s "$tmp/rounds" ]
	before=$(stat -c %s "$tmp/rounds")
	for i in {1..6}; do
		ctl "$left" -j show pvs0 >"$tmp/show" || fail "show, time $i"
		whole 1000 <"$tmp/show" >/dev/null
	done
	wait_for 'peers that come and go' at_least $((before + 1)) stat -c %s "$tmp/rounds"
}

# The last of many is found like the first
traffic_among_many()
{
	thousand
	new_ns right
	ip link add outer0 netns "$left" type veth peer name outer0 netns "$right"
	ip -n "$left" addr add 192.0.2.1/24 dev outer0
	ip -n "$right" addr add 192.0.2.2/24 dev outer0
	ip -n "$left" link set outer0 up
	ip -n "$right" link set outer0 up
	ip -n "$left" addr add 10.1.0.1/32 dev pvs0
	ip -n "$left" addr add fd00:1::1/128 dev pvs0 nodad
	ctl "$left" peer add pvs0 right remote 192.0.2.2 subnets 10.2.0.0/16,fd00:2::/64
	ip -n "$left" route add 10.2.0.0/16 dev pvs0
	end_up "$right" left 192.0.2.1 10.2.0.1 fd00:2::1 10.1.0.0/16,fd00:1::/64
	sa_both aes128gcm16
	pings "$left" 10.2.0.1
}

run_cases listed_whole listed_whole_while_others_come_and_go traffic_among_many
