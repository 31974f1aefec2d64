#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Refused requests: each prints one line that names object, attribute and remedy, and changes
# nothing.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# no PATTERN ARGUMENTS...: pvsvpnctl in $left must refuse; unchanged compares the state
no()
{
	local pattern=$1

	shift
	expect_refused "$pattern" ctl "$left" "$@"
}

# unchanged FUNCTION: the function changes no state
unchanged()
{
	local before

	before=$(state_of "$left")
	"$1"
	check state "$(state_of "$left")" "$before"
}

key_files()
{
	umask 077
	"$PVSVPNCTL" genkey aes128gcm16 >"$tmp/key"
	"$PVSVPNCTL" genkey aes256gcm16 >"$tmp/long"
	echo 0011 >"$tmp/short"
	echo 'this is no key' >"$tmp/text"
	head -c 100000 /dev/zero >"$tmp/zeroes"
	: >"$tmp/empty"
	mkdir "$tmp/directory"
}

unknown_names()
{
	no 'nosuch: no such device; see ip link' show nosuch
	no 'nosuch.*no such device' set nosuch mtu 1300
	no 'nosuch.*no such device' peer add nosuch new remote 192.0.2.9
	no 'lo is not a pvsvpn device' peer add lo new remote 192.0.2.9
	no 'pvs0 has no peer nosuch' peer set pvs0 nosuch replay-window 64
	no 'pvs0 has no peer nosuch' peer del pvs0 nosuch
	no 'pvs0 has no peer nosuch' sa add pvs0 nosuch dir in spi 0x9001 \
		transform aes128gcm16 key-file "$tmp/key"
	no 'right has no inbound SA with spi 0x00009001' sa del pvs0 right spi 0x9001 dir in
}

addresses()
{
	no "remote 192.0.2.1 is this host's own; give the peer's" \
		peer add pvs0 new remote 192.0.2.1 subnets 10.9.0.0/16
	no 'remote 224.0.0.9 is a multicast address' peer add pvs0 new remote 224.0.0.9 subnets 10.9.0.0/16
	no 'remote 192.0.2.255 is a subnet.s broadcast' peer set pvs0 right remote 192.0.2.255
	no 'remote 0.0.0.0 is the unspecified address' peer set pvs0 right remote 0.0.0.0
	no 'local and remote are of different families; use one' \
		peer add pvs0 new local fd00::1 remote 192.0.2.9 subnets 10.9.0.0/16
	no 'remote ff02::1 is a multicast address; give the peer.s' \
		peer add pvs0 new remote ff02::1 subnets 10.9.0.0/16
	no "remote ::1 is this host's own" peer set pvs0 right remote ::1
	no "remote :: is the unspecified address" peer set pvs0 right remote ::
	no "remote ::ffff:192.0.2.9 is an IPv4-mapped IPv6 address" \
		peer set pvs0 right remote ::ffff:192.0.2.9
	no 'local and remote are of different families' peer set pvs0 right local fd00::9
	no 'remote is link-local; say its link, as in fe80::1%eth0' \
		peer set pvs0 right remote fe80::9
	no 'no interface nosuch where the device was created' peer set pvs0 right remote fe80::9%nosuch
	no 'no interface nosuch where the device was created' peer set pvs0 right dev nosuch
	no 'local and remote are the same' peer set pvs0 right local 192.0.2.2
}

encapsulations()
{
	local word

	for word in 'sport 4501' 'dport 4501' 'nat-keepalive 5' 'pin on'; do
		# shellcheck disable=SC2086 # words are wanted
		no "${word% *} is for encap udp; leave it out, or set encap" peer set pvs0 right $word
	done
	no 'nat-keepalive' peer set pvs0 right encap udp nat-keepalive 3601
}

subnets()
{
	no 'host bits set; 10.9.0.1/16 means 10.9.0.0/16' \
		peer add pvs0 new remote 192.0.2.9 subnets 10.9.0.1/16
	no "10.2.0.0/16 is peer right's already; take it from there first" \
		peer add pvs0 new remote 192.0.2.9 subnets 10.9.0.0/16,10.2.0.0/16
	no '10.9.0.0/16 is given twice' peer set pvs0 right subnets 10.9.0.0/16,10.9.0.0/16
	no 'pvs0 has a peer right already; use peer set' peer add pvs0 right remote 192.0.2.9
}

