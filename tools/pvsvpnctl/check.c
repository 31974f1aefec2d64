// SPDX-License-Identifier: GPL-2.0
/* check: validates the file of a connection. */
#include <stdio.h>

#include "command.h"
#include "connection/connection.h"
#include "connection/credentials.h"
#include "connection/strongswan.h"
#include "error.h"
#include "json.h"
#include "parse.h"

static int load_and_check(const char *name, struct connection *c)
{
	struct credentials cred = { 0 };
	int ret = connection_load("check", name, c);

	if (!ret)
		ret = connection_check_others("check", c);
	if (!ret)
		ret = credentials_load("check", c, &cred);
	credentials_wipe(&cred);
	return ret;
}

static int check_one(const char *name, bool swanctl)
{
	struct connection c;
	int ret = load_and_check(name, &c);

	if (!ret && swanctl)
		strongswan_print(stdout, &c);
	else if (!ret)
		printf("%s is valid: %s\n", name, c.path);
	connection_free(&c);
	return ret;
}

static int no_connection(void)
{
	return ctl_error(CTL_FAILED, "check", connection_dir(), "see pvsvpn.conf(5)",
			 "no connection there");
}

/* Checks all of them, even after one that is not valid */
static int check_all(void)
{
	char **names;
	size_t count = connection_names(&names);
	int ret = connection_check_names("check");

	for (size_t i = 0; i < count; i++)
		ret = check_one(names[i], false) ?: ret;
	if (!count && !ret)
		ret = no_connection();
	connection_names_free(names, count);
	return ret;
}

static int check_json(const char *name, struct json_object *list)
{
	struct json_object *json = json_new();
	struct ctl_said said = { .why = "" };
	struct connection c;
	int ret;

	ctl_error_keep(&said);
	ret = load_and_check(name, &c);
	ctl_error_keep(NULL);
	json_add_text(json, "name", name);
	json_add_bool(json, "valid", !ret);
	json_add_text_or_null(json, "file", c.path ?: "");
	json_add_text_or_null(json, "where", said.where);
	json_add_text_or_null(json, "detail", said.why);
	json_add_text_or_null(json, "remedy", said.todo);
	json_append(list, json);
	connection_free(&c);
	return ret;
}

/* @bad: files that are not read because of their names */
static int check_names_json(char * const *names, size_t count, char * const *bad, size_t bad_count)
{
	struct json_object *list = json_list();
	int ret = CTL_OK;

	for (size_t i = 0; i < count; i++)
		ret = check_json(names[i], list) ?: ret;
	for (size_t i = 0; i < bad_count; i++)
		ret = check_json(bad[i], list) ? CTL_FAILED : ret;
	json_print_list("connections", list);
	return ret;
}

static int check_all_json(void)
{
	char **names, **bad;
	size_t count = connection_names(&names), bad_count = connection_bad_names(&bad);
	int ret = check_names_json(names, count, bad, bad_count);

	if (!count && !ret)
		ret = no_connection();
	connection_names_free(names, count);
	connection_names_free(bad, bad_count);
	return ret;
}

static int run_check(const struct options *options, int argc, char **argv)
{
	bool swanctl = false;
	static const struct param table = { .key = "swanctl", .parse = parse_word };
	static const struct params params = { &table, 1, 0 };
	int ret = CTL_OK;

	if (argc > 1)
		ret = parse_params("check", argc - 1, argv + 1, 0, &params, &swanctl, NULL);
	if (!ret && swanctl && options->json)
		ret = ctl_error(CTL_USAGE, "check", "swanctl", "leave one of the two out",
				"strongSwan's notation is no JSON");
	if (!ret)
		ret = may_read("check", connection_dir());
	if (ret)
		return ret;
	if (options->json)
		return argc ? check_names_json(argv, 1, NULL, 0) : check_all_json();
	return argc ? check_one(argv[0], swanctl) : check_all();
}

const struct command command_check = {
	.name = "check",
	.args = "[NAME] [swanctl]",
	.help = "Reads the file of a connection, /etc/pvsvpn/NAME.conf, the policies that it names in\n"
		"/etc/pvsvpn/policies.conf, its secret or certificates, and says what is wrong with them and in\n"
		"which line. Without a name, all connections. Changes nothing.\n\n"
		"  swanctl  print what strongSwan would get, but for the secret\n\n"
		"The sections and their keys, which pvsvpn.conf(5) explains:\n",
	.more_help = connection_print_keys,
	.run = run_check,
};
