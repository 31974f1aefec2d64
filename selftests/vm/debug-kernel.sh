#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Builds the kernel of "make check-debug": Debian's linux-source-6.12, tinyconfig
# and debug.config. Kept in the cache by a hash of the source's version, the
# fragment and the compiler. Prints its directory, which holds
#   vmlinuz, release, build/ (for modules), root/lib/modules/
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"

fragment=$vm_dir/debug.config

# check_config CONFIG: every line of the fragment is in CONFIG
check_config()
{
	local config=$1 line name lost=0

	while read -r line; do
		case $line in
		CONFIG_*)
			grep -qxF "$line" "$config" && continue ;;
		'# CONFIG_'*' is not set')
			name=${line#\# } name=${name%% *}
			grep -q "^$name=" "$config" || continue ;;
		*)
			continue ;;
		esac
		say "debug.config: not held by this kernel: $line"
		lost=1
	done <"$fragment"
	[ $lost -eq 0 ] || die "mend debug.config: a dependency of these lines is missing"
}

configure()
{
	local src=$1 out=$2

	make -s -C "$src" O="$out" ARCH=x86_64 tinyconfig >/dev/null
	(cd "$src" && scripts/kconfig/merge_config.sh -m -O "$out" "$out/.config" "$fragment") >/dev/null
	make -s -C "$src" O="$out" ARCH=x86_64 olddefconfig >/dev/null
	check_config "$out/.config"
}

# kbuild [ARGUMENTS]: make in the build directory; its output goes to the log
kbuild()
{
	make -C "$src" O="$work/build" ARCH=x86_64 \
		KBUILD_BUILD_USER=pvsvpn KBUILD_BUILD_HOST=selftests "$@" >>"$work/build.log" 2>&1 || {
		tail -n 30 "$work/build.log" >&2
		die "the debug kernel does not build: see $work/build.log"
	}
}

# Building a module against the tree needs no object files
drop_objects()
{
	find "$1" \( -name '*.o' -o -name '*.a' -o -name '.*.cmd' -o -name 'vmlinux*' -o -name '.tmp_vmlinux*' \) \
		-not -path '*/scripts/*' -not -path '*/tools/*' -type f -delete
}

build()
{
	local jobs

	jobs=$(nproc)
	say "building the debug kernel with $jobs jobs: about $((30 / jobs)) minutes, once (log: $work/build.log)"
	rm -rf "$work"
	mkdir -p "$work/build"
	configure "$src" "$work/build"
	kbuild -j"$jobs" bzImage modules
	kbuild INSTALL_MOD_PATH="$work/root" modules_install
	cp "$work/build/arch/x86/boot/bzImage" "$work/vmlinuz"
	make -s -C "$src" O="$work/build" ARCH=x86_64 kernelrelease >"$work/release"
	drop_objects "$work/build"
	touch "$work/.built"
}

version=$(source_version)
hash=$({ echo "$version"; gcc -dumpfullversion; grep -E '^(# )?CONFIG_' "$fragment"; } | sha256sum | cut -c1-16)
work=$cache/debug-$hash

if [ ! -e "$work/.built" ]; then
	hold_lock debug
	if [ ! -e "$work/.built" ]; then
		src=$(kernel_source "$version")
		build
	fi
fi
printf '%s\n' "$work"
