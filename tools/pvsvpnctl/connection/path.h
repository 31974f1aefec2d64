/* SPDX-License-Identifier: GPL-2.0 */
/* The way from this host to the peer, before anybody sends a packet */
#ifndef PVSVPNCTL_PATH_H
#define PVSVPNCTL_PATH_H

#include "connection/connection.h"
#include "connection/runtime.h"

/**
 * path_reason() - check that this host can send to the peer
 * @c: the connection; an address of a PeerGateway that is a name may be unknown
 *
 * Call it to explain a failure. strongSwan may find a way that this check does not see, for
 * example in a VRF.
 *
 * Return: REASON_LOCAL_ADDRESS or REASON_NO_ROUTE; REASON_NONE if nothing is found.
 */
enum reason path_reason(const struct connection *c);

#endif /* PVSVPNCTL_PATH_H */
