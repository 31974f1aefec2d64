// SPDX-License-Identifier: GPL-2.0
/* status: is a connection active, and if not, why? */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "connection/connection.h"
#include "connection/runtime.h"
#include "connection/strongswan.h"
#include "connection/vici.h"
#include "error.h"
#include "json.h"
#include "netns.h"
#include "nl.h"
#include "print.h"
#include "problem.h"
#include "state.h"

/* As the service defines them */
enum status { STATUS_ACTIVE, STATUS_WARNING, STATUS_DISABLED };

static const char * const status_names[] = {
	[STATUS_ACTIVE] = "active",
	[STATUS_WARNING] = "warning",
	[STATUS_DISABLED] = "disabled",
};

/* Exit status of "status NAME" */
static const int status_codes[] = {
	[STATUS_ACTIVE] = CTL_OK,
	[STATUS_WARNING] = CTL_WARNING,
	[STATUS_DISABLED] = CTL_DISABLED,
};

/**
 * struct report - a connection, as it is
 * @name: of it
 * @up: it was brought up; all that follows is empty if not
 * @runtime: what "up" has noted
 * @daemon: strongSwan answers
 * @n: what that has of it
 * @state: what the kernel has, all devices
 * @device: its own in @state, or NULL
 * @peer: its own, or NULL
 * @denied: we may not see it
 * @lost_netns: the network namespace is gone in which it was brought up
 * @status: what to say first
 * @reason: why it is not active, "" if it is
 * @todo: what to do about it
 */
struct report {
	const char *name;
	bool up;
	struct runtime runtime;
	bool daemon;
	struct negotiated n;
	struct state state;
	const struct device *device;
	const struct peer *peer;
	bool denied;
	bool lost_netns;
	enum status status;
	char reason[PROBLEM_TEXT_MAX];
	const char *todo;
};

static void find_device(struct report *r)
{
	struct nl *nl;

	ctl_error_mute(true);
	nl = nl_open("status");
	if (nl && !state_load(nl, r->runtime.ifname, false, &r->state) &&
	    r->state.device_count)
		r->device = &r->state.devices[0];
	r->denied = nl && nl->denied;
	if (nl)
		nl_close(nl);
	ctl_error_mute(false);
	for (size_t i = 0; r->device && i < r->device->peer_count; i++)
		if (!r->peer || r->device->peers[i].tx_spi)
			r->peer = &r->device->peers[i];
}

static void say(struct report *r, const char *reason, const char *todo)
{
	r->status = STATUS_WARNING;
	snprintf(r->reason, sizeof(r->reason), "%s", reason);
	r->todo = todo;
}

/* The nearest cause first */
static void judge(struct report *r)
{
	if (r->denied) {
		say(r, "we may not see it", "run it as root (CAP_NET_ADMIN)");
	} else if (r->lost_netns) {
		say(r, "its network namespace is gone, or another one than that of -n",
		    "leave -n out; or pvsvpnctl down, then up");
	} else if (!r->device) {
		say(r, "the interface is gone", "pvsvpnctl down, then up");
	} else if (!r->daemon) {
		say(r, "strongSwan does not answer",
		    "systemctl start strongswan, then pvsvpnctl up");
	} else if (strcmp(r->n.ike_state, "ESTABLISHED")) {
		if (r->runtime.reason)
			say(r, reason_name(r->runtime.reason), reason_todo(r->runtime.reason));
		else if (!*r->n.ike_state)
			say(r, "not connected, and nobody asks the peer",
			    "wait for the peer, or pvsvpnctl up; pvsvpn@NAME.service asks again by itself");
		else
			say(r, reason_name(REASON_PEER_NOT_RESPONDING),
			    reason_todo(REASON_PEER_NOT_RESPONDING));
	} else if (r->n.probing) {
		say(r, reason_name(REASON_PEER_NOT_RESPONDING),
		    "dead peer detection has no answer yet");
	} else if (strcmp(r->n.child_state, "INSTALLED")) {
		say(r, r->runtime.reason ? reason_name(r->runtime.reason) :
		    "no child SA", r->runtime.reason ? reason_todo(r->runtime.reason) :
		    "pvsvpnctl up");
	} else if (!r->peer) {
		say(r, "the SAs are not those of the interface", "pvsvpnctl show");
	} else {
		for (int i = 0; i < PROBLEM_NOTHING_RECEIVED; i++) {
			if (!peer_has_problem(r->device, r->peer, i))
				continue;
			r->status = STATUS_WARNING;
			problem_text(r->reason, r->device, r->peer, i);
			r->todo = "pvsvpnctl show says more";
			return;
		}
		r->status = STATUS_ACTIVE;
	}
}

static void look(struct report *r, const char *name, struct vici *daemon)
{
	bool came = *netns_name();

	*r = (struct report){ .name = name, .status = STATUS_DISABLED, .todo = "" };
	r->up = runtime_load(name, &r->runtime);
	if (!r->up) {
		snprintf(r->reason, sizeof(r->reason), "not brought up");
		r->todo = "pvsvpnctl up";
		return;
	}
	ctl_error_mute(true);
	r->lost_netns = runtime_enter("status", name);
	r->daemon = daemon && !strongswan_ask(daemon, name, &r->n);
	ctl_error_mute(false);
	find_device(r);
	judge(r);
	/* The next one may be elsewhere. */
	if (!came)
		netns_enter("");
}

/*
 * An end that wants ESP in UDP pretends to be behind a NAT (RFC 7296 section 2.23 has no other
 * way), so where we want it the peer's word about itself says nothing.
 */
