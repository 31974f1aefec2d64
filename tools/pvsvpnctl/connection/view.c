// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "connection/subnet.h"
#include "connection/view.h"
#include "error.h"
#include "nl.h"

static void add_subnet(struct subnet_list *list, const struct subnet *subnet)
{
	list->subnet = ctl_alloc(list->subnet, (list->count + 1) * sizeof(*list->subnet));
	list->subnet[list->count++] = *subnet;
}

static void read_addr(struct addr *addr, const struct nlattr *attr)
{
	size_t len = mnl_attr_get_payload_len(attr);

	if (len != 4 && len != sizeof(addr->byte))
		return;
	addr->len = len;
	memcpy(addr->byte, mnl_attr_get_payload(attr), len);
}

static uint32_t read_u32(const struct nlattr *attr)
{
	return mnl_attr_validate(attr, MNL_TYPE_U32) < 0 ? 0 : mnl_attr_get_u32(attr);
}

/* ---- addresses ---- */

int view_add_address(const struct nlmsghdr *nlh, void *data)
{
	const struct ifaddrmsg *head = mnl_nlmsg_get_payload(nlh);
	struct subnet subnet = { .prefix = head->ifa_prefixlen };
	struct view *view = data;
	const struct nlattr *attr;
	bool local = false;

	if ((int)head->ifa_index != view->link.index)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, nlh, sizeof(*head)) {
		uint16_t type = mnl_attr_get_type(attr);

		/* If there is IFA_LOCAL, IFA_ADDRESS is the address of the far end. */
		if (type == IFA_LOCAL || (type == IFA_ADDRESS && !local))
			read_addr(&subnet.addr, attr);
		local |= type == IFA_LOCAL;
	}
	if (subnet.addr.len)
		add_subnet(&view->addresses, &subnet);
	return MNL_CB_OK;
}

static int load_addresses(struct nl *nl, struct view *view)
{
	struct ifaddrmsg *head;

	head = nl_route_msg(nl, RTM_GETADDR, NLM_F_DUMP, sizeof(*head));
	head->ifa_index = view->link.index;
	view->addresses.count = 0;
	return nl_call(nl, view_add_address, view);
}

/* ---- routes ---- */

int view_add_route(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *head = mnl_nlmsg_get_payload(nlh);
	struct view *view = data;
	struct route route = {
		.to.prefix = head->rtm_dst_len, .table = head->rtm_table, .ifname = view->link.name,
	};
	const struct nlattr *attr;
	int oif = 0;

	route.to.addr.len = head->rtm_family == AF_INET ? 4 : 16;
	mnl_attr_for_each(attr, nlh, sizeof(*head)) {
		switch (mnl_attr_get_type(attr)) {
		case RTA_DST:
			read_addr(&route.to.addr, attr);
			break;
		case RTA_OIF:
			oif = read_u32(attr);
			break;
		case RTA_TABLE:
			route.table = read_u32(attr);
			break;
		case RTA_PRIORITY:
			route.metric = read_u32(attr);
			break;
		case RTA_PREFSRC:
			read_addr(&route.source, attr);
			break;
		}
	}
	route.unreachable = head->rtm_type == RTN_UNREACHABLE;
	if (!route.unreachable && (oif != view->link.index || head->rtm_type != RTN_UNICAST))
		return MNL_CB_OK;
	view->routes = ctl_alloc(view->routes, (view->route_count + 1) * sizeof(*view->routes));
	view->routes[view->route_count++] = route;
	return MNL_CB_OK;
}

/* @own: the table has only our routes, one of which leads into no interface. */
static int load_routes(struct nl *nl, struct view *view, uint8_t family, uint32_t table, bool own)
{
	struct rtmsg *head;
	int err;

	head = nl_route_msg(nl, RTM_GETROUTE, NLM_F_DUMP, sizeof(*head));
	head->rtm_family = family;
	nl_put_u32(nl, RTA_TABLE, table);
	if (!own)
		nl_put_u32(nl, RTA_OIF, view->link.index);
	err = nl_call(nl, view_add_route, view);
	/* An empty table does not exist. A host may have no IPv6. */
	return err == -ENOENT || err == -EOPNOTSUPP || err == -EAFNOSUPPORT ? 0 : err;
}

