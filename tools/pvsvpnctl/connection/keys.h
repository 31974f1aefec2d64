/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private keys that we have given to strongSwan. Connections may share a key, and the operator may
 * have loaded it, too. The daemon has each key once, by its name (see struct certificates).
 */
#ifndef PVSVPNCTL_KEYS_H
#define PVSVPNCTL_KEYS_H

#include "connection/runtime.h"
#include "connection/vici.h"

/**
 * keys_hold() - record the private key that a connection will load into the daemon
 * @daemon: the connection to strongSwan
 * @name: of the connection
 * @runtime: its state, with the key's name; saved here
 *
 * A key that is already loaded, and that none of our connections has loaded, is the operator's and
 * stays.
 *
 * Return: CTL_OK, or an exit status after saying why not.
 */
int keys_hold(struct vici *daemon, const char *name, const struct runtime *runtime);

/**
 * keys_sweep() - remove our keys that no connection uses any more from the daemon
 * @daemon: the connection to strongSwan, or NULL if it does not answer: the next call removes them
 */
void keys_sweep(struct vici *daemon);

#endif /* PVSVPNCTL_KEYS_H */
