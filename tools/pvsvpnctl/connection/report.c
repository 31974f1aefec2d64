// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "connection/attempt.h"
#include "connection/configure.h"
#include "connection/connection.h"
#include "connection/interface.h"
#include "connection/path.h"
#include "connection/report.h"
#include "connection/subnet.h"
#include "error.h"
#include "netns.h"
#include "nl.h"
#include "print.h"
#include "problem.h"

const char * const status_names[] = {
	[STATUS_ACTIVE] = "active", [STATUS_WARNING] = "warning", [STATUS_DISABLED] = "disabled",
};

/* A peer that answers packets needs less time: seconds */
#define ANSWER_SECONDS 10

static void find_device(struct report *r)
{
	struct nl *nl;

	ctl_error_mute(true);
	nl = nl_open("status");
	if (nl && !state_load(nl, r->runtime.ifname, false, &r->state) && r->state.device_count)
		r->device = &r->state.devices[0];
	r->denied = nl && nl->denied;
	if (nl)
		nl_close(nl);
	ctl_error_mute(false);
	for (size_t i = 0; r->device && i < r->device->peer_count; i++)
		if (!r->peer || r->device->peers[i].tx_spi)
			r->peer = &r->device->peers[i];
}

__attribute__((format(printf, 4, 5)))
static void say(struct report *r, const char *code, const char *remedy, const char *fmt, ...)
{
	va_list args;

	r->status = STATUS_WARNING;
	snprintf(r->code, sizeof(r->code), "%s", code);
	snprintf(r->remedy, sizeof(r->remedy), "%s", remedy);
	va_start(args, fmt);
	vsnprintf(r->detail, sizeof(r->detail), fmt, args);
	va_end(args);
}

static void say_reason(struct report *r, enum reason reason)
{
	say(r, reasons[reason].name, reasons[reason].todo, "%s", reasons[reason].detail);
}

/* ---- before there are SAs ---- */

/* Return: whether something basic is missing. */
static bool has_no_ground(struct report *r)
{
	if (r->denied)
		say(r, "permission_denied", "run it as root (CAP_NET_ADMIN)", "only root may see it");
	else if (r->lost_netns)
		say(r, "netns_gone", "leave -n out; or pvsvpnctl down, then up",
		    "its network namespace is gone, or another one than that of -n");
	else if (!r->device)
		say(r, "interface_gone", "pvsvpnctl down, then up", "interface %s is gone",
		    r->runtime.ifname);
	else if (!r->daemon)
		say(r, "daemon_not_responding", "systemctl start strongswan, then pvsvpnctl up",
		    "strongSwan does not answer");
	else
		return false;
	return true;
}

/* Another program, or somebody by hand, has changed the interface. */
static bool is_altered(struct report *r, const struct connection *c)
{
	char text[DIFFERENCE_MAX];
	const char *code = c ? interface_differs(c, text) : NULL;

	if (code)
		say(r, code, "pvsvpnctl up puts it right, or says why not; pvsvpn@NAME.service does so by itself", "%s", text);
	return code;
}

/* @c: NULL if its file is not what is in force */
static bool has_no_sa(struct report *r, const struct connection *c)
{
	const struct reason_text *silent = &reasons[REASON_PEER_NOT_RESPONDING];
	bool established = !strcmp(r->n.ike_state, "ESTABLISHED");
	enum reason path = c && !strongswan_carries(&r->n) ? path_reason(c) : REASON_NONE;

	if (established && r->n.probing)
		say(r, silent->name, silent->todo, "dead peer detection has no answer yet");
	else if (strongswan_carries(&r->n))
		return false;
	else if (path)
		say_reason(r, path);
	else if (r->runtime.reason)
		say_reason(r, r->runtime.reason);
	else if (established)
		say(r, "no_child_sa", "pvsvpnctl up", "the two ends agree on IKE, but have no child SA");
	else if (*r->n.ike_state)
		say_reason(r, REASON_PEER_NOT_RESPONDING);
	else
		say(r, "not_connected",
		    "wait for the peer, or pvsvpnctl up; pvsvpn@NAME.service asks again by itself",
		    "there is no IKE SA, and nobody asks the peer");
	return true;
}

/* ---- problems that the module sees ---- */

static bool has_problem(struct report *r)
{
	char text[PROBLEM_TEXT_MAX];

	if (!r->peer) {
		say(r, "sas_of_another_interface", "pvsvpnctl show", "the SAs are not those of the interface");
		return true;
	}
	for (int i = 0; i < PROBLEM_NOTHING_RECEIVED; i++) {
		if (!peer_has_problem(r->device, r->peer, i))
			continue;
		say(r, problem_name(i), "pvsvpnctl show says more", "%s",
		    problem_text(text, r->device, r->peer, i));
		for (char *dash = r->code; (dash = strchr(dash, '-'));)
			*dash = '_';
		return true;
	}
	return false;
}

