#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# For the tests to source, after lib.sh and stock.sh: an IKE daemon (strongSwan) in a namespace,
# connections, and the device at either end that carries its SAs.
#
# shellcheck disable=SC2154,SC2034 # variables of lib.sh and stock.sh, and for who sources this

# Inner addresses and routes, as arguments of inner() in stock.sh: this end, then the far one
near=(10.1.0.1 fd00:1::1 10.2.0.0/24 fd00:2::/64)
far=(10.2.0.1 fd00:2::1 10.1.0.0/24 fd00:1::/64)

# pvsvpn_end NS DEV IF_ID ADDR4 ADDR6 TO4 TO6
pvsvpn_end()
{
	ip -n "$1" link add "$2" type pvsvpn
	ctl "$1" set "$2" if-id "$3"
	quiet_up "$1" "$2"
	inner "$1" "$2" "${@:4}"
}

# stock_end NS DEV IF_ID ADDR4 ADDR6 TO4 TO6: an xfrm interface; the daemon installs policies
stock_end()
{
	ip -n "$1" link add "$2" type xfrm dev outer0 if_id "$3"
	quiet_up "$1" "$2"
	inner "$1" "$2" "${@:4}"
}

has_strongswan()
{
	command -v charon-systemd >/dev/null || skip 'no strongSwan (charon-systemd, swanctl)'
}

# Debian's next strongSwan is built without IKEv1
has_IKEv1() { grep -qs main_mode_create /usr/lib/ipsec/libcharon.so.0; }

# strongSwan reports failed attempts since 6.0.3
has_alerts() { grep -qs peer-init-unreachable /usr/lib/ipsec/plugins/libstrongswan-vici.so; }

# For $CHARON if a peer dies: the daemon gives up after 5 s. On a busy machine a living peer may
# need as long
impatient='retransmit_tries = 2
retransmit_timeout = 1'

# charon NS: starts it; its process is ${pids[NS]}. $PLUGINS load before the kernel's IPsec,
# $PKI_PLUGINS are for certificates, $CHARON are more settings. The plugins are listed because
# otherwise all installed ones would load
charon()
{
	local ns=$1 dir=$tmp/$1
	local plugins="${PKI_PLUGINS-} ${PLUGINS-} kernel-netlink socket-default vici"

	mkdir -p "$dir"
	# Remove the socket of an earlier daemon that was killed
	rm -f "$dir/vici"
	cat >"$dir/strongswan.conf" <<-END
		swanctl {
			load = random ${PKI_PLUGINS-}
		}
		charon-systemd {
			load = random nonce openssl kdf $plugins
			install_routes = no
			# A peer that asks again is no attack. With cookies strongSwan may
			# answer one request twice, and the ends sign different things
			cookie_threshold_ip = 0
			${CHARON-}
			plugins {
				vici {
					socket = unix://$dir/vici
				}
			}
			filelog {
				log {
					path = $dir/log
					default = 1
					time_format = %T
					time_add_ms = yes
					flush_line = yes
				}
			}
		}
	END
	STRONGSWAN_CONF=$dir/strongswan.conf background ip netns exec "$ns" charon-systemd >"$dir/out" 2>&1
	pids[$ns]=$!
	said "$dir/log"
	busywait "${WAIT_LIMIT:-20}" test -S "$dir/vici" ||
		fail 'no charon' "$(cat "$dir/out")"
}

declare -A pids=()

# connection NS NAME LOCAL REMOTE ID FAR-ID [CHILD-SETTING...]: writes it, for load. Environment:
# CONNECTION (more settings), PROPOSAL, IF_ID, LOCAL_TS, REMOTE_TS, CHILDREN (besides "net")
connection()
{
	mkdir -p "$tmp/$1"
	cat >>"$tmp/$1/conf" <<-END
		connections {
			$2 {
				version = 2
				local_addrs = $3
				remote_addrs = $4
				proposals = aes128gcm16-prfsha256-x25519
				${CONNECTION-}
				local {
					auth = psk
					id = $5
				}
				remote {
					auth = psk
					id = $6
				}
				children {
					net {
						local_ts = ${LOCAL_TS:-0.0.0.0/0,::/0}
						remote_ts = ${REMOTE_TS:-0.0.0.0/0,::/0}
						esp_proposals = ${PROPOSAL:-aes256gcm16-x25519}
						if_id_in = ${IF_ID:-42}
						if_id_out = ${IF_ID:-42}
						$(printf '%s\n' "${@:7}")
					}
					${CHILDREN-}
				}
			}
		}
	END
}

# load NS: loads the file written for it
load()
{
	grep -q secrets "$tmp/$1/conf" || cat >>"$tmp/$1/conf" <<-END
		secrets {
			ike-1 {
				secret = "what both have been told"
			}
		}
	END
	swan "$1" --load-all --file "$tmp/$1/conf" >"$tmp/$1/loaded" 2>&1 ||
		fail "$(cat "$tmp/$1/loaded")"
}

# daemon NS LOCAL REMOTE ID FAR-ID [CHILD-SETTING...]: charon, with one connection "t"
daemon()
{
	connection "$1" t "${@:2}"
	charon "$1"
	load "$1"
}

# swan NS ARGUMENTS...: swanctl
swan()
{
	local ns=$1

	shift
	STRONGSWAN_CONF=$tmp/$ns/strongswan.conf in_ns "$ns" swanctl "$@" --uri "unix://$tmp/$ns/vici"
}

# site_b [LINE...]: prints [Connection] of the gateway's own file, with more lines
site_b()
{
	cat <<-END
		[Connection]
		LocalGateway = 192.0.2.1
		PeerGateway = 192.0.2.2
		LocalIdentity = near
		PeerIdentity = far
		LocalSubnets = 10.1.0.0/24
		PeerSubnets = 10.2.0.0/24
		$(printf '%s\n' "$@")
	END
}

# initiate [CONNECTION [NS [CHILD]]]: the gateway, or NS, initiates it
initiate()
{
	swan "${2:-$gw}" --initiate --ike "${1:-t}" --child "${3:-net}" --timeout 60 >"$tmp/initiate" 2>&1 ||
		fail "$(cat "$tmp/initiate")"
}

# list NS FIELD: a field of the only child SA, from the daemon
list()
{
	swan "$1" --list-sas --raw | grep -oE "\b$2=[^ }]*" | head -n 1 | cut -d= -f2
}

# child_of NS: the number of the child SA in use, while others are being deleted
child_of()
{
	swan "$1" --list-sas --raw | grep -oE 'uniqueid=[0-9]+ reqid=[0-9]+ state=INSTALLED' |
		tail -n 1 | grep -oE '^uniqueid=[0-9]+' | cut -d= -f2
}

children() { swan "$1" --list-sas --raw | grep -o 'state=INSTALLED' | wc -l; }

# Compare both daemons in both directions; a kernel may send a packet of its own in between
both_count_the_same()
{
	local what

	for what in packets bytes; do
		[ "$(list "$gw" $what-in)" = "$(list "$stock" $what-out)" ] || return
		[ "$(list "$gw" $what-out)" = "$(list "$stock" $what-in)" ] || return
	done
}

is_not() { [ "$("${@:2}")" != "$1" ]; }

# no_error: stock IPsec counts no error at either end, and pvs0 has dropped nothing
no_error()
{
	check 'errors of stock IPsec' "$(xfrm_errors)" ''
	check 'drops' "$(drops "$gw")" ''
}
