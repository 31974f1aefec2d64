/* SPDX-License-Identifier: GPL-2.0 */
/* The generic netlink family `pvsvpn`. */
#ifndef _PVSVPN_NETLINK_H
#define _PVSVPN_NETLINK_H

#include <net/genetlink.h>

#include "netlink-gen.h"

extern struct genl_family pvsvpn_nl_family;

int pvsvpn_netlink_init(void);
void pvsvpn_netlink_exit(void);

#endif /* _PVSVPN_NETLINK_H */