windows_and_sizes()
{
	no 'replay-window 31 is out of range; use 32 to 4096' \
		peer add pvs0 new remote 192.0.2.9 subnets 10.9.0.0/16 replay-window 31
	no 'replay-window 4097 is out of range' peer set pvs0 right replay-window 4097
	no 'replay-window 0 is out of range' sa add pvs0 right dir in spi 0x9001 replay-window 0 \
		transform aes128gcm16 key-file "$tmp/key"
	no 'replay-window is for inbound SAs' sa add pvs0 right dir out spi 0x9001 \
		replay-window 64 transform aes128gcm16 key-file "$tmp/key"
	no 'mtu 67 is out of range; pvs0 takes 68' set pvs0 mtu 67
	no 'mtu 70000 is out of range' set pvs0 mtu 70000
}

# add DIR SPI FILE [OPTIONS...]: an SA of peer right
add() { echo sa add pvs0 right dir "$1" spi "$2" transform aes128gcm16 key-file "$tmp/$3" "${@:4}"; }

SPIs()
{
	local spi

	for spi in 0 1 0xff; do
		# shellcheck disable=SC2046 # words are wanted
		no 'is reserved \(RFC 4303\); use 0x100 or higher' $(add in "$spi" key)
	done
	# shellcheck disable=SC2046
	no "spi 0x00001001 is peer right's on pvs0; use another" $(add out 0x1001 key)
	# shellcheck disable=SC2046
	no "spi 0x00001002 is peer right's on pvs0; use another" $(add in 0x1002 key)
	# shellcheck disable=SC2046
	no 'seq 4294967296 is too high; numbers end at 4294967295 without esn' \
		$(add in 0x9001 key seq 4294967296)
	# shellcheck disable=SC2046
	no 'seq 9223372036854775808 is too high; numbers end at 9223372036854775807$' \
		$(add out 0x9001 key esn seq 9223372036854775808)
}

transforms()
{
	local name

	for name in aes128-sha1 3des-sha1 3des-sha256; do
		"$PVSVPNCTL" genkey $name >"$tmp/legacy"
		no "$name is legacy; say legacy if the peer has no better" \
			sa add pvs0 right dir in spi 0x9001 transform $name key-file "$tmp/legacy"
	done
	no 'key has 72 hex digits, aes128-sha256 wants 96 .32 for the key, 64 for the integrity key' \
		sa add pvs0 right dir in spi 0x9001 transform aes128-sha256 key-file "$tmp/long"
}

keys()
{
	local file words

	while IFS=: read -r file words; do
		# shellcheck disable=SC2046 # words are wanted
		no "$tmp/$file: .*$words" $(add in 0x9001 "$file")
	done <<-END
		long:key has 72 hex digits, aes128gcm16 wants 40
		short:key has 4 hex digits
		text:no hex key, aes128gcm16 wants 40 hex digits
		zeroes:no hex key
		empty:key has 0 hex digits
		directory:.
		nosuch:No such file or directory
	END
	chmod 644 "$tmp/key"
	# shellcheck disable=SC2046
	no 'open to group or others' $(add in 0x9001 key)
}

of_unknown_names() { tunnel_up; key_files; unchanged unknown_names; }
of_addresses() { tunnel_up; unchanged addresses; }
of_encapsulations() { tunnel_up; unchanged encapsulations; }
of_subnets() { tunnel_up; unchanged subnets; }
of_windows_and_sizes() { tunnel_up; key_files; unchanged windows_and_sizes; }
of_SPIs() { tunnel_up; key_files; unchanged SPIs; }
of_legacy_transforms() { tunnel_up; key_files; unchanged transforms; }
of_files_that_are_no_key() { tunnel_up; key_files; unchanged keys; }

# An SPI is unique on the host: another device with the same local address cannot use it
of_an_SPI_that_another_device_has()
{
	tunnel_up
	key_files
	ip -n "$left" link add pvs1 type pvsvpn
	ctl "$left" peer add pvs1 other remote 192.0.2.9
	expect_refused_in "$left" "spi 0x00001002 is peer right's on pvs0" \
		ctl "$left" sa add pvs1 other dir in spi 0x1002 transform aes128gcm16 key-file "$tmp/key"
}

