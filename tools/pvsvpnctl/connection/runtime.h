/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What "up" has done, in /run/pvsvpn (or $PVSVPN_RUN_DIR), which a reboot empties as it
 * undoes the rest:
 *
 *	lock			held while one changes something
 *	NAME.state		a connection: its interface, why it is not up
 *	swanctl/NAME.conf	its part for strongSwan, with the secret
 *	swanctl.conf		the operator's own files and all of those
 */
#ifndef PVSVPNCTL_RUNTIME_H
#define PVSVPNCTL_RUNTIME_H

#include <net/if.h>
#include <stdbool.h>

#include "connection/connection.h"

/* Why a connection is not up, as the service calls it; REASON_NONE is "". */
enum reason {
	REASON_NONE,
	REASON_PEER_NOT_RESPONDING,
	REASON_IKE_POLICY_MISMATCH,
	REASON_IPSEC_POLICY_MISMATCH,
	REASON_CANNOT_AUTHENTICATE,
	REASON_IKE_V1_CIDR_MISMATCH,
	REASON_IKE_V2_CIDR_MISMATCH,
	REASON_INTERNAL_ERROR,
	REASONS,
};

const char *reason_name(enum reason reason);
const char *reason_todo(enum reason reason);

/**
 * struct runtime - the state of a connection that was brought up
 * @ifname: its interface
 * @reason: why the last attempt has failed
 */
struct runtime {
	char ifname[IFNAMSIZ];
	enum reason reason;
};

const char *runtime_dir(void);

/* Held until the program ends or runtime_unlock(); CTL_FAILED after saying why. */
int runtime_lock(const char *what);
void runtime_unlock(void);

/* Whether there is a state of that connection. */
bool runtime_load(const char *name, struct runtime *runtime);

/* CTL_FAILED after saying why. */
int runtime_save(const char *what, const char *name, const struct runtime *runtime);
void runtime_remove(const char *name);

/* The names of all that have a state; as connection_names(). */
size_t runtime_names(char ***names);

/* Writes a file that only root reads, as a whole or not at all. */
int runtime_write(const char *what, const char *file, const char *text);

#endif /* PVSVPNCTL_RUNTIME_H */
