/* SPDX-License-Identifier: GPL-2.0 */
/* The interface of a connection, with its peer, addresses and routes. */
#ifndef PVSVPNCTL_INTERFACE_H
#define PVSVPNCTL_INTERFACE_H

#include <stdbool.h>
#include <stdio.h>
#include <libmnl/libmnl.h>

#include "connection/connection.h"

/* Whether "up" has made the interface for connection @name */
bool interface_is_ours(const char *ifname, const char *name);

/**
 * interface_make() - make the interface as the file says, set it up, add the routes
 * @c: the connection
 *
 * Prints each step before doing it. Earlier steps stay when a later step fails.
 *
 * Return: CTL_OK, or CTL_FAILED after saying why.
 */
int interface_make(const struct connection *c);

/* Longest text about a difference, the terminating NUL included */
#define DIFFERENCE_MAX 160

/**
 * interface_differs() - compare the interface with the file
 * @c: the connection, as it was brought up
 * @text: DIFFERENCE_MAX bytes; receives the first difference, for people
 *
 * Return: a word for programs, or NULL if nothing differs or the kernel does not answer.
 */
const char *interface_differs(const struct connection *c, char *text);

/**
 * interface_mend() - make missing parts, and correct those that differ from the file
 * @c: the connection, as it was brought up
 * @routes: check the routes, too, for which the kernel walks their table
 *
 * Prints each difference and each step, and continues after a step that fails. If the interface is
 * gone, makes a new one, which the SAs find by their if-id.
 *
 * Return: CTL_OK, or CTL_FAILED after saying why.
 */
int interface_mend(const struct connection *c, bool routes);

/* Whether a change of links, addresses or routes may concern the interface (see rtnl_read()) */
bool interface_concerned(const struct nlmsghdr *nlh, const void *c);

/* Prints the interface's part of the file as one line, to detect changes. */
void interface_print(FILE *out, const struct connection *c);

#endif /* PVSVPNCTL_INTERFACE_H */
