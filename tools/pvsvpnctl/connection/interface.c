// SPDX-License-Identifier: GPL-2.0
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "connection/interface.h"
#include "connection/rtnl.h"
#include "connection/rules.h"
#include "connection/runtime.h"
#include "connection/step.h"
#include "connection/subnet.h"
#include "connection/view.h"
#include "error.h"
#include "print.h"
#include "setting.h"

/* Most words of one command */
#define WORDS 24

/* A killed "up" may not have written the alias; a completed one has. */
bool interface_is_ours(const char *ifname, const char *name)
{
	struct runtime runtime;
	struct link link;
	char alias[ALIAS_MAX];

	runtime_alias(alias, name);
	if (!link_find(ifname, &link) || strcmp(link.kind, "pvsvpn"))
		return false;
	return !strcmp(link.alias, alias) ||
	       (!*link.alias && runtime_load(name, &runtime) && !runtime.lost &&
		!strcmp(runtime.ifname, ifname) && !runtime_has_loaded(name));
}

/* @words are separated by single spaces; they are cut. */
static int split(char *words, char **argv)
{
	int argc = 0;

	while (argc < WORDS - 1 && (argv[argc] = strsep(&words, " ")))
		argc++;
	argv[argc] = NULL;
	return argc;
}

/* Runs a command of this tool. */
__attribute__((format(printf, 2, 3)))
static int ctl(const struct command *command, const char *fmt, ...)
{
	char *words, *argv[WORDS];
	static const struct options options;
	va_list args;
	int ret;

	va_start(args, fmt);
	ret = vasprintf(&words, fmt, args);
	va_end(args);
	if (ret < 0)
		return CTL_FAILED;
	step("# pvsvpnctl %s %s", command->name, words);
	ret = command->run(&options, split(words, argv), argv);
	free(words);
	return ret;
}

/* ---- parts of the interface ---- */

static bool link_differs(const struct view *view, const struct connection *c, char *text)
{
	snprintf(text, DIFFERENCE_MAX, "interface %s is gone", c->ifname);
	return !view->there;
}

static int add_link(const struct view *view, const struct connection *c)
{
	char alias[ALIAS_MAX], ifname[IFNAMSIZ];

	(void)view;
	if (runtime_find_link(c->name, ifname))
		return ctl_error(CTL_FAILED, "up", c->name, "give it its name back (ip link set dev NAME name)",
				 "somebody has renamed %s to %s", c->ifname, ifname);
	runtime_alias(alias, c->name);
	return link_add(c->ifname, "pvsvpn") ?: link_set_alias(c->ifname, alias);
}

static bool holds_nothing_else(const struct subnet_list *list, const struct subnet_list *other)
{
	for (size_t i = 0; i < list->count; i++)
		if (!subnet_list_has(other, &list->subnet[i]))
			return false;
	return true;
}

static bool lists_differ(const struct subnet_list *a, const struct subnet_list *b)
{
	return !holds_nothing_else(a, b) || !holds_nothing_else(b, a);
}

/*
 * A configured address is not compared, as SAs may follow a peer that has moved. If the peer is
 * given by name, they do not.
 */
static bool is_elsewhere(const struct view *view, const struct connection *c)
{
	return view->peer && *c->peer_gateway.host && c->peer_gateway.addr.len &&
	       memcmp(&view->peer->remote, &c->peer_gateway.addr, sizeof(view->peer->remote));
}

/* There can be no peer until its address is known. */
static bool peer_differs(const struct view *view, const struct connection *c, char *text)
{
	struct subnet_list reached = connection_reached(c);
	const char *what = NULL;

	if (!view->peer && c->peer_gateway.addr.len)
		what = "is not there";
	else if (is_elsewhere(view, c))
		what = "has another address";
	else if (view->peer && lists_differ(&view->peer->subnets, &c->peer_subnets))
		what = "has other subnets";
	else if (view->peer && lists_differ(&view->peer->local_subnets, &reached))
		what = "may reach other subnets here";
	free(reached.subnet);
	snprintf(text, DIFFERENCE_MAX, "peer %s of %s %s", c->name, c->ifname, what ?: "");
	/* The module shows no peer of an interface that was created in another namespace. */
	return what && !(view->device && view->device->hidden);
}

static void print_list(FILE *out, const char *key, const struct subnet_list *list)
{
	char text[FORMAT_MAX];

	for (size_t i = 0; i < list->count; i++)
		fprintf(out, "%s%s", i ? "," : key, format_subnet(text, &list->subnet[i]));
}

