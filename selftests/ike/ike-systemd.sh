#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# pvsvpn@NAME.service, as installed by "make install", under its own systemd: start, stop, boot, a
# restart of strongSwan, a peer that is late or refuses. This systemd is the first process of a
# gateway with few units; strongswan.service is Debian's. The far end is as in ike-connection.sh.
#
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=../lib/stock.sh
. "$(dirname "$0")/../lib/stock.sh"
# shellcheck source=../lib/swan.sh
. "$(dirname "$0")/../lib/swan.sh"
# shellcheck source=../lib/machine.sh
. "$(dirname "$0")/../lib/machine.sh"

WAIT_LIMIT=60
unit=pvsvpn@site-b
tool_dir=$here/../../tools/pvsvpnctl

# ---- the gateway ----

gateway()
{
	grep -qw cgroup2 /proc/filesystems || skip 'no cgroups in this kernel'
	[ -x /usr/lib/systemd/systemd ] || skip 'no systemd'
	[ -e /usr/lib/systemd/system/strongswan.service ] ||
		skip 'no strongswan.service (charon-systemd)'
	ends
	in_batch "$gw" <<-END
		link add lan type dummy
		addr add 10.1.0.1/24 dev lan
		link set lan up
	END
	installed DESTDIR="$tmp/root"
	site
}

# installed MAKE-VARIABLE...: installs the tool and its unit
installed() { make -s -C "$tool_dir" install "$@" >"$tmp/make" 2>&1 || fail "$(cat "$tmp/make")"; }

# sooner: the unit checks every 2 s instead of every 10 s
sooner()
{
	sed -i 's/keep 10$/keep 2/' "$tmp/root/usr/local/lib/systemd/system/pvsvpn@.service"
	grep -q 'keep 2$' "$tmp/root/usr/local/lib/systemd/system/pvsvpn@.service" || fail 'no keep 10'
}

# site: writes the file of the connection, and its secret
site()
{
	local dir=$tmp/root/etc/pvsvpn

	site_b 'RouteSource = 10.1.0.1' 'Interface = pvs0' >"$dir/site-b.conf"
	(umask 077 && echo 'what both have been told' >"$dir/site-b.secret")
}

far_end()
{
	stock_end "$stock" ipsec0 42 "${far[@]}"
	CONNECTION='proposals = aes256-sha256-ecp256
encap = yes' PROPOSAL=aes256-sha256 LOCAL_TS=10.2.0.0/24 REMOTE_TS=10.1.0.0/24 \
		daemon "$stock" 192.0.2.2 192.0.2.1 far near
}

# far_secret WORDS: gives the far end another secret
far_secret()
{
	sed -i "s/secret = .*/secret = \"$1\"/" "$tmp/$stock/conf"
	swan "$stock" --load-all --clear --file "$tmp/$stock/conf" >"$tmp/$stock/loaded" 2>&1 ||
		fail "$(cat "$tmp/$stock/loaded")"
}

# ---- its systemd ----

# The gateway's /etc also has the operator's own connection
write_etc()
{
	mkdir -p "$tmp/etc/strongswan.d"
	echo 'connections { operator { remote_addrs = 203.0.113.9 } }' >"$tmp/swanctl/swanctl.conf"
	cat >"$tmp/etc/strongswan.d/test.conf" <<-END
		charon-systemd {
			retransmit_tries = 2
			retransmit_timeout = 1
			filelog {
				log {
					path = $tmp/charon.log
					default = 1
				}
			}
		}
	END
}

# machine [UNIT...]: boots the gateway with these units enabled
machine()
{
	local cgroup=pvsvpn-$BASHPID-$RANDOM

	machine_files "$tmp"
	write_etc
	machine_first "$tmp" "$cgroup" "$@"
	defer "remove_cgroup $cgroup"
	background ip netns exec "$gw" "${machine_run[@]}" "$tmp/first" >"$tmp/console" 2>&1
	# Print its logs if the case fails
	defer "tail -n 40 $tmp/console $tmp/kmsg $tmp/said $tmp/charon.log; echo"
	wait_for 'the first process' is_there "$background"
	first=$(pgrep -P "$background")
	# If it ends, all processes of its namespace end
	defer "kill -9 $first && busywait 20 gone $first"
	wait_for 'systemd' machine_has_started "$first"
}

is_there() { pgrep -P "$1" >/dev/null; }
gone() { ! kill -0 "$1" 2>/dev/null; }

# inside COMMAND...: runs COMMAND on the gateway
inside() { machine_in "$first" "$@"; }

first=''

