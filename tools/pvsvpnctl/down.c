// SPDX-License-Identifier: GPL-2.0
/* down: undoes what up has done. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "connection/configure.h"
#include "connection/connection.h"
#include "connection/runtime.h"
#include "connection/strongswan.h"
#include "connection/vici.h"
#include "error.h"

/* Without its configuration, what is ended is not begun again. */
static int leave_daemon(struct vici *daemon, const char *name)
{
	int ret;

	if (!daemon) {
		printf("strongSwan does not answer, so it is not told\n");
		return CTL_OK;
	}
	ret = strongswan_unload(daemon, name);
	strongswan_terminate(daemon, name);
	return ret;
}

/* A daemon that is not there holds nothing that could be taken away. */
static struct vici *open_quietly(void)
{
	struct vici *daemon;
	int ret;

	ctl_error_mute(true);
	daemon = vici_open("down", &ret);
	ctl_error_mute(false);
	return daemon;
}

/* With the lock */
static int take_down(const char *name)
{
	struct runtime runtime;
	struct vici *daemon;
	int ret;

	if (!runtime_load(name, &runtime)) {
		printf("%s is not up\n", name);
		return CTL_OK;
	}
	daemon = open_quietly();
	ret = leave_daemon(daemon, name);
	configure_undo(daemon, name, runtime.ifname);
	vici_close(daemon);
	if (!ret)
		printf("%s is down\n", name);
	return ret;
}

static int down(const char *name)
{
	int ret = runtime_lock("down", name);

	if (!ret)
		ret = take_down(name);
	runtime_unlock();
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
	return down(argv[0]);
}

const struct command command_down = {
	.name = "down",
	.args = "NAME",
	.help = "Undoes what up has done: ends the SAs, takes the connection out of strongSwan, and\n"
		"removes the interface with its addresses and routes. The file may be gone already.\n",
	.run = run_down,
};
