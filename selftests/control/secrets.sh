#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Keys go in and never come out.
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# find_key FILE...: fails and prints a line for each file that contains a part of the key
find_key() { /usr/bin/python3 "$lib/esp_netlink.py" find "$tmp/key" "$@"; }

# keyed TRANSFORM: two gateways with the same key, in $tmp/key
keyed()
{
	pair_up
	(umask 077 && "$PVSVPNCTL" genkey "$1" >"$tmp/key")
	sa_pair "$1" 0x1001 "$(cat "$tmp/key")" "$left" right "$right" left
}

not_in_any_dump()
{
	local transform

	for transform in aes256gcm16 chacha20poly1305; do
		keyed $transform
		in_ns "$left" /usr/bin/python3 "$lib/esp_netlink.py" dump >"$tmp/dump"
		grep -qa right "$tmp/dump" || fail 'the dump has no peer'
		ctl "$left" show >"$tmp/show"
		ctl "$left" -j show >"$tmp/show.json"
		ctl "$left" stats >"$tmp/stats"
		find_key "$tmp/dump" "$tmp/show" "$tmp/show.json" "$tmp/stats"
	done
}

not_in_an_event()
{
	pair_up
	background ip netns exec "$left" /usr/bin/python3 "$lib/esp_netlink.py" listen \
		>"$tmp/events" 2>"$tmp/ready"
	wait_for 'the listener' grep -q ready "$tmp/ready"
	(umask 077 && "$PVSVPNCTL" genkey aes256gcm16 >"$tmp/key")
	ctl "$left" sa add pvs0 right dir out spi 0x1001 transform aes256gcm16 key-file "$tmp/key"
	ctl "$left" sa del pvs0 right spi 0x1001 dir out
	wait_for 'the events' grep -qa right "$tmp/events"
	find_key "$tmp/events"
}

not_in_the_log_or_a_refusal()
{
	keyed aes256gcm16
	ctl "$left" sa add pvs0 right dir out spi 0x1001 transform aes128gcm16 key-file "$tmp/key" \
		>"$tmp/said" 2>&1 && fail 'a key of the wrong length was taken'
	ctl "$left" sa add pvs0 right dir out spi 0x1001 transform aes256gcm16 key-file "$tmp/key" \
		>>"$tmp/said" 2>&1 && fail 'the SPI was taken twice'
	dmesg >"$tmp/dmesg"
	find_key "$tmp/said" "$tmp/dmesg"
}

# Tracepoints and pr_debug() of the module are enabled, as for debugging
not_in_debug_output()
{
	local trace=/sys/kernel/tracing/instances/pvsvpn-$BASHPID
	local debug=/sys/kernel/debug/dynamic_debug/control

	mkdir "$trace" || skip 'no tracefs'
	defer "rmdir $trace"
	defer "echo 0 >$trace/events/pvsvpn/enable"
	echo 1 >"$trace/events/pvsvpn/enable"
	if echo 'module pvsvpn +p' 2>/dev/null >$debug; then
		defer "echo 'module pvsvpn -p' >$debug"
	fi
	keyed aes256gcm16
	# No peer has this address: creates a drop to trace
	ip -n "$left" route add 10.99.0.0/24 dev pvs0
	in_ns "$left" ping -q -c 1 -W 1 10.99.0.1 >/dev/null || true
	in_ns "$left" ping -q -c 1 -W 1 10.2.0.1 >/dev/null || true
	wait_for 'a traced drop' grep -q pvsvpn_drop "$trace/trace"
	cat "$trace/trace" >"$tmp/trace"
	dmesg >"$tmp/dmesg"
	find_key "$tmp/trace" "$tmp/dmesg"
}

# The tool has read the key and waits for the end of its standard input.
not_in_the_process_list()
{
	local tool file

	keyed aes256gcm16
	mkfifo "$tmp/stdin"
	"$PVSVPNCTL" -n "$left" sa add pvs0 right dir out spi 0x1003 transform aes256gcm16 \
		key-file - <"$tmp/stdin" &
	tool=$!
	defer "kill $tool 2>/dev/null"
	exec {stdin}>"$tmp/stdin"
	cat "$tmp/key" >&"$stdin"
	for file in cmdline environ status stack; do
		cat "/proc/$tool/$file" >"$tmp/$file"
	done
	grep -qa 0x1003 "$tmp/cmdline" || fail 'that is not the tool'
	find_key "$tmp/cmdline" "$tmp/environ" "$tmp/status" "$tmp/stack"
	exec {stdin}>&-
	wait "$tool"
}

# The tool refuses a key on the command line, where "ps" would show it.
not_on_a_command_line()
{
	local status=0

	keyed aes128gcm16
	ctl "$left" sa add pvs0 right dir out spi 0x1003 transform aes128gcm16 key "$(cat "$tmp/key")" \
		>/dev/null 2>&1 || status=$?
	check 'exit status with a key as an argument' $status 2
}

key_file_open_to_others_is_refused()
{
	local mode

	keyed aes128gcm16
	for mode in 644 640 604; do
		chmod $mode "$tmp/key"
		expect_refused_in "$left" "chmod 600" ctl "$left" sa add pvs0 right dir out spi 0x1003 \
			transform aes128gcm16 key-file "$tmp/key"
	done
	chmod 400 "$tmp/key"
	ctl "$left" sa add pvs0 right dir out spi 0x1003 transform aes128gcm16 key-file "$tmp/key"
}

file_that_is_no_key_is_refused()
{
	local content

	pair_up
	umask 077
	for content in '' 'not hex at all' '0011' "$(printf '%066d' 0)" "$(printf '%039dg' 0)"; do
		printf '%s\n' "$content" >"$tmp/no-key"
		expect_refused_in "$left" "$tmp/no-key" ctl "$left" sa add pvs0 right dir out spi 0x1003 \
			transform aes128gcm16 key-file "$tmp/no-key"
	done
	head -c 4096 /dev/urandom >"$tmp/no-key"
	expect_refused_in "$left" "$tmp/no-key" ctl "$left" sa add pvs0 right dir out spi 0x1003 \
		transform aes128gcm16 key-file "$tmp/no-key"
	expect_refused_in "$left" 'No such file' ctl "$left" sa add pvs0 right dir out spi 0x1003 \
		transform aes128gcm16 key-file "$tmp/missing"
	expect_refused_in "$left" . ctl "$left" sa add pvs0 right dir out spi 0x1003 \
		transform aes128gcm16 key-file "$tmp"
}

run_cases not_in_any_dump not_in_an_event not_in_the_log_or_a_refusal not_in_debug_output \
	not_in_the_process_list not_on_a_command_line key_file_open_to_others_is_refused \
	file_that_is_no_key_is_refused
