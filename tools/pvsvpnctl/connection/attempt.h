/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PVSVPNCTL_ATTEMPT_H
#define PVSVPNCTL_ATTEMPT_H

#include <stdbool.h>

#include "connection/connection.h"
#include "connection/runtime.h"
#include "connection/strongswan.h"
#include "connection/vici.h"

/**
 * get_ready() - set up interface and daemon as the file says
 * @daemon: the connection to strongSwan
 * @c: the connection
 * @again: it was brought up before; fail if "down" has run since
 *
 * Return: CTL_OK, or an exit status after saying why not.
 */
int get_ready(struct vici *daemon, const struct connection *c, bool again);

/**
 * reach_peer() - negotiate with the peer and print the result
 * @daemon: the connection to strongSwan
 * @c: the connection, after get_ready()
 * @seconds: time limit in seconds; 0: do not wait
 *
 * Return: CTL_OK, also if the connection waits for its peer; an exit status after saying why not.
 */
int reach_peer(struct vici *daemon, struct connection *c, unsigned int seconds);

/**
 * follow_name() - adopt the peer address that the daemon has found
 * @c: the connection; nothing happens if its peer has no name
 * @n: state of the connection in the daemon
 *
 * Return: whether the address has changed.
 */
bool follow_name(struct connection *c, const struct negotiated *n);

/* Repairs what differs from the file. Return: CTL_OK, or an exit status after saying why not. */
int mend_changed(const struct connection *c);

/* Whether the daemon has a child SA that carries traffic; *@n receives all of its state. */
bool child_is_up(struct vici *daemon, const char *name, struct negotiated *n);

/*
 * Saves the reason for "status". Fails with a message if the connection was taken down meanwhile.
 * Writes nothing if the state file is lost: the reason alone would not be a state.
 */
int note_reason(const struct connection *c, enum reason reason);

#endif /* PVSVPNCTL_ATTEMPT_H */
