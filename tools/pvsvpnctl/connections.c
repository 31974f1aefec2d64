// SPDX-License-Identifier: GPL-2.0
/* connection: shows what the files of connections say. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "connection/connection.h"
#include "connection/report.h"
#include "connection/runtime.h"
#include "connection/vici.h"
#include "error.h"
#include "json.h"
#include "print.h"
#include "table.h"

static const struct column columns[] = {
	{ "NAME", false },
	{ "STATUS", false },
	{ "PEER", false },
	{ "LOCAL SUBNETS", false },
	{ "PEER SUBNETS", false },
	{ "IKE POLICY", false },
	{ "IPSEC POLICY", false },
	{ "INTERFACE", false },
};

/* A file that is not valid; "check" says why. */
#define INVALID "invalid"

/**
 * struct listed - a connection that is being listed
 * @valid: its file is valid; if not, @c is empty
 * @c: its file
 * @report: its status
 */
struct listed {
	bool valid;
	struct connection c;
	struct report report;
};

static void look(struct listed *listed, const char *name, struct vici *daemon)
{
	ctl_error_mute(true);
	listed->valid = !connection_load("connection", name, &listed->c);
	ctl_error_mute(false);
	if (!listed->valid) {
		connection_free(&listed->c);
		strcpy(listed->c.name, name);
	}
	report_look(&listed->report, name, daemon);
}

static void listed_free(struct listed *listed)
{
	connection_free(&listed->c);
	report_free(&listed->report);
}

/* ---- for people ---- */

/* "10.1.0.0/24", "10.1.0.0/24 and 2 more" */
static void add_subnets(struct table *table, const struct subnet_list *list)
{
	char text[FORMAT_MAX];

	if (!list->count)
		table_cell(table, "-");
	else if (list->count == 1)
		table_cell(table, "%s", format_subnet(text, list->subnet));
	else
		table_cell(table, "%s and %zu more", format_subnet(text, list->subnet),
			   list->count - 1);
}

static void add_text(struct table *table, const char *text)
{
	table_cell(table, "%s", *text ? text : "-");
}

static void add_row(struct table *table, const struct listed *listed)
{
	const struct connection *c = &listed->c;
	char text[FORMAT_MAX] = "";

	if (c->peer_gateway.addr.len)
		format_addr(text, &c->peer_gateway.addr);
	add_text(table, c->name);
	add_text(table, listed->valid ? status_names[listed->report.status] : INVALID);
	add_text(table, *c->peer_gateway.host ? c->peer_gateway.host : text);
	add_subnets(table, &c->local_subnets);
	add_subnets(table, &c->peer_subnets);
	add_text(table, c->ike_name);
	add_text(table, c->ipsec_name);
	add_text(table, c->ifname);
}

static void print_proposal(void *kind, const char *proposal)
{
	printf("# %s offers %s\n", (const char *)kind, proposal);
}

static void print_connection(const struct connection *c)
{
	connection_print(stdout, c);
	printf("\n# interface %s, if-id 0x%08x\n", c->ifname, connection_if_id(c));
	policy_proposals(&c->ike, true, c->ike.version, print_proposal, "IKE");
	policy_proposals(&c->ipsec, false, c->ike.version, print_proposal, "IPsec");
}

/* ---- for programs ---- */

static struct json_object *json_listed(const struct listed *listed)
{
	struct json_object *json = json_new();

	json_add_text(json, "name", listed->c.name);
	json_add_bool(json, "valid", listed->valid);
	json_add_text(json, "status", listed->valid ? status_names[listed->report.status] : INVALID);
	json_add_text_or_null(json, "reason", listed->valid ? listed->report.code : "");
	if (listed->valid)
		connection_add_json(json, &listed->c);
	return json;
}

/* ---- commands ---- */

static void list(const struct options *options, char * const *names, size_t count)
{
	/* No error line: the status says that the daemon does not answer. */
	struct vici *daemon = vici_open_quietly("connection");
	struct json_object *json = options->json ? json_list() : NULL;
	struct table *table = json ? NULL : table_new(columns, sizeof(columns) / sizeof(columns[0]));
	struct listed listed;

	for (size_t i = 0; i < count; i++) {
		look(&listed, names[i], daemon);
		if (json)
			json_append(json, json_listed(&listed));
		else
			add_row(table, &listed);
		listed_free(&listed);
	}
	if (json)
		json_print_list("connections", json);
	else
		table_print(table, "");
	vici_close(daemon);
}

static int may_look(const char *what)
{
	return may_read(what, connection_dir()) ?: runtime_may_read(what);
}

static int run_list(const struct options *options, int argc, char **argv)
{
	char **names;
	size_t count;
	int ret = parse_params("connection list", argc, argv, 0, NULL, NULL, NULL) ?:
		  may_look("connection list");

	if (ret)
		return ret;
	count = connection_names(&names);
	if (count || options->json)
		list(options, names, count);
	connection_names_free(names, count);
	return CTL_OK;
}

const struct command command_connection_list = {
	.name = "connection list",
	.args = "",
	.help = "Lists the connections in /etc/pvsvpn, with their status, peers, subnets and policies. The\n"
		"status is active, warning or disabled, as \"pvsvpnctl status\" explains, or invalid: then\n"
		"\"pvsvpnctl check\" says why.\n",
	.run = run_list,
};

static int run_show(const struct options *options, int argc, char **argv)
{
	struct connection c;
	int ret;

	if (argc != 1)
		return ctl_error(CTL_USAGE, "connection show", argc ? argv[1] : NULL,
				 "give one name", argc ? "too many words" : "the name is missing");
	ret = may_look("connection show");
	if (ret)
		return ret;
	ret = connection_load("connection show", argv[0], &c);
	if (!ret && options->json)
		list(options, argv, 1);
	else if (!ret)
		print_connection(&c);
	connection_free(&c);
	return ret;
}

const struct command command_connection_show = {
	.name = "connection show",
	.args = "NAME",
	.help = "Shows the file of a connection, with the defaults of the keys that it leaves out, and the\n"
		"proposals that strongSwan makes of its policies. The output is a file again.\n",
	.run = run_show,
};
