# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scripts of selftests/vm/ share: where things are, messages, locks.

# shellcheck disable=SC2034 # used by those who source this
vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
top=$(cd "$vm_dir/../.." && pwd -P)
cache=${PVSVPN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pvsvpn}
debs=$cache/debs

say() { printf '%s\n' "$*" >&2; }
die() { say "${0##*/}: $*"; exit 2; }

# hold_lock NAME: one run at a time in here; freed when the script ends
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
		(cd "$debs" && apt-get -qq -o APT::Sandbox::User=root download "$name=$version") >&2 ||
			die "apt-get download $name=$version failed; is the network there? 'apt-get update' may help"
		file=$(find_deb "$name" "$version")
	fi
	[ -n "$file" ] || die "apt-get download left no file for $name $version"
	printf '%s\n' "$file"
}

# apt writes the colon of an epoch as %3a; our packages have none
find_deb()
{
	local file

	for file in "$debs/$1_$2"_*.deb; do
		[ -f "$file" ] && printf '%s\n' "$file"
	done
}

# newest_version PACKAGE: prints the newest version apt can download
newest_version()
{
	apt-cache madison "$1" 2>/dev/null |
		awk -F'|' '$3 ~ /Packages/ { gsub(/ /, "", $2); print $2 }' |
		sort -V | tail -n 1
}
