#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Tests what bash completes after the words of a command. Needs neither root nor the module.
set -u

cd "$(dirname "$0")/.." || exit 1
PATH=$PWD:$PATH
# shellcheck source=tools/pvsvpnctl/pvsvpnctl.bash-completion
. ./pvsvpnctl.bash-completion
count=0 failed=0

# completes EXPECTED WORD...: the last WORD is the one at the cursor
completes()
{
	local expected=$1

	shift
	COMP_WORDS=(pvsvpnctl "$@") COMP_CWORD=$# COMPREPLY=()
	_pvsvpnctl
	count=$((count + 1))
	if [[ ${COMPREPLY[*]} == "$expected" ]]; then
		echo "ok $count $*"
	else
		printf '# got:      %s\n# expected: %s\n' "${COMPREPLY[*]}" "$expected"
		echo "not ok $count $*"
		failed=1
	fi
}

export PVSVPN_PRESET_DIR=$PWD/presets PVSVPN_CONFIG_DIR=$PWD/examples
echo 1..28
completes 'peer' pe
completes 'add set del' peer ''
completes 'add del' sa ''
completes 'remote replay-window' peer add pvs0 b re
completes 'local local-subnets' peer set pvs0 b lo
completes 'none udp' peer add pvs0 b encap ''
completes 'off mtu' peer set pvs0 b tfc ''
completes '' peer set pvs0 b keepalive ''
completes 'in out' sa add pvs0 b dir ''
completes 'key-file' sa add pvs0 b legacy key
completes 'aes256gcm16' sa add pvs0 b transform aes256gcm16
completes 'auto off' set pvs0 mss-clamp ''
completes 'auto inherit' set pvs0 ttl ''
completes 'openmetrics prometheus' metrics pvs0 format ''
completes 'list show' connection ''
completes 'cloud everything site-b' connection show ''
completes 'list show add del' policy ''
completes 'preset ike ipsec' policy add ''
completes 'aws azure' policy add preset a
completes 'prf' policy add ike x p
completes 'pfs' policy add ipsec x p
completes 'dh-group' policy add ike x encryption aes256 authentication sha256 prf sha256 d
completes '1 2' policy add ike x version ''
completes 'strong' policy del ike ''
completes 'preset strong' policy show ''
completes 'cloud everything site-b' export ''
completes 'strongswan srx' export site-b for s
completes 'secret' export site-b for asa s
exit $failed
