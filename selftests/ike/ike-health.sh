#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# A connection with choices: the two ends agree to some of the policies and subnets in its file;
# status reports its health; its peer dies.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"
# shellcheck source=../lib/swan.sh
. "$(dirname "$0")/../lib/swan.sh"
# shellcheck source=../lib/connection.sh
. "$(dirname "$0")/../lib/connection.sh"

# The process that stays has erased the secret from its memory
secret_is_in_no_memory()
{
	local pid

	both
	(ulimit -c unlimited; exec "$PVSVPNCTL" -n "$gw" up site-b timeout 20 keep 2) >"$tmp/kept" 2>&1 &
	pid=$!
	defer "kill $pid 2>/dev/null"
	wait_for 'the connection' grep -q '^site-b is up$' "$tmp/kept"
	check 'the secret in memory' "$(/usr/bin/python3 "$here/secret_memory.py" $pid \
		'what both have been told')" 'not there'
	check 'core file' "$(awk '/Max core file size/ { print $5, $6 }' /proc/$pid/limits)" '0 0'
}

# Negotiated keys do not prove that ESP passes
keys_and_nothing_else()
{
	both
	in_ns "$gw" nft -f - <<-END
		table ip cut {
			chain in {
				type filter hook prerouting priority raw
				udp dport 4500 @th,64,32 != 0 drop
			}
		}
	END
	up
	check status "$(status_of status)" active
	! in_ns "$gw" ping -q -c 2 -i 0.1 -W 1 10.2.0.1 >"$tmp/ping" || fail 'nothing is cut'
	wait_for 'a word of it' is esp_not_received status_of reason
	follows_schema
	says 'warning (esp_not_received: keys are agreed .*; have UDP 4500 pass'
	in_ns "$gw" nft delete table ip cut
	pings "$gw" 10.2.0.1
	check status "$(status_of status)" active
}

# The longer prefix decides: hosts of this site are not behind the peer
branch_of_its_headquarters()
{
	gateway
	sed -i 's/^PeerSubnets.*/PeerSubnets = 10.0.0.0\/8/' "$PVSVPN_CONFIG_DIR/site-b.conf"
	our_daemon
	LOCAL_TS=10.0.0.0/8 far_end
	up
	pings "$gw" 10.2.0.1
	pings "$stock" 10.1.0.1
	check status "$(status_of status)" active
	grep -q 'dev lan' <<<"$(ip -n "$gw" route get 10.1.0.9)" || fail "$(ip -n "$gw" route get 10.1.0.9)"
	vpn down site-b >/dev/null
	untouched
}

is_told()
{
	! in_ns "$gw" ping -c 1 -W 1 -I 10.1.0.1 10.3.0.1 >"$tmp/ping" &&
		grep -q 'Destination Host Unreachable' "$tmp/ping"
}

# Some gateways agree to only one subnet for each child SA
peer_agrees_to_one_subnet()
{
	local count

	gateway
	sed -i 's/^PeerSubnets.*/&, 10.3.0.0\/24/' "$PVSVPN_CONFIG_DIR/site-b.conf"
	our_daemon
	far_end
	up
	pings "$gw" 10.2.0.1
	check 'status' "$(status_of status) $(status_of reason)" 'warning subnets_narrowed'
	follows_schema
	says 'subnets_narrowed: 10.3.0.0/24 of PeerSubnets is not in'
	check 'what is agreed' "$(status_of child.peer_subnets | tr -d ' \n')" '["10.2.0.0/24"]'
	# A fifth of a second after the last policy, senders receive errors, which are counted
	wait_for 'a word for the sender' is_told
	count=$(drop_count "$gw" pvs0 tx_no_policy)
	! in_ns "$gw" ping -c 2 -i 0.1 -W 5 -I 10.1.0.1 10.3.0.1 >"$tmp/ping" || fail 'somebody has answered'
	check 'senders told' "$(grep -c 'Destination Host Unreachable' "$tmp/ping")" 2
	check 'drops' "$(drops "$gw")" tx_no_policy=$((count + 2))
	pings "$gw" 10.2.0.1
	# Then the other end agrees to both
	sed -i 's/local_ts = .*/&,10.3.0.0\/24/' "$tmp/$stock/conf"
	load "$stock"
	ip -n "$stock" addr add 10.3.0.1/32 dev ipsec0
	vpn down site-b >/dev/null
	up
	pings "$gw" 10.3.0.1
	check 'drops' "$(drops "$gw")" ''
	check status "$(status_of status)" active
	# The peer's current subnets count, not those from when the SA was added
	ctl "$gw" peer set pvs0 site-b subnets 10.2.0.0/16,10.3.0.0/24
	pings "$gw" 10.2.0.1
	ip -n "$gw" route add 10.2.9.0/24 dev pvs0 src 10.1.0.1
	! in_ns "$gw" ping -c 1 -W 5 10.2.9.1 >"$tmp/ping" || fail 'somebody has answered'
	check 'drops' "$(drops "$gw")" tx_no_policy=1
	ip -n "$gw" addr add 10.1.1.1/32 dev lan
	ctl "$gw" peer set pvs0 site-b local-subnets 10.1.0.0/23
	! in_ns "$gw" ping -c 1 -W 5 -I 10.1.1.1 10.2.0.1 >"$tmp/ping" || fail 'somebody has answered'
	check 'drops' "$(drops "$gw")" tx_no_policy=2
	pings "$gw" 10.3.0.1
}

