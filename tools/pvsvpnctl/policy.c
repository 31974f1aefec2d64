// SPDX-License-Identifier: GPL-2.0
/*
 * "policies" lists what a policy may say. "policy" lists the policies that connections can name,
 * and changes policies.conf.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "connection/policies.h"
#include "connection/presets.h"
#include "connection/values.h"
#include "error.h"
#include "json.h"
#include "print.h"
#include "table.h"

/* ---- words: "policies" ---- */

static struct json_object *json_algorithm(const struct algorithm *one)
{
	struct json_object *json = json_new();

	json_add_text(json, "word", one->word);
	json_add_bool(json, "ike", one->flags & IN_IKE);
	json_add_bool(json, "ipsec", one->flags & IN_IPSEC);
	json_add_bool(json, "legacy", one->flags & LEGACY);
	json_add_bool(json, "combined", one->combined);
	return json;
}

static void print_policies_json(void)
{
	struct json_object *json = json_new();

	for (int i = 0; i < ALGORITHM_KINDS; i++) {
		struct json_object *array = json_list();

		for (size_t j = 0; j < algorithms[i].count; j++)
			json_append(array, json_algorithm(&algorithms[i].list[j]));
		json_add(json, algorithms[i].kind, array);
	}
	json_print(json);
}

static void print_policies(void)
{
	static const char * const titles[ALGORITHM_KINDS] = {
		"Encryption", "Authentication", "DHGroup, PFS", "AdditionalKeyExchange"
	};

	for (int i = 0; i < ALGORITHM_KINDS; i++) {
		printf("%s%s:\n", i ? "\n" : "", titles[i]);
		for (size_t j = 0; j < algorithms[i].count; j++) {
			const struct algorithm *one = &algorithms[i].list[j];

			printf("  %-12s %-10s%s%s\n", one->word,
			       one->flags & IN_IKE ? "IKE, IPsec" : "IPsec",
			       i == ALGORITHM_DH_GROUP ? "  " : "",
			       i == ALGORITHM_DH_GROUP ? one->proposal : "");
			if (one->flags & LEGACY)
				printf("%16s(with AllowLegacy = yes)\n", "");
		}
	}
}

static int run_policies(const struct options *options, int argc, char **argv)
{
	if (argc)
		return ctl_error(CTL_USAGE, "policies", argv[0], "leave it out",
				 "there are no words behind it");
	(options->json ? print_policies_json : print_policies)();
	return CTL_OK;
}

const struct command command_policies = {
	.name = "policies",
	.args = "",
	.help = "Lists what an IKE policy and an IPsec policy may say.\n",
	.run = run_policies,
};

/* ---- one policy ---- */

/**
 * struct named - a policy in a file
 * @section: where it is
 * @ike: it is an IKE policy
 * @policy: its values
 */
struct named {
	const struct ini_section *section;
	bool ike;
	struct policy policy;
};

/* The file was checked before, so this succeeds. */
static void read_named(const struct ini_section *section, struct named *named)
{
	named->section = section;
	named->ike = !strcmp(section->type, IKE_POLICY);
	policy_read(section, named->ike, true, &named->policy);
}

static const char *kind_of(const struct named *named)
{
	return named->ike ? "ike" : "ipsec";
}

/* Writes the words with commas to @text of PROPOSAL_MAX bytes; "-" if there are none. */
static const char *join(char *text, const struct algorithm_list *list)
{
	size_t len = 0;

	for (size_t i = 0; i < list->count; i++)
		len += snprintf(text + len, PROPOSAL_MAX - len, "%s%s", i ? "," : "",
				list->one[i]->word);
	return len ? text : strcpy(text, "-");
}

/* Prints the names of the connections that name the policy, or "-". */
static void write_users(FILE *out, const struct named *named, const struct policy_uses *uses)
{
	const char *before = "";

	for (size_t i = 0; i < uses->count; i++) {
		if (!policy_used_by(&uses->list[i], named->ike, named->section->name))
			continue;
		fprintf(out, "%s%s", before, uses->list[i].connection);
		before = ", ";
	}
	if (!*before)
		putc('-', out);
}

