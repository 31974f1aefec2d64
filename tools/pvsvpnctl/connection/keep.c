// SPDX-License-Identifier: GPL-2.0
/* The process that stays: finds a dead peer in time, and begins again. */
#include <inttypes.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "connection/attempt.h"
#include "connection/keep.h"
#include "connection/runtime.h"
#include "connection/strongswan.h"
#include "error.h"

/* Between two looks at the daemon, and while the peer owes it an answer: ms */
#define LOOK_MS 1000
#define LOOK_ASKED_MS 250
/* How often to see that the daemon has not lost a connection whose SAs are there: ms */
#define CHECK_MS 10000

/**
 * struct watch - a connection that is watched over
 * @c: the connection, as its file said last
 * @daemon: the connection to it, or NULL
 * @n: what the daemon had at the last look
 * @is_up: a child SA carries
 * @was_up: it has been so
 * @forgotten: the daemon has lost the connection
 * @checked: when that was asked last, ms
 * @asked: when the peer was first seen to owe an answer, ms, 0 if it does not
 * @packets_in: what it had sent by then
 * @told: what the service manager was told last
 */
struct watch {
	struct connection *c;
	struct vici *daemon;
	struct negotiated n;
	bool is_up;
	bool was_up;
	bool forgotten;
	uint64_t checked;
	uint64_t asked;
	uint64_t packets_in;
	char told[512];
};

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
static void tell_state(struct watch *watch)
{
	struct runtime runtime = { .reason = REASON_NONE };
	const char *name = watch->c->name;
	char text[sizeof(watch->told)];

	if (!watch->is_up)
		runtime_load(name, &runtime);
	if (runtime.reason)
		snprintf(text, sizeof(text), "READY=1\nSTATUS=%s: %s: %s; %s", name,
			 reason_name(runtime.reason), reason_detail(runtime.reason),
			 reason_todo(runtime.reason));
	else
		snprintf(text, sizeof(text), "READY=1\nSTATUS=%s %s", name,
			 watch->is_up ? "is up" : "waits for its peer");
	if (strcmp(text, watch->told))
		tell_manager(text);
	strcpy(watch->told, text);
}

/*
 * Whether nobody will, if we do not. strongSwan asks a silent peer for ever, but one that
 * has refused once, never again.
 */
static bool is_forsaken(const struct watch *watch)
{
	const struct negotiated *n = &watch->n;

	/* With Action = clear, what was up and is no longer is to be let be. */
	if (watch->is_up || !watch->c->initiate || (watch->was_up && !watch->c->dpd_restart))
		return false;
	return !*n->child_state &&
	       (!*n->ike_state || !strcmp(n->ike_state, "ESTABLISHED"));
}

/* A silent daemon has nothing that is up. */
static void look(struct watch *watch)
{
	const char *name = watch->c->name;

	if (watch->daemon && vici_broken(watch->daemon)) {
		vici_close(watch->daemon);
		watch->daemon = NULL;
	}
	if (!watch->daemon)
		watch->daemon = vici_open_quietly("up");
	memset(&watch->n, 0, sizeof(watch->n));
	ctl_error_mute(true);
	watch->is_up = watch->daemon && child_is_up(watch->daemon, name, &watch->n);
	if (!watch->is_up || now_ms() - watch->checked >= CHECK_MS) {
		watch->forgotten = watch->daemon && strongswan_forgot(watch->daemon, name);
		watch->checked = now_ms();
	}
	ctl_error_mute(false);
	watch->was_up |= watch->is_up;
}

/*
 * How long the peer may owe an answer. The daemon asks after an interval without a packet of the
 * peer's, so that this, and the first interval, are the promised time.
 */
static uint64_t patience(const struct connection *c)
{
	uint32_t more = c->dpd_threshold > 1 ? c->dpd_threshold - 1 : 1;

	return 1000ull * c->dpd_interval * more;
}

/*
 * strongSwan repeats a question of IKEv2 at times of its own, the same for all connections, and
 * gives up after minutes. A peer that sends packets is alive, whatever it does not answer.
 */
static bool is_dead(struct watch *watch)
{
	uint64_t now = now_ms();

	if (!watch->is_up || !watch->n.asking || watch->n.packets_in != watch->packets_in) {
		watch->asked = 0;
		watch->packets_in = watch->n.packets_in;
		return false;
	}
	if (!watch->asked)
		watch->asked = now;
	return now - watch->asked >= patience(watch->c);
}

static void drop_dead(struct watch *watch)
{
	printf("%s: the peer has not answered for %" PRIu64 " s, and sent nothing; its SAs go\n",
	       watch->c->name, patience(watch->c) / 1000);
	strongswan_drop(watch->daemon, watch->c->name);
	note_reason(watch->c, REASON_PEER_NOT_RESPONDING);
	watch->asked = 0;
}

/* Reads the file anew: down and up may have come in between. */
static void begin_again(struct watch *watch, unsigned int seconds)
{
	struct connection *c = watch->c, fresh;
	int ret = connection_load("up", c->name, &fresh);

	if (ret) {
		connection_free(&fresh);
		return;
	}
	connection_free(c);
	*c = fresh;
	if (!watch->daemon)
		watch->daemon = vici_open("up", &ret);
	if (watch->daemon && !get_ready(watch->daemon, c, true))
		reach_peer(watch->daemon, c, seconds);
}

void keep(struct connection *c, unsigned int seconds, unsigned int interval)
{
	struct watch watch = { .c = c };
	/* The command has made the first attempt. */
	uint64_t next = now_ms() + interval * 1000ull;
	struct runtime runtime;

	look(&watch);
	while (runtime_load(c->name, &runtime)) {
		tell_state(&watch);
		fflush(stdout);
		poll(NULL, 0, watch.asked ? LOOK_ASKED_MS : LOOK_MS);
		look(&watch);
		if (is_dead(&watch)) {
			drop_dead(&watch);
			look(&watch);
			next = 0;
		}
		if ((watch.forgotten || is_forsaken(&watch)) && now_ms() >= next) {
			begin_again(&watch, seconds);
			look(&watch);
			next = now_ms() + interval * 1000ull;
		}
	}
	vici_close(watch.daemon);
}
