// SPDX-License-Identifier: GPL-2.0
/* up: brings up a connection as its file says. */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "command.h"
#include "connection/attempt.h"
#include "connection/configure.h"
#include "connection/connection.h"
#include "connection/keep.h"
#include "connection/runtime.h"
#include "connection/vici.h"
#include "error.h"
#include "netns.h"

/* Default time limit for the peer: seconds */
#define UP_TIMEOUT 30

/* @mended: result of the repair, as the peer may be reached even if it fails */
static int up(struct connection *c, unsigned int seconds, unsigned int interval, int *mended)
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
	*mended = mend_changed(c);
	if (!interval && c->initiate)
		printf("if the peer ends the connection and then refuses it, nobody asks again: run pvsvpnctl up %s, or let pvsvpn@%s.service do it\n",
		       c->name, c->name);
	ret = reach_peer(daemon, c, seconds);
	vici_close(daemon);
	if (!interval)
		return ret;
	keep(c, seconds, interval);
	return CTL_OK;
}

static int up_one(const char *name, unsigned int seconds, unsigned int interval, int *mended)
{
	bool came = *netns_name();
	struct connection c;
	int ret = connection_load("up", name, &c);

	*mended = CTL_OK;
	if (!ret)
		ret = runtime_enter("up", c.name);
	if (!ret)
		ret = connection_check_others("up", &c);
	if (!ret)
		ret = up(&c, seconds, interval, mended);
	connection_free(&c);
	/* The next command of a batch is not for that namespace. */
	if (!came)
		netns_enter("");
	return ret;
}

/* How long a daemon takes that does not hang: ms. One that is started anew refuses at once. */
#define ANSWER_MS 2000

static bool daemon_hangs(void)
{
	uint64_t begun = now_ms();
	struct vici *daemon = vici_open_quietly("up");

	ctl_error_mute(true);
	if (daemon)
		vici_order(daemon, "version", NULL, NULL);
	ctl_error_mute(false);
	vici_close(daemon);
	return now_ms() - begun >= ANSWER_MS;
}

/* Each would wait for a daemon that does not answer. */
static int skip(const char *name)
{
	return ctl_error(CTL_NO_DAEMON, "up", name, "systemctl restart strongswan",
			 "not brought up, as strongSwan does not answer");
}

/* Starts all attempts first, then waits for all peers together. */
static int up_all(unsigned int seconds)
{
	char **names;
	size_t count = connection_names(&names);
	uint64_t deadline = now_ms() + seconds * 1000ull;
	int ret = connection_check_names("up"), *begun = ctl_alloc(NULL, (count + 1) * sizeof(*begun));
	bool silent = false;
	int mended;

	for (size_t i = 0; i < count; i++) {
		begun[i] = silent ? skip(names[i]) : up_one(names[i], 0, 0, &mended);
		silent = silent || (begun[i] == CTL_NO_DAEMON && daemon_hangs());
		ret = begun[i] ?: mended ?: ret;
	}
	for (size_t i = 0; i < count && seconds; i++)
		if (!begun[i] && !silent) {
			begun[i] = up_one(names[i], seconds_until(deadline) ?: 1, 0, &mended);
			silent = begun[i] == CTL_NO_DAEMON && daemon_hangs();
			ret = begun[i] ?: ret;
		}
	free(begun);
	if (!count && !ret)
		ret = ctl_error(CTL_FAILED, "up", connection_dir(), "see pvsvpn.conf(5)",
				"no connection there");
	connection_names_free(names, count);
	return ret;
}

struct up_values {
	uint32_t seconds;
	uint32_t interval;
};

static const struct param up_table[] = {
	{ .key = "timeout", .arg = "SECONDS", .parse = parse_u32,
	  .offset = offsetof(struct up_values, seconds) },
	{ .key = "keep", .arg = "SECONDS", .parse = parse_u32,
	  .offset = offsetof(struct up_values, interval) },
};

static const struct params up_params = { up_table, 2, 0 };

static int run_up(const struct options *options, int argc, char **argv)
{
	struct up_values values = { .seconds = UP_TIMEOUT };
	int ret = CTL_OK, mended;

	(void)options;
	if (argc)
		ret = parse_params("up", argc - 1, argv + 1, 0, &up_params, &values, NULL);
	if (!ret)
		ret = may_read("up", connection_dir());
	if (ret)
		return ret;
	if (!argc)
		return up_all(values.seconds);
	ret = up_one(argv[0], values.seconds, values.interval, &mended);
	return ret ?: values.interval ? CTL_OK : mended;
}

const struct command command_up = {
	.name = "up",
	.args = "[NAME [timeout SECONDS] [keep SECONDS]]",
	.help = "Brings a connection up as /etc/pvsvpn/NAME.conf says, or all of them: makes the interface,\n"
		"adds the routes, loads the connection into strongSwan, and waits for the peer. If the peer does\n"
		"not agree it says why, and the connection stays configured. Harmless when it is up.\n\n"
		"  timeout SECONDS  how long to wait for the peer, 30 by default; 0 not to wait\n"
		"  keep SECONDS     stay until down, and try again so long after an attempt that has failed,\n"
		"                   and when the peer has ended it: for pvsvpn@NAME.service\n",
	.run = run_up,
};
