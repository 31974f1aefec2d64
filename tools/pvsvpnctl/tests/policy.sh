#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Tests "pvsvpnctl policy": what it changes in policies.conf, and what it leaves alone. Needs neither
# root nor the module.
set -u

top=$(cd "$(dirname "$0")/.." && pwd -P)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export PVSVPN_CONFIG_DIR=$dir/etc PVSVPN_PRESET_DIR=$top/presets
file=$PVSVPN_CONFIG_DIR/policies.conf
# shellcheck source=tools/pvsvpnctl/tests/verdict.sh
. "$top/tests/verdict.sh"

policy() { "$top/pvsvpnctl" policy "$@"; }
json() { "$top/pvsvpnctl" -j policy "$@"; }

# content [TEXT]: starts with a file of that text, or without one
content()
{
	rm -rf "$PVSVPN_CONFIG_DIR"
	mkdir -m 700 "$PVSVPN_CONFIG_DIR"
	[ $# -eq 0 ] || printf %s "$1" >"$file"
}

# has TEXT: the file is exactly that
has() { diff <(printf %s "$1") "$file"; }

# state: the files, and what is in policies.conf
state() { printf '%s\n' "$PVSVPN_CONFIG_DIR"/*; cksum "$file" 2>&1; }

# refused STATUS WORDS COMMAND...: fails with one line that has the words, and changes nothing
refused()
{
	local before said status=0

	before=$(state)
	said=$("${@:3}" 2>&1) || status=$?
	[ $status -eq "$1" ] && [ "$(wc -l <<<"$said")" -eq 1 ] && [[ $said == *"$2"* ]] &&
		[[ $said != *$'\e'* ]] &&
		[ "$before" = "$(state)" ] && return
	echo "status $status: $said"
	return 1
}

# query FILTER COMMAND...: jq finds it true in the output of the command
query()
{
	"${@:2}" >"$dir/out" || return
	jq -e "$1" "$dir/out" >/dev/null || { cat "$dir/out"; return 1; }
}

follows_schema()
{
	json "$@" >"$dir/out" || return
	python3 - "$top/pvsvpnctl.schema.json" "$dir/out" <<-'END'
		import json, sys, jsonschema
		schema = json.load(open(sys.argv[1]))
		schema["$ref"] = "#/$defs/policy_list"
		jsonschema.validate(json.load(open(sys.argv[2])), schema)
	END
}

ike='[IKEPolicy strong]
Version = 2
Encryption = aes256gcm16, aes256
Authentication = sha384
PRF = sha384
DHGroup = 20, 19
AdditionalKeyExchange = mlkem768, none
Lifetime = 7200
'
add_strong()
{
	policy add ike strong encryption aes256gcm16,aes256 authentication sha384 prf sha384 \
		dh-group 20,19 additional-key-exchange mlkem768,none lifetime 7200
}

# ---- add ----

content
verdict 'no file is an empty list' query '.policies == []' json list
prints_nothing() { policy list >"$dir/out" && [ ! -s "$dir/out" ]; }
verdict 'no file prints nothing' prints_nothing
verdict 'add with every word' add_strong
verdict 'the file has the words' has "$ike"
verdict 'it can be read by all' test "$(stat -c %a "$file")" = 644
verdict 'a second one of the name is refused' refused 1 \
	"$file:1: [IKEPolicy strong] is there already; edit it there" policy add ike strong
verdict 'the other kind may have the name' policy add ipsec strong pfs 20,off
verdict 'the defaults are written, after an empty line' has "$ike
[IPsecPolicy strong]
Encryption = aes256gcm16, aes256
Authentication = sha256
PFS = 20, off
Lifetime = 3600
"
content
verdict 'IKEv1 has no GCM by default' policy add ike old version 1
verdict 'so the file says' grep -qx 'Encryption = aes256' "$file"
content '[IKEPolicy a] # without a newline'
verdict 'a file without a newline at its end' policy add ike b
verdict 'it gets one' test "$(sed -n 2,3p "$file")" = $'\n[IKEPolicy b]'
content
rm -r "$PVSVPN_CONFIG_DIR"
verdict 'the directory is made' policy add ike a
verdict 'others cannot look into it' test "$(stat -c %a "$PVSVPN_CONFIG_DIR")" = 700

content
verdict 'no kind is refused' refused 2 'no such kind; expected preset, ike or ipsec' policy add esp x
verdict 'no name is refused' refused 2 'ike: the name is missing' policy add ike
for name in '' -x a.b 'a b' ../x "$(printf 'x%.0s' {1..48})"; do
	verdict "the name \"$name\" is refused" refused 2 "a policy's name has 1 to 47 letters" \
		policy add -- ike "$name"
done
verdict 'an unknown word is refused' refused 2 'encryption: "des" is not valid; expected words' \
	policy add ike x encryption des
verdict 'a word of the other kind is refused' refused 2 'pfs: an IKE policy has no PFS; leave it out' \
	policy add ike x pfs 20
verdict 'a word of IKE is refused for IPsec' refused 2 'version: an IPsec policy has no Version' \
	policy add ipsec x version 2
verdict 'words that do not fit are refused' refused 2 'Authentication: this encryption authenticates' \
	policy add ike x encryption aes256gcm16 authentication sha384
verdict 'a PRF in IKEv1 is refused' refused 2 'PRF: IKEv1 takes the hash of Authentication' \
	policy add ike x version 1 prf sha256
verdict '"none" is no PRF' refused 2 'prf: "none" is not valid; expected names of hashes' \
	policy add ike x prf none
verdict 'nothing was written' test ! -e "$file"
content '[IKEPolicy a]
Encryption = des
'
verdict 'a file that is not valid is refused' refused 1 "$file:2: Encryption: \"des\" is not valid" \
	policy add ike b
content "$(printf '[IKEPolicy a]\n'; head -c 65480 /dev/zero | tr '\0' '#')"
verdict 'a file that becomes too large is refused' refused 1 'would have more than 65536 bytes' \
	policy add ike b

# Each of many at once must survive
content
for i in {1..20}; do
	policy add ike "p$i" &
done
wait
verdict 'twenty at once are all there' query '.policies | length == 20' json list
verdict 'no other file is left' test "$(ls -A "$PVSVPN_CONFIG_DIR")" = $'.lock\npolicies.conf'

content
exec 8>"$PVSVPN_CONFIG_DIR/.lock"
flock 8
verdict 'a lock that is held is named' refused 6 'another pvsvpnctl is changing files' policy add ike a
exec 8>&-
content
ln -s /etc/passwd "$PVSVPN_CONFIG_DIR/.lock"
verdict 'a planted lock is not followed' refused 1 '.lock: Too many levels of symbolic links' policy add ike a
content
echo '# kept elsewhere' >"$dir/elsewhere"
chmod 640 "$dir/elsewhere"
ln -s ../elsewhere "$file"
verdict 'a symbolic link' policy add ike a
verdict 'the link stays' test -L "$file"
verdict 'its file has the policy' grep -q IKEPolicy "$dir/elsewhere"
verdict 'the mode stays' test "$(stat -c %a "$dir/elsewhere")" = 640

content
ln -s /nowhere/policies.conf "$file"
verdict 'a link to a file that is missing is refused' refused 1 'No such file' policy add ike a
content
limited() { (ulimit -f 0 && policy add ike a); }
verdict 'a file that may not grow' refused 1 'File too large' limited
content
touch "$file.pvsvpnctl"
verdict 'a file of a killed command is no obstacle' policy add ike a
verdict 'it is gone' test ! -e "$file.pvsvpnctl"
verdict 'a policy that is no longer safe is named' grep -q AllowLegacy <(policy add ike old encryption 3des)

# ---- delete ----

# deletes WHAT BEFORE AFTER: of the policies a, b and c, b is deleted
deletes()
{
	content "$2"
	verdict "delete: $1" policy del ike b
	verdict "the rest stays: $1" has "$3"
}
deletes 'the last one' $'[IKEPolicy a]\n\n[IKEPolicy b]\n' $'[IKEPolicy a]\n\n'
deletes 'the first one' $'[IKEPolicy b]\nVersion = 2\n\n[IKEPolicy c]\n' $'[IKEPolicy c]\n'
deletes 'the only one, and a comment above it' $'# mine\n[IKEPolicy b]\n' $'# mine\n'
deletes 'its comments' $'[IKEPolicy b]\n# why\nVersion = 2\n\n# of b\nLifetime = 7200\n# end\n\n[IKEPolicy c]\n' \
	$'[IKEPolicy c]\n'
deletes 'a comment above the next one' $'[IKEPolicy b]\nVersion = 2\n# about c\n[IKEPolicy c]\n' \
	$'# about c\n[IKEPolicy c]\n'
deletes 'a comment apart' $'[IKEPolicy b]\nVersion = 2\n\n# apart\n\n# about c\n[IKEPolicy c]\n' \
	$'# apart\n\n# about c\n[IKEPolicy c]\n'
deletes 'a comment at the end' $'[IKEPolicy b]\nVersion = 2\n\n# vim: set ts=8\n' $'# vim: set ts=8\n'
deletes 'a list in several lines' $'[IKEPolicy a]\n[IKEPolicy b]\nDHGroup = 20,\n\n\t19\n[IKEPolicy c]\n' \
	$'[IKEPolicy a]\n[IKEPolicy c]\n'
deletes 'lines of Windows' $'[IKEPolicy b]\r\nVersion = 2\r\n\r\n[IKEPolicy c]\r\n' $'[IKEPolicy c]\r\n'
deletes 'no newline at the end' $'[IKEPolicy a]\n[IKEPolicy b]\nVersion = 2' $'[IKEPolicy a]\n'

deletes 'an LF before a CR' $'[IKEPolicy b]\nVersion = 2\n\r[IKEPolicy c]\n' $'\r[IKEPolicy c]\n'
deletes 'a CR before a key' $'[IKEPolicy a]\n[IKEPolicy b]\n\n# apart\n\rDHGroup = 21\n' $'[IKEPolicy a]\n'

content $'[IKEPolicy a]\n'
for _ in 1 2 3; do
	policy add ike b
	policy del ike b
done
verdict 'add and del, again and again' has $'[IKEPolicy a]\n\n'

content $'[IKEPolicy a]\n[IPsecPolicy b]\n'
verdict 'no such policy is refused' refused 1 "no [IKEPolicy b] in $file; pvsvpnctl policy list" policy del ike b
content $'[IKEPolicy a]\n[IPsecPolicy a]\n'
printf '[Connection]\nIKEPolicy = a\n' >"$PVSVPN_CONFIG_DIR/site-b.conf"
verdict 'a policy that is named is refused' refused 1 "$file:1: connection site-b names it" policy del ike a
verdict 'list says who names it' query '[.policies[].connections] == [["site-b"], []]' json list
verdict 'the other kind is not named' policy del ipsec a
printf '[connection]\nIKEPolicy = b\nikepolicy = a\n' >"$PVSVPN_CONFIG_DIR/site-b.conf"
verdict 'a file that is not valid names it, too' refused 1 'connection site-b names it' policy del ike a
echo nonsense >"$PVSVPN_CONFIG_DIR/site-b.conf"
verdict 'a file that cannot be read may name it' refused 1 'connection site-b may name it, and' policy del ike a
incomplete() { ! json list >"$dir/out" 2>"$dir/said" && jq -e '.policies | length == 1' "$dir/out" && grep -q site-b.conf:1 "$dir/said"; }
verdict 'list works without that file, and says so' incomplete
shown() { ! json show a >"$dir/out" 2>"$dir/said" && jq -e '.policies | length == 1' "$dir/out"; }
verdict 'so does show' shown

# ---- show and list ----

content
add_strong
policy add ipsec strong encryption aes128gcm16
verdict 'list is a table' diff - <(policy list | tr -s ' ') <<-END
	KIND NAME VERSION ENCRYPTION AUTHENTICATION PRF GROUPS ADDITIONAL LIFETIME CONNECTIONS
	ike strong 2 aes256gcm16,aes256 sha384 sha384 20,19 mlkem768,none 7200 -
	ipsec strong - aes128gcm16 none - off - 3600 -
END
verdict 'show has both kinds' test "$(policy show strong | grep -c '^\[')" -eq 2
verdict 'show prints what strongSwan offers' grep -qx \
	'# offers aes256gcm16-prfsha384-ecp384-ecp256-ke1_mlkem768-ke1_none' <(policy show strong)
verdict 'CBC has the PRF, too' grep -qx \
	'# offers aes256-sha384-prfsha384-ecp384-ecp256-ke1_mlkem768-ke1_none' <(policy show strong)
policy show strong >"$dir/shown"
content "$(cat "$dir/shown")"
verdict 'what show prints is a file' query '.policies | length == 2' json list
verdict 'an unknown name is refused' refused 1 'no such policy in' policy show weak
verdict 'show needs a name' refused 2 'the name is missing' policy show
verdict 'list takes no other word' refused 2 'all: no such option' policy list all
for words in list 'list presets' 'show strong' 'show preset aws'; do
	# shellcheck disable=SC2086 # words
	verdict "$words --json follows its schema" follows_schema $words
done
policy add ipsec old encryption 3des
verdict 'list says what is no longer safe' \
	query '[.policies[] | select(.legacy).name] == ["old"]' json list
verdict 'no escape in a name reaches the terminal' refused 1 '?[31mred: no such policy' policy show $'\e[31mred'
content $'[IKEPolicy a]\nEncryption = \e[31mred\n'
verdict 'no escape in a file reaches the terminal' refused 1 'Encryption: "?[31mred" is not valid' policy list
verdict 'no JSON if it fails' test -z "$(json list 2>/dev/null)"
head -c 100M /dev/zero >"$file"
verdict '100 MB are refused' refused 1 '104857600 bytes are too many' policy list

# ---- presets ----

# Each value has a comment directly above it, and the file says where that is from and when
sourced()
{
	awk '/=/ && !/^#/ && before !~ /^#/ { print; bad = 1 } { before = $0 } END { exit bad }' "$1" &&
		grep -qE '^# (The source is|Sources are) ' "$1" && grep -qE '20[0-9]{2}' "$1"
}

for preset in "$PVSVPN_PRESET_DIR"/*.conf; do
	name=$(basename "$preset" .conf)
	content
	verdict "preset $name" policy add preset "$name"
	verdict "$name has both kinds, and nothing unsafe" query \
		"[.policies[] | select(.name == \"$name\" and (.legacy | not)).kind] == [\"ike\", \"ipsec\"]" json list
	verdict "$name is copied with its sources" diff "$file" <(policy show preset "$name")
	verdict "$name has a source and a date" sourced "$preset"
	policy del ike "$name"
	policy del ipsec "$name"
	verdict "$name goes with its comments" has ''
done
content $'[IPsecPolicy aws]\n'
verdict 'a preset with a name in use is refused' refused 1 '[IPsecPolicy aws] is there already' policy add preset aws
verdict 'an unknown preset is refused' refused 1 'no such preset in' policy add preset oracle
mkdir "$dir/presets"
printf '# mine\n[IKEPolicy x]\n# \e[31mred\n\n[IPsecPolicy x]\n' >"$dir/presets/x.conf"
: >"$dir/presets/empty.conf"
ln -s /nowhere "$dir/presets/gone.conf"
mine() { PVSVPN_PRESET_DIR=$dir/presets policy "$@"; }
content
verdict "an operator's own preset" mine add preset x
verdict 'the whole file is copied' cmp "$file" "$dir/presets/x.conf"
verdict 'show prints no escape' grep -qx '# ?\[31mred' <(mine show preset x)
verdict 'an empty preset is refused' refused 1 'empty.conf: it has no policy' mine add preset empty
verdict 'list has the presets that are valid' grep -q '^ipsec x' <(mine list presets 2>/dev/null)
verdict 'a path is no preset' refused 1 'no such preset in' policy add preset ../examples/policies
verdict 'no presets are refused' refused 1 'no presets; make install' \
	env PVSVPN_PRESET_DIR="$dir/none" "$top/pvsvpnctl" policy list presets

echo "1..$count"
exit $failed
