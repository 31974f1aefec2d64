/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private keys that we have given to strongSwan. Connections may share one, and the operator may
 * have loaded it, too; the daemon knows each once, by its name (see struct certificates).
 */
#ifndef PVSVPNCTL_KEYS_H
#define PVSVPNCTL_KEYS_H

#include "connection/runtime.h"
#include "connection/vici.h"

/**
 * keys_hold() - a connection is about to give the daemon a private key
 * @daemon: the connection to it
 * @name: of the connection
 * @runtime: its state, with the key's name; saved here
 *
 * A key that is there already, and that none of ours has brought, is the operator's, and stays.
 *
 * Return: CTL_OK, or an exit status after saying why not.
 */
int keys_hold(struct vici *daemon, const char *name, const struct runtime *runtime);

/**
 * keys_sweep() - take those keys of ours out of the daemon that no connection has any more
 * @daemon: the connection to it, or NULL where it does not answer: the next one does it
 */
void keys_sweep(struct vici *daemon);

#endif /* PVSVPNCTL_KEYS_H */
