// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connection/config_file.h"
#include "connection/policies.h"
#include "connection/values.h"
#include "connection/write.h"
#include "error.h"
#include "json.h"

#define POLICY(_key, _parse, _write, _member) \
	{ _key, _parse, _write, offsetof(struct policy, _member) }

const struct conf_key ike_policy_keys[] = {
	POLICY("Version", parse_ike_version, write_number, version),
	POLICY("Encryption", parse_ike_encryption, write_algorithms, encryption),
	POLICY("Authentication", parse_authentication, write_algorithms, authentication),
	POLICY("PRF", parse_prf, write_algorithms, prf),
	POLICY("DHGroup", parse_dh_group, write_algorithms, dh),
	POLICY("AdditionalKeyExchange", parse_additional, write_algorithms, additional),
	POLICY("Lifetime", parse_lifetime, write_number, lifetime),
	{ 0 }
};

const struct conf_key ipsec_policy_keys[] = {
	POLICY("Encryption", parse_ipsec_encryption, write_algorithms, encryption),
	POLICY("Authentication", parse_authentication, write_algorithms, authentication),
	POLICY("PFS", parse_pfs, write_algorithms, dh),
	POLICY("AdditionalKeyExchange", parse_additional, write_algorithms, additional),
	POLICY("Lifetime", parse_lifetime, write_number, lifetime),
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
		return refuse(in, NULL, "only [IKEPolicy NAME] and [IPsecPolicy NAME] are",
			      "[%.64s] does not belong here", in->type);
	if (!is_connection_name(in->name))
		return refuse(in, NULL, NULL,
			      "[%s] needs a name of 1 to 47 letters, digits, - and _", in->type);
	/* The connection decides whether legacy values are allowed. */
	return policy_read(in, ike, true, &policy);
}

static int check_policies(const struct ini_file *file)
{
	int ret = CTL_OK;

	for (size_t i = 0; i < file->section_count && !ret; i++)
		ret = check_policy(&file->sections[i]);
	return ret;
}

/* ---- text ---- */

void policy_print(FILE *out, const struct policy *policy, bool ike, const char *name)
{
	fprintf(out, "[%s%s%s]\n", policy_type(ike), *name ? " " : "", name);
	section_print(out, ike ? ike_policy_keys : ipsec_policy_keys, policy);
}

static void append_proposal(void *list, const char *proposal)
{
	json_append_text(list, proposal);
}

void policy_add_json(struct json_object *json, const struct policy *policy, bool ike,
		     uint32_t version)
{
	struct json_object *list = json_list();

	section_add_json(json, ike ? ike_policy_keys : ipsec_policy_keys, policy);
	policy_proposals(policy, ike, version, append_proposal, list);
	json_add(json, "proposals", list);
}

/* ---- files ---- */

int policies_load(const char *what, const char *path, struct policies *policies)
{
	struct stat st;
	int ret = CTL_OK;

	*policies = (struct policies){ .file.what = what };
	if (path)
		no_memory_if(asprintf(&policies->path, "%s", path) < 0);
	else
		no_memory_if(asprintf(&policies->path, "%s/" POLICIES ".conf", connection_dir()) < 0);
	policies->file.path = policies->path;
	/* A link to a file that is missing is an error. */
	if (path || !lstat(policies->path, &st) || errno != ENOENT)
		ret = ini_load_text(&policies->file, &policies->text);
	if (!policies->text)
		policies->text = strcpy(ctl_alloc(NULL, 1), "");
	return ret ?: check_policies(&policies->file);
}

void policies_free(struct policies *policies)
{
	ini_free(&policies->file);
	free(policies->text);
	free(policies->path);
}

/* Checks the text as if it were in the file, and writes it. */
static int write_policies(const char *what, const char *path, const char *text)
{
	struct ini_file file = { .what = what, .path = path };
	int ret;

	if (strlen(text) > INI_FILE_MAX)
		return ctl_error(CTL_FAILED, what, path, "remove policies that no connection names",
				 "the file would have more than %d bytes", INI_FILE_MAX);
	ret = ini_read_text(&file, text) ?: check_policies(&file);
	ini_free(&file);
	return ret ?: config_write(what, path, text, 0644);
}

