/* SPDX-License-Identifier: GPL-2.0 */
/* The names by which the two ends prove who they are (RFC 7296 section 3.5) */
#ifndef PVSVPNCTL_IDENTITY_H
#define PVSVPNCTL_IDENTITY_H

#include <stdbool.h>

#include "connection/connection.h"

/* Types of identities, with their numbers in IKE (RFC 7296 section 3.5) */
enum identity_kind {
	KIND_IPV4 = 1,
	KIND_FQDN = 2,
	KIND_EMAIL = 3,
	KIND_IPV6 = 5,
	KIND_SUBJECT = 9,
	KIND_KEY_ID = 11,
};

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

/**
 * identity_name() - get the text of an identity without strongSwan's notation
 * @identity: one that identity_why_not() takes
 * @kind: filled in with its type
 *
 * Return: the text, as "gw" of "@gw" and "fqdn:gw"; a part of @identity.
 */
const char *identity_name(const struct identity *identity, enum identity_kind *kind);

#endif /* PVSVPNCTL_IDENTITY_H */