# systemctl ARGUMENTS...: the gateway's
systemctl() { inside systemctl "$@"; }

state() { systemctl is-active "${1:-$unit}"; }

# property NAME [UNIT]
property() { systemctl show -p "$1" --value "${2:-$unit}"; }

status_of() { inside pvsvpnctl -j status site-b | jq -r ".connections[0].$1"; }

connections()
{
	inside swanctl --list-conns --raw 2>/dev/null |
		sed -n 's/^list-conn event {\([a-z-]*\).*/\1/p' | sort | xargs
}

# is_up: the connection and the unit are up
is_up()
{
	check 'unit' "$(state)" active
	check status "$(status_of status)" active
	pings "$gw" 10.2.0.1
}

# If the peer is away, the device has no carrier
route() { ip -n "$gw" route show 10.2.0.0/24 | sed 's/ linkdown//' | xargs; }
the_route='10.2.0.0/24 dev pvs0 scope link src 10.1.0.1'

# nothing_left: nothing of the connection is left
nothing_left()
{
	! ip -n "$gw" link show dev pvs0 >/dev/null 2>&1 || fail 'pvs0 is there'
	check states "$(ip -n "$gw" xfrm state)" ''
	check route "$(route)" ''
	check files "$(inside find /run/pvsvpn -name '*site-b*')" ''
	check connections "$(connections)" operator
	check 'IKE SAs' "$(inside swanctl --list-sas 2>/dev/null)" ''
	check status "$(status_of status)" disabled
}

# ---- cases ----

unit_as_installed()
{
	local file=lib/systemd/system/pvsvpn@.service name

	gateway
	machine
	check 'its file' "$(property FragmentPath)" "/usr/local/$file"
	grep -q '^ExecStart=/usr/local/sbin/pvsvpnctl up %i keep 10$' "$tmp/root/usr/local/$file" ||
		fail "$(cat "$tmp/root/usr/local/$file")"
	# The manual page may be missing here
	check 'systemd-analyze verify' "$(inside systemd-analyze --man=no verify "$unit.service" 2>&1)" ''
	# 0 is safe, 10 is unsafe; the threshold is ten times the value
	inside systemd-analyze security --offline=true --threshold=40 --no-pager "$unit.service" \
		>"$tmp/security" 2>&1 || fail "$(cat "$tmp/security")"
	tail -n 1 "$tmp/security" | report
	for name in network-online.target strongswan.service; do
		grep -qw "$name" <<<"$(property After)" || fail "not after $name: $(property After)"
	done
	grep -qw strongswan.service <<<"$(property Requires)" || fail "$(property Requires)"
	systemctl -q enable "$unit"
	for name in multi-user.target strongswan.service; do
		inside test -L "/etc/systemd/system/$name.wants/$unit.service" || fail "not in $name"
	done
	installed DESTDIR="$tmp/other" PREFIX=/usr
	grep -q '^ExecStart=/usr/sbin/pvsvpnctl up %i' "$tmp/other/usr/$file" ||
		fail "$(cat "$tmp/other/usr/$file")"
	make -s -C "$tool_dir" uninstall DESTDIR="$tmp/other" PREFIX=/usr
	check 'files after uninstall' "$(find "$tmp/other" -type f)" ''
}

start_and_stop()
{
	gateway
	sooner
	far_end
	machine
	systemctl start "$unit"
	is_up
	check 'its words' "$(property StatusText)" 'site-b is up'
	# CAP_NET_ADMIN and CAP_IPC_LOCK
	check 'its rights' "$(inside awk '/^(CapBnd|NoNewPrivs)/ { print $2 }' \
		"/proc/$(property MainPID)/status" | xargs)" '0000000000005000 1'
	systemctl stop "$unit"
	check unit "$(state)" inactive
	nothing_left
	wait_for 'the far end to know' is 0 children "$stock"
	# A manual down also stops the service
	systemctl start "$unit"
	is_up
	inside pvsvpnctl down site-b >/dev/null
	wait_for 'its end' is inactive state
	nothing_left
}

