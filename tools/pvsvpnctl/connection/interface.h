/* SPDX-License-Identifier: GPL-2.0 */
/* The interface of a connection, with its peer, addresses and routes. */
#ifndef PVSVPNCTL_INTERFACE_H
#define PVSVPNCTL_INTERFACE_H

#include <stdbool.h>
#include <stdio.h>

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

/* Its addresses and routes go with it. */
void interface_delete(const char *ifname);

/* Prints the interface's part of the file as one line, so that a change is seen. */
void interface_print(FILE *out, const struct connection *c);

#endif /* PVSVPNCTL_INTERFACE_H */
