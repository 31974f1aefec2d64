#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The first half of all policies (lib/policies.sh), an additional key exchange, and the presets
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"
# shellcheck source=../lib/swan.sh
. "$(dirname "$0")/../lib/swan.sh"
# shellcheck source=../lib/connection.sh
. "$(dirname "$0")/../lib/connection.sh"
# shellcheck source=../lib/policies.sh
. "$(dirname "$0")/../lib/policies.sh"

# exchanged: the additional key exchanges of the IKE SA and its child SA
exchanged() { swan "$1" --list-sas --raw | grep -oE '\bake1=\w+' | xargs; }

# An additional key exchange (RFC 9370) in IKE, and in ESP from the first rekeying on. strongSwan
# has it since 6.0
additional_key_exchange()
{
	gateway
	cat >"$PVSVPN_CONFIG_DIR/site-b.conf" <<-END
		$(site_b 'RouteSource = 10.1.0.1' 'Interface = pvs0')
		[IKEPolicy]
		Encryption = aes256gcm16
		DHGroup = 20
		AdditionalKeyExchange = mlkem768
		[IPsecPolicy]
		Encryption = aes256gcm16
		PFS = 20
		AdditionalKeyExchange = mlkem1024, none
	END
	our_daemon
	if ! has_ML_KEM; then
		expect_refused 'strongSwan: no plugin has mlkem768 \(ML_KEM_768\); install strongSwan 6.0' \
			vpn up site-b
		return
	fi
	CONNECTION=$'proposals = aes256gcm16-prfsha384-ecp384-ke1_mlkem768\nencap = yes' \
		PROPOSAL=aes256gcm16-ecp384-ke1_mlkem1024 far_end
	up
	check 'exchanges' "$(exchanged "$gw")" 'ake1=ML_KEM_768'
	pings "$gw" 10.2.0.1
	swan "$gw" --rekey --child site-b >/dev/null
	wait_for 'the exchange of the child SA' is 'ake1=ML_KEM_768 ake1=ML_KEM_1024' exchanged "$gw"
	check 'exchanges at the far end' "$(exchanged "$stock")" 'ake1=ML_KEM_768 ake1=ML_KEM_1024'
	pings "$stock" 10.1.0.1
	no_error
}

# Each preset is negotiated as it is, and used
presets()
{
	local dir name quantum=aes256gcm16-ecp384-ke1_mlkem1024

	dir=$(realpath "$lib/../../tools/pvsvpnctl/presets")
	gateway
	our_daemon
	if has_ML_KEM; then
		MORE_IKE=${quantum/-/-prfsha384-} MORE_ESP=$quantum lenient_end
	else
		lenient_end
	fi
	for name in $(cd "$dir" && basename -s .conf ./*.conf); do
		[ "$name" != cnsa-2 ] || has_ML_KEM || continue
		PVSVPN_PRESET_DIR=$dir vpn policy add preset "$name"
		site_b 'RouteSource = 10.1.0.1' 'Interface = pvs0' "IKEPolicy = $name" \
			"IPsecPolicy = $name" >"$PVSVPN_CONFIG_DIR/site-b.conf"
		up
		pings "$gw" 10.2.0.1
		report <<<"$name: $(negotiated | xargs) $(exchanged "$gw")"
		vpn down site-b >/dev/null
	done
	no_error
}

first_half() { half_of_policies 0; }

run_cases first_half additional_key_exchange presets
