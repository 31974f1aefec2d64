// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection/policy.h"
#include "connection/values.h"

/* Seconds. Limits of the VPN service; an earlier service allowed shorter lifetimes. */
#define LIFETIME_MIN		1800
#define LIFETIME_MIN_LEGACY	180
#define LIFETIME_MAX		86400
#define LIFETIME_IKE		28800
#define LIFETIME_IPSEC		3600

#define IN_BOTH (IN_IKE | IN_IPSEC)

/*
 * The algorithms that IKE and IPsec policies may contain. "check", "policies", the daemon's
 * proposals and the test of all policies are derived from these tables. The columns are the members
 * of struct algorithm.
 */
static const struct algorithm encryptions[] = {
	{ "aes128", { "aes-128-cbc", "" }, IN_BOTH, false, "aes128", "", "AES_CBC" },
	{ "aes192", { "aes-192-cbc", "" }, IN_BOTH, false, "aes192", "", "AES_CBC" },
	{ "aes256", { "aes-256-cbc", "" }, IN_BOTH, false, "aes256", "", "AES_CBC" },
	{ "aes128gcm16", { "aes-128-gcm", "" }, IN_BOTH, true, "aes128gcm16", "prfsha256",
	  "AES_GCM_16" },
	{ "aes192gcm16", { "aes-192-gcm", "" }, IN_IPSEC, true, "aes192gcm16", "", "AES_GCM_16" },
	{ "aes256gcm16", { "aes-256-gcm", "" }, IN_BOTH, true, "aes256gcm16",
	  "prfsha384-prfsha256", "AES_GCM_16" },
	{ "3des", { "3des-cbc", "" }, IN_BOTH | LEGACY, false, "3des", "", "3DES_CBC" },
};

static const struct algorithm authentications[] = {
	{ "sha256", { "sha-256", "hmac-sha-256-128" }, IN_BOTH, false, "sha256", "",
	  "HMAC_SHA2_256_128" },
	{ "sha384", { "sha-384", "hmac-sha-384-192" }, IN_BOTH, false, "sha384", "",
	  "HMAC_SHA2_384_192" },
	{ "sha512", { "sha-512", "hmac-sha-512-256" }, IN_BOTH, false, "sha512", "",
	  "HMAC_SHA2_512_256" },
	{ "sha1", { "sha-1", "hmac-sha1-96" }, IN_BOTH | LEGACY, false, "sha1", "",
	  "HMAC_SHA1_96" },
	{ "none", { "disabled", "" }, IN_BOTH, true, "", "", "" },
};

/* The words are the numbers of IANA's registry. */
static const struct algorithm dh_groups[] = {
	{ "14", { "", "" }, IN_BOTH, false, "modp2048", "", "MODP_2048" },
	{ "15", { "", "" }, IN_BOTH, false, "modp3072", "", "MODP_3072" },
	{ "16", { "", "" }, IN_BOTH, false, "modp4096", "", "MODP_4096" },
	{ "17", { "", "" }, IN_BOTH, false, "modp6144", "", "MODP_6144" },
	{ "18", { "", "" }, IN_BOTH, false, "modp8192", "", "MODP_8192" },
	{ "19", { "", "" }, IN_BOTH, false, "ecp256", "", "ECP_256" },
	{ "20", { "", "" }, IN_BOTH, false, "ecp384", "", "ECP_384" },
	{ "21", { "", "" }, IN_BOTH, false, "ecp521", "", "ECP_521" },
	{ "22", { "", "" }, IN_BOTH, false, "modp1024s160", "", "MODP_1024_160" },
	{ "23", { "", "" }, IN_BOTH, false, "modp2048s224", "", "MODP_2048_224" },
	{ "24", { "", "" }, IN_BOTH, false, "modp2048s256", "", "MODP_2048_256" },
	{ "31", { "", "" }, IN_BOTH, false, "curve25519", "", "CURVE_25519" },
	{ "1", { "", "" }, IN_BOTH | LEGACY, false, "modp768", "", "MODP_768" },
	{ "2", { "", "" }, IN_BOTH | LEGACY, false, "modp1024", "", "MODP_1024" },
	{ "5", { "", "" }, IN_BOTH | LEGACY, false, "modp1536", "", "MODP_1536" },
};

