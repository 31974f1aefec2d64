/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What "up" has done, in /run/pvsvpn (or $PVSVPN_RUN_DIR), which a reboot empties as it
 * undoes the rest:
 *
 *	NAME.state	a connection: its interface, why it is not up
 *	NAME.loaded	what its file said then, without the secret
 *	NAME.lock	held while somebody changes the connection
 *	NAME.attempt	held while somebody waits for its peer
 *	KEY.key		a private key that we have given to strongSwan, by its name there
 *	keys		held while somebody decides about those
 */
#ifndef PVSVPNCTL_RUNTIME_H
#define PVSVPNCTL_RUNTIME_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "connection/certificate.h"
#include "connection/connection.h"
#include "netns.h"

/* Why a connection is not up, as the service calls it; REASON_NONE is "". */
enum reason {
	REASON_NONE,
	REASON_PEER_NOT_RESPONDING,
	REASON_IKE_POLICY_MISMATCH,
	REASON_IPSEC_POLICY_MISMATCH,
	REASON_CANNOT_AUTHENTICATE,
	REASON_IKE_V1_CIDR_MISMATCH,
	REASON_IKE_V2_CIDR_MISMATCH,
	REASON_NAME_NOT_RESOLVED,
	REASON_IKE_VERSION,
	REASON_UDP_4500,
	REASON_INTERNAL_ERROR,
	REASONS,
};

const char *reason_name(enum reason reason);
/* In words, and the remedy */
const char *reason_detail(enum reason reason);
const char *reason_todo(enum reason reason);

/**
 * struct runtime - the state of a connection that was brought up
 * @ifname: its interface
 * @netns: name of the network namespace that "up" was told to work in, or ""
 * @lost: the file is, and the interface alone tells of the connection
 * @encap_udp: ESP in UDP was asked for
 * @key: the daemon's name of its private key, or ""; whether that is ours, keys.h tells
 * @reason: why the last attempt has failed
 */
struct runtime {
	char ifname[IFNAMSIZ];
	char netns[NETNS_NAME_MAX];
	bool lost;
	bool encap_udp;
	char key[KEY_ID_LEN + 1];
	enum reason reason;
};

const char *runtime_dir(void);

/**
 * runtime_lock() - have a connection for oneself
 * @what: the command, for error lines
 * @name: of the connection
 *
 * Held for moments: while files, interface and daemon are changed. One at a time for each
 * process.
 *
 * Return: CTL_OK; CTL_BUSY after saying that another has it for long, CTL_DENIED or CTL_FAILED
 * after saying why.
 */
int runtime_lock(const char *what, const char *name);
void runtime_unlock(void);

/**
 * runtime_attempt() - be the one who waits for the peer
 * @name: of the connection
 * @deadline: how long to wait for another who does, a time of now_ms()
 *
 * Held for as long as an attempt takes, so never while runtime_lock() is.
 *
 * Return: a descriptor to be closed, or -1 when another still waits.
 */
int runtime_attempt(const char *name, uint64_t deadline);

/* The text that "up" writes on an interface, so that "down" removes no other. */
#define ALIAS_MAX 96
void runtime_alias(char *alias, const char *name);

/*
 * Whether there is a state of that connection. Where the file is lost, the interface that bears
 * the connection's name says so.
 */
bool runtime_load(const char *name, struct runtime *runtime);

/**
 * runtime_enter() - go where the connection is
 * @what: the command, for error lines
 * @name: of the connection
 *
 * It is an error when the command names another namespace (-n).
 *
 * Return: CTL_OK, or an exit status after saying why not.
 */
int runtime_enter(const char *what, const char *name);

/* CTL_FAILED after saying why. */
int runtime_save(const char *what, const char *name, const struct runtime *runtime);

/* Removes what was noted of it; runtime_unlock() removes the locks then. */
void runtime_remove(const char *name);

/* The names of all that have a state; as connection_names(). */
size_t runtime_names(char ***names);

/* Held for moments, inside runtime_lock(). CTL_OK, or an exit status after saying why not. */
int runtime_keys_lock(const char *what, int *fd);
void runtime_keys_unlock(int fd);

/* Notes that a private key is ours; CTL_FAILED after saying why. */
int runtime_key_note(const char *what, const char *key);
bool runtime_key_is_ours(const char *key);
void runtime_key_forget(const char *key);

/* All of ours; as connection_names(). */
size_t runtime_keys(char ***keys);

/* Keeps the text of the file; CTL_FAILED after saying why. */
int runtime_save_loaded(const char *what, const char *name, const char *text);

/* Whether there is such a text: it is written last, when all else is there. */
bool runtime_has_loaded(const char *name);

/* Whether that is what it said. */
bool runtime_loaded_is(const char *name, const char *text);

#endif /* PVSVPNCTL_RUNTIME_H */