of_a_second_peer_that_takes_everything()
{
	wire_up
	ip -n "$left" link add pvs0 type pvsvpn
	ctl "$left" peer add pvs0 all remote 192.0.2.2
	expect_refused_in "$left" 'peer all takes 0.0.0.0/0 already; give this one subnets' \
		ctl "$left" peer add pvs0 new remote 192.0.2.9
}

# SAs of two peers with different remotes may share an outbound SPI, until the remotes are equal
of_a_remote_that_brings_SPIs_together()
{
	tunnel_up
	key_files
	ctl "$left" peer add pvs0 other remote 192.0.2.9 subnets 10.9.0.0/16
	ctl "$left" sa add pvs0 other dir out spi 0x1001 transform aes128gcm16 key-file "$tmp/key"
	expect_refused_in "$left" "spi 0x00001001 is peer right's" \
		ctl "$left" peer set pvs0 other remote 192.0.2.2
}

raw_requests()
{
	tunnel_up
	in_ns "$left" /usr/bin/python3 "$here/refuse_netlink.py" || fail 'see above'
}

# without_right COMMAND...: as root without CAP_NET_ADMIN
without_right() { in_ns "$left" setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$@"; }

# as_stranger COMMAND...: as root of a user namespace unrelated to $left
as_stranger() { in_ns "$left" unshare -Ur "$@"; }

# changes AS: tries every changing command
changes()
{
	expect_refused 'not permitted' "$1" "$PVSVPNCTL" set pvs0 fwmark 5
	expect_refused 'not permitted' "$1" "$PVSVPNCTL" peer add pvs0 new remote 192.0.2.9
	expect_refused 'not permitted' "$1" "$PVSVPNCTL" peer set pvs0 right replay-window 64
	expect_refused 'not permitted' "$1" "$PVSVPNCTL" peer del pvs0 right
	expect_refused 'not permitted' "$1" "$PVSVPNCTL" sa add pvs0 right dir in spi 0x9001 \
		transform aes128gcm16 key-file "$tmp/key"
	expect_refused 'not permitted' "$1" "$PVSVPNCTL" sa del pvs0 right spi 0x1001 dir out
	expect_refused 'not permitted' "$1" "$PVSVPNCTL" show
}

changes_without_right() { changes without_right; }
changes_as_stranger() { changes as_stranger; }

to_whom_lacks_CAP_NET_ADMIN()
{
	tunnel_up
	key_files
	unchanged changes_without_right
	unchanged changes_as_stranger
}

# own_ns: a user and a network namespace of its own; its process is $owner
own_ns()
{
	background unshare -Urn sleep 300
	owner=$background
	wait_for 'the namespaces' sh -c "[ \"\$(readlink /proc/$owner/ns/user)\" != \"\$(readlink /proc/self/ns/user)\" ]"
	wait_for 'its user' grep -q ' 0 ' "/proc/$owner/uid_map"
}

in_own_ns() { nsenter -t "$owner" -U -n --preserve-credentials "$@"; }

# An owner may configure its own namespaces, but not a device created in another one
to_the_owner_of_another_birthplace()
{
	tunnel_up
	own_ns
	in_own_ns ip link set lo up
	in_own_ns ip link add own0 type pvsvpn
	in_own_ns "$PVSVPNCTL" peer add own0 some remote 192.0.2.9
	ip -n "$left" link set pvs0 netns "$owner"
	expect_refused 'needs CAP_NET_ADMIN in the namespace pvs0 was created in' \
		in_own_ns "$PVSVPNCTL" peer del pvs0 right
	grep -q '"name": "right"' <<<"$(nsenter -t "$owner" -n "$PVSVPNCTL" -j show pvs0)" ||
		fail 'the peer is gone'
}

run_cases of_unknown_names of_addresses of_encapsulations of_subnets of_windows_and_sizes of_SPIs \
	of_legacy_transforms of_files_that_are_no_key of_an_SPI_that_another_device_has \
	of_a_second_peer_that_takes_everything of_a_remote_that_brings_SPIs_together raw_requests \
	to_whom_lacks_CAP_NET_ADMIN to_the_owner_of_another_birthplace