/* After the group, for secrecy also from a quantum computer (FIPS 203, RFC 9370) */
static const struct algorithm key_exchanges[] = {
	{ "mlkem512", { "ml-kem-512", "" }, IN_BOTH, false, "mlkem512", "", "ML_KEM_512" },
	{ "mlkem768", { "ml-kem-768", "" }, IN_BOTH, false, "mlkem768", "", "ML_KEM_768" },
	{ "mlkem1024", { "ml-kem-1024", "" }, IN_BOTH, false, "mlkem1024", "", "ML_KEM_1024" },
};

#define TABLE(_kind, _list) \
	{ .kind = _kind, .list = _list, .count = sizeof(_list) / sizeof(_list[0]) }

const struct algorithms algorithms[ALGORITHM_KINDS] = {
	[ALGORITHM_ENCRYPTION] = TABLE("encryption", encryptions),
	[ALGORITHM_AUTHENTICATION] = TABLE("authentication", authentications),
	[ALGORITHM_DH_GROUP] = TABLE("dh_group", dh_groups),
	[ALGORITHM_ADDITIONAL] = TABLE("additional_key_exchange", key_exchanges),
};

static const struct algorithm *find(enum algorithm_kind kind, const char *word, unsigned int where)
{
	const struct algorithms *table = &algorithms[kind];

	for (size_t i = 0; i < table->count; i++) {
		const struct algorithm *one = &table->list[i];

		if (!*word || !(one->flags & where))
			continue;
		if (!strcmp(one->word, word) || !strcmp(one->alias[0], word) ||
		    !strcmp(one->alias[1], word))
			return one;
	}
	return NULL;
}

/* The words for doing without the optional parts of a policy */
static const struct algorithm pfs_off = {
	.word = "off", .alias = { "disabled", "" }, .proposal = "", .daemon = "",
};
static const struct algorithm no_additional = {
	.word = "none", .alias = { "", "" }, .proposal = "", .daemon = "",
};

void policy_init(struct policy *policy, bool ike)
{
	*policy = (struct policy){
		.version = 2,
		.lifetime = ike ? LIFETIME_IKE : LIFETIME_IPSEC,
	};
}

static void set_default(struct algorithm_list *list, enum algorithm_kind kind, const char *word)
{
	if (!list->count)
		list->one[list->count++] = find(kind, word, IN_BOTH);
}

static bool has_kind(const struct algorithm_list *list, bool combined)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->one[i]->combined == combined)
			return true;
	return false;
}

/* First GCM, which costs less for each packet, then what the cloud's gateway has offered so far. */
void policy_complete(struct policy *policy, bool ike)
{
	struct algorithm_list *encryption = &policy->encryption;

	if (!encryption->count) {
		if (!ike || policy->version == 2)
			set_default(encryption, ALGORITHM_ENCRYPTION, "aes256gcm16");
		encryption->one[encryption->count++] = find(ALGORITHM_ENCRYPTION, "aes256", IN_IKE);
	}
	set_default(&policy->authentication, ALGORITHM_AUTHENTICATION,
		    has_kind(encryption, false) ? "sha256" : "none");
	if (ike)
		set_default(&policy->dh, ALGORITHM_DH_GROUP, "19");
	else if (!policy->dh.count)
		policy->dh.one[policy->dh.count++] = &pfs_off;
}

/* Adds @found, unless @list has it. Return: whether it was added. */
static bool add_algorithm(struct algorithm_list *list, const struct algorithm *found)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->one[i] == found)
			return false;
	list->one[list->count++] = found;
	return true;
}

/* @off: the word for doing without, or NULL */
static const char *parse_list(enum algorithm_kind kind, const char *text, unsigned int where,
			      const struct algorithm *off, struct algorithm_list *list)
{
	char *copy = strdup(text), *rest = copy, *word;
	const char *expected = copy ? NULL : "some memory";

	while (!expected && (word = strsep(&rest, ","))) {
		const struct algorithm *found;

		word = without_blanks(word);
		found = find(kind, word, where);
		if (off && *word && (!strcmp(word, off->word) || !strcmp(word, off->alias[0])))
			found = off;
		if (!found)
			expected = off == &pfs_off ? "off, or DH groups that pvsvpnctl policies lists, with commas between them" :
				   "words that pvsvpnctl policies lists, with commas between them";
		else if (!add_algorithm(list, found))
			expected = "each word once";
	}
	free(copy);
	return expected;
}

