/* SPDX-License-Identifier: GPL-2.0 */
/* All that "up" sets up before it contacts the peer, and that "down" removes. */
#ifndef PVSVPNCTL_CONFIGURE_H
#define PVSVPNCTL_CONFIGURE_H

#include <stdbool.h>

#include "connection/connection.h"
#include "connection/credentials.h"
#include "connection/vici.h"

/**
 * configure() - set up the interface, its routes and the connection in the daemon
 * @daemon: the connection to strongSwan
 * @c: the connection
 * @cred: its credentials
 * @again: fail if "down" has run since
 *
 * Leaves a configured interface as it is (configure_mend() repairs it). Loads the connection into
 * the daemon again, as the daemon may have restarted.
 *
 * Context: The caller must hold runtime_lock().
 *
 * Return: CTL_OK, or CTL_FAILED after saying why; a first setup is undone then.
 */
int configure(struct vici *daemon, const struct connection *c,
	      const struct credentials *cred, bool again);

/* Whether it was brought up and its file has not changed since. */
bool configure_is_current(const struct connection *c);

/* The same, and it is known what the file said: the state is not lost. */
bool configure_is_loaded(const struct connection *c);

/**
 * configure_mend() - repair what others have changed in the interface
 * @c: the connection; nothing happens unless configure_is_current()
 * @routes: check the routes, too
 *
 * Context: The caller must hold runtime_lock().
 *
 * Return: CTL_OK, or CTL_FAILED after saying why.
 */
int configure_mend(const struct connection *c, bool routes);

/**
 * configure_undo() - remove the interface, rules, state and connection in the daemon
 * @daemon: the connection to strongSwan, or NULL
 * @name: of the connection
 * @ifname: of its interface, which stays if "up" has not made it
 *
 * Context: The caller must hold runtime_lock().
 */
void configure_undo(struct vici *daemon, const char *name, const char *ifname);

#endif /* PVSVPNCTL_CONFIGURE_H */
