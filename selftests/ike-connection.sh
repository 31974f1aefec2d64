#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Connections by their files: check, up, status, down. strongSwan at both ends; the far one is
# written by hand and has stock Linux IPsec.
#
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=stock.sh
. "$(dirname "$0")/stock.sh"
# shellcheck source=swan.sh
. "$(dirname "$0")/swan.sh"

# What the connection of our file needs at the far end
FAR_IKE='proposals = aes256-sha256-ecp256
encap = yes'

# here: the files of the gateway, which each case has for itself
gateway()
{
	has_strongswan
	ends
	export PVSVPN_CONFIG_DIR=$tmp/etc PVSVPN_RUN_DIR=$tmp/run PVSVPN_VICI=$tmp/$gw/vici
	mkdir -p "$PVSVPN_CONFIG_DIR" "$tmp/$gw"
	in_batch "$gw" <<-END
		link add lan type dummy
		addr add 10.1.0.1/24 dev lan
		link set lan up
	END
	operators_own
	site site-b
}

# A connection of the operator's, which nobody may touch
operators_own()
{
	cat >"$tmp/operator.conf" <<-END
		connections {
			operator {
				version = 2
				remote_addrs = 203.0.113.9
				children {
					operator {
						remote_ts = 203.0.113.0/24
					}
				}
			}
		}
	END
}

# site NAME [LINE...]: its file, with further lines of [Connection], and its secret
site()
{
	cat >"$PVSVPN_CONFIG_DIR/$1.conf" <<-END
		$(site_b 'RouteSource = 10.1.0.1' 'Interface = pvs0' "${@:2}")

		[IKEPolicy]
		Encryption = aes256
		Authentication = sha256
		DHGroup = 19

		[IPsecPolicy]
		Encryption = aes256gcm16
		PFS = 19
	END
	(umask 077 && echo 'what both have been told' >"$PVSVPN_CONFIG_DIR/$1.secret")
}

# vpn ARGUMENTS...: pvsvpnctl on the gateway
vpn() { ctl "$gw" "$@"; }

# our_daemon: of the gateway, with the operator's own connection
our_daemon()
{
	charon "$gw"
	swan "$gw" --load-all --file "$tmp/operator.conf" >"$tmp/$gw/loaded" 2>&1 ||
		fail "$(cat "$tmp/$gw/loaded")"
}

# far_end: its daemon and its interface; settings as in swan.sh
far_end()
{
	stock_end "$stock" ipsec0 42 "${far[@]}"
	CONNECTION=${CONNECTION-$FAR_IKE} PROPOSAL=${PROPOSAL-aes256gcm16-ecp256} \
		LOCAL_TS=${LOCAL_TS-10.2.0.0/24} REMOTE_TS=${REMOTE_TS-10.1.0.0/24} \
		daemon "$stock" 192.0.2.2 192.0.2.1 far near
}

# status_code: as programs ask for it
status_code()
{
	local code=0

	vpn status site-b >/dev/null || code=$?
	echo $code
}

both()
{
	gateway
	our_daemon
	far_end
}

# up [NAME]: and it says so in its last line
up()
{
	vpn up "${1:-site-b}" >"$tmp/up" 2>&1 || fail "$(cat "$tmp/up")"
	check 'the last line' "$(tail -n 1 "$tmp/up")" "${1:-site-b} is up"
}

status_of() { { vpn -j status "${2:-site-b}" || :; } | jq -r ".connections[0].$1"; }

# no_daemon WORDS...: what follows ends so because strongSwan does not answer
no_daemon() { EXIT_STATUS=7 "$@"; }

# not_up REASON: up says so in one line of errors, status remembers it
not_up()
{
	expect_refused "up: site-b: $1; " vpn up site-b timeout "${2:-20}"
	check status "$(status_of status)" warning
	check reason "$(status_of reason)" "$1"
}

# untouched: nothing of a connection is left, and what is the operator's is still there
untouched()
{
	! ip -n "$gw" link show dev pvs0 >/dev/null 2>&1 || fail 'pvs0 is there'
	check 'states' "$(ip -n "$gw" xfrm state)" ''
	check 'routes' "$(ip -n "$gw" route show 10.2.0.0/24)" ''
	check 'files' "$(cd "$PVSVPN_RUN_DIR" && find . -name '*site-b*')" ''
	check 'connections' "$(swan "$gw" --list-conns --raw | grep -oE '^list-conn event \{[a-z-]+')" \
		'list-conn event {operator'
	check status "$(status_of status)" disabled
}

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
	# Again: nothing happens
	up
	check 'children' "$(children "$stock")" 1
	vpn status site-b >"$tmp/status"
	grep -q '^site-b: active$' "$tmp/status" || fail "$(cat "$tmp/status")"
	# No NAT is on the way, whatever the two ends pretend
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

