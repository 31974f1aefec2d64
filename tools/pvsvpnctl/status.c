// SPDX-License-Identifier: GPL-2.0
/* status: shows whether a connection is active, and if not, why. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "connection/connection.h"
#include "connection/report.h"
#include "connection/runtime.h"
#include "connection/vici.h"
#include "error.h"
#include "json.h"
#include "print.h"

/* Exit status of "status NAME" */
static int exit_status(const struct report *r)
{
	static const int codes[] = {
		[STATUS_ACTIVE] = CTL_OK,
		[STATUS_WARNING] = CTL_WARNING,
		[STATUS_DISABLED] = CTL_DISABLED,
	};

	return r->denied ? CTL_DENIED : codes[r->status];
}

/* ---- for people ---- */

static void print_ages(const char *what, const char *state, uint64_t age, uint64_t rekey)
{
	char text[FORMAT_MAX];

	printf("  %s: %s, for %s", what, state, format_age(text, age * 1000));
	if (rekey)
		printf(", rekeyed in %s", format_age(text, rekey * 1000));
	putchar('\n');
}

static void print_report(const struct report *r)
{
	printf("%s: %s", r->name, status_names[r->status]);
	if (*r->code)
		printf(" (%s: %s; %s)", r->code, r->detail, r->remedy);
	putchar('\n');
	if (!r->up)
		return;
	printf("  interface: %s\n", r->runtime.ifname);
	if (*r->n.ike_state) {
		printf("  peer: %s, port %" PRIu64 "%s%s%s\n", r->n.remote, r->n.remote_port,
		       r->runtime.encap_udp ? ", ESP in UDP as asked for" : "",
		       report_has_nat(r) ? ", NAT" : "", r->n.probing ? ", being probed" : "");
		print_ages(r->n.ike_version == 1 ? "IKEv1 SA" : "IKEv2 SA", r->n.ike_state,
			   r->n.ike_age, r->n.ike_rekey);
	}
	if (*r->n.child_state) {
		print_ages("child SA", r->n.child_state, r->n.child_age, r->n.child_rekey);
		printf("  carries: %s to %s\n", *r->n.local_ts ? r->n.local_ts : "many subnets",
		       *r->n.remote_ts ? r->n.remote_ts : "many subnets");
	}
	if (r->device)
		print_totals(&r->device->traffic, &r->device->drops);
}

/* ---- for programs ---- */

static struct json_object *json_ike(const struct report *r)
{
	struct json_object *json = json_new();

	json_add_text(json, "state", r->n.ike_state);
	json_add_uint(json, "version", r->n.ike_version);
	json_add_text(json, "remote", r->n.remote);
	json_add_uint(json, "remote_port", r->n.remote_port);
	json_add_bool(json, "nat", report_has_nat(r));
	json_add_bool(json, "encapsulation_asked_for", r->runtime.encap_udp);
	json_add_bool(json, "dpd_probing", r->n.probing);
	json_add_uint(json, "age", r->n.ike_age);
	json_add_uint(json, "rekey_in", r->n.ike_rekey);
	return json;
}

/* A list of the texts between commas */
static struct json_object *json_texts(const char *texts)
{
	struct json_object *list = json_list();
	char *copy = strcpy(ctl_alloc(NULL, strlen(texts) + 1), texts), *rest = copy, *text;

	while ((text = strsep(&rest, ",")))
		if (*text)
			json_append_text(list, text);
	free(copy);
	return list;
}

static struct json_object *json_child(const struct report *r)
{
	struct json_object *json = json_new();

