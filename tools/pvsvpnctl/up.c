// SPDX-License-Identifier: GPL-2.0
/* up: a connection by its file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "connection/configure.h"
#include "connection/connection.h"
#include "connection/runtime.h"
#include "connection/strongswan.h"
#include "connection/vici.h"
#include "error.h"
#include "netns.h"
#include "print.h"

/* How long the peer has, unless the command says otherwise: seconds */
#define UP_TIMEOUT 30

/* ---- the peer ---- */

static bool child_is_up(struct vici *daemon, const char *name, struct negotiated *n)
{
	return !strongswan_ask(daemon, name, n) && !strcmp(n->child_state, "INSTALLED");
}

static bool has_begun(const struct negotiated *n)
{
	return *n->ike_state && strcmp(n->ike_state, "ESTABLISHED");
}

/* If both ends begin at once, one of two attempts fails, and the connection comes up. */
#define COLLISION_SECONDS 3

static bool came_anyway(struct vici *daemon, const struct connection *c, enum reason reason)
{
	int tries = reason == REASON_INTERNAL_ERROR ? COLLISION_SECONDS : 0;
	struct negotiated n;

	while (!child_is_up(daemon, c->name, &n)) {
		if (!tries-- || vici_broken(daemon))
			return false;
		sleep(1);
	}
	return true;
}

/* If the daemon is at it already, another attempt would be one too many. */
static enum reason attempt(struct vici *daemon, const struct connection *c,
			   unsigned int seconds, uint64_t deadline)
{
	enum reason reason;
	struct negotiated n;

	for (;;) {
		if (child_is_up(daemon, c->name, &n))
			return REASON_NONE;
		if (!has_begun(&n))
			break;
		if (now_ms() >= deadline)
			return REASON_PEER_NOT_RESPONDING;
		sleep(1);
	}
	/* The time may be over by now, and 0 would be not to wait. */
	if (seconds && now_ms() >= deadline)
		return REASON_PEER_NOT_RESPONDING;
	reason = strongswan_initiate(daemon, c, seconds_until(deadline));
	return reason && came_anyway(daemon, c, reason) ? REASON_NONE : reason;
}

/* Another process may be at it for the same connection: one attempt is enough. */
static enum reason connect_peer(struct vici *daemon, const struct connection *c,
				unsigned int seconds)
{
	uint64_t deadline = now_ms() + seconds * 1000ull;
	enum reason reason = REASON_NONE;
	struct negotiated n;
	int fd;

	/* Nobody waits: that somebody is at it is enough. */
	if (!seconds && (child_is_up(daemon, c->name, &n) || has_begun(&n)))
		return REASON_NONE;
	fd = runtime_attempt(c->name, deadline);
	if (fd >= 0)
		reason = attempt(daemon, c, seconds, deadline);
	else if (seconds && !child_is_up(daemon, c->name, &n))
		reason = REASON_PEER_NOT_RESPONDING;
	if (fd >= 0)
		close(fd);
	return reason;
}

/* Unless it was taken down meanwhile */
static int note(const struct connection *c, enum reason reason)
{
	struct runtime runtime;
	int ret = runtime_lock("up", c->name);

	if (ret)
		return ret;
	if (!runtime_load(c->name, &runtime)) {
		ret = ctl_error(CTL_FAILED, "up", c->name, "start it again",
				"it was taken down");
	} else {
		runtime.reason = reason;
		ret = runtime_save("up", c->name, &runtime);
	}
	runtime_unlock();
	return ret;
}

static int reach_peer(struct vici *daemon, const struct connection *c, unsigned int seconds)
{
	enum reason reason = REASON_NONE;
	struct negotiated n;
	char addr[FORMAT_MAX];
	int ret;

	if (!child_is_up(daemon, c->name, &n)) {
		if (!c->initiate) {
			printf("%s waits for its peer\n", c->name);
			return CTL_OK;
		}
		printf("connecting to %s by IKEv%u, for at most %u s\n",
		       format_addr(addr, &c->peer_gateway), c->ike.version, seconds);
		fflush(stdout);
		reason = connect_peer(daemon, c, seconds);
	}
	/* It has said so, and nothing is known of the peer. */
	if (vici_broken(daemon))
		return CTL_NO_DAEMON;
	ret = note(c, reason);
	if (ret)
		return ret;
	if (reason)
		return ctl_error(CTL_FAILED, "up", c->name, reason_todo(reason), "%s",
				 reason_name(reason));
	printf(child_is_up(daemon, c->name, &n) ? "%s is up\n" :
	       "%s has begun, and nobody waits for its peer\n", c->name);
	return CTL_OK;
}

