#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Checks of the sources without running them, as KTAP.
#
#   lint.sh            all checks; KERNELS="6.1 6.12" are built against
#
# Each check is a function check_NAME that prints errors. If it prints nothing, it has passed.
set -uo pipefail

cd "$(dirname "$0")/../.." || exit 1
# "make -C" and "make -j" would have each make below say something
unset MAKEFLAGS MFLAGS MAKELEVEL
# shellcheck source=selftests/vm/vm-lib.sh
. selftests/vm/vm-lib.sh
kernels=${KERNELS:-6.1 6.12}
count=0
failed=0

# Types of checkpatch.pl that do not fit: X-macros are lists, and a macro in such a list names all
# its columns; some function names are plain words that also occur in messages.
checkpatch_ignore=COMPLEX_MACRO,MACRO_ARG_UNUSED,CONSTANT_COMPARISON,TRAILING_SEMICOLON
checkpatch_ignore+=,EMBEDDED_FUNCTION_NAME
# compat/ compares kernel versions and uses old names.
compat_ignore=$checkpatch_ignore,LINUX_VERSION_CODE,NEW_TYPEDEFS,PREFER_ETHTOOL_PUTS
# User space lacks the kernel's macros and functions, and its conventions for modes and types.
tool_ignore=$checkpatch_ignore,PREFER_DEFINED_ATTRIBUTE_MACRO
tool_ignore+=,SYMBOLIC_PERMS,ARRAY_SIZE,STRCPY,NEW_TYPEDEFS,STATIC_CONST_CHAR_ARRAY
# A list of events becomes the cases of a switch, so that the compiler finds a missing one.
tool_ignore+=,QUOTED_WHITESPACE_BEFORE_NEWLINE,MACRO_WITH_FLOW_CONTROL

# files PATTERN...: tracked files, and new ones that are not ignored; excludes the fuzzers' corpus,
# which is not written by hand
files()
{
	git ls-files --cached --others --exclude-standard -- "$@" |
		grep -v '^tools/pvsvpnctl/tests/fuzz/corpus/' |
		while read -r file; do [ -f "$file" ] && echo "$file"; done
}

# C written by hand; the rest is generated from the YAML spec
c_files() { files "$@" | grep '\.[ch]$' | grep -v -e netlink-gen -e '^uapi/'; }

scripts()
{
	files | xargs awk '
		FILENAME ~ /\.sh$/ || /^#! ?\/(.*[^a-z])?(ba)?sh$/ { print FILENAME }
		{ nextfile }'
}

# result NAME OUTPUT STATUS
result()
{
	count=$((count + 1))
	if [ -z "$2" ] && [ "$3" -eq 0 ]; then
		echo "ok $count $1"
		return
	fi
	failed=$((failed + 1))
	head -n 50 <<<"${2:-failed without a word, status $3}" | sed 's/^/# /'
	echo "not ok $count $1"
}

# check NAME COMMAND...
check()
{
	local name=$1 output status

	shift
	output=$("$@" 2>&1)
	status=$?
	result "$name" "$output" $status
}

check_spdx()
{
	# JSON has no comments, rst2man puts ours after its macros, and these are output
	files | grep -vxE 'COPYING|.*\.json|.*/pvsvpn\.conf\.5|.*/export/(golden|words)/.*' >"$work/files"
	xargs awk '
		FNR > 3 { nextfile }
		/SPDX-License-Identifier: / { print FILENAME; nextfile }' <"$work/files" >"$work/tagged"
	grep -vxFf "$work/tagged" "$work/files" | sed 's/$/: no SPDX tag/'
	return 0
}

check_whitespace()
{
	files | xargs grep -nE '[[:blank:]]+$|^ +	|'$'\r''$' /dev/null |
		sed 's/$/ <- white space/'
	files | xargs perl -ne 'print "$ARGV: no newline at the end\n" if eof && !/\n\z/'
	# One space before a comment's star is right. Scripts may contain Python, with other rules.
	c_files | xargs grep -nE '^ {2,}' /dev/null |
		sed 's/$/ <- indent with tabs/'
	return 0
}

