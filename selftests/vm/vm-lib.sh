# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Shared by the scripts of selftests/vm/: paths, messages, locks.

# shellcheck disable=SC2034 # used by those who source this
vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
top=$(cd "$vm_dir/../.." && pwd -P)
cache=${PVSVPN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pvsvpn}
debs=$cache/debs
promtool_dir=$cache/promtool
guest_root=$cache/guest
newer_root=$cache/guest-newer
libreswan_root=$cache/libreswan

# apt's sources, if not the host's own
apt_options=()

say() { printf '%s\n' "$*" >&2; }
die() { say "${0##*/}: $*"; exit 2; }

# hold_lock NAME: only one run at a time; released when the script ends
hold_lock()
{
	mkdir -p "$cache"
	exec 9>"$cache/.lock-$1"
	flock -n 9 && return
	say "waiting for another run to finish with $1"
	flock 9
}

# fetch_deb PACKAGE VERSION: prints the path of the package's file
fetch_deb()
{
	local name=$1 version=$2 file

	file=$(find_deb "$name" "$version")
	if [ -z "$file" ]; then
		mkdir -p "$debs"
		say "downloading $name $version"
		(cd "$debs" && apt-get -qq "${apt_options[@]}" -o APT::Sandbox::User=root download "$name=$version") >&2 ||
			die "apt-get download $name=$version failed; is the network there? 'apt-get update' may help"
		file=$(find_deb "$name" "$version")
	fi
	[ -n "$file" ] || die "apt-get download left no file for $name $version"
	printf '%s\n' "$file"
}

# apt writes the colon of an epoch as %3a
find_deb()
{
	local file

	for file in "$debs/$1_${2//:/%3a}"_*.deb; do
		[ -f "$file" ] && printf '%s\n' "$file"
	done
}

# newest_version PACKAGE: prints the newest version that apt can download
newest_version()
{
	apt-cache madison "$1" 2>/dev/null |
		awk -F'|' '$3 ~ /Packages/ { gsub(/ /, "", $2); print $2 }' |
		sort -V | tail -n 1
}

source_package=linux-source-6.12

# The newest version that apt offers, else the newest already downloaded
source_version()
{
	local version

	version=$(newest_version "$source_package")
	if [ -z "$version" ]; then
		version=$(find "$debs" -name "${source_package}_*.deb" -printf '%f\n' 2>/dev/null |
			cut -d_ -f2 | sort -V | tail -n 1)
	fi
	[ -n "$version" ] ||
		die "apt knows no $source_package: this needs the bookworm-security suite; try 'apt-get update'"
	printf '%s\n' "$version"
}

# unpack_source VERSION DIR [PATTERN...]: the kernel's source, or the files matching PATTERNs
unpack_source()
{
	local version=$1 dir=$2 deb

	shift 2
	[ ! -e "$dir/.unpacked" ] || return 0
	deb=$(fetch_deb "$source_package" "$version") || return
	say "unpacking $source_package $version"
	rm -rf "$dir"
	mkdir -p "$dir"
	dpkg --fsys-tarfile "$deb" | tar -xO "./usr/src/$source_package.tar.xz" |
		tar -xJ --strip-components=1 -C "$dir" --wildcards "$@" || return
	touch "$dir/.unpacked"
}

# kernel_source VERSION: prints the directory of the complete source
kernel_source()
{
	local dir=$cache/$source_package-$1

	unpack_source "$1" "$dir" && printf '%s\n' "$dir"
}

# kernel_tools: prints the directory of checkpatch.pl and the netlink generator, at their paths in
# the source
kernel_tools()
{
	local version dir

	version=$(source_version) || return
	dir=$cache/$source_package-$version
	if [ ! -e "$dir/.unpacked" ]; then
		dir=$cache/$source_package-tools-$version
		hold_lock source
		unpack_source "$version" "$dir" '*/scripts/checkpatch.pl' '*/scripts/spelling.txt' \
			'*/scripts/const_structs.checkpatch' '*/scripts/kernel-doc' \
			'*/tools/net/ynl' '*/Documentation/netlink' || return
	fi
	printf '%s\n' "$dir"
}