/* An SA does not prove that packets arrive: ESP takes other paths than IKE. */
static bool gets_no_answer(struct report *r)
{
	if (r->peer->last_rx_ms != NEVER || !r->peer->traffic.tx_packets ||
	    r->n.child_age < ANSWER_SECONDS)
		return false;
	say(r, "esp_not_received",
	    r->runtime.encap_udp ? "have UDP 4500 pass both ways, and see whether the other end answers" :
	    "have IP protocol 50 (ESP) pass both ways, or take Encapsulation = udp",
	    "keys are agreed and packets were sent, but none has come from the peer");
	return true;
}

/* ---- requested subnets ---- */

static bool is_covered(const struct subnet *subnet, const struct subnet_list *by)
{
	for (size_t i = 0; i < by->count; i++)
		if (by->subnet[i].prefix <= subnet->prefix &&
		    subnet_holds(&by->subnet[i], &subnet->addr))
			return true;
	return false;
}

/* Selectors with ports, and address ranges, cover no prefix. */
static bool is_agreed(const struct subnet *subnet, const char *agreed)
{
	char *copy = strcpy(ctl_alloc(NULL, strlen(agreed) + 1), agreed), *rest = copy, *text;
	bool covered = false;

	while (!covered && (text = strsep(&rest, ","))) {
		struct subnet_list list = { .count = 0 };

		covered = !parse_subnets(text, &list) && is_covered(subnet, &list);
		free(list.subnet);
	}
	free(copy);
	return covered;
}

/* Return: the first of @wanted that the peer has not agreed to, or NULL. */
static const struct subnet *first_left_out(const struct subnet_list *wanted, const char *agreed)
{
	for (size_t i = 0; *agreed && i < wanted->count; i++)
		if (!is_agreed(&wanted->subnet[i], agreed))
			return &wanted->subnet[i];
	return NULL;
}

static bool is_narrowed(struct report *r, const struct connection *c)
{
	const struct subnet *there, *here;
	char text[FORMAT_MAX];

	if (!c)
		return false;
	there = first_left_out(&c->peer_subnets, r->n.remote_ts);
	here = first_left_out(&c->local_subnets, r->n.local_ts);
	if (there || here)
		say(r, "subnets_narrowed",
		    "compare LocalSubnets and PeerSubnets with the peer's; a peer that agrees to one of several wants a connection for each",
		    "%s of %s is not in what the peer has agreed to: %.48s to %.48s",
		    format_subnet(text, there ?: here), there ? "PeerSubnets" : "LocalSubnets",
		    r->n.local_ts, r->n.remote_ts);
	return there || here;
}

/* Checks in the order in which a packet meets problems. @c: NULL if its file is not in force */
static void judge(struct report *r, const struct connection *c)
{
	if (has_no_ground(r) || is_altered(r, c) || has_no_sa(r, c) || has_problem(r) ||
	    gets_no_answer(r) || is_narrowed(r, c))
		return;
	r->status = STATUS_ACTIVE;
}

static void look_and_judge(struct report *r)
{
	struct connection c;
	bool current;

	ctl_error_mute(true);
	current = !connection_load("status", r->name, &c) && configure_is_current(&c);
	ctl_error_mute(false);
	follow_name(&c, &r->n);
	find_device(r);
	judge(r, current ? &c : NULL);
	connection_free(&c);
}

/* A live peer answers dead peer detection sooner: ms */
#define PATIENCE_MS 1000
#define PAUSE_MS 100

/* All reports of one command share the time, as there may be a hundred dead peers. */
static bool ask_daemon(struct report *r, struct vici *daemon)
{
	static unsigned int patience = PATIENCE_MS;
	bool answers = daemon && !strongswan_ask(daemon, r->name, &r->n);

	while (answers && r->n.probing && patience) {
		patience -= PAUSE_MS;
		sleep_ms(PAUSE_MS);
		answers = !strongswan_ask(daemon, r->name, &r->n);
	}
	return answers;
}

void report_look(struct report *r, const char *name, struct vici *daemon)
{
	bool came = *netns_name();

	*r = (struct report){ .name = name };
	r->up = runtime_load(name, &r->runtime);
	if (!r->up) {
		say(r, "not_brought_up", "pvsvpnctl up", "it was not brought up");
		r->status = STATUS_DISABLED;
		return;
	}
	ctl_error_mute(true);
	r->lost_netns = runtime_enter("status", name);
	r->daemon = ask_daemon(r, daemon);
	ctl_error_mute(false);
	look_and_judge(r);
	/* The next connection may be in another namespace. */
	if (!came)
		netns_enter("");
}

void report_free(struct report *r)
{
	state_free(&r->state);
}

/*
 * An end that wants ESP in UDP pretends to be behind a NAT (RFC 7296 section 2.23 has no other
 * way), so if we want it, the peer's claim about itself says nothing.
 */
bool report_has_nat(const struct report *r)
{
	return r->n.nat_here || (r->n.nat_there && !r->runtime.encap_udp);
}
