#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# An unprivileged user does what he can, in namespaces of his own or as an ordinary process,
# while tunnels of root's carry numbered traffic: nothing is lost or doubled, root's requests
# are done in time, the kernel says nothing, memory comes back.
#
#   namespace $gw                                   namespace $stock
#   pvs0 if-id 42, 10.1.0.1                         ipsec0 10.2.0.1
#   pvs1 with its own SAs, 10.1.1.1                 ipsec1 10.2.1.1
#     outer0 192.0.2.1 -------------veth------------- outer0 192.0.2.2, 192.0.2.3
#
# hostile_victim.py is root, hostile_user.py the user. SEED=N repeats a run's random bytes.
#
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=stock.sh
. "$(dirname "$0")/stock.sh"

SEED=${SEED:-$RANDOM}

# What a kernel may say while somebody loads its modules and sends it nonsense; each line is
# rate limited or comes once
said_anyway='NET: (Registered|Unregistered) |Initializing XFRM netlink socket|IPsec XFRM device driver'

# tunnels: both, without SAs, which the victim adds
tunnels()
{
	ends
	in_batch "$gw" <<-END
		link add pvs0 type pvsvpn
		link add pvs1 type pvsvpn
	END
	ctl "$gw" set pvs0 if-id 42
	ctl "$gw" peer add pvs1 stock local 192.0.2.1 remote 192.0.2.3
	quiet_up "$gw" pvs0
	quiet_up "$gw" pvs1
	in_batch "$gw" <<-END
		addr add 10.1.0.1/32 dev pvs0
		addr add 10.1.1.1/32 dev pvs1
		route add 10.2.0.0/24 dev pvs0 src 10.1.0.1
		route add 10.2.1.0/24 dev pvs1 src 10.1.1.1
	END
	stock_device "$stock" 192.0.2.2 192.0.2.1 ipsec0 42
	stock_device "$stock" 192.0.2.3 192.0.2.1 ipsec1 43
	in_batch "$stock" <<-END
		addr add 192.0.2.3/24 dev outer0
		addr add 10.2.0.1/32 dev ipsec0
		addr add 10.2.1.1/32 dev ipsec1
		route add 10.1.0.0/24 dev ipsec0 src 10.2.0.1
		route add 10.1.1.0/24 dev ipsec1 src 10.2.1.1
	END
}

# under_way: the tunnels, and the victim's traffic; from now on the kernel shall be silent
under_way()
{
	tunnels
	/usr/bin/python3 "$here/hostile_victim.py" "$gw" "$stock" "$tmp/stop" >"$tmp/victim" 2>&1 &
	victim=$!
	defer "kill $victim 2>/dev/null"
	wait_for "the victim's traffic: $(cat "$tmp/victim")" grep -qE '^(ready|WRONG|Traceback)' "$tmp/victim"
	grep -q '^ready' "$tmp/victim" || fail 'no traffic before anybody is hostile' "$(cat "$tmp/victim")"
	echo "<6>pvsvpn hostile: begin $$ $RANDOM" >/dev/kmsg
	memory_before=$(memory)
}

# memory: KiB that the kernel has and cannot give back when asked
memory()
{
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^(SUnreclaim|Percpu|VmallocUsed|PageTables):/ { n += $2 } END { print n }' /proc/meminfo
}

# unharmed: the victim's last words, the kernel's, and memory
unharmed()
{
	touch "$tmp/stop"
	wait "$victim" || fail 'the victim has failed' "$(cat "$tmp/victim")"
	grep -E '^(flow|request)' "$tmp/victim" | report
	! grep -q '^WRONG' "$tmp/victim" || fail "$(grep '^WRONG' "$tmp/victim")" "$(drops "$gw")" "$(xfrm_errors)"
	grep -q '^end' "$tmp/victim" || fail 'the victim did not come to its end' "$(cat "$tmp/victim")"
	echo "memory: $memory_before KiB before, $(memory) after" | report
	dmesg | tail -n 50 | report
}

# hostile ATTACK [ARGUMENT...]: the user does it, and has done it when this returns
hostile()
{
	/usr/bin/python3 "$here/hostile_user.py" "$1" "$SEED" "${@:2}" >"$tmp/user" 2>&1 || true
	sed "s/^/$1, seed $SEED: /" "$tmp/user" | cut -c -200 | report
	[ "$(tail -n 1 "$tmp/user")" = done ] || fail "the attack $1 has failed" "$(cat "$tmp/user")"
}

# hostile_in NAMESPACE ATTACK [ARGUMENT...]: goes on until the case ends; there when this returns
hostile_in()
{
	background ip netns exec "$1" /usr/bin/python3 "$here/hostile_user.py" "$2" "$SEED" "${@:3}" \
		>"$tmp/user" 2>&1
	user=$background
	wait_for "the attack $2: $(cat "$tmp/user")" grep -qE '^(ready|Traceback)' "$tmp/user"
	sed "s/^/$2, seed $SEED: /" "$tmp/user" | cut -c -200 | report
	grep -q '^ready' "$tmp/user" || fail "the attack $2 has failed" "$(cat "$tmp/user")"
}

# rekeys N: so many more have been done since
rekeys()
{
	wait_for "$1 rekeys; there were: $(tail -n 1 "$tmp/victim")" \
		at_least $(($(rekeys_done) + $1)) rekeys_done
}

rekeys_done() { grep -c '^rekeyed' "$tmp/victim"; }

nobody_is_hostile()
{
	under_way
	rekeys 2
	unharmed
}

AF_ALG_instances()
{
	under_way
	hostile_in "$gw" af_alg
	rekeys 3
	kill -KILL "$user"
	rekeys 1
	unharmed
}

states_and_policies()
{
	under_way
	hostile states_and_policies
	unharmed
}

objects_by_the_thousand()
{
	under_way
	hostile objects_by_the_thousand
	unharmed
}

killed_in_the_middle()
{
	under_way
	hostile killed_in_the_middle
	unharmed
}

netlink_garbage()
{
	under_way
	hostile netlink_garbage
	unharmed
}

module_loading()
{
	under_way
	hostile load_modules
	rekeys 2
	unharmed
}

run_cases nobody_is_hostile states_and_policies objects_by_the_thousand killed_in_the_middle \
	netlink_garbage module_loading AF_ALG_instances
