# SPDX-License-Identifier: GPL-2.0
# "make help" lists the targets. The module's own build is in Kbuild.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
DESTDIR ?=
MODDIR := updates
VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
SOURCES = $(shell find module uapi \( -name '*.[ch]' -o -name Kbuild \) -not -name '*.mod.c')

export KERNELS TESTS IKE

all: module tool

help:
	@echo 'make               module for the running kernel and the tool pvsvpnctl'
	@echo '                   (KVER=release or KDIR=headers for another kernel; W=1, C=1)'
	@echo 'make demo          two gateways and a tunnel in a VM, real traffic'
	@echo '                   (IKE=1: with strongSwan, from connection files)'
	@echo 'make check         lint and every selftest, in VMs with Debian kernels'
	@echo '                   (TESTS="replay interop" KERNELS=6.12 picks)'
	@echo 'make check-debug   the same on a kernel with KASAN, lockdep, kmemleak, faults'
	@echo 'make fuzz          arbitrary input for the parsers of the tool (SECONDS=60 each, and a million runs)'
	@echo 'make htmldocs      Documentation/ as HTML, in build/html'
	@echo 'make install       module, tool, man page, completion (DESTDIR=); then depmod'
	@echo 'make uninstall     removes them'
	@echo 'make dkms          gives the sources to dkms, which builds for each kernel'
	@echo 'make regen         uapi header and policies again from the netlink spec'
	@echo 'make clean         removes what was built'

headers:
	@[ -e "$(KDIR)/Makefile" ] || { \
		echo "no kernel headers in $(KDIR): install linux-headers-$(KVER), or give KVER= or KDIR=" >&2; \
		exit 1; }

module: headers
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

tool:
	$(MAKE) -C tools/pvsvpnctl

demo:
	selftests/vm/demo.sh

check:
	@selftests/vm/check.sh

check-debug:
	@KERNELS=debug selftests/vm/check.sh

htmldocs:
	@selftests/vm/deps.sh
	@$(MAKE) -s html
	@echo 'build/html/index.html'

# Does not look at the packages. A warning is an error; -E reads all pages, or it would come once.
html:
	@sphinx-build -E -W --keep-going -q -b html -d build/doctrees Documentation build/html

fuzz:
	@selftests/vm/deps.sh fuzz
	$(MAKE) -C tools/pvsvpnctl fuzz

# KDIR alone may name the headers, so ask them for the release. Kbuild's own depmod needs a
# System.map, which headers lack; a package's scripts run depmod themselves.
release = $(shell $(MAKE) -s -C $(KDIR) kernelrelease)
depmod = $(if $(DESTDIR),,depmod $(release))

install: all
	$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_PATH=$(DESTDIR) INSTALL_MOD_DIR=$(MODDIR) modules_install
	$(depmod)
	$(MAKE) -C tools/pvsvpnctl install DESTDIR=$(DESTDIR)

uninstall: headers
	rm -f $(DESTDIR)/lib/modules/$(release)/$(MODDIR)/module/pvsvpn.ko*
	$(depmod)
	$(MAKE) -C tools/pvsvpnctl uninstall DESTDIR=$(DESTDIR)

dkms: tool
	mkdir -p /usr/src/pvsvpn-$(VERSION)
	cp --parents dkms.conf COPYING Kbuild $(SOURCES) /usr/src/pvsvpn-$(VERSION)/
	dkms status pvsvpn/$(VERSION) | grep -q . || dkms add pvsvpn/$(VERSION)
	dkms install pvsvpn/$(VERSION) -k $(KVER)
	$(MAKE) -C tools/pvsvpnctl install

regen:
	selftests/vm/regen.sh

# Do not use kbuild's clean: the headers may be gone, or belong to another kernel
clean:
	find . -maxdepth 1 \( -name '.*.cmd' -o -name modules.order -o -name Module.symvers \) -delete
	find module \( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' \
		-o -name '.*.cmd' -o -name modules.order \) -delete
	$(MAKE) -C tools/pvsvpnctl clean
	rm -rf build

.PHONY: all help headers module tool demo check check-debug fuzz htmldocs html install uninstall dkms regen clean
