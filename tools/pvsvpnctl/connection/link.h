/* SPDX-License-Identifier: GPL-2.0 */
/* Which interface is there, and whose it is. */
#ifndef PVSVPNCTL_LINK_H
#define PVSVPNCTL_LINK_H

#include <net/if.h>
#include <stdbool.h>

/**
 * struct link - an interface as far as we care
 * @name: of it
 * @kind: as in "ip link add type KIND", "" if it has none
 * @alias: what somebody has written on it; up marks its interfaces so
 */
struct link {
	char name[IFNAMSIZ];
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

/**
 * link_find_alias() - look for an interface by what somebody has written on it
 * @alias: the text
 * @ifname: IFNAMSIZ bytes, filled in with the name of the first one
 *
 * Return: whether there is one.
 */
bool link_find_alias(const char *alias, char *ifname);

#endif /* PVSVPNCTL_LINK_H */
