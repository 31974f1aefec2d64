#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Connections from files: check, up, status, down. strongSwan at both ends; the far end is
# configured by hand and has stock Linux IPsec.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"
# shellcheck source=../lib/swan.sh
. "$(dirname "$0")/../lib/swan.sh"
# shellcheck source=../lib/connection.sh
. "$(dirname "$0")/../lib/connection.sh"

up_and_down()
{
	both
	check status "$(status_of status) $(status_code)" 'disabled 3'
	up
	pings "$gw" 10.2.0.1
	pings "$stock" 10.1.0.1
	check status "$(status_of status) $(status_code)" 'active 0'
	check route "$(ip -n "$gw" route show 10.2.0.0/24 | xargs)" \
		'10.2.0.0/24 dev pvs0 scope link src 10.1.0.1'
	check 'link-local addresses' "$(ip -n "$gw" -o addr show dev pvs0 scope link)" ''
	check encapsulation "$(show "$gw" peers.0.encap)" udp
	check subnets "$(show "$gw" peers.0.subnets.0)" 10.2.0.0/24
	check 'local subnets' "$(show "$gw" peers.0.local_subnets | jq -c .)" '["10.1.0.0/24"]'
	check 'peers' "$(ctl "$gw" -j show pvs0 | jq '.devices[0].peers | length')" 1
	check 'replay window' "$(ctl "$gw" -j show pvs0 |
		jq '.devices[0].peers[0].sas[] | select(.dir == "in") | .replay_window')" 1024
	# A second up changes nothing
	up
	check 'children' "$(children "$stock")" 1
	vpn status site-b >"$tmp/status"
	grep -q '^site-b: active$' "$tmp/status" || fail "$(cat "$tmp/status")"
	# There is no NAT on the path, although both ends act as if there were
	grep -q 'port 4500, ESP in UDP as asked for$' "$tmp/status" || fail "$(cat "$tmp/status")"
	check 'nat' "$(status_of ike.nat) $(status_of ike.encapsulation_asked_for)" 'false true'
	check 'secrets that are shown' "$(grep -c 'told' "$tmp/up" "$tmp/status")" \
		"$tmp/up:0"$'\n'"$tmp/status:0"
	vpn down site-b >"$tmp/down" 2>&1 || fail "$(cat "$tmp/down")"
	untouched
	wait_for 'the far end to know' is 0 children "$stock"
	check 'down again' "$(vpn down site-b)" 'site-b is not up'
	up
	pings "$gw" 10.2.0.1
}

# The counters of both daemons equal those of show
counts_agree()
{
	local sa

	both
	up
	pings "$gw" 10.2.0.1 -c 5 -s 500
	for sa in in out; do
		check "bytes $sa" "$(list "$gw" "bytes-$sa")" "$(ctl "$gw" -j show pvs0 |
			jq "[.devices[0].peers[0].sas[] | select(.dir == \"$sa\") | .bytes] | add")"
	done
	check 'packets' "$(status_of child.packets_out)" "$(list "$gw" packets-out)"
}

wrong_secret()
{
	both
	(umask 077 && echo 'what nobody has been told' >"$PVSVPN_CONFIG_DIR/site-b.secret")
	not_up cannot_authenticate_connection
	# The daemon gets the secret again each time
	site site-b
	up
	# Now the file has changed
	sed -i 's/^PFS = 19$/PFS = 20/' "$PVSVPN_CONFIG_DIR/site-b.conf"
	expect_refused 'site-b: its file, or pvsvpnctl itself, has changed since it was brought up; first pvsvpnctl down' \
		vpn up site-b
}

other_ike_policy()
{
	gateway
	our_daemon
	CONNECTION='proposals = aes256-sha384-ecp384' far_end
	not_up ike_policy_mismatch
	vpn down site-b >/dev/null
	untouched
}

other_ipsec_policy()
{
	gateway
	our_daemon
	PROPOSAL=aes128-sha256 far_end
	not_up ipsec_policy_mismatch
}

