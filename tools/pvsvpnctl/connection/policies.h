/* SPDX-License-Identifier: GPL-2.0 */
/* Policies in files: those that connections share, and the one of a connection */
#ifndef PVSVPNCTL_POLICIES_H
#define PVSVPNCTL_POLICIES_H

#include <stdio.h>

#include "connection/connection.h"
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

/**
 * policy_print() - print a policy as a section of a file
 * @out: where to
 * @policy: complete
 * @ike: it is an IKE policy
 * @name: its name, "" for that of a connection
 */
void policy_print(FILE *out, const struct policy *policy, bool ike, const char *name);

/* Adds to a JSON object the keys of a policy, and its proposals in that version of IKE. */
void policy_add_json(struct json_object *json, const struct policy *policy, bool ike,
		     uint32_t version);

/**
 * struct policies - a file of policies
 * @path: of the file
 * @text: its text, "" if there is no file
 * @file: its sections, each a valid policy; connections decide about legacy values
 */
struct policies {
	char *path;
	char *text;
	struct ini_file file;
};

/**
 * policies_load() - read a file of policies
 * @what: the command, for error lines
 * @path: of the file; NULL for policies.conf, which need not exist
 * @policies: to be freed with policies_free(), also after a failure; must not be copied
 *
 * Return: CTL_OK, or an exit status after saying what is not valid.
 */
int policies_load(const char *what, const char *path, struct policies *policies);
void policies_free(struct policies *policies);

/**
 * policies_add() - add sections to policies.conf
 * @what: the command, for error lines
 * @text: the sections
 *
 * Return: CTL_OK, or an exit status after saying why not, for instance that one is there already;
 * then the file is as it was.
 */
int policies_add(const char *what, const char *text);

/**
 * policies_remove() - remove a policy that no connection names from policies.conf
 * @what: the command, for error lines
 * @ike: it is an IKE policy
 * @name: its name
 *
 * Comments directly above the section, or above the next one, stay.
 *
 * Return: CTL_OK, or an exit status after saying why not; then the file is as it was.
 */
int policies_remove(const char *what, bool ike, const char *name);

/**
 * struct policy_use - the policies that a connection's file names
 * @connection: name of the connection
 * @policy: the names, "" for none; the IPsec policy is the second
 */
struct policy_use {
	char connection[CONNECTION_NAME_MAX + 1];
	char policy[2][CONNECTION_NAME_MAX + 1];
};

struct policy_uses {
	struct policy_use *list;
	size_t count;
};

/**
 * policy_uses_load() - read which policies the connections name
 * @what: the command, for error lines
 * @uses: list to be freed, also after a failure
 *
 * Return: CTL_OK, or CTL_FAILED after saying which files could not be read; the others are there.
 */
int policy_uses_load(const char *what, struct policy_uses *uses);
bool policy_used_by(const struct policy_use *use, bool ike, const char *name);

#endif /* PVSVPNCTL_POLICIES_H */