/* The daemon's SAs find the peer by its address. Packets must be in its subnets. */
static int mend_peer(const struct view *view, const struct connection *c)
{
	bool there = view->peer && !is_elsewhere(view, c);
	struct subnet_list reached = connection_reached(c);
	char remote[FORMAT_MAX], local[FORMAT_MAX], *subnets;
	FILE *out;
	size_t size;
	int ret;

	out = open_memstream(&subnets, &size);
	if (!out)
		return CTL_FAILED;
	print_list(out, " subnets ", &c->peer_subnets);
	print_list(out, " local-subnets ", &reached);
	if (there && !reached.count)
		fputs(" local-subnets 0.0.0.0/0,::/0", out);
	fclose(out);
	/* The module has made a peer with the new address. That peer becomes this one. */
	if (view->peer && !there)
		ctl(&command_peer_del, "%s %s", c->ifname, c->name);
	if (there)
		ret = ctl(&command_peer_set, "%s %s%s", c->ifname, c->name, subnets);
	else
		ret = ctl(&command_peer_add, "%s %s remote %s%s%s%s", c->ifname, c->name,
			  format_addr(remote, &c->peer_gateway.addr),
			  c->local_gateway.len ? " local " : "",
			  c->local_gateway.len ? format_addr(local, &c->local_gateway) : "",
			  subnets);
	free(reached.subnet);
	free(subnets);
	return ret;
}

static bool settings_differ(const struct view *view, const struct connection *c, char *text)
{
	const struct device *device = view->device;
	uint32_t if_id = connection_if_id(c);
	const char *what = NULL;

	if (!device)
		return true;
	if (c->mtu ? device->mtu != c->mtu : !device->mtu_auto)
		what = "MTU";
	else if (device->setting[SETTING_MSS_CLAMP] != c->mss)
		what = "MSS";
	else if (!device->hidden && (device->setting[SETTING_IF_ID_IN] != if_id ||
				     device->setting[SETTING_IF_ID_OUT] != if_id))
		what = "if-id";
	else if (!device->hidden && connection_has_rules(c) &&
		 device->setting[SETTING_FWMARK] != connection_mark(c))
		what = "fwmark";
	snprintf(text, DIFFERENCE_MAX, "%s of %s is not as the file says", what ?: "", c->ifname);
	return what;
}

static int set_settings(const struct view *view, const struct connection *c)
{
	char mtu[FORMAT_MAX] = "auto", mss[FORMAT_MAX], mark[32] = "";

	(void)view;
	if (c->mtu)
		snprintf(mtu, sizeof(mtu), "%u", c->mtu);
	if (connection_has_rules(c))
		snprintf(mark, sizeof(mark), " fwmark 0x%x", connection_mark(c));
	return ctl(&command_set, "%s if-id %u mtu %s mss-clamp %s%s", c->ifname,
		   connection_if_id(c), mtu,
		   format_setting(mss, &settings[SETTING_MSS_CLAMP], c->mss), mark);
}

static bool addresses_differ(const struct view *view, const struct connection *c, char *text)
{
	char address[FORMAT_MAX];

	for (size_t i = 0; i < c->tunnel_addresses.count; i++) {
		const struct subnet *own = &c->tunnel_addresses.subnet[i];

		if (subnet_list_has(&view->addresses, own))
			continue;
		snprintf(text, DIFFERENCE_MAX, "%s has lost its address %s", c->ifname,
			 format_subnet(address, own));
		return true;
	}
	return false;
}

static int add_addresses(const struct view *view, const struct connection *c)
{
	int ret = CTL_OK;

	for (size_t i = 0; i < c->tunnel_addresses.count; i++)
		if (!subnet_list_has(&view->addresses, &c->tunnel_addresses.subnet[i]))
			ret = address_add(c->ifname, &c->tunnel_addresses.subnet[i]) ?: ret;
	return ret;
}

static bool is_not_up(const struct view *view, const struct connection *c, char *text)
{
	snprintf(text, DIFFERENCE_MAX, "somebody has set %s down", c->ifname);
	return !view->link.up;
}

static int set_up(const struct view *view, const struct connection *c)
{
	(void)view;
	/* Comes before link_set_up(), or the interface already has an address. */
	return link_set_addrgenmode_none(c->ifname) ?: link_set_up(c->ifname);
}

/* This sysctl makes the kernel ignore the routes of a device without carrier. */
#define WITHDRAW "/proc/sys/net/%s/conf/%s/ignore_routes_with_linkdown"
static const char * const families[] = { "ipv4", "ipv6" };

