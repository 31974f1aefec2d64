#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# An IKE daemon at both ends (strongSwan). At the far end its SAs are carried by stock Linux
# IPsec; here by a pvsvpn device with their if_id, and the daemon does not notice.
#
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=stock.sh
. "$(dirname "$0")/stock.sh"

# daemon NS LOCAL REMOTE ID FAR-ID [CHILD-SETTING...]: charon, with one connection "t"
daemon()
{
	local ns=$1 dir=$tmp/$1

	mkdir -p "$dir"
	cat >"$dir/strongswan.conf" <<-END
		charon-systemd {
			install_routes = no
			retransmit_tries = 2
			retransmit_timeout = 1
			plugins {
				vici {
					socket = unix://$dir/vici
				}
			}
			filelog {
				log {
					path = $dir/log
					default = 1
				}
			}
		}
	END
	cat >"$dir/conf" <<-END
		connections {
			t {
				version = 2
				local_addrs = $2
				remote_addrs = $3
				proposals = aes128gcm16-prfsha256-x25519
				${CONNECTION-}
				local {
					auth = psk
					id = $4
				}
				remote {
					auth = psk
					id = $5
				}
				children {
					net {
						local_ts = 0.0.0.0/0,::/0
						remote_ts = 0.0.0.0/0,::/0
						esp_proposals = ${PROPOSAL:-aes256gcm16-x25519}
						if_id_in = 42
						if_id_out = 42
						$(printf '%s\n' "${@:6}")
					}
				}
			}
		}
		secrets {
			ike-1 {
				secret = "what both have been told"
			}
		}
	END
	STRONGSWAN_CONF=$dir/strongswan.conf background ip netns exec "$ns" charon-systemd >"$dir/out" 2>&1
	pids[$ns]=$!
	wait_for "charon; it said: $(cat "$dir/out")" test -S "$dir/vici"
	swan "$ns" --load-all --file "$dir/conf" >"$dir/loaded" 2>&1 || fail "$(cat "$dir/loaded" "$dir/log")"
}

declare -A pids=()

# swan NS ARGUMENTS...: swanctl, without its words about plugins that are not there
swan()
{
	local ns=$1

	shift
	STRONGSWAN_CONF=$tmp/$ns/strongswan.conf in_ns "$ns" swanctl "$@" --uri "unix://$tmp/$ns/vici" \
		2>>"$tmp/swanctl.err"
}

# initiate: the gateway brings the connection up
initiate()
{
	swan "$gw" --initiate --child net --timeout 60 >"$tmp/initiate" 2>&1 ||
		fail "$(cat "$tmp/initiate")" "$(tail -n 30 "$tmp/$stock/log")"
}

# ready [CHILD-SETTING...]: both daemons, both devices, not yet connected
ready()
{
	command -v charon-systemd >/dev/null || skip 'no strongSwan (charon-systemd, swanctl)'
	ends
	ip -n "$gw" link add pvs0 type pvsvpn
	ctl "$gw" set pvs0 if-id 42
	ip -n "$gw" link set pvs0 addrgenmode none up
	inner "$gw" pvs0 10.1.0.1 fd00:1::1 10.2.0.0/24 fd00:2::/64
	ip -n "$stock" link add ipsec0 type xfrm dev outer0 if_id 42
	ip -n "$stock" link set ipsec0 addrgenmode none up
	inner "$stock" ipsec0 10.2.0.1 fd00:2::1 10.1.0.0/24 fd00:1::/64
	daemon "$stock" 192.0.2.2 192.0.2.1 far near "$@"
	daemon "$gw" 192.0.2.1 192.0.2.2 near far "$@"
}

# As soon as the daemon's install call returns, packets pass; those of the far end too
connected()
{
	ready "$@"
	initiate
	pings "$gw" 10.2.0.1
}

# list NS FIELD: of the one child SA, as the daemon has it
list()
{
	swan "$1" --list-sas --raw | grep -oE "\b$2=[^ }]*" | head -n 1 | cut -d= -f2
}

# Both daemons, of both directions; a kernel may send a packet of its own in between
both_count_the_same()
{
	local what

	for what in packets bytes; do
		[ "$(list "$gw" $what-in)" = "$(list "$stock" $what-out)" ] || return
		[ "$(list "$gw" $what-out)" = "$(list "$stock" $what-in)" ] || return
	done
}

