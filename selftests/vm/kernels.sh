#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The kernels that the selftests run on: 6.1, 6.12 (Debian's packages, unpacked
# into the cache, not installed) and debug (debug-kernel.sh).
#
#   kernels.sh dir KERNEL            prints the kernel's directory, which holds
#                                    vmlinuz, release, build/ (headers), root/lib/modules/
#   kernels.sh module KERNEL [ARGS]  builds the module for it in build/KERNEL/ with
#                                    "make W=1 ARGS", where a warning is an error (C=2 has sparse
#                                    read it), prints the path of the .ko
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"

usage() { say "usage: kernels.sh dir KERNEL | module KERNEL [MAKE ARGUMENTS]"; exit 2; }

# abis SERIES: every ABI of that series that apt knows, newest first ("6.1.0-56")
abis()
{
	local series=${1//./\\.}

	apt-cache pkgnames "linux-image-$1." |
		sed -nE "s/^linux-image-($series\.[0-9.]+(\+deb[0-9]+)?(-[0-9]+)?)-amd64(-unsigned)?\$/\1/p" |
		sort -uVr
}

# image_of ABI: the name of its image, signed if there is one
image_of()
{
	local name

	for name in "linux-image-$1-amd64" "linux-image-$1-amd64-unsigned"; do
		[ -n "$(newest_version "$name")" ] && printf '%s\n' "$name" && return
	done
	return 1
}

# newest_abi SERIES: the newest ABI with both an image and headers
newest_abi()
{
	local abi

	for abi in $(abis "$1"); do
		image_of "$abi" >/dev/null || continue
		[ -n "$(newest_version "linux-headers-$abi-amd64")" ] || continue
		printf '%s\n' "$abi"
		return
	done
	return 1
}

# cached SERIES: the newest unpacked kernel of a series
cached()
{
	find "$cache/kernels" -mindepth 2 -maxdepth 2 -path "*/$1.*/.unpacked" -printf '%h\n' 2>/dev/null |
		sort -V | tail -n 1
}

unpack()
{
	dpkg-deb -x "$1" "$2"
}

# The headers' Depends field names their common part and kbuild
header_parts()
{
	dpkg-deb -f "$1" Depends | tr -s ',|' '\n' |
		sed -nE 's/^ *(linux-(kbuild-[^ ]+|headers-[^ ]+-common)).*/\1/p' | sort -u
}

# Packages refer to /usr/src and /lib/modules: change these to this directory
relocate()
{
	local root=$1 release=$2

	sed -i "s|^include /usr/src/|include $root/usr/src/|" \
		"$root/usr/src/linux-headers-$release/Makefile"
	ln -sfn "$root/usr/src/linux-headers-$release" "$root/lib/modules/$release/build"
	ln -sfn "$root/usr/src/linux-headers-${release%-amd64}-common" "$root/lib/modules/$release/source"
}

# install_abi ABI DIR: downloads and unpacks into DIR
install_abi()
{
	local abi=$1 dir=$2 root=$2/root image headers part deb

	image=$(image_of "$abi")
	headers=linux-headers-$abi-amd64
	rm -rf "$dir"
	mkdir -p "$root"
	deb=$(fetch_deb "$image" "$(newest_version "$image")")
	unpack "$deb" "$root"
	deb=$(fetch_deb "$headers" "$(newest_version "$headers")")
	unpack "$deb" "$root"
	for part in $(header_parts "$deb"); do
		unpack "$(fetch_deb "$part" "$(newest_version "$part")")" "$root"
	done
	relocate "$root" "$abi-amd64"
	/sbin/depmod -b "$root" "$abi-amd64" || die "depmod fails for $abi; is the package kmod there?"
	ln -s "root/boot/vmlinuz-$abi-amd64" "$dir/vmlinuz"
	ln -s "root/usr/src/$headers" "$dir/build"
	printf '%s\n' "$abi-amd64" >"$dir/release"
	touch "$dir/.unpacked"
}

debian_dir()
{
	local series=$1 abi version dir

	abi=$(newest_abi "$series") || {
		dir=$(cached "$series")
		[ -n "$dir" ] && printf '%s\n' "$dir" && return
		die "apt knows no linux-image of $series; this needs Debian 12 with bookworm-security; try 'apt-get update'"
	}
	version=$(newest_version "linux-headers-$abi-amd64")
	dir=$cache/kernels/$abi-amd64_$version
	if [ ! -e "$dir/.unpacked" ]; then
		hold_lock "kernel-$series"
		[ -e "$dir/.unpacked" ] || install_abi "$abi" "$dir"
	fi
	printf '%s\n' "$dir"
}

kernel_dir()
{
	case $1 in
	debug) "$vm_dir/debug-kernel.sh" ;;
	[0-9]*.[0-9]*) debian_dir "$1" ;;
	*) die "unknown kernel '$1': 6.1, 6.12 or debug" ;;
	esac
}

# Link the sources, so that each kernel has its own objects
link_sources()
{
	local to=$1 file

	mkdir -p "$to"
	ln -sfn "$top/Kbuild" "$to/Kbuild"
	(cd "$top" && find module uapi \( -name '*.[ch]' -o -name Kbuild \) -not -name '*.mod.c') |
		while read -r file; do
			mkdir -p "$to/${file%/*}"
			[ -L "$to/$file" ] || ln -s "$top/$file" "$to/$file"
		done
	find "$to" -xtype l -delete
}

build_module()
{
	local kernel=$1 dir out=$top/build/$1

	shift
	dir=$(kernel_dir "$kernel")
	mkdir -p "$out"
	exec 8>"$out/.lock"
	flock 8
	link_sources "$out"
	make -s -j"$(nproc)" -C "$dir/build" M="$out" W=1 KCFLAGS=-Werror "$@" modules >&2 ||
		die "the module does not build for $kernel"
	printf '%s\n' "$out/module/pvsvpn.ko"
}

[ $# -ge 2 ] || usage
case $1 in
dir) kernel_dir "$2" ;;
module) shift; build_module "$@" ;;
*) usage ;;
esac
