// SPDX-License-Identifier: GPL-2.0
/* Checks a connection for conflicts with the others. */
#include <stdio.h>
#include <string.h>

#include "connection/connection.h"
#include "connection/identity.h"
#include "connection/ini.h"
#include "connection/runtime.h"
#include "connection/subnet.h"
#include "error.h"
#include "print.h"

/* If two routes have the same table and metric, the longer prefix wins, perhaps not as planned. */
static bool routes_meet(const struct connection *c, const struct connection *other,
			const struct subnet **ours, const struct subnet **theirs)
{
	if (!c->routes || !other->routes || c->route_metric != other->route_metric)
		return false;
	for (size_t i = 0; i < c->peer_subnets.count; i++) {
		*ours = &c->peer_subnets.subnet[i];
		for (size_t j = 0; j < other->peer_subnets.count; j++) {
			*theirs = &other->peer_subnets.subnet[j];
			if (connection_table(c, *ours) == connection_table(other, *theirs) &&
			    subnets_overlap(*ours, *theirs))
				return true;
		}
	}
	return false;
}

static const char *line_at(const struct connection *c, unsigned int line)
{
	const struct ini_file file = { .path = c->path };

	return ini_at(&file, line);
}

/* The rules of two would contradict each other. */
static bool both_take_all(const struct connection *a, const struct connection *b)
{
	return (connection_takes_all(a, 4) && connection_takes_all(b, 4)) ||
	       (connection_takes_all(a, 16) && connection_takes_all(b, 16));
}

static int check_other(const char *what, const struct connection *c, const struct connection *other)
{
	char text[FORMAT_MAX], theirs[FORMAT_MAX];
	const struct subnet *a, *b;

	if (!strcmp(c->ifname, other->ifname))
		return ctl_error(CTL_FAILED, what, line_at(c, c->line.section), "choose another",
				 "Interface %s is that of %s", c->ifname, other->path);
	if (connection_if_id(c) == connection_if_id(other))
		return ctl_error(CTL_FAILED, what, line_at(c, c->line.section),
				 "give IfID another number",
				 "if_id 0x%x is that of %s", connection_if_id(c), other->path);
	if (both_take_all(c, other))
		return ctl_error(CTL_FAILED, what, line_at(c, c->line.peer_subnets),
				 "give one of the two a RouteTable, and rules of your own",
				 "PeerSubnets: %s:%u takes everything, too", other->path,
				 other->line.peer_subnets);
	if (!routes_meet(c, other, &a, &b))
		return CTL_OK;
	return ctl_error(CTL_FAILED, what, line_at(c, c->line.peer_subnets),
			 "give one of the two a RouteMetric or RouteTable of its own",
			 "PeerSubnets: %s overlaps %s of %s:%u", format_subnet(text, a),
			 format_subnet(theirs, b), other->path, other->line.peer_subnets);
}

static bool same_identities(const struct connection *a, const struct connection *b)
{
	return (identity_is_same(&a->local_identity, &b->local_identity) &&
		identity_is_same(&a->peer_identity, &b->peer_identity)) ||
	       (identity_is_same(&a->local_identity, &b->peer_identity) &&
		identity_is_same(&a->peer_identity, &b->local_identity));
}

/* An IKE daemon finds the secret by the two identities alone. */
static int check_secrets(const char *what, const struct connection *c,
			 const struct connection *other)
{
	struct secret ours, theirs;
	bool differ;

	if (c->by_certificate || other->by_certificate || !same_identities(c, other))
		return CTL_OK;
	ctl_error_mute(true);
	differ = !secret_load(what, c, &ours) && !secret_load(what, other, &theirs) &&
		 (ours.len != theirs.len || memcmp(ours.text, theirs.text, ours.len));
	ctl_error_mute(false);
	secret_wipe(&ours);
	secret_wipe(&theirs);
	if (!differ)
		return CTL_OK;
	return ctl_error(CTL_FAILED, what, line_at(c, c->line.section),
			 "give both the same secret, or one of them another LocalIdentity",
			 "%s and %s have the same identities and different secrets", c->path,
			 other->path);
}

/* The outer packets must not go into the tunnel of another connection. */
static int check_path_of_other(const char *what, const struct connection *c,
			       const struct connection *other)
{
	const struct subnet *in = subnet_list_find(&other->peer_subnets, &c->peer_gateway.addr);
	char text[FORMAT_MAX], addr[FORMAT_MAX];

	if (!in || !other->routes || (other->route_table && other->route_table != TABLE_MAIN))
		return CTL_OK;
	return ctl_error(CTL_FAILED, what, line_at(c, c->line.peer_gateway),
			 "leave the gateway's address out of the other's PeerSubnets",
			 "PeerGateway %s is in %s of %s:%u, so the outer packets would go into that tunnel",
			 format_addr(addr, &c->peer_gateway.addr), format_subnet(text, in),
			 other->path, other->line.peer_subnets);
}

int connection_check_others(const char *what, const struct connection *c)
{
	struct connection other;
	struct runtime runtime;
	int ret = CTL_OK;
	char **names;
	size_t count = connection_names(&names);

	ctl_error_mute(true);
	for (size_t i = 0; i < count && !ret; i++) {
		if (!strcmp(names[i], c->name))
			continue;
		if (!connection_load(what, names[i], &other)) {
			ctl_error_mute(false);
			ret = check_other(what, c, &other) ?:
			      check_path_of_other(what, c, &other);
			/* A connection that is up must keep working. */
			if (!ret && runtime_load(other.name, &runtime))
				ret = check_path_of_other(what, &other, c);
			ret = ret ?: check_secrets(what, c, &other);
			ctl_error_mute(true);
		}
		connection_free(&other);
	}
	ctl_error_mute(false);
	connection_names_free(names, count);
	return ret;
}
