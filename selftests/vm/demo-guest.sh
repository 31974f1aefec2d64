#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The guest's part of demo.sh: builds the README's topology from network namespaces, runs the
# README's own commands in it, and checks the packets on the wire. Exit 0: no ping lost, nothing but
# ESP between the gateways.
#
# shellcheck source-path=SCRIPTDIR source=demo-lib.sh
. "$(dirname "$0")/demo-lib.sh"

mkdir "$work/keys"
grep -q '^pvsvpn ' /proc/modules || { modprobe -q nf_defrag_ipv6 || :; insmod "$PVSVPN_KO"; }

title "two sites, each a host behind a gateway, and the Internet between them"
build_sites
ip -n gateway-a -br -4 address show
ip -n gateway-b -br -4 address show
start_capture other internet to-a not ip proto 50
before=$(frames)

title "keys"
run_readme keys gateway-a
title "gateway A"
run_readme gateway-a gateway-a
title "gateway B"
run_readme gateway-b gateway-b
title "the test of the README"
run_readme test-a gateway-a | tee "$work/test.out"
check_pings "$work/test.out"

title "host to host, and what the wire shows of it"
show_secrecy

title "TCP from host to host"
run_iperf

title "gateway A afterwards"
in_ns gateway-a pvsvpnctl show pvs0
in_ns gateway-a pvsvpnctl stats pvs0

title "the wire"
stop_capture other
others=$(packets other)
total=$(($(frames) - before))
if [ "$others" -ne 0 ]; then
	tcpdump -n -r "$work/other.pcap" 2>/dev/null | head -n 5
	fail "$others packets between the gateways were not ESP"
fi
[ "$total" -gt 0 ] || fail "nothing went over the wire"
result=$(iperf_result)
[ -n "$result" ] || fail "iperf3 gave no result"
printf '%s packets passed between the gateways, %s of them other than ESP\n' "$total" "$others"
pings=$(awk '/packets transmitted/ { sum += $1 } END { print sum }' \
	"$work/test.out" "$work/host.out")
printf '\ndemo: carried %s pings without loss and %s; %s packets on the wire, all ESP\n' \
	"$pings" "$result" "$total"