static int check_new(const char *what, const struct policies *old, const struct ini_file *new)
{
	for (size_t i = 0; i < new->section_count; i++) {
		const struct ini_section *section = &new->sections[i];
		const struct ini_section *there = section_find(&old->file, section->type,
							       section->name);

		if (there)
			return ctl_error(CTL_FAILED, what, ini_at(&old->file, there->line),
					 "edit it there, or take another name",
					 "[%s %s] is there already", section->type, section->name);
	}
	return CTL_OK;
}

static bool ends_in(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && !strcmp(text + len - end_len, end);
}

/* The newlines that make an empty line behind the text */
static const char *gap_behind(const char *text)
{
	if (!*text || ends_in(text, "\n\n") || ends_in(text, "\n\r\n"))
		return "";
	return ends_in(text, "\n") ? "\n" : "\n\n";
}

static int add_text(const char *what, const struct policies *old, const char *text)
{
	struct ini_file new = { .what = what, .path = "the new policy" };
	char *whole;
	int ret;

	ret = ini_read_text(&new, text) ?: check_policies(&new) ?: check_new(what, old, &new);
	ini_free(&new);
	if (ret)
		return ret;
	no_memory_if(asprintf(&whole, "%s%s%s", old->text, gap_behind(old->text), text) < 0);
	ret = write_policies(what, old->path, whole);
	free(whole);
	return ret;
}

int policies_add(const char *what, const char *text)
{
	struct policies old;
	int fd, ret = config_make_dir(what) ?: config_lock(what, &fd);

	if (ret)
		return ret;
	ret = policies_load(what, NULL, &old) ?: add_text(what, &old, text);
	policies_free(&old);
	close(fd);
	return ret;
}

/* ---- uses ---- */

static void read_name(const struct ini_section *section, const char *key, char *name)
{
	const struct ini_key *found = section ? ini_find(section, key) : NULL;

	if (found && is_connection_name(found->value))
		strcpy(name, found->value);
}

/* Reads the file of a connection, as far as it is an INI file. @path must be freed. */
static int load_file_of(const char *what, const char *name, struct ini_file *file, char **path)
{
	no_memory_if(asprintf(path, "%s/%s.conf", connection_dir(), name) < 0);
	*file = (struct ini_file){ .what = what, .path = *path };
	return ini_load(file);
}

static int read_use(const char *what, const char *name, struct policy_use *use)
{
	const struct ini_section *section;
	struct ini_file file;
	char *path;
	int ret = load_file_of(what, name, &file, &path);

	*use = (struct policy_use){ .policy = { "", "" } };
	strcpy(use->connection, name);
	section = section_find(&file, "Connection", "");
	read_name(section, IKE_POLICY, use->policy[0]);
	read_name(section, IPSEC_POLICY, use->policy[1]);
	ini_free(&file);
	free(path);
	return ret;
}

int policy_uses_load(const char *what, struct policy_uses *uses)
{
	char **names;
	int ret = CTL_OK;

	uses->count = connection_names(&names);
	uses->list = ctl_alloc(NULL, (uses->count + 1) * sizeof(*uses->list));
	for (size_t i = 0; i < uses->count; i++)
		ret = read_use(what, names[i], &uses->list[i]) ?: ret;
	connection_names_free(names, uses->count);
	return ret;
}

bool policy_used_by(const struct policy_use *use, bool ike, const char *name)
{
	return !strcmp(use->policy[!ike], name);
}

/* Whether any key of the file names the policy, also one that is not valid where it is */
static bool file_names(const struct ini_file *file, const char *type, const char *name)
{
	for (size_t i = 0; i < file->section_count; i++) {
		const struct ini_section *section = &file->sections[i];

		for (size_t j = 0; j < section->key_count; j++)
			if (!strcasecmp(section->keys[j].key, type) &&
			    !strcmp(section->keys[j].value, name))
				return true;
	}
	return false;
}

/* @section: the policy. Refuses if the connection names it, or may name it. */
static int check_not_named(const char *connection, const struct ini_section *section)
{
	struct ini_file file;
	char *path;
	int ret;

	ctl_error_mute(true);
	ret = load_file_of(section->file->what, connection, &file, &path);
	ctl_error_mute(false);
	if (ret)
		ret = refuse(section, NULL, "mend that file first; pvsvpnctl check says what is wrong",
			     "connection %s may name it, and its file cannot be read", connection);
	else if (file_names(&file, section->type, section->name))
		ret = refuse(section, NULL, "give that connection another policy first",
			     "connection %s names it", connection);
	ini_free(&file);
	free(path);
	return ret;
}

