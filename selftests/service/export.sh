#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# "pvsvpnctl export": strongSwan and Libreswan load what it prints for them, either end connects, and
# traffic flows. The files for the other vendors are checked against grammars of their languages.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"
# shellcheck source=../lib/swan.sh
. "$(dirname "$0")/../lib/swan.sh"
# shellcheck source=../lib/connection.sh
. "$(dirname "$0")/../lib/connection.sh"
# shellcheck source=../lib/libreswan.sh
. "$(dirname "$0")/../lib/libreswan.sh"

# far_host: the far site's only host is its gateway; policies select its packets, without a device
far_host()
{
	in_batch "$stock" <<-END
		addr add 10.2.0.1/32 dev lo
		route add 10.1.0.0/24 via 192.0.2.1 src 10.2.0.1
	END
}

# here: this end, and the host there
here()
{
	gateway
	our_daemon
	far_host
}

# edit EXPRESSION: of sed, for the file of the connection
edit() { sed -i "$1" "$PVSVPN_CONFIG_DIR/site-b.conf"; }

# export_for VENDOR [WORD...]: prints the far end of site-b, with the secret
export_for()
{
	vpn export site-b --for "$1" secret "${@:2}"
}

strongswan_there()
{
	mkdir -p "$tmp/$stock"
	export_for strongswan >"$tmp/$stock/conf"
	charon "$stock"
	load "$stock"
}

# The secret is in a comment, as it belongs into a file of its own
libreswan_there()
{
	mkdir -p "$tmp/pluto"
	export_for libreswan >"$tmp/pluto/conf"
	sed -n 's/^# \(.* : PSK ".*"\)$/\1/p' "$tmp/pluto/conf" >"$tmp/pluto/secrets"
	start_pluto site-b
}

# can_receive: the far end has both SAs, with their keys, and the inbound policy
can_receive()
{
	[ "$(ip -n "$stock" xfrm state | grep -cE '^\s+(aead|enc) ')" -ge 2 ] &&
		[ "$(ip -n "$stock" xfrm policy list dir in | grep -c tmpl)" -ge 1 ]
}

# traffic: both ways, and nothing is dropped. An end may be up before the other one has the last
# message, so the first packet would be too early
traffic()
{
	wait_for 'the SAs of the far end' can_receive
	pings "$gw" 10.2.0.1
	in_ns "$stock" ping -q -c 2 -W 10 -I 10.2.0.1 10.1.0.1 >"$tmp/ping" || fail "$(cat "$tmp/ping")"
	check status "$(status_of status)" active
	check 'drops' "$(drops "$gw")" ''
}

# we_connect VENDOR: the far end has loaded its file before this end connects
we_connect()
{
	"$1_there"
	up
	traffic
}

# they_connect VENDOR: this end waits
they_connect()
{
	edit 's/^PeerSubnets.*/&\nInitiate = no/'
	vpn up site-b timeout 0 >"$tmp/up" 2>&1 || fail "$(cat "$tmp/up")"
	"$1_there"
	[ "$1" != libreswan ] || whack --asynchronous --initiate --name site-b >"$tmp/initiated"
	wait_for 'the far end to connect' is active status_of status
	traffic
}

strongSwan_waits()
{
	here
	we_connect strongswan
	check 'proposal' "$(list "$gw" encr-alg)" AES_CBC
	# The rekeyed SA shows that PFS is the same at both ends
	swan "$stock" --rekey --child site-b >"$tmp/rekey" 2>&1 || fail "$(cat "$tmp/rekey")"
	traffic
}

strongSwan_connects()
{
	here
	they_connect strongswan
}

# The far end narrows to nothing, so each pair of prefixes must be there
strongSwan_with_two_prefixes()
{
	here
	edit 's|^PeerSubnets.*|PeerSubnets = 10.2.0.0/24, 10.3.0.0/24|'
	ip -n "$stock" addr add 10.3.0.1/32 dev lo
	we_connect strongswan
	pings "$gw" 10.3.0.1
}

# The prefix of this end holds the far site's, too: packets inside that site must stay there
strongSwan_with_everything()
{
	here
	edit 's|^LocalSubnets.*|LocalSubnets = 0.0.0.0/0|'
	in_batch "$stock" <<-END
		link add lan type dummy
		addr add 10.2.0.2/24 dev lan
		link set lan up
		neigh add 10.2.0.3 lladdr 02:00:00:00:00:03 dev lan
	END
	we_connect strongswan
	in_ns "$stock" ping -q -c 2 -W 1 -I 10.2.0.2 10.2.0.3 >"$tmp/ping" || true
	check 'packets to the site' "$(ip -n "$stock" -s -j link show dev lan | jq '.[0].stats64.tx.packets >= 2')" true
	check 'packets in the tunnel' "$(ctl "$gw" -j show pvs0 | jq '.devices[0].drops | length')" 0
}

old_version='s/^\[IKEPolicy\]/&\nVersion = 1/; s/^DHGroup.*/DHGroup = 14/; s/^PFS.*/PFS = 14/'
strongSwan_with_IKEv1()
{
	has_strongswan
	has_IKEv1 || skip 'a strongSwan without IKEv1'
	here
	edit "$old_version"
	we_connect strongswan
	check 'version' "$(swan "$gw" --list-sas --raw | grep -o 'version=.')" 'version=1'
}

Libreswan_waits()
{
	has_libreswan
	here
	we_connect libreswan
}

Libreswan_connects()
{
	has_libreswan
	here
	they_connect libreswan
}

Libreswan_with_IKEv1()
{
	has_strongswan
	has_IKEv1 || skip 'a strongSwan without IKEv1'
	has_libreswan
	here
	edit "$old_version"
	printf 'config setup\n\tikev1-policy=accept\n' >"$tmp/setup"
	PLUTO_CONFIG=$tmp/setup we_connect libreswan
}

# The far end needs the secret that is in its file: this one has the placeholder
without_the_secret()
{
	here
	mkdir -p "$tmp/$stock"
	vpn export site-b --for strongswan >"$tmp/$stock/conf"
	charon "$stock"
	load "$stock"
	not_up cannot_authenticate_connection
}

files_for_all_vendors()
{
	"$lib/../../tools/pvsvpnctl/tests/export.sh" >"$tmp/files" || fail "$(grep -v '^ok' "$tmp/files")"
	at_least 100 grep -c ^ok "$tmp/files" || fail "$(cat "$tmp/files")"
}

run_cases strongSwan_waits strongSwan_connects strongSwan_with_two_prefixes \
	strongSwan_with_everything strongSwan_with_IKEv1 \
	Libreswan_waits Libreswan_connects Libreswan_with_IKEv1 \
	without_the_secret files_for_all_vendors