# What the two daemons count is what show has
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
	# The daemon gets the secret anew each time
	site site-b
	up
	# The file is another now
	sed -i 's/^PFS = 19$/PFS = 20/' "$PVSVPN_CONFIG_DIR/site-b.conf"
	expect_refused 'site-b: its file has changed since it was brought up; first pvsvpnctl down' \
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
	# One that is there and knows nobody yet would refuse
	ip -n "$stock" link set outer0 down
	not_up peer_not_responding 5
	# It goes on trying
	far_end
	ip -n "$stock" link set outer0 up
	wait_for 'the connection' is active status_of status
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

# up_refused WORDS: and all is as before
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

# stand_in MODE WORDS: up and status say that of a daemon that is not fit, and nothing is left
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
	# The loaded connection is taken away again
	check 'what it was told at last' "$(tail -n 3 "$tmp/asked" | xargs)" \
		'unload-conn terminate unload-shared'
	no_daemon stand_in garbage 'the daemon does not answer: it sends something that is not VICI'
	no_daemon stand_in torn 'the daemon does not answer: it sends a message that is not valid'
	no_daemon stand_in silent 'the daemon does not answer: it is silent'
	no_daemon stand_in stops 'the daemon does not answer: it is silent'
}

# Each command ends by itself, and says why; nothing is lost when the daemon goes on
daemon_stops()
{
	gateway
	our_daemon
	# The far end is not to give up meanwhile
	far_end
	up
	kill -STOP "${pids[$gw]}"
	check reason "$(status_of reason)" 'strongSwan does not answer'
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
	# The daemon still has ours, and the name of the secret says so
	up
	pings "$gw" 10.2.0.1
	kill -STOP "${pids[$gw]}"
	vpn down site-b >/dev/null
	kill -CONT "${pids[$gw]}"
	check 'down' "$(vpn down site-b)" 'site-b is down'
	untouched
}

# connections: names of those that the daemon has
connections()
{
	swan "$gw" --list-conns --raw | sed -n 's/^list-conn event {\([a-z-]*\).*/\1/p' | sort | xargs
}

# Ours come and go by name; files of the operator's are not read
operators_connections_stay()
{
	both
	echo '}' >>"$tmp/operator.conf"
	up
	check connections "$(connections)" 'operator site-b'
	vpn down site-b >/dev/null
	check connections "$(connections)" operator
	# The operator has one of that name
	sed -i 's/operator {/site-b {/; $d' "$tmp/operator.conf"
	swan "$gw" --load-conns --file "$tmp/operator.conf" >/dev/null
	expect_refused 'strongSwan has a connection of that name, which up has not loaded' vpn up site-b
	check 'down' "$(vpn down site-b)" 'site-b is not up'
	check connections "$(connections)" site-b
	grep -q 203.0.113.9 <<<"$(swan "$gw" --list-conns)" || fail 'it is another now'
}

# The secret is in the operator's file and in the daemon
secret_is_on_no_other_disk()
{
	both
	up
	! grep -rqE "both have been told|$(printf 'both have' | od -An -tx1 | tr -d ' ')" "$tmp/run" ||
		fail "$(grep -rE 'told|626f7468' "$tmp/run")"
	check 'files' "$(cd "$tmp/run" && find . -type f ! -perm 600)" ''
}

# Characters that mean something in files of strongSwan
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

types_of_identities()
{
	gateway
	# Not the name near, but these octets
	sed -i 's/^LocalIdentity.*/&\nLocalIdentityType = key_id/' "$PVSVPN_CONFIG_DIR/site-b.conf"
	our_daemon
	far_end
	sed -i 's/id = near/id = keyid:near/' "$tmp/$stock/conf"
	load "$stock"
	up
	pings "$gw" 10.2.0.1
	vpn down site-b >/dev/null
	# The name would not do
	sed -i '/^LocalIdentityType/d' "$PVSVPN_CONFIG_DIR/site-b.conf"
	not_up cannot_authenticate_connection
}

