/* SPDX-License-Identifier: GPL-2.0 */
/* The IKE daemon, spoken to by way of swanctl(8). */
#ifndef PVSVPNCTL_STRONGSWAN_H
#define PVSVPNCTL_STRONGSWAN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "connection/connection.h"
#include "connection/runtime.h"

/**
 * struct negotiated - what the daemon has of a connection
 * @ike_state: "ESTABLISHED", "CONNECTING" ..., "" if it has no IKE SA
 * @ike_version: 1 or 2
 * @ike_age: seconds since it was established
 * @ike_rekey: seconds until it is renewed, 0 where it is not known
 * @remote: the peer's address now
 * @remote_port: its port
 * @nat: a NAT is on the way, or seems to be
 * @probing: the peer is asked whether it is alive, and has not answered yet
 * @child_state: "INSTALLED" ..., "" if there is no child SA
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
	uint64_t ike_version;
	uint64_t ike_age;
	uint64_t ike_rekey;
	char remote[64];
	uint64_t remote_port;
	bool nat;
	bool probing;
	char child_state[24];
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
 * @what: the command, for error lines
 * @c: the connection
 *
 * Return: CTL_OK, or CTL_FAILED after saying what is missing and where to get it.
 */
int strongswan_check(const char *what, const struct connection *c);

/* Whether there is a daemon at all */
bool strongswan_answers(void);

/* Prints the connection's part of the daemon's configuration; @secret may be NULL. */
void strongswan_print(FILE *out, const struct connection *c, const struct secret *secret);

/* Writes the connection's part of the daemon's configuration, or removes it. */
int strongswan_write(const char *what, const struct connection *c,
		     const struct secret *secret);
void strongswan_remove(const char *name);

/* Whether it is there, and whether it would be the same if it was written now. */
bool strongswan_has(const char *name);
bool strongswan_same(const struct connection *c, const struct secret *secret);

/**
 * strongswan_load() - have the daemon read its configuration
 * @what: the command, for error lines
 *
 * That is the operator's own files and those of all connections that are up, since
 * swanctl unloads what is not in the files that it is given.
 *
 * Return: CTL_OK, or CTL_FAILED after saying why.
 */
int strongswan_load(const char *what);

/**
 * strongswan_initiate() - have the daemon begin
 * @c: the connection
 * @seconds: how long to wait
 *
 * What the daemon says goes to standard output as it comes.
 *
 * Return: REASON_NONE when the connection is up, else why it is not.
 */
enum reason strongswan_initiate(const struct connection *c, unsigned int seconds);

/* Ends its SAs; a peer that does not answer is not waited for. */
void strongswan_terminate(const char *name);

/**
 * strongswan_ask() - what the daemon has of a connection
 * @name: of the connection
 * @negotiated: filled in
 *
 * Return: false when there is no daemon to ask.
 */
bool strongswan_ask(const char *name, struct negotiated *negotiated);

/* Reads what "swanctl --list-sas --raw" has said. */
void strongswan_parse(const char *text, struct negotiated *negotiated);

/* What a line of the daemon's says about a failure; REASON_NONE if nothing. */
enum reason strongswan_reason(const char *line, bool established, bool v1);

#endif /* PVSVPNCTL_STRONGSWAN_H */
