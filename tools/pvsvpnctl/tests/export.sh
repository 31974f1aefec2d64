#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Tests "pvsvpnctl export": its output for each vendor against files in git, against the grammars of
# the vendors' languages, and for each word of the policies. Needs neither root nor the module.
#
# After a change on purpose, GOLDEN=write writes the files anew; read the difference before you
# commit it.
set -u

top=$(cd "$(dirname "$0")/.." && pwd -P)
data=$top/tests/export
book=$top/../../Documentation/export.rst
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export PVSVPN_CONFIG_DIR=$dir/etc
# shellcheck source=tools/pvsvpnctl/tests/verdict.sh
. "$top/tests/verdict.sh"

export_() { "$top/pvsvpnctl" export "$@"; }

mapfile -t vendors < <(export_ --help | sed -n '/^Vendors:/,$s/^  \([^ ]*\) .*/\1/p')
title() { export_ --help | sed -n "/^Vendors:/,\$s/^  $1  *//p"; }

# ---- whole files ----

mkdir -m 700 "$PVSVPN_CONFIG_DIR"
cp "$data"/etc/*.conf "$PVSVPN_CONFIG_DIR"
for name in site-b names old waits; do
	(umask 077 && echo ExamplePsk0123456789 >"$PVSVPN_CONFIG_DIR/$name.secret")
done

# is_golden VENDOR NAME: the export is the file in git
is_golden()
{
	local file=$data/golden/$1-$2

	export_ "$2" --for "$1" >"$dir/out" || return
	[ "${GOLDEN-}" != write ] || cp "$dir/out" "$file"
	diff "$file" "$dir/out"
}

# refused WORDS COMMAND...: fails with one line that has the words, and prints nothing else
refused()
{
	local said

	said=$("${@:2}" 2>&1 >"$dir/out") && { echo 'it was not refused'; return 1; }
	[ "$(wc -l <<<"$said")" -eq 1 ] && [[ $said == *"$1"* ]] && [[ $said != *$'\e'* ]] &&
		[ ! -s "$dir/out" ] && return
	echo "$said"
	return 1
}

# Why a vendor's gateway cannot have a connection of the tests
declare -A refusals=(
	[ios-xe-old]='there is no IKEv1; take version 2'
	[asa-names]='its tunnel needs addresses; add TunnelAddress'
	[asa-old]='there is no IKEv1; take version 2'
	[libreswan-waits]='packets inside its own site would go into the tunnel; name smaller prefixes'
	[openwrt-waits]='packets inside its own site would go into the tunnel; name smaller prefixes'
	[ibm-vpc-old]='it receives ESP only in UDP; set Encapsulation = udp'
)

for vendor in "${vendors[@]}"; do
	for name in site-b names old waits; do
		if [ "${refusals[$vendor-$name]-}" ]; then
			verdict "$vendor: $name is refused" \
				refused "${refusals[$vendor-$name]}" export_ "$name" --for "$vendor"
		else
			verdict "$vendor: $name is as in git" is_golden "$vendor" "$name"
		fi
	done
done

grammar() { /usr/bin/python3 "$data/check_grammar.py" "$@"; }

for file in "$data"/grammar/*; do
	vendor=${file##*/}
	verdict "$vendor: the files follow the grammar, and use all of it" \
		grammar -u "$file" "$book" "$data/golden/$vendor"-*
done

