// SPDX-License-Identifier: GPL-2.0
/* export: prints the far end's configuration, in the language of its vendor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "connection/connection.h"
#include "error.h"
#include "export/make.h"
#include "json.h"

#define INTERFACE_MAX 63
#define INTERFACE_CHARACTERS \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:"

/**
 * struct words - words of the command
 * @vendor: the vendor
 * @secret: print the secret
 * @address: of this end as the far end sees it, or none
 * @outside: name of the far end's interface to the Internet, NULL for the usual one
 * @inside: name of its interface to its site, NULL for the usual one
 */
struct words {
	enum vendor_index vendor;
	bool secret;
	struct addr address;
	const char *outside;
	const char *inside;
};

/* "strongswan, libreswan or ios-xe", in @names of NAMES_MAX bytes */
#define NAMES_MAX 256
static const char *vendor_names(char *names)
{
	size_t len = 0;

	for (size_t i = 0; i < VENDORS; i++)
		len += snprintf(names + len, NAMES_MAX - len, "%s%s",
				!i ? "" : i + 1 < VENDORS ? ", " : " or ", vendors[i].name);
	return names;
}

static const char *parse_vendor(const char *text, void *value)
{
	static char names[NAMES_MAX];

	for (size_t i = 0; i < VENDORS; i++)
		if (!strcasecmp(vendors[i].name, text)) {
			*(enum vendor_index *)value = i;
			return NULL;
		}
	return vendor_names(names);
}

/* Every vendor can write such a name, without quotes. */
static const char *parse_interface(const char *text, void *value)
{
	size_t len = strlen(text);

	if (!len || len > INTERFACE_MAX || strspn(text, INTERFACE_CHARACTERS) != len)
		return "1 to 63 letters, digits, and any of - _ . / :";
	*(const char **)value = text;
	return NULL;
}

static const struct param table[] = {
	{ .key = "for", .arg = "VENDOR", .parse = parse_vendor,
	  .offset = offsetof(struct words, vendor), .help = "the far end's language; see below" },
	{ .key = "secret", .parse = parse_word, .offset = offsetof(struct words, secret),
	  .help = "print the pre-shared secret, too, instead of " SECRET_PLACEHOLDER },
	{ .key = "address", .arg = "ADDRESS", .parse = parse_addr,
	  .offset = offsetof(struct words, address),
	  .help = "the address of this gateway as the far end sees it, instead of LocalGateway:\n"
		  "that of the NAT device in front of it" },
	{ .key = "outside", .arg = "IF", .parse = parse_interface,
	  .offset = offsetof(struct words, outside),
	  .help = "the far end's interface to the Internet, as it calls it; for OpenWrt the zone" },
	{ .key = "inside", .arg = "IF", .parse = parse_interface,
	  .offset = offsetof(struct words, inside),
	  .help = "the far end's interface to its site, as it calls it" },
};

static const struct params params = { table, sizeof(table) / sizeof(table[0]), 1 };

static void print_vendors(void)
{
	puts("\nVendors:");
	for (size_t i = 0; i < VENDORS; i++)
		printf("  %-12s %s\n", vendors[i].name, vendors[i].title);
}

/* The secret must be one that the vendor's language can write. */
static int check_secret(const struct exporting *e, const struct secret *secret)
{
	const struct vendor *vendor = &vendors[e->vendor];

	if (secret->len > vendor->secret_max)
		return ctl_error(CTL_FAILED, e->what, e->name, "agree on a shorter one",
				 "%s takes a secret of at most %zu characters", vendor->title,
				 vendor->secret_max);
	if (strpbrk(secret->text, vendor->secret_bad))
		return ctl_error(CTL_FAILED, e->what, e->name, "agree on one of letters and digits",
				 "%s cannot write the secret: it has a special character",
				 vendor->title);
	return CTL_OK;
}

