/* SPDX-License-Identifier: GPL-2.0 */
/* The far end's configuration of a connection, in the language of its vendor */
#ifndef PVSVPNCTL_EXPORT_H
#define PVSVPNCTL_EXPORT_H

#include <stdio.h>

#include "connection/connection.h"

enum vendor_index {
	STRONGSWAN, LIBRESWAN, IOS_XE, ASA, SRX, FORTIGATE, MIKROTIK, VYOS, OPENWRT, IBM_VPC,
	VENDORS,
};

/* The configuration has it in place of the secret */
#define SECRET_PLACEHOLDER "CHANGE-ME"

/**
 * struct export - a connection as its far end has it
 * @far: the connection seen from there: "local" is the far end. Its policies have only words that
 *	the vendor has
 * @secret: the secret, or SECRET_PLACEHOLDER
 * @outside: name of the far end's interface to the Internet
 * @outside_given: it is not the usual name
 * @inside: name of its interface to its site
 * @own: the tunnel's address there, with its prefix; none if neither end has one
 * @peer: the tunnel's address here, or none
 * @other_waits: the end here never connects, so the far end has to after every interruption
 * @mtu: of the tunnel, bytes
 * @mss: largest TCP segment in the tunnel, bytes
 */
struct export {
	struct connection far;
	const char *secret;
	const char *outside;
	bool outside_given;
	const char *inside;
	struct subnet own;
	struct addr peer;
	bool other_waits;
	uint32_t mtu;
	uint32_t mss;
};

/* Bits of what a vendor can do, and of what it needs */
#define CAN_IKEV1	0x001
#define CAN_EMAIL	0x002	/* identities that are e-mail addresses */
#define CAN_KEY_ID	0x004	/* identities that are key IDs */
#define CAN_SUBNETS	0x008	/* several prefixes in one child SA */
#define CAN_ANY		0x010	/* a child SA of any to any, of which the peer takes a part */
#define CAN_IPV6	0x020
#define CAN_PRF		0x040	/* a PRF other than the hash, with encryption that is not combined */
#define CAN_BOTH	0x080	/* combined encryption and other encryption in one IPsec policy */
#define ONE_PFS		0x100	/* one group for PFS */
#define ONE_HASH	0x200	/* one hash in IKE */
#define ONE_PRF		0x400	/* one PRF in a proposal */
#define FIXED_PRF	0x800	/* the key length of a combined mode decides on its PRF */
#define NEEDS_TUNNEL	0x1000	/* addresses of the tunnel (TunnelAddress) */
#define NEEDS_UDP	0x2000	/* ESP in UDP in any case */
#define NO_INTERFACE	0x4000	/* policies alone select the packets */
#define NO_ADDRESS	0x8000	/* no addresses and no MTU of the tunnel */
#define NO_BYPASS	0x10000	/* nothing keeps packets inside a site out of a wider prefix */
#define NO_MSS		0x20000	/* no limit for TCP segments */

/**
 * struct vendor - a line of the table of vendors
 * @name: its word
 * @title: its name and the release that the words are from
 * @comment: what begins a comment
 * @can: CAN_... bits
 * @name_max: longest name of an object, characters
 * @lifetime_min: shortest lifetime of IKE and of ESP, seconds; 0: any
 * @secret_max: longest secret, characters
 * @secret_bad: characters that a secret cannot have
 * @outside: usual name of the interface to the Internet; NULL if the configuration names none
 * @inside: usual name of the interface to the site, or NULL
 * @name_bad: a name that has a meaning there, or NULL
 * @print: prints the configuration
 */
struct vendor {
	const char *name;
	const char *title;
	const char *comment;
	unsigned int can;
	size_t name_max;
	uint32_t lifetime_min;
	size_t secret_max;
	const char *secret_bad;
	const char *outside;
	const char *inside;
	const char *name_bad;
	void (*print)(FILE *out, const struct export *x);
};

extern const struct vendor vendors[VENDORS];

/**
 * vendor_word() - the vendor's word for an algorithm
 * @vendor: the vendor
 * @kind: of the algorithm
 * @word: ours
 * @ike: for IKE, else for ESP
 *
 * Return: the word, or NULL if the vendor has none.
 */
const char *vendor_word(enum vendor_index vendor, enum algorithm_kind kind, const char *word,
			bool ike);

/* An algorithm of each kind; @auth is NULL for GCM, @group for PFS off. */
struct combination {
	const struct algorithm *encryption;
	const struct algorithm *auth;
	const struct algorithm *group;
};

/**
 * each_combination() - call a function for each combination, for vendors with one of a kind
 * @policy: the policy
 * @groups: how many groups to take at most
 * @fn: the function
 * @data: for @fn
 */
typedef void combination_fn(void *data, const struct combination *one);
void each_combination(const struct policy *policy, size_t groups, combination_fn *fn, void *data);

/* The first real group, or NULL */
const struct algorithm *first_group(const struct policy *policy);

/* Whether a prefix of one site is inside a prefix of the other */
bool sites_overlap(const struct connection *far);

bool has_combined(const struct policy *policy, bool combined);

/* The vendor's words of the PRFs of IKE, those of the policy or the usual ones of GCM */
void print_prf(FILE *out, enum vendor_index vendor, const struct policy *policy, const char *between);

/* "255.255.255.0" of 24, and "0.0.0.255"; @text has FORMAT_MAX bytes. Return: @text. */
const char *format_mask(char *text, uint8_t prefix);
const char *format_wildcard(char *text, uint8_t prefix);

/**
 * print_words() - print the vendor's words for a list
 * @out: where to
 * @vendor: the vendor
 * @kind: of the algorithms
 * @ike: for IKE, else for ESP
 * @list: has only words that the vendor has
 * @combined: only modes that authenticate by themselves, else only the others
 * @between: the text between two
 */
void print_words(FILE *out, enum vendor_index vendor, enum algorithm_kind kind, bool ike,
		 const struct algorithm_list *list, bool combined, const char *between);

void strongswan_export(FILE *out, const struct export *x);
void libreswan_export(FILE *out, const struct export *x);
void ios_xe_export(FILE *out, const struct export *x);
void asa_export(FILE *out, const struct export *x);
void srx_export(FILE *out, const struct export *x);
void fortigate_export(FILE *out, const struct export *x);
void mikrotik_export(FILE *out, const struct export *x);
void vyos_export(FILE *out, const struct export *x);
void openwrt_export(FILE *out, const struct export *x);
void ibm_vpc_export(FILE *out, const struct export *x);

#endif /* PVSVPNCTL_EXPORT_H */