# transform_with IKE ESP: what comes about with a far end that takes these
transform_with()
{
	sed -i "s/^proposals =.*/proposals = $1/; s/\(esp_proposals =\).*/\1 $2/" "$tmp/$stock/conf"
	load "$stock"
	up
	pings "$gw" 10.2.0.1
	echo "$(list "$gw" encr-alg | head -n 1) $(show "$gw" peers.0.sas.0.transform)"
	vpn down site-b >/dev/null
}

# strongSwan takes the first of its own list that the other has, too
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

# The peer reaches what LocalSubnets have and nothing else, whatever this host forwards to
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
	# A peer that does not keep to what it agreed to
	ip -n "$stock" xfrm policy add dir out src 10.2.0.0/24 dst 172.16.6.0/24 if_id 42 \
		tmpl src 192.0.2.2 dst 192.0.2.1 proto esp reqid "$(list "$stock" reqid)" mode tunnel
	ip -n "$stock" route add 172.16.6.0/24 dev ipsec0 src 10.2.0.1
	! in_ns "$stock" ping -q -c 3 -i 0.1 -W 1 172.16.6.1 >"$tmp/ping" || fail 'it is reached'
	check 'dropped' "$(drop_count "$gw" pvs0 rx_destination)" 3
	pings "$stock" 10.1.0.1
}

# Two at once, and the far end too: all say what is true
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

# Each lock ends with its command
several_in_a_batch()
{
	gateway
	our_daemon
	printf 'down site-b\nstatus site-b\ndown site-c\ndown site-b\n' | vpn -b - >"$tmp/down"
	check 'its words' "$(xargs <"$tmp/down")" 'site-b is not up'\
' site-b: disabled (not brought up; pvsvpnctl up) site-c is not up site-b is not up'
}

# The files of /run are lost: the interface bears the connection's name
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
	vpn down site-b >/dev/null
	untouched
}

# A device that was not made by up stays, whatever a file of before says
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

# The interface that works stays, under its old name
interface_changes_in_the_file()
{
	both
	up
	sed -i 's/pvs0/pvs5/' "$PVSVPN_CONFIG_DIR/site-b.conf"
	expect_refused 'its file has changed since it was brought up; first pvsvpnctl down' vpn up site-b
	pings "$gw" 10.2.0.1
	vpn down site-b >/dev/null
	untouched
}

# It begins, and says so, as often as it is told to
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
	# Too short for a second question, so there is nothing but silence to tell of
	not_up peer_not_responding 1
	far_end
	ip -n "$stock" link set outer0 up
	wait_for 'the connection' is active status_of status
	check 'the last line' "$(vpn up site-b timeout 0 | tail -n 1)" 'site-b is up'
}

# The key is named that the kernel does not want
source_of_no_interface()
{
	gateway
	our_daemon
	sed -i 's/^RouteSource.*/RouteSource = 10.1.0.9/' "$PVSVPN_CONFIG_DIR/site-b.conf"
	up_refused 'RouteSource: .*; take an address that an interface of this host has'
}

# The network namespace is remembered: -n need not be said again
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
	# The rest of a batch is not for that namespace
	ip -n "$gw" link add pvs7 type pvsvpn
	printf 'status site-b\ndown site-b\nshow pvs7\n' >"$tmp/batch"
	expect_refused 'show: pvs7' "$PVSVPNCTL" -b "$tmp/batch"
	ip -n "$gw" link del pvs7
	untouched
}

# A directory that others may write to is none for our files
run_of_others()
{
	gateway
	our_daemon
	mkdir "$tmp/run"
	chmod 777 "$tmp/run"
	expect_refused 'others may write to it; chown it to root' vpn up site-b
	chmod 755 "$tmp/run"
	# A link leads elsewhere
	ln -s "$tmp/elsewhere" "$tmp/run/site-b.lock"
	expect_refused 'site-b.lock: Too many levels of symbolic links' vpn up site-b
	[ ! -e "$tmp/elsewhere" ] || fail 'a link was followed'
}

# denied COMMAND...: nobody may, and hears so
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
	# Files that others may list, and not read
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

# One that was killed midway, a device that somebody else has removed, a daemon that has died
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
	check reason "$(status_of reason)" 'strongSwan does not answer'
	vpn down site-b >/dev/null || fail 'no down without a daemon'
	! ip -n "$gw" link show dev pvs0 >/dev/null 2>&1 || fail 'pvs0 is there'
	ip -n "$gw" xfrm state flush
	our_daemon
	untouched
	up
	pings "$gw" 10.2.0.1
}

