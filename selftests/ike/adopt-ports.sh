#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# No socket owns the port of ESP in UDP: a daemon may start and stop, or a user may bind it, and ESP
# still arrives. The firewall still decides.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"

# udp_up [4|6]: both ends use UDP, and have SAs
udp_up()
{
	local one=192.0.2.1 two=192.0.2.2

	wire_up
	if [ "${1:-4}" = 6 ]; then
		one=2001:db8::1 two=2001:db8::2
		ip -n "$left" addr add $one/64 dev "$left_dev" nodad
		ip -n "$right" addr add $two/64 dev "$right_dev" nodad
	fi
	end_up "$left" right $two 10.1.0.1 fd00:1::1 10.2.0.0/16,fd00:2::/64
	end_up "$right" left $one 10.2.0.1 fd00:2::1 10.1.0.0/16,fd00:1::/64
	ctl "$left" peer set pvs0 right encap udp
	ctl "$right" peer set pvs0 left encap udp
	sa_both aes128gcm16
	gw=$left stock=$right
}

# daemon NAME [4|6]: binds the left's port; the process is $background
daemon()
{
	background ip netns exec "$left" /usr/bin/python3 -IS "$lib/encap_daemon.py" 4500 "${2:-4}" >"$tmp/$1"
	wait_for "$1" grep -q ready "$tmp/$1"
}

# ike NAME: the daemon receives a message sent to it, and nothing else
ike()
{
	in_ns "$right" /usr/bin/python3 -IS "$lib/encap_send.py" 192.0.2.1 4500 00000000696b65 ff
	wait_for 'the IKE message' grep -qx 'received 00000000696b65' "$tmp/$1"
	check "messages to $1" "$(grep -c received "$tmp/$1")" 1
}

# listeners: the number of sockets at the left's port
listeners() { in_ns "$left" ss -Hlun sport = 4500 | grep -c .; }

# No packet is lost, not even during the change
a_daemon_comes_after_us_and_goes()
{
	udp_up
	flood in "$right" 10.1.0.1 20
	daemon first
	ike first
	kill "$background"
	wait_for 'the daemon to be gone' is 0 listeners
	pings "$left" 10.2.0.1
	daemon second
	ike second
	flood_end in
	pings "$left" fd00:2::1 -s 1300
	check 'drops' "$(drops "$left")" ''
}

# The states stay when the daemon has stopped, and still carry packets
a_daemon_of_adopted_SAs_goes_and_comes_back()
{
	local there back first

	ends
	there=$("$PVSVPNCTL" genkey aes128gcm16)
	back=$("$PVSVPNCTL" genkey aes128gcm16)
	daemon first
	first=$background
	end_up "$right" left 192.0.2.1 10.2.0.1 fd00:2::1 10.1.0.0/16,fd00:1::/64
	ctl "$right" peer set pvs0 left encap udp
	ctl "$right" sa add pvs0 left dir in spi 0x1001 transform aes128gcm16 key-file - <<<"$there"
	ctl "$right" sa add pvs0 left dir out spi 0x1002 transform aes128gcm16 key-file - <<<"$back"
	ip -n "$left" link add pvs0 type pvsvpn
	ctl "$left" set pvs0 if-id 42
	quiet_up "$left" pvs0
	inner "$left" pvs0 10.1.0.1 fd00:1::1 10.2.0.0/24 fd00:2::/64
	state 192.0.2.2 192.0.2.1 0x1002 "$back"
	state 192.0.2.1 192.0.2.2 0x1001 "$there"
	wait_for 'the peer to be up' is true show "$left" peers.0.up
	flood in "$right" 10.1.0.1 20
	kill "$first"
	wait_for 'the daemon to be gone' is 0 listeners
	pings "$left" 10.2.0.1
	daemon second
	ike second
	flood_end in
	check 'drops' "$(drops "$left")" ''
}

# state SRC DST SPI KEY: adds a state at the left
state()
{
	ip -n "$left" xfrm state add src "$1" dst "$2" proto esp spi "$3" mode tunnel if_id 42 \
		flag af-unspec replay-window 128 aead 'rfc4106(gcm(aes))' "0x$4" 128 \
		encap espinudp 4500 4500 0.0.0.0
}

# The user binds the port first: any user may bind 4500
a_user_at_the_port_takes_nothing_away()
{
	wire_up
	background ip netns exec "$left" setpriv --reuid 65534 --regid 65534 --clear-groups \
		/usr/bin/python3 -IS "$lib/encap_daemon.py" 4500 4 plain >"$tmp/user"
	wait_for 'the user' grep -q ready "$tmp/user"
	end_up "$left" right 192.0.2.2 10.1.0.1 fd00:1::1 10.2.0.0/16,fd00:2::/64
	end_up "$right" left 192.0.2.1 10.2.0.1 fd00:2::1 10.1.0.0/16,fd00:1::/64
	ctl "$left" peer set pvs0 right encap udp
	ctl "$right" peer set pvs0 left encap udp
	sa_both aes128gcm16
	pings "$left" 10.2.0.1
	pings "$right" fd00:1::1 -s 1300
	check 'what the user has got' "$(cat "$tmp/user")" ready
	check 'drops' "$(drops "$left")" ''
}

# Fragments are reassembled before anything looks for ESP in them
fragments_of_outer_packets()
{
	udp_up "$1"
	ctl "$right" set pvs0 mtu 1600 fragment outer
	pings "$right" 10.1.0.1 -M dont -s 1500
	check 'drops' "$(drops "$left")" ''
}

fragments_over_IPv4() { fragments_of_outer_packets 4; }
fragments_over_IPv6() { fragments_of_outer_packets 6; }

# A rule that drops the port drops ESP; a rule for established connections accepts it
the_firewall_decides()
{
	udp_up
	pings "$left" 10.2.0.1
	in_ns "$left" nft -f - <<-END
		table inet pvs {
			chain in {
				type filter hook input priority 0;
				iifname outer0 udp dport 4500 drop
			}
		}
	END
	unreachable "$left" 10.2.0.1
	in_ns "$left" nft -f - <<-END
		flush table inet pvs
		table inet pvs {
			chain in {
				iifname outer0 udp dport 4500 ct state established accept
				iifname outer0 udp dport 4500 drop
			}
		}
	END
	pings "$left" 10.2.0.1
}

# The answer is that of any port without a socket
what_is_no_ESP_is_answered()
{
	udp_up
	in_ns "$right" /usr/bin/python3 -IS "$lib/encap_send.py" 192.0.2.1 4500 00000000696b65
	wait_for 'port unreachable' at_least 1 unreachables
	check 'port unreachable' "$(unreachables)" 1
	in_ns "$right" /usr/bin/python3 -IS "$lib/encap_send.py" 192.0.2.1 4500 ff
	pings "$left" 10.2.0.1
	check 'answers to a keepalive' "$(unreachables)" 1
	# An unknown SPI is counted, then answered in the same way
	in_ns "$right" /usr/bin/python3 -IS "$lib/encap_send.py" 192.0.2.1 4500 000099990000000100000000
	wait_for 'port unreachable' at_least 2 unreachables
	check rx_unknown_spi "$(drop_count "$left" pvs0 rx_unknown_spi right)" 1
}

unreachables() { in_ns "$left" nstat -asz IcmpOutDestUnreachs | awk 'END { print $2 + 0 }'; }

run_cases a_daemon_comes_after_us_and_goes a_daemon_of_adopted_SAs_goes_and_comes_back \
	a_user_at_the_port_takes_nothing_away fragments_over_IPv4 fragments_over_IPv6 \
	the_firewall_decides what_is_no_ESP_is_answered
