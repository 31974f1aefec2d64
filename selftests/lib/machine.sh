#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# For tests and the demo to source: a gateway whose services see a machine of their own. A systemd
# is the first process of its namespaces, with few of Debian's units. Needs cgroups.
#
# DIR has the machine's part of the file system: root ("make install" has filled it), etc (it lies
# over /etc), swanctl (its /etc/swanctl). The machine writes said (its services) and kmsg (systemd).
#
# shellcheck disable=SC2034 # variables for the scripts that source this

# machine_files DIR: copies only those of Debian's units that are needed to start
machine_files()
{
	local name

	mkdir -p "$1"/{units,nothing,swanctl,etc/systemd/system/service.d}
	for name in basic multi-user network network-online paths shutdown slices sockets \
		sysinit timers; do
		cp "/usr/lib/systemd/system/$name.target" "$1/units"
	done
	cp /usr/lib/systemd/system/{strongswan,systemd-networkd}.service "$1/units"
	touch "$1/said" "$1/kmsg"
	cat >"$1/etc/systemd/system/service.d/said.conf" <<-END
		[Service]
		StandardOutput=append:$1/said
		StandardError=append:$1/said
	END
}

# machine_first DIR CGROUP [UNIT...]: writes the script that becomes systemd, the first process. It
# has its own mounts and enables these units
machine_first()
{
	cat >"$1/first" <<-END
		set -e
		mount -t cgroup2 cgroup2 /sys/fs/cgroup
		mkdir /sys/fs/cgroup/$2
		# 0 is who writes it
		echo 0 >/sys/fs/cgroup/$2/cgroup.procs
		mount -t tmpfs -o mode=755 run /run
		mkdir /run/lock /run/etc /run/work
		mount -t overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/work etc /etc
		mount -t tmpfs -o mode=755 systemd /etc/systemd
		mkdir -p /etc/pvsvpn /etc/swanctl
		cp -r $1/etc/. /etc
		mount --bind $1/root/etc/pvsvpn /etc/pvsvpn
		mount --bind $1/swanctl /etc/swanctl
		mount --bind $1/root/usr/local /usr/local
		mount --bind $1/units /usr/lib/systemd/system
		mount --bind $1/nothing /usr/lib/systemd/system-generators
		mount --bind $1/kmsg /dev/kmsg
		mount --bind /dev/null /dev/console
		# As in a container: nobody waits for udev then
		mount -o remount,bind,ro /sys
		[ -z "${*:3}" ] || systemctl -q enable ${*:3}
		exec env -i container=pvsvpn PATH=/usr/local/sbin:/usr/sbin:/usr/bin \\
			unshare --cgroup sh -ec '
			umount /sys/fs/cgroup
			mount -t cgroup2 cgroup2 /sys/fs/cgroup
			exec /usr/lib/systemd/systemd --log-target=kmsg --unit=multi-user.target'
	END
}

# ip netns exec NETNS "${machine_run[@]}" DIR/first: runs the machine. Its only child is the
# machine's first process
machine_run=(unshare --pid --fork --mount --mount-proc --uts --ipc bash)

# machine_in PID COMMAND...: runs COMMAND on the machine with this first process
machine_in() { nsenter -t "$1" -m -u -i -n -p -C "${@:2}"; }

# machine_has_started PID. Check the name first: /run may still be the host's
machine_has_started()
{
	[ "$(machine_in "$1" cat /proc/1/comm)" = systemd ] &&
		machine_in "$1" test -S /run/systemd/private
}

# remove_cgroup NAME: with everything below it; its processes have ended before
remove_cgroup()
{
	unshare --mount sh -c "mount -t cgroup2 cgroup2 /sys/fs/cgroup &&
		find /sys/fs/cgroup/$1 -depth -type d -exec rmdir {} +"
}
