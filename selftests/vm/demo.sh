#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# `make demo`: two gateways and a tunnel in one virtual machine, with the commands of README.md. The
# host's part: packages, kernel, builds, boot. The rest is in demo-guest.sh, or with IKE=1 in
# demo-ike-guest.sh. KERNEL=6.1 selects another kernel than 6.12.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"

kernel=${KERNEL:-6.12}
guest=demo-guest.sh
[ -z "${IKE-}" ] || guest=demo-ike-guest.sh

step() { printf '\n== %s (at %d s)\n' "$*" "$SECONDS"; }

cd "$top"
step "packages of this machine"
"$vm_dir/deps.sh"
step "kernel $kernel, from Debian's packages, kept in $cache"
"$vm_dir/kernels.sh" dir "$kernel"
step "the module"
"$vm_dir/kernels.sh" module "$kernel"
step "the tool"
make -C tools/pvsvpnctl
step "a virtual machine; what follows happens in it"
status=0
"$vm_dir/run.sh" -B -t 240 "$kernel" -- "selftests/vm/$guest" || status=$?
[ $status -ne 99 ] || say "demo: FAILED: the kernel complained, see above"
exit $status