other_subnets()
{
	gateway
	our_daemon
	LOCAL_TS=10.7.0.0/24 far_end
	not_up ike_v2_local_remote_cidr_mismatch
}

nobody_there()
{
	gateway
	our_daemon
	# A running far end without our connection would refuse
	ip -n "$stock" link set outer0 down
	not_up peer_not_responding 5
	# The attempts continue
	far_end
	ip -n "$stock" link set outer0 up
	wait_for 'the connection' is active status_of status
	up
	pings "$gw" 10.2.0.1
}

# A firewall that passes only UDP 500
no_UDP_4500()
{
	both
	in_ns "$gw" nft -f - <<-END
		table ip cut {
			chain in {
				type filter hook input priority 0
				udp sport 4500 drop
			}
		}
	END
	not_up udp_4500_not_answered 10
	in_ns "$gw" nft delete table ip cut
	up
	pings "$gw" 10.2.0.1
}

# Packets meet the local address and the route before they meet the peer
no_way_to_the_peer()
{
	gateway
	our_daemon
	far_end
	sed -i 's/^LocalGateway.*/LocalGateway = 192.0.2.77/' "$PVSVPN_CONFIG_DIR/site-b.conf"
	not_up local_address_missing 5
	follows_schema
	vpn down site-b >/dev/null
	site site-b
	ip -n "$gw" route add unreachable 192.0.2.2/32
	not_up no_route 5
	ip -n "$gw" route del unreachable 192.0.2.2/32
	up
	pings "$gw" 10.2.0.1
}

waits_for_the_peer()
{
	both
	site site-b 'Initiate = no'
	check 'the last line' "$(vpn up site-b | tail -n 1)" 'site-b waits for its peer'
	check status "$(status_of status) $(status_code)" 'warning 5'
	swan "$stock" --initiate --ike t --child net --timeout 60 >"$tmp/initiate" 2>&1 ||
		fail "$(cat "$tmp/initiate")"
	check status "$(status_of status)" active
	pings "$gw" 10.2.0.1
}

# up_refused WORDS: up fails, and nothing has changed
up_refused()
{
	local before

	before=$(ip -n "$gw" -o link; ip -n "$gw" route)
	expect_refused "$1" vpn up site-b
	check 'what is there' "$(ip -n "$gw" -o link; ip -n "$gw" route)" "$before"
	check 'files' "$(find "$tmp/run" -name '*site-b*' 2>/dev/null)" ''
}

refused_before_anything()
{
	gateway
	no_daemon up_refused 'strongSwan: the daemon does not answer: .*; systemctl start strongswan'
	our_daemon
	ip -n "$gw" link add pvs0 type dummy
	up_refused 'interface pvs0 is there and was not made by up; choose another with Interface'
	ip -n "$gw" link del pvs0
	ip -n "$gw" link add pvs9 type pvsvpn
	ctl "$gw" set pvs9 if-id 42
	site site-b 'IfID = 42'
	up_refused 'if-id-in 42 is that of pvs9; use another'
	site site-b
	ip -n "$gw" link set pvs9 up
	ip -n "$gw" route add 10.2.0.0/24 dev pvs9
	up_refused 'File exists'
	check 'connections' "$(swan "$gw" --list-conns --raw | grep -c site-b)" 0
	chmod 644 "$PVSVPN_CONFIG_DIR/site-b.secret"
	up_refused 'site-b.secret: secret is open to group or others'
}

# stand_in MODE WORDS: up and status report an unsuitable daemon, and nothing is left
stand_in()
{
	rm -f "$PVSVPN_VICI"
	background python3 "$here/vici_daemon.py" "$PVSVPN_VICI" "$1" >"$tmp/asked"
	busywait "${WAIT_LIMIT:-20}" test -S "$PVSVPN_VICI" || fail 'no stand-in'
	up_refused "$2"
	kill "$background"
}

