/* SPDX-License-Identifier: GPL-2.0 */
/* The IKE daemon: loading connections, and reading their state. */
#ifndef PVSVPNCTL_STRONGSWAN_H
#define PVSVPNCTL_STRONGSWAN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "connection/connection.h"
#include "connection/credentials.h"
#include "connection/runtime.h"
#include "connection/vici.h"

/* Room for a child SA's traffic selectors: bytes */
#define TS_TEXT_MAX 1024

/**
 * struct negotiated - the state of a connection in the daemon
 * @ike_state: "ESTABLISHED", "CONNECTING" ..., "" if it has no IKE SA
 * @ike_id: the daemon's number of the IKE SA
 * @ike_version: 1 or 2
 * @ike_age: seconds since it was established
 * @ike_rekey: seconds until it is rekeyed, 0 if unknown
 * @remote: the peer's current address
 * @remote_port: its port
 * @nat_here: a NAT is in front of this end
 * @nat_there: a NAT is in front of the peer, or the peer claims so to get ESP in UDP
 * @asking: the peer owes an answer of any kind
 * @probing: dead peer detection waits for an answer
 * @child_state: "INSTALLED" ..., "" if there is no child SA
 * @local_ts: its local traffic selectors, separated by commas; "" if they are too long
 * @remote_ts: the same for the remote ones
 * @local_ts_cut: @local_ts was too long
 * @remote_ts_cut: @remote_ts was too long
 * @child_age: seconds since it was installed
 * @child_rekey: seconds until it is rekeyed
 * @child_left: seconds until it ends
 * @bytes_in: through the child SA
 * @bytes_out: the same
 * @packets_in: the same
 * @packets_out: the same
 * @spi_in: of the child SA
 * @spi_out: the same
 */
struct negotiated {
	char ike_state[24];
	uint64_t ike_id;
	uint64_t ike_version;
	uint64_t ike_age;
	uint64_t ike_rekey;
	char remote[64];
	uint64_t remote_port;
	bool nat_here;
	bool nat_there;
	bool asking;
	bool probing;
	char child_state[24];
	char local_ts[TS_TEXT_MAX];
	char remote_ts[TS_TEXT_MAX];
	bool local_ts_cut;
	bool remote_ts_cut;
	uint64_t child_age;
	uint64_t child_rekey;
	uint64_t child_left;
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t packets_in;
	uint64_t packets_out;
	uint32_t spi_in;
	uint32_t spi_out;
};

/**
 * strongswan_check() - check that the daemon supports what a connection needs
 * @daemon: the connection to strongSwan
 * @what: the command, for error lines
 * @c: the connection
 *
 * Return: CTL_OK, or CTL_FAILED after saying what is missing and where to get it.
 */
int strongswan_check(struct vici *daemon, const char *what, const struct connection *c);

/* Prints what the daemon gets, but for the secret, in the syntax of swanctl.conf(5). */
void strongswan_print(FILE *out, const struct connection *c);

/**
 * strongswan_load() - load a connection and its credentials into the daemon
 * @daemon: the connection to strongSwan
 * @c: the connection
 * @cred: its credentials; secrets and private keys go over the socket, not to a disk
 *
 * Replaces a connection of the same name. Other connections and all SAs stay.
 *
 * Return: CTL_OK, or CTL_FAILED after saying why.
 */
int strongswan_load(struct vici *daemon, const struct connection *c,
		    const struct credentials *cred);

/**
 * strongswan_list() - have the daemon list what it has of one connection
 * @daemon: the connection to strongSwan
 * @command: list-conns or list-sas
 * @event: the event that the command sends for each
 * @name: of the connection
 * @heard: called for each event
 * @data: for @heard
 *
 * Return: as vici_call().
 */
int strongswan_list(struct vici *daemon, const char *command, const char *event, const char *name,
		    vici_fn *heard, void *data);

/* Whether a connection of that name was loaded, by us or by others */
bool strongswan_has(struct vici *daemon, const char *name);

/*
 * Our name of its secret or its CA, in @text of STRONGSWAN_MARK_MAX bytes. The operator's own have
 * names of sections, such as "ike-1". We load it first and unload it last, so it also marks the
 * connection as ours. Return: @text.
 */
