#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Connections whose ends authenticate with X.509 certificates. The far end is strongSwan with stock
# Linux IPsec; its certificates are files for swanctl.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"
# shellcheck source=../lib/swan.sh
. "$(dirname "$0")/../lib/swan.sh"
# shellcheck source=../lib/connection.sh
. "$(dirname "$0")/../lib/connection.sh"

pki=''

# new_key FILE KIND: ecdsa, rsa or ed25519
new_key()
{
	case $2 in
	ecdsa) set -- "$1" EC -pkeyopt ec_paramgen_curve:P-256 ;;
	rsa) set -- "$1" RSA -pkeyopt rsa_keygen_bits:2048 ;;
	ed25519) set -- "$1" ED25519 ;;
	esac
	(umask 077 && openssl genpkey -algorithm "$2" "${@:3}" -out "$1" 2>/dev/null)
}

# new_ca FILE [NAME]
new_ca()
{
	new_key "$pki/$1.key" ecdsa
	openssl req -x509 -new -key "$pki/$1.key" -out "$pki/$1.crt" -days 30 -subj "/C=DE/CN=${2:-$1}" \
		-addext 'basicConstraints=critical,CA:TRUE' -addext keyUsage=keyCertSign,cRLSign
}

# certify FILE CA KIND [NAME]: a certificate for NAME.example
certify()
{
	new_key "$pki/$1.key" "$3"
	openssl req -x509 -new -key "$pki/$1.key" -out "$pki/$1.crt" -days 30 -subj "/C=DE/CN=${4:-$1}" \
		-CA "$pki/$2.crt" -CAkey "$pki/$2.key" \
		-addext "subjectAltName=DNS:${4:-$1}.example" -addext basicConstraints=CA:FALSE
}

# issue [KIND]: certificates for both ends, from one CA
issue()
{
	pki=$tmp/pki
	mkdir -p "$pki"
	new_ca ca
	certify near ca "${1:-ecdsa}"
	certify far ca "${1:-ecdsa}"
}

# certified: writes the gateway's file and its certificates
certified()
{
	command -v openssl >/dev/null || skip 'no openssl'
	gateway
	issue "$@"
	site site-b 'Authentication = certificate'
	sed -i 's/= near/= near.example/; s/= far/= far.example/' "$PVSVPN_CONFIG_DIR/site-b.conf"
	rm "$PVSVPN_CONFIG_DIR/site-b.secret"
	give site-b near ca
}

# give NAME CERTIFICATE CA: gives both to that connection
give()
{
	cp "$pki/$2.crt" "$PVSVPN_CONFIG_DIR/$1.crt"
	cp "$pki/$3.crt" "$PVSVPN_CONFIG_DIR/$1.ca"
	install -m 600 "$pki/$2.key" "$PVSVPN_CONFIG_DIR/$1.key"
}

# Plugins that read and compare certificates and keys
PKI_PLUGINS='openssl pem pkcs1 pkcs8 x509 pubkey constraints'

# far_certified [CERTIFICATE]: the far end, with a certificate from a CA that it trusts
far_certified()
{
	# swanctl looks for these beside its file
	local dir=$tmp/$stock name=${1:-far}

	mkdir -p "$dir"/{x509,x509ca,private}
	cp "$pki/ca.crt" "$dir/x509ca"
	cp "$pki/$name.crt" "$dir/x509/far.crt"
	cp "$pki/$name.key" "$dir/private"
	stock_end "$stock" ipsec0 42 "${far[@]}"
	CONNECTION=$FAR_IKE PROPOSAL=aes256gcm16-ecp256 LOCAL_TS=10.2.0.0/24 REMOTE_TS=10.1.0.0/24 \
		connection "$stock" t 192.0.2.2 192.0.2.1 far.example near.example
	sed -i 's/auth = psk/auth = pubkey/; s/id = far.example/&\ncerts = far.crt/' "$tmp/$stock/conf"
	charon "$stock"
	load "$stock"
}

# names COMMAND: the names that our daemon lists for get-keys, get-authorities, get-shared
names()
{
	/usr/bin/python3 - "$tmp/$gw/vici" "$1" <<-'END'
		import re, socket, struct, sys
		daemon = socket.socket(socket.AF_UNIX)
		daemon.connect(sys.argv[1])
		request = bytes([0, len(sys.argv[2])]) + sys.argv[2].encode()
		daemon.sendall(struct.pack(">I", len(request)) + request)
		answer = daemon.makefile("rb")
		answer = answer.read(struct.unpack(">I", answer.read(4))[0])
		# Items of a list: 5, two bytes of length, text
		print(*(name.decode() for name in re.findall(rb"\x05\x00.([!-~]+)", answer)))
	END
}

# nothing_left: except certificates, which the daemon cannot unload
nothing_left()
{
	check 'private keys' "$(names get-keys)" ''
	check 'CAs' "$(names get-authorities)" ''
	check 'files of keys' "$(find "$PVSVPN_RUN_DIR" -name '*.key')" ''
	untouched
}

up_by_certificates()
{
	certified "$1"
	our_daemon
	far_certified
	up
	pings "$gw" 10.2.0.1
	pings "$stock" 10.1.0.1
	check status "$(status_of status)" active
	follows_schema
	# A second up is harmless
	up
	pings "$gw" 10.2.0.1
	check 'CAs' "$(names get-authorities)" pvsvpn-site-b
	vpn down site-b >/dev/null
	nothing_left
}