daemon_not_fit()
{
	gateway
	stand_in old 'strongSwan: version 5\.7\.2 is too old, 5\.8 is the first that knows if_id'
	stand_in poor 'strongSwan: no plugin has sha256 \(HMAC_SHA2_256_128\); apt install'
	stand_in refuses 'strongSwan: load-conn: invalid value for: \?\[31mid; see the log'
	# The loaded connection is removed again
	check 'what it was told at last' "$(tail -n 4 "$tmp/asked" | xargs)" \
		'unload-conn terminate unload-shared unload-authority'
	no_daemon stand_in garbage 'the daemon does not answer: it sends something that is not VICI'
	no_daemon stand_in torn 'the daemon does not answer: it sends a message that is not valid'
	no_daemon stand_in silent 'the daemon does not answer: it is silent'
	no_daemon stand_in stops 'the daemon does not answer: it is silent'
	# A daemon with other work may be silent for longer than 10 s
	stand_in busy 'strongSwan: load-conn: invalid value for'
}

# Each command ends by itself with a reason; nothing is lost when the daemon continues
daemon_stops()
{
	gateway
	our_daemon
	# The far end must not give up meanwhile
	far_end
	up
	kill -STOP "${pids[$gw]}"
	check reason "$(status_of reason)" daemon_not_responding
	no_daemon expect_refused 'up: strongSwan: the daemon does not answer: it is silent' vpn up site-b
	pings "$gw" 10.2.0.1
	kill -CONT "${pids[$gw]}"
	up
	check 'children' "$(children "$stock")" 1
	kill -STOP "${pids[$gw]}"
	vpn down site-b >"$tmp/down" || fail "$(cat "$tmp/down")"
	grep -q 'it is not told' "$tmp/down" || fail "$(cat "$tmp/down")"
	! ip -n "$gw" link show dev pvs0 >/dev/null 2>&1 || fail 'pvs0 is there'
	kill -CONT "${pids[$gw]}"
	# The daemon has our connection, as the name of the secret shows, whatever the file says now
	sed -i 's/^PeerSubnets.*/PeerSubnets = 10.2.0.0\/25/' "$PVSVPN_CONFIG_DIR/site-b.conf"
	up
	pings "$gw" 10.2.0.1
	kill -STOP "${pids[$gw]}"
	vpn down site-b >/dev/null
	kill -CONT "${pids[$gw]}"
	check 'down' "$(vpn down site-b)" 'site-b is down'
	untouched
}

# connections: the names of the daemon's connections
connections()
{
	swan "$gw" --list-conns --raw | sed -n 's/^list-conn event {\([a-z-]*\).*/\1/p' | sort | xargs
}

# Our connections are loaded and unloaded by name; the operator's files are not read
operators_connections_stay()
{
	both
	echo '}' >>"$tmp/operator.conf"
	up
	check connections "$(connections)" 'operator site-b'
	vpn down site-b >/dev/null
	check connections "$(connections)" operator
	# The operator has a connection with this name
	sed -i 's/operator {/site-b {/; $d' "$tmp/operator.conf"
	swan "$gw" --load-conns --file "$tmp/operator.conf" >/dev/null
	expect_refused 'strongSwan has a connection of that name, which up has not loaded' vpn up site-b
	check 'down' "$(vpn down site-b)" 'site-b is not up'
	check connections "$(connections)" site-b
	grep -q 203.0.113.9 <<<"$(swan "$gw" --list-conns)" || fail 'it is another now'
}