# strongSwan and Libreswan read their files in selftests/service/export.sh
verdict 'each other vendor has a grammar' test "$(ls "$data/grammar" | wc -l)" -eq $((${#vendors[@]} - 2))

not_in_grammar()
{
	! grammar "$1" "$book" "$2" >"$dir/out" && grep -q 'not in the grammar: ' "$dir/out"
}

# A grammar that takes everything would pass, so it must refuse another vendor's file
for file in "$data"/grammar/*; do
	vendor=${file##*/}
	others=("$data"/golden/strongswan-site-b "$data"/golden/srx-site-b)
	[ "$vendor" != srx ] || others=("$data"/golden/vyos-site-b)
	for other in "${others[@]}"; do
		verdict "$vendor: the grammar refuses ${other##*/}" not_in_grammar "$file" "$other"
	done
done

# ---- every word ----

# policy_of KEY WORD: writes connection "word", whose policies are made around the word
policy_of()
{
	local ike_encryption=aes256 ike_hash=sha256 prf='' group=20 additional='' key=${1#* }
	local esp_encryption=aes256 esp_hash=sha256 pfs=off esp_additional=''

	case $1 in
	'IKE Encryption') ike_encryption=$2 ;;
	'IKE Authentication') ike_hash=$2 ;;
	'IKE PRF') ike_hash=$2 prf=$2 ;;
	'IKE DHGroup') group=$2 ;;
	'IKE AdditionalKeyExchange') additional=$2 ;;
	'IPsec Encryption') esp_encryption=$2 ;;
	'IPsec Authentication') esp_hash=$2 ;;
	'IPsec PFS') pfs=$2 ;;
	'IPsec AdditionalKeyExchange') pfs=20 esp_additional=$2 ;;
	esac
	[ "$key" != Encryption ] || [[ $ike_encryption != *gcm* ]] || ike_hash=none
	[ "$key" != Encryption ] || [[ $esp_encryption != *gcm* ]] || esp_hash=none
	cat <<-END
		[Connection]
		LocalGateway = 203.0.113.10
		PeerGateway = 198.51.100.20
		LocalSubnets = 10.10.0.0/16
		PeerSubnets = 10.20.1.0/24
		TunnelAddress = 169.254.10.1/30
		AllowLegacy = yes
		[IKEPolicy]
		Encryption = $ike_encryption
		Authentication = $ike_hash
		${prf:+PRF = $prf}
		DHGroup = $group
		${additional:+AdditionalKeyExchange = $additional}
		[IPsecPolicy]
		Encryption = $esp_encryption
		Authentication = $esp_hash
		PFS = $pfs
		${esp_additional:+AdditionalKeyExchange = $esp_additional}
	END
}

# words KIND PLACE: the real words of a kind that IKE or IPsec policies may have
words()
{
	"$top/pvsvpnctl" -j policies | jq -r --arg kind "$1" --arg place "$2" \
		'.[$kind][] | select(.[$place] and .word != "none") | .word'
}

