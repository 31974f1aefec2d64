/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PVSVPNCTL_ATTEMPT_H
#define PVSVPNCTL_ATTEMPT_H

#include <stdbool.h>

#include "connection/connection.h"
#include "connection/runtime.h"
#include "connection/strongswan.h"
#include "connection/vici.h"

/**
 * get_ready() - interface and daemon are as the file says
 * @daemon: the connection to it
 * @c: the connection
 * @again: it was brought up before, and "down" in between is an end
 *
 * Return: CTL_OK, or an exit status after saying why not.
 */
int get_ready(struct vici *daemon, const struct connection *c, bool again);

/**
 * reach_peer() - have the peer agree, and say how that ends
 * @daemon: the connection to it
 * @c: the connection, after get_ready()
 * @seconds: how long the peer has; 0 not to wait
 *
 * Return: CTL_OK, also for one that waits for its peer; an exit status after saying why not.
 */
int reach_peer(struct vici *daemon, struct connection *c, unsigned int seconds);

/**
 * follow_name() - take over the address that the daemon has found
 * @c: the connection; without a name nothing happens
 * @n: what the daemon has of it
 *
 * Return: whether it is another one.
 */
bool follow_name(struct connection *c, const struct negotiated *n);

/* Puts right what is not as the file says. Return: CTL_OK, or an exit status after saying why not. */
int mend_changed(const struct connection *c);

/* Whether the daemon has a child SA that carries; *@n: what it has besides. */
bool child_is_up(struct vici *daemon, const char *name, struct negotiated *n);

/*
 * For "status", unless the connection was taken down meanwhile: that is said and returned. Where the
 * state is lost, nothing is written: with the reason alone, it would be no state.
 */
int note_reason(const struct connection *c, enum reason reason);

#endif /* PVSVPNCTL_ATTEMPT_H */
