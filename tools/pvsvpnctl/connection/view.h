/* SPDX-License-Identifier: GPL-2.0 */
/* An interface as the kernel has it, to be compared with its file. */
#ifndef PVSVPNCTL_VIEW_H
#define PVSVPNCTL_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "connection/connection.h"
#include "connection/rtnl.h"
#include "state.h"

/**
 * struct view - an interface, as it is
 * @there: it exists; nothing but @rules is filled in if not
 * @link: the kernel's part that every interface has
 * @addresses: of it
 * @without_routes: nobody has asked for @routes and @rules
 * @routes: into it, of the tables of the connection
 * @route_count: how many
 * @rules: that we have made, if the connection needs any
 * @rule_count: how many
 * @state: what the module has
 * @device: the interface in @state, or NULL
 * @peer: that of the connection in @state, or NULL
 */
struct view {
	bool there;
	struct link link;
	struct subnet_list addresses;
	bool without_routes;
	struct route *routes;
	size_t route_count;
	struct rule *rules;
	size_t rule_count;
	struct state state;
	const struct device *device;
	const struct peer *peer;
};

/**
 * view_load() - ask the kernel
 * @view: to be freed with view_free(), also after a failure
 * @c: the connection
 * @routes: for routes too; the kernel walks all of the table for that
 *
 * Return: whether it has answered. If not, nothing is known.
 */
bool view_load(struct view *view, const struct connection *c, bool routes);
void view_free(struct view *view);

/* Callbacks that add the object of a message; @view is the struct view. */
int view_add_address(const struct nlmsghdr *nlh, void *view);
int view_add_route(const struct nlmsghdr *nlh, void *view);

bool view_has_address(const struct view *view, const struct subnet *subnet);
bool view_has_route(const struct view *view, const struct route *route);

#endif /* PVSVPNCTL_VIEW_H */