static bool has_nat(const struct report *r)
{
	return r->n.nat_here || (r->n.nat_there && !r->runtime.encap_udp);
}

static int exit_status(const struct report *r)
{
	return r->denied ? CTL_DENIED : status_codes[r->status];
}

/* ---- for people ---- */

static void print_ages(const char *what, const char *state, uint64_t age, uint64_t rekey)
{
	char text[FORMAT_MAX];

	printf("  %s: %s", what, state);
	printf(", for %s", format_age(text, age * 1000));
	if (rekey)
		printf(", rekeyed in %s", format_age(text, rekey * 1000));
	putchar('\n');
}

static void print_traffic(const struct report *r)
{
	char in[FORMAT_MAX], out[FORMAT_MAX];

	printf("  received: %s in %" PRIu64 " packets  sent: %s in %" PRIu64 " packets",
	       format_bytes(in, r->device->traffic.rx_bytes), r->device->traffic.rx_packets,
	       format_bytes(out, r->device->traffic.tx_bytes), r->device->traffic.tx_packets);
	printf("  dropped: %" PRIu64 "\n", r->device->drops.total);
}

static void print_report(const struct report *r)
{
	printf("%s: %s", r->name, status_names[r->status]);
	if (*r->reason)
		printf(" (%s; %s)", r->reason, r->todo);
	putchar('\n');
	if (!r->up)
		return;
	printf("  interface: %s\n", r->runtime.ifname);
	if (*r->n.ike_state) {
		printf("  peer: %s, port %" PRIu64 "%s%s%s\n", r->n.remote, r->n.remote_port,
		       r->runtime.encap_udp ? ", ESP in UDP as asked for" : "",
		       has_nat(r) ? ", NAT" : "", r->n.probing ? ", being probed" : "");
		print_ages(r->n.ike_version == 1 ? "IKEv1 SA" : "IKEv2 SA", r->n.ike_state,
			   r->n.ike_age, r->n.ike_rekey);
	}
	if (*r->n.child_state)
		print_ages("child SA", r->n.child_state, r->n.child_age, r->n.child_rekey);
	if (r->device)
		print_traffic(r);
}

/* ---- for programs ---- */

static struct json_object *json_ike(const struct report *r)
{
	struct json_object *json = json_new();

	json_add_text(json, "state", r->n.ike_state);
	json_add_uint(json, "version", r->n.ike_version);
	json_add_text(json, "remote", r->n.remote);
	json_add_uint(json, "remote_port", r->n.remote_port);
	json_add_bool(json, "nat", has_nat(r));
	json_add_bool(json, "encapsulation_asked_for", r->runtime.encap_udp);
	json_add_bool(json, "dpd_probing", r->n.probing);
	json_add_uint(json, "age", r->n.ike_age);
	json_add_uint(json, "rekey_in", r->n.ike_rekey);
	return json;
}

static struct json_object *json_child(const struct report *r)
{
	struct json_object *json = json_new();

	json_add_text(json, "state", r->n.child_state);
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

static struct json_object *json_report(const struct report *r)
{
	struct json_object *json = json_new();

	json_add_text(json, "name", r->name);
	json_add_text(json, "status", status_names[r->status]);
	json_add_text_or_null(json, "reason", r->reason);
	if (r->up)
		json_add_text(json, "interface", r->runtime.ifname);
	else
		json_add_null(json, "interface");
	if (*r->n.ike_state)
		json_add(json, "ike", json_ike(r));
	else
		json_add_null(json, "ike");
	if (*r->n.child_state)
		json_add(json, "child", json_child(r));
	else
		json_add_null(json, "child");
	if (r->device)
		json_add_traffic(json, &r->device->traffic);
	return json;
}

/* Return: exit status for the last one */
static int print_all_json(char * const *names, size_t count, struct vici *daemon)
{
	struct json_object *json = json_new(), *array = json_list();
	struct report report;

	for (size_t i = 0; i < count; i++) {
		look(&report, names[i], daemon);
		json_append(array, json_report(&report));
		state_free(&report.state);
	}
	json_add(json, "connections", array);
	json_print(json);
	return count ? exit_status(&report) : CTL_OK;
}

static int print_all(char * const *names, size_t count, struct vici *daemon)
{
	struct report report;

	for (size_t i = 0; i < count; i++) {
		look(&report, names[i], daemon);
		print_report(&report);
		state_free(&report.state);
	}
	return count ? exit_status(&report) : CTL_OK;
}

/* Those that have a file, and those that are up without one */
static size_t all_names(char ***names)
{
	char **running;
	size_t count = connection_names(names);
	size_t more = runtime_names(&running), files = count;

	for (size_t i = 0; i < more; i++) {
		bool known = false;

		for (size_t j = 0; j < files; j++)
			known |= !strcmp((*names)[j], running[i]);
		if (known) {
			free(running[i]);
			continue;
		}
		*names = ctl_alloc(*names, (count + 1) * sizeof(**names));
		(*names)[count++] = running[i];
	}
	free(running);
	return count;
}

static bool is_known(char * const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static int print_reports(const struct options *options, char * const *names, size_t count)
{
	/* A report says that the daemon does not answer, where it matters. */
	struct vici *daemon = vici_open_quietly("status");
	int last = (options->json ? print_all_json : print_all)(names, count, daemon);

	vici_close(daemon);
	return last;
}

static int run_status(const struct options *options, int argc, char **argv)
{
	char **names;
	size_t count;
	int ret = CTL_OK;

	if (argc > 1)
		return ctl_error(CTL_USAGE, "status", argv[1],
				 "give one name, or none for all", "too many words");
	ret = may_read("status", connection_dir()) ?: may_read("status", runtime_dir());
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