# The operator loads a connection under our name while ours is up
operators_connection_takes_the_name()
{
	local child

	both
	for child in net site-b; do
		up
		cat >"$tmp/theirs.conf" <<-END
			connections {
				operator {
					remote_addrs = 203.0.113.9
				}
				site-b {
					remote_addrs = 203.0.113.9
					children {
						$child {
							remote_ts = 203.0.113.0/24
						}
					}
				}
			}
		END
		swan "$gw" --load-conns --file "$tmp/theirs.conf" >/dev/null
		expect_refused 'strongSwan has a connection of that name, which up has not loaded' vpn up site-b
		check 'down' "$(vpn down site-b | grep -v '^#' | xargs -d '\n')" \
			'strongSwan keeps its connection site-b, which up has not loaded site-b is down'
		check connections "$(connections)" 'operator site-b'
		grep -q 'remote: 203.0.113.9' <<<"$(swan "$gw" --list-conns)" || fail 'it is another now'
		swan "$gw" --load-conns --file "$tmp/operator.conf" >/dev/null
		wait_for 'the end of our SAs' is '' ip -n "$gw" xfrm state
		untouched
	done
	# The interface is lost, too, so up begins anew
	sed -i '/children/,$s/site-b {/net {/' "$tmp/theirs.conf"
	up
	swan "$gw" --load-conns --file "$tmp/theirs.conf" >/dev/null
	ip -n "$gw" link del pvs0
	sed -i 's/^PeerSubnets.*/PeerSubnets = 10.2.0.0\/25/' "$PVSVPN_CONFIG_DIR/site-b.conf"
	expect_refused 'strongSwan has a connection of that name, which up has not loaded' vpn up site-b
	grep -q 'remote: 203.0.113.9' <<<"$(swan "$gw" --list-conns)" || fail 'it is another now'
}

# As many subnets as a message of IKE can carry
many_subnets()
{
	local i list=10.2.0.0/24

	for ((i = 1; i < 255; i++)); do list+=,10.2.$i.0/24; done
	gateway
	sed -i "s|^PeerSubnets.*|PeerSubnets = $list|" "$PVSVPN_CONFIG_DIR/site-b.conf"
	our_daemon
	LOCAL_TS=$list far_end
	ip -n "$stock" address add 10.2.254.1/32 dev ipsec0
	up
	pings "$gw" 10.2.0.1
	pings "$gw" 10.2.254.1
	check status "$(status_of status)" active
	check subnets "$(vpn -j show pvs0 | jq '.devices[0].peers[0].subnets | length')" 255
}

# The secret exists only in the operator's file and in the daemon
secret_is_on_no_other_disk()
{
	both
	up
	! grep -rqE "both have been told|$(printf 'both have' | od -An -tx1 | tr -d ' ')" "$tmp/run" ||
		fail "$(grep -rE 'told|626f7468' "$tmp/run")"
	check 'files' "$(cd "$tmp/run" && find . -type f ! -perm 600)" ''
}

# Characters with a special meaning in strongSwan's files
odd_identities()
{
	local id='far {x} [y] = z'

	gateway
	sed -i "s/^LocalIdentity.*/LocalIdentity = near{}[]/; s/^PeerIdentity.*/PeerIdentity = $id/" \
		"$PVSVPN_CONFIG_DIR/site-b.conf"
	our_daemon
	far_end
	sed -i "s/id = far/id = \"$id\"/; s/id = near/id = \"near{}[]\"/" "$tmp/$stock/conf"
	load "$stock"
	up
	check status "$(status_of status)" active
	pings "$gw" 10.2.0.1
}

# Several at once, also from the far end: each reports the true state
several_begin_at_once()
{
	local i

	both
	for i in 1 2 3; do
		"$PVSVPNCTL" -n "$gw" up site-b >"$tmp/up$i" 2>&1 &
		ups[i]=$!
	done
	swan "$stock" --initiate --ike t --child net --timeout 60 >"$tmp/initiate" 2>&1 || :
	for i in 1 2 3; do
		wait "${ups[i]}" || fail "$(cat "$tmp/up$i")"
		check "the last line of $i" "$(tail -n 1 "$tmp/up$i")" 'site-b is up'
	done
	check status "$(status_of status)" active
	pings "$gw" 10.2.0.1
	vpn down site-b >/dev/null
	untouched
}