const char *parse_ike_encryption(const char *text, void *value)
{
	return parse_list(ALGORITHM_ENCRYPTION, text, IN_IKE, NULL, value);
}

const char *parse_ipsec_encryption(const char *text, void *value)
{
	return parse_list(ALGORITHM_ENCRYPTION, text, IN_IPSEC, NULL, value);
}

const char *parse_authentication(const char *text, void *value)
{
	return parse_list(ALGORITHM_AUTHENTICATION, text, IN_BOTH, NULL, value);
}

const char *parse_prf(const char *text, void *value)
{
	struct algorithm_list *list = value;
	const char *expected = parse_authentication(text, value);

	return !expected && has_kind(list, true) ? "names of hashes, such as sha384" : expected;
}

const char *parse_dh_group(const char *text, void *value)
{
	return parse_list(ALGORITHM_DH_GROUP, text, IN_BOTH, NULL, value);
}

const char *parse_pfs(const char *text, void *value)
{
	return parse_list(ALGORITHM_DH_GROUP, text, IN_BOTH, &pfs_off, value);
}

const char *parse_additional(const char *text, void *value)
{
	return parse_list(ALGORITHM_ADDITIONAL, text, IN_BOTH, &no_additional, value);
}

bool parse_adds_algorithms(parse_fn *parse)
{
	return parse == parse_ike_encryption || parse == parse_ipsec_encryption ||
	       parse == parse_authentication || parse == parse_dh_group || parse == parse_pfs ||
	       parse == parse_prf || parse == parse_additional;
}

const char *parse_ike_version(const char *text, void *value)
{
	if (strcmp(text, "1") && strcmp(text, "2"))
		return "1 or 2";
	*(uint32_t *)value = *text - '0';
	return NULL;
}

const char *parse_lifetime(const char *text, void *value)
{
	uint32_t seconds;

	if (parse_u32(text, &seconds) || seconds < LIFETIME_MIN_LEGACY || seconds > LIFETIME_MAX)
		return "1800 to 86400 seconds, or from 180 with AllowLegacy";
	*(uint32_t *)value = seconds;
	return NULL;
}

static bool has_legacy(const struct algorithm_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->one[i]->flags & LEGACY)
			return true;
	return false;
}

/* Checks that each encryption has authentication. Return: why not, or NULL. */
static const char *why_not_together(const struct policy *policy)
{
	const struct algorithm_list *encryption = &policy->encryption;
	const struct algorithm_list *authentication = &policy->authentication;

	if (!has_kind(encryption, false) && has_kind(authentication, false))
		return "this encryption authenticates by itself; Authentication = none";
	if (has_kind(encryption, false) && !has_kind(authentication, false))
		return "this encryption does not authenticate; name a hash";
	if (!has_kind(encryption, true) && has_kind(authentication, true))
		return "none is for encryption that authenticates by itself, such as aes256gcm16";
	return NULL;
}

bool policy_has_additional(const struct policy *policy)
{
	for (size_t i = 0; i < policy->additional.count; i++)
		if (policy->additional.one[i] != &no_additional)
			return true;
	return false;
}

/* Additional exchanges follow one that both ends make in any case (RFC 9370 section 2.2). */
static const char *why_no_additional(const struct policy *policy, bool ike)
{
	if (!policy_has_additional(policy))
		return NULL;
	if (ike && policy->version == 1)
		return "IKEv1 has no additional key exchange; take version 2";
	for (size_t i = 0; i < policy->dh.count; i++)
		if (policy->dh.one[i] == &pfs_off)
			return "it needs PFS with groups, and without off, which is the default";
	return NULL;
}

