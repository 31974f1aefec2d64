// SPDX-License-Identifier: GPL-2.0
/* The connections that strongSwan has, and whose they are. */
#include <stdlib.h>
#include <string.h>

#include "connection/strongswan.h"
#include "connection/subnet.h"
#include "print.h"

/* ---- lists of names ---- */

/* @data: a name, "" once it was found */
static void find_name(struct vici_reader *message, void *data)
{
	struct vici_element element;
	const char **name = data;

	while (vici_read(message, &element) > 0)
		if (element.type == VICI_ITEM && element.len == strlen(*name) &&
		    !memcmp(element.value, *name, element.len))
			*name = "";
}

static int find(struct vici *daemon, const char *command, const char *name, bool *there)
{
	const char *wanted = name;
	const struct vici_call call = {
		.command = command, .answer = find_name, .data = &wanted,
	};
	int ret = vici_call(daemon, &call);

	*there = !*wanted;
	return ret;
}

static bool has_name(struct vici *daemon, const char *command, const char *name)
{
	bool there;

	return !find(daemon, command, name, &there) && there;
}

bool strongswan_has(struct vici *daemon, const char *name)
{
	return has_name(daemon, "get-conns", name);
}

int strongswan_has_key(struct vici *daemon, const char *key, bool *there)
{
	return find(daemon, "get-keys", key, there);
}

/* ---- what a connection looks like ---- */

/* In a connection's section is "children", with a section for each child. */
enum { DEPTH_CHILDREN = 1, DEPTH_CHILD = 2, DEPTH_OF_CHILD = 3 };

/**
 * struct look - a connection of the daemon, beside ours of that name
 * @name: its name
 * @c: ours, NULL if its file is not known
 * @children: how many child SAs it describes
 * @differs: something in it is not ours
 * @local: how many of its subnets are our local ones
 * @remote: how many of its subnets are our remote ones
 * @found: it can be ours
 */
struct look {
	const char *name;
	const struct connection *c;
	unsigned int children;
	bool differs;
	size_t local;
	size_t remote;
	bool found;
};

static bool has_subnet(const struct subnet_list *list, const char *text)
{
	struct subnet_list one = { .count = 0 };
	bool found = !parse_subnets(text, &one) && one.count == 1 &&
		     subnet_list_has(list, &one.subnet[0]);

	free(one.subnet);
	return found;
}

static void look_at_subnet(struct look *look, const struct vici_element *element)
{
	char text[FORMAT_MAX];

	vici_element_text(element, text, sizeof(text));
	if (!strcmp(element->name, "local-ts") && has_subnet(&look->c->local_subnets, text))
		look->local++;
	else if (!strcmp(element->name, "remote-ts") && has_subnet(&look->c->peer_subnets, text))
		look->remote++;
	else if (!strcmp(element->name, "local-ts") || !strcmp(element->name, "remote-ts"))
		look->differs = true;
}

/* The daemon may have several of one name, from other files of its own. */
static void look_at(struct vici_reader *message, void *data)
{
	struct vici_element element;
	struct look *look = data;
	const struct connection *c = look->c;
	bool inside = false;

	look->children = 0;
	look->differs = false;
	look->local = look->remote = 0;
	while (vici_read(message, &element) > 0) {
		if (element.type == VICI_SECTION && element.depth == DEPTH_CHILDREN)
			inside = !strcmp(element.name, "children");
		if (!inside)
			continue;
		if (element.type == VICI_SECTION && element.depth == DEPTH_CHILD) {
			look->children++;
			look->differs |= strcmp(element.name, look->name);
		}
		if (c && element.type == VICI_ITEM && element.depth == DEPTH_OF_CHILD)
			look_at_subnet(look, &element);
	}
	look->found |= look->children == 1 && !look->differs &&
		       (!c || (look->local == c->local_subnets.count &&
			       look->remote == c->peer_subnets.count));
}

bool strongswan_looks_like(struct vici *daemon, const char *name, const struct connection *c)
{
	struct look look = { .name = name, .c = c };

	return !strongswan_list(daemon, "list-conns", "list-conn", name, look_at, &look) && look.found;
}

/* ---- whose it is ---- */

static bool has_mark(struct vici *daemon, const char *name)
{
	char mark[STRONGSWAN_MARK_MAX];

	strongswan_mark(mark, name);
	return has_name(daemon, "get-shared", mark) || has_name(daemon, "get-authorities", mark);
}

bool strongswan_is_ours(struct vici *daemon, const char *name, const struct connection *c)
{
	return has_mark(daemon, name) &&
	       (!strongswan_has(daemon, name) || strongswan_looks_like(daemon, name, c));
}

bool strongswan_forgot(struct vici *daemon, const struct connection *c, const char *key)
{
	bool there = true;

	if (*key)
		strongswan_has_key(daemon, key, &there);
	return !(there && strongswan_has(daemon, c->name) && has_mark(daemon, c->name) &&
		 strongswan_looks_like(daemon, c->name, c)) && !vici_broken(daemon);
}
