/* SPDX-License-Identifier: GPL-2.0 */
/* Links, addresses, routes and rules by rtnetlink: making, removing and watching them. */
#ifndef PVSVPNCTL_RTNL_H
#define PVSVPNCTL_RTNL_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <libmnl/libmnl.h>

#include "parse.h"

struct nl;

/**
 * struct link - the part of an interface that we use
 * @index: its number
 * @up: it is set up
 * @name: its name
 * @kind: as in "ip link add type KIND", "" if it has none
 * @alias: its alias; "up" marks its interfaces with it
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
 * link_find_alias() - look for an interface of the module by its alias
 * @alias: its alias
 * @ifname: IFNAMSIZ bytes, filled in with the name of the first one
 *
 * Return: whether there is one.
 */
bool link_find_alias(const char *alias, char *ifname);

/*
 * Each prints the equivalent ip(8) command, makes the change, and returns CTL_OK, or an exit status
 * after saying why not and what to do.
 */
int link_add(const char *ifname, const char *kind);
int link_set_alias(const char *ifname, const char *alias);
/* Keeps the kernel from adding a link-local address. */
int link_set_addrgenmode_none(const char *ifname);
int link_set_up(const char *ifname);
int link_delete(const char *ifname);
int address_add(const char *ifname, const struct subnet *subnet);

/**
 * struct route - a route into an interface
 * @to: destination
 * @ifname: the interface
 * @table: number of the table
 * @metric: 0 for the kernel's default
 * @source: preferred source address, or none
 * @unreachable: the destination is unreachable instead, and senders get ICMP errors
 */
struct route {
	struct subnet to;
	const char *ifname;
	uint32_t table;
	uint32_t metric;
	struct addr source;
	bool unreachable;
};

/* @replace: replaces a route with the same destination, table and metric. */
int route_add(const struct route *route, bool replace);

/* Prints no error, even if there is no such route. */
void route_delete(const struct route *route);

/**
 * struct rule - a rule that leads into a table
 * @family: AF_INET or AF_INET6
 * @priority: rules with a lower number come first
 * @local: for packets of this host only
 * @to: for packets to these addresses only; none for all
 * @table: number of the table
 * @not_mark: for packets without this mark only; 0 for all
 * @not_default: ignores the table's default route (suppress_prefixlength 0)
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

struct rule_list {
	struct rule *rule;
	size_t count;
};

/*
 * Reads the rules that we have made, for all connections; @list->rule is to be freed. Return:
 * whether the kernel has answered.
 */
bool rules_load(struct rule_list *list);

/* Callback that adds the rule of a message, if it is ours, to the struct rule_list */
int rules_add(const struct nlmsghdr *nlh, void *list);

/* AF_INET or AF_INET6 */
uint8_t family_of(const struct addr *addr);

/**
 * rtnl_listen() - subscribe to the kernel's changes of links, addresses, routes and rules
 * @what: the command, for error lines
 *
 * Return: a socket for rtnl_read(), or NULL after saying why.
 */
struct nl *rtnl_listen(const char *what);

/* Whether a change concerns the caller */
typedef bool concerns_fn(const struct nlmsghdr *nlh, const void *data);

/**
 * rtnl_read() - read all pending changes
 * @nl: from rtnl_listen()
 * @concerns: decides whether a change concerns the caller
 * @data: for @concerns
 *
 * Return: whether a change does, or the kernel has dropped some.
 */
bool rtnl_read(struct nl *nl, concerns_fn *concerns, const void *data);

#endif /* PVSVPNCTL_RTNL_H */
