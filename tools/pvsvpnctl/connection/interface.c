// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "connection/interface.h"
#include "connection/rtnl.h"
#include "connection/runtime.h"
#include "error.h"
#include "print.h"
#include "setting.h"

/* Words of one command at most */
#define WORDS 24

/* An "up" that was killed may not have come to write it; one that has ended has. */
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

/* A command of this tool */
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
	printf("# pvsvpnctl %s %s\n", command->name, words);
	ret = command->run(&options, split(words, argv), argv);
	free(words);
	return ret;
}

/* ---- the interface ---- */

static int add_link(const struct connection *c)
{
	char alias[ALIAS_MAX];

	runtime_alias(alias, c->name);
	return link_add(c->ifname, "pvsvpn") ?: link_set_alias(c->ifname, alias);
}

static int set_link(const struct connection *c)
{
	char mtu[FORMAT_MAX] = "auto", mss[FORMAT_MAX];

	if (c->mtu)
		snprintf(mtu, sizeof(mtu), "%u", c->mtu);
	return ctl(&command_set, "%s if-id %u mtu %s mss-clamp %s", c->ifname,
		   connection_if_id(c), mtu,
		   format_setting(mss, &settings[SETTING_MSS_CLAMP], c->mss));
}

static void print_list(FILE *out, const char *key, const struct subnet_list *list)
{
	char text[FORMAT_MAX];

	for (size_t i = 0; i < list->count; i++)
		fprintf(out, "%s%s", i ? "," : key, format_subnet(text, &list->subnet[i]));
}

/* The daemon's SAs find it by its address; what passes has to be in its subnets. */
static int add_peer(const struct connection *c)
{
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
	fclose(out);
	ret = ctl(&command_peer_add, "%s %s remote %s%s%s%s", c->ifname, c->name,
		  format_addr(remote, &c->peer_gateway),
		  c->local_gateway.len ? " local " : "",
		  c->local_gateway.len ? format_addr(local, &c->local_gateway) : "",
		  subnets);
	free(reached.subnet);
	free(subnets);
	return ret;
}

static int add_addresses(const struct connection *c)
{
	int ret = CTL_OK;

	for (size_t i = 0; i < c->tunnel_addresses.count && !ret; i++)
		ret = address_add(c->ifname, &c->tunnel_addresses.subnet[i]);
	return ret;
}

static int add_route(const struct connection *c, const struct subnet *subnet)
{
	struct route route = {
		.to = subnet,
		.ifname = c->ifname,
		.table = c->route_table,
		.metric = c->route_metric,
	};

	if (c->route_source.len == subnet->addr.len)
		route.source = c->route_source;
	return route_add(&route);
}

/* While the device has no carrier, the kernel passes its routes over. */
static int withdraw_routes(const struct connection *c)
{
	static const char * const families[] = { "ipv4", "ipv6" };
	char path[128];

	for (int i = 0; i < 2; i++) {
		FILE *out;

		snprintf(path, sizeof(path),
			 "/proc/sys/net/%s/conf/%s/ignore_routes_with_linkdown",
			 families[i], c->ifname);
		printf("# echo 1 > %s\n", path);
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

static int add_routes(const struct connection *c)
{
	int ret = CTL_OK;

	if (c->withdraw_routes)
		ret = withdraw_routes(c);
	for (size_t i = 0; c->routes && i < c->peer_subnets.count && !ret; i++)
		ret = add_route(c, &c->peer_subnets.subnet[i]);
	return ret;
}

int interface_make(const struct connection *c)
{
	/* The peer before the if_id, or else SAs that are there make one of their own. */
	return add_link(c) ?: add_peer(c) ?: set_link(c) ?: add_addresses(c) ?:
	       /* Before it is up, or else it has an address already. */
	       link_set_addrgenmode_none(c->ifname) ?: link_set_up(c->ifname) ?:
	       add_routes(c);
}

void interface_delete(const char *ifname)
{
	link_delete(ifname);
}

void interface_print(FILE *out, const struct connection *c)
{
	char text[FORMAT_MAX];

	fprintf(out, "# %s mtu %u mss %u", c->ifname, c->mtu, c->mss);
	if (c->routes)
		fprintf(out, " routes table %u metric %u", c->route_table, c->route_metric);
	if (c->routes && c->route_source.len)
		fprintf(out, " source %s", format_addr(text, &c->route_source));
	if (c->withdraw_routes)
		fputs(" withdrawn", out);
	for (size_t i = 0; i < c->tunnel_addresses.count; i++)
		fprintf(out, " %s", format_subnet(text, &c->tunnel_addresses.subnet[i]));
	fputc('\n', out);
}
