// SPDX-License-Identifier: GPL-2.0
/* up: a connection by its file. */
#include <stdio.h>

#include "command.h"
#include "connection/attempt.h"
#include "connection/connection.h"
#include "connection/keep.h"
#include "connection/runtime.h"
#include "connection/vici.h"
#include "error.h"
#include "netns.h"

/* How long the peer has, unless the command says otherwise: seconds */
#define UP_TIMEOUT 30

static int up(struct connection *c, unsigned int seconds, unsigned int interval)
{
	int ret;
	struct vici *daemon = vici_open("up", &ret);

	if (!daemon)
		return ret;
	ret = get_ready(daemon, c, false);
	if (ret) {
		vici_close(daemon);
		return ret;
	}
	if (!interval && c->initiate)
		printf("a peer that ends it and refuses then is not asked again; pvsvpnctl up %s would, and so does pvsvpn@%s.service by itself\n",
		       c->name, c->name);
	ret = reach_peer(daemon, c, seconds);
	vici_close(daemon);
	if (!interval)
		return ret;
	keep(c, seconds, interval);
	return CTL_OK;
}

static int run_up(const struct options *options, int argc, char **argv)
{
	uint32_t seconds = UP_TIMEOUT, interval = 0;
	struct param params[] = {
		{ .key = "timeout", .parse = parse_u32, .value = &seconds },
		{ .key = "keep", .parse = parse_u32, .value = &interval },
	};
	bool came = *netns_name();
	struct connection c;
	int ret;

	(void)options;
	if (!argc)
		return ctl_error(CTL_USAGE, "up", "NAME", "pvsvpnctl status lists them",
				 "name missing");
	ret = parse_params("up", argc - 1, argv + 1, params, 2);
	if (!ret)
		ret = may_read("up", connection_dir());
	if (ret)
		return ret;
	ret = connection_load("up", argv[0], &c);
	if (!ret)
		ret = runtime_enter("up", c.name);
	if (!ret)
		ret = connection_check_others("up", &c);
	if (!ret)
		ret = up(&c, seconds, interval);
	connection_free(&c);
	/* The next command of a batch is not for that namespace. */
	if (!came)
		netns_enter("");
	return ret;
}

const struct command command_up = {
	.name = "up",
	.args = "NAME [timeout SECONDS] [keep SECONDS]",
	.help = "Brings a connection up as /etc/pvsvpn/NAME.conf says: makes the interface, loads the\n"
		"connection into strongSwan, adds the routes, and waits for the peer. If the peer does\n"
		"not agree it says why, and the connection stays configured. Harmless when it is up.\n\n"
		"  timeout SECONDS  how long to wait for the peer, 30 by default; 0 not to wait\n"
		"  keep SECONDS     stay until down, and try again so long after an attempt that has failed,\n"
		"                   and when the peer has ended it: for pvsvpn@NAME.service\n",
	.run = run_up,
};
