/* SPDX-License-Identifier: GPL-2.0 */
/* Which interface is there, and whose it is. */
#ifndef PVSVPNCTL_LINK_H
#define PVSVPNCTL_LINK_H

#include <stdbool.h>

/**
 * struct link - an interface as far as we care
 * @kind: as in "ip link add type KIND", "" if it has none
 * @alias: what somebody has written on it; up marks its interfaces so
 */
struct link {
	char kind[32];
	char alias[256];
};

/**
 * link_find() - look for an interface
 * @ifname: its name
 * @link: filled in when it is there
 *
 * Return: whether it is there.
 */
bool link_find(const char *ifname, struct link *link);

#endif /* PVSVPNCTL_LINK_H */