static void add_row(struct table *table, const struct named *named, const struct policy_uses *uses)
{
	const struct policy *policy = &named->policy;
	char text[PROPOSAL_MAX], *users;
	size_t size;
	FILE *out = open_memstream(&users, &size);

	no_memory_if(!out);
	write_users(out, named, uses);
	no_memory_if(fclose(out));
	table_cell(table, "%s", kind_of(named));
	table_cell(table, "%s", named->section->name);
	if (named->ike)
		table_cell(table, "%u", policy->version);
	else
		table_cell(table, "-");
	table_cell(table, "%s", join(text, &policy->encryption));
	table_cell(table, "%s", join(text, &policy->authentication));
	table_cell(table, "%s", join(text, &policy->prf));
	table_cell(table, "%s", join(text, &policy->dh));
	table_cell(table, "%s", join(text, &policy->additional));
	table_cell(table, "%u", policy->lifetime);
	table_cell(table, "%s", users);
	free(users);
}

static void print_proposal(void *out, const char *proposal)
{
	fprintf(out, "# offers %s\n", proposal);
}

static void print_named(const struct named *named, const struct policy_uses *uses)
{
	policy_print(stdout, &named->policy, named->ike, named->section->name);
	policy_proposals(&named->policy, named->ike, named->policy.version, print_proposal, stdout);
	fputs("# named by ", stdout);
	write_users(stdout, named, uses);
	putchar('\n');
}

/* ---- JSON ---- */

static struct json_object *json_users(const struct named *named, const struct policy_uses *uses)
{
	struct json_object *json = json_list();

	for (size_t i = 0; i < uses->count; i++)
		if (policy_used_by(&uses->list[i], named->ike, named->section->name))
			json_append_text(json, uses->list[i].connection);
	return json;
}

static struct json_object *json_named(const struct named *named, const struct policy_uses *uses)
{
	const struct policy *policy = &named->policy;
	struct json_object *json = json_new();
	const char *key;

	json_add_text(json, "kind", kind_of(named));
	json_add_text(json, "name", named->section->name);
	policy_add_json(json, policy, named->ike, policy->version);
	json_add_bool(json, "legacy", policy_why_not(policy, named->ike, false, &key));
	json_add(json, "connections", json_users(named, uses));
	json_add_text(json, "file", named->section->file->path);
	json_add_uint(json, "line", named->section->line);
	return json;
}

/* ---- list and show ---- */

static const struct column columns[] = {
	{ "KIND", false },
	{ "NAME", false },
	{ "VERSION", true },
	{ "ENCRYPTION", false },
	{ "AUTHENTICATION", false },
	{ "PRF", false },
	{ "GROUPS", false },
	{ "ADDITIONAL", false },
	{ "LIFETIME", true },
	{ "CONNECTIONS", false },
};

/**
 * struct listing - policies that are being listed
 * @uses: which connections name which; none for presets
 * @table: for people
 * @json: or for programs
 */
struct listing {
	struct policy_uses uses;
	struct table *table;
	struct json_object *json;
};

static void listing_init(struct listing *listing, const struct options *options)
{
	*listing = (struct listing){ .uses.list = NULL };
	if (options->json)
		listing->json = json_list();
}

static void listing_free(struct listing *listing)
{
	json_free(listing->json);
	free(listing->uses.list);
}

static void listing_print(struct listing *listing)
{
	if (listing->json)
		json_print_list("policies", listing->json);
	if (listing->table)
		table_print(listing->table, "");
	listing->json = NULL;
	listing->table = NULL;
}

static void list_policies(struct listing *listing, const struct policies *policies)
{
	struct named named;

	for (size_t i = 0; i < policies->file.section_count; i++) {
		read_named(&policies->file.sections[i], &named);
		if (listing->json) {
			json_append(listing->json, json_named(&named, &listing->uses));
			continue;
		}
		if (!listing->table)
			listing->table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
		add_row(listing->table, &named, &listing->uses);
	}
}

