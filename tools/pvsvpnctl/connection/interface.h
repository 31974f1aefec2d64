/* SPDX-License-Identifier: GPL-2.0 */
/* The interface of a connection, with its peer, addresses and routes. */
#ifndef PVSVPNCTL_INTERFACE_H
#define PVSVPNCTL_INTERFACE_H

#include <stdbool.h>
#include <stdio.h>
#include <libmnl/libmnl.h>

#include "connection/connection.h"

/* Whether "up" has made it for that connection. */
bool interface_is_ours(const char *ifname, const char *name);

/**
 * interface_make() - make it as the file says, bring it up, add the routes
 * @c: the connection
 *
 * Each step is shown before it is done. Earlier steps stay when a later one fails.
 *
 * Return: CTL_OK, or CTL_FAILED after saying why.
 */
int interface_make(const struct connection *c);

/* Longest text about a part that is not as the file says, the terminating NUL included */
#define DIFFERENCE_MAX 160

/**
 * interface_differs() - compare what is there with what the file says
 * @c: the connection, as it was brought up
 * @text: DIFFERENCE_MAX bytes; the first part that is not as it should be, for people
 *
 * Return: a word for programs, or NULL where all is as it should be, or nobody can tell.
 */
const char *interface_differs(const struct connection *c, char *text);

/**
 * interface_mend() - make what is not there, and set what is not as the file says
 * @c: the connection, as it was brought up
 * @routes: look at the routes, too, for which the kernel walks their table
 *
 * Says what was wrong, and shows each step. If one fails, the others follow all the same. If the
 * interface itself is gone, another is made, which the SAs find by their if-id.
 *
 * Return: CTL_OK, or CTL_FAILED after saying why.
 */
int interface_mend(const struct connection *c, bool routes);

/* Whether a change of links, addresses or routes may be one of those (see rtnl_read()). */
bool interface_concerned(const struct nlmsghdr *nlh, const void *c);

/* Its addresses and routes go with it. */
void interface_delete(const char *ifname);

/* Prints the interface's part of the file as one line, so that a change is seen. */
void interface_print(FILE *out, const struct connection *c);

#endif /* PVSVPNCTL_INTERFACE_H */