ups=()

# Each lock is released when its command ends
several_in_a_batch()
{
	gateway
	site site-c
	our_daemon
	printf 'down site-b\nstatus site-b\ndown site-c\ndown site-b\n' | vpn -b - >"$tmp/down"
	check 'its words' "$(xargs <"$tmp/down")" 'site-b is not up'\
' site-b: disabled (not_brought_up: it was not brought up; pvsvpnctl up) site-c is not up site-b is not up'
}

# The files in /run are lost: the interface's alias has the connection's name
run_is_lost()
{
	both
	up
	rm -r "$tmp/run"
	check status "$(status_of status)" active
	up
	check 'children' "$(children "$stock")" 1
	pings "$gw" 10.2.0.1
	rm -r "$tmp/run"
	# Nothing tells what the file said before
	sed -i 's/^PeerSubnets.*/PeerSubnets = 10.2.0.0\/25/' "$PVSVPN_CONFIG_DIR/site-b.conf"
	vpn down site-b >/dev/null
	untouched
}

# Keep a device that up did not create, even if an old file names it
strangers_device_stays()
{
	both
	up
	ip -n "$gw" link del pvs0
	ip -n "$gw" link add pvs0 type pvsvpn
	expect_refused 'interface pvs0 is there and was not made by up' vpn up site-b
	vpn down site-b >/dev/null
	ip -n "$gw" link show dev pvs0 >/dev/null || fail 'it was removed'
	ip -n "$gw" link set dev pvs0 alias 'pvsvpn connection other'
	expect_refused 'interface pvs0 is there and was not made by up' vpn up site-b
	check 'down' "$(vpn down site-b)" 'site-b is not up'
	ip -n "$gw" link show dev pvs0 >/dev/null || fail 'it was removed'
}

# The working interface stays, under its old name
interface_changes_in_the_file()
{
	both
	up
	sed -i 's/pvs0/pvs5/' "$PVSVPN_CONFIG_DIR/site-b.conf"
	expect_refused 'its file, or pvsvpnctl itself, has changed since it was brought up; first pvsvpnctl down' vpn up site-b
	pings "$gw" 10.2.0.1
	vpn down site-b >/dev/null
	untouched
}

# It starts, and says so, each time it is called
nobody_waits()
{
	local i

	gateway
	our_daemon
	ip -n "$stock" link set outer0 down
	for i in 1 2; do
		check "the last line $i" "$(vpn up site-b timeout 0 | tail -n 1)" \
			'site-b has begun, and nobody waits for its peer'
	done
	# The time is too short for a second attempt, so the only reason is silence
	not_up peer_not_responding 1
	far_end
	ip -n "$stock" link set outer0 up
	wait_for 'the connection' is active status_of status
	check 'the last line' "$(vpn up site-b timeout 0 | tail -n 1)" 'site-b is up'
}

# If the kernel refuses a value, the error names its key
source_of_no_interface()
{
	gateway
	our_daemon
	sed -i 's/^RouteSource.*/RouteSource = 10.1.0.9/' "$PVSVPN_CONFIG_DIR/site-b.conf"
	up_refused 'RouteSource: .*; take an address that an interface of this host has'
}

# The network namespace is remembered, so -n is not needed again
namespace_is_remembered()
{
	both
	up
	check status "$("$PVSVPNCTL" -j status site-b | jq -r '.connections[0].status')" active
	check 'the last line' "$("$PVSVPNCTL" up site-b | tail -n 1)" 'site-b is up'
	check 'children' "$(children "$stock")" 1
	expect_refused "it is up in network namespace $gw; leave -n out" \
		"$PVSVPNCTL" -n "$stock" up site-b
	expect_refused "it is up in network namespace $gw; leave -n out" \
		"$PVSVPNCTL" -n "$stock" down site-b
	pings "$gw" 10.2.0.1
	# The rest of a batch does not run in that namespace
	ip -n "$gw" link add pvs7 type pvsvpn
	printf 'status site-b\ndown site-b\nshow pvs7\n' >"$tmp/batch"
	expect_refused 'show: pvs7' "$PVSVPNCTL" -b "$tmp/batch"
	ip -n "$gw" link del pvs7
	untouched
}

