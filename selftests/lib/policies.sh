#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# For the tests to source, after connection.sh: every policy that "pvsvpnctl policies" lists, each
# encryption with each authentication and each group, for IKE and IPsec, negotiated with a
# strongSwan that accepts all, and used. The child SA is negotiated separately, as a child SA that
# comes with the IKE SA does not use the PFS group.
#
# All of them take minutes, so two scripts have a half each.
#
# shellcheck disable=SC2154,SC2034 # variables of lib.sh and stock.sh, and for who sources this

# The daemon's names by IANA's group numbers, so as not to depend on the tool's own table
declare -A GROUP=(
	[14]=MODP_2048 [15]=MODP_3072 [16]=MODP_4096 [17]=MODP_6144 [18]=MODP_8192
	[19]=ECP_256 [20]=ECP_384 [21]=ECP_521 [22]=MODP_1024_160 [23]=MODP_2048_224
	[24]=MODP_2048_256 [31]=CURVE_25519 [off]=""
)
declare -A CIPHER=(
	[aes128]='AES_CBC 128' [aes192]='AES_CBC 192' [aes256]='AES_CBC 256'
	[aes128gcm16]='AES_GCM_16 128' [aes192gcm16]='AES_GCM_16 192' [aes256gcm16]='AES_GCM_16 256'
)
declare -A HASH=(
	[sha256]=HMAC_SHA2_256_128 [sha384]=HMAC_SHA2_384_192 [sha512]=HMAC_SHA2_512_256 [none]=""
)
ALL_GROUPS=modp2048-modp3072-modp4096-modp6144-modp8192-ecp256-ecp384-ecp521
ALL_GROUPS+=-modp1024s160-modp2048s224-modp2048s256-curve25519

# combinations ike|ipsec: "encryption authentication group" of everything that is not legacy
combinations()
{
	"$PVSVPNCTL" -j policies | jq -r --arg where "$1" '
		def usable: map(select(.[$where] and (.legacy | not)));
		(.encryption | usable)[] as $e | (.authentication | usable)[] as $a
		| select($e.combined == $a.combined)
		| ((.dh_group | usable | map(.word)) + if $where == "ipsec" then ["off"] else [] end)[]
		| "\($e.word) \($a.word) \(.)"'
}

# lenient_end: a far end that accepts everything, and the proposals $MORE_IKE and $MORE_ESP
lenient_end()
{
	local cbc=aes128-aes192-aes256-sha256-sha384-sha512
	local gcm=aes128gcm16-aes192gcm16-aes256gcm16
	local gcm_ike=aes128gcm16-aes256gcm16-prfsha256-prfsha384

	stock_end "$stock" ipsec0 42 "${far[@]}"
	CONNECTION="proposals = $cbc-$ALL_GROUPS,$gcm_ike-$ALL_GROUPS${MORE_IKE:+,$MORE_IKE}" \
		PROPOSAL=$cbc-$ALL_GROUPS,$gcm-$ALL_GROUPS,$cbc,$gcm${MORE_ESP:+,$MORE_ESP} \
		daemon "$stock" 192.0.2.2 192.0.2.1 far near
}

has_ML_KEM() { swan "$gw" --list-algs | grep -q ML_KEM_768; }

# near_file NAME IKE IPSEC: each policy has three words
near_file()
{
	local ike ipsec

	read -ra ike <<<"$2"
	read -ra ipsec <<<"$3"
	cat >"$PVSVPN_CONFIG_DIR/p.conf" <<-END
		$(site_b 'Encapsulation = auto' 'IfID = 42')
		[IKEPolicy]
		Encryption = ${ike[0]}
		Authentication = ${ike[1]}
		DHGroup = ${ike[2]}
		[IPsecPolicy]
		Encryption = ${ipsec[0]}
		Authentication = ${ipsec[1]}
		PFS = ${ipsec[2]}
	END
	"$PVSVPNCTL" check p swanctl |
		sed "s/^\(\t*\)p {/\1$1 {/; s/^\t\tencap = .*/&\n\t\tchildless = force/"
}

