#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Writes the tables of Documentation/counters.rst from module/drop.h; with --check only compares
# them.
set -euo pipefail
shopt -s inherit_errexit

cd "$(dirname "$0")/../.."
doc=Documentation/counters.rst
begin='.. The tables below are made by selftests/host/gen-counters.sh.'

usage()
{
	echo "usage: $0 [--check]" >&2
	exit 2
}

# Prints a line for each reason: SCOPE|NAME|COLUMN|TEXT. The preprocessor expands the list, so the
# output is what the module compiles. A line that does not match the pattern stays unchanged, and
# tables() refuses it.
reasons()
{
	${CC:-cc} -E -P -x c - <<-'EOC' | sed 's/@ROW /\n@ROW /g' |
		#include "module/drop.h"
		#define SA(symbol, name, link, core, text) @ROW sa name link text @END
		#define PEER(symbol, name, link, core, text) @ROW peer name link text @END
		#define DEVICE(symbol, name, link, core, text) @ROW device name link text @END
		PVSVPN_DROP_LIST_SA(SA)
		PVSVPN_DROP_LIST_PEER(PEER)
		PVSVPN_DROP_LIST_DEVICE(DEVICE)
	EOC
		sed -n -e '/^@ROW/!d' \
			-e 's/^@ROW \([a-z]*\) "\([a-z_]*\)" \([A-Z_]*\) "\(.*\)" @END.*/\1|\2|\3|\4/' -e p
}

section()
{
	case $1 in
	sa) title="Counted for the SA, its peer and its device" ;;
	peer) title="Counted for the peer and its device" ;;
	device) title="Counted for the device" ;;
	esac
	printf '\n%s\n%s\n\n' "$title" "${title//?/-}"
	printf '.. list-table::\n   :header-rows: 1\n   :widths: 20 15 65\n\n'
	printf '   * - Counter\n     - ip -s link\n     - What happened; what to do\n'
}

row()
{
	local column=${2//_/ }

	case $column in
	CORE) column='(by the core)' ;;
	NONE) column='(none)' ;;
	esac
	# shellcheck disable=SC2016 # the back quotes are reStructuredText
	printf '   * - ``%s``\n     - %s\n' "$1" "${column,,}"
	# The text as a paragraph, wrapped if it is too long.
	fold -s -w 72 <<<"$3" | sed -e 's/ *$//' -e '1s/^/     - /' -e '2,$s/^/       /'
}

tables()
{
	local scope name column text last=

	while IFS='|' read -r scope name column text; do
		[ -n "$text" ] || { echo "$0: not understood: $scope" >&2; return 1; }
		[ "$scope" = "$last" ] || section "$scope"
		last=$scope
		row "$name" "$column" "$text"
	done < <(reasons)
	[ -n "$last" ] || { echo "$0: no reason found in module/drop.h" >&2; return 1; }
}

page()
{
	sed "\\|^$begin\$|q" "$doc"
	tables
}

[ $# -le 1 ] || usage
grep -qx -- "$begin" "$doc" || { echo "$0: $doc lacks the line: $begin" >&2; exit 1; }
new=$(page)

case ${1:-} in
--check) diff -u --label "$doc" --label module/drop.h "$doc" - <<<"$new" ;;
'') printf '%s\n' "$new" >"$doc" ;;
*) usage ;;
esac
