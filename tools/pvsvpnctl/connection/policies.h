/* SPDX-License-Identifier: GPL-2.0 */
/* Policies in files: those that connections share, and the one of a connection */
#ifndef PVSVPNCTL_POLICIES_H
#define PVSVPNCTL_POLICIES_H

#include "connection/policy.h"
#include "connection/section.h"

/* Types of sections */
#define IKE_POLICY	"IKEPolicy"
#define IPSEC_POLICY	"IPsecPolicy"

extern const struct conf_key ike_policy_keys[];
extern const struct conf_key ipsec_policy_keys[];

const char *policy_type(bool ike);

/**
 * policy_read() - read a section that is a policy
 * @in: the section
 * @ike: it is an IKE policy
 * @legacy: values that are no longer safe may be used
 * @policy: receives the policy; complete after success
 *
 * Return: CTL_OK, or CTL_FAILED after saying which key is not valid.
 */
int policy_read(const struct ini_section *in, bool ike, bool legacy, struct policy *policy);

/* Checks a whole file of policies. Return: CTL_OK, or CTL_FAILED after saying why. */
int policies_check(const struct ini_file *file);

#endif /* PVSVPNCTL_POLICIES_H */
