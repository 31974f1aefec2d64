/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything of a family through the tunnel, as wg-quick(8) does it: the default route is in a table of the
 * connection's own. Rules lead there, in this order:
 *
 *	to the peer	the main table: IKE and ESP, and a strict rp_filter for what the peer sends
 *	all		the main table without its default route: what this host has other routes for
 *	without a mark	the table of the connection; the tunnel's own packets have that mark
 *
 * Behind the route into the interface, that table has one that makes everything unreachable: if the
 * interface goes, packets do not leave in plain text.
 */
#ifndef PVSVPNCTL_RULES_H
#define PVSVPNCTL_RULES_H

#include <stdbool.h>

#include "connection/connection.h"
#include "connection/view.h"

/* As those of interface.c: whether one is missing, and adding what @view does not have */
bool rules_differ(const struct view *view, const struct connection *c, char *text);
int rules_mend(const struct view *view, const struct connection *c);

/* Removes those of a connection, and the routes that its interface does not take along. */
void rules_remove(const char *name);

#endif /* PVSVPNCTL_RULES_H */