gone() { ! kill -0 "$1" 2>/dev/null; }

route_is_there() { grep -q pvs0 <<<"$(ip -n "$gw" route get 10.2.0.1 2>/dev/null || :)"; }
route_is_gone() { ! route_is_there; }

# The far end dies: the route goes; it comes back: all by itself
dead_peer()
{
	gateway
	site site-b 'WithdrawRoutes = yes' $'\n[DeadPeerDetection]\nInterval = 2\nThreshold = 2'
	CHARON=$impatient our_daemon
	far_end
	up
	# The kernel takes up to a second to see that there is a carrier
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

# tenths_to COMMAND...: until it succeeds, in tenths of a second
tenths_to()
{
	local begin=${EPOCHREALTIME/./}

	busywait "${WAIT_LIMIT:-60}" "$@" || fail "waited in vain for $*"
	echo $(((${EPOCHREALTIME/./} - begin) / 100000))
}

# With the defaults of the connection and of strongSwan
dead_peer_in_time()
{
	local version times=1 i took most=120

	[ -z "${EVERY-}" ] || times=10
	! checkers_on || most=300
	gateway
	our_daemon
	CONNECTION=$'version = 0\n'$FAR_IKE far_end
	for version in 2 1; do
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

# The far end, without what it had
come_back()
{
	ip -n "$stock" xfrm state flush
	charon "$stock"
	[ $# -gt 0 ] || load "$stock"
	ip -n "$stock" link set outer0 up
}

# A gateway that is just starting refuses whatever comes: "keep" begins again
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

# IKEv1 in main mode, by its file
version_1()
{
	gateway
	sed -i 's/^\[IKEPolicy\]/&\nVersion = 1/' "$PVSVPN_CONFIG_DIR/site-b.conf"
	our_daemon
	CONNECTION="$FAR_IKE
version = 1" far_end
	up
	pings "$gw" 10.2.0.1
	check version "$(status_of ike.version)" 1
	vpn down site-b >/dev/null
	untouched
	(umask 077 && echo 'what nobody has been told' >"$PVSVPN_CONFIG_DIR/site-b.secret")
	not_up cannot_authenticate_connection
}

# Two connections to one gateway, by two files
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

# The module goes in the middle of it: the states are XFRM's, and down and up work as ever
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
	load_module
	vpn down site-b >/dev/null
	untouched
	up
	pings "$gw" 10.2.0.1
}

# many N: files of as many connections, each with its own subnet behind the far gateway
many()
{
	local i

	rm -f "$PVSVPN_CONFIG_DIR"/*
	for ((i = 1; i <= $1; i++)); do
		site "c$i"
		sed -i "s/10.2.0.0/10.2.$i.0/; s/pvs0/pvs$i/; s/= near/= near$i/" \
			"$PVSVPN_CONFIG_DIR/c$i.conf"
		# So many peers that are asked every 2 s are too much for an emulated processor
		printf '\n[DeadPeerDetection]\nInterval = 60\n' >>"$PVSVPN_CONFIG_DIR/c$i.conf"
		ip -n "$stock" addr add "10.2.$i.1/32" dev lo
	done
}

hundred_at_once()
{
	local count=10 i

	[ -z "${EVERY-}" ] || checkers_on || count=100
	gateway
	our_daemon
	stock_end "$stock" ipsec0 42 "${far[@]}"
	CONNECTION=$FAR_IKE PROPOSAL=aes256gcm16-ecp256 LOCAL_TS=10.2.0.0/16 REMOTE_TS=10.1.0.0/24 \
		daemon "$stock" 192.0.2.2 192.0.2.1 far %any
	many "$count"
	vpn check >"$tmp/check"
	check 'valid files' "$(grep -c 'is valid' "$tmp/check")" "$count"
	# The daemon's address is the same for all
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
	nobody_there waits_for_the_peer refused_before_anything daemon_not_fit after_a_crash \
	daemon_stops operators_connections_stay secret_is_on_no_other_disk odd_identities \
	types_of_identities lists_of_policies peer_reaches_local_subnets \
	several_begin_at_once several_in_a_batch run_is_lost strangers_device_stays \
	interface_changes_in_the_file nobody_waits source_of_no_interface run_of_others \
	namespace_is_remembered without_root two_with_the_same_identities dead_peer \
	dead_peer_in_time \
	refused_and_kept version_1 two_to_one_gateway module_goes hundred_at_once