ecdsa() { up_by_certificates ecdsa; }
rsa() { up_by_certificates rsa; }
ed25519() { up_by_certificates ed25519; }

# The peer's certificate is from a CA that the daemon trusts, but not from the connection's CA. Both
# CAs have the same name
certificate_of_another_CA()
{
	certified
	new_ca other ca
	certify fake other ecdsa far
	our_daemon
	operators_ca
	far_certified fake
	not_up cannot_authenticate_connection
	vpn down site-b >/dev/null
	# Keep everything of the operator's
	check 'CAs' "$(names get-authorities)" operators
	check 'private keys' "$(names get-keys)" ''
}

# operators_ca: the daemon trusts this CA for every connection
operators_ca()
{
	cat >"$tmp/operators_ca.conf" <<-END
		authorities {
			operators {
				cacert = $pki/other.crt
			}
		}
	END
	swan "$gw" --load-authorities --file "$tmp/operators_ca.conf" >"$tmp/$gw/loaded" 2>&1 ||
		fail "$(cat "$tmp/$gw/loaded")"
}

# Two connections share a key, and the operator also uses the key of a third one
keys_of_several()
{
	local own

	certified
	certify third ca ecdsa
	our_daemon
	far_certified
	up
	own=$(names get-keys)
	[ -n "$own" ] || fail 'no private key'
	for name in site-c site-d; do
		sed "s/pvs0/$name/; s/10.2.0/10.3.0/; s/= 192.0.2.2/= 192.0.2.9/" \
			"$PVSVPN_CONFIG_DIR/site-b.conf" >"$PVSVPN_CONFIG_DIR/$name.conf"
	done
	sed -i 's/10.3.0/10.4.0/; s/= near.example/= third.example/' "$PVSVPN_CONFIG_DIR/site-d.conf"
	give site-c near ca
	give site-d third ca
	vpn up site-c timeout 0 >/dev/null
	vpn down site-b >/dev/null
	check 'private keys' "$(names get-keys)" "$own"
	vpn down site-c >/dev/null
	check 'private keys' "$(names get-keys)" ''
	# The operator loaded this key before
	mkdir -p "$tmp/$gw/private"
	cp "$pki/third.key" "$tmp/$gw/private"
	: >"$tmp/$gw/none"
	swan "$gw" --load-creds --file "$tmp/$gw/none" >"$tmp/$gw/loaded" 2>&1 ||
		fail "$(cat "$tmp/$gw/loaded")"
	own=$(names get-keys)
	[ -n "$own" ] || fail 'no private key of the operator'
	vpn up site-d timeout 0 >/dev/null
	vpn down site-d >/dev/null
	check 'private keys' "$(names get-keys)" "$own"
}

# While the connection is up, the certificate is renewed with another key
renewed()
{
	local before

	certified
	our_daemon
	far_certified
	up
	before=$(names get-keys)
	certify near ca ecdsa
	give site-b near ca
	up
	check 'private keys' "$(key_count)" 1
	[ "$(names get-keys)" != "$before" ] || fail 'the old key is there'
	pings "$gw" 10.2.0.1
	swan "$gw" --terminate --ike site-b >/dev/null 2>&1
	up
	pings "$gw" 10.2.0.1
	vpn down site-b >/dev/null
	nothing_left
}

# The daemon is restarted: the running process loads everything again, and keeps no key in memory
kept_and_started_anew()
{
	local pid

	certified
	our_daemon
	far_certified
	background "$PVSVPNCTL" -n "$gw" up site-b timeout 20 keep 2 >"$tmp/kept" 2>&1
	pid=$!
	said "$tmp/kept"
	wait_for 'the connection' is active status_of status
	kill -9 "${pids[$gw]}"
	ip -n "$gw" xfrm state flush
	ip -n "$gw" xfrm policy flush
	our_daemon
	wait_for 'the connection' is active status_of status
	pings "$gw" 10.2.0.1
	# Another program makes the daemon unload all keys that are not in that program's files
	: >"$tmp/$gw/none"
	swan "$gw" --load-creds --file "$tmp/$gw/none" >"$tmp/$gw/loaded" 2>&1
	# The daemon's log tells, as the key may be back at once
	grep -q 'unloaded private key' "$tmp/$gw/log" || fail 'the key was not unloaded'
	wait_for 'the private key' is 1 key_count
	pings "$gw" 10.2.0.1
	# Longer than "keep" waits before it would load it once more
	sleep 5
	check 'times that the key was loaded' "$(sed '1,/unloaded private key/d' "$tmp/$gw/log" |
		grep -c 'loaded ANY private key')" 1
	check 'the private key in memory' "$(/usr/bin/python3 "$here/secret_memory.py" $pid \
		--number "$(private_number "$pki/near.key")")" 'not there'
	vpn down site-b >/dev/null
	nothing_left
}

# private_number KEY: of an elliptic curve key, in hexadecimal digits
private_number()
{
	openssl pkey -in "$1" -noout -text | sed -n '/^priv:/,/^pub:/{//d;s/[ :]//g;p}' | tr -d '\n'
}

key_count() { names get-keys | wc -w; }

run_cases ecdsa rsa ed25519 certificate_of_another_CA keys_of_several renewed \
	kept_and_started_anew