const char *policy_why_not(const struct policy *policy, bool ike, bool legacy, const char **key)
{
	const char *why = why_not_together(policy);

	*key = "Authentication";
	if (why)
		return why;
	*key = "Version";
	if (ike && policy->version == 1 && has_kind(&policy->encryption, true))
		return "IKEv1 has no such encryption; take CBC, or version 2";
	*key = "PRF";
	if (policy->version == 1 && policy->prf.count)
		return "IKEv1 takes the hash of Authentication; leave it out, or take version 2";
	*key = "AdditionalKeyExchange";
	why = why_no_additional(policy, ike);
	if (why)
		return why;
	if (legacy)
		return NULL;
	why = "no longer safe; AllowLegacy = yes in [Connection] takes it";
	*key = "Authentication";
	if (has_legacy(&policy->authentication))
		return why;
	*key = "PRF";
	if (has_legacy(&policy->prf))
		return why;
	*key = "Encryption";
	if (has_legacy(&policy->encryption))
		return why;
	*key = ike ? "DHGroup" : "PFS";
	if (has_legacy(&policy->dh))
		return why;
	*key = "Lifetime";
	if (policy->lifetime < LIFETIME_MIN)
		return "at least 1800 s; AllowLegacy = yes in [Connection] takes less";
	return NULL;
}

__attribute__((format(printf, 2, 3)))
static void add(char *text, const char *fmt, ...)
{
	size_t len = strlen(text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(text + len, PROPOSAL_MAX - len, fmt, args);
	va_end(args);
}

/* Adds the proposals of one kind; an algorithm without a proposal adds nothing. */
static void add_texts(char *text, const struct algorithm_list *list, const char *prefix)
{
	for (size_t i = 0; i < list->count; i++)
		if (!list->one[i]->combined && *list->one[i]->proposal)
			add(text, "-%s%s", prefix, list->one[i]->proposal);
}

/*
 * Adds the pseudo-random functions of combined modes: the longest list, as the shorter lists are
 * its end.
 */
static void add_prf(char *text, const struct algorithm_list *list, size_t first, size_t end)
{
	const char *longest = "";

	for (size_t i = first; i < end; i++)
		if (strlen(list->one[i]->prf) > strlen(longest))
			longest = list->one[i]->prf;
	add(text, "-%s", longest);
}

/* Adds what is exchanged; @off and its text @without offer to do without it, after the others. */
static void add_exchanges(char *text, const struct algorithm_list *list, const char *prefix,
			  const struct algorithm *off, const char *without)
{
	add_texts(text, list, prefix);
	for (size_t i = 0; i < list->count; i++)
		if (list->one[i] == off && list->count > 1)
			add(text, "-%s", without);
}

/* @first: encryption where the proposal begins. Return: where the next proposal begins. */
static size_t proposal(char *text, const struct policy *policy, bool ike, size_t first)
{
	const struct algorithm_list *encryption = &policy->encryption;
	bool combined = encryption->one[first]->combined;
	size_t end = first;

	*text = '\0';
	while (end < encryption->count && encryption->one[end]->combined == combined)
		add(text, "%s%s", *text ? "-" : "", encryption->one[end++]->proposal);
	if (!combined)
		add_texts(text, &policy->authentication, "");
	else if (ike && !policy->prf.count)
		add_prf(text, encryption, first, end);
	add_texts(text, &policy->prf, "prf");
	add_exchanges(text, &policy->dh, "", &pfs_off, "modpnone");
	add_exchanges(text, &policy->additional, "ke1_", &no_additional, "ke1_none");
	return end;
}

static void single_proposals(const struct policy *policy, bool ike, proposal_fn *fn, void *data)
{
	const struct algorithm_list *authentication = &policy->authentication;
	struct policy one = { .encryption.count = 1, .authentication.count = 1, .dh.count = 1 };
	char text[PROPOSAL_MAX];

	for (size_t i = 0; i < policy->encryption.count; i++) {
		one.encryption.one[0] = policy->encryption.one[i];
		for (size_t j = 0; j < authentication->count; j++) {
			one.authentication.one[0] = authentication->one[j];
			/* A combined mode needs one round, and the others need a hash. */
			if (one.encryption.one[0]->combined ? j : authentication->one[j]->combined)
				continue;
			for (size_t k = 0; k < policy->dh.count; k++) {
				one.dh.one[0] = policy->dh.one[k];
				proposal(text, &one, ike, 0);
				fn(data, text);
			}
		}
	}
}

void policy_proposals(const struct policy *policy, bool ike, uint32_t version, proposal_fn *fn,
		      void *data)
{
	char text[PROPOSAL_MAX];

	if (version == 1) {
		single_proposals(policy, ike, fn, data);
		return;
	}
	for (size_t i = 0; i < policy->encryption.count;) {
		i = proposal(text, policy, ike, i);
		fn(data, text);
	}
}