# confine: enforces Debian's profiles for strongSwan's programs. Debian itself only logs other
# actions of the daemon; here they are denied
confine()
{
	local dir=$tmp/apparmor.d

	if ! mountpoint -q /sys/kernel/security; then
		mount -t securityfs securityfs /sys/kernel/security
		defer 'umount /sys/kernel/security'
	fi
	cp -r /etc/apparmor.d "$dir"
	mkdir -p "$dir/local"
	: >"$dir/local/usr.sbin.swanctl"
	# The daemon's log of this test
	echo "$tmp/charon.log w," >"$dir/local/usr.sbin.charon-systemd"
	sed -i 's/complain,//' "$dir/usr.sbin.charon-systemd"
	apparmor_parser -r -K -b "$dir" "$dir"/usr.sbin.{swanctl,charon-systemd} 2>"$tmp/parser" ||
		fail "$(cat "$tmp/parser")"
	defer "apparmor_parser -R -K -b $dir $dir/usr.sbin.swanctl $dir/usr.sbin.charon-systemd"
}

# swanctl is confined to /etc/swanctl. If a file is elsewhere, swanctl fails, unloads all other
# connections, and does not report this in its exit status
under_AppArmor()
{
	command -v apparmor_parser >/dev/null || skip 'no apparmor_parser'
	[ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ] || skip 'no AppArmor'
	gateway
	sooner
	far_end
	confine
	machine
	systemctl start "$unit"
	is_up
	check 'the daemon' "$(inside cat "/proc/$(property MainPID strongswan)/attr/current")" \
		'/usr/sbin/charon-systemd (enforce)'
	echo 'connections { }' >"$tmp/mine.conf"
	inside swanctl --load-conns --file "$tmp/mine.conf" >"$tmp/swanctl.out" 2>&1 || :
	grep -q 'failed to open config file' "$tmp/swanctl.out" ||
		fail 'swanctl is not confined' "$(cat "$tmp/swanctl.out")"
	is_up
	wait_for 'our connection' is site-b connections
	inside swanctl --load-conns >"$tmp/swanctl.out" 2>&1
	wait_for 'both' is 'operator site-b' connections
	systemctl stop "$unit"
	nothing_left
}

# restarted: the process is not $main any more, and the connection is up again
restarted()
{
	wait_for 'the unit' is active state
	is_not "$main" property MainPID || fail "process $main is still there"
	is_up
	main=$(property MainPID)
}

strongswan_begins_anew()
{
	local main

	gateway
	far_end
	machine strongswan "$unit"
	wait_for 'the unit' is active state
	main=$(property MainPID)
	systemctl restart strongswan
	restarted
	# strongSwan's own --load-all does not know our connection
	systemctl reload strongswan
	wait_for 'the connection' is 'operator site-b' connections
	wait_for 'the unit' is active state
	check 'process' "$(property MainPID)" "$main"
	is_up
	systemctl stop strongswan
	check unit "$(state)" inactive
	check route "$(route)" ''
	systemctl start strongswan
	# The unit starts together with strongSwan, since it is enabled
	restarted
	check restarts "$(property NRestarts)" 0
}

# The unit and strongSwan are killed without warning
killed()
{
	local main daemon

	gateway
	far_end
	machine
	systemctl start "$unit"
	main=$(property MainPID)
	daemon=$(property MainPID strongswan)
	systemctl kill -s KILL "$unit"
	wait_for 'another process' is_another
	restarted
	check 'strongSwan' "$(property MainPID strongswan)" "$daemon"
	systemctl kill -s KILL strongswan
	wait_for 'another process' is_another
	restarted
	is_not "$daemon" property MainPID strongswan || fail 'the same strongSwan'
}

is_another() { is_not "$main" property MainPID && is_not 0 property MainPID; }

# The network is online when the test creates a file
slow_network()
{
	mkdir -p "$tmp/etc/systemd/system/network-online.target.wants"
	cat >"$tmp/etc/systemd/system/slow-network.service" <<-END
		[Unit]
		Before=network-online.target

		[Service]
		Type=oneshot
		RemainAfterExit=yes
		ExecStart=/bin/sh -c 'until [ -e $tmp/online ]; do sleep 0.2; done'
	END
	ln -s ../slow-network.service "$tmp/etc/systemd/system/network-online.target.wants"
}

# A target that conflicts with all services: shutdown.target cannot be started manually
switch_off()
{
	cat >"$tmp/etc/systemd/system/off.target" <<-END
		[Unit]
		DefaultDependencies=no
		Requires=shutdown.target
		After=shutdown.target
	END
}

waits_its_turn() { grep -q "$unit.*start *waiting" <<<"$(systemctl list-jobs)"; }