# All connections that have a file; an invalid file does not stop the others
up_without_a_name()
{
	gateway
	our_daemon
	far_ends
	many 2
	echo '[Connection' >"$PVSVPN_CONFIG_DIR/broken.conf"
	follows_schema
	! vpn up >"$tmp/up" 2>&1 || fail 'broken.conf is valid'
	check 'other errors' "$(grep '^pvsvpnctl: ' "$tmp/up" | grep -v broken.conf:1)" ''
	check 'errors' "$(grep -c '^pvsvpnctl: ' "$tmp/up")" 1
	check 'those up' "$(grep ' is up$' "$tmp/up" | sort | xargs)" 'c1 is up c2 is up'
	check 'c1' "$(status_of status c1)" active
	check 'c2' "$(status_of status c2)" active
	follows_schema
	rm "$PVSVPN_CONFIG_DIR/broken.conf"
	vpn up >"$tmp/up"
	expect_refused 'down: site-d: no such connection' vpn down site-d
}

types_of_identities()
{
	gateway
	# A key ID with these octets, not the name "near"
	sed -i 's/^LocalIdentity.*/&\nLocalIdentityType = key_id/' "$PVSVPN_CONFIG_DIR/site-b.conf"
	our_daemon
	far_end
	sed -i 's/id = near/id = keyid:near/' "$tmp/$stock/conf"
	load "$stock"
	up
	pings "$gw" 10.2.0.1
	vpn down site-b >/dev/null
	# The type says that this is an address, not a string
	sed -i 's/^LocalIdentity = .*/LocalIdentity = 192.0.2.77/; s/= key_id/= ipv4/' \
		"$PVSVPN_CONFIG_DIR/site-b.conf"
	sed -i 's/id = keyid:near/id = 192.0.2.77/' "$tmp/$stock/conf"
	load "$stock"
	up
	pings "$gw" 10.2.0.1
	vpn down site-b >/dev/null
	# A key ID with the same characters does not match
	sed -i 's/= ipv4/= key_id/' "$PVSVPN_CONFIG_DIR/site-b.conf"
	not_up cannot_authenticate_connection
	vpn down site-b >/dev/null
	sed -i 's/^LocalIdentity = .*/LocalIdentity = near/' "$PVSVPN_CONFIG_DIR/site-b.conf"
	sed -i 's/id = 192.0.2.77/id = keyid:near/' "$tmp/$stock/conf"
	load "$stock"
	# The name does not match
	sed -i '/^LocalIdentityType/d' "$PVSVPN_CONFIG_DIR/site-b.conf"
	not_up cannot_authenticate_connection
}

# transform_with IKE ESP: the transforms negotiated with a far end that accepts these
transform_with()
{
	sed -i "s/^proposals =.*/proposals = $1/; s/\(esp_proposals =\).*/\1 $2/" "$tmp/$stock/conf"
	load "$stock"
	up
	pings "$gw" 10.2.0.1
	echo "$(list "$gw" encr-alg | head -n 1) $(show "$gw" peers.0.sas.0.transform)"
	vpn down site-b >/dev/null
}

