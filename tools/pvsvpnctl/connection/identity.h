/* SPDX-License-Identifier: GPL-2.0 */
/* The names by which the two ends prove who they are (RFC 7296 section 3.5) */
#ifndef PVSVPNCTL_IDENTITY_H
#define PVSVPNCTL_IDENTITY_H

#include <stdbool.h>

#include "connection/connection.h"

/**
 * struct identity_type - a line of the table of types
 * @word: the service's word for it
 * @alias: another of its words, or ""
 * @prefix: strongSwan's word in front of the identity
 * @addr_len: bytes of the address that it is, 0 for no address
 */
struct identity_type {
	const char *word;
	const char *alias;
	const char *prefix;
	uint8_t addr_len;
};

/* Each writes to a member of struct connection. */
parse_fn parse_identity;	/* the text, without regard to its type */
parse_fn parse_identity_type;	/* const struct identity_type *, NULL for auto */

/**
 * identity_why_not() - check that a text can be of its type
 * @identity: text and type, as the file has them
 *
 * Refuses the notations of strongSwan that mean many peers, or bytes that no peer sends.
 *
 * Return: NULL, or why it cannot.
 */
const char *identity_why_not(const struct identity *identity);

/**
 * identity_is_same() - compare two identities as strongSwan does
 * @a: one that identity_why_not() takes
 * @b: another one
 *
 * The same identity can be written in several ways: as 2001:db8::1 and 2001:0db8:0::1, or as
 * gw.example and @gw.example. Names, e-mail addresses and subjects are equal in capitals.
 */
bool identity_is_same(const struct identity *a, const struct identity *b);

/* Return: the text of an identity without strongSwan's notation, as "gw" of "@gw" and "fqdn:gw" */
const char *identity_name(const struct identity *identity);

#endif /* PVSVPNCTL_IDENTITY_H */
