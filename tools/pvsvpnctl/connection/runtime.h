/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state of "up", in /run/pvsvpn (or $PVSVPN_RUN_DIR). A reboot empties it and undoes the rest:
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

/* Why a connection is not up, as the VPN service calls it; REASON_NONE is "". */
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
	REASON_LOCAL_ADDRESS,
	REASON_NO_ROUTE,
	REASON_INTERNAL_ERROR,
	REASONS,
};

/* A word for programs, a text for people, and the remedy */
struct reason_text {
	const char *name;
	const char *detail;
	const char *todo;
};

extern const struct reason_text reasons[REASONS];

/**
 * struct runtime - the state of a connection that was brought up
 * @ifname: its interface
 * @netns: name of the network namespace given to "up" (-n), or ""
 * @lost: the state file is lost; only the interface shows the connection
 * @encap_udp: ESP in UDP was configured
 * @key: the daemon's name of its private key, or ""; keys.h knows whether it is ours
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

/**
 * runtime_may_read() - check that what is in the directory was written by us
 * @what: the command, for error lines
 *
 * Return: CTL_OK, also where there is no directory; CTL_DENIED or CTL_FAILED after saying why.
 */
int runtime_may_read(const char *what);

/**
 * runtime_lock() - lock a connection
 * @what: the command, for error lines
 * @name: of the connection
 *
 * Hold it only while files, interface and daemon are changed. A process can hold one at a time.
 *
 * Return: CTL_OK; CTL_BUSY after saying that another process has held it for long, CTL_DENIED or
 * CTL_FAILED after saying why.
 */
int runtime_lock(const char *what, const char *name);
void runtime_unlock(void);

/**
 * runtime_attempt() - lock the attempt to reach the peer
 * @name: of the connection
 * @deadline: until when to wait for another process's attempt, a time of now_ms()
 *
 * An attempt can take long, so the caller must not hold runtime_lock().
 *
 * Return: a descriptor to be closed, or -1 if another process still holds the lock.
 */
int runtime_attempt(const char *name, uint64_t deadline);

/* The alias that "up" gives to an interface, so that "down" removes no other. */
#define ALIAS_MAX 96
void runtime_alias(char *alias, const char *name);

/* Whether there is an interface with that alias; @ifname, of IFNAMSIZ bytes, receives its name. */
bool runtime_find_link(const char *name, char *ifname);

/*
 * Whether the connection was brought up. If the state file is lost, the interface with the
 * connection's alias shows it.
 */
bool runtime_load(const char *name, struct runtime *runtime);

/**
 * runtime_enter() - enter the network namespace of the connection
 * @what: the command, for error lines
 * @name: of the connection
 *
 * Fails if the command names another namespace (-n).
 *
 * Return: CTL_OK, or an exit status after saying why not.
 */
int runtime_enter(const char *what, const char *name);

/* CTL_FAILED after saying why. */
int runtime_save(const char *what, const char *name, const struct runtime *runtime);

/* Removes the state of the connection; runtime_unlock() then removes the locks. */
void runtime_remove(const char *name);

/* The names of all connections that were brought up; as connection_names() */
size_t runtime_names(char ***names);

/*
 * Takes the lock of all keys. Hold it briefly, inside runtime_lock(). Close @fd to release it. The
 * file stays, because it belongs to no connection. Return: CTL_OK, or an exit status after saying why.
 */
int runtime_keys_lock(const char *what, int *fd);

/* Notes that a private key is ours; CTL_FAILED after saying why. */
int runtime_key_note(const char *what, const char *key);
bool runtime_key_is_ours(const char *key);
void runtime_key_forget(const char *key);

/* The names of all our keys; as connection_names() */
size_t runtime_keys(char ***keys);

/* Saves the text of the file; CTL_FAILED after saying why. */
int runtime_save_loaded(const char *what, const char *name, const char *text);

/* Whether there is such a text: "up" writes it last. */
bool runtime_has_loaded(const char *name);

/* Whether the saved text is @text */
bool runtime_loaded_is(const char *name, const char *text);

#endif /* PVSVPNCTL_RUNTIME_H */
