/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's state of an interface, to be compared with its file. */
#ifndef PVSVPNCTL_VIEW_H
#define PVSVPNCTL_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "connection/connection.h"
#include "connection/rtnl.h"
#include "state.h"

/**
 * struct view - the current state of an interface
 * @there: it exists; if not, only @rules is filled in
 * @link: its link
 * @addresses: its addresses
 * @without_routes: @routes and @rules were not requested
 * @routes: routes into it, in the tables of the connection
 * @route_count: how many
 * @rules: the rules that we have made, if the connection needs any
 * @state: state of the module
 * @device: the interface in @state, or NULL
 * @peer: the connection's peer in @state, or NULL
 */
struct view {
	bool there;
	struct link link;
	struct subnet_list addresses;
	bool without_routes;
	struct route *routes;
	size_t route_count;
	struct rule_list rules;
	struct state state;
	const struct device *device;
	const struct peer *peer;
};

/**
 * view_load() - read the state from the kernel
 * @view: to be freed with view_free(), also after a failure
 * @c: the connection
 * @routes: read routes, too, for which the kernel walks the whole table
 *
 * Return: whether the kernel has answered. If not, @view is incomplete.
 */
bool view_load(struct view *view, const struct connection *c, bool routes);
void view_free(struct view *view);

/* Callbacks that add the object of a message; @view is the struct view. */
int view_add_address(const struct nlmsghdr *nlh, void *view);
int view_add_route(const struct nlmsghdr *nlh, void *view);

bool view_has_route(const struct view *view, const struct route *route);

#endif /* PVSVPNCTL_VIEW_H */