/* Configured, and loaded into the daemon */
static int ready(struct vici *daemon, const struct connection *c, bool again)
{
	struct secret secret;
	int ret = secret_load("up", c, &secret);

	if (!ret)
		ret = strongswan_check(daemon, "up", c);
	if (!ret)
		ret = runtime_lock("up", c->name);
	if (!ret)
		ret = configure(daemon, c, &secret, again);
	secret_wipe(&secret);
	runtime_unlock();
	return ret;
}

/* ---- keep ---- */

/* What sd_notify(3) does; nothing where no service manager has started us. */
static void tell_manager(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd;

	if (!path || (*path != '/' && *path != '@') || strlen(path) >= sizeof(to.sun_path))
		return;
	strcpy(to.sun_path, path);
	/* A name of the abstract kind */
	if (*path == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to,
		   offsetof(struct sockaddr_un, sun_path) + strlen(path)) < 0)
		perror("up: NOTIFY_SOCKET");
	close(fd);
}

/* The first attempt has ended, well or not: what waits for the connection need not longer. */
static void tell_state(const struct connection *c, bool is_up)
{
	struct runtime runtime = { .reason = REASON_NONE };
	char text[512];

	if (!is_up)
		runtime_load(c->name, &runtime);
	if (runtime.reason)
		snprintf(text, sizeof(text), "READY=1\nSTATUS=%s: %s; %s", c->name,
			 reason_name(runtime.reason), reason_todo(runtime.reason));
	else
		snprintf(text, sizeof(text), "READY=1\nSTATUS=%s %s", c->name,
			 is_up ? "is up" : "waits for its peer");
	tell_manager(text);
}

/*
 * Whether nobody will, if we do not. strongSwan asks a silent peer for ever, but one that
 * has refused once, never again.
 */
static bool is_forsaken(const struct connection *c, const struct negotiated *n, bool was_up)
{
	/* With Action = clear, what was up and is no longer is to be let be. */
	if (!c->initiate || (was_up && !c->dpd_restart))
		return false;
	return !*n->child_state &&
	       (!*n->ike_state || !strcmp(n->ike_state, "ESTABLISHED"));
}

/* A silent daemon has nothing that is up. *@forgotten: the daemon has lost the connection. */
static bool look(const struct connection *c, struct negotiated *n, bool *forgotten)
{
	int ret;
	struct vici *daemon = vici_open("up", &ret);
	bool is_up;

	memset(n, 0, sizeof(*n));
	is_up = daemon && child_is_up(daemon, c->name, n);
	*forgotten = daemon && strongswan_forgot(daemon, c->name);
	vici_close(daemon);
	return is_up;
}

/* Reads the file anew: down and up may have come in between. */
static void begin_again(struct connection *c, unsigned int seconds)
{
	struct connection fresh;
	struct vici *daemon;
	int ret = connection_load("up", c->name, &fresh);

	if (ret) {
		connection_free(&fresh);
		return;
	}
	connection_free(c);
	*c = fresh;
	daemon = vici_open("up", &ret);
	if (daemon && !ready(daemon, c, true))
		reach_peer(daemon, c, seconds);
	vici_close(daemon);
}

/* Until "down" */
static void keep(struct connection *c, unsigned int seconds, unsigned int interval)
{
	struct negotiated n;
	struct runtime runtime;
	bool forgotten, is_up = look(c, &n, &forgotten), was_up = false;

	while (runtime_load(c->name, &runtime)) {
		tell_state(c, is_up);
		fflush(stdout);
		sleep(interval);
		was_up |= is_up;
		is_up = look(c, &n, &forgotten);
		if (forgotten || (!is_up && is_forsaken(c, &n, was_up))) {
			begin_again(c, seconds);
			is_up = look(c, &n, &forgotten);
		}
	}
}

static int up(struct connection *c, unsigned int seconds, unsigned int interval)
{
	int ret;
	struct vici *daemon = vici_open("up", &ret);

	if (!daemon)
		return ret;
	ret = ready(daemon, c, false);
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