	json_add_text(json, "state", r->n.child_state);
	json_add(json, "local_subnets", r->n.local_ts_cut ? NULL : json_texts(r->n.local_ts));
	json_add(json, "peer_subnets", r->n.remote_ts_cut ? NULL : json_texts(r->n.remote_ts));
	json_add_uint(json, "spi_in", r->n.spi_in);
	json_add_uint(json, "spi_out", r->n.spi_out);
	json_add_uint(json, "age", r->n.child_age);
	json_add_uint(json, "rekey_in", r->n.child_rekey);
	json_add_uint(json, "left", r->n.child_left);
	json_add_uint(json, "bytes_in", r->n.bytes_in);
	json_add_uint(json, "bytes_out", r->n.bytes_out);
	json_add_uint(json, "packets_in", r->n.packets_in);
	json_add_uint(json, "packets_out", r->n.packets_out);
	return json;
}

/* Counters of the interface since it was made */
static struct json_object *json_traffic(const struct report *r)
{
	struct json_object *json = json_new();

	json_add_traffic(json, &r->device->traffic);
	json_add_uint(json, "dropped", r->device->drops.total);
	return json;
}

static struct json_object *json_report(const struct report *r)
{
	struct json_object *json = json_new();

	json_add_text(json, "name", r->name);
	json_add_text(json, "status", status_names[r->status]);
	json_add_text_or_null(json, "reason", r->code);
	json_add_text_or_null(json, "detail", r->detail);
	json_add_text_or_null(json, "remedy", r->remedy);
	if (r->up)
		json_add_text(json, "interface", r->runtime.ifname);
	else
		json_add(json, "interface", NULL);
	json_add_text_or_null(json, "netns", r->runtime.netns);
	json_add(json, "ike", *r->n.ike_state ? json_ike(r) : NULL);
	json_add(json, "child", *r->n.child_state ? json_child(r) : NULL);
	json_add(json, "traffic", r->device ? json_traffic(r) : NULL);
	return json;
}

static bool is_known(char * const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* Connections that have a file, and those that are up without one */
static size_t all_names(char ***names)
{
	char **running;
	size_t count = connection_names(names);
	size_t more = runtime_names(&running), files = count;

	for (size_t i = 0; i < more; i++) {
		if (is_known(*names, files, running[i])) {
			free(running[i]);
			continue;
		}
		*names = ctl_alloc(*names, (count + 1) * sizeof(**names));
		(*names)[count++] = running[i];
	}
	free(running);
	return count;
}

/* Return: exit status for the last connection */
static int print_reports(const struct options *options, char * const *names, size_t count)
{
	/* No error line: a report says that the daemon does not answer, if it matters. */
	struct vici *daemon = vici_open_quietly("status");
	struct json_object *list = options->json ? json_list() : NULL;
	struct report report;

	for (size_t i = 0; i < count; i++) {
		report_look(&report, names[i], daemon);
		if (list)
			json_append(list, json_report(&report));
		else
			print_report(&report);
		report_free(&report);
	}
	if (list)
		json_print_list("connections", list);
	vici_close(daemon);
	return count ? exit_status(&report) : CTL_OK;
}

static int run_status(const struct options *options, int argc, char **argv)
{
	char **names;
	size_t count;
	int ret = CTL_OK;

	if (argc > 1)
		return ctl_error(CTL_USAGE, "status", argv[1],
				 "give one name, or none for all", "too many words");
	ret = may_read("status", connection_dir()) ?: runtime_may_read("status");
	if (ret)
		return ret;
	count = all_names(&names);
	if (argc && !is_known(names, count, argv[0]))
		ret = ctl_error(CTL_FAILED, "status", argv[0], "pvsvpnctl status lists them",
				"no such connection in %s", connection_dir());
	else if (argc)
		ret = print_reports(options, argv, 1);
	else
		print_reports(options, names, count);
	connection_names_free(names, count);
	return ret;
}

const struct command command_status = {
	.name = "status",
	.args = "[NAME]",
	.help = "Says of a connection, or of all, whether it is active, disabled (not brought up), or\n"
		"why not (warning), with the ages of its SAs and what has passed. With NAME, the exit\n"
		"status is 0 for active, 3 for disabled, 5 for warning.\n",
	.run = run_status,
};