/* Several subnets may have their routes in one table. */
static bool table_was_read(const struct connection *c, size_t i)
{
	const struct subnet *subnet = c->peer_subnets.subnet;

	for (size_t j = 0; j < i; j++)
		if (subnet[j].addr.len == subnet[i].addr.len &&
		    connection_table(c, &subnet[j]) == connection_table(c, &subnet[i]))
			return true;
	return false;
}

static int load_all_routes(struct nl *nl, struct view *view, const struct connection *c)
{
	bool interrupted = false;
	int err = 0;

	view->route_count = 0;
	for (size_t i = 0; i < c->peer_subnets.count && !err; i++) {
		const struct subnet *to = &c->peer_subnets.subnet[i];

		if (table_was_read(c, i))
			continue;
		err = load_routes(nl, view, family_of(&to->addr), connection_table(c, to),
				  connection_table(c, to) == connection_number(c->name));
		interrupted |= nl->interrupted;
	}
	nl->interrupted = interrupted;
	return err;
}

/* ---- everything ---- */

/* Repeats an interrupted dump, as it may lack existing objects. */
static bool load_route_part(struct view *view, const struct connection *c)
{
	struct nl *nl = nl_open_route("status");
	int err, on = 1;

	if (!nl)
		return false;
	/* Selects by the request's fields. An older kernel ignores them and sends everything. */
	mnl_socket_setsockopt(nl->sock, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	do {
		err = load_addresses(nl, view);
	} while (!err && nl->interrupted);
	if (!err && !view->without_routes) {
		do {
			err = load_all_routes(nl, view, c);
		} while (!err && nl->interrupted);
	}
	nl_close(nl);
	return !err;
}

static bool load_module_part(struct view *view, const struct connection *c)
{
	struct nl *nl = nl_open("status");
	bool loaded = nl && !state_load(nl, c->ifname, false, &view->state) &&
		      view->state.device_count;

	if (nl)
		nl_close(nl);
	if (!loaded)
		return false;
	view->device = &view->state.devices[0];
	for (size_t i = 0; i < view->device->peer_count; i++)
		if (!strcmp(view->device->peers[i].name, c->name))
			view->peer = &view->device->peers[i];
	return true;
}

bool view_load(struct view *view, const struct connection *c, bool routes)
{
	bool loaded = true;

	ctl_error_mute(true);
	*view = (struct view){ .there = false };
	view->there = link_find(c->ifname, &view->link);
	/* If the interface does not exist, there is no route into it. */
	view->without_routes = view->there && !routes;
	if (view->there)
		loaded = load_route_part(view, c) && load_module_part(view, c);
	if (loaded && !view->without_routes && connection_has_rules(c))
		loaded = rules_load(&view->rules);
	ctl_error_mute(false);
	return loaded;
}

void view_free(struct view *view)
{
	state_free(&view->state);
	free(view->addresses.subnet);
	free(view->routes);
	free(view->rules.rule);
	*view = (struct view){ .there = false };
}

/* If no metric is wanted, the kernel has chosen one. */
static bool is_route(const struct route *route, const struct route *wanted)
{
	return subnets_equal(&route->to, &wanted->to) && route->table == wanted->table &&
	       route->unreachable == wanted->unreachable &&
	       (!wanted->metric || route->metric == wanted->metric) &&
	       (!wanted->source.len ||
		!memcmp(&route->source, &wanted->source, sizeof(route->source)));
}

bool view_has_route(const struct view *view, const struct route *route)
{
	for (size_t i = 0; i < view->route_count; i++)
		if (is_route(&view->routes[i], route))
			return true;
	return false;
}
