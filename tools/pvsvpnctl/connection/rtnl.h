/* SPDX-License-Identifier: GPL-2.0 */
/* Links, addresses, routes and rules, by rtnetlink: what "up" makes and "down" removes, and who changes it. */
#ifndef PVSVPNCTL_RTNL_H
#define PVSVPNCTL_RTNL_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <libmnl/libmnl.h>

#include "parse.h"

struct nl;

/**
 * struct link - an interface as far as we care
 * @index: its number
 * @up: somebody has set it up
 * @name: of it
 * @kind: as in "ip link add type KIND", "" if it has none
 * @alias: what somebody has written on it; up marks its interfaces so
 */
struct link {
	int index;
	bool up;
	char name[IFNAMSIZ];
	char kind[32];
	char alias[256];
};

/**
 * link_find() - look for an interface
 * @ifname: its name
 * @link: filled in when it is there
 *
 * Return: whether it is there.
 */
bool link_find(const char *ifname, struct link *link);

/**
 * link_find_alias() - look for an interface by what somebody has written on it
 * @kind: its kind
 * @alias: the text
 * @ifname: IFNAMSIZ bytes, filled in with the name of the first one
 *
 * Return: whether there is one.
 */
bool link_find_alias(const char *kind, const char *alias, char *ifname);

/*
 * Each shows the command of ip(8) that does the same, does it, and returns CTL_OK, or an exit
 * status after saying why not and what to do.
 */
int link_add(const char *ifname, const char *kind);
int link_set_alias(const char *ifname, const char *alias);
/* No link-local address of the kernel's own */
int link_set_addrgenmode_none(const char *ifname);
int link_set_up(const char *ifname);
int link_delete(const char *ifname);
int address_add(const char *ifname, const struct subnet *subnet);

/**
 * struct route - a route into an interface
 * @to: destination
 * @ifname: the interface
 * @table: number of the table
 * @metric: 0 for the kernel's own
 * @source: preferred source address, or none
 * @unreachable: leads nowhere instead, and senders are told (ICMP)
 */
struct route {
	struct subnet to;
	const char *ifname;
	uint32_t table;
	uint32_t metric;
	struct addr source;
	bool unreachable;
};

/* With @replace, in the place of one with the same destination, table and metric. */
int route_add(const struct route *route, bool replace);

/* Says nothing, also if there is none. */
void route_delete(const struct route *route);

/**
 * struct rule - a rule that leads into a table
 * @family: AF_INET or AF_INET6
 * @priority: rules with a lower one come first
 * @local: for packets of this host only
 * @to: for packets to these addresses only; none for all
 * @table: number of the table
 * @not_mark: for packets without this mark only; 0 for all
 * @not_default: its default route does not count (suppress_prefixlength 0)
 */
struct rule {
	uint8_t family;
	uint32_t priority;
	bool local;
	struct subnet to;
	uint32_t table;
	uint32_t not_mark;
	bool not_default;
};

int rule_add(const struct rule *rule);
int rule_delete(const struct rule *rule);

/**
 * rules_load() - the rules that we have made, for any connection
 * @rules: to be freed
 * @count: how many
 *
 * Return: whether the kernel has answered.
 */
bool rules_load(struct rule **rules, size_t *count);

struct rule_list {
	struct rule *rule;
	size_t count;
};

/* Callback that adds the rule of a message, if it is ours, to the struct rule_list */
int rules_add(const struct nlmsghdr *nlh, void *list);

/* AF_INET or AF_INET6 */
uint8_t family_of(const struct addr *addr);

/**
 * rtnl_listen() - have the kernel tell of each change of links, addresses, routes and rules
 * @what: the command, for error lines
 *
 * Return: a socket for rtnl_read(), or NULL after saying why.
 */
struct nl *rtnl_listen(const char *what);

/* Whether a change concerns the caller */
typedef bool concerns_fn(const struct nlmsghdr *nlh, const void *data);

/**
 * rtnl_read() - read all changes that have come
 * @nl: of rtnl_listen()
 * @concerns: whether one concerns the caller
 * @data: for @concerns
 *
 * Return: whether one does, also when the kernel had to drop some.
 */
bool rtnl_read(struct nl *nl, concerns_fn *concerns, const void *data);

/* For poll(2) */
int rtnl_fd(const struct nl *nl);

#endif /* PVSVPNCTL_RTNL_H */
