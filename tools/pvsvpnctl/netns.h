/* SPDX-License-Identifier: GPL-2.0 */
/* Network namespaces that have a name, as ip-netns(8) makes them. */
#ifndef PVSVPNCTL_NETNS_H
#define PVSVPNCTL_NETNS_H

/* The longest name, with the NUL at its end */
#define NETNS_NAME_MAX 128

/**
 * netns_enter() - work in that namespace from now on
 * @name: of it; "" for the one in which the program was started
 *
 * Return: CTL_OK, or an exit status after saying why not.
 */
int netns_enter(const char *name);

/* The namespace that we work in: a name, or "" */
const char *netns_name(void);

#endif /* PVSVPNCTL_NETNS_H */
