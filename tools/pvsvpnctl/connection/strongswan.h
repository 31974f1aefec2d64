/* SPDX-License-Identifier: GPL-2.0 */
/* The IKE daemon: what it is given of a connection, and what it has of one. */
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
 * struct negotiated - what the daemon has of a connection
 * @ike_state: "ESTABLISHED", "CONNECTING" ..., "" if it has no IKE SA
 * @ike_id: the daemon's number of the IKE SA
 * @ike_version: 1 or 2
 * @ike_age: seconds since it was established
 * @ike_rekey: seconds until it is renewed, 0 where it is not known
 * @remote: the peer's address now
 * @remote_port: its port
 * @nat_here: a NAT is before this end
 * @nat_there: a NAT is before the peer, or the peer wants ESP in UDP and says so
 * @asking: the peer owes an answer, of whichever kind
 * @probing: the peer is asked whether it is alive, and has not answered yet
 * @child_state: "INSTALLED" ..., "" if there is no child SA
 * @local_ts: what it carries from here, with commas; "" where that is too long for us
 * @remote_ts: the same to here
 * @local_ts_cut: it is too long
 * @remote_ts_cut: the same
 * @child_age: seconds since it was installed
 * @child_rekey: seconds until it is renewed
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
 * strongswan_check() - can the daemon do what a connection needs?
 * @daemon: the connection to it
 * @what: the command, for error lines
 * @c: the connection
 *
 * Return: CTL_OK, or CTL_FAILED after saying what is missing and where to get it.
 */
int strongswan_check(struct vici *daemon, const char *what, const struct connection *c);

/* Prints what the daemon gets, but for the secret, as swanctl.conf(5) would have it. */
void strongswan_print(FILE *out, const struct connection *c);

/**
 * strongswan_load() - give the daemon a connection and its credentials
 * @daemon: the connection to it
 * @c: the connection
 * @cred: of it; a secret and a private key go over the socket and are on no disk
 *
 * A connection of that name is replaced, others stay. SAs stay.
 *
 * Return: CTL_OK, or CTL_FAILED after saying why.
 */
int strongswan_load(struct vici *daemon, const struct connection *c,
		    const struct credentials *cred);

/* Whether a connection of that name was loaded, by us or by others */
bool strongswan_has(struct vici *daemon, const char *name);

/*
 * Whether the daemon answers, and has lost the connection or its credentials. @key: the name of the
 * private key, "" for none
 */
bool strongswan_forgot(struct vici *daemon, const char *name, const char *key);

/* Whether we have loaded something for that connection: a secret or a CA bears our mark. */
bool strongswan_is_ours(struct vici *daemon, const char *name);

/* *@there: whether the daemon has a private key that was loaded as ours are. CTL_OK, or as vici_call() */
int strongswan_has_key(struct vici *daemon, const char *key, bool *there);

/* CTL_OK, also where there was none; an exit status after saying why not. */
int strongswan_remove_key(struct vici *daemon, const char *key);

/**
 * strongswan_remove() - take a connection, its SAs and its secret or CA out of the daemon
 * @daemon: the connection to it
 * @name: of the connection
 *
 * The connection goes first, as what is ended would be begun again. A peer that does not answer
 * is waited for 3 s. The secret or the CA goes last: where the daemon fails meanwhile, it tells
 * the next who comes that the rest is ours. Its private key: keys_sweep(). Certificates stay in
 * the daemon until it ends, as it cannot unload a single one.
 *
 * Return: CTL_OK, also where there was nothing; an exit status after saying why not.
 */
int strongswan_remove(struct vici *daemon, const char *name);

/**
 * strongswan_drop() - forget an IKE SA and its child SAs at once
 * @daemon: the connection to it
 * @ike_id: its number there
 *
 * The peer is told, and nobody waits for its answer.
 *
 * Return: CTL_OK, also where there was nothing; an exit status after saying why not.
 */
int strongswan_drop(struct vici *daemon, uint64_t ike_id);

/**
 * strongswan_initiate() - have the daemon begin
 * @daemon: the connection to it
 * @c: the connection
 * @seconds: how long to wait; 0 not to wait at all
 *
 * What the daemon says goes to standard output as it comes.
 *
 * Return: REASON_NONE when the connection is up, or when nobody waits; else why it is not.
 */
enum reason strongswan_initiate(struct vici *daemon, const struct connection *c,
				unsigned int seconds);

/**
 * strongswan_ask() - what the daemon has of a connection
 * @daemon: the connection to it
 * @name: of the connection
 * @negotiated: filled in; empty after a failure
 *
 * Return: CTL_OK, or CTL_FAILED after saying why.
 */
int strongswan_ask(struct vici *daemon, const char *name, struct negotiated *negotiated);

/* Whether the child SA passes packets */
bool strongswan_carries(const struct negotiated *negotiated);

/* Adds one event "list-sa"; of several IKE SAs and child SAs those count that are in use. */
void strongswan_read_sa(struct vici_reader *message, struct negotiated *negotiated);

/* What a line of the daemon's says about a failure; REASON_NONE if nothing. */
enum reason strongswan_reason(const char *line, bool established, bool v1);

#endif /* PVSVPNCTL_STRONGSWAN_H */