/* Lists the others, too, if one is not valid. */
static int list_presets(struct listing *listing)
{
	char **names;
	size_t count = preset_names(&names);
	int ret = CTL_OK;

	if (!count)
		ret = ctl_error(CTL_FAILED, "policy list", preset_dir(),
				"make install puts them there", "no presets");
	for (size_t i = 0; i < count; i++) {
		struct policies policies;
		int failed = preset_load("policy list", names[i], &policies);

		if (!failed)
			list_policies(listing, &policies);
		ret = failed ?: ret;
		policies_free(&policies);
	}
	if (count)
		listing_print(listing);
	connection_names_free(names, count);
	return ret;
}

/* If the file of a connection cannot be read, the list is there, without that connection. */
static int list_own(struct listing *listing)
{
	struct policies policies;
	int failed, ret = policies_load("policy list", NULL, &policies);

	if (!ret) {
		failed = policy_uses_load("policy list", &listing->uses);
		list_policies(listing, &policies);
		listing_print(listing);
		ret = failed;
	}
	policies_free(&policies);
	return ret;
}

static int run_list(const struct options *options, int argc, char **argv)
{
	static const struct param table[] = {
		{ .key = "presets", .parse = parse_word },
		{ .key = "preset", .parse = parse_word },
	};
	static const struct params params = { table, sizeof(table) / sizeof(table[0]), 0 };
	struct listing listing;
	bool presets = false;
	int ret = parse_params("policy list", argc, argv, 0, &params, &presets, NULL);

	if (!ret && !presets)
		ret = may_read("policy list", connection_dir());
	if (ret)
		return ret;
	listing_init(&listing, options);
	ret = presets ? list_presets(&listing) : list_own(&listing);
	listing_free(&listing);
	return ret;
}

const struct command command_policy_list = {
	.name = "policy list",
	.args = "[presets]",
	.help = "Lists the policies in /etc/pvsvpn/policies.conf, and the connections that name them.\n\n"
		"  presets  list the presets instead: policies for the gateways of clouds\n",
	.run = run_list,
};

/* Shows the policy, if there is one. Return: how many were shown. */
static int show_section(struct listing *listing, const struct ini_section *section)
{
	struct named named;

	if (!section)
		return 0;
	read_named(section, &named);
	if (listing->json)
		json_append(listing->json, json_named(&named, &listing->uses));
	else
		print_named(&named, &listing->uses);
	return 1;
}

/* Shows the policies of that name; there may be one of each kind. */
static int show_named(struct listing *listing, const struct policies *policies, const char *name)
{
	static const char * const types[] = { IKE_POLICY, IPSEC_POLICY };
	int shown = 0;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		shown += show_section(listing, section_find(&policies->file, types[i], name));
	if (shown)
		return CTL_OK;
	return ctl_error(CTL_FAILED, "policy show", name, "pvsvpnctl policy list has them all",
			 "no such policy in %s", policies->path);
}

static int show_own(struct listing *listing, const char *name)
{
	struct policies policies;
	int failed, ret = policies_load("policy show", NULL, &policies);

	if (!ret) {
		failed = policy_uses_load("policy show", &listing->uses);
		ret = show_named(listing, &policies, name);
		if (!ret)
			listing_print(listing);
		ret = ret ?: failed;
	}
	policies_free(&policies);
	return ret;
}

/* A preset may be another user's file. */
static void print_lines(const char *text)
{
	char *copy = strdup(text), *rest = copy, *line;

	no_memory_if(!copy);
	while ((line = strsep(&rest, "\n")))
		if (rest || *line)
			printf("%s\n", clean_text(line));
	free(copy);
}

/* Shows the file of a preset, with the sources of its values. */
static int show_preset(struct listing *listing, const char *name)
{
	struct policies policies;
	int ret = preset_load("policy show", name, &policies);

	if (!ret && listing->json)
		list_policies(listing, &policies);
	else if (!ret)
		print_lines(preset_text(&policies));
	if (!ret)
		listing_print(listing);
	policies_free(&policies);
	return ret;
}