# strongSwan takes the first entry of its own list that the other end also has
lists_of_policies()
{
	gateway
	site_b 'RouteSource = 10.1.0.1' 'Interface = pvs0' >"$PVSVPN_CONFIG_DIR/site-b.conf"
	our_daemon
	far_end
	check 'of the defaults, with GCM' \
		"$(transform_with aes256gcm16-prfsha384-ecp256,aes256-sha256-ecp256 aes256gcm16,aes256-sha256)" \
		'AES_GCM_16 aes256gcm16'
	check 'of the defaults, without GCM' "$(transform_with aes256-sha256-ecp256 aes256-sha256)" \
		'AES_CBC aes256-sha256'
	cat >>"$PVSVPN_CONFIG_DIR/site-b.conf" <<-END
		[IKEPolicy]
		Encryption = aes128gcm16, aes256
		Authentication = sha384, sha256
		DHGroup = 20, 19
		[IPsecPolicy]
		Encryption = aes192gcm16, aes256, aes128
		Authentication = sha384, sha512
		PFS = 20, off
	END
	check 'the last of each list' "$(transform_with aes256-sha256-ecp256 aes128-sha512)" \
		'AES_CBC aes128-sha512'
	check 'the first of each list' \
		"$(transform_with aes128gcm16-prfsha256-ecp384,aes256-sha256-ecp256 \
			aes192gcm16-ecp384,aes128-sha512)" 'AES_GCM_16 aes192gcm16'
}

# The peer reaches only LocalSubnets, although this host forwards to other networks
peer_reaches_local_subnets()
{
	both
	in_batch "$gw" <<-END
		link add other type dummy
		addr add 172.16.6.1/24 dev other
		link set other up
	END
	up
	pings "$stock" 10.1.0.1
	# This peer violates the agreed selectors
	ip -n "$stock" xfrm policy add dir out src 10.2.0.0/24 dst 172.16.6.0/24 if_id 42 \
		tmpl src 192.0.2.2 dst 192.0.2.1 proto esp reqid "$(list "$stock" reqid)" mode tunnel
	ip -n "$stock" route add 172.16.6.0/24 dev ipsec0 src 10.2.0.1
	! in_ns "$stock" ping -q -c 3 -i 0.1 -W 1 172.16.6.1 >"$tmp/ping" || fail 'it is reached'
	check 'dropped' "$(drop_count "$gw" pvs0 rx_destination)" 3
	pings "$stock" 10.1.0.1
}

route_is_there() { grep -q pvs0 <<<"$(ip -n "$gw" route get 10.2.0.1 2>/dev/null || :)"; }
route_is_gone() { ! route_is_there; }

# When the far end dies, the route is removed; when it returns, so does the route, automatically
dead_peer()
{
	gateway
	site site-b 'WithdrawRoutes = yes' $'\n[DeadPeerDetection]\nInterval = 2\nThreshold = 2'
	CHARON=$impatient our_daemon
	far_end
	up
	# The kernel takes up to a second to notice the carrier
	wait_for 'the route' route_is_there
	watch "$gw"
	kill -9 "${pids[$stock]}"
	ip -n "$stock" link set outer0 down
	wait_for "peer-down; there were $(cat "$tmp/events")" grep -q 'peer-down' "$tmp/events"
	check carrier "$(show "$gw" carrier)" false
	wait_for 'the route to go' route_is_gone
	check reason "$(status_of reason)" peer_not_responding
	come_back
	wait_for 'the connection' is active status_of status
	wait_for 'the route' route_is_there
	pings "$gw" 10.2.0.1
}

# tenths_to COMMAND...: the time until it succeeds, in tenths of a second
tenths_to()
{
	local begin=${EPOCHREALTIME/./}

	busywait "${WAIT_LIMIT:-60}" "$@" || fail "timed out waiting for $*"
	echo $(((${EPOCHREALTIME/./} - begin) / 100000))
}

