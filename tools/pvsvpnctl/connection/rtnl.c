// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "connection/rtnl.h"
#include "connection/step.h"
#include "error.h"
#include "nl.h"
#include "print.h"

/* ---- links ---- */

static void copy_text(char *to, size_t size, const struct nlattr *attr)
{
	snprintf(to, size, "%.*s", (int)mnl_attr_get_payload_len(attr), mnl_attr_get_str(attr));
}

static int read_link(const struct nlmsghdr *nlh, void *data)
{
	const struct ifinfomsg *head = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *info;
	struct link *link = data;

	*link = (struct link){ .index = head->ifi_index, .up = head->ifi_flags & IFF_UP };
	mnl_attr_for_each(attr, nlh, sizeof(*head)) {
		if (mnl_attr_get_type(attr) == IFLA_IFNAME)
			copy_text(link->name, sizeof(link->name), attr);
		if (mnl_attr_get_type(attr) == IFLA_IFALIAS)
			copy_text(link->alias, sizeof(link->alias), attr);
		if (mnl_attr_get_type(attr) != IFLA_LINKINFO)
			continue;
		mnl_attr_for_each_nested(info, attr)
			if (mnl_attr_get_type(info) == IFLA_INFO_KIND)
				copy_text(link->kind, sizeof(link->kind), info);
	}
	return MNL_CB_OK;
}

/*
 * Asks about one interface, or about all if @ifname is NULL. Return: whether the kernel answered
 * without an error.
 */
static bool ask(const char *ifname, mnl_cb_t fn, void *data)
{
	struct nl *nl;
	int err;

	ctl_error_mute(true);
	nl = nl_open_route("link");
	ctl_error_mute(false);
	if (!nl)
		return false;
	do {
		nl_route_msg(nl, RTM_GETLINK, ifname ? NLM_F_ACK : NLM_F_DUMP,
			     sizeof(struct ifinfomsg));
		if (ifname)
			nl_put_text(nl, IFLA_IFNAME, ifname);
		err = nl_call(nl, fn, data);
	} while (!err && nl->interrupted);
	nl_close(nl);
	return !err;
}

bool link_find(const char *ifname, struct link *link)
{
	memset(link, 0, sizeof(*link));
	return ask(ifname, read_link, link);
}

struct wanted {
	const char *alias;
	char *ifname;
};

static int compare_alias(const struct nlmsghdr *nlh, void *data)
{
	const struct wanted *wanted = data;
	struct link link;

	read_link(nlh, &link);
	if (!*wanted->ifname && !strcmp(link.kind, "pvsvpn") && !strcmp(link.alias, wanted->alias))
		strcpy(wanted->ifname, link.name);
	return MNL_CB_OK;
}

bool link_find_alias(const char *alias, char *ifname)
{
	struct wanted wanted = { .alias = alias, .ifname = ifname };

	*ifname = '\0';
	return ask(NULL, compare_alias, &wanted) && *ifname;
}

/* ---- changes ---- */

static const char *remedy(int err)
{
	switch (-err) {
	case EPERM:
	case EACCES:
		return "run it as root";
	case EEXIST:
		return "ip(8) shows the old one; remove it, or give the new one another metric or table";
	case EOPNOTSUPP:
		return "modprobe pvsvpn";
	default:
		return "see the command above it";
	}
}

/* Closes @nl. @where: the key of the file, or the interface */
static int changed(struct nl *nl, int err, const char *where, const char *todo)
{
	int ret = CTL_OK;

	if (err)
		ret = ctl_error(err == -EPERM ? CTL_DENIED : CTL_FAILED, nl->what, where,
				todo, "%s", *nl->why ? nl->why : strerror(-err));
	nl_close(nl);
	return ret;
}

/* Sends the request, and closes @nl. */
static int change(struct nl *nl, const char *where)
{
	int err = nl_call(nl, NULL, NULL);

	return changed(nl, err, where, remedy(err));
}

/* Begins a request that changes a link; *@nl is NULL after saying why. */
static struct ifinfomsg *link_msg(struct nl **nl, uint16_t type, uint16_t flags, const char *ifname)
{
	struct ifinfomsg *head;

	*nl = nl_open_route("up");
	if (!*nl)
		return NULL;
	head = nl_route_msg(*nl, type, NLM_F_ACK | flags, sizeof(*head));
	nl_put_text(*nl, IFLA_IFNAME, ifname);
	return head;
}