#define STRONGSWAN_MARK_MAX (CONNECTION_NAME_MAX + 16)
const char *strongswan_mark(char *text, const char *name);

/*
 * Whether the daemon answers, and no longer has the connection or its credentials as we loaded
 * them. @key: the name of the private key, "" for none
 */
bool strongswan_forgot(struct vici *daemon, const struct connection *c, const char *key);

/**
 * strongswan_looks_like() - compare a connection of the daemon with one that we load
 * @daemon: the connection to strongSwan
 * @name: of the connection
 * @c: the connection, or NULL if its file is not known
 *
 * Ours has one child SA, of the same name, with the subnets of @c. The operator may have loaded
 * another one under the same name.
 *
 * Return: whether it can be ours; false also if there is none.
 */
bool strongswan_looks_like(struct vici *daemon, const char *name, const struct connection *c);

/*
 * Whether what the daemon has for that connection is ours: a secret or a CA has our mark, and a
 * connection of that name, if there is one, looks like @c. @c: NULL if its file is not known
 */
bool strongswan_is_ours(struct vici *daemon, const char *name, const struct connection *c);

/* *@there: whether the daemon has the key, loaded over VICI. Return: CTL_OK, or as vici_call() */
int strongswan_has_key(struct vici *daemon, const char *key, bool *there);

/* Return: CTL_OK, also if there was none; an exit status after saying why not. */
int strongswan_remove_key(struct vici *daemon, const char *key);

/**
 * strongswan_remove() - remove a connection, its SAs and its secret or CA from the daemon
 * @daemon: the connection to strongSwan
 * @name: of the connection
 * @c: the connection, or NULL if its file is not known
 * @if_id: of its SAs
 *
 * A connection of that name that does not look like @c is the operator's, and stays. IKE
 * SAs with our if_id end in any case.
 *
 * Removes the connection first, or the daemon would restart its SAs. Waits 3 s for a peer that does
 * not answer. Removes the secret or the CA last: if the daemon fails meanwhile, this shows the next
 * command that the rest is ours. keys_sweep() removes the private key. Certificates stay in the
 * daemon until it ends, as it cannot unload a single one.
 *
 * Return: CTL_OK, also if there was nothing; an exit status after saying why not.
 */
int strongswan_remove(struct vici *daemon, const char *name, const struct connection *c,
		      uint32_t if_id);

/**
 * strongswan_drop() - delete an IKE SA and its child SAs at once
 * @daemon: the connection to strongSwan
 * @ike_id: its number there
 *
 * Informs the peer, and does not wait for its answer.
 *
 * Return: CTL_OK, also if there was nothing; an exit status after saying why not.
 */
int strongswan_drop(struct vici *daemon, uint64_t ike_id);

/**
 * strongswan_initiate() - initiate a connection
 * @daemon: the connection to strongSwan
 * @c: the connection
 * @seconds: time limit; 0: do not wait
 *
 * Prints the daemon's messages to standard output as they arrive.
 *
 * Return: REASON_NONE if the connection is up, or was initiated with @seconds 0; else why not.
 */
enum reason strongswan_initiate(struct vici *daemon, const struct connection *c,
				unsigned int seconds);

/**
 * strongswan_ask() - read the state of a connection from the daemon
 * @daemon: the connection to strongSwan
 * @name: of the connection
 * @negotiated: filled in; empty after a failure
 *
 * Return: CTL_OK, or CTL_FAILED after saying why.
 */
int strongswan_ask(struct vici *daemon, const char *name, struct negotiated *negotiated);

/* Whether the child SA passes packets */
bool strongswan_carries(const struct negotiated *negotiated);

/*
 * Adds one event "list-sa" to the struct negotiated; if there are several IKE SAs or child SAs,
 * those in use count.
 */
void strongswan_read_sa(struct vici_reader *message, void *negotiated);

/* The reason for a failure in a log line of the daemon; REASON_NONE if there is none */
enum reason strongswan_reason(const char *line, bool established, bool v1);

#endif /* PVSVPNCTL_STRONGSWAN_H */
