#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Boots a kernel under QEMU and runs a command in it as root.
#
#   run.sh [-t SECONDS] [-m MIB] [-c CPUS] [-o DIR] [-q DIR] [-e NAME=VALUE]... [-Bi]
#          KERNEL -- COMMAND...
#
# KERNEL: 6.1, 6.12, debug (see kernels.sh); with -newer behind it, the guest has a newer
# strongSwan, after deps.sh newer. The guest sees the host's files, those of files.sh as they
# were at its start; what it writes stays in its memory, but for $VM_OUT, the directory of -o.
# The current directory is kept; PVSVPN_KO and PVSVPNCTL name module and tool.
#   -t  the command's time limit (default 900)      -m  memory (default 2048)
#   -o  keep console, dmesg, stdout, kernel.ktap here (default: removed)
#   -q  a directory that several guests share, $QUEUE in the guest
#   -B  do not build module and tool first           -c  processors (default 2)
#   -i  count instructions: the guest's clock advances 1 ns with each, whatever else
#       this machine does. Always emulated, one processor, VM_ICOUNT=1 in the guest
# Afterwards the kernel is asked what it thinks of it (kernel-check.sh): results
# in kernel.ktap, failed ones also on stderr.
# Exit: the command's status; 99 if it was 0 but the kernel reported something;
# 124 time limit, 125 the guest died or did not start.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"

time_limit=900 memory=2048 cpus=2 out='' queue='' build=1 icount=0 environment=()

usage() { sed -n '5,22s/^# \{0,1\}//p' "$0" >&2; exit 2; }

parse()
{
	while getopts t:m:c:o:q:e:Bi option; do
		case $option in
		t) time_limit=$OPTARG ;;
		m) memory=$OPTARG ;;
		c) cpus=$OPTARG ;;
		o) out=$OPTARG ;;
		q) queue=$OPTARG environment+=(QUEUE=/run/queue) ;;
		e) environment+=("$OPTARG") ;;
		B) build=0 ;;
		i) icount=1 cpus=1 environment+=(VM_ICOUNT=1) ;;
		*) usage ;;
		esac
	done
	shift $((OPTIND - 1))
	if [ $# -lt 3 ] || [ "$2" != -- ]; then
		usage
	fi
	kernel=${1%-newer}
	[ "$kernel" = "$1" ] || guest_root=$newer_root
	shift 2
	command=("$@")
}

# Modules that init needs, in order of loading; none if they are built in
boot_modules()
{
	/sbin/modprobe -d "$dir/root" -S "$release" --show-depends -a \
		virtio_pci 9pnet_virtio 9p overlay 2>/dev/null |
		awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

copy_module()
{
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.zst) zstd -qdc "$1" ;;
	*) cat "$1" ;;
	esac >"$2"
}