int link_add(const char *ifname, const char *kind)
{
	struct nlattr *info;
	struct nl *nl;

	step("# ip link add dev %s type %s", ifname, kind);
	if (!link_msg(&nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifname))
		return CTL_FAILED;
	info = nl_nest(nl, IFLA_LINKINFO);
	nl_put_text(nl, IFLA_INFO_KIND, kind);
	nl_nest_end(nl, info);
	return change(nl, ifname);
}

int link_set_alias(const char *ifname, const char *alias)
{
	struct nl *nl;

	step("# ip link set dev %s alias '%s'", ifname, alias);
	if (!link_msg(&nl, RTM_NEWLINK, 0, ifname))
		return CTL_FAILED;
	nl_put(nl, IFLA_IFALIAS, strlen(alias), alias);
	return change(nl, ifname);
}

int link_set_addrgenmode_none(const char *ifname)
{
	struct nlattr *families, *inet6;
	struct nl *nl;
	int err;

	step("# ip link set dev %s addrgenmode none", ifname);
	if (!link_msg(&nl, RTM_NEWLINK, 0, ifname))
		return CTL_FAILED;
	families = nl_nest(nl, IFLA_AF_SPEC);
	inet6 = nl_nest(nl, AF_INET6);
	nl_put_u8(nl, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	nl_nest_end(nl, inet6);
	nl_nest_end(nl, families);
	err = nl_call(nl, NULL, NULL);
	/* A host without IPv6 makes no such addresses. */
	return changed(nl, err == -EAFNOSUPPORT ? 0 : err, ifname, remedy(err));
}

int link_set_up(const char *ifname)
{
	struct ifinfomsg *head;
	struct nl *nl;

	step("# ip link set dev %s up", ifname);
	head = link_msg(&nl, RTM_NEWLINK, 0, ifname);
	if (!head)
		return CTL_FAILED;
	head->ifi_flags = IFF_UP;
	head->ifi_change = IFF_UP;
	return change(nl, ifname);
}

int link_delete(const char *ifname)
{
	struct nl *nl;

	step("# ip link delete dev %s", ifname);
	return link_msg(&nl, RTM_DELLINK, 0, ifname) ? change(nl, ifname) : CTL_FAILED;
}

uint8_t family_of(const struct addr *addr)
{
	return addr->len == sizeof(struct in_addr) ? AF_INET : AF_INET6;
}

static int no_link(const char *ifname)
{
	return ctl_error(CTL_FAILED, "up", ifname, "pvsvpnctl down, then up",
			 "the interface is gone");
}

int address_add(const char *ifname, const struct subnet *subnet)
{
	struct ifaddrmsg *head;
	char text[FORMAT_MAX];
	struct link link;
	struct nl *nl;

	step("# ip address add %s dev %s", format_subnet(text, subnet), ifname);
	if (!link_find(ifname, &link))
		return no_link(ifname);
	nl = nl_open_route("up");
	if (!nl)
		return CTL_FAILED;
	head = nl_route_msg(nl, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, sizeof(*head));
	head->ifa_family = family_of(&subnet->addr);
	head->ifa_prefixlen = subnet->prefix;
	head->ifa_index = link.index;
	nl_put_addr(nl, IFA_LOCAL, &subnet->addr);
	nl_put_addr(nl, IFA_ADDRESS, &subnet->addr);
	/*
	 * Skips duplicate address detection: a tunnel has no duplicates, and meanwhile no route may
	 * use the address.
	 */
	if (head->ifa_family == AF_INET6)
		nl_put_u32(nl, IFA_FLAGS, IFA_F_NODAD);
	return change(nl, "TunnelAddress");
}

static void show_route(const struct route *route, bool replace)
{
	char to[FORMAT_MAX], addr[FORMAT_MAX], source[FORMAT_MAX + 8] = "", metric[24] = "";

	if (route->source.len)
		snprintf(source, sizeof(source), " src %s", format_addr(addr, &route->source));
	if (route->metric)
		snprintf(metric, sizeof(metric), " metric %u", route->metric);
	step("# ip route %s %s%s%s%s table %u%s%s", replace ? "replace" : "add",
	     route->unreachable ? "unreachable " : "", format_subnet(to, &route->to),
	     route->unreachable ? "" : " dev ", route->unreachable ? "" : route->ifname,
	     route->table, metric, source);
}

/* The request, or NULL after saying why. */
static struct nl *route_msg(const struct route *route, uint16_t type, uint16_t flags)
{
	uint8_t family = family_of(&route->to.addr);
	struct link link = { .index = 0 };
	struct rtmsg *head;
	struct nl *nl;

	if (!route->unreachable && !link_find(route->ifname, &link)) {
		no_link(route->ifname);
		return NULL;
	}
	nl = nl_open_route("up");
	if (!nl)
		return NULL;
	head = nl_route_msg(nl, type, NLM_F_ACK | flags, sizeof(*head));
	head->rtm_family = family;
	head->rtm_dst_len = route->to.prefix;
	head->rtm_protocol = RTPROT_BOOT;
	head->rtm_type = route->unreachable ? RTN_UNREACHABLE : RTN_UNICAST;
	head->rtm_scope = family == AF_INET && !route->unreachable ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	nl_put_addr(nl, RTA_DST, &route->to.addr);
	nl_put_u32(nl, RTA_TABLE, route->table);
	if (!route->unreachable)
		nl_put_u32(nl, RTA_OIF, link.index);
	if (route->metric)
		nl_put_u32(nl, RTA_PRIORITY, route->metric);
	if (route->source.len)
		nl_put_addr(nl, RTA_PREFSRC, &route->source);
	return nl;
}

int route_add(const struct route *route, bool replace)
{
	struct nl *nl;
	int err;

	show_route(route, replace);
	nl = route_msg(route, RTM_NEWROUTE, NLM_F_CREATE | (replace ? NLM_F_REPLACE : NLM_F_EXCL));
	if (!nl)
		return CTL_FAILED;
	err = nl_call(nl, NULL, NULL);
	/* Only the source can be wrong: the rest of the request is ours. */
	if (err == -EINVAL && route->source.len)
		return changed(nl, err, "RouteSource",
			       "take an address that an interface of this host has");
	return changed(nl, err, "PeerSubnets", remedy(err));
}

void route_delete(const struct route *route)
{
	struct nl *nl;

	ctl_error_mute(true);
	nl = route_msg(route, RTM_DELROUTE, 0);
	if (nl) {
		nl_call(nl, NULL, NULL);
		nl_close(nl);
	}
	ctl_error_mute(false);
}

/* ---- rules ---- */

/* This number, rtnetlink's "protocol", marks our rules. No other program is known to use it. */
#define RULE_PROTOCOL 112

static void show_rule(const char *verb, const struct rule *rule)
{
	char to[FORMAT_MAX + 4] = "", text[FORMAT_MAX], mark[32] = "";

	if (rule->to.addr.len)
		snprintf(to, sizeof(to), " to %s", format_subnet(text, &rule->to));
	if (rule->not_mark)
		snprintf(mark, sizeof(mark), " not fwmark 0x%x", rule->not_mark);
	step("# ip%s rule %s priority %u%s%s%s lookup %u%s protocol %u",
	     rule->family == AF_INET6 ? " -6" : "", verb, rule->priority,
	     rule->local ? " iif lo" : "", to, mark, rule->table, rule->not_default ? " suppress_prefixlength 0" : "", RULE_PROTOCOL);
}

static int change_rule(uint16_t type, uint16_t flags, const struct rule *rule)
{
	struct nl *nl = nl_open_route("up");
	struct fib_rule_hdr *head;

	if (!nl)
		return CTL_FAILED;
	head = nl_route_msg(nl, type, NLM_F_ACK | flags, sizeof(*head));
	head->family = rule->family;
	head->action = FR_ACT_TO_TBL;
	head->flags = rule->not_mark ? FIB_RULE_INVERT : 0;
	head->dst_len = rule->to.prefix;
	nl_put_u32(nl, FRA_PRIORITY, rule->priority);
	nl_put_u32(nl, FRA_TABLE, rule->table);
	nl_put_u8(nl, FRA_PROTOCOL, RULE_PROTOCOL);
	if (rule->local)
		nl_put_text(nl, FRA_IIFNAME, "lo");
	if (rule->to.addr.len)
		nl_put_addr(nl, FRA_DST, &rule->to.addr);
	if (rule->not_mark)
		nl_put_u32(nl, FRA_FWMARK, rule->not_mark);
	if (rule->not_default)
		nl_put_u32(nl, FRA_SUPPRESS_PREFIXLEN, 0);
	return change(nl, "PeerSubnets");
}

int rule_add(const struct rule *rule)
{
	show_rule("add", rule);
	return change_rule(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);
}

int rule_delete(const struct rule *rule)
{
	show_rule("del", rule);
	return change_rule(RTM_DELRULE, 0, rule);
}

static void read_rule_attr(struct rule *rule, const struct nlattr *attr)
{
	uint16_t type = mnl_attr_get_type(attr), len = mnl_attr_get_payload_len(attr);

	if (type == FRA_DST && len <= sizeof(rule->to.addr.byte)) {
		rule->to.addr.len = len;
		memcpy(rule->to.addr.byte, mnl_attr_get_payload(attr), len);
	}
	if (type == FRA_IIFNAME)
		rule->local = true;
	if (len != sizeof(uint32_t))
		return;
	if (type == FRA_PRIORITY)
		rule->priority = mnl_attr_get_u32(attr);
	if (type == FRA_TABLE)
		rule->table = mnl_attr_get_u32(attr);
	if (type == FRA_FWMARK)
		rule->not_mark = mnl_attr_get_u32(attr);
	if (type == FRA_SUPPRESS_PREFIXLEN)
		rule->not_default = !mnl_attr_get_u32(attr);
}

int rules_add(const struct nlmsghdr *nlh, void *data)
{
	const struct fib_rule_hdr *head = mnl_nlmsg_get_payload(nlh);
	struct rule rule = { .family = head->family, .to.prefix = head->dst_len };
	struct rule_list *list = data;
	const struct nlattr *attr;
	bool ours = false;

	mnl_attr_for_each(attr, nlh, sizeof(*head)) {
		ours |= mnl_attr_get_type(attr) == FRA_PROTOCOL &&
			mnl_attr_get_payload_len(attr) == 1 &&
			mnl_attr_get_u8(attr) == RULE_PROTOCOL;
		read_rule_attr(&rule, attr);
	}
	if (!ours)
		return MNL_CB_OK;
	list->rule = ctl_alloc(list->rule, (list->count + 1) * sizeof(*list->rule));
	list->rule[list->count++] = rule;
	return MNL_CB_OK;
}

bool rules_load(struct rule_list *list)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct nl *nl = nl_open_route("rule");
	int err = nl ? 0 : -1;

	*list = (struct rule_list){ .count = 0 };
	for (int i = 0; i < 2 && !err; i++) {
		size_t before = list->count;

		do {
			struct fib_rule_hdr *head;

			list->count = before;
			head = nl_route_msg(nl, RTM_GETRULE, NLM_F_DUMP, sizeof(*head));
			head->family = families[i];
			err = nl_call(nl, rules_add, list);
		} while (!err && nl->interrupted);
		/* A host may have no IPv6. */
		if (i && (err == -EOPNOTSUPP || err == -EAFNOSUPPORT))
			err = 0;
	}
	if (nl)
		nl_close(nl);
	return !err;
}

