#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Process 1 of the guest after init: prepares the system, runs the command of run.sh, checks the
# kernel's log, powers off. /run/out is the host's.

out=/run/out
# shellcheck source=/dev/null # written by run.sh: environment and paths
. "$out/env"

mount_all()
{
	mkdir -p /dev/pts /dev/shm /run/netns /run/lock
	mount -t devpts -o ptmxmode=666 devpts /dev/pts
	mount -t tmpfs shm /dev/shm
	mount -t tracefs tracefs /sys/kernel/tracing
	mount -t debugfs debugfs /sys/kernel/debug
	mount --make-rshared /
	mkdir -p "/lib/modules/$VM_RELEASE"
	mount --bind "$VM_MODULES/$VM_RELEASE" "/lib/modules/$VM_RELEASE"
}

# There is no udev to load these on demand. If they are missing, AES-GCM and others use the generic
# ciphers.
load_ciphers()
{
	local module

	for module in aesni_intel ghash_clmulni_intel chacha_x86_64 poly1305_x86_64; do
		modprobe -q "$module"
	done
}

# If the clock counts instructions, it jumps while the guest waits for the host's files. The
# kernel's one-minute timeout for a cipher then expires while its module is read. Therefore load the
# ciphers before counting.
key_a_state()
{
	local state='src 127.0.0.1 dst 127.0.0.1 proto esp spi 0x100' key try

	key=0x$(printf '%040d' 1)
	for ((try = 1; try <= 10; try++)); do
		# shellcheck disable=SC2086 # words
		ip xfrm state add $state mode tunnel aead 'rfc4106(gcm(aes))' "$key" 128 && break
	done
	# shellcheck disable=SC2086 # words
	ip xfrm state delete $state
}

prepare()
{
	mount_all 2>"$out/mount.log"
	ln -sfn /proc/self/fd /dev/fd
	ln -sfn fd/0 /dev/stdin
	hostname pvsvpn-vm 2>/dev/null || echo pvsvpn-vm >/proc/sys/kernel/hostname
	ip link set lo up
	# No tunl0, sit0, ip_vti0 in each new namespace
	echo 1 >/proc/sys/net/core/fb_tunnels_only_for_init_net
	load_ciphers
	[ -z "${VM_ICOUNT:-}" ] || key_a_state >"$out/ciphers.log" 2>&1
	"$VM_DIR/kernel-check.sh" start
}

run_command()
{
	cd "$VM_PWD" || return 126
	timeout -k 10 "$VM_TIMEOUT" bash "$out/command" >>"$out/stdout" 2>&1 </dev/null
}

power_off()
{
	sync
	busybox poweroff -f
	echo o >/proc/sysrq-trigger
	sleep 60
}

prepare
run_command
echo $? >"$out/status"
cd /
"$VM_DIR/kernel-check.sh" end >"$out/kernel.ktap" 2>&1
dmesg >"$out/dmesg"
power_off