# The connection and strongSwan have their default settings
dead_peer_in_time()
{
	local version versions=(2) times=1 i took most=120

	! has_IKEv1 || versions+=(1)
	[ -z "${EVERY-}" ] || times=$((20 / ${#versions[@]}))
	! checkers_on || most=300
	gateway
	our_daemon
	CONNECTION=$'version = 0\n'$FAR_IKE far_end
	for version in "${versions[@]}"; do
		site site-b 'WithdrawRoutes = yes'
		sed -i "s/^\[IKEPolicy\]/&\nVersion = $version/" "$PVSVPN_CONFIG_DIR/site-b.conf"
		background "$PVSVPNCTL" -n "$gw" up site-b timeout 20 keep 2 >"$tmp/kept" 2>&1
		for ((i = 1; i <= times; i++)); do
			wait_for 'the connection' is active status_of status
			wait_for 'the route' route_is_there
			pings "$gw" 10.2.0.1
			kill -9 "${pids[$stock]}"
			ip -n "$stock" link set outer0 down
			took=$(tenths_to route_is_gone)
			echo "IKEv$version: the route was withdrawn $((took / 10)).$((took % 10)) s after the peer's death" | report
			[ "$took" -le $most ] || fail "that is more than $((most / 10)) s"
			check reason "$(status_of reason)" peer_not_responding
			come_back
		done
		wait_for 'the connection' is active status_of status
		vpn down site-b >/dev/null
	done
}

# The far end restarts without its earlier states
come_back()
{
	ip -n "$stock" xfrm state flush
	charon "$stock"
	[ $# -gt 0 ] || load "$stock"
	ip -n "$stock" link set outer0 up
}

# cannot_come REASON WITHOUT SED: the far end initiates with a change (SED), and this end's status
# gives REASON. WITHOUT is the reason if strongSwan reports no alerts
cannot_come()
{
	local reason=$1

	has_alerts || reason=$2
	sed "$3" "$tmp/agreed" >"$tmp/$stock/conf"
	load "$stock"
	! swan "$stock" --initiate --ike t --child net --timeout 20 >"$tmp/initiate" 2>&1 ||
		fail "it could come with '$3'"
	wait_for "the reason of '$3'" is "$reason" status_of reason
	check status "$(status_of status)" warning
	swan "$stock" --terminate --ike t --force >/dev/null 2>&1 || :
}

# The peer initiates to an end that waits; that end knows why it fails
why_a_peer_cannot_come()
{
	local none=not_connected

	gateway
	our_daemon
	far_end
	cp "$tmp/$stock/conf" "$tmp/agreed"
	site site-b 'Initiate = no'
	background "$PVSVPNCTL" -n "$gw" up site-b timeout 20 keep 2 >"$tmp/kept" 2>&1
	said "$tmp/kept"
	wait_for 'the connection' is not_connected status_of reason
	cannot_come cannot_authenticate_connection $none 's/secret = .*/secret = "what nobody has been told"/'
	cannot_come ike_policy_mismatch $none 's/aes256-sha256-ecp256/aes128-sha256-ecp256/'
	cannot_come cannot_authenticate_connection $none 's/id = far/id = nobody/'
	cannot_come ipsec_policy_mismatch no_child_sa 's/aes256gcm16-ecp256/aes128gcm16-ecp256/'
	cannot_come ike_v2_local_remote_cidr_mismatch no_child_sa 's/10.2.0.0/10.9.0.0/'
	! has_alerts || says 'warning (ike_v2_local_remote_cidr_mismatch: the peer has other subnets'
	cp "$tmp/agreed" "$tmp/$stock/conf"
	load "$stock"
	initiate t "$stock"
	wait_for 'the connection' is active status_of status
	check reason "$(status_of reason)" null
	pings "$gw" 10.2.0.1
	vpn down site-b >/dev/null
}

# A gateway that is just starting refuses everything: "keep" tries again
refused_and_kept()
{
	gateway
	printf '\n[DeadPeerDetection]\nInterval = 2\nThreshold = 1\n' >>"$PVSVPN_CONFIG_DIR/site-b.conf"
	our_daemon
	far_end
	vpn status >/dev/null
	background "$PVSVPNCTL" -n "$gw" up site-b timeout 20 keep 2 >"$tmp/kept" 2>&1
	wait_for 'the connection' grep -q '^site-b is up$' "$tmp/kept"
	kill -9 "${pids[$stock]}"
	ip -n "$stock" link set outer0 down
	wait_for 'dead peer detection' is peer_not_responding status_of reason
	come_back without-its-connections
	wait_for 'the refusal' grep -q NO_PROPOSAL_CHOSEN "$tmp/$gw/log"
	load "$stock"
	wait_for 'the connection' is active status_of status
	pings "$gw" 10.2.0.1
}

run_cases lists_of_policies types_of_identities peer_reaches_local_subnets \
	branch_of_its_headquarters peer_agrees_to_one_subnet keys_and_nothing_else \
	secret_is_in_no_memory up_without_a_name dead_peer dead_peer_in_time refused_and_kept \
	why_a_peer_cannot_come
