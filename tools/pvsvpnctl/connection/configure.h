/* SPDX-License-Identifier: GPL-2.0 */
/* The things that "up" sets up before anybody speaks to the peer, and that "down" takes away. */
#ifndef PVSVPNCTL_CONFIGURE_H
#define PVSVPNCTL_CONFIGURE_H

#include <stdbool.h>

#include "connection/connection.h"
#include "connection/credentials.h"
#include "connection/vici.h"

/**
 * configure() - interface, routes, and the daemon's part
 * @daemon: the connection to strongSwan
 * @c: the connection
 * @cred: of it
 * @again: what was taken down meanwhile stays so, with an error
 *
 * A configured interface stays as it is (configure_mend() puts it right); the daemon gets its part
 * anew, as it may have been started anew. With runtime_lock().
 *
 * Return: CTL_OK, or CTL_FAILED after saying why; nothing is left then of what it has done.
 */
int configure(struct vici *daemon, const struct connection *c,
	      const struct credentials *cred, bool again);

/* Whether it was brought up, and its file says the same as it said then. */
bool configure_is_current(const struct connection *c);

/**
 * configure_mend() - put right what others have changed of the interface
 * @c: the connection; nothing happens unless configure_is_current()
 * @routes: look at the routes, too
 *
 * With runtime_lock().
 *
 * Return: CTL_OK, or CTL_FAILED after saying why.
 */
int configure_mend(const struct connection *c, bool routes);

/**
 * configure_undo() - take it away
 * @daemon: the connection to strongSwan, or NULL
 * @name: of the connection
 * @ifname: of its interface, which stays where it is another's
 *
 * With runtime_lock().
 */
void configure_undo(struct vici *daemon, const char *name, const char *ifname);

#endif /* PVSVPNCTL_CONFIGURE_H */