static int check_unused(const struct ini_section *section)
{
	char **names;
	size_t count = connection_names(&names);
	int ret = CTL_OK;

	for (size_t i = 0; i < count && !ret; i++)
		ret = check_not_named(names[i], section);
	connection_names_free(names, count);
	return ret;
}

/* ---- removal ---- */

static const char *line_end(const char *text)
{
	const char *end = strchrnul(text, '\n');

	return end + !!*end;
}

/* The start of a line, from 1 */
static const char *line_at(const char *text, unsigned int line)
{
	while (--line)
		text = line_end(text);
	return text;
}

/* The first character of a line that is not blank; \n or NUL if there is none */
static char first_of(const char *line)
{
	return line[strspn(line, " \t\r")];
}

/*
 * The end of a section in @text, with the empty lines behind it. Comments belong to it if they
 * follow it directly, unless they are directly above the next section.
 */
static const char *section_end(const char *text, const struct ini_section *section)
{
	const char *line = line_end(line_at(text, section->line)), *end = line;
	const char *comments = NULL;	/* directly above @line */
	bool gap = false, apart = false;

	for (; *line && first_of(line) != '['; line = line_end(line)) {
		bool comment = strchr("#;", first_of(line)) && first_of(line);
		bool empty = strchr("\n", first_of(line));

		if (!comment && !empty)
			gap = apart = false;
		apart |= comment && gap;
		gap |= empty;
		comments = comment ? comments ?: line : NULL;
		if (!apart)
			end = line_end(line);
	}
	return *line && comments && comments < end ? comments : end;
}

static bool is_same_section(const struct ini_section *a, const struct ini_section *b)
{
	if (!section_is(a, b->type, b->name) || a->key_count != b->key_count)
		return false;
	for (size_t i = 0; i < a->key_count; i++)
		if (strcmp(a->keys[i].key, b->keys[i].key) ||
		    strcmp(a->keys[i].value, b->keys[i].value))
			return false;
	return true;
}

/* Whether @rest has all sections of @old but @gone, unchanged */
static bool has_others(const struct ini_file *rest, const struct ini_file *old,
		       const struct ini_section *gone)
{
	size_t found = 0;

	for (size_t i = 0; i < old->section_count; i++) {
		if (&old->sections[i] == gone)
			continue;
		if (found == rest->section_count ||
		    !is_same_section(&rest->sections[found++], &old->sections[i]))
			return false;
	}
	return found == rest->section_count;
}

/* The text was cut by lines. Checks it as a reader of the file sees it. */
static int check_rest(const char *what, const struct policies *old,
		      const struct ini_section *gone, const char *rest)
{
	struct ini_file file = { .what = what, .path = old->path };
	int ret = ini_read_text(&file, rest);

	if (!ret && !has_others(&file, &old->file, gone))
		ret = refuse(gone, NULL, "delete its lines with an editor",
			     "it cannot be told from the other policies by its lines");
	ini_free(&file);
	return ret;
}

static int remove_section(const char *what, const struct policies *old,
			  const struct ini_section *section)
{
	const char *begin = line_at(old->text, section->line);
	const char *end = section_end(old->text, section);
	char *rest;
	int ret;

	no_memory_if(asprintf(&rest, "%.*s%s", (int)(begin - old->text), old->text, end) < 0);
	ret = check_rest(what, old, section, rest) ?: write_policies(what, old->path, rest);
	free(rest);
	return ret;
}

static int find_and_remove(const char *what, const struct policies *old, bool ike, const char *name)
{
	const struct ini_section *section = section_find(&old->file, policy_type(ike), name);

	if (!section)
		return ctl_error(CTL_FAILED, what, name, "pvsvpnctl policy list has them all",
				 "no [%s %s] in %s", policy_type(ike), name, old->path);
	return check_unused(section) ?: remove_section(what, old, section);
}

int policies_remove(const char *what, bool ike, const char *name)
{
	struct policies old;
	int fd, ret = config_lock(what, &fd);

	if (ret)
		return ret;
	ret = policies_load(what, NULL, &old) ?: find_and_remove(what, &old, ike, name);
	policies_free(&old);
	close(fd);
	return ret;
}