# no_error: what stock IPsec at either end counts as wrong, and what pvs0 has dropped
no_error()
{
	check 'errors of stock IPsec' \
		"$(for ns in "$gw" "$stock"; do in_ns "$ns" awk '$2 { print $1, $2 }' /proc/net/xfrm_stat; done)" ''
	check 'drops' "$(drops "$gw")" ''
}

sa_count() { ctl "$gw" -j show pvs0 | jq '[.devices[0].peers[].sas[]] | length'; }
children() { swan "$1" --list-sas --raw | grep -c 'state=INSTALLED'; }

up_and_counted()
{
	connected
	pings "$stock" 10.1.0.1 -c 3 -s 1000
	pings "$stock" fd00:1::1
	at_least 7 list "$gw" packets-in || fail 'the daemon sees no packets'
	at_least 7 list "$gw" packets-out || fail 'the daemon sees no packets sent'
	wait_for 'the same counts at both ends' both_count_the_same
	check 'transform' "$(show "$gw" peers.0.sas.0.transform)" aes256gcm16
	no_error
}

rekeys_under_traffic()
{
	local i before

	connected
	flood in "$stock" 10.1.0.1
	flood out "$gw" 10.2.0.1
	for ((i = 1; i <= 3; i++)); do
		before=$(show "$gw" peers.0.tx_spi)
		if ((i == 2)); then
			swan "$stock" --rekey --child net >/dev/null
		else
			swan "$gw" --rekey --child net >/dev/null
		fi
		wait_for 'another SA' is_not "$before" show "$gw" peers.0.tx_spi
		wait_for 'the old SA to go' is 2 sa_count
	done
	swan "$gw" --rekey --ike t >/dev/null
	sleep 1
	flood_end in out
	wait_for 'one child' is 1 children "$stock"
}

is_not() { [ "$("${@:2}")" != "$1" ]; }

# The daemon sees through XFRM that packets are used up
rekeyed_by_volume()
{
	local before

	connected 'rekey_packets = 20' 'life_packets = 1000' 'rand_packets = 0'
	before=$(show "$gw" peers.0.tx_spi)
	pings "$gw" 10.2.0.1 -c 30
	wait_for 'another SA' is_not "$before" show "$gw" peers.0.tx_spi
	wait_for 'the old SA to go' is 2 sa_count
	pings "$gw" 10.2.0.1
	no_error
}

ended_and_back()
{
	connected
	watch "$gw"
	swan "$gw" --terminate --ike t >/dev/null
	wait_for 'no SA' is 0 sa_count
	grep -q 'peer-down 192.0.2.2 .*reason no-outbound-sa' "$tmp/events" || fail "$(cat "$tmp/events")"
	check carrier "$(show "$gw" carrier)" false
	initiate
	pings "$gw" 10.2.0.1
	check carrier "$(show "$gw" carrier)" true
	# The far end ends it
	swan "$stock" --terminate --ike t >/dev/null
	wait_for 'no SA' is 0 sa_count
}

# A daemon that dies leaves its states; packets pass on, until somebody flushes them
daemon_dies()
{
	connected
	kill -9 "${pids[$gw]}"
	pings "$gw" 10.2.0.1
	pings "$stock" fd00:1::1
	ip -n "$gw" xfrm state flush
	wait_for 'no SA' is 0 sa_count
}

# ESP in UDP by the daemon's own port, and CBC with HMAC and ESN
forced_encapsulation()
{
	CONNECTION='encap = yes' PROPOSAL=aes128-sha256-x25519-esn connected
	check 'encapsulation' "$(show "$gw" peers.0 | jq -r '"\(.encap) \(.sport) \(.dport)"')" 'udp 4500 4500'
	check 'transform' "$(show "$gw" peers.0.sas.0 | jq -r '"\(.transform) \(.esn)"')" 'aes128-sha256 true'
	pings "$stock" 10.1.0.1 -s 1200
	no_error
}

# The far end does not answer any more: the daemon finds out, and the carrier goes
far_end_dies()
{
	CONNECTION='dpd_delay = 1s' connected 'dpd_action = clear'
	watch "$gw"
	ip -n "$stock" link set outer0 down
	wait_for "peer-down; there were $(cat "$tmp/events")" grep -q 'peer-down' "$tmp/events"
	check carrier "$(show "$gw" carrier)" false
	ip -n "$stock" link set outer0 up
}

run_cases up_and_counted rekeys_under_traffic rekeyed_by_volume ended_and_back daemon_dies \
	forced_encapsulation far_end_dies
