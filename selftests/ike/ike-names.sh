#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# PeerGateway as a DNS name: strongSwan resolves it, and the interface follows. Names are in the
# hosts file of the gateway's namespace, which programs there see as /etc/hosts.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"
# shellcheck source=../lib/swan.sh
. "$(dirname "$0")/../lib/swan.sh"
# shellcheck source=../lib/connection.sh
. "$(dirname "$0")/../lib/connection.sh"

hosts=''

# named_gateway: the peer is gw.example
named_gateway()
{
	gateway
	mkdir -p "/etc/netns/$gw"
	defer "rm -r /etc/netns/$gw"
	hosts=/etc/netns/$gw/hosts
	: >"$hosts"
	sed -i 's/^PeerGateway.*/PeerGateway = gw.example/; s/^PeerIdentity.*//' "$PVSVPN_CONFIG_DIR/site-b.conf"
	echo 'PeerIdentity = far' | sed -i '/^PeerGateway/r /dev/stdin' "$PVSVPN_CONFIG_DIR/site-b.conf"
}

# is_at ADDRESS: sets the name's address. Keep the same file: it is mounted for the daemon
is_at() { echo "$1 gw.example" >"$hosts"; }

# remotes: of all peers of the interface
remotes() { vpn -j show pvs0 | jq -r '[.devices[0].peers[].remote] | join(" ")'; }

peer_by_its_name()
{
	named_gateway
	is_at 192.0.2.2
	our_daemon
	far_end
	up
	check 'remotes' "$(remotes)" 192.0.2.2
	check 'peers' "$(show "$gw" peers.0.name)" site-b
	check 'subnets' "$(show "$gw" peers.0.subnets)" '["10.2.0.0/24"]'
	pings "$gw" 10.2.0.1
	pings "$stock" 10.1.0.1
	check status "$(status_of status)" active
	# A second up has nothing to do
	up
	check 'steps' "$(grep -c '^#' "$tmp/up")" 0
	vpn down site-b >/dev/null
	untouched
}

name_without_an_address()
{
	named_gateway
	our_daemon
	far_end
	not_up name_not_resolved 30
	# "keep" connects when the name has an address
	background "$PVSVPNCTL" -n "$gw" up site-b timeout 20 keep 2 >"$tmp/kept" 2>&1
	said "$tmp/kept"
	is_at 192.0.2.2
	wait_for 'the connection' is active status_of status
	pings "$gw" 10.2.0.1
	check 'remotes' "$(remotes)" 192.0.2.2
	vpn down site-b >/dev/null
}

# The peer dies and returns with another, dynamic address
address_of_the_name_changes()
{
	named_gateway
	is_at 192.0.2.2
	our_daemon
	far_end
	background "$PVSVPNCTL" -n "$gw" up site-b timeout 20 keep 2 >"$tmp/kept" 2>&1
	said "$tmp/kept"
	wait_for 'the connection' is active status_of status
	pings "$gw" 10.2.0.1
	kill -9 "${pids[$stock]}"
	ip -n "$stock" xfrm state flush
	ip -n "$stock" xfrm policy flush
	ip -n "$stock" addr del 192.0.2.2/24 dev outer0
	ip -n "$stock" addr add 192.0.2.3/24 dev outer0
	is_at 192.0.2.3
	rm "$tmp/$stock/conf"
	CONNECTION=$FAR_IKE PROPOSAL=aes256gcm16-ecp256 LOCAL_TS=10.2.0.0/24 REMOTE_TS=10.1.0.0/24 \
		daemon "$stock" 192.0.2.3 192.0.2.1 far near
	wait_for 'the other address' is 192.0.2.3 remotes
	wait_for 'the connection' is active status_of status
	pings "$gw" 10.2.0.1
	pings "$stock" 10.1.0.1
	check 'peers' "$(show "$gw" peers.0.name)" site-b
	vpn down site-b >/dev/null
}

run_cases peer_by_its_name name_without_an_address address_of_the_name_changes
