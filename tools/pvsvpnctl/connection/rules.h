/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything of a family through the tunnel, much as wg-quick(8) does it: the default route is in a
 * table of the connection's own. Rules lead there, in this order:
 *
 *	this host's packets to the peer		the main table: for IKE, and what rp_filter looks for
 *	all packets				the main table without its default route
 *	packets without the tunnel's mark	the table of the connection
 *
 * Behind the route into the interface, that table has a route that makes everything unreachable. If
 * the interface goes, packets do not leave in plain text.
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
