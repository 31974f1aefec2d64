#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Asynchronous crypto: cryptd or pcrypt around a cipher gets the highest priority, so that every
# packet takes the asynchronous path.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# best_driver: the best driver of rfc4106(gcm(aes))
best_driver()
{
	awk '/^name / { ours = $3 == "rfc4106(gcm(aes))" }
		/^driver / { driver = $3 }
		/^priority / && ours && $3 > best { best = $3; name = driver }
		END { print name ? name : "rfc4106(gcm_base(ctr(aes-generic),ghash-generic))" }' /proc/crypto
}

# cryptd cannot wrap an asynchronous driver. Before 6.3 it altered its callers' AEAD requests, which
# makes the kernel's own test refuse it with a WARNING.
case $(uname -r) in
5.* | 6.[0-2].*) driver="pcrypt($(best_driver))" ;;
*) driver='cryptd(rfc4106(gcm_base(ctr(aes-generic),ghash-generic)))' ;;
esac

# Other tests need the usual driver again
give_back() { /usr/bin/python3 "$here/async_driver.py" del "$driver"; }

modprobe -q -a crypto_user cryptd pcrypt gcm ctr ghash-generic aes_generic || :
if why=$(/usr/bin/python3 "$here/async_driver.py" add "$driver" 2>&1); then
	trap give_back EXIT
	why=
fi

# async_up [TRANSFORM]: a tunnel with asynchronous crypto at both ends
async_up()
{
	local ns

	[ -z "$why" ] || skip "no asynchronous driver: $why"
	tunnel_up "$@"
	for ns in "$left" "$right"; do
		check driver "$(show "$ns" peers.0.sas.0.driver)" "$driver"
		check driver "$(show "$ns" peers.0.sas.1.driver)" "$driver"
	done
}

no_drops() { check drops "$(drops "$left")$(drops "$right")" ''; }

pings_small_and_large()
{
	local size

	async_up
	for size in 0 56 1300 20000; do
		pings "$left" 10.2.0.1 -s "$size"
		pings "$right" fd00:1::1 -s "$size"
	done
	no_drops
}

every_inner_length()
{
	async_up aes256gcm16
	/usr/bin/python3 "$lib/traffic_probe.py" sizes "$left" "$right" 1446 >"$tmp/probe" 2>&1 ||
		fail "$(cat "$tmp/probe")"
	no_drops
}

iperf()
{
	in_ns "$left" timeout 100 iperf3 -c 10.2.0.1 "$@" >"$tmp/iperf" 2>&1 || fail "$(cat "$tmp/iperf")"
}

# cryptd's queue may be full; these drops are counted
TCP_both_ways()
{
	async_up
	iperf_server "$right"
	iperf -n "$(mib 10)"
	iperf -n "$(mib 10)" -R
	only_crypto_drops "$left"
	only_crypto_drops "$right"
}

only_crypto_drops()
{
	local others

	others=$(drops "$1" | grep -vE 'x_crypto' || :)
	check "drops other than a full queue's" "$others" ''
}

# count_owned: counts ESP packets that the left sends, and those that belong to root's socket
count_owned()
{
	in_ns "$left" nft -f - <<-END
		table inet t {
			counter sent {}
			counter owned {}
			chain out {
				type filter hook output priority 0
				meta l4proto esp counter name sent
				meta l4proto esp meta skuid 0 counter name owned
			}
		}
	END
}

counted() { in_ns "$left" nft list counter inet t "$1" | awk '$1 == "packets" { print $2 }'; }

# Rules about users and options of the inner socket must not affect the outer packet
outer_packets_of_no_socket()
{
	async_up
	count_owned
	pings "$left" 10.2.0.1
	at_least 2 counted sent || fail "ESP packets: $(counted sent)"
	check 'ESP packets of a socket' "$(counted owned)" 0
}

# The kernel sends queued packets outside of the device's transmit function
outer_packets_behind_a_queue_of_no_socket()
{
	tunnel_up chacha20poly1305
	in_ns "$left" tc qdisc add dev pvs0 root pfifo
	count_owned
	pings "$left" 10.2.0.1
	at_least 2 counted sent || fail "ESP packets: $(counted sent)"
	check 'ESP packets of a socket' "$(counted owned)" 0
}

SAs_removed_under_traffic()
{
	async_up
	full_load
	ctl "$left" sa del pvs0 right spi 0x1001 dir out
	ctl "$left" sa del pvs0 right spi 0x1002 dir in
	ctl "$right" sa del pvs0 left spi 0x1001 dir in
	ctl "$right" sa del pvs0 left spi 0x1002 dir out
	sa_both aes128gcm16 0x2001
	pings "$left" 10.2.0.1 -W 20
}

peers_removed_under_traffic()
{
	async_up
	full_load
	ctl "$left" peer del pvs0 right
	ctl "$right" peer del pvs0 left
}

devices_removed_under_traffic()
{
	async_up
	full_load
	ip -n "$right" link del pvs0
	ip -n "$left" link del pvs0
}

device_down_and_up_under_traffic()
{
	local i

	async_up
	full_load
	for i in 1 2 3; do
		ip -n "$right" link set pvs0 down
		ip -n "$right" link set pvs0 up
	done
	ip -n "$right" route add 10.1.0.0/16 dev pvs0
	pings "$left" 10.2.0.1 -W 20
}

namespaces_removed_under_traffic()
{
	async_up
	full_load
	kill "${load[@]}"
	ip netns del "$left"
	ip netns del "$right"
}

# Only if no other tunnel would be lost
module_removed_under_traffic()
{
	no_tunnels_in_use
	async_up
	full_load
	rmmod pvsvpn
	load_module
}

run_cases pings_small_and_large every_inner_length TCP_both_ways outer_packets_of_no_socket \
	outer_packets_behind_a_queue_of_no_socket SAs_removed_under_traffic \
	peers_removed_under_traffic devices_removed_under_traffic device_down_and_up_under_traffic \
	namespaces_removed_under_traffic module_removed_under_traffic
