// SPDX-License-Identifier: GPL-2.0
/* From a file to a child SA: what "up" does once, and "keep" again and again. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "connection/attempt.h"
#include "connection/configure.h"
#include "connection/credentials.h"
#include "connection/path.h"
#include "connection/runtime.h"
#include "error.h"
#include "print.h"

bool child_is_up(struct vici *daemon, const char *name, struct negotiated *n)
{
	return !strongswan_ask(daemon, name, n) && strongswan_carries(n);
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

/* Starts no second attempt while the daemon is making one. */
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
	/* The time may be over by now, and 0 seconds would mean not to wait. */
	if (seconds && now_ms() >= deadline)
		return REASON_PEER_NOT_RESPONDING;
	reason = strongswan_initiate(daemon, c, seconds_until(deadline));
	return reason && came_anyway(daemon, c, reason) ? REASON_NONE : reason;
}

/* Another process may be connecting the same connection: one attempt is enough. */
static enum reason connect_peer(struct vici *daemon, const struct connection *c,
				unsigned int seconds)
{
	uint64_t deadline = now_ms() + seconds * 1000ull;
	enum reason reason = REASON_NONE;
	struct negotiated n;
	int fd;

	/* If the caller does not wait, a running attempt is enough. */
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

int note_reason(const struct connection *c, enum reason reason)
{
	struct runtime runtime;
	int ret = runtime_lock("up", c->name);

	if (ret)
		return ret;
	if (!runtime_load(c->name, &runtime)) {
		ret = ctl_error(CTL_FAILED, "up", c->name, "start it again", "it was taken down");
	} else if (!runtime.lost) {
		runtime.reason = reason;
		ret = runtime_save("up", c->name, &runtime);
	}
	runtime_unlock();
	return ret;
}

bool follow_name(struct connection *c, const struct negotiated *n)
{
	struct addr addr;

	if (!*c->peer_gateway.host || parse_addr(n->remote, &addr) ||
	    !memcmp(&addr, &c->peer_gateway.addr, sizeof(addr)))
		return false;
	c->peer_gateway.addr = addr;
	return true;
}

int mend_changed(const struct connection *c)
{
	int ret = runtime_lock("up", c->name) ?: configure_mend(c, true);

	runtime_unlock();
	return ret;
}

int reach_peer(struct vici *daemon, struct connection *c, unsigned int seconds)
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
		       *c->peer_gateway.host ? c->peer_gateway.host :
		       format_addr(addr, &c->peer_gateway.addr), c->ike.version, seconds);
		fflush(stdout);
		reason = connect_peer(daemon, c, seconds);
		if (reason == REASON_PEER_NOT_RESPONDING || reason == REASON_INTERNAL_ERROR)
			reason = path_reason(c) ?: reason;
	}
	/* The error was printed, and nothing is known about the peer. */
	if (vici_broken(daemon))
		return CTL_NO_DAEMON;
	ret = note_reason(c, reason);
	if (ret)
		return ret;
	if (reason)
		return ctl_error(CTL_FAILED, "up", c->name, reasons[reason].todo, "%s: %s",
				 reasons[reason].name, reasons[reason].detail);
	if (!child_is_up(daemon, c->name, &n)) {
		printf("%s has begun, and nobody waits for its peer\n", c->name);
		return CTL_OK;
	}
	/* If the peer is given by name, its address is known only now. */
	if (follow_name(c, &n))
		ret = mend_changed(c);
	printf("%s is up\n", c->name);
	return ret;
}

int get_ready(struct vici *daemon, const struct connection *c, bool again)
{
	struct credentials cred;
	int ret = credentials_load("up", c, &cred) ?: strongswan_check(daemon, "up", c) ?:
		  runtime_lock("up", c->name) ?: configure(daemon, c, &cred, again);

	credentials_wipe(&cred);
	runtime_unlock();
	return ret;
}
