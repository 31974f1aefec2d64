#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The guest's part of "make demo IKE=1": the README's picture again, with a file and a
# secret for each gateway, strongSwan in both, and what happens in the life of a
# connection. Exit 0: nothing lost, nothing in plain text between the gateways.
#
# shellcheck source-path=SCRIPTDIR source=demo-lib.sh
. "$(dirname "$0")/demo-lib.sh"

secret_of_both='a secret for two gateways'
declare -A daemon=()

# Two gateways on one host: each has files, a daemon and a place of its own, by variables
# that a gateway of one's own has no need of
settings()
{
	echo "PVSVPN_CONFIG_DIR=$work/$1/etc" "PVSVPN_RUN_DIR=$work/$1/run" \
		"PVSVPN_VICI=$work/$1/vici" "STRONGSWAN_CONF=$work/$1/strongswan.conf"
}

# at NETNS COMMAND...: shown, and run with these
at()
{
	printf '%s# %s\n' "$1" "${*:2}"
	quietly "$@"
}

quietly()
{
	# shellcheck disable=SC2046 # words are wanted
	ip netns exec "$1" env $(settings "$1") "${@:2}"
}

start_daemon()
{
	# A function in the background would be a shell more, and its process the one to be killed
	# shellcheck disable=SC2046 # words are wanted
	ip netns exec "$1" env $(settings "$1") charon-systemd >"$work/$1/charon.out" 2>&1 &
	daemon[$1]=$!
	disown
	wait_for 60 'strongSwan' test -S "$work/$1/vici"
}

# gateway NETNS: its daemon, with dead peer detection of 2 s times 3
gateway()
{
	mkdir -p "$work/$1/etc"
	cat >"$work/$1/strongswan.conf" <<-END
		swanctl {
			load = random
			socket = unix://$work/$1/vici
		}
		charon-systemd {
			load = random nonce openssl kdf kernel-netlink socket-default vici
			retransmit_base = 1
			retransmit_timeout = 2
			retransmit_tries = 2
			plugins {
				vici {
					socket = unix://$work/$1/vici
				}
			}
			filelog {
				log {
					path = $work/$1/log
				}
			}
		}
	END
	start_daemon "$1"
}

# The other way round, and it waits for gateway A
write_files()
{
	readme 'ini site-b' >"$work/gateway-a/etc/site-b.conf"
	cat >"$work/gateway-b/etc/site-a.conf" <<-END
		[Connection]
		LocalGateway = 198.51.100.1
		PeerGateway = 192.0.2.1
		LocalSubnets = 10.2.0.0/24
		PeerSubnets = 10.1.0.0/24
		RouteSource = 10.2.0.1
		Initiate = no
	END
	(umask 077 && echo "$secret_of_both" >"$work/gateway-b/etc/site-a.secret")
}

# The README's commands, with /etc/pvsvpn where this gateway has it
run_connection()
{
	local line

	readme 'sh connection' | sed 's/ *#.*//' >"$work/connection.readme"
	while read -r line; do
		printf 'printf "%%s\\n" %q\n%s\n' "gateway-a# $line" \
			"${line//\/etc\/pvsvpn/$work\/gateway-a\/etc}"
	done <"$work/connection.readme" >"$work/connection.sh"
	quietly gateway-a bash -euo pipefail "$work/connection.sh" <<<"$secret_of_both" |
		tee "$work/up.out"
	grep -q '^site-b is up$' "$work/up.out" || fail "$(tail -n 20 "$work/gateway-a/log")"
	check_pings "$work/up.out"
}

value() { quietly gateway-a pvsvpnctl -j status site-b | jq -r ".connections[0].$1"; }
value_is() { [ "$(value "$1" 2>/dev/null)" = "$2" ]; }
carrier_is() { [ "$(quietly gateway-a pvsvpnctl -j show site-b | jq ".devices[0].carrier")" = "$1" ]; }
spi_is_not() { [ "$(value child.spi_out)" != "$1" ]; }

rekey_under_traffic()
{
	local spi

	ip netns exec host-a ping -q -i 0.02 -c 1000 10.2.0.2 >"$work/rekey.out" &
	for _ in 1 2 3; do
		spi=$(value child.spi_out)
		echo 'gateway-a# swanctl --rekey --child site-b'
		quietly gateway-a swanctl --rekey --child site-b >/dev/null
		wait_for 30 'another SA' spi_is_not "$spi"
	done
	wait $!
	cat "$work/rekey.out"
	check_pings "$work/rekey.out"
}

dead_peer()
{
	kill -9 "${daemon[gateway-b]}"
	ip -n gateway-b link set wan down
	printf 'gateway B is dead\n'
	wait_for 60 'dead peer detection' carrier_is false
	at gateway-a pvsvpnctl status site-b
	# A host that starts anew has neither
	ip -n gateway-b link delete site-a
	ip -n gateway-b xfrm state flush
	rm -rf "$work/gateway-b/run" "$work/gateway-b/vici"
	printf 'gateway B is back\n'
	start_daemon gateway-b
	at gateway-b pvsvpnctl up site-a
	ip -n gateway-b link set wan up
	ip -n gateway-b neigh replace 198.51.100.254 lladdr 02:00:00:00:01:02 dev wan nud permanent
	ip -n gateway-b route replace default via 198.51.100.254
	wait_for 60 'the connection' value_is status active
	at host-a ping -c 3 10.2.0.2 | tee "$work/back.out"
	check_pings "$work/back.out"
}

grep -q '^pvsvpn ' /proc/modules || { modprobe -q nf_defrag_ipv6 || :; insmod "$PVSVPN_KO"; }
command -v charon-systemd >/dev/null || fail 'no strongSwan to be had from the Debian mirror'

title "two sites, each a host behind a gateway, and the Internet between them"
build_sites
gateway gateway-a
gateway gateway-b
write_files
ip netns exec gateway-a sysctl -qw net.ipv4.ip_forward=1
ip netns exec gateway-b sysctl -qw net.ipv4.ip_forward=1
# The router may say that gateway B is not to be reached
start_capture other internet to-a not udp and not \( icmp and src host 192.0.2.254 \)

title "the file of gateway A"
cat "$work/gateway-a/etc/site-b.conf"
title "gateway B waits"
at gateway-b pvsvpnctl up site-a
title "gateway A: from secret to ping"
run_connection
title "host to host"
at host-a ping -c 5 -i 0.5 10.2.0.2 | tee "$work/host.out"
check_pings "$work/host.out"
title "TCP from host to host"
run_iperf
title "three new keys under traffic"
rekey_under_traffic
title "gateway B dies, and comes back"
dead_peer
title "gateway A, as pvsvpn and as strongSwan see it"
at gateway-a pvsvpnctl show site-b
at gateway-a swanctl --list-sas
title "down"
at gateway-a pvsvpnctl down site-b
at gateway-a pvsvpnctl status
! ip -n gateway-a link show site-b >/dev/null 2>&1 || fail 'the interface is still there'

stop_capture other
others=$(packets other)
[ "$others" -eq 0 ] || fail "$others packets between the gateways were neither IKE nor ESP in UDP"
printf '\ndemo: connected by file and secret, %s, 3 rekeys without loss, a dead peer found and back, all ESP in UDP\n' \
	"$(iperf_result)"