static int run_show(const struct options *options, int argc, char **argv)
{
	bool preset = argc > 1 && !strcmp(argv[0], "preset");
	struct listing listing;
	int ret;

	if (argc != 1 + preset)
		return ctl_error(CTL_USAGE, "policy show", argc ? argv[argc - 1] : NULL,
				 "give NAME, or preset NAME",
				 argc ? "too many words" : "the name is missing");
	ret = preset ? CTL_OK : may_read("policy show", connection_dir());
	if (ret)
		return ret;
	listing_init(&listing, options);
	ret = (preset ? show_preset : show_own)(&listing, argv[preset]);
	listing_free(&listing);
	return ret;
}

const struct command command_policy_show = {
	.name = "policy show",
	.args = "[preset] NAME",
	.help = "Shows the policies of that name in full, the proposals that strongSwan makes of them (those\n"
		"of IPsec in IKEv2), and the connections that name them.\n\n"
		"  preset  show the preset NAME instead, with the source of each value\n",
	.run = run_show,
};

/* ---- add and delete ---- */

/* Values of "policy add", NULL if not given */
struct words {
	const char *version;
	const char *encryption;
	const char *authentication;
	const char *prf;
	const char *dh_group;
	const char *pfs;
	const char *additional;
	const char *lifetime;
};

#define WORD(_key, _arg, _member, _help) \
	{ .key = _key, .arg = _arg, .parse = parse_text, \
	  .offset = offsetof(struct words, _member), .help = _help }

static const struct param word_table[] = {
	WORD("version", "1|2", version, "of IKE; IKE policies only"),
	WORD("encryption", "LIST", encryption, "words with commas between them, the best first"),
	WORD("authentication", "LIST", authentication, "hashes; GCM needs none"),
	WORD("prf", "LIST", prf, "hashes of the pseudo-random function; IKE policies only"),
	WORD("dh-group", "LIST", dh_group, "IKE policies only"),
	WORD("pfs", "LIST", pfs, "groups, or off; IPsec policies only"),
	WORD("additional-key-exchange", "LIST", additional, "after the group, such as mlkem768"),
	WORD("lifetime", "SECONDS", lifetime, "of the keys"),
};

/* The keys in the file, in the order of the table */
static const char * const word_keys[] = {
	"Version", "Encryption", "Authentication", "PRF", "DHGroup", "PFS", "AdditionalKeyExchange",
	"Lifetime",
};

static const struct params word_params = {
	word_table, sizeof(word_table) / sizeof(word_table[0]), 0
};

static const struct conf_key *find_key(const struct conf_key *keys, const char *key)
{
	while (keys->key && strcmp(keys->key, key))
		keys++;
	return keys->key ? keys : NULL;
}

static int take_word(const struct param *param, const char *key, bool ike, const char *text,
		     struct policy *policy)
{
	const struct conf_key *conf = find_key(ike ? ike_policy_keys : ipsec_policy_keys, key);
	const char *expected;

	if (!conf)
		return ctl_error(CTL_USAGE, "policy add", param->key, "leave it out",
				 "an %s policy has no %s", ike ? "IKE" : "IPsec", key);
	expected = conf->parse(text, (char *)policy + conf->offset);
	if (!expected)
		return CTL_OK;
	return ctl_error(CTL_USAGE, "policy add", param->key, NULL,
			 "\"%s\" is not valid; expected %s", text, expected);
}

static int make_policy(const struct words *words, bool ike, struct policy *policy)
{
	const char *key, *why;
	int ret = CTL_OK;

	policy_init(policy, ike);
	for (size_t i = 0; i < word_params.count && !ret; i++) {
		const struct param *param = &word_table[i];
		const char *text = *(const char * const *)((const char *)words + param->offset);

		if (text)
			ret = take_word(param, word_keys[i], ike, text, policy);
	}
	if (ret)
		return ret;
	policy_complete(policy, ike);
	why = policy_why_not(policy, ike, true, &key);
	return why ? ctl_error(CTL_USAGE, "policy add", key, NULL, "%s", why) : CTL_OK;
}