static bool is_withdrawing(const char *family, const char *ifname)
{
	char path[128];
	FILE *in;
	int value;

	snprintf(path, sizeof(path), WITHDRAW, family, ifname);
	in = fopen(path, "re");
	/* A host without IPv6 has no such file. */
	if (!in)
		return true;
	value = fgetc(in);
	fclose(in);
	return value == '1';
}

static bool sysctls_differ(const struct view *view, const struct connection *c, char *text)
{
	snprintf(text, DIFFERENCE_MAX, "routes into %s count without a carrier, too", c->ifname);
	if (!c->withdraw_routes)
		return false;
	return !view->there || !is_withdrawing(families[0], c->ifname) ||
	       !is_withdrawing(families[1], c->ifname);
}

static int set_sysctls(const struct view *view, const struct connection *c)
{
	char path[128];

	(void)view;
	for (int i = 0; i < 2; i++) {
		FILE *out;

		snprintf(path, sizeof(path), WITHDRAW, families[i], c->ifname);
		step("# echo 1 > %s", path);
		out = fopen(path, "we");
		/* A host without IPv6 has no such file. */
		if (!out && i)
			continue;
		if (!out || fputs("1", out) < 0 || fclose(out))
			return ctl_error(CTL_FAILED, "up", path, "run it as root",
					 "cannot be written");
	}
	return CTL_OK;
}

/*
 * A route in the connection's own table has this metric. strongSwan looks for its own address in
 * all tables, whatever the rules say, and takes the default route with the least metric.
 */
#define METRIC_OWN (1u << 30)

static struct route route_to(const struct connection *c, const struct subnet *subnet)
{
	struct route route = {
		.to = *subnet,
		.ifname = c->ifname,
		.table = connection_table(c, subnet),
		.metric = c->route_metric,
		.source = *connection_source(c, subnet->addr.len),
	};

	if (route.table == connection_number(c->name))
		route.metric = METRIC_OWN;
	return route;
}

/* When an address is removed, IPv6 keeps the routes with that source, but without the source. */
static bool has_without_source(const struct view *view, struct route route)
{
	route.source.len = 0;
	return view_has_route(view, &route);
}

static bool routes_differ(const struct view *view, const struct connection *c, char *text)
{
	char to[FORMAT_MAX];

	for (size_t i = 0; c->routes && !view->without_routes && i < c->peer_subnets.count; i++) {
		struct route route = route_to(c, &c->peer_subnets.subnet[i]);

		if (view_has_route(view, &route))
			continue;
		snprintf(text, DIFFERENCE_MAX, has_without_source(view, route) ?
			 "the route to %s into %s has another source address" :
			 "the route to %s into %s is gone", format_subnet(to, &route.to), c->ifname);
		return true;
	}
	return false;
}

static int add_routes(const struct view *view, const struct connection *c)
{
	int ret = CTL_OK;

	for (size_t i = 0; i < c->peer_subnets.count; i++) {
		struct route route = route_to(c, &c->peer_subnets.subnet[i]);

		if (!view_has_route(view, &route))
			ret = route_add(&route, has_without_source(view, route)) ?: ret;
	}
	return ret;
}

/*
 * Each line is a part; the parts are made in this order. The peer comes before the if-id, or
 * existing SAs make a peer of their own. Rules come before routes: until there is a route, the
 * rules make everything unreachable.
 */
static const struct part {
	const char *code;
	/* The interface is useless without this part. */
	bool vital;
	/* Whether the part differs from the file; @text then says how. */
	bool (*differs)(const struct view *view, const struct connection *c, char *text);
	/* Makes all that @view lacks, and continues after a failure. */
	int (*mend)(const struct view *view, const struct connection *c);
} parts[] = {
	{ "interface_gone", true, link_differs, add_link },
	{ "interface_altered", true, peer_differs, mend_peer },
	{ "interface_altered", true, settings_differ, set_settings },
	{ "device_down", true, is_not_up, set_up },
	{ "interface_altered", false, addresses_differ, add_addresses },
	{ "interface_altered", false, sysctls_differ, set_sysctls },
	{ "route_missing", false, rules_differ, rules_mend },
	{ "route_missing", false, routes_differ, add_routes },
};

#define PARTS (sizeof(parts) / sizeof(parts[0]))

