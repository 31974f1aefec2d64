// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "connection/policy.h"

/* Seconds. The service's own limits; shorter ones were an earlier service's. */
#define LIFETIME_MIN		1800
#define LIFETIME_MIN_LEGACY	180
#define LIFETIME_MAX		86400
#define LIFETIME_IKE		28800
#define LIFETIME_IPSEC		3600

#define ALGORITHM(_word, _alias1, _alias2, _flags, _combined, _proposal,	\
		  _prf, _daemon)						\
	{								\
		.word = _word,						\
		.alias = { _alias1, _alias2 },				\
		.flags = _flags,					\
		.combined = _combined,					\
		.proposal = _proposal,					\
		.prf = _prf,						\
		.daemon = _daemon,					\
	},

static const struct algorithm encryptions[] = { ENCRYPTION_LIST(ALGORITHM) };
static const struct algorithm authentications[] = {
	AUTHENTICATION_LIST(ALGORITHM)
};
static const struct algorithm dh_groups[] = { DH_GROUP_LIST(ALGORITHM) };

#define TABLE(_kind, _list) \
	{ .kind = _kind, .list = _list, .count = sizeof(_list) / sizeof(_list[0]) }

const struct algorithms algorithms[ALGORITHM_KINDS] = {
	[ALGORITHM_ENCRYPTION] = TABLE("encryption", encryptions),
	[ALGORITHM_AUTHENTICATION] = TABLE("authentication", authentications),
	[ALGORITHM_DH_GROUP] = TABLE("dh_group", dh_groups),
};

static const struct algorithm *find(enum algorithm_kind kind, const char *word,
				    unsigned int where)
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

void policy_default_ike(struct policy *policy)
{
	*policy = (struct policy){
		.version = 2,
		.encryption = find(ALGORITHM_ENCRYPTION, "aes256", IN_IKE),
		.authentication = find(ALGORITHM_AUTHENTICATION, "sha256", IN_IKE),
		.dh = find(ALGORITHM_DH_GROUP, "19", IN_IKE),
		.lifetime = LIFETIME_IKE,
	};
}

void policy_default_ipsec(struct policy *policy)
{
	*policy = (struct policy){
		.version = 2,
		.encryption = find(ALGORITHM_ENCRYPTION, "aes256", IN_IPSEC),
		.authentication = find(ALGORITHM_AUTHENTICATION, "sha256", IN_IPSEC),
		.lifetime = LIFETIME_IPSEC,
	};
}

static const char *parse_one(enum algorithm_kind kind, const char *text,
			     unsigned int where, void *value)
{
	const struct algorithm *found = find(kind, text, where);

	if (!found)
		return "one of those that pvsvpnctl policies lists";
	*(const struct algorithm **)value = found;
	return NULL;
}

const char *parse_ike_encryption(const char *text, void *value)
{
	return parse_one(ALGORITHM_ENCRYPTION, text, IN_IKE, value);
}

const char *parse_ipsec_encryption(const char *text, void *value)
{
	return parse_one(ALGORITHM_ENCRYPTION, text, IN_IPSEC, value);
}

const char *parse_authentication(const char *text, void *value)
{
	return parse_one(ALGORITHM_AUTHENTICATION, text, IN_IKE | IN_IPSEC,
			 value);
}

const char *parse_dh_group(const char *text, void *value)
{
	return parse_one(ALGORITHM_DH_GROUP, text, IN_IKE | IN_IPSEC, value);
}

const char *parse_pfs(const char *text, void *value)
{
	if (!strcmp(text, "off")) {
		*(const struct algorithm **)value = NULL;
		return NULL;
	}
	return parse_dh_group(text, value) ?
		"off, or a DH group that pvsvpnctl policies lists" : NULL;
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

	if (parse_u32(text, &seconds) || seconds < LIFETIME_MIN_LEGACY ||
	    seconds > LIFETIME_MAX)
		return "1800 to 86400 seconds, or from 180 with AllowLegacy";
	*(uint32_t *)value = seconds;
	return NULL;
}

const char *policy_why_not(const struct policy *policy, bool ike, bool legacy,
			   const char **key)
{
	*key = "Authentication";
	if (policy->encryption->combined && !policy->authentication->combined)
		return "this encryption authenticates by itself; Authentication = none";
	if (!policy->encryption->combined && policy->authentication->combined)
		return "this encryption does not authenticate; name a hash";
	*key = "Version";
	if (ike && policy->version == 1 && policy->encryption->combined)
		return "IKEv1 has no such encryption; take CBC, or version 2";
	if (legacy)
		return NULL;
	if (policy->authentication->flags & LEGACY)
		return "no longer safe; AllowLegacy = yes in [Connection] takes it";
	*key = "Encryption";
	if (policy->encryption->flags & LEGACY)
		return "no longer safe; AllowLegacy = yes in [Connection] takes it";
	*key = ike ? "DHGroup" : "PFS";
	if (policy->dh && policy->dh->flags & LEGACY)
		return "no longer safe; AllowLegacy = yes in [Connection] takes it";
	*key = "Lifetime";
	if (policy->lifetime < LIFETIME_MIN)
		return "at least 1800 s; AllowLegacy = yes in [Connection] takes less";
	return NULL;
}

const char *ike_proposal(char *text, const struct policy *policy)
{
	const struct algorithm *encryption = policy->encryption;

	snprintf(text, PROPOSAL_MAX, "%s-%s-%s", encryption->proposal,
		 encryption->combined ? encryption->prf :
		 policy->authentication->proposal, policy->dh->proposal);
	return text;
}

const char *esp_proposal(char *text, const struct policy *policy)
{
	bool combined = policy->encryption->combined;

	snprintf(text, PROPOSAL_MAX, "%s%s%s%s%s", policy->encryption->proposal,
		 combined ? "" : "-",
		 combined ? "" : policy->authentication->proposal,
		 policy->dh ? "-" : "", policy->dh ? policy->dh->proposal : "");
	return text;
}
