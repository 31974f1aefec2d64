#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# For the tests to source, after swan.sh: connections from files, with strongSwan at both ends. The
# far end's configuration is written by hand, and it uses stock Linux IPsec.
#
# shellcheck disable=SC2154,SC2034 # variables of lib.sh and stock.sh, and for who sources this

# The far end needs these settings for the connection of our file
FAR_IKE='proposals = aes256-sha256-ecp256
encap = yes'

# gateway: each case has its own files of the gateway
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

# A connection of the operator's, which pvsvpnctl must not change
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

# site NAME [LINE...]: writes the file, with more lines of [Connection], and the secret
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

# our_daemon: the gateway's daemon, with the operator's own connection
our_daemon()
{
	charon "$gw"
	swan "$gw" --load-all --file "$tmp/operator.conf" >"$tmp/$gw/loaded" 2>&1 ||
		fail "$(cat "$tmp/$gw/loaded")"
}

# far_end: the far end's daemon and interface; settings as in swan.sh
far_end()
{
	stock_end "$stock" ipsec0 42 "${far[@]}"
	CONNECTION=${CONNECTION-$FAR_IKE} PROPOSAL=${PROPOSAL-aes256gcm16-ecp256} \
		LOCAL_TS=${LOCAL_TS-10.2.0.0/24} REMOTE_TS=${REMOTE_TS-10.1.0.0/24} \
		daemon "$stock" 192.0.2.2 192.0.2.1 far near
}

# status_code: the exit status, as programs use it
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

# up [NAME]: succeeds, and its last line says so
up()
{
	vpn up "${1:-site-b}" >"$tmp/up" 2>&1 || fail "$(cat "$tmp/up")"
	check 'the last line' "$(tail -n 1 "$tmp/up")" "${1:-site-b} is up"
}

status_of() { { vpn -j status "${2:-site-b}" || :; } | jq -r ".connections[0].$1"; }

# no_daemon WORDS...: the command fails with the status for a strongSwan that does not answer
no_daemon() { EXIT_STATUS=7 "$@"; }

# not_up REASON: up prints one error line with the reason, and status keeps it
not_up()
{
	expect_refused "up: site-b: $1: " vpn up site-b timeout "${2:-20}"
	check status "$(status_of status)" warning
	check reason "$(status_of reason)" "$1"
}

# untouched: nothing of a connection is left, and everything of the operator's is still there
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

# says PATTERN: status of site-b prints PATTERN; site-b is not active
says()
{
	vpn status site-b >"$tmp/status" || :
	grep -q "$1" "$tmp/status" || fail "$(cat "$tmp/status")"
}

# follows_schema: "status --json" of all connections matches the schema
follows_schema()
{
	{ vpn -j status || :; } >"$tmp/status.json"
	/usr/bin/python3 - "$lib/../../tools/pvsvpnctl/pvsvpnctl.schema.json" "$tmp/status.json" <<-'END'
		import json, sys, jsonschema
		schema = json.load(open(sys.argv[1]))
		schema["$ref"] = "#/$defs/status"
		jsonschema.validate(json.load(open(sys.argv[2])), schema)
	END
}

# far_ends: the far end for the connections of many()
far_ends()
{
	stock_end "$stock" ipsec0 42 "${far[@]}"
	CONNECTION=$FAR_IKE PROPOSAL=aes256gcm16-ecp256 LOCAL_TS=10.2.0.0/16 REMOTE_TS=10.1.0.0/24 \
		daemon "$stock" 192.0.2.2 192.0.2.1 far %any
}

# many N: files of N connections, each with its own subnet behind the far gateway
many()
{
	local i

	rm -f "$PVSVPN_CONFIG_DIR"/*
	for ((i = 1; i <= $1; i++)); do
		site "c$i"
		sed -i "s/10.2.0.0/10.2.$i.0/; s/pvs0/pvs$i/; s/= near/= near$i/" \
			"$PVSVPN_CONFIG_DIR/c$i.conf"
		# An emulated processor cannot ask so many peers every 2 s
		printf '\n[DeadPeerDetection]\nInterval = 60\n' >>"$PVSVPN_CONFIG_DIR/c$i.conf"
		ip -n "$stock" addr add "10.2.$i.1/32" dev lo
	done
}
