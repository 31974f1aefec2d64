// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "connection/policies.h"
#include "connection/values.h"
#include "error.h"

#define POLICY(_key, _parse, _member) \
	{ _key, _parse, offsetof(struct policy, _member) }

const struct conf_key ike_policy_keys[] = {
	POLICY("Version", parse_ike_version, version),
	POLICY("Encryption", parse_ike_encryption, encryption),
	POLICY("Authentication", parse_authentication, authentication),
	POLICY("DHGroup", parse_dh_group, dh),
	POLICY("AdditionalKeyExchange", parse_additional, additional),
	POLICY("Lifetime", parse_lifetime, lifetime),
	{ 0 }
};

const struct conf_key ipsec_policy_keys[] = {
	POLICY("Encryption", parse_ipsec_encryption, encryption),
	POLICY("Authentication", parse_authentication, authentication),
	POLICY("PFS", parse_pfs, dh),
	POLICY("AdditionalKeyExchange", parse_additional, additional),
	POLICY("Lifetime", parse_lifetime, lifetime),
	{ 0 }
};

const char *policy_type(bool ike)
{
	return ike ? IKE_POLICY : IPSEC_POLICY;
}

int policy_read(const struct ini_section *in, bool ike, bool legacy, struct policy *policy)
{
	const char *key, *why;
	int ret;

	policy_init(policy, ike);
	ret = section_read(in, ike ? ike_policy_keys : ipsec_policy_keys, policy);
	if (ret)
		return ret;
	policy_complete(policy, ike);
	why = policy_why_not(policy, ike, legacy, &key);
	return why ? refuse(in, key, NULL, "%s: %s", key, why) : CTL_OK;
}

static int check_policy(const struct ini_section *in)
{
	bool ike = !strcmp(in->type, IKE_POLICY);
	struct policy policy;

	if (!ike && strcmp(in->type, IPSEC_POLICY))
		return refuse(in, NULL,
				      "only [IKEPolicy NAME] and [IPsecPolicy NAME] are",
				      "[%.64s] does not belong here", in->type);
	if (!is_connection_name(in->name))
		return refuse(in, NULL, NULL,
				      "[%s] needs a name of 1 to 47 letters, digits, - and _",
				      in->type);
	/* The connection decides whether legacy values are allowed. */
	return policy_read(in, ike, true, &policy);
}

int policies_check(const struct ini_file *file)
{
	int ret = CTL_OK;

	for (size_t i = 0; i < file->section_count && !ret; i++)
		ret = check_policy(&file->sections[i]);
	return ret;
}
