#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The guest's part of "make demo IKE=1": the README's topology with a file and a secret for each
# gateway, and strongSwan and pvsvpn@NAME.service on both; the life of a connection. Each gateway is
# a machine with its own systemd. Exit 0: nothing lost, no plain text between the gateways.
#
# shellcheck source-path=SCRIPTDIR source=demo-lib.sh
. "$(dirname "$0")/demo-lib.sh"
# shellcheck source=../lib/machine.sh
. "$(dirname "$0")/../lib/machine.sh"

secret_of_both='a secret for two gateways'
declare -A machine=() first=()

# at NETNS COMMAND...: prints the command, and runs it on that gateway
at()
{
	printf '%s# %s\n' "$1" "${*:2}"
	on "$@"
}

on() { machine_in "${first[$1]}" "${@:2}"; }

is_there() { pgrep -P "$1" >/dev/null; }

# gateway NETNS [UNIT...]: boots it with these units enabled
gateway()
{
	local dir=$work/$1

	machine_first "$dir" "$1-$RANDOM" "${@:2}"
	ip netns exec "$1" "${machine_run[@]}" "$dir/first" >"$dir/console" 2>&1 &
	machine[$1]=$!
	disown
	wait_for 60 'the first process' is_there "${machine[$1]}"
	first[$1]=$(pgrep -P "${machine[$1]}")
	wait_for 60 'systemd' machine_has_started "${first[$1]}"
}

# install_on NETNS: like "make install"
install_on()
{
	make -s -C "$top/tools/pvsvpnctl" install DESTDIR="$work/$1/root" >"$work/make.out" 2>&1 ||
		fail "$(cat "$work/make.out")"
	machine_files "$work/$1"
	mkdir -p "$work/$1/etc/strongswan.d"
	cat >"$work/$1/etc/strongswan.d/log.conf" <<-END
		swanctl {
			load = random
		}
		charon-systemd {
			filelog {
				log {
					path = $work/$1/log
				}
			}
		}
	END
}

# Gateway B has the reverse configuration, and waits for gateway A
write_files()
{
	readme 'ini site-b' >"$work/gateway-a/root/etc/pvsvpn/site-b.conf"
	cat >"$work/gateway-b/root/etc/pvsvpn/site-a.conf" <<-END
		[Connection]
		LocalGateway = 198.51.100.1
		PeerGateway = 192.0.2.1
		LocalSubnets = 10.2.0.0/24
		PeerSubnets = 10.1.0.0/24
		RouteSource = 10.2.0.1
		Initiate = no
	END
	(umask 077 && echo "$secret_of_both" >"$work/gateway-b/root/etc/pvsvpn/site-a.secret")
}

# The README's commands
run_connection()
{
	local line

	readme 'sh connection' | sed 's/ *#.*//' >"$work/connection.readme"
	while read -r line; do
		printf 'printf "%%s\\n" %q\n%s\n' "gateway-a# $line" "$line"
	done <"$work/connection.readme" >"$work/connection.sh"
	on gateway-a bash -euo pipefail "$work/connection.sh" <<<"$secret_of_both" |
		tee "$work/up.out"
	grep -q '^site-b: active$' "$work/up.out" || fail "$(tail -n 20 "$work/gateway-a/log")"
	check_pings "$work/up.out"
}

value() { on gateway-a pvsvpnctl -j status site-b | jq -r ".connections[0].$1"; }
value_is() { [ "$(value "$1" 2>/dev/null)" = "$2" ]; }
carrier_is() { [ "$(on gateway-a pvsvpnctl -j show site-b | jq ".devices[0].carrier")" = "$1" ]; }
spi_is_not() { [ "$(value child.spi_out)" != "$1" ]; }

rekey_under_traffic()
{
	local spi

	ip netns exec host-a ping -q -i 0.02 -c 1000 10.2.0.2 >"$work/rekey.out" &
	for _ in 1 2 3; do
		spi=$(value child.spi_out)
		at gateway-a swanctl --rekey --child site-b >/dev/null
		wait_for 30 'another SA' spi_is_not "$spi"
	done
	wait $!
	cat "$work/rekey.out"
	check_pings "$work/rekey.out"
}

