#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# For the tests to source, after stock.sh: states that ip xfrm installs, like a daemon, for a device
# of $gw that adopts those with if_id 42.
#
# shellcheck disable=SC2154 # variables of lib.sh and stock.sh

GCM='rfc4106(gcm(aes))'

# said PATTERN [COUNT]: waits until COUNT events of $gw match
said()
{
	wait_for "event '$1'; there were: $(cat "$tmp/events")" \
		at_least "${2:-1}" grep -cE "$1" "$tmp/events"
}

# new_keys: one for each direction of a tunnel
new_keys()
{
	there=0x$("$PVSVPNCTL" genkey aes128gcm16)
	back=0x$("$PVSVPNCTL" genkey aes128gcm16)
}

# state NS SRC DST SPI ARGUMENTS...: with if_id 42, in tunnel mode
state()
{
	ip -n "$1" xfrm state add src "$2" dst "$3" proto esp spi "$4" mode tunnel if_id 42 \
		flag af-unspec replay-window 128 "${@:5}"
}

# states NS SPI [ARGUMENTS...]: SPI from the gateway, SPI + 1 to it
states()
{
	local ns=$1 spi=$2

	shift 2
	state "$ns" 192.0.2.1 192.0.2.2 "$spi" "$@" aead "$GCM" "$there" 128
	state "$ns" 192.0.2.2 192.0.2.1 $((spi + 1)) "$@" aead "$GCM" "$back" 128
}

# adopting: neither end has states; the gateway's device waits for those with if_id 42
adopting()
{
	adopting_devices
	new_keys
}

# adopted: both ends have both states
# Each end can receive before the other can send, since the kernel's own packets count too
adopted()
{
	adopting
	state "$gw" 192.0.2.2 192.0.2.1 0x1002 aead "$GCM" "$back" 128
	state "$stock" 192.0.2.1 192.0.2.2 0x1001 aead "$GCM" "$there" 128
	state "$stock" 192.0.2.2 192.0.2.1 0x1002 aead "$GCM" "$back" 128
	state "$gw" 192.0.2.1 192.0.2.2 0x1001 aead "$GCM" "$there" 128
	wait_for 'the peer to be up' is true show "$gw" peers.0.up
}

# xfrm NS SPI WORD: a value of ip -s xfrm state: bytes, packets, replay, failed
xfrm()
{
	local spi

	spi=$(printf 0x%08x "$2")
	ip -n "$1" -s xfrm state | awk -v spi="$spi" -v word="$3" '
		/^src/ { inside = 0 }
		$3 == "spi" { inside = index($4, spi) == 1 }
		!inside { next }
		/lifetime current:/ { current = 1 }
		/\(bytes\)/ && current { split($1, a, "("); split($2, b, "(")
			value["bytes"] = a[1]; value["packets"] = b[1]; current = 0 }
		/replay-window [0-9]+ replay/ { value["window"] = $2; value["replay"] = $4; value["failed"] = $6 }
		END { sub(/,$/, "", value[word]); print value[word] }'
}

# sequence NS SPI: the number of the last packet, outbound or inbound
sequence()
{
	ip -n "$1" xfrm state | awk -v spi="$2" '
		/^src/ { inside = 0 }
		$3 == "spi" { inside = index($4, sprintf("0x0000%s", substr(spi, 3))) == 1 }
		inside && /seq-hi/ {
			for (i = 1; i < NF; i++)
				if ($i ~ /^o?seq$/ && $(i + 1) !~ /^0x0,?$/)
					n = $(i + 1)
		}
		inside && $1 == "anti-replay" && $3 == "seq" { n = $4 == "0x0," ? $6 : $4 }
		END { sub(/,$/, "", n); print n }'
}
