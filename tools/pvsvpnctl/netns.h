/* SPDX-License-Identifier: GPL-2.0 */
/* Network namespaces that have a name, as ip-netns(8) makes them. */
#ifndef PVSVPNCTL_NETNS_H
#define PVSVPNCTL_NETNS_H

/* The longest name, the terminating NUL included */
#define NETNS_NAME_MAX 128

/**
 * netns_enter() - enter a network namespace
 * @name: its name; "" for the one in which the program was started
 *
 * Return: CTL_OK, or an exit status after saying why not.
 */
int netns_enter(const char *name);

/* Name of the namespace that was entered, or "" */
const char *netns_name(void);

#endif /* PVSVPNCTL_NETNS_H */