/* ---- changes that others make ---- */

static const int groups[] = {
	RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
	RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE,
};

struct nl *rtnl_listen(const char *what)
{
	struct nl *nl = nl_open_route(what);

	/* A routing daemon makes many changes at once. */
	if (nl)
		nl_make_room(nl);
	for (size_t i = 0; nl && i < sizeof(groups) / sizeof(groups[0]); i++) {
		int group = groups[i];

		if (!mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
			continue;
		ctl_error(CTL_FAILED, what, "rtnetlink", "see netlink(7)", "%s", strerror(errno));
		nl_close(nl);
		return NULL;
	}
	return nl;
}

bool rtnl_read(struct nl *nl, concerns_fn *concerns, const void *data)
{
	int fd = mnl_socket_get_fd(nl->sock);
	bool concerned = false;

	for (;;) {
		ssize_t got = recv(fd, nl->rx, sizeof(nl->rx), MSG_DONTWAIT);
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)nl->rx;
		int len = got;

		if (got < 0 && errno == EINTR)
			continue;
		/* If the kernel dropped events, any of them may have concerned the caller. */
		if (got < 0)
			return concerned || errno != EAGAIN;
		for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len))
			concerned |= nlh->nlmsg_type >= NLMSG_MIN_TYPE && concerns(nlh, data);
	}
}
