#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# No inner size is lost silently: sizes to 9000, over smaller paths, for every outer family,
# encapsulation, inner family and shape of transform (mtu_sizes.py).
#
#   $left ---- 9200 ---- $router ---- 1500 or 9200 ---- $right
#
# Four tunnels pvs0 to pvs3, each with another outer family or encapsulation.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# tunnel NAMESPACE NUMBER OWN-INNER OTHER-INNER REMOTE ENCAP
tunnel()
{
	in_batch "$1" <<-END
		link add pvs$2 type pvsvpn
		link set pvs$2 addrgenmode none
		link set pvs$2 up
		addr add 10.$2.0.$3/32 dev pvs$2
		addr add fd00:$2::$3/128 dev pvs$2 nodad
		route add 10.$2.0.$4/32 dev pvs$2
		route add fd00:$2::$4/128 dev pvs$2
	END
	ctl "$1" peer add "pvs$2" other remote "$5" encap "$6"
}

# both_ends NUMBER LEFT RIGHT ENCAP
both_ends()
{
	tunnel "$left" "$1" 1 2 "$3" "$4"
	tunnel "$right" "$1" 2 1 "$2" "$4"
}

topology()
{
	local ns

	wire_with_router
	ip -n "$left" link set outer0 mtu 9200
	ip -n "$right" link set outer0 mtu 9200
	ip -n "$router" link set near0 mtu 9200
	ip -n "$router" link set far0 mtu 9200
	for ns in "$left" "$router"; do
		in_ns "$ns" sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	done
	both_ends 0 192.0.2.1 198.51.100.2 none
	both_ends 1 2001:db8:1::1 2001:db8:2::2 none
	both_ends 2 192.0.2.1 198.51.100.2 udp
	both_ends 3 2001:db8:1::1 2001:db8:2::2 udp
	# Resolve neighbours first: mtu_sizes.py counts delayed packets as lost
	pings "$left" 198.51.100.2
	pings "$left" 2001:db8:2::2
}

# sizes WHAT: runs mtu_sizes.py and shows its output with the result
sizes()
{
	topology
	if ! "$here/mtu_sizes.py" "$1" "$left" "$router" "$right" >"$tmp/sizes" 2>&1; then
		fail "mtu_sizes.py $1:" "$(cat "$tmp/sizes")"
	fi
	report <"$tmp/sizes"
}

every_size_by_every_way() { sizes every; }
edges_of_every_transform() { sizes edges; }

run_cases every_size_by_every_way edges_of_every_transform