# A directory that others can write to is refused
run_of_others()
{
	gateway
	our_daemon
	mkdir "$tmp/run"
	chmod 777 "$tmp/run"
	expect_refused 'others may write to it; chown it to root' vpn up site-b
	chmod 755 "$tmp/run"
	# A symbolic link must not be followed
	ln -s "$tmp/elsewhere" "$tmp/run/site-b.lock"
	expect_refused 'site-b.lock: Too many levels of symbolic links' vpn up site-b
	[ ! -e "$tmp/elsewhere" ] || fail 'a link was followed'
}

# denied COMMAND...: user nobody may not run it, and the error says so
denied()
{
	local status=0

	in_ns "$gw" setpriv --reuid=65534 --regid=65534 --clear-groups "$tmp/pvsvpnctl" "$@" \
		>"$tmp/out" 2>"$tmp/err" || status=$?
	check "exit status of $*" "$status" 4
	check "output of $*" "$(cat "$tmp/out")" ''
	check "lines of errors of $*" "$(wc -l <"$tmp/err")" 1
	grep -q '; run it as root$' "$tmp/err" || fail "$(cat "$tmp/err")"
}

without_root()
{
	gateway
	our_daemon
	install -m 755 "$PVSVPNCTL" "$tmp"
	chmod 755 "$tmp" "$(dirname "$tmp")"
	vpn status >/dev/null
	mkdir -p "$tmp/run"
	chmod 700 "$tmp/run" "$PVSVPN_CONFIG_DIR"
	denied status
	denied status site-b
	denied check
	denied up site-b
	denied down site-b
	# Files that others may list but not read
	chmod 755 "$tmp/run" "$PVSVPN_CONFIG_DIR"
	denied check site-b
	denied up site-b
}

# An IKE daemon finds the secret by the identities
two_with_the_same_identities()
{
	gateway
	site site-c
	sed -i 's/10.2.0/10.3.0/; s/pvs0/pvs1/' "$PVSVPN_CONFIG_DIR/site-c.conf"
	vpn check >/dev/null
	(umask 077 && echo 'what nobody has been told' >"$PVSVPN_CONFIG_DIR/site-c.secret")
	expect_refused 'site-c.conf and .*site-b.conf have the same identities and different secrets' \
		vpn check site-c
	expect_refused 'site-b.conf and .*site-c.conf have the same identities' vpn up site-b
}

# After an up that was killed midway, a device that was removed, and a daemon that died
after_a_crash()
{
	both
	mkdir -p "$tmp/run"
	printf 'interface pvs0\nreason \n' >"$tmp/run/site-b.state"
	ip -n "$gw" link add pvs0 type pvsvpn
	up
	pings "$gw" 10.2.0.1
	ip -n "$gw" link del pvs0
	check status "$(status_of status)" warning
	vpn down site-b >/dev/null
	untouched
	up
	kill -9 "${pids[$gw]}"
	wait_for 'the daemon to end' gone "${pids[$gw]}"
	check reason "$(status_of reason)" daemon_not_responding
	vpn down site-b >/dev/null || fail 'no down without a daemon'
	! ip -n "$gw" link show dev pvs0 >/dev/null 2>&1 || fail 'pvs0 is there'
	ip -n "$gw" xfrm state flush
	our_daemon
	untouched
	up
	pings "$gw" 10.2.0.1
}

gone() { ! kill -0 "$1" 2>/dev/null; }