static int check_words(const struct exporting *e, const struct words *words)
{
	const struct vendor *vendor = &vendors[e->vendor];
	const char *word = words->outside && !vendor->outside ? "outside" :
			   words->inside && !vendor->inside ? "inside" : NULL;

	if (!word)
		return CTL_OK;
	return ctl_error(CTL_USAGE, e->what, word, "leave it out",
			 "the configuration for %s names no such interface", vendor->title);
}

static void print_text(const struct exporting *e, char *left_out, const char *text)
{
	const struct vendor *vendor = &vendors[e->vendor];
	char *line;

	printf("%s %s: the far end of connection %s\n",
	       vendor->comment, vendor->title, e->name);
	if (strstr(text, SECRET_PLACEHOLDER))
		printf("%s Replace " SECRET_PLACEHOLDER " by the pre-shared secret\n", vendor->comment);
	while ((line = strsep(&left_out, "\n")))
		if (*line)
			printf("%s Left out: %s\n", vendor->comment, line);
	fputs(text, stdout);
}

static void print_json(const struct exporting *e, char *left_out, const char *text)
{
	struct json_object *json = json_new(), *list = json_list();
	char *line;

	json_add_text(json, "connection", e->name);
	json_add_text(json, "vendor", vendors[e->vendor].name);
	json_add_text(json, "title", vendors[e->vendor].title);
	while ((line = strsep(&left_out, "\n")))
		if (*line)
			json_append_text(list, line);
	json_add(json, "left_out", list);
	json_add_lines(json, "text", text);
	json_print(json);
}

/* Makes all of it before it prints, so that a failure prints nothing. */
static int make_and_print(struct exporting *e, const struct connection *c, struct export *x,
			  bool json)
{
	char *left_out, *text;
	size_t len;
	FILE *out;
	int ret;

	e->left_out = open_memstream(&left_out, &len);
	no_memory_if(!e->left_out);
	ret = export_make(e, c, x);
	no_memory_if(fclose(e->left_out));
	if (!ret) {
		out = open_memstream(&text, &len);
		no_memory_if(!out);
		vendors[e->vendor].print(out, x);
		no_memory_if(fclose(out));
		(json ? print_json : print_text)(e, left_out, text);
		explicit_bzero(text, len);
		free(text);
	}
	free(left_out);
	return ret;
}

static int export_with(struct exporting *e, const struct connection *c, const struct words *words,
		       bool json)
{
	const struct vendor *vendor = &vendors[words->vendor];
	struct secret secret = { .len = 0 };
	struct export x = {
		.secret = words->secret ? secret.text : SECRET_PLACEHOLDER,
		.outside = words->outside ?: vendor->outside,
		.outside_given = words->outside,
		.inside = words->inside ?: vendor->inside,
	};
	int ret = check_words(e, words);

	if (!ret && words->secret && !c->by_certificate)
		ret = secret_load(e->what, c, &secret) ?: check_secret(e, &secret);
	ret = ret ?: make_and_print(e, c, &x, json);
	secret_wipe(&secret);
	return ret;
}

static int run_export(const struct options *options, int argc, char **argv)
{
	struct words words = { .vendor = 0 };
	struct exporting e = { .what = "export" };
	struct connection c;
	int ret;

	if (!argc || !strcmp(argv[0], "for"))
		return ctl_error(CTL_USAGE, "export", NULL, "export NAME for VENDOR",
				 "the name is missing");
	ret = parse_params("export", argc - 1, argv + 1, 0, &params, &words, NULL) ?:
	      may_read("export", connection_dir());
	if (ret)
		return ret;
	e.name = argv[0];
	e.vendor = words.vendor;
	e.address = words.address;
	ret = connection_load("export", argv[0], &c) ?:
	      export_with(&e, &c, &words, options->json);
	connection_free(&c);
	return ret;
}

const struct command command_export = {
	.name = "export",
	.args = "NAME",
	.params = &params,
	.help = "Prints the configuration that the far end of a connection needs, and changes nothing.\n"
		"Comments say what else the far end needs, and which words of the policies its vendor does\n"
		"not have. If nothing else is left of a policy, an error line says so.\n",
	.more_help = print_vendors,
	.run = run_export,
};