make_initramfs()
{
	local tree=$tmp/initramfs n=100 file name

	mkdir -p "$tree"/{bin,modules,proc,sys,dev}
	cp "$(command -v busybox)" "$tree/bin/busybox"
	for name in sh mount mkdir insmod switch_root poweroff cpio cp; do
		ln -s busybox "$tree/bin/$name"
	done
	for file in $(boot_modules); do
		name=${file##*/}
		copy_module "$file" "$tree/modules/$n-${name%%.ko*}.ko"
		n=$((n + 1))
	done
	"$vm_dir/files.sh" "$module" "$tool" | (cd / && cpio --quiet -o -H newc) >"$tree/files.cpio"
	install -m 755 "$vm_dir/init" "$tree/init"
	(cd "$tree" && find . | cpio --quiet -o -H newc) >"$tmp/initramfs.cpio"
}

# Writes guest.sh's input: paths and the command
write_orders()
{
	cp "$vm_dir/guest.sh" "$out/guest.sh"
	# In locale C a program opens no locale files, in others fourteen
	{
		printf 'export PATH=%q\n' "${tool%/*}:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin:$promtool_dir"
		printf 'export HOME=/root LC_ALL=C TERM=dumb VM_OUT=/run/out VM_KERNEL=%q\n' "$kernel"
		printf 'export PVSVPN_KO=%q PVSVPNCTL=%q\n' "$module" "$tool"
		printf 'export LIBRESWAN=%q\n' "$libreswan_root"
		[ ${#environment[@]} -eq 0 ] || printf 'export %q\n' "${environment[@]}"
		printf 'VM_DIR=%q VM_PWD=%q VM_TIMEOUT=%q\n' "$vm_dir" "$PWD" "$time_limit"
		printf 'VM_RELEASE=%q VM_MODULES=%q\n' "$release" "$dir/root/lib/modules"
	} >"$out/env"
	printf '%q ' "${command[@]}" >"$out/command"
	: >"$out/stdout"
	rm -f "$out/status" "$out/kernel.ktap" "$out/dmesg" "$out/console"
}

# Use KVM only if the processor supports it: elsewhere /dev/kvm may exist but be slow. When
# emulated, "rep movsb" copies byte by byte, and five levels of page tables cost more than four.
# Emulated processors share one thread: with a thread each, QEMU 7.2 sometimes keeps the int3 of a
# jump label that the kernel has long patched, and the guest dies (once in twenty runs). This costs
# no time: the tests mostly wait, and two guests fit on two cores.
accelerator()
{
	if [ "$icount" = 1 ]; then
		echo '-accel tcg,thread=single -icount shift=0,sleep=off -cpu max,-erms,-fsrm,-la57'
	elif grep -qwE 'vmx|svm' /proc/cpuinfo && [ -w /dev/kvm ]; then
		echo '-accel kvm -cpu host'
	else
		echo '-accel tcg,thread=single -cpu max,-erms,-fsrm,-la57'
	fi
}

# The guest gets more time than the command, for boot, checks and power-off
boot()
{
	local share=security_model=none,multidevs=remap

	# A busy host stalls the guest: use long watchdogs, and none that blames the TSC. If
	# programs always have the same addresses, they need no new translation and start in half
	# the time.
	local watchdogs='rcupdate.rcu_cpu_stall_timeout=90 watchdog_thresh=60 tsc=nowatchdog'
	local speed='norandmaps mitigations=off audit=0' guest=()

	[ ! -d "$guest_root" ] || guest=(-virtfs "local,path=$guest_root,mount_tag=guest,$share,readonly=on")
	[ -z "$queue" ] || guest+=(-virtfs "local,path=$queue,mount_tag=queue,$share")
	# shellcheck disable=SC2046 # words are wanted
	exec timeout -k 5 $((time_limit + 240)) qemu-system-x86_64 -M q35 $(accelerator) \
		-smp "$cpus" -m "$memory" -nodefaults -no-user-config -nographic -monitor none -no-reboot \
		-kernel "$dir/vmlinuz" -initrd "$tmp/initramfs.cpio" \
		-append "console=ttyS0 loglevel=6 log_buf_len=8M panic=-1 net.ifnames=0 dummy.numdummies=0 $watchdogs $speed" \
		-virtfs "local,path=/,mount_tag=host,$share,readonly=on" \
		"${guest[@]}" \
		-virtfs "local,path=$out,mount_tag=out,$share" \
		-serial "file:$out/console" </dev/null >"$out/qemu" 2>&1 9>&-
}

# shellcheck disable=SC2317 # called by the trap
cleanup()
{
	[ -z "${qemu-}" ] || kill "$qemu" 2>/dev/null || :
	[ -z "${tmp-}" ] || rm -rf "$tmp"
}

# Prints the command's output at once until the guest is off
follow()
{
	tail -q -s 0.2 -n +1 --pid="$qemu" -f "$out/stdout"
	wait "$qemu" || :
	qemu=
}

died()
{
	say "run.sh: the guest ended before the command did; its last words:"
	tail -n 40 "$out/console" "$out/qemu" >&2 2>/dev/null || :
	exit 125
}

# finish: sets the exit status, which includes the kernel's checks
finish()
{
	local status

	[ -s "$out/status" ] || died
	status=$(cat "$out/status")
	[ -s "$out/kernel.ktap" ] || died
	[ "$status" != 124 ] || say "run.sh: the command took longer than $time_limit s"
	if grep -q '^not ok' "$out/kernel.ktap"; then
		grep -vE '^(ok|TAP|1\.\.)' "$out/kernel.ktap" >&2
		[ "$status" != 0 ] || status=99
	fi
	exit "$status"
}

parse "$@"
for name in qemu-system-x86_64 busybox cpio; do
	command -v "$name" >/dev/null || die "$name is missing: run selftests/vm/deps.sh"
done
dir=$("$vm_dir/kernels.sh" dir "$kernel")
release=$(cat "$dir/release")
module=$top/build/$kernel/module/pvsvpn.ko tool=$top/tools/pvsvpnctl/pvsvpnctl
if [ "$build" = 1 ]; then
	"$vm_dir/kernels.sh" module "$kernel" >/dev/null
	make -s -C "$top/tools/pvsvpnctl" >&2
fi

qemu=''
trap cleanup EXIT
trap 'exit 130' INT TERM HUP
tmp=$(mktemp -d)
if [ -n "$out" ]; then
	mkdir -p "$out"
	out=$(cd "$out" && pwd -P)
else
	out=$tmp/out
	mkdir "$out"
fi
make_initramfs
write_orders
boot &
qemu=$!
follow
finish
