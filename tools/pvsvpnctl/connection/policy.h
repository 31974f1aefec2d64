/* SPDX-License-Identifier: GPL-2.0 */
/* IKE and IPsec policies, and what they may say. */
#ifndef PVSVPNCTL_POLICY_H
#define PVSVPNCTL_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "parse.h"

/* Longest proposal, the terminating NUL included. */
#define PROPOSAL_MAX 512

/* No table of algorithms has more entries, the word for doing without one included. */
#define ALGORITHM_LIST_MAX 16

/* Kinds of policy that may contain a word; LEGACY: only with AllowLegacy */
#define IN_IKE		1
#define IN_IPSEC	2
#define LEGACY		4

/**
 * struct algorithm - a word that a policy may contain
 * @word: the word
 * @alias: the VPN service's other names, "" for none
 * @flags: where it may be
 * @combined: encrypts and authenticates; or: for such modes
 * @proposal: its name in a proposal of strongSwan
 * @prf: its pseudo-random functions in IKE if the mode has no hash
 * @daemon: what "swanctl --list-algs" calls it
 */
struct algorithm {
	const char *word;
	const char *alias[2];
	unsigned int flags;
	bool combined;
	const char *proposal;
	const char *prf;
	const char *daemon;
};

enum algorithm_kind {
	ALGORITHM_ENCRYPTION,
	ALGORITHM_AUTHENTICATION,
	ALGORITHM_DH_GROUP,
	ALGORITHM_ADDITIONAL,
	ALGORITHM_KINDS,
};

struct algorithms {
	const char *kind;	/* its name in JSON */
	const struct algorithm *list;
	size_t count;
};

extern const struct algorithms algorithms[ALGORITHM_KINDS];

/* A policy's algorithms of a kind, the best first */
struct algorithm_list {
	const struct algorithm *one[ALGORITHM_LIST_MAX];
	size_t count;
};

/**
 * struct policy - an IKE or an IPsec policy
 * @version: of IKE, 1 or 2
 * @encryption: combined modes and others, in any order
 * @authentication: of the modes that are not combined; may have the word "none"
 * @prf: pseudo-random functions of IKE; empty: as the encryption and the authentication have it
 * @dh: groups of the IKE SA, or of perfect forward secrecy, where "off" means none
 * @additional: key exchanges after that of the group (RFC 9370), where "none" means to do without;
 *	empty: the same
 * @lifetime: of the key, in seconds
 */
struct policy {
	uint32_t version;
	struct algorithm_list encryption;
	struct algorithm_list authentication;
	struct algorithm_list prf;
	struct algorithm_list dh;
	struct algorithm_list additional;
	uint32_t lifetime;
};

/* Makes an empty policy, to be read into. */
void policy_init(struct policy *policy, bool ike);
/* Fills empty lists with their defaults. */
void policy_complete(struct policy *policy, bool ike);

/* Each adds the words between commas to a struct algorithm_list. */
parse_fn parse_ike_encryption;
parse_fn parse_ipsec_encryption;
parse_fn parse_authentication;
parse_fn parse_prf;
parse_fn parse_dh_group;
parse_fn parse_pfs;
parse_fn parse_additional;
/* Whether @parse is one of these seven */
bool parse_adds_algorithms(parse_fn *parse);

parse_fn parse_ike_version;	/* uint32_t */
parse_fn parse_lifetime;	/* uint32_t, seconds */

/* Whether the policy has additional key exchanges, perhaps among "none" */
bool policy_has_additional(const struct policy *policy);

/**
 * policy_why_not() - check that the values of a policy fit together
 * @policy: the policy; each member alone is valid
 * @ike: it is an IKE policy
 * @legacy: values that are no longer safe may be used
 * @key: receives the key at fault
 *
 * Return: why, or NULL.
 */
const char *policy_why_not(const struct policy *policy, bool ike, bool legacy, const char **key);

typedef void proposal_fn(void *data, const char *proposal);

/**
 * policy_proposals() - all proposals of a policy, as strongSwan writes them
 * @policy: complete, and accepted by policy_why_not()
 * @ike: it is an IKE policy
 * @version: of IKE
 * @fn: called for each proposal
 * @data: for @fn
 *
 * Combined modes and others cannot be in one proposal (RFC 7296 section 3.3), so each run of
 * encryptions of one kind is one proposal. Within it, an end may combine any encryption with any
 * group.
 *
 * In IKEv1, a proposal has one algorithm of each kind, and strongSwan would offer only the first
 * ones. Therefore each combination has a proposal.
 */
void policy_proposals(const struct policy *policy, bool ike, uint32_t version, proposal_fn *fn,
		      void *data);

#endif /* PVSVPNCTL_POLICY_H */