# negotiated: the far end's "cipher bits hash group" of IKE and of the child
negotiated()
{
	swan "$stock" --list-sas --raw | awk '
		{
			gsub(/[{}]/, " & ")
			for (i = 1; i <= NF; i++) {
				depth += $i == "{"
				depth -= $i == "}"
				split($i, pair, "=")
				if (depth == 2 || depth == 4)
					value[depth, pair[1]] = pair[2]
			}
		}
		END {
			for (depth = 2; depth <= 4; depth += 2)
				print value[depth, "encr-alg"], value[depth, "encr-keysize"],
					value[depth, "integ-alg"], value[depth, "dh-group"]
		}'
}

# expected IKE IPSEC: the same, derived from the words of the policies
expected()
{
	local words name

	for name in "$1" "$2"; do
		read -ra words <<<"$name"
		echo "${CIPHER[${words[0]}]} ${HASH[${words[1]}]} ${GROUP[${words[2]}]}"
	done
}

# one NAME IKE IPSEC: brings it up, uses it, ends it; prints why if it fails
one()
{
	swan "$gw" --initiate --ike "$1" --child "$1" --timeout 60 >"$tmp/initiate" 2>&1 ||
		{ tail -n 5 "$tmp/initiate"; return 1; }
	in_ns "$gw" ping -q -c 1 -W 10 -s 200 10.2.0.1 >"$tmp/ping" || { cat "$tmp/ping"; return 1; }
	[ "$(negotiated)" = "$(expected "$2" "$3")" ] ||
		{ echo "negotiated: $(negotiated | xargs), not $(expected "$2" "$3" | xargs)"; return 1; }
	swan "$gw" --terminate --ike "$1" >/dev/null
}

# half_of_policies FIRST: every second policy, from 0 or from 1 on
half_of_policies()
{
	local ike=() ipsec=() i bad=0 count step=14 tried=0

	has_strongswan
	# A busy emulated processor takes seconds for the largest groups
	CHARON=$'retransmit_timeout = 10\nretransmit_tries = 3'
	mapfile -t ike < <(combinations ike)
	mapfile -t ipsec < <(combinations ipsec)
	count=${#ipsec[@]}
	if [ ${#ike[@]} -lt 100 ] || [ "$count" -lt ${#ike[@]} ]; then
		fail "there are ${#ike[@]} policies of IKE and $count of IPsec"
	fi
	# The samples of both halves are a diagonal: they have each encryption and each group
	[ -z "${EVERY-}" ] || checkers_on || step=1
	export PVSVPN_CONFIG_DIR=$tmp/etc
	mkdir -p "$PVSVPN_CONFIG_DIR"
	(umask 077 && echo 'what both have been told' >"$PVSVPN_CONFIG_DIR/p.secret")
	ends
	mkdir -p "$tmp/$gw"
	for ((i = $1 * step; i < count; i += 2 * step)); do
		near_file "p$i" "${ike[i % ${#ike[@]}]}" "${ipsec[i]}"
	done >"$tmp/$gw/conf"
	lenient_end
	pvsvpn_end "$gw" pvs0 42 "${near[@]}"
	charon "$gw"
	load "$gw"
	for ((i = $1 * step; i < count; i += 2 * step)); do
		tried=$((tried + 1))
		one "p$i" "${ike[i % ${#ike[@]}]}" "${ipsec[i]}" >"$tmp/why" && continue
		bad=$((bad + 1))
		report <<<"IKE ${ike[i % ${#ike[@]}]}, IPsec ${ipsec[i]}: $(cat "$tmp/why")"
		swan "$gw" --terminate --ike "p$i" --force >/dev/null || :
	done
	report <<<"there are ${#ike[@]} IKE and $count IPsec policies: $tried pairs of them, $bad failed"
	check 'policies that failed' "$bad" 0
}