static int add_policy(bool ike, const char *name, const struct words *words)
{
	struct policy policy;
	const char *key;
	char *text;
	size_t size;
	FILE *out;
	int ret = make_policy(words, ike, &policy);

	if (ret)
		return ret;
	out = open_memstream(&text, &size);
	no_memory_if(!out);
	policy_print(out, &policy, ike, name);
	no_memory_if(fclose(out));
	ret = policies_add("policy add", text);
	free(text);
	if (!ret && policy_why_not(&policy, ike, false, &key))
		puts("A connection takes it only with AllowLegacy = yes.");
	return ret;
}

static int add_preset(int argc, char **argv)
{
	struct policies preset;
	int ret;

	if (argc != 1)
		return ctl_error(CTL_USAGE, "policy add", argc ? argv[1] : "preset", "give one name",
				 argc ? "too many words" : "the name is missing");
	ret = preset_load("policy add", argv[0], &preset) ?:
	      policies_add("policy add", preset_text(&preset));
	for (size_t i = 0; i < preset.file.section_count && !ret; i++)
		printf("A connection uses it with %s = %s.\n", preset.file.sections[i].type,
		       preset.file.sections[i].name);
	policies_free(&preset);
	return ret;
}

/* Reads "ike NAME" or "ipsec NAME". */
static int read_kind(const char *what, const char *kinds, int argc, char **argv, bool *ike)
{
	*ike = argc && !strcmp(argv[0], "ike");
	if (argc && !*ike && strcmp(argv[0], "ipsec"))
		return ctl_error(CTL_USAGE, what, argv[0], NULL, "no such kind; expected %s", kinds);
	if (argc < 2)
		return ctl_error(CTL_USAGE, what, argc ? argv[0] : NULL, "--help shows the order",
				 "the name is missing");
	if (is_connection_name(argv[1]))
		return CTL_OK;
	return ctl_error(CTL_USAGE, what, argv[1], "choose another",
			 "a policy's name has 1 to 47 letters, digits, - and _, the first no - or _");
}

static int run_add(const struct options *options, int argc, char **argv)
{
	struct words words = { .version = NULL };
	bool ike;
	int ret;

	(void)options;
	if (argc && !strcmp(argv[0], "preset"))
		return add_preset(argc - 1, argv + 1);
	ret = read_kind("policy add", "preset, ike or ipsec", argc, argv, &ike) ?:
	      parse_params("policy add", argc - 2, argv + 2, 0, &word_params, &words, NULL);
	return ret ?: add_policy(ike, argv[1], &words);
}

const struct command command_policy_add = {
	.name = "policy add",
	.args = "preset|ike|ipsec NAME",
	.params = &word_params,
	.help = "Adds a policy to /etc/pvsvpn/policies.conf. A connection uses it if its file says\n"
		"IKEPolicy = NAME or IPsecPolicy = NAME. pvsvpn.conf(5) has the defaults of the words.\n"
		"\"pvsvpnctl policies\" lists the words.\n\n"
		"With preset, it copies both policies of the preset NAME, with their comments.\n",
	.run = run_add,
};

static int run_del(const struct options *options, int argc, char **argv)
{
	bool ike;
	int ret = read_kind("policy del", "ike or ipsec", argc, argv, &ike);

	(void)options;
	if (!ret && argc > 2)
		ret = ctl_error(CTL_USAGE, "policy del", argv[2], "leave it out",
				"too many words");
	return ret ?: policies_remove("policy del", ike, argv[1]);
}

const struct command command_policy_del = {
	.name = "policy del",
	.args = "ike|ipsec NAME",
	.help = "Removes a policy from /etc/pvsvpn/policies.conf, unless a connection names it. Comments\n"
		"directly above the section stay.\n",
	.run = run_del,
};