# IKEv1 in main mode, by file. A daemon built without IKEv1 is not mistaken for a silent peer
version_1()
{
	gateway
	sed -i 's/^\[IKEPolicy\]/&\nVersion = 1/' "$PVSVPN_CONFIG_DIR/site-b.conf"
	our_daemon
	CONNECTION="$FAR_IKE
version = 1" far_end
	if ! has_IKEv1; then
		not_up ike_version_not_supported
		return
	fi
	up
	pings "$gw" 10.2.0.1
	check version "$(status_of ike.version)" 1
	vpn down site-b >/dev/null
	untouched
	(umask 077 && echo 'what nobody has been told' >"$PVSVPN_CONFIG_DIR/site-b.secret")
	not_up cannot_authenticate_connection
}

# Two connections to one gateway, from two files
two_to_one_gateway()
{
	both
	site site-c
	sed -i 's/10.2.0/10.3.0/; s/pvs0/pvs1/' "$PVSVPN_CONFIG_DIR/site-c.conf"
	ip -n "$stock" addr add 10.3.0.1/32 dev lo
	sed -i 's|local_ts = .*|local_ts = 10.2.0.0/24,10.3.0.0/24|' "$tmp/$stock/conf"
	load "$stock"
	up
	up site-c
	pings "$gw" 10.2.0.1
	pings "$gw" 10.3.0.1
	vpn down site-b >/dev/null
	pings "$gw" 10.3.0.1
	check status "$(status_of status site-c)" active
}

# If the module is removed meanwhile, XFRM keeps the states, and down and up still work
module_goes()
{
	no_tunnels_in_use
	both
	up
	background ip netns exec "$gw" ping -q -i 0.01 10.2.0.1 >"$tmp/ping"
	background ip netns exec "$stock" ping -q -i 0.01 10.1.0.1 >"$tmp/ping-in"
	wait_for 'traffic' at_least 200 link_stat "$gw" pvs0 rx.packets
	rmmod pvsvpn
	defer load_module
	check 'states' "$(ip -n "$gw" xfrm state | grep -c ^src)" 2
	check status "$(status_of status)" warning
	vpn down site-b >/dev/null
	up_refused 'modprobe pvsvpn'
	load_module
	untouched
	up
	pings "$gw" 10.2.0.1
}

hundred_at_once()
{
	local count=10 i

	[ -z "${EVERY-}" ] || checkers_on || count=100
	gateway
	our_daemon
	far_ends
	many "$count"
	vpn check >"$tmp/check"
	check 'valid files' "$(grep -c 'is valid' "$tmp/check")" "$count"
	# All have the same address of the daemon
	seq 1 "$count" | xargs -P 4 -I{} "$PVSVPNCTL" -n "$gw" up c{} timeout 120 >"$tmp/up" 2>&1 ||
		fail "$(grep -E 'pvsvpnctl: ' "$tmp/up" | head -n 5)"
	check 'connections up' "$(grep -c ' is up$' "$tmp/up")" "$count"
	check 'active ones' "$(vpn -j status | jq '[.connections[] | select(.status == "active")] | length')" \
		"$count"
	echo "$count connections up at once" | report
	for ((i = 1; i <= count; i++)); do
		in_ns "$gw" ping -q -c 1 -W 10 "10.2.$i.1" >"$tmp/ping" || fail "c$i: $(tail -n 2 "$tmp/ping")"
	done
}

run_cases up_and_down counts_agree wrong_secret other_ike_policy other_ipsec_policy other_subnets \
	nobody_there no_UDP_4500 no_way_to_the_peer waits_for_the_peer refused_before_anything \
	daemon_not_fit after_a_crash daemon_stops operators_connections_stay \
	operators_connection_takes_the_name many_subnets secret_is_on_no_other_disk odd_identities \
	several_begin_at_once several_in_a_batch run_is_lost strangers_device_stays \
	interface_changes_in_the_file nobody_waits source_of_no_interface run_of_others \
	namespace_is_remembered without_root two_with_the_same_identities version_1 \
	two_to_one_gateway module_goes hundred_at_once