seconds_since() { echo $(((${EPOCHREALTIME/./} - $1) / 100000)) | sed 's/.$/.&/; s/^\./0./'; }

dead_peer()
{
	local begin

	# If its first process is killed, all others end
	kill -9 "${first[gateway-b]}"
	ip -n gateway-b link set wan down
	begin=${EPOCHREALTIME/./}
	printf 'gateway B is dead\n'
	wait_for 60 'dead peer detection' carrier_is false
	printf 'gateway A knows it after %s s\n' "$(seconds_since "$begin")"
	at gateway-a pvsvpnctl status site-b || :
	# A rebooted host has neither the device nor states
	ip -n gateway-b link delete site-a
	ip -n gateway-b xfrm state flush
	printf 'gateway B starts again, with its service enabled\n'
	gateway gateway-b strongswan pvsvpn@site-a
	wait_for 60 'the service' is_active gateway-b pvsvpn@site-a
	# Set the link up only now: earlier, the host would send "port unreachable"
	ip -n gateway-b link set wan up
	ip -n gateway-b neigh replace 198.51.100.254 lladdr 02:00:00:00:01:02 dev wan nud permanent
	ip -n gateway-b route replace default via 198.51.100.254
	wait_for 60 'the connection' value_is status active
	in_ns host-a ping -c 3 10.2.0.2 | tee "$work/back.out"
	check_pings "$work/back.out"
}

is_active() { on "$1" systemctl -q is-active "$2"; }

# The route is removed: the service adds it again
lost_route()
{
	at gateway-a ip route del 10.2.0.0/24
	wait_for 30 'the route' value_is status active
	at gateway-a ip route show 10.2.0.0/24
	at gateway-a tail -n 2 "$work/gateway-a/said"
}

grep -q '^pvsvpn ' /proc/modules || { modprobe -q nf_defrag_ipv6 || :; insmod "$PVSVPN_KO"; }
command -v charon-systemd >/dev/null || fail 'no strongSwan to be had from the Debian mirror'

title "two sites, each a host behind a gateway, and the Internet between them"
build_sites
install_on gateway-a
install_on gateway-b
write_files
gateway gateway-a
gateway gateway-b
ip netns exec gateway-a sysctl -qw net.ipv4.ip_forward=1
ip netns exec gateway-b sysctl -qw net.ipv4.ip_forward=1
# Exclude the router's "unreachable" for gateway B, and IGMP, which stays on one wire
start_capture other internet to-a not udp and not igmp and not \( icmp and src host 192.0.2.254 \)

title "the file of gateway A"
cat "$work/gateway-a/root/etc/pvsvpn/site-b.conf"
title "gateway B waits"
at gateway-b systemctl enable --now pvsvpn@site-a
title "gateway A: from secret to ping"
run_connection
title "host to host"
in_ns host-a ping -c 5 -i 0.5 10.2.0.2 | tee "$work/host.out"
check_pings "$work/host.out"
title "TCP from host to host"
run_iperf
title "three new keys under traffic"
rekey_under_traffic
title "somebody removes the route"
lost_route
title "gateway B dies, and comes back"
dead_peer
title "gateway A, as pvsvpn and as strongSwan see it"
at gateway-a pvsvpnctl show site-b
at gateway-a swanctl --list-sas
title "the end"
at gateway-a systemctl disable --now pvsvpn@site-b
at gateway-a pvsvpnctl status
! ip -n gateway-a link show site-b >/dev/null 2>&1 || fail 'the interface is still there'

stop_capture other
others=$(packets other)
[ "$others" -eq 0 ] || tcpdump -n -r "$work/other.pcap" 2>/dev/null
[ "$others" -eq 0 ] || fail "$others packets between the gateways were neither IKE nor ESP in UDP"
printf '\ndemo: connected by file, secret and service, %s, 3 rekeys without loss, a dead peer found and back, all ESP in UDP\n' \
	"$(iperf_result)"
