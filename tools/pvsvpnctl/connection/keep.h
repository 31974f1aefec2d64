/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PVSVPNCTL_KEEP_H
#define PVSVPNCTL_KEEP_H

#include "connection/connection.h"

/**
 * keep() - watch over a connection until "down"
 * @c: the connection, after an attempt
 * @seconds: time limit of each further attempt, seconds
 * @interval: pause after a failed attempt, seconds
 *
 * A peer that owes an answer for as long as [DeadPeerDetection] says, and sends nothing meanwhile,
 * is dead. Its SAs are dropped, so that the interface has no carrier and its routes do not count.
 * Reports the state to the service manager, if one has started us.
 */
void keep(struct connection *c, unsigned int seconds, unsigned int interval);

#endif /* PVSVPNCTL_KEEP_H */
