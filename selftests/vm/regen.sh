#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Generates uapi/linux/pvsvpn.h and module/netlink-gen.[ch] from the netlink spec, with the
# generator in the kernel's own tools/net/ynl.
#
#   regen.sh           writes them
#   regen.sh --check   only compares; exit 1 if one does not follow from the spec
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"

spec=Documentation/netlink/specs/pvsvpn.yaml

# The generator needs its schema beside the spec, and a tree like the kernel's, from which it takes
# the names it prints.
plant()
{
	mkdir -p "$tree/${spec%/*}"
	cp "$kernel"/Documentation/netlink/genetlink*.yaml "$tree/Documentation/netlink/"
	cp "$top/$spec" "$tree/$spec"
	touch "$tree/MAINTAINERS" "$tree/Makefile"
}

# generate FILE MODE PART
generate()
{
	mkdir -p "$tree/${1%/*}"
	(cd "$tree" && timeout 60 /usr/bin/python3 "$kernel/tools/net/ynl/ynl-gen-c.py" \
		--spec "$spec" --mode "$2" "--$3" -o "$1")
}

take()
{
	if [ "$mode" = check ]; then
		diff -u --label "$1" --label "made from $spec" "$top/$1" "$tree/$1" || differs=1
	elif ! cmp -s "$tree/$1" "$top/$1"; then
		cp "$tree/$1" "$top/$1"
		say "wrote $1"
	fi
}

case ${1-} in
'') mode='write' ;;
--check) mode=check ;;
*) say "usage: regen.sh [--check]"; exit 2 ;;
esac

kernel=$(kernel_tools)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
differs=0
plant
generate uapi/linux/pvsvpn.h uapi header
generate module/netlink-gen.h kernel header
generate module/netlink-gen.c kernel source
for file in uapi/linux/pvsvpn.h module/netlink-gen.h module/netlink-gen.c; do
	take "$file"
done
exit $differs
