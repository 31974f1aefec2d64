#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Make before break: new SAs in both directions under traffic, repeatedly; every packet arrives
# once.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# A hundred rekeys if the test is named, with 100 datagrams for each in either direction
rekeys_lose_nothing()
{
	local status=0 rekeys=100

	[ -n "${EVERY:-}" ] || rekeys=40
	! checkers_on || rekeys=20
	tunnel_up
	"$here/rekey.py" "$left" "$right" $rekeys $((100 * rekeys)) >"$tmp/rekey" 2>&1 || status=$?
	report <"$tmp/rekey"
	[ $status -eq 0 ] || fail 'see above'
	check 'drops of the left' "$(drops "$left")" ''
	check 'drops of the right' "$(drops "$right")" ''
}

run_cases rekeys_lose_nothing
