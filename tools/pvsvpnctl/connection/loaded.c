// SPDX-License-Identifier: GPL-2.0
/* The connections that strongSwan has, and whose they are. */
#include <stdlib.h>
#include <string.h>

#include "connection/strongswan.h"
#include "connection/subnet.h"
#include "error.h"
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
	bool found = false;

	if (!parse_subnets(text, &one) && one.count == 1)
		for (size_t i = 0; i < list->count && !found; i++)
			found = subnets_equal(&list->subnet[i], &one.subnet[0]);
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
	struct vici_message message = { 0 };
	struct look look = { .name = name, .c = c };
	const struct vici_call call = {
		.command = "list-conns", .request = &message, .event = "list-conn",
		.heard = look_at, .data = &look,
	};
	int ret;

	vici_value(&message, "ike", "%s", name);
	ret = vici_call(daemon, &call);
	vici_message_free(&message);
	return !ret && look.found;
}

/* ---- SAs of a connection that the operator has replaced ---- */

/* list-sas: the IKE SA's section is the outermost, a child SA's is in "child-sas" in it. */
enum { DEPTH_IKE_SA = 1, DEPTH_CHILD_SA = 3 };

#define SAS_MAX 64

/**
 * struct ours - IKE SAs of ours
 * @if_id: of them and of their child SAs
 * @ike_id: the IKE SA that is being read
 * @ids: those that are ours
 * @count: how many
 */
struct ours {
	uint32_t if_id;
	uint64_t ike_id;
	uint64_t ids[SAS_MAX];
	size_t count;
};

static void find_ours(struct vici_reader *message, void *data)
{
	struct vici_element element;
	struct ours *ours = data;
	char text[FORMAT_MAX];

	while (vici_read(message, &element) > 0) {
		if (element.type != VICI_VALUE)
			continue;
		vici_element_text(&element, text, sizeof(text));
		if (element.depth == DEPTH_IKE_SA && !strcmp(element.name, "uniqueid"))
			ours->ike_id = strtoull(text, NULL, 10);
		if ((element.depth == DEPTH_IKE_SA || element.depth == DEPTH_CHILD_SA) &&
		    !strcmp(element.name, "if-id-in") &&
		    strtoull(text, NULL, 16) == ours->if_id && ours->count < SAS_MAX &&
		    (!ours->count || ours->ids[ours->count - 1] != ours->ike_id))
			ours->ids[ours->count++] = ours->ike_id;
	}
}

int strongswan_drop_sas(struct vici *daemon, const char *name, uint32_t if_id)
{
	struct vici_message message = { 0 };
	struct ours ours = { .if_id = if_id };
	const struct vici_call call = {
		.command = "list-sas", .request = &message, .event = "list-sa",
		.heard = find_ours, .data = &ours,
	};
	int ret;

	vici_value(&message, "ike", "%s", name);
	ret = vici_call(daemon, &call);
	vici_message_free(&message);
	for (size_t i = 0; i < ours.count && !ret; i++)
		ret = strongswan_drop(daemon, ours.ids[i]);
	return ret;
}

/* ---- whose it is ---- */

bool strongswan_is_ours(struct vici *daemon, const char *name, const struct connection *c)
{
	char mark[STRONGSWAN_MARK_MAX];

	strongswan_mark(mark, name);
	if (!has_name(daemon, "get-shared", mark) && !has_name(daemon, "get-authorities", mark))
		return false;
	return !strongswan_has(daemon, name) || strongswan_looks_like(daemon, name, c);
}

bool strongswan_forgot(struct vici *daemon, const struct connection *c, const char *key)
{
	bool there = true;

	if (*key)
		strongswan_has_key(daemon, key, &there);
	return !(there && strongswan_has(daemon, c->name) &&
		 strongswan_is_ours(daemon, c->name, c)) && !vici_broken(daemon);
}
