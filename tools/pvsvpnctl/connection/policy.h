/* SPDX-License-Identifier: GPL-2.0 */
/* IKE and IPsec policies, and what they may say. */
#ifndef PVSVPNCTL_POLICY_H
#define PVSVPNCTL_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "connection/algorithms.h"
#include "parse.h"

/* Longest text of *_proposal(), the terminating NUL included. */
#define PROPOSAL_MAX 96

/* One line of a table in algorithms.h. */
struct algorithm {
	const char *word;
	const char *alias[2];	/* "" for none */
	unsigned int flags;
	bool combined;		/* encrypts and authenticates; or: for those that do */
	const char *proposal;
	const char *prf;
	const char *daemon;
};

enum algorithm_kind {
	ALGORITHM_ENCRYPTION,
	ALGORITHM_AUTHENTICATION,
	ALGORITHM_DH_GROUP,
	ALGORITHM_KINDS,
};

struct algorithms {
	const char *kind;	/* as JSON calls it */
	const struct algorithm *list;
	size_t count;
};

extern const struct algorithms algorithms[ALGORITHM_KINDS];

/**
 * struct policy - an IKE or an IPsec policy
 * @version: of IKE, 1 or 2
 * @encryption: never NULL
 * @authentication: never NULL; the word "none" with a combined mode
 * @dh: group of the IKE SA, or of perfect forward secrecy, where NULL is none
 * @lifetime: of the key, in seconds
 */
struct policy {
	uint32_t version;
	const struct algorithm *encryption;
	const struct algorithm *authentication;
	const struct algorithm *dh;
	uint32_t lifetime;
};

/* What a policy says that says nothing. */
void policy_default_ike(struct policy *policy);
void policy_default_ipsec(struct policy *policy);

/* Each writes to a const struct algorithm *. */
parse_fn parse_ike_encryption;
parse_fn parse_ipsec_encryption;
parse_fn parse_authentication;
parse_fn parse_dh_group;
parse_fn parse_pfs;		/* "off" is NULL */
parse_fn parse_ike_version;	/* uint32_t */
parse_fn parse_lifetime;	/* uint32_t, seconds */

/**
 * policy_why_not() - what makes no sense, or needs a word more
 * @policy: each member for itself is valid
 * @ike: it is an IKE policy
 * @legacy: values that are no longer safe may be used
 * @key: the key that is to blame
 *
 * Return: why, or NULL.
 */
const char *policy_why_not(const struct policy *policy, bool ike, bool legacy,
			   const char **key);

/* As strongSwan writes them, into @text of PROPOSAL_MAX bytes. Return: @text. */
const char *ike_proposal(char *text, const struct policy *policy);
const char *esp_proposal(char *text, const struct policy *policy);

#endif /* PVSVPNCTL_POLICY_H */