# Scripts only; checkpatch.pl checks C. Messages are not split, as in C.
check_line_length()
{
	scripts | xargs perl -CSD -lne '
		$wide = $_;
		1 while $wide =~ s/\t/" " x (8 - length($`) % 8)/e;
		print "$ARGV:$.:$_" if length($wide) > 100 && $wide !~ /["\x27].{30,}/;
		close ARGV if eof'
}

# A function is enclosed by braces in the first column.
check_sizes()
{
	{ c_files; scripts; files '*.py'; } | xargs awk '
		FNR == 1 { start = 0 }
		/^\{/ { start = FNR }
		/^\}/ && start {
			if (FNR - start - 1 > 80)
				print FILENAME ":" start ": function of " FNR - start - 1 " lines, 80 at most"
			start = 0
		}
		FNR == 901 { print FILENAME ": more than 900 lines" }'
}

check_kernel_doc()
{
	c_files module | xargs perl "$source/scripts/kernel-doc" -Wall -none
}

# Comments and documentation have no sentence that must be read twice
check_english()
{
	# The tables of counters.rst are generated
	{ c_files; scripts; files '*.py' '*.md' '*.rst' '*Makefile' '*Kbuild' '*.8'; } |
		grep -v /counters.rst | xargs python3 selftests/host/lint_english.py
}

# A search for an attribute, an event or a drop reason finds every place. No name is pasted together
check_greppable()
{
	c_files module tools | xargs grep -nE 'PVSVPN_[A-Z0-9_]*[[:blank:]]*##' /dev/null
	return 0
}

# Only warnings and errors: its other notes (cases called by name, unquoted words without a space)
# are intended here
check_shellcheck() { scripts | xargs shellcheck -x -P SCRIPTDIR -S warning; }

# The link targets in Documentation/ and README.md exist.
check_links()
{
	local file target

	files '*.md' '*.rst' | while read -r file; do
		grep -oE '\]\([^)#:]+\)' "$file" | tr -d '])(' | while read -r target; do
			[ -e "$(dirname "$file")/$target" ] || echo "$file: no such file: $target"
		done
	done
	awk '/toctree/ { inside = 1; next } inside && /^   [a-z]/ { print $1 }' Documentation/index.rst |
		while read -r target; do
			[ -f "Documentation/$target.rst" ] || echo "index.rst: no such page: $target"
		done
}

check_version()
{
	local module dkms

	module=$(sed -n 's/^MODULE_VERSION("\(.*\)");/\1/p' module/main.c)
	dkms=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
	[ -n "$module" ] || echo "module/main.c: no MODULE_VERSION"
	[ "$module" = "$dkms" ] || echo "module/main.c says $module, dkms.conf $dkms"
}

# The README's commands equal those of the demos, block by block.
check_readme()
{
	local block

	sed -n "s/^run_readme \([a-z-]*\) .*/\1/p; s/^\treadme 'sh \([a-z-]*\)'.*/\1/p" \
		selftests/vm/demo-*guest.sh | sort -u >"$work/blocks.demo"
	sed -n 's/^```sh \(.*\)/\1/p' README.md | sort -u >"$work/blocks.readme"
	diff "$work/blocks.readme" "$work/blocks.demo"
	while read -r block; do
		awk -v start="\`\`\`sh $block" '
			$0 == start { getline; if ($0 !~ /^```/) ok = 1 }
			END { exit !ok }' README.md || echo "README.md: block $block is empty"
	done <"$work/blocks.readme"
}

# run_checkpatch IGNORED FILE...
run_checkpatch()
{
	local ignore=$1

	shift
	perl "$source/scripts/checkpatch.pl" --no-tree --no-summary --terse --show-types \
		--max-line-length=100 --ignore "$ignore" -f "$@"
}

check_checkpatch()
{
	# shellcheck disable=SC2046 # file names without spaces
	{
		run_checkpatch $checkpatch_ignore $(c_files module | grep -v /compat/)
		run_checkpatch $compat_ignore $(c_files module/compat)
		run_checkpatch $tool_ignore $(c_files tools)
	} | grep -v -e /drop.h -e /transforms.h
	return 0
}

# copy_sources DIR PATH...: so that a check has a private tree to build in
copy_sources()
{
	local to=$1

	shift
	rm -rf "$to"
	mkdir -p "$to"
	files "$@" | xargs cp -p --parents -t "$to"
}

# The guests' module is built with W=1, and a warning ends that build. Sparse reads all files in the
# same tree, so nothing is compiled twice
check_build()
{
	selftests/vm/kernels.sh module "$1" C=2 CF=-D__CHECK_ENDIAN__ 2>&1 >/dev/null |
		sed -e "s|$PWD/build/$1/||g" -e '/^Skipping BTF generation/d'
}

# Global symbols of that build's objects. The kernel's macros create some names themselves:
# tracepoints put their own prefixes before ours.
check_prefix()
{
	local objects allowed='init_module|cleanup_module|__this_module'

	allowed+='|_*(tracepoint|traceiter|probestub|bpf_trace|SCK__tp_func|SCT__tp_func)_pvsvpn_.*'
	objects=$(find "build/$1/module" -name '*.o' ! -name 'pvsvpn*.o' ! -name '.*')
	[ -f "build/$1/module/pvsvpn.ko" ] || { echo "the module does not build"; return 1; }
	xargs nm -A -g --defined-only <<<"$objects" |
		awk -v allowed="^($allowed)$" '$3 !~ /^(__pfx_)?pvsvpn_/ && $3 !~ allowed {
			print $1 ": global symbol without the prefix: " $3 }'
}

# check_floors KERNEL: on what check_build has built
check_floors() { python3 selftests/host/lint_floors.py module/Kbuild "build/$1/module"; }

# More warnings than in the tool's own Makefile
check_tool()
{
	local tree=$work/tool

	copy_sources "$tree" module uapi tools
	make -s -C "$tree/tools/pvsvpnctl" \
		CFLAGS="-O2 -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla -Wundef"
}

# prepare: gets what the checks need. Downloads report on stderr, which a check would take for an
# error
prepare()
{
	local kernel

	source=$(kernel_tools) || return
	for kernel in "${kernels[@]}"; do
		selftests/vm/kernels.sh dir "$kernel" >/dev/null || return
	done
}

read -ra kernels <<<"$kernels"
prepare || { echo 'Bail out! kernels or their tools are missing'; exit 1; }
mkdir -p build
work=$(mktemp -d build/lint.XXXXXX)
trap 'rm -rf "$work"' EXIT
echo "TAP version 13"
echo "1..$((17 + 3 * ${#kernels[@]}))"
check "SPDX tag in every file" check_spdx
check "white space" check_whitespace
check "lines of 100 columns at most" check_line_length
check "functions of 80 lines, files of 900 at most" check_sizes
check "checkpatch.pl" check_checkpatch
check "kernel-doc" check_kernel_doc
check "plain English" check_english
check "names that grep finds" check_greppable
check "shellcheck" check_shellcheck
check "links in the documentation" check_links
check "documentation builds as HTML" make -s html
check "one version" check_version
check "counters.rst follows from drop.h" selftests/host/gen-counters.sh --check
check "pvsvpn.conf(5) follows from its page" make -s -C tools/pvsvpnctl man CHECK=1
check "netlink code follows from its spec" selftests/vm/regen.sh --check
check "README has what the demo runs" check_readme
check "tool compiles without a warning" check_tool
for kernel in "${kernels[@]}"; do
	check "$kernel: sparse and W=1 are silent" check_build "$kernel"
	check "$kernel: global symbols begin with pvsvpn_" check_prefix "$kernel"
	check "$kernel: no file needs one that stands after it" check_floors "$kernel"
done
[ $failed -eq 0 ]
