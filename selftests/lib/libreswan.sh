#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# For the tests to source, after lib.sh and stock.sh: Libreswan at the far end
#
# shellcheck disable=SC2154,SC2034 # variables of lib.sh and stock.sh, and for who sources this

# Mounts Libreswan's files over the system's if it is unpacked but not installed. Each ip netns exec
# has its own mounts
# shellcheck disable=SC2016 # for the other shell
libreswan=(sh -c 'mount -t overlay -o "lowerdir=$0/usr:/usr" overlay /usr && exec "$@"'
	"${LIBRESWAN-}")

has_libreswan()
{
	if [ -x /usr/libexec/ipsec/pluto ]; then
		libreswan=()
	elif [ ! -x "${LIBRESWAN-}/usr/libexec/ipsec/pluto" ]; then
		skip 'no Libreswan (installed, or unpacked in $LIBRESWAN)'
	fi
}

# in_libreswan NS COMMAND...
in_libreswan()
{
	in_ns "$1" "${libreswan[@]}" "${@:2}"
}

whack() { in_libreswan "$stock" /usr/libexec/ipsec/whack --rundir "$tmp/pluto" "$@"; }

# start_pluto CONNECTION: Libreswan's daemon at the far end, with the connection of $tmp/pluto/conf and
# the secrets beside it. $PLUTO_CONFIG is a file with the daemon's own settings
start_pluto()
{
	local dir=$tmp/pluto

	mkdir -p "$dir/nss"
	in_libreswan "$stock" certutil -N -d "sql:$dir/nss" --empty-password
	background ip netns exec "$stock" "${libreswan[@]}" /usr/libexec/ipsec/pluto --nofork \
		--config "${PLUTO_CONFIG:-/dev/null}" --rundir "$dir" --secretsfile "$dir/secrets" --nssdir "$dir/nss" \
		--dumpdir "$dir" --logfile "$dir/log" --no-dnssec --log-no-time >"$dir/out" 2>&1
	said "$dir/log"
	busywait "${WAIT_LIMIT:-20}" test -S "$dir/pluto.ctl" ||
		fail 'no pluto' "$(cat "$dir/out")"
	{
		whack --listen
		in_libreswan "$stock" /usr/libexec/ipsec/addconn --config "$dir/conf" \
			--ctlsocket "$dir/pluto.ctl" "$1"
	} >"$dir/loaded" 2>&1 || fail "$(cat "$dir/loaded")"
}
