// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection/configure.h"
#include "connection/interface.h"
#include "connection/keys.h"
#include "connection/rtnl.h"
#include "connection/rules.h"
#include "connection/runtime.h"
#include "connection/strongswan.h"
#include "error.h"

/* The configuration as text, to detect changes, but for the secret, which is always sent again. */
static char *file_text(const struct connection *c)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		exit(ctl_error(CTL_FAILED, "memory", NULL, "free some", "out of memory"));
	interface_print(out, c);
	strongswan_print(out, c);
	fclose(out);
	return text;
}

bool configure_is_loaded(const struct connection *c)
{
	struct runtime runtime;
	char *text;
	bool same;

	if (!runtime_load(c->name, &runtime) || runtime.lost)
		return false;
	text = file_text(c);
	same = runtime_loaded_is(c->name, text);
	free(text);
	return same;
}

/*
 * The operator may have loaded a connection of that name. If we have loaded one before, the mark
 * may be gone: the operator can clear all secrets.
 */
static int check_daemon(struct vici *daemon, const struct connection *c)
{
	const struct connection *loaded = configure_is_loaded(c) ? c : NULL;
	struct runtime runtime;
	bool ours;

	if (!strongswan_has(daemon, c->name))
		return CTL_OK;
	if (runtime_load(c->name, &runtime) && (runtime.lost || runtime_has_loaded(c->name)))
		ours = strongswan_looks_like(daemon, c->name, loaded);
	else
		ours = strongswan_is_ours(daemon, c->name, NULL);
	/* It has said so. */
	if (vici_broken(daemon))
		return CTL_NO_DAEMON;
	if (ours)
		return CTL_OK;
	return ctl_error(CTL_FAILED, "up", c->name, "give one of the two another name",
			 "strongSwan has a connection of that name, which up has not loaded");
}

/* Others may have an interface of that name. */
static int check_free(const struct connection *c)
{
	struct link link;

	if (!link_find(c->ifname, &link) || interface_is_ours(c->ifname, c->name))
		return CTL_OK;
	return ctl_error(CTL_FAILED, "up", c->name, "choose another with Interface",
			 "interface %s is there and was not made by up", c->ifname);
}

void configure_undo(struct vici *daemon, const char *name, const char *ifname)
{
	char renamed[IFNAMSIZ];

	if (daemon)
		strongswan_remove(daemon, name, NULL, connection_number(name));
	rules_remove(name);
	/* The kernel removes its addresses and routes, too. */
	if (interface_is_ours(ifname, name))
		link_delete(ifname);
	else if (runtime_find_link(name, renamed))
		link_delete(renamed);
	runtime_remove(name);
	keys_sweep(daemon);
}

/* Keeps the result of the last attempt. */
static int write_down(struct vici *daemon, const struct connection *c,
		      const struct credentials *cred)
{
	struct runtime runtime;

	runtime_load(c->name, &runtime);
	runtime.encap_udp = c->encap_udp;
	strcpy(runtime.ifname, c->ifname);
	strcpy(runtime.netns, netns_name());
	strcpy(runtime.key, cred->certs.key_id);
	return keys_hold(daemon, c->name, &runtime);
}

/* Undoes everything on failure. */
static int configure_first(struct vici *daemon, const struct connection *c,
			   const struct credentials *cred)
{
	struct runtime runtime;
	char *text;
	int ret;

	/* An earlier run may have been interrupted. */
	if (runtime_load(c->name, &runtime))
		configure_undo(daemon, c->name, runtime.ifname);
	text = file_text(c);
	ret = write_down(daemon, c, cred) ?: interface_make(c) ?: strongswan_load(daemon, c, cred) ?:
	      runtime_save_loaded("up", c->name, text);
	free(text);
	if (ret)
		configure_undo(daemon, c->name, c->ifname);
	return ret;
}

bool configure_is_current(const struct connection *c)
{
	struct runtime runtime;

	return runtime_load(c->name, &runtime) && !strcmp(runtime.ifname, c->ifname) &&
	       (runtime.lost || configure_is_loaded(c));
}

/*
 * Whether the interface exists, as the file says or said before. An interface that is gone is
 * repaired, unless the file has changed.
 */
static bool is_configured(const struct connection *c)
{
	struct runtime runtime;
	struct link link;

	if (!runtime_load(c->name, &runtime) || !(runtime.lost || runtime_has_loaded(c->name)))
		return false;
	return interface_is_ours(runtime.ifname, c->name) ||
	       (!link_find(runtime.ifname, &link) && configure_is_current(c));
}

/* The interface exists. The daemon may have restarted, and the secret may have changed. */
static int configure_again(struct vici *daemon, const struct connection *c,
			   const struct credentials *cred)
{
	char *text;
	int ret;

	if (!configure_is_current(c))
		return ctl_error(CTL_FAILED, "up", c->name, "first pvsvpnctl down, then up",
				 "its file, or pvsvpnctl itself, has changed since it was brought up");
	ret = check_daemon(daemon, c);
	if (ret)
		return ret;
	text = file_text(c);
	ret = write_down(daemon, c, cred) ?: strongswan_load(daemon, c, cred) ?:
	      runtime_save_loaded("up", c->name, text);
	free(text);
	/* If the certificate was renewed, the old key is no longer needed. */
	keys_sweep(daemon);
	return ret;
}

int configure_mend(const struct connection *c, bool routes)
{
	struct link link;

	if (!configure_is_current(c))
		return CTL_OK;
	if (link_find(c->ifname, &link) && !interface_is_ours(c->ifname, c->name))
		return ctl_error(CTL_FAILED, "up", c->name, "remove it, and ours comes back",
				 "interface %s is not the one that up has made", c->ifname);
	return interface_mend(c, routes);
}

int configure(struct vici *daemon, const struct connection *c,
	      const struct credentials *cred, bool again)
{
	struct runtime runtime;

	if (again && !runtime_load(c->name, &runtime))
		return ctl_error(CTL_FAILED, "up", c->name, "start it again", "it was taken down");
	if (is_configured(c))
		return configure_again(daemon, c, cred);
	return check_free(c) ?: check_daemon(daemon, c) ?: configure_first(daemon, c, cred);
}
