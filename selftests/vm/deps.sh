#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Installs the missing packages for building and testing, with apt. "fuzz": also those for fuzzing;
# "newer": only those for guests with a newer strongSwan than this Debian's.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"

# The only list. Each line: the purpose, then the packages.
packages()
{
	sed 's/.*://' <<-'END'
	building the tool: gcc libc6-dev make pkg-config
	building the tool, libraries: libmnl-dev libsmartcols-dev libinih-dev libjson-c-dev
	building the tool, certificates: libssl-dev openssl
	building modules: libelf1 pahole
	building the debug kernel: bc bison flex libelf-dev perl xz-utils
	virtual machines: qemu-system-x86 busybox-static cpio kmod xz-utils util-linux
	selftests: iproute2 iputils-ping fping iperf3 jq gojq ethtool procps nftables conntrack
	selftests, packets: tcpdump tshark python3 python3-scapy python3-cryptography
	selftests, metrics: python3-prometheus-client
	netlink code generator: python3-yaml python3-jsonschema
	lint: shellcheck sparse clang-format python3-docutils
	dkms test: dkms
	documentation: python3-sphinx
	END
}

# Only guests have these, over the host's files: on the host they would start a daemon
guest_packages()
{
	echo charon-systemd strongswan-swanctl strongswan-libcharon libstrongswan \
		libstrongswan-standard-plugins libcharon-extra-plugins
	# Includes libraries that a small Debian lacks
	echo systemd libsystemd-shared libapparmor1 libip4tc2 libkmod2 apparmor
}

missing()
{
	local name

	for name in $(packages) "$@"; do
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

# Only promtool from Debian's package, as the whole package is a daemon. If it is missing, one case
# skips
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

# unpack DIR DEB...: unless DIR already contains these. Links such as /lib to /usr/lib must not be
# hidden by a directory of the same name
unpack()
{
	local dir=$1 new=$1.new deb name

	shift
	[ "$(cat "$dir/.unpacked" 2>/dev/null)" != "$(printf '%s\n' "$@")" ] || return 0
	rm -rf "$new"
	mkdir -p "$new/usr/lib"
	for deb; do
		dpkg-deb -x "$deb" "$new" || return
	done
	for name in bin sbin lib lib64; do
		[ -d "$new/$name" ] || continue
		mkdir -p "$new/usr/$name"
		cp -a "$new/$name/." "$new/usr/$name/"
		rm -rf "${new:?}/$name"
	done
	printf '%s\n' "$@" >"$new/.unpacked"
	rm -rf "$dir"
	mv "$new" "$dir"
}

# fetch_unpacked DIR: the packages on stdin, a name and a version on each line. If one is not
# available, the tests that need it skip
fetch_unpacked()
{
	local name version deb all=()

	while read -r name version; do
		[ -n "$version" ] && deb=$(fetch_deb "$name" "$version" </dev/null) || return 0
		all+=("$deb")
	done
	[ ${#all[@]} -eq 0 ] || unpack "$1" "${all[@]}"
}

# shellcheck disable=SC2046 # words are wanted
guest_packages_with_versions() { with_newest_version $(guest_packages); }

with_newest_version()
{
	local name

	for name; do
		echo "$name $(newest_version "$name")"
	done
}

# with_dependencies PACKAGE...: these and the packages they need, if not installed
with_dependencies()
{
	apt-get "${apt_options[@]}" -s -q install --no-install-recommends "$@" 2>/dev/null |
		awk '$1 == "Inst" { print $2, substr($3 ~ /^\[/ ? $4 : $3, 2) }' || :
}

# From Debian's next release. Its packages need its C library, with which this Debian's programs
# also run, except that of OpenSSL
newer_suite=forky
strongswan_packages=(charon-systemd strongswan-swanctl
	libstrongswan-standard-plugins libcharon-extra-plugins openssl apparmor)

# Use only that suite, for a host with no packages installed
look_into_newer_suite()
{
	local dir=$cache/newer mirror

	# shellcheck disable=SC2016 # apt's own
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' 'Created-By: Packages' | head -n 1)
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:-http://deb.debian.org/debian} $newer_suite main" \
		>"$dir/sources.list"
	apt_options=(-o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir/cache" -o Dir::State::status=/dev/null
		-o Acquire::Languages=none -o APT::Sandbox::User=root)
	apt-get "${apt_options[@]}" -q update >&2
}

# Keep this Debian's systemd. The libraries that it uses become newer, which works for older
# programs
fetch_newer()
{
	local name version deb all=()

	while read -r name version; do
		deb=$(fetch_deb "$name" "$version" </dev/null)
		all+=("$deb")
	done < <(guest_packages_with_versions | grep -E '^(systemd|libsystemd-shared|libapparmor1|libkmod2) ')
	look_into_newer_suite
	while read -r name version; do
		deb=$(fetch_deb "$name" "$version" </dev/null)
		all+=("$deb")
	done < <(with_dependencies "${strongswan_packages[@]}" | grep -vE '^(debconf|gcc-[0-9]+-base) ')
	unpack "$newer_root" "${all[@]}"
}

command -v apt-get >/dev/null ||
	die "no apt-get here; on other systems install by hand: $(packages | xargs)"
if [ "${1-}" = newer ]; then
	fetch_newer
	exit
fi
more=()
[ "${1-}" != fuzz ] || more=(clang libclang-rt-dev)
mapfile -t wanted < <(missing "${more[@]}")
[ ${#wanted[@]} -eq 0 ] || install_missing "${wanted[@]}"
fetch_promtool
guest_packages_with_versions | fetch_unpacked "$guest_root"
# Its files conflict with strongSwan's, and its libraries' versions with the host's
with_dependencies libreswan | fetch_unpacked "$libreswan_root"