/* Rules outlive an interface, so some may be there already. */
int interface_make(const struct connection *c)
{
	char text[DIFFERENCE_MAX];
	struct view view;
	int ret = CTL_OK;

	if (!view_load(&view, c, true) || view.there)
		view_free(&view);
	for (size_t i = 0; i < PARTS && !ret; i++)
		if (parts[i].differs(&view, c, text))
			ret = parts[i].mend(&view, c);
	view_free(&view);
	return ret;
}

/* Deletes the interface if a vital part fails: the next attempt starts from scratch. */
static int make_again(const struct view *view, const struct connection *c)
{
	char text[DIFFERENCE_MAX];
	int ret = CTL_OK;

	step("%s: interface %s is gone", c->name, c->ifname);
	for (size_t i = 0; i < PARTS; i++) {
		int failed = parts[i].differs(view, c, text) ? parts[i].mend(view, c) : CTL_OK;

		ret = ret ?: failed;
		if (!failed || !parts[i].vital)
			continue;
		if (interface_is_ours(c->ifname, c->name))
			link_delete(c->ifname);
		break;
	}
	return ret;
}

/* Continues after a part that cannot be repaired. */
static int mend(const struct view *view, const struct connection *c)
{
	char text[DIFFERENCE_MAX];
	int ret = CTL_OK;

	for (size_t i = 0; i < PARTS; i++) {
		if (!parts[i].differs(view, c, text))
			continue;
		step("%s: %s", c->name, text);
		ret = parts[i].mend(view, c) ?: ret;
	}
	return ret;
}

int interface_mend(const struct connection *c, bool routes)
{
	struct view view;
	int ret = CTL_OK;

	/* If the kernel does not answer, no difference is known. */
	if (view_load(&view, c, routes))
		ret = view.there ? mend(&view, c) : make_again(&view, c);
	view_free(&view);
	return ret;
}

const char *interface_differs(const struct connection *c, char *text)
{
	const char *code = NULL;
	struct view view;

	if (view_load(&view, c, true)) {
		for (size_t i = 0; i < PARTS && !code; i++)
			if (parts[i].differs(&view, c, text))
				code = parts[i].code;
	}
	view_free(&view);
	return code;
}

/* ---- changes by others ---- */

static bool is_our_link(const struct nlmsghdr *nlh, const struct connection *c)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct ifinfomsg))
		if (mnl_attr_get_type(attr) == IFLA_IFNAME)
			return mnl_attr_get_payload_len(attr) == strlen(c->ifname) + 1 &&
			       !strcmp(mnl_attr_get_str(attr), c->ifname);
	return false;
}

/* Ignores the route's interface: a route of another program may have replaced ours. */
static bool is_our_route(const struct nlmsghdr *nlh, const struct connection *c)
{
	const struct rtmsg *head = mnl_nlmsg_get_payload(nlh);
	struct subnet to = { .prefix = head->rtm_dst_len };
	const struct nlattr *attr;

	to.addr.len = head->rtm_family == AF_INET ? 4 : 16;
	mnl_attr_for_each(attr, nlh, sizeof(*head))
		if (mnl_attr_get_type(attr) == RTA_DST &&
		    mnl_attr_get_payload_len(attr) == to.addr.len)
			memcpy(to.addr.byte, mnl_attr_get_payload(attr), to.addr.len);
	for (size_t i = 0; i < c->peer_subnets.count; i++)
		if (subnets_equal(&to, &c->peer_subnets.subnet[i]))
			return true;
	return false;
}

bool interface_concerned(const struct nlmsghdr *nlh, const void *data)
{
	const struct connection *c = data;

	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return is_our_link(nlh, c);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return c->routes && is_our_route(nlh, c);
	case RTM_DELRULE:
		return connection_has_rules(c);
	/* The kernel removes the routes of a removed address without an event. */
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return true;
	}
	return false;
}

void interface_print(FILE *out, const struct connection *c)
{
	char text[FORMAT_MAX];

	fprintf(out, "# %s mtu %u mss %u", c->ifname, c->mtu, c->mss);
	if (connection_has_rules(c))
		fprintf(out, " rules mark 0x%x", connection_mark(c));
	if (c->routes)
		fprintf(out, " routes table %u metric %u", c->route_table ?: TABLE_MAIN, c->route_metric);
	for (int i = 0; i < 2; i++)
		if (c->routes && c->route_sources[i].len)
			fprintf(out, " source %s", format_addr(text, &c->route_sources[i]));
	if (c->withdraw_routes)
		fputs(" withdrawn", out);
	for (size_t i = 0; i < c->tunnel_addresses.count; i++)
		fprintf(out, " %s", format_subnet(text, &c->tunnel_addresses.subnet[i]));
	fputc('\n', out);
}
