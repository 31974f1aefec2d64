#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Prints the files of this machine that a guest keeps in memory, without the leading /: every
# program that a test names, and the arguments, with their libraries; links such as /lib; Python;
# the tests.
#
# A guest that opens a file of the host's sends three requests to QEMU and waits for each. A
# program opens ten files when it starts. A list that is too long costs memory, and one that is
# too short costs time. No result depends on it.
set -euo pipefail
export LC_ALL=C
# shellcheck source-path=SCRIPTDIR source=vm-lib.sh
. "$(dirname "$0")/vm-lib.sh"

# Larger files, such as libraries of compilers, are read from the host
limit=8000000

words()
{
	cat "$top"/selftests/{lib,packet,control,ike}/*.{sh,py} "$vm_dir"/{guest,kernel-check}.sh |
		grep -oE '[[:alnum:]_.+-]+' | sort -u
}

# Each program whose name is a word in the tests
programs()
{
	find -H /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin -maxdepth 1 -xtype f -perm -u+x \
		-printf '%f %p\n' | sort | join - <(words) | cut -d ' ' -f 2
}

# libraries PROGRAM...: by their names, most of which are links; /lib is also a link
libraries()
{
	ldd "$@" 2>/dev/null | awk '$3 ~ /^\// { print $3 } $1 ~ /^\// && $2 ~ /^\(/ { print $1 }' |
		sort -u | sed 's|^/lib|/usr/lib|'
}

# The standard library, except its tests and the parts for developers
python()
{
	find /usr/lib/python3.[0-9]* -name '*.py' -o -name '*.pyc' -o -name '*.so' |
		grep -vE '/(tests?|idlelib|lib2to3|ensurepip|config-[^/]*)/'
}

# small PATH...: those that are not too large, and the targets of links
small()
{
	local linked

	mapfile -t linked < <(readlink -f "$@")
	find "$@" "${linked[@]}" -maxdepth 0 \( -type l -o -type f -size -${limit}c \) 2>/dev/null || :
}

mapfile -t programs < <(programs)
mapfile -t libraries < <(libraries "${programs[@]}" "$@")
{
	small "${programs[@]}" "${libraries[@]}" /etc/{ld.so.cache,passwd,group,nsswitch.conf} \
		"$top"/selftests/{lib,packet,control,ike}/*.{sh,py} "$@"
	python
	find / /etc/alternatives -maxdepth 1 -type l
} | sort -u | sed 's|^/||'
