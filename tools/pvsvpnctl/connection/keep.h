/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PVSVPNCTL_KEEP_H
#define PVSVPNCTL_KEEP_H

#include "connection/connection.h"

/**
 * keep() - watch over a connection until "down"
 * @c: the connection, after an attempt
 * @seconds: how long the peer has in each further one
 * @interval: how long to wait after one that has failed, seconds
 *
 * A peer that owes an answer for as long as [DeadPeerDetection] says, and sends nothing
 * meanwhile, is dead: its SAs are dropped, so that the interface has no carrier and its routes
 * do not count. The service manager is told how things are, where one has started us.
 */
void keep(struct connection *c, unsigned int seconds, unsigned int interval);

#endif /* PVSVPNCTL_KEEP_H */