at_boot()
{
	gateway
	far_end
	slow_network
	switch_off
	machine strongswan "$unit"
	wait_for 'the network' is activating state slow-network
	wait_for 'its turn' waits_its_turn
	check 'strongSwan' "$(state strongswan)" inactive
	check 'unit' "$(state)" inactive
	check 'route' "$(route)" ''
	touch "$tmp/online"
	wait_for 'the unit' is active state
	is_up
	wait_for 'the end of the boot' is running systemctl is-system-running
	# down runs before strongSwan stops, so that the peer is informed
	systemctl start off.target
	check 'strongSwan' "$(state strongswan)" inactive
	check 'unit' "$(state)" inactive
	wait_for 'the far end to know' is 0 children "$stock"
	check 'states' "$(ip -n "$gw" xfrm state)" ''
	check 'route' "$(route)" ''
}

peer_comes_late()
{
	gateway
	machine
	systemctl --no-block start "$unit"
	wait_for 'the route' is "$the_route" route
	wait_for 'an attempt' is CONNECTING status_of ike.state
	check 'unit' "$(state)" activating
	systemctl stop "$unit"
	check 'unit' "$(state)" inactive
	nothing_left
	systemctl --no-block start "$unit"
	wait_for 'an attempt' is CONNECTING status_of ike.state
	far_end
	wait_for 'the unit' is active state
	wait_for 'the connection' is active status_of status
	is_up
}

# refused: the unit reports it, and packets for the far end have no other route
refused()
{
	wait_for 'its words' is "$told" property StatusText
	check status "$(status_of reason)" cannot_authenticate_connection
	check 'unit' "$(state)" active
	check route "$(route)" "$the_route"
}

# strongSwan does not retry after a refusal; the unit does
peer_refuses()
{
	local told='site-b: cannot_authenticate_connection' main

	told+=': the secret, a certificate or an identity is not what the other end has'
	told+='; compare the secret or the certificates, LocalIdentity and PeerIdentity with the peer'\''s'
	gateway
	sooner
	far_end
	machine
	far_secret 'what only one knows'
	systemctl start "$unit"
	refused
	main=$(property MainPID)
	far_secret 'what both have been told'
	wait_for 'its words' is 'site-b is up' property StatusText
	is_up
	check process "$(property MainPID)" "$main"
	# The peer ends it, and then refuses
	far_secret 'what only one knows'
	swan "$stock" --terminate --ike t >/dev/null
	refused
	far_secret 'what both have been told'
	wait_for 'its words' is 'site-b is up' property StatusText
	is_up
	check process "$(property MainPID)" "$main"
}

wrong_file()
{
	gateway
	machine
	echo 'Nonsense = 1' >>"$tmp/root/etc/pvsvpn/site-b.conf"
	! systemctl start "$unit" 2>/dev/null || fail 'it has started'
	check unit "$(state)" failed
	check restarts "$(property NRestarts)" 0
	nothing_left
	grep -q 'site-b.conf:10.*Nonsense' "$tmp/said" || fail "it has not said why"
	! systemctl start pvsvpn@nowhere 2>/dev/null || fail 'it has started without a file'
}

# An operator leaves all interfaces to systemd-networkd, by accident also ours
networkd_has_all()
{
	mkdir -p "$tmp/etc/systemd/network"
	cat >"$tmp/etc/systemd/network/10-all.network" <<-END
		[Match]
		Name=other pvs*

		[Link]
		MTUBytes=1300

		[Network]
		Address=172.16.9.1/24
	END
}

# networkd_says NAME: the state of an interface, from the file that networkctl reads
networkd_says() { inside sed -n 's/^ADMIN_STATE=//p' "/run/systemd/netif/links/$(index_of "$1")"; }
index_of() { ip -n "$gw" -j link show dev "$1" | jq .[0].ifindex; }
inner_addresses() { ip -n "$gw" -j -4 address show dev "$1" | jq -r '.[].addr_info[].local'; }

networkd_keeps_away()
{
	gateway
	networkd_has_all
	far_end
	ip -n "$gw" link add other type dummy
	machine systemd-networkd
	wait_for 'its work' is 172.16.9.1 inner_addresses other
	systemctl start "$unit"
	is_up
	wait_for 'it to have looked' is unmanaged networkd_says pvs0
	# When networkd restarts, it checks all interfaces again
	systemctl restart systemd-networkd
	wait_for 'its work' is configured networkd_says other
	check 'of ours' "$(networkd_says pvs0)" unmanaged
	check 'addresses' "$(inner_addresses pvs0)" ''
	check 'MTU' "$(ip -n "$gw" -j link show dev pvs0 | jq .[0].mtu)" 1422
	check route "$(route)" "$the_route"
	is_up
}

run_cases unit_as_installed start_and_stop under_AppArmor strongswan_begins_anew killed at_boot \
	peer_comes_late \
	peer_refuses wrong_file networkd_keeps_away
