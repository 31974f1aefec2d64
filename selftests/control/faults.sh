#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Memory allocation failures (failslab, fail_page_alloc) under every netlink operation and under
# traffic. Only if the kernel has fault injection.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

debugfs=/sys/kernel/debug
kinds='failslab fail_page_alloc'

if ! [ -d "$debugfs/failslab" ] || ! [ -d "$debugfs/fail_page_alloc" ]; then
	echo 'TAP version 13'
	echo '1..0 # SKIP this kernel has no fault injection'
	exit "$SKIP_STATUS"
fi

# fault_set NAME VALUE: for both kinds of allocations
fault_set()
{
	local kind

	for kind in $kinds; do
		[ ! -e "$debugfs/$kind/$1" ] || echo "$2" >"$debugfs/$kind/$1"
	done
}

# faults_quiet: every kind of allocation may fail, without messages in the log
faults_quiet()
{
	defer 'fault_set probability 0'
	fault_set probability 0
	fault_set verbose 0
	fault_set ignore-gfp-wait N
	# Exclude pages of processes: a failed page fault only adds a line to the log
	fault_set ignore-gfp-highmem Y
	fault_set min-order 0
}

# section NAME: address of a section of the module
section() { cat "/sys/module/pvsvpn/sections/$1"; }

# faults_in_module PERCENT: fails allocations that have the module among their callers
faults_in_module()
{
	local start size

	start=$(section .text)
	size=$(awk '$1 == "pvsvpn" { print $2 }' /proc/modules)
	faults_quiet
	fault_set stacktrace-depth 32
	fault_set require-start "$start"
	fault_set require-end "$(printf '0x%x' $((start + size)))"
	defer 'fault_set require-start 0'
	defer 'fault_set require-end 0xffffffffffffffff'
	fault_set interval 1
	fault_set space 0
	fault_set times -1
	fault_set probability "$1"
}

every_netlink_operation()
{
	tunnel_up
	faults_quiet
	in_ns "$left" /usr/bin/python3 "$here/faults_netlink.py" || fail 'see above'
	pings "$left" 10.2.0.1
}

# kept NS DEVICE: a raw packet socket keeps a clone of each packet, so that the tunnel must copy
# data before changing it
kept()
{
	background ip netns exec "$1" /usr/bin/python3 -IS -c '
import socket, sys, time
SO_RCVBUFFORCE, ETH_P_ALL = 33, 3
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
sock.bind((sys.argv[1], 0))
time.sleep(1000)' "$2"
	wait_for "a packet socket on $2" in_ns "$1" sh -c 'tail -n +2 /proc/net/packet | grep -q .'
}

# lose_some NS ADDRESS: sends packets of all sizes; some are lost
lose_some()
{
	local size

	for size in 56 1300 8000 30000; do
		in_ns "$1" ping -q -c 40 -i 0.01 -W 1 -s "$size" "$2" >/dev/null || :
	done
}

packets_without_memory_are_counted()
{
	tunnel_up
	kept "$left" pvs0
	kept "$right" $right_dev
	pings "$left" 10.2.0.1
	faults_in_module 30
	lose_some "$left" 10.2.0.1
	lose_some "$right" fd00:1::1
	fault_set probability 0
	at_least 1 drop_count "$left" pvs0 tx_nomem right || fail 'no tx_nomem'
	at_least 1 drop_count "$right" pvs0 rx_nomem left 0x1001 || fail 'no rx_nomem'
	pings "$left" 10.2.0.1
	pings "$right" fd00:1::1
}

TCP_without_memory()
{
	tunnel_up
	full_load
	faults_in_module 5
	# TCP continues as long as some packets pass
	wait_for 'TCP under failures' at_least $(($(link_stat "$left" pvs0 tx.packets) + 500)) \
		link_stat "$left" pvs0 tx.packets
	fault_set probability 0
	at_least 1 drop_count "$left" pvs0 tx_nomem right || fail 'no tx_nomem'
	ctl "$left" peer del pvs0 right
}

run_cases every_netlink_operation packets_without_memory_are_counted TCP_without_memory
