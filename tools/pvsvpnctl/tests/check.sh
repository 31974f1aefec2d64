#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Tests what "pvsvpnctl check" accepts, and what it refuses with one line that says where.
# Needs neither root nor the module.
set -u

top=$(cd "$(dirname "$0")/.." && pwd -P)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export PVSVPN_CONFIG_DIR=$dir
count=0 failed=0

result()
{
	count=$((count + 1))
	[ "$1" = ok ] || failed=1
	printf '%s %d %s\n' "$1" $count "$2"
}

# The file that each test changes; line numbers below refer to it
write_site()
{
	rm -rf "${dir:?}"/*
	cat >"$dir/site-b.conf" <<-END
		[Connection]
		LocalGateway = 192.0.2.1
		PeerGateway = 198.51.100.1
		LocalIdentity = site-a.example
		PeerIdentity = site-b.example
		LocalSubnets = 10.1.0.0/24
		PeerSubnets = 10.2.0.0/24, fd00:2::/64
		IKEPolicy = strong

		[IPsecPolicy]
		Encryption = aes256gcm16
		PFS = 20

		[DeadPeerDetection]
		Interval = 10
	END
	cat >"$dir/policies.conf" <<-END
		[IKEPolicy strong]
		Encryption = aes256
		Authentication = sha384
		DHGroup = 20

		[IPsecPolicy old]
		Encryption = 3des
	END
	(umask 077 && echo 'what both have been told' >"$dir/site-b.secret")
}

check() { "$top/pvsvpnctl" check "$@" 2>&1; }

# verdict STATUS NAME COMMAND...
verdict()
{
	local said status=0

	said=$("${@:3}" 2>&1) || status=$?
	if [ $status -eq "$1" ]; then
		result ok "$2"
	else
		echo "# status $status: $said"
		result 'not ok' "$2"
	fi
}

# takes WHAT [SED-SCRIPT [FILE]]
takes()
{
	write_site
	sed -i "${2-}" "$dir/${3:-site-b.conf}"
	verdict 0 "takes $1" check site-b
}

# is_refused WHAT WORDS: check fails with one line that has the words, and changes no file
is_refused()
{
	local said status=0 before

	before=$(cat "$dir"/* 2>/dev/null | cksum)
	said=$(check site-b) || status=$?
	if [ $status -ne 0 ] && [ "$(wc -l <<<"$said")" -eq 1 ] && [[ $said == *"$2"* ]] &&
		[ "$(cat "$dir"/* 2>/dev/null | cksum)" = "$before" ]; then
		result ok "refuses $1"
	else
		echo "# status $status, wanted: $2"
		printf '# %s\n' "$said"
		result 'not ok' "refuses $1"
	fi
}

# refuses WHAT WORDS SED-SCRIPT [FILE]
refuses()
{
	write_site
	sed -i "$3" "$dir/${4:-site-b.conf}"
	is_refused "$1" "$2"
}

# refuses_secret WHAT WORDS CONTENT
refuses_secret()
{
	write_site
	printf %s "$3" >"$dir/site-b.secret"
	is_refused "$1" "$2"
}

echo 'TAP version 13'
takes 'a whole file'
takes 'white space and comments' 's/^/  /; 1i# why\n\n; the end'
takes 'comments behind values' 's/^\(Interval\|PFS\|Local.*\)/&/; s/[0-9a-z]$/& # why; and how/'
takes 'RouteSource in LocalSubnets' '1aRouteSource = 10.1.0.7'
takes 'RouteSource of each family' '1aRouteSource = 10.1.0.7 , fd00:1::7
	s/^LocalSub.*/&, fd00:1::\/64/'
takes 'RouteSource in TunnelAddress' '1aRouteSource = 169.254.7.1\nTunnelAddress = 169.254.7.1/30'
takes 'RouteSource in several keys' '1aRouteSource = 10.1.0.7\nRouteSource = fd00:1::7
	s/^LocalSub.*/&, fd00:1::\/64/'
takes 'the smallest MTU' '1aMTU = 68
	s/, fd00:2.*//'
takes 'the smallest MTU for IPv6' '1aMTU = 1280'
takes 'the smallest MSS' '1aMSS = 216'
takes 'the largest MSS' '1aMSS = 65535'
takes 'no clamping of the MSS' '1aMSS = off'
takes 'halves of all addresses' 's/^PeerSub.*/PeerSubnets = 0.0.0.0\/1, 128.0.0.0\/1\nRoutes = no/'
takes 'multicast and link-local prefixes' 's/^PeerSub.*/&, 224.0.0.0\/4, fe80::\/10, ff02::\/16/'
takes 'a section with a comment' '1s/$/ # why/'
for id in 'fqdn:gw' @gw @@gw@example 'keyid:#61:62' '@#6162' 'C=DE, CN=gw' '{gw}' gw-1.example 10.1.2.3-gw '@#0x61'; do
	takes "the identity $id" "s/^PeerId.*/PeerIdentity=$id/"
done
takes 'the largest MTU' '1aMTU = 65410'
takes 'the least that a file can say' '/^LocalId/d; /^PeerId/d; /^IKEPolicy/d; /^$/,$d'
takes 'the names of the service' 's/aes256gcm16/aes-256-gcm/; s/sha384/sha-384/'
takes 'a default route with routes of one'\''s own' 's/^PeerSub.*/PeerSubnets = 0.0.0.0\/0\nRoutes = no/'
takes 'everything through the tunnel' 's/^PeerSub.*/PeerSubnets = 0.0.0.0\/0, ::\/0/'
takes 'the outer path in another table' 's/^PeerSub.*/PeerSubnets = 198.51.100.0\/24\nRouteTable = 7/'
takes 'a branch of its headquarters' 's/^PeerSub.*/PeerSubnets = 10.0.0.0\/8/'
takes 'headquarters of a branch' 's/^PeerSub.*/PeerSubnets = 10.1.0.128\/25/'
takes 'a gateway in its subnets, with routes of one'\''s own' \
	's/^PeerSub.*/PeerSubnets = 198.51.100.0\/24\nRoutes = no/'
takes 'an old policy, when told so' 's/^IKE.*/IKEPolicy = strong\nAllowLegacy = yes/; s/PFS = 20/PFS = 2/'
takes 'the mark of UTF-8 in front' '1s/^/\xef\xbb\xbf/'
takes 'lines that end as on Windows' 's/$/\r/'
takes 'a list over lines' 's/^PeerSub.*/PeerSubnets = 10.2.0.0\/24,  # why\n# and\n\n  fd00:2::\/64,\n10.3.0.0\/24/'
takes 'a list in several keys' '7aPeerSubnets = 10.3.0.0/24\nPeerSubnets = 10.4.0.0/24'
write_site
{
	sed '/^PeerSub/d; /^IKEPolicy/,$d' "$dir/site-b.conf"
	printf 'PeerSubnets = '
	for ((i = 0; i < 254; i++)); do printf '10.2.%d.%d/30, ' $((i / 64)) $((i % 64 * 4)); done
	echo 'fd00:2::/64'
} >"$dir/long" && mv "$dir/long" "$dir/site-b.conf"
verdict 0 'takes a long list' check site-b
listed() { [ "$(check site-b swanctl | grep -oE '10\.2\.[0-9.]+/30|fd00:2::/64' | sort -u | wc -l)" = "$1" ]; }
verdict 0 'all of a long list reach strongSwan' listed 255
sed -i 's/fd00:2::\/64/&, fd00:3::\/64/' "$dir/site-b.conf"
is_refused 'a list that no message of IKE can carry' ':7: PeerSubnets: 256 prefixes are too many, IKE carries 255'

# says WHAT WORDS [SED-SCRIPT]: the configuration for strongSwan has the words
says()
{
	write_site
	sed -i "${3-}" "$dir/site-b.conf"
	verdict 0 "$1" has_words "$2"
}
has_words() { grep -F -- "$1" <<<"$(check site-b swanctl)" || { check site-b swanctl; false; }; }

# of SECTION LINE...: a script that replaces all policies by this section
of() { printf '/^IKEPolicy/d; s/^PeerSub.*/&\\n[%s]' "$1"; printf '\\n%s' "${@:2}"; printf '/; /^$/,$d'; }

says 'GCM is offered first, CBC behind it' \
	$'\tproposals = aes256gcm16-prfsha384-prfsha256-ecp256,aes256-sha256-ecp256' "$(of IKEPolicy)"
says 'the same for ESP' 'esp_proposals = aes256gcm16,aes256-sha256' "$(of IKEPolicy)"
says 'IKEv1 has no GCM' $'\tproposals = aes256-sha256-ecp256' \
	"$(of IKEPolicy 'Version = 1'); s/, fd00:2::\/64//"
says 'IKEv1 has a proposal for each combination' \
	$'\tproposals = aes256-sha384-ecp384,aes256-sha384-ecp256,aes256-sha256-ecp384,aes256-sha256-ecp256' \
	"$(of IKEPolicy 'Version = 1' 'Encryption = aes256' 'Authentication = sha384, sha256' 'DHGroup = 20, 19'); s/, fd00:2::\/64//"
says 'types that are addresses' 'id = 192.0.2.9' 's/^PeerId.*/PeerIdentity = 192.0.2.9\nPeerIdentityType = ipv4/'
says 'lists are in their order' $'\tproposals = aes256gcm16-prfsha384-prfsha256-ecp384-ecp256,aes256-sha384-sha256-ecp384-ecp256' \
	"$(of IKEPolicy 'Encryption = aes256gcm16, aes256' 'Authentication = sha384, sha256' 'DHGroup = 20, 19')"
says 'each run of a kind is a proposal' 'esp_proposals = aes128gcm16-aes256gcm16,aes256-sha512,aes192gcm16' \
	"$(of IPsecPolicy 'Encryption = aes128gcm16,aes256gcm16,aes256,aes192gcm16' 'Authentication = sha512')"
says 'the weaker mode of two keeps its function' $'\tproposals = aes128gcm16-aes256gcm16-prfsha384-prfsha256-curve25519' \
	"$(of IKEPolicy 'Encryption = aes128gcm16,aes256gcm16' 'DHGroup = 31')"
says 'groups, or none' 'esp_proposals = aes256-sha256-ecp384-curve25519-modpnone' \
	"$(of IPsecPolicy 'Encryption = aes256' 'PFS = 20, off, 31')"
says 'an additional key exchange in IKE' $'\tproposals = aes256gcm16-prfsha384-prfsha256-ecp384-ke1_mlkem1024-ke1_mlkem768' \
	"$(of IKEPolicy 'Encryption = aes256gcm16' 'DHGroup = 20' 'AdditionalKeyExchange = mlkem1024, ml-kem-768')"
says 'an additional key exchange, or none, in ESP' 'esp_proposals = aes256gcm16-ecp384-ke1_mlkem768-ke1_none' \
	"$(of IPsecPolicy 'Encryption = aes256gcm16' 'PFS = 20' 'AdditionalKeyExchange = mlkem768, none')"
says 'no additional key exchange' 'esp_proposals = aes256gcm16-ecp384'$'\n' \
	"$(of IPsecPolicy 'Encryption = aes256gcm16' 'PFS = 20' 'AdditionalKeyExchange = none')"
says 'a list may be in several keys' 'esp_proposals = aes256-aes128-sha256' \
	"$(of IPsecPolicy 'Encryption = aes256' 'Encryption = aes128')"
says 'types of identities' 'id = "keyid:site-b.example"' '1aPeerIdentityType = key_id'
says 'the service'\''s word for waiting' 'keyingtries = 1' '1aEstablishMode = peer_only'
says 'who waits does not restart' 'dpd_action = clear' '1aInitiate = no'
says 'who begins restarts' 'dpd_action = restart'

write_site
sed -i '7s/$/,\n 10.2.7.0\/30\nPeerSubnets = 10.2.8.0\/30/' "$dir/site-b.conf"
verdict 0 'all of a list over lines and keys reach strongSwan' listed 3

refuses 'an unknown key' 'site-b.conf:4: [Connection] has no key "Identity"' 's/^LocalI/I/'
refuses 'a key in other capitals' ':7: [Connection] has no key "peersubnets"; it is written PeerSubnets' \
	's/PeerSubnets/peersubnets/'
refuses 'a key twice' ':3: the key was there before' '2p'
refuses 'a section twice' ':14: this section was there before' 's/DeadPeerDetection/Connection/'
refuses 'an unknown section' ':14: [Dead] does not belong here' 's/DeadPeerDetection/Dead/'
refuses 'a named policy in the file' 'policies.conf' 's/^\[IPsecPolicy/& x/'
refuses 'a section without an end' ':1: the section has no end' '1s/]//'
refuses 'a key outside of a section' ':1: the key is in no section' '1iMTU = 1400'
refuses 'a line that is none' ':12: not a line of an INI file' 's/PFS = 20/PFS 20/'
refuses 'a key that is needed' ':1: PeerGateway is missing' '/^PeerGateway/d'
refuses 'no address and no identity' 'LocalIdentity is missing' '/^Local[GI]/d'
refuses 'no [Connection]' 'no section [Connection]' '1,9d'
refuses 'a bad prefix' ':7: PeerSubnets: "10.2.0.0/33" is not valid' 's/^PeerSub.*/PeerSubnets = 10.2.0.0\/33/'
for id in %any 0.0.0.0 :: 0::0 '*.example' 10.0.0.0/8 10.0.0.1-10.0.0.9 192.0.2.9/gw 2001:db8::1/site 'fqdn:^.+$'; do
	refuses "an identity of anybody: $id" ":5: PeerIdentity: \"$id\" is not valid" "s|^PeerId.*|PeerIdentity = $id|"
done
refuses 'a word twice' ':11: Encryption: "aes256, aes256" is not valid; expected each word once' \
	's/aes256gcm16/aes256, aes256/'
refuses 'an old word among good ones' ':11: Encryption: no longer safe' 's/aes256gcm16/aes256gcm16,3des/'
refuses 'a hash for GCM alone' ':12: Authentication: this encryption authenticates by itself' \
	'/^PFS/d; s/aes256gcm16/&\nAuthentication = sha256/'
refuses 'no hash for CBC' 'Authentication: this encryption does not authenticate' \
	's/aes256gcm16/aes256gcm16, aes256\nAuthentication = none/'
refuses 'none for CBC' 'Authentication: none is for encryption that authenticates' \
	's/aes256gcm16/aes256\nAuthentication = none, sha256/'
refuses 'an address of another type' ':5: PeerIdentity: "site-b.example" cannot be of type ipv4: not an address' \
	'7aPeerIdentityType = ipv4'
takes 'a key ID that a name cannot be' 's/^PeerId.*/PeerIdentity = group*1\nPeerIdentityType = key_id/'
for id in '{}:gw' '{ 2}:gw' ipv4:192.0.2.1 ipv4net:192.0.2.0/24 asn1dn:CN=gw '{0}:gw' '{2}:gw' '@#gw' 'keyid:#0X61' keyid: 'fqdn:#6162' @; do
	refuses "the identity $id" ":5: PeerIdentity: \"$id\" is not valid: " "s|^PeerId.*|PeerIdentity=$id|"
done
refuses 'a type and a notation' ':5: PeerIdentity: "@gw" cannot be of type fqdn: a DNS name has no @' \
	's/^PeerId.*/PeerIdentity = @gw\nPeerIdentityType = fqdn/'
refuses 'a type of identity that is none' ':8: PeerIdentityType: "x" is not valid' '7aPeerIdentityType = x'
refuses 'two words on who begins' ':9: EstablishMode and Initiate say the same; keep one' \
	'7aInitiate = no\nEstablishMode = peer_only'
refuses 'a blank within a prefix' ':7: PeerSubnets: "10.2.0.1 0/24" is not valid' \
	's/^PeerSub.*/PeerSubnets = 10.2.0.1 0\/24/'
refuses 'a list that ends in a comma' ':7: PeerSubnets: "10.2.0.0/24, fd00:2::/64," is not valid' '7s/$/,/'
refuses 'a fault behind a list over lines' ':10: [Connection] has no key "Nokey"' \
	'7s/$/,\n10.3.0.0\/24,\n10.4.0.0\/24\nNokey = 1/'
refuses 'UTF-16' 'the text is UTF-16; save it as UTF-8' '1s/^/\xff\xfe/'
refuses 'host bits' ':6: LocalSubnets: 10.1.0.1/24 has host bits; write 10.1.0.0/24' 's/10.1.0.0/10.1.0.1/'
refuses 'a subnet in another' ':7: PeerSubnets: 10.2.0.128/25 overlaps 10.2.0.0/24' \
	's/^PeerSub.*/PeerSubnets = 10.2.0.0\/24,10.2.0.128\/25/'
refuses 'two sites with the same addresses' ':7: PeerSubnets: 10.1.0.0/24 is one of LocalSubnets, too' \
	's/^PeerSub.*/PeerSubnets = 10.1.0.0\/24/'
refuses 'a subnet with the outer path in it' ':7: PeerSubnets: 198.51.100.0/24 holds PeerGateway' \
	's/^PeerSub.*/PeerSubnets = 198.51.100.0\/24/'
refuses 'a route for everything in the main table' ':7: PeerSubnets: 0.0.0.0/0 holds PeerGateway 198.51.100.1' \
	's/^PeerSub.*/PeerSubnets = 0.0.0.0\/0\nRouteTable = main/'
refuses 'two families outside' ':2: LocalGateway and PeerGateway are of different families' \
	's/^LocalG.*/LocalGateway = fd00::1/'
refuses 'itself as the peer' ':3: PeerGateway is the same as LocalGateway' 's/198.51.100.1/192.0.2.1/'
refuses 'a multicast peer' ':3: PeerGateway is no address of a host' 's/198.51.100.1/224.0.0.1/'
for addr in 0.0.0.0 127.0.0.1 255.255.255.255 :: ::1 fe80::1 ff02::1 ::ffff:192.0.2.1; do
	refuses "the peer $addr" 'Gateway' "/^LocalG/d; s/198.51.100.1/$addr/"
done
refuses 'a local address of no host' ':2: LocalGateway is no address of a host' 's/192.0.2.1/224.0.0.1/'
for subnet in 127.0.0.0/8 127.1.0.0/16 0.0.0.0/8 255.255.255.255/32 ::1/128 ::ffff:10.0.0.0/104; do
	refuses "the subnet $subnet" ":7: PeerSubnets: a tunnel cannot carry " "s|^PeerSub.*|PeerSubnets = $subnet|"
done
refuses 'an interface with a multicast address' ':2: TunnelAddress: 224.0.0.1/24 cannot be' \
	'1aTunnelAddress = 224.0.0.1/24'
refuses 'an address twice' ':2: TunnelAddress: 10.9.0.1 is there twice' '1aTunnelAddress = 10.9.0.1/24, 10.9.0.1/32'
refuses 'the table of the host' ':2: RouteTable: "255" is not valid' '1aRouteTable = 255'
refuses 'a tab in an interface' ':2: Interface: ' '1aInterface = pvs\t0'
refuses 'text behind a section' ':1: a section stands alone in its line' '1s/$/ Mode = route/'
write_site
tr '\n' '\r' <"$dir/site-b.conf" >"$dir/new" && mv "$dir/new" "$dir/site-b.conf"
is_refused 'lines that end as on an old Mac' 'its lines end in CR alone'
refuses 'a name with a blank' ':3: PeerGateway: "gw example" is not valid' 's/198.51.100.1/gw example/'
refuses 'a label that begins with a dash' ':3: PeerGateway: "gw.-a" is not valid' 's/198.51.100.1/gw.-a/'
refuses 'a label of 64 characters' ':3: PeerGateway: "a' "s/198.51.100.1/$(printf 'a%.0s' {1..64})/"
refuses 'an address of three numbers' ':3: PeerGateway: "198.51.100" is not valid' 's/198.51.100.1/198.51.100/'
refuses 'a name, and everything in the tunnel' ':3: PeerGateway is a name, and PeerSubnets takes everything' \
	's/198.51.100.1/gw.example/; s/^PeerSub.*/PeerSubnets = 0.0.0.0\/0/'
refuses 'quotation marks in an identity' ':4: LocalIdentity:' 's/site-a.example/a"}b/'
refuses 'the mode policy' ':2: Mode: "policy" is not valid; expected route' '1aMode = policy'
refuses 'a reserved interface' 'Interface: "all" is not valid' '1aInterface = all'
refuses 'a long interface' 'Interface: "pvs-0123456789ab" is not valid' '1aInterface = pvs-0123456789ab'
refuses 'an if_id of 0' 'IfID: "0" is not valid' '1aIfID = 0'
refuses 'neither yes nor no' ':2: Routes: "on" is not valid; expected yes or no' '1aRoutes = on'
refuses 'an interval too short' ':15: Interval: "1" is not valid; expected 2 to 60 seconds' 's/= 10$/= 1/'
refuses 'an octal interval' ':15: Interval: "010" is not valid' 's/= 10$/= 010/'
refuses 'an octal prefix' ':7: PeerSubnets: "10.2.0.0/024" is not valid' \
	's/^PeerSub.*/PeerSubnets = 10.2.0.0\/024/'
refuses 'an MTU too small' ':2: MTU: "67" is not valid; expected auto, or 68 to 65410 bytes' '1aMTU = 67'
refuses 'an MTU too large' ':2: MTU: "65411" is not valid' '1aMTU = 65411'
refuses 'an MTU too small for IPv6' ':2: MTU: 1279 bytes are too few for the IPv6' '1aMTU = 1279'
for mss in 215 65536 2; do
	refuses "an MSS of $mss" ":2: MSS: \"$mss\" is not valid; expected auto, off, or 216 to 65535" "1aMSS = $mss"
done
refuses 'a word behind RouteSource' ':2: RouteSource: "10.1.0.7 10.1.0.8" is not valid' \
	'1aRouteSource = 10.1.0.7 10.1.0.8'
refuses 'RouteSource outside' ':2: RouteSource: in none of LocalSubnets' '1aRouteSource = 10.9.0.1'
refuses 'two RouteSources of a family' ':2: RouteSource: "10.1.0.1, 10.1.0.2" is not valid' \
	'1aRouteSource = 10.1.0.1, 10.1.0.2'
refuses 'RouteSource of another family' ':2: RouteSource: none of PeerSubnets is of its family' \
	's/, fd00:2.*//; 1aRouteSource = fd00:1::1'
refuses 'a replay window too small' ':2: ReplayWindow: "31" is not valid; expected 32 to 4096 packets' \
	'1aReplayWindow = 31'
takes 'the largest replay window' '1aReplayWindow = 4096'
refuses 'GCM and a hash' ':12: Authentication: this encryption authenticates by itself' \
	's/PFS = 20/Authentication = sha256/'
refuses 'CBC without a hash' 'Authentication: this encryption does not authenticate' \
	's/aes256gcm16/aes256/; s/PFS = 20/Authentication = none/'
refuses 'an old group' ':12: PFS: no longer safe; AllowLegacy = yes' 's/PFS = 20/PFS = 2/'
refuses 'an additional key exchange without PFS' ':13: AdditionalKeyExchange: it needs PFS with groups' \
	's/PFS = 20/PFS = 20, off\nAdditionalKeyExchange = mlkem768/'
refuses 'an unknown key exchange' ':13: AdditionalKeyExchange: "kyber3" is not valid; expected words' \
	's/PFS = 20/&\nAdditionalKeyExchange = kyber3/'
refuses 'an additional key exchange in IKEv1' 'policies.conf:3: AdditionalKeyExchange: IKEv1 has no additional' \
	'2s/.*/&\nAdditionalKeyExchange = mlkem768\nVersion = 1/' policies.conf
refuses 'an additional key exchange of ESP in IKEv1' ':1: IKEv1 has no additional key exchange, and the IPsec policy' \
	"$(of IPsecPolicy 'PFS = 20' 'AdditionalKeyExchange = mlkem768'); s/, fd00:2::\/64//
	s/\[IPsecPolicy/[IKEPolicy]\nVersion = 1\n&/"
refuses 'a short life' 'Lifetime: at least 1800 s' 's/PFS = 20/Lifetime = 300/'
refuses 'a policy that is not there' ':8: no [IKEPolicy weak] in' 's/strong/weak/'
refuses 'a policy of both files' 'the connection names IPsecPolicy old already' '1aIPsecPolicy = old'
refuses 'an old named policy' 'policies.conf:7: Encryption: no longer safe' \
	'/^$/,$d; 1aIPsecPolicy = old'
refuses 'a nameless policy' 'policies.conf:1: [IKEPolicy] needs a name' 's/ strong//' policies.conf
refuses 'a bad policy of others' 'policies.conf:7: Encryption: "des" is not valid' 's/3des/des/' policies.conf
refuses 'two subnets in IKEv1' 'site-b.conf:7: IKEv1 agrees on one prefix of each site' \
	'1aVersion = 1' policies.conf
refuses 'GCM in IKEv1' 'Version: IKEv1 has no such encryption' \
	'2s/.*/Version = 1\nEncryption = aes256gcm16/; 3d' policies.conf

refuses_secret 'a short secret' 'a secret has 6 to 128 characters' 'short'
refuses_secret 'a long secret' 'a secret has 6 to 128 characters' "$(printf %129s x | tr ' ' y)"
refuses_secret 'hex as a secret' 'does not begin with 0x or 0s' '0x0123456789'
refuses_secret 'two lines of secret' 'one line of printable ASCII' $'not one\nbut two'
refuses_secret 'a second line far behind' 'one line of printable ASCII' "$(printf 'abcdef%.0s\n' 1; printf '\n%.0s' {1..130}; echo second)"
refuses_secret 'a file much longer than a secret' 'one line of printable ASCII' "$(printf 'abcdef\n'; printf '\n%.0s' {1..2000}; echo second)"
refuses_secret 'a blank behind a secret' 'a blank at its begin or end' 'both have been told '
refuses_secret 'a secret that is not ASCII' 'one line of printable ASCII' $'both h\xc3\xa4ve been told'
refuses_secret 'a secret with DEL' 'one line of printable ASCII' $'both have\x7f been told'
write_site
chmod 640 "$dir/site-b.secret"
is_refused 'a secret that others read' 'site-b.secret: secret is open to group or others (mode 640); chmod 600'
rm -f "$dir/site-b.secret"
is_refused 'no secret' 'site-b.secret: No such file or directory'

# ---- certificates ----

# openssl_req ARGUMENTS...: a certificate for 30 days, with a new key unless one is given
openssl_req() { openssl req -x509 -days 30 -nodes "$@" 2>/dev/null; }

certs=$(mktemp -d)
trap 'rm -rf "$dir" "$certs"' EXIT
(
	cd "$certs" && umask 077
	ec=(-newkey ec -pkeyopt ec_paramgen_curve:P-256)
	openssl_req "${ec[@]}" -keyout ca.key -out ca.crt -subj /CN=ca -addext basicConstraints=critical,CA:TRUE
	for name in site-a other; do
		openssl_req "${ec[@]}" -keyout $name.key -out $name.crt -subj "/C=DE/CN=$name" \
			-CA ca.crt -CAkey ca.key \
			-addext "subjectAltName=DNS:$name.example,IP:192.0.2.1,email:$name@example.com" \
			-addext basicConstraints=CA:FALSE
	done
	openssl x509 -req -in <(openssl req -new -key site-a.key -subj /CN=old) \
		-CA ca.crt -CAkey ca.key -days -1 -out old.crt \
		-extfile <(echo 'subjectAltName=DNS:site-a.example') 2>/dev/null
	openssl pkey -aes128 -passout pass:x -in site-a.key -out locked.key
)

# write_certificates: gives the site certificates, and no secret
write_certificates()
{
	write_site
	sed -i '1aAuthentication = certificate' "$dir/site-b.conf"
	rm "$dir/site-b.secret"
	cp "$certs/site-a.crt" "$dir/site-b.crt"
	cp "$certs/site-a.key" "$dir/site-b.key"
	cp "$certs/ca.crt" "$dir/site-b.ca"
}

# takes_identity IDENTITY
takes_identity()
{
	write_certificates
	sed -i "s/^LocalIdentity.*/LocalIdentity = $1/" "$dir/site-b.conf"
	verdict 0 "takes the identity $1 of a certificate" check site-b
}

takes_identity site-a.example
takes_identity 192.0.2.1
takes_identity site-a@example.com
takes_identity @site-a.example
takes_identity fqdn:site-a.example
takes_identity email:site-a@example.com
takes_identity 'C=DE, CN=site-a'

# refuses_certificate WHAT WORDS FILE FROM...: replaces one of the three files
refuses_certificate()
{
	write_certificates
	cat "${@:4}" >"$dir/site-b.$3"
	is_refused "$1" "$2"
}

for id in keyid:site-a.example @192.0.2.1 fqdn:192.0.2.1; do
	write_certificates
	sed -i "s/^LocalIdentity.*/LocalIdentity = $id/" "$dir/site-b.conf"
	is_refused "the identity $id of a certificate" "the certificate is not of LocalIdentity $id"
done

cd "$certs" || exit
refuses_certificate 'the key of another certificate' 'site-b.key: not the key of the certificate in' key other.key
refuses_certificate 'a key with a password' 'site-b.key: the private key has a password' key locked.key
refuses_certificate 'a certificate as a key' 'site-b.key: there is no private key in it' key ca.crt
refuses_certificate 'an empty certificate' 'site-b.crt: there is no certificate in it' crt /dev/null
refuses_certificate 'a key as a certificate' 'site-b.crt: there is no certificate in it' crt other.key
refuses_certificate 'several certificates' 'site-b.ca: there are several certificates in it' ca ca.crt other.crt
refuses_certificate 'a CA that is none' 'site-b.ca: not the certificate of a CA' ca other.crt
refuses_certificate 'an expired certificate' 'site-b.crt: the certificate has expired' crt old.crt
refuses_certificate 'a certificate that is very long' 'site-b.crt: too long' crt <(yes | head -c 70000)
write_certificates
sed -i 's/^LocalIdentity.*/LocalIdentity = gw.example/' "$dir/site-b.conf"
is_refused 'a certificate of somebody else' 'site-b.crt: the certificate is not of LocalIdentity gw.example'
write_certificates
chmod 640 "$dir/site-b.key"
is_refused 'a key that others read' 'site-b.key: private key is open to group or others (mode 640); chmod 600'
write_certificates
chmod 666 "$dir/site-b.ca"
is_refused 'a CA that others write' 'site-b.ca: others can write to it (mode 666)'
for file in crt key ca; do
	write_certificates
	rm "$dir/site-b.$file"
	is_refused "no .$file" "site-b.$file: No such file or directory; write the"
done
refuses 'another word for Authentication' ':2: Authentication: "x509" is not valid; expected secret' \
	'1aAuthentication = x509'
cd / || exit

write_site
chmod 666 "$dir/site-b.conf"
is_refused 'a file that others change' 'site-b.conf: others can write to it (mode 666); chmod go-w'
chmod 644 "$dir/site-b.conf"
chmod 646 "$dir/policies.conf"
is_refused 'policies that others change' 'policies.conf: others can write to it (mode 646); chmod go-w'
if [ "$(id -u)" = 0 ]; then
	write_site
	chown 65534 "$dir/site-b.conf"
	is_refused 'a file of somebody else' 'site-b.conf: belongs to user 65534, who can change it; chown root'
fi
write_site
chmod 777 "$dir"
is_refused 'a directory in which others write' "$dir: others can write to it (mode 777); chmod go-w"
chmod 700 "$dir"
for name in site.b $'s\xc3\xadte' "$(printf 'x%.0s' {1..48})"; do
	write_site
	cp "$dir/site-b.conf" "$dir/$name.conf"
	names_it() { check | grep -q "$name.conf is not read: a connection's name has 1 to 47" && ! check; }
	verdict 0 "names a file that is not read: $name" names_it
done
write_site
touch "$dir/.site-b.conf"
verdict 0 'leaves hidden files alone' check

write_site
sed 's/^Local[GI].*//; 4aLocalIdentity = c' "$dir/site-b.conf" >"$dir/site-c.conf"
is_refused 'the subnets of another connection' 'overlaps 10.2.0.0/24 of'
sed -i '1aRouteMetric = 10' "$dir/site-c.conf"
verdict 0 'takes the same subnets with another metric' check site-b
sed -i '1aInterface = site-b' "$dir/site-c.conf"
is_refused 'the interface of another' 'Interface site-b is that of'
sed -i 's/^Interface.*//; 1aIfID = 7' "$dir/site-c.conf"
sed -i '1aIfID = 7' "$dir/site-b.conf"
is_refused 'the if_id of another' 'if_id 0x7 is that of'

write_site

# another_takes_all SED-SCRIPT: the script changes the file of the other connection
another_takes_all()
{
	write_site
	sed "s/^Local[GI].*//; s/198.51.100.1/198.51.100.9/; 4aLocalIdentity = c
		s/^PeerSub.*/PeerSubnets = 0.0.0.0\/0/; $1" "$dir/site-b.conf" >"$dir/site-c.conf"
	cp -p "$dir/site-b.secret" "$dir/site-c.secret"
}

another_takes_all ''
is_refused 'a gateway that another tunnel takes along' ':3: PeerGateway 198.51.100.1 is in 0.0.0.0/0 of'
verdict 0 'takes a tunnel for everything beside one that is not up' check site-c
mkdir "$dir/run"
echo 'interface site-b' >"$dir/run/site-b.state"
verdict 1 'refuses a tunnel that would take along one that is up' \
	env PVSVPN_RUN_DIR="$dir/run" "$top/pvsvpnctl" check site-c
rm -rf "$dir/run" && mkdir "$dir/run" && mkfifo "$dir/run/site-b.state"
verdict 0 'waits for no FIFO in the place of a state' \
	env PVSVPN_RUN_DIR="$dir/run" timeout 10 "$top/pvsvpnctl" check site-c
for command in status 'status site-b' 'down site-b'; do
	chmod 777 "$dir/run"
	# shellcheck disable=SC2086 # words
	verdict 1 "$command believes no directory in which others write" \
		env PVSVPN_RUN_DIR="$dir/run" timeout 10 "$top/pvsvpnctl" $command
	chmod 700 "$dir/run"
done
verdict 2 'down policies is a mistake' env PVSVPN_RUN_DIR="$dir/run" "$top/pvsvpnctl" down policies
rm -rf "$dir/run"
another_takes_all '1aRouteMetric = 10'
sed -i 's/^PeerSub.*/PeerSubnets = 0.0.0.0\/0/' "$dir/site-b.conf"
is_refused 'two that take everything' ':7: PeerSubnets: '"$dir"'/site-c.conf:9 takes everything, too'
another_takes_all '1aRouteTable = 7'
verdict 0 'takes everything in a table of one'\''s own beside another' check site-b
write_site
sed 's/10.2.0/10.3.0/; s/fd00:2/fd00:3/' "$dir/site-b.conf" >"$dir/site-c.conf"
(umask 077 && echo 'what both have been told' >"$dir/site-c.secret")
verdict 0 'takes the same identities with the same secret' check
(umask 077 && echo 'what one has been told' >"$dir/site-c.secret")
is_refused 'the same identities with another secret' 'have the same identities and different secrets'

# two_secrets IDENTITY TYPE IDENTITY TYPE: two connections to such peers, with different secrets
two_secrets()
{
	write_site
	sed "s/10.2.0/10.3.0/; s/fd00:2/fd00:3/; s|^PeerId.*|PeerIdentity=$3\nPeerIdentityType = $4|" \
		"$dir/site-b.conf" >"$dir/site-c.conf"
	sed -i "s|^PeerId.*|PeerIdentity=$1\nPeerIdentityType = $2|" "$dir/site-b.conf"
	(umask 077 && echo 'what one has been told' >"$dir/site-c.secret")
}

# one_identity IDENTITY TYPE IDENTITY TYPE: the daemon could not tell them apart
one_identity()
{
	two_secrets "$@"
	is_refused "$1 ($2) and $3 ($4) with different secrets" 'the same identities and different secrets'
}

one_identity gw.example auto GW.example auto
one_identity gw.example auto gw.example fqdn
one_identity gw.example auto @gw.example auto
one_identity gw.example auto fqdn:gw.example auto
one_identity gw.example fqdn dns:gw.example auto
one_identity 2001:db8::1 auto 2001:0db8:0::1 ipv6
one_identity a@b.example auto email:a@b.example auto
one_identity a@b.example email @@A@b.example auto
one_identity 'C=DE, CN=b' auto 'C=DE,CN=b' auto
one_identity 'C=DE, CN=b' auto '/C=DE/CN=b' auto
one_identity 'E=a@b, CN=x' auto 'emailAddress=A@b, CN=x' auto
one_identity 'E=a_b@x' auto 'E=A_b@x' auto
one_identity ab key_id 'keyid:#0x6162' auto
one_identity '@#61:62' auto ab key_id
for other in 'gw.example key_id' 'gwx.example auto' 'gw.example@gw.example auto'; do
	two_secrets gw.example auto "${other% *}" "${other#* }"
	verdict 0 "takes gw.example and ${other% *} (${other#* }) with different secrets" check
done
while IFS='|' read -r one other; do
	two_secrets "$one" auto "$other" auto
	verdict 0 "takes the subjects $one and $other with different secrets" check
done <<-END
	CN=ab|CN=a b
	CN=a_b|CN=a_B
	CN=a@b|CN=A@b
	UN=a|UN=A
	CN=a/OU=b|CN=a, OU=b
END

write_site
head -c 10M /dev/zero >"$dir/site-b.conf"
is_refused '10 MB of noise' '10485760 bytes are too many'
head -c 60000 /dev/urandom >"$dir/site-b.conf"
is_refused 'noise' 'site-b.conf'
rm "$dir/site-b.conf"
is_refused 'no file' 'site-b.conf: No such file or directory'
mkfifo "$dir/site-b.conf"
verdict 1 'refuses a pipe' timeout 10 "$top/pvsvpnctl" check site-b
for name in policies ../site-b -x 'a b'; do
	verdict 2 "refuses the name $name" "$top/pvsvpnctl" check -- "$name"
done

# JSON output follows its schema
follows_schema()
{
	python3 - "$top/pvsvpnctl.schema.json" "$1" <<-'END'
		import json, sys, jsonschema
		schema = json.load(open(sys.argv[1]))
		schema["$ref"] = "#/$defs/" + sys.argv[2]
		jsonschema.validate(json.load(open("/dev/fd/3")), schema)
	END
} 3<<<"$printed"
for bad in '' 's/^Peer.*//'; do
	write_site
	sed -i "$bad" "$dir/site-b.conf"
	printed=$("$top/pvsvpnctl" -j check)
	verdict 0 "check --json follows its schema${bad:+, of a file that is not valid}" follows_schema check
done
valid() { "$top/pvsvpnctl" -j check site-b | tr -d ' \n' | grep -q "\"valid\":$1"; }
verdict 0 'check --json says what is not valid' valid false
write_site
verdict 0 'check --json says what is valid' valid true
write_site
cp "$dir/site-b.conf" "$dir/site.b.conf"
printed=$("$top/pvsvpnctl" -j check)
verdict 0 'check --json follows its schema, with a name that is not read' follows_schema check
names_bad() { jq -e '[.connections[] | select(.valid | not).name] == ["site.b"]' <<<"$printed"; }
verdict 0 'check --json has a file that is not read' names_bad
write_site
printed=$("$top/pvsvpnctl" -j policies)
verdict 0 'policies --json follows its schema' follows_schema policies


# The output of "connection show" is a file of the same connection
same_again()
{
	local first second

	first=$("$top/pvsvpnctl" connection show site-b) || return
	second=$first
	printf '%s\n' "$first" >"$dir/site-b.conf"
	second=$("$top/pvsvpnctl" connection show site-b) && [ "$first" = "$second" ] &&
		[ "$(check site-b swanctl)" = "$1" ]
}
# shows WHAT [SED-SCRIPT]
shows()
{
	write_site
	sed -i "${2-}" "$dir/site-b.conf"
	verdict 0 "connection show prints $1" same_again "$(check site-b swanctl)"
	printed=$("$top/pvsvpnctl" -j connection show site-b)
	verdict 0 "connection show --json follows its schema, $1" follows_schema connection_list
}
shows 'a named policy'
shows 'default policies' '/^IKEPolicy/d; /^$/,$d'
shows 'IKEv1' "$(of IKEPolicy 'Version = 1' 'Encryption = aes256, aes128' 'AdditionalKeyExchange = none')
	s/, fd00:2::\/64//"
shows 'every key' 's/, fd00:2.*//; 1aInitiate = no\nEncapsulation = auto\nReplayWindow = 64\nMTU = 1400\nMSS = off\nRoutes = no\nRouteMetric = 7\nRouteTable = 9\nRouteSource = 10.1.0.9\nFwMark = 0x20\nWithdrawRoutes = yes\nIfID = 77\nTunnelAddress = 169.254.7.1/30, fd00:7::1/64\nInterface = pvs7\nSecretFile = /x y
	s/Interval = 10/Action = clear\nInterval = 3\nThreshold = 2/'
shows 'types of identities' 's/^LocalIdentity = .*/LocalIdentity = gw\nLocalIdentityType = key_id/'
shows 'the main table' '1aRouteTable = main'
shows 'an identity that begins like a comment' 's/^LocalIdentity = .*/LocalIdentity =#0102\nLocalIdentityType = key_id/'
shows 'certificates' '1aAuthentication = certificate\nCAFile = /etc/ca.pem'
shows 'an old policy' 's/^IKE.*/IKEPolicy = strong\nAllowLegacy = yes/; s/PFS = 20/PFS = 2/'
shows 'a name of a peer' 's/^PeerGateway.*/PeerGateway = gw.example/'
write_site
echo nonsense >"$dir/site-c.conf"
printed=$("$top/pvsvpnctl" -j connection list)
verdict 0 'connection list --json follows its schema' follows_schema connection_list
listed() { jq -e '[.connections[] | [.name, .status]] == [["site-b", "disabled"], ["site-c", "invalid"]]' <<<"$printed"; }
verdict 0 'connection list has a file that is not valid' listed
verdict 0 'connection list is a table' grep -qE '^site-b +disabled +198.51.100.1 .* strong +- +site-b' \
	<("$top/pvsvpnctl" connection list)
verdict 1 'connection show of a file that is not valid' "$top/pvsvpnctl" connection show site-c
verdict 2 'connection show needs a name' "$top/pvsvpnctl" connection show
rm "$dir/site-c.conf"

# Each installed example is valid by itself
for example in "$top"/examples/*.conf; do
	name=$(basename "$example" .conf)
	[ "$name" != policies ] || continue
	rm -rf "${dir:?}"/*
	cp "$example" "$top/examples/policies.conf" "$dir"
	(umask 077 && echo 'what both have been told' >"$dir/$name.secret")
	verdict 0 "the example $name.conf is valid" "$top/pvsvpnctl" check "$name"
done

# The manual of the files describes each key
for key in $("$top/pvsvpnctl" check --help | sed -n 's/^  \([A-Z][A-Za-z]*\)$/\1/p'); do
	verdict 0 "the documentation has $key" \
		grep -q "^\`\`$key\`\`" "$top/../../Documentation/pvsvpn.conf.rst"
done

echo "1..$count"
exit $failed
