// SPDX-License-Identifier: GPL-2.0
/* monitor: events as they happen, one line each. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <linux/genetlink.h>

#include "command.h"
#include "error.h"
#include "events.h"
#include "json.h"
#include "nl.h"
#include "print.h"

struct event {
	uint8_t type;
	uint32_t ifindex;
	char ifname[IFNAMSIZ];
	char peer[PVSVPN_PEER_NAME_MAX + 1];
	struct addr remote;
	uint16_t port;
	uint8_t dir;
	uint32_t spi;		/* 0 if no SA is concerned */
	char reason[128];
};

/* The compiler reports a missing case. A newer module may have other events. */
static const char *event_name(const struct event *event)
{
	switch ((enum pvsvpn_event_type)event->type) {
#define EVENT(symbol, name)	\
	case symbol:		\
		return name;
	PVSVPN_EVENT_LIST(EVENT)
#undef EVENT
	}
	return "unknown";
}

static const struct nl_field event_fields[] = {
	[PVSVPN_A_EVENT_TYPE] = FIELD(nl_get_int, struct event, type),
	[PVSVPN_A_EVENT_IFINDEX] = FIELD(nl_get_int, struct event, ifindex),
	[PVSVPN_A_EVENT_IFNAME] = FIELD(nl_get_text, struct event, ifname),
	[PVSVPN_A_EVENT_PEER] = FIELD(nl_get_text, struct event, peer),
	[PVSVPN_A_EVENT_REMOTE] = FIELD(nl_get_addr, struct event, remote),
	[PVSVPN_A_EVENT_PORT] = FIELD(nl_get_int, struct event, port),
	[PVSVPN_A_EVENT_DIR] = FIELD(nl_get_int, struct event, dir),
	[PVSVPN_A_EVENT_SPI] = FIELD(nl_get_int, struct event, spi),
	[PVSVPN_A_EVENT_REASON] = FIELD(nl_get_text, struct event, reason),
};

/* 2026-11-24T14:20:01.123+0100 */
static void format_now(char *text)
{
	struct timespec now;
	struct tm tm;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	len = strftime(text, FORMAT_MAX, "%FT%T", &tm);
	len += snprintf(text + len, FORMAT_MAX - len, ".%03ld", now.tv_nsec / 1000000);
	strftime(text + len, FORMAT_MAX - len, "%z", &tm);
}

static void print_text(const char *now, const struct event *event)
{
	char text[FORMAT_MAX];

	printf("%s %s %s", now, event->ifname, event_name(event));
	if (event->peer[0])
		printf(" %s", event->peer);
	if (event->remote.len)
		printf(" remote %s", format_addr(text, &event->remote));
	if (event->port)
		printf(" port %u", event->port);
	if (event->spi)
		printf(" dir %s spi 0x%08x", dir_name(event->dir), event->spi);
	if (event->reason[0])
		printf(" reason %s", event->reason);
	putchar('\n');
}

static void print_json(const char *now, const struct event *event)
{
	struct json_object *json = json_new();

	json_add_text(json, "time", now);
	json_add_text(json, "event", event_name(event));
	json_add_uint(json, "ifindex", event->ifindex);
	json_add_text(json, "ifname", event->ifname);
	json_add_text_or_null(json, "peer", event->peer);
	json_add_addr(json, "remote", &event->remote);
	if (event->port)
		json_add_uint(json, "port", event->port);
	if (event->spi) {
		json_add_text(json, "dir", dir_name(event->dir));
		json_add_uint(json, "spi", event->spi);
	}
	if (event->reason[0])
		json_add_text(json, "reason", event->reason);
	json_print_line(json);
}

static int print_event(const struct nlmsghdr *nlh, void *data)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	const struct options *options = data;
	struct event event = { .spi = 0 };
	char now[FORMAT_MAX];

	if (genl->cmd != PVSVPN_CMD_EVENT)
		return MNL_CB_OK;
	nl_read(nlh, event_fields, sizeof(event_fields) / sizeof(event_fields[0]), &event);
	clean_text(event.ifname);
	clean_text(event.peer);
	clean_text(event.reason);
	format_now(now);
	if (options->json)
		print_json(now, &event);
	else
		print_text(now, &event);
	/* A reader of a pipe wants the line now. The caller prints the error. */
	return fflush(stdout) ? MNL_CB_ERROR : MNL_CB_OK;
}

static int run_monitor(const struct options *options, int argc, char **argv)
{
	int ret = parse_params("monitor", argc, argv, 0, NULL, NULL, NULL);
	struct options used = *options;
	struct nl *nl;

	if (ret)
		return ret;
	nl = nl_open("monitor");
	if (!nl)
		return CTL_FAILED;
	ret = nl_listen(nl, print_event, &used);
	nl_close(nl);
	return ret;
}

const struct command command_monitor = {
	.name = "monitor",
	.args = "",
	.help = "Prints events of peers and SAs as they happen, one line or JSON object each.\n",
	.run = run_monitor,
};
