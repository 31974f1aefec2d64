/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sends all traffic of a family through the tunnel, much as wg-quick(8) does: the default route is
 * in the connection's own table. Rules lead there, in this order:
 *
 *	this host's packets to the peer		the main table: for IKE and rp_filter
 *	all packets				the main table without its default route
 *	packets without the tunnel's mark	the table of the connection
 *
 * After the route into the interface, that table has a route that makes everything unreachable. If
 * the interface is removed, packets do not leave in plain text.
 */
#ifndef PVSVPNCTL_RULES_H
#define PVSVPNCTL_RULES_H

#include <stdbool.h>

#include "connection/connection.h"
#include "connection/view.h"

/* As in interface.c: whether a rule is missing, and adding what @view lacks */
bool rules_differ(const struct view *view, const struct connection *c, char *text);
int rules_mend(const struct view *view, const struct connection *c);

/* Removes the rules of a connection, and the routes that outlive its interface. */
void rules_remove(const char *name);

#endif /* PVSVPNCTL_RULES_H */
