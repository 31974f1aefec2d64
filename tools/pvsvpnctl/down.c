// SPDX-License-Identifier: GPL-2.0
/* down: undoes "up". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "connection/configure.h"
#include "connection/connection.h"
#include "connection/keys.h"
#include "connection/runtime.h"
#include "connection/strongswan.h"
#include "connection/vici.h"
#include "error.h"
#include "netns.h"

/*
 * Another connection of that name, which the operator has loaded, stays. If the file has changed
 * since, the daemon's connection is judged by its names alone.
 *
 * Return: the result of strongswan_remove().
 */
static int take_out(struct vici *daemon, const char *name)
{
	struct connection c;
	bool has_file = !connection_load("down", name, &c);
	uint32_t if_id = has_file ? connection_if_id(&c) : connection_number(name);
	int ret = strongswan_remove(daemon, name, has_file && configure_is_loaded(&c) ? &c : NULL,
				    if_id);

	connection_free(&c);
	return ret;
}

/* A daemon that does not answer keeps the connection. The next "up" or "down" finds it there. */
static void leave_daemon(struct vici *daemon, const char *name)
{
	bool told, stays;

	ctl_error_mute(true);
	told = daemon && !take_out(daemon, name);
	stays = told && strongswan_has(daemon, name);
	ctl_error_mute(false);
	if (!told)
		printf("strongSwan does not answer, so it is not told\n");
	if (stays)
		printf("strongSwan keeps its connection %s, which up has not loaded\n", name);
}

/* An unknown name is an error. */
static int was_not_up(const char *name)
{
	char *path;
	bool has_file;

	if (!strcmp(name, POLICIES))
		return ctl_error(CTL_USAGE, "down", name, "pvsvpnctl status lists the connections",
				 "that file holds policies, no connection");
	if (asprintf(&path, "%s/%s.conf", connection_dir(), name) < 0)
		return ctl_error(CTL_FAILED, "down", name, "free some", "out of memory");
	has_file = !access(path, F_OK);
	free(path);
	if (!has_file)
		return ctl_error(CTL_FAILED, "down", name, "pvsvpnctl status lists them",
				 "no such connection: it is not up, and has no file in %s",
				 connection_dir());
	printf("%s is not up\n", name);
	return CTL_OK;
}

/* The caller must hold runtime_lock(). */
static int take_down(struct vici *daemon, const char *name)
{
	struct runtime runtime;
	bool is_there = runtime_load(name, &runtime);

	if (!is_there && !(daemon && strongswan_is_ours(daemon, name, NULL)))
		return was_not_up(name);
	leave_daemon(daemon, name);
	configure_undo(NULL, name, runtime.ifname);
	keys_sweep(daemon);
	printf("%s is down\n", name);
	return CTL_OK;
}

static int down(const char *name)
{
	bool came = *netns_name();
	int ret = runtime_lock("down", name);
	struct vici *daemon;

	if (ret)
		return ret;
	daemon = vici_open_quietly("down");
	/* If its namespace is gone, the interface is gone too. */
	if (!came)
		ctl_error_mute(true);
	ret = runtime_enter("down", name);
	if (!came)
		ctl_error_mute(false);
	if (!ret || !came)
		ret = take_down(daemon, name);
	vici_close(daemon);
	runtime_unlock();
	/* The next command of a batch is not for that namespace. */
	if (!came)
		netns_enter("");
	return ret;
}

static int run_down(const struct options *options, int argc, char **argv)
{
	(void)options;
	if (argc != 1)
		return ctl_error(CTL_USAGE, "down", argc ? argv[1] : "NAME",
				 "pvsvpnctl status lists them",
				 argc ? "too many words" : "name missing");
	if (strchr(argv[0], '/') || strlen(argv[0]) > CONNECTION_NAME_MAX)
		return ctl_error(CTL_USAGE, "down", argv[0], "pvsvpnctl status lists them",
				 "no name of a connection");
	return may_read("down", connection_dir()) ?: runtime_may_read("down") ?: down(argv[0]);
}

const struct command command_down = {
	.name = "down",
	.args = "NAME",
	.help = "Undoes what up has done: ends the SAs, takes the connection out of strongSwan, and\n"
		"removes the interface with its addresses and routes. The file may be gone already.\n",
	.run = run_down,
};
