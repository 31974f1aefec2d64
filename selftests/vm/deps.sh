#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Installs by apt what building and testing need and is not there yet.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"

# The one list. A line: what it is for, then the packages.
packages()
{
	sed 's/.*://' <<-'END'
	building the tool: gcc libc6-dev make pkg-config libmnl-dev libsmartcols-dev
	building modules: libelf1 pahole
	building the debug kernel: bc bison flex libelf-dev perl xz-utils
	virtual machines: qemu-system-x86 busybox-static cpio kmod xz-utils util-linux
	selftests: iproute2 iputils-ping iperf3 jq ethtool procps nftables
	selftests, packets: tcpdump tshark python3 python3-scapy python3-cryptography
	selftests, metrics: python3-prometheus-client
	netlink code generator: python3-yaml python3-jsonschema
	lint: shellcheck sparse clang-format
	dkms test: dkms
	END
}

# Only the guests have these, over the host's files: here they would start a daemon
guest_packages()
{
	echo charon-systemd strongswan-swanctl strongswan-libcharon libstrongswan \
		libstrongswan-standard-plugins
}

missing()
{
	local name

	for name in $(packages); do
		dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null |
			grep -qx installed || printf '%s\n' "$name"
	done | sort -u
}

as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "not root and no sudo; as root: $*"
	fi
}

install_missing()
{
	say "installing by apt: $*"
	as_root apt-get -q update >&2
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends "$@" >&2
}

# promtool out of Debian's package, which as a whole is a daemon; without it one case skips
fetch_promtool()
{
	local version deb

	! command -v promtool >/dev/null && [ ! -x "$promtool_dir/promtool" ] || return 0
	version=$(newest_version prometheus)
	[ -n "$version" ] && deb=$(fetch_deb prometheus "$version") || return 0
	mkdir -p "$promtool_dir"
	dpkg-deb --fsys-tarfile "$deb" | tar -xO ./usr/bin/promtool >"$promtool_dir/.new"
	chmod +x "$promtool_dir/.new"
	mv "$promtool_dir/.new" "$promtool_dir/promtool"
}

# /lib is a link to /usr/lib, which a directory above it would hide
unpack_for_guests()
{
	local deb new=$guest_root.new

	rm -rf "$new"
	mkdir -p "$new/usr/lib"
	for deb; do
		dpkg-deb -x "$deb" "$new" || return
	done
	if [ -d "$new/lib" ]; then
		cp -a "$new/lib/." "$new/usr/lib/"
		rm -rf "${new:?}/lib"
	fi
	printf '%s\n' "$@" >"$new/.unpacked"
	rm -rf "$guest_root"
	mv "$new" "$guest_root"
}

# Without one of them, the tests that need it skip
fetch_guest_packages()
{
	local name version deb all=()

	for name in $(guest_packages); do
		version=$(newest_version "$name")
		[ -n "$version" ] && deb=$(fetch_deb "$name" "$version") || return 0
		all+=("$deb")
	done
	[ "$(cat "$guest_root/.unpacked" 2>/dev/null)" = "$(printf '%s\n' "${all[@]}")" ] ||
		unpack_for_guests "${all[@]}"
}

command -v apt-get >/dev/null ||
	die "no apt-get here; on other systems install by hand: $(packages | xargs)"
mapfile -t wanted < <(missing)
[ ${#wanted[@]} -eq 0 ] || install_missing "${wanted[@]}"
fetch_promtool
fetch_guest_packages