# try_words VENDOR KEY WORD...: each is exported, or refused by name; adds to the table of those
# that are refused
try_words()
{
	local vendor=$1 key=$2 word wrong=0 without=() title

	title=$(title "$vendor")

	for word in "${@:3}"; do
		policy_of "$key" "$word" >"$PVSVPN_CONFIG_DIR/word.conf"
		if export_ word --for "$vendor" >"$dir/words/${key// /-}-$word" 2>"$dir/said"; then
			! grep 'Left out: .* policy: ' "$dir/words/${key// /-}-$word" || wrong=1
		else
			rm "$dir/words/${key// /-}-$word"
			# The word of a PRF is the hash, too
			[[ $(<"$dir/said") == *": word: $title has no ${key#* } $word; "* ||
				$key$(<"$dir/said") == "IKE PRF"*" has no Authentication $word; "* ]] ||
				{ cat "$dir/said"; wrong=1; }
			without+=("$word")
		fi
	done
	[ ${#without[@]} -eq 0 ] || echo "$vendor: $key: ${without[*]}" >>"$dir/without"
	return $wrong
}

# distinct VENDOR: no two words of a key have the same export, and what differs is as in git. The
# grammar would not see one word in place of another
distinct()
{
	local file=$data/words/$1

	/usr/bin/python3 - "$dir/words" >"$dir/distinct" <<-'END' || return
		import collections, os, sys
		os.chdir(sys.argv[1])
		keys = {}
		for name in sorted(os.listdir()):
		    key, _, word = name.rpartition("-")
		    lines = open(name).read().splitlines()
		    keys.setdefault(key, {})[word] = collections.Counter(lines)
		for key, exports in keys.items():
		    for word, lines in exports.items():
		        others = [text for other, text in exports.items() if other != word]
		        own = [line.strip() for line in lines
		               if all(lines[line] > text[line] for text in others)]
		        print(f"{key.replace('-', ' ')} {word}: {'; '.join(own)}")
		        if not own and others:
		            sys.exit(f"{key} {word}: the export of another word is the same")
	END
	[ "${GOLDEN-}" != write ] || cp "$dir/distinct" "$file"
	diff "$file" "$dir/distinct"
}

# all_words VENDOR: every word of every key
all_words()
{
	local vendor=$1 wrong=0 kind row

	rm -rf "$dir/words"
	mkdir "$dir/words"
	for row in 'encryption ike IKE Encryption' 'authentication ike IKE Authentication' \
		'authentication ike IKE PRF' 'dh_group ike IKE DHGroup' \
		'additional_key_exchange ike IKE AdditionalKeyExchange' \
		'encryption ipsec IPsec Encryption' 'authentication ipsec IPsec Authentication' \
		'dh_group ipsec IPsec PFS' \
		'additional_key_exchange ipsec IPsec AdditionalKeyExchange'; do
		read -r kind place key <<<"$row"
		mapfile -t list < <(words "$kind" "$place")
		[ ${#list[@]} -ge 3 ] || { echo "no words of $kind"; wrong=1; }
		try_words "$vendor" "$key" "${list[@]}" || wrong=1
	done
	[ ! -e "$data/grammar/$vendor" ] ||
		grammar "$data/grammar/$vendor" "$book" "$dir"/words/* || wrong=1
	distinct "$vendor" || wrong=1
	return $wrong
}

for vendor in "${vendors[@]}"; do
	verdict "$vendor: each word is exported, or refused by name" all_words "$vendor"
done

verdict 'no file in git is left over' test "$(ls "$data/golden" | wc -l)" -eq \
	$((${#vendors[@]} * 4 - ${#refusals[@]}))

# The literal block in the book
verdict 'the book has the words that vendors do not have' diff "$dir/without" \
	<(sed -n '/^\.\. words that vendors do not have/,/^How it/s/^    //p' "$book")

# ---- lists, of which a part is left ----

verdict 'a list of which a part is left' grep -qx \
	'# Left out: Encryption aes256gcm16 of the IKE policy: the vendor does not have it' \
	<(export_ site-b for mikrotik)
verdict 'PFS is one group' grep -qx '# Left out: PFS 14 of the IPsec policy: the vendor takes one' \
	<(export_ site-b for vyos)
verdict 'GCM or CBC' grep -qx \
	'# Left out: Encryption aes256 of the IPsec policy: the vendor cannot have it beside GCM' \
	<(export_ site-b for ibm-vpc)

# connection [SED-EXPRESSION]: site-b, changed, is the connection "changed"
connection()
{
	sed -e "${1-}" "$data/etc/site-b.conf" >"$PVSVPN_CONFIG_DIR/changed.conf"
}

connection 's/^DHGroup.*/&\nPRF = sha256/'
verdict 'a hash that would be the PRF' grep -qx \
	'# Left out: Authentication sha384 of the IKE policy: the vendor would take it as the PRF, too' \
	<(export_ changed for libreswan)
verdict 'a PRF that the key length excludes' grep -qx \
	"# Left out: Encryption aes256gcm16 of the IKE policy: the vendor's PRF for it is not in the policy" \
	<(export_ changed for srx)
connection 's/^DHGroup.*/&\nPRF = sha512/'
verdict 'GCM is left if no hash is a PRF' grep -qx \
	'# Left out: Encryption aes256 of the IKE policy: the hash is the PRF there, and .*' \
	<(export_ changed for libreswan)
connection '/IKEPolicy/,/IPsec/{s/aes256gcm16, //;s/^DHGroup.*/&\nPRF = sha512/}'
verdict 'no hash is left' refused 'the hash is the PRF, and Authentication has no PRF of the policy' \
	export_ changed for libreswan
connection '/IKEPolicy/,/IPsec/{s/, aes256$//;s/^Auth.*/Authentication = none/;s/^DHGroup.*/&\nPRF = sha256/}'
verdict 'no combined mode is left' refused 'the key length decides on the PRF of GCM' export_ changed for srx

# ---- what cannot be ----

verdict 'the name is missing' refused 'export: the name is missing' export_
verdict 'the vendor is missing' refused 'for is missing; add for VENDOR' export_ site-b
verdict 'an unknown vendor' refused '"cisco" is not valid; expected strongswan, libreswan, ios-xe, asa,' \
	export_ site-b for cisco
verdict 'capitals' export_ site-b for ASA
verdict 'an unknown connection' refused 'site-z.conf: No such file' export_ site-z for asa
for name in '' 'a b' 'a"b' $'a\nb' "a'b" "$(printf 'x%.0s' {1..64})"; do
	verdict "the interface \"${name@Q}\"" refused 'outside: ' export_ site-b for asa outside "$name"
done
connection 's/^LocalGateway.*/LocalIdentity = @here.example/'
verdict 'an address is needed' refused 'there is no LocalGateway; say it with "address ADDRESS"' \
	export_ changed for asa
verdict 'the address is given' grep -qx 'tunnel-group 192.0.2.77 type ipsec-l2l' \
	<(export_ changed for asa address 192.0.2.77)
verdict 'the address of the NAT device' grep -qx 'tunnel-group 192.0.2.77 type ipsec-l2l' \
	<(export_ site-b for asa address 192.0.2.77)
connection 's|^LocalSubnets.*|&, 10.11.0.0/16|'
verdict 'several prefixes' refused 'a child SA has one prefix of each end; take one wider prefix' \
	export_ changed for srx
verdict 'several prefixes in one child SA' grep -q 'remote_ts = 10.10.0.0/16,10.11.0.0/16' \
	<(export_ changed for strongswan)
connection 's|^LocalSubnets.*|&, fd00:1::/64|; s|^PeerSubnets.*|&, fd00:2::/64|'
verdict 'IPv6' refused 'IPv6 is exported only for strongswan, libreswan, vyos and openwrt; make a' export_ changed for asa
connection 's/^LocalGateway.*/&\nMTU = 570/'
verdict 'an MTU' refused 'MTU = 570 is not from 576 to 9000' export_ changed for asa
connection 's/^DHGroup.*/&\nLifetime = 599/; s/^LocalGateway.*/&\nAllowLegacy = yes/'
verdict 'a lifetime' refused 'Lifetime = 599 of the IKE policy is less than 600' \
	export_ changed for libreswan
connection 's/^LocalGateway.*/&\nInterface = pvs0/'
cp "$PVSVPN_CONFIG_DIR/changed.conf" "$PVSVPN_CONFIG_DIR/fifteen-letters.conf"
cp "$PVSVPN_CONFIG_DIR/changed.conf" "$PVSVPN_CONFIG_DIR/sixteen--letters.conf"
verdict 'a name of 15 characters' export_ fifteen-letters for fortigate
verdict 'a name of 16 characters' refused 'names have at most 15 characters; take a shorter name' \
	export_ sixteen--letters for fortigate
connection 's/^LocalGateway.*/&\nLocalIdentity = a@example.net/'
verdict 'an e-mail address' refused 'LocalIdentity is an e-mail address; take an address or a name' \
	export_ changed for ibm-vpc

for address in 0.0.0.0 127.0.0.1 224.0.0.1 198.51.100.20; do
	verdict "$address is not one of this gateway" refused '"address" is not one of this gateway' \
		export_ site-b for asa address $address
done
connection 's|^TunnelAddress.*|TunnelAddress = 169.254.9.1/24, 169.254.10.1/30|'
verdict 'the second address of the tunnel' grep -qx ' ip address 169.254.10.2 255.255.255.252' \
	<(export_ changed for asa)
connection 's|^TunnelAddress.*|TunnelAddress = 169.254.10.4/30|'
verdict 'the address of a network' refused 'add TunnelAddress with a /30 or a /31' export_ changed for asa
connection 's/^LocalGateway.*/&\nMSS = 1000\nMTU = 1300/'
verdict 'an MSS' grep -qx ' ip tcp adjust-mss 1000' <(export_ changed for ios-xe)
verdict 'an MSS that the far end cannot have' grep -qx '# Left out: MSS 1000: .*' \
	<(export_ changed for strongswan)
verdict 'an MTU that the far end cannot have' grep -qx '# Left out: MTU 1300: .*' \
	<(export_ changed for mikrotik)
connection 's/^LocalGateway.*/&\nInterface = pvs0/'
cp "$PVSVPN_CONFIG_DIR/changed.conf" "$PVSVPN_CONFIG_DIR/include.conf"
verdict 'a name with a meaning' refused 'the name include has a meaning there' export_ include for strongswan
connection 's/^LocalGateway.*/&\nLocalIdentity = email:bob/'
verdict 'an e-mail address without a domain' refused 'an e-mail address without a domain' \
	export_ changed for libreswan
connection 's/^LocalGateway.*/&\nLocalIdentity = @#0a0b/'
verdict 'a key ID in hex' refused 'LocalIdentity has other characters' export_ changed for srx
verdict 'an interface for which there is no place' refused 'names no such interface; leave it out' \
	export_ site-b for srx inside ge-0/0/9
verdict 'an interface that is given' grep -qx ' tunnel source Gi9' <(export_ site-b for ios-xe outside Gi9)
verdict 'an option is no value' refused 'outside: "" is not valid' \
	export_ site-b --for asa --outside --secret
verdict 'the options of all commands' grep -q '^pvsvpnctl ' <("$top/pvsvpnctl" --version)

# ---- the secret ----

for vendor in "${vendors[@]}"; do
	verdict "$vendor: a placeholder" eval 'export_ site-b for $vendor >$dir/out && ! grep -q ExamplePsk $dir/out'
	verdict "$vendor: the secret if asked for" \
		eval 'export_ site-b for $vendor secret >$dir/out && grep -q ExamplePsk0123456789 $dir/out'
done
connection
verdict 'no secret is needed without the word' export_ changed for asa
verdict 'a secret that is missing' refused changed.secret export_ changed for asa secret
(umask 077 && printf 'a "secret" \\ of signs!\n' >"$PVSVPN_CONFIG_DIR/changed.secret")
for vendor in "${vendors[@]}"; do
	verdict "$vendor: a secret that it cannot write" \
		refused 'cannot write the secret: it has a special character; agree on one of' \
		export_ changed for "$vendor" secret
done

# ---- forms ----

json() { "$top/pvsvpnctl" -j export "$@"; }
follows_schema()
{
	json "$@" >"$dir/out" || return
	/usr/bin/python3 - "$top/pvsvpnctl.schema.json" "$dir/out" <<-'END'
		import json, sys, jsonschema
		schema = json.load(open(sys.argv[1]))
		schema["$ref"] = "#/$defs/export"
		jsonschema.validate(json.load(open(sys.argv[2])), schema)
	END
}
for vendor in "${vendors[@]}"; do
	verdict "$vendor: JSON follows the schema" follows_schema site-b for "$vendor"
done
verdict 'JSON has what was left out' jq -e '.left_out == ["PFS 14 of the IPsec policy: the vendor takes one"]' \
	<(json site-b for vyos)
verdict 'JSON has the text' diff <(json site-b for vyos | jq -r .text) \
	<(export_ site-b for vyos | sed '/^# VyOS/d; /^# Left out/d; /^# Replace/d'; echo)
verdict '--for VENDOR, --for=VENDOR and for VENDOR' eval \
	'export_ site-b for asa >$dir/out && diff $dir/out <(export_ site-b --for asa) &&
	diff $dir/out <(export_ site-b --for=asa)'
verdict 'words with and without dashes' grep -qx ' tunnel source interface wan' \
	<(export_ site-b --for=asa --outside wan --secret)

echo "1..$count"
exit $failed
