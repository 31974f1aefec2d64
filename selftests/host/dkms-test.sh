#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# dkms builds and installs the module from a released tree, for each kernel of KERNELS ("6.1 6.12").
# It uses its own directory: it neither reads nor changes this machine's dkms, modules or sources.
set -euo pipefail

cd "$(dirname "$0")/../.."
top=$PWD
read -ra kernels <<<"${KERNELS:-6.1 6.12}"
name=$(sed -n 's/^PACKAGE_NAME="\(.*\)"/\1/p' dkms.conf)
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0
failed=0

# check NAME COMMAND...: prints the output if the command fails
check()
{
	local what=$1 output

	shift
	count=$((count + 1))
	if output=$("$@" 2>&1); then
		echo "ok $count $what"
		return
	fi
	failed=$((failed + 1))
	tail -n 40 <<<"$output" | sed 's/^/# /'
	echo "not ok $count $what"
}

# Install as a user does: the committed files in /usr/src/NAME-VERSION.
release()
{
	mkdir -p "$work/src/$name-$version"
	git archive HEAD | tar -x -C "$work/src/$name-$version"
}

# run_dkms ACTION RELEASE HEADERS. If the signing program is missing, dkms creates no signing key.
# This machine's depmod is not for the tests' kernels.
run_dkms()
{
	env sign_file="$work/none" dkms "$1" -m "$name" -v "$version" -k "$2" \
		--kernelsourcedir "$3" --dkmstree "$work/dkms" --sourcetree "$work/src" \
		--installtree "$work/lib/modules" --no-depmod
}

# The released module as installed, plain or compressed
installed() { find "$work/lib/modules/$1/updates/dkms" -name "$name.ko*"; }

has_field()
{
	local file value

	file=$(installed "$1")
	[ -n "$file" ] || { echo "no $name.ko under updates/dkms"; return 1; }
	value=$(/sbin/modinfo -F "$2" "$file")
	grep -qx -- "$3" <<<"$value" || { echo "$2 is '$value', not '$3'"; return 1; }
}

is_status()
{
	local status

	status=$(dkms status -m "$name" -v "$version" -k "$1" --dkmstree "$work/dkms" \
		--sourcetree "$work/src" --installtree "$work/lib/modules")
	echo "$status"
	grep -q ": $2" <<<"$status"
}

# Print the log if the build fails, since it says why.
run_build()
{
	run_dkms build "$@" && return
	tail -n 30 "$work/dkms/$name/$version/build/make.log"
	return 1
}

is_gone() { [ -z "$(installed "$1")" ]; }

# test_kernel KERNEL
test_kernel()
{
	local dir release headers

	dir=$("$top/selftests/vm/kernels.sh" dir "$1")
	release=$(cat "$dir/release")
	headers=$(readlink -f "$dir/build")
	mkdir -p "$work/lib/modules/$release"
	check "$1: dkms build" run_build "$release" "$headers"
	check "$1: dkms install" run_dkms install "$release" "$headers"
	check "$1: dkms status says installed" is_status "$release" installed
	check "$1: installed for this kernel" has_field "$release" vermagic "$release .*"
	check "$1: installed version" has_field "$release" version "$version"
	check "$1: ip link add finds it" has_field "$release" alias rtnl-link-pvsvpn
	check "$1: dkms uninstall" run_dkms uninstall "$release" "$headers"
	check "$1: nothing is left" is_gone "$release"
}

echo "TAP version 13"
echo "1..$((2 + 8 * ${#kernels[@]}))"
mkdir -p "$work/dkms"
check "git archive of HEAD" release
check "dkms add" run_dkms add "$(uname -r)" /nonexistent
for kernel in "${kernels[@]}"; do
	test_kernel "$kernel"
done
[ $failed -eq 0 ]
