// SPDX-License-Identifier: GPL-2.0
/* The process that stays: detects a dead peer, reconnects, and repairs what others change. */
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
#include "connection/configure.h"
#include "connection/interface.h"
#include "connection/keep.h"
#include "connection/news.h"
#include "connection/rtnl.h"
#include "connection/runtime.h"
#include "connection/step.h"
#include "connection/strongswan.h"
#include "error.h"
#include "nl.h"

/* Time between two looks at the daemon; and while the peer owes it an answer: ms */
#define LOOK_MS 1000
#define LOOK_ASKED_MS 250
/* strongSwan retransmits an IKEv2 request after 4 s: one lost packet is no dead peer. ms */
#define PATIENCE_MIN_MS 6000
/*
 * How often to check that the daemon has not lost a connection with SAs, and that the interface is
 * as it was made: ms. The kernel reports most of these changes at once.
 */
#define CHECK_MS 10000
/* The same for routes, for which the kernel walks their whole table: ms */
#define ROUTES_MS 60000
/* There is one repair in REPAIR_MS, after a burst of up to REPAIRS: ms */
#define REPAIR_MS 10000ull
#define REPAIRS 20

/**
 * struct watch - a connection that is watched over
 * @c: the connection, as last read from its file
 * @daemon: the connection to strongSwan, or NULL
 * @events: the connection over which strongSwan sends events, or NULL
 * @alerts: @events includes alerts about failed attempts
 * @no_alerts: the daemon does not support alerts
 * @news: events since the last look
 * @n: state in the daemon at the last look
 * @is_up: a child SA carries traffic
 * @was_up: @is_up was true once
 * @forgotten: the daemon has lost the connection
 * @checked: when @forgotten was last checked, ms; 0 to check it with the next look
 * @owed: for how long the peer has owed an answer, ms
 * @looked: when the last look was, ms
 * @packets_in: packets from the peer by then
 * @told: the last text for the service manager
 * @changes: socket for the kernel's events of links, addresses and routes, or NULL
 * @changed: another program may have changed something of ours
 * @mended: when the interface was last checked and repaired, ms
 * @routes_seen: when the routes were last checked, ms
 * @paid: end of the time that earlier repairs have used, REPAIR_MS each, ms
 * @failed: why the last repair failed, "" if it succeeded
 * @steps: the steps of the last repair
 */
struct watch {
	struct connection *c;
	struct vici *daemon;
	struct vici *events;
	bool alerts;
	bool no_alerts;
	struct news news;
	struct negotiated n;
	bool is_up;
	bool was_up;
	bool forgotten;
	uint64_t checked;
	uint64_t owed;
	uint64_t looked;
	uint64_t packets_in;
	char told[512];
	struct nl *changes;
	bool changed;
	uint64_t mended;
	uint64_t routes_seen;
	uint64_t paid;
	char failed[256];
	char *steps;
};

/* The same as sd_notify(3). It does nothing if no service manager has started us. */
static void tell_manager(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd;

	if (!path || (*path != '/' && *path != '@') || strlen(path) >= sizeof(to.sun_path))
		return;
	strcpy(to.sun_path, path);
	/* An abstract socket name */
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

/* READY=1 even if the first attempt failed: the manager then starts the units that wait for us. */
static void tell_state(struct watch *watch)
{
	struct runtime runtime = { .reason = REASON_NONE };
	const char *name = watch->c->name;
	char text[sizeof(watch->told)];

	if (!watch->is_up)
		runtime_load(name, &runtime);
	if (runtime.reason)
		snprintf(text, sizeof(text), "READY=1\nSTATUS=%s: %s: %s; %s", name,
			 reasons[runtime.reason].name, reasons[runtime.reason].detail,
			 reasons[runtime.reason].todo);
	else
		snprintf(text, sizeof(text), "READY=1\nSTATUS=%s %s", name,
			 watch->is_up ? "is up" : "waits for its peer");
	if (strcmp(text, watch->told))
		tell_manager(text);
	strcpy(watch->told, text);
}

/*
 * Whether we must reconnect. strongSwan retries a silent peer for ever, but never retries a peer
 * that has refused.
 */
static bool is_forsaken(const struct watch *watch)
{
	const struct negotiated *n = &watch->n;

	/* With Action = clear, do not reconnect once the connection was up. */
	if (watch->is_up || !watch->c->initiate || (watch->was_up && !watch->c->dpd_restart))
		return false;
	return !*n->child_state &&
	       (!*n->ike_state || !strcmp(n->ike_state, "ESTABLISHED"));
}

static void end_events(struct watch *watch)
{
	vici_close(watch->events);
	watch->events = NULL;
	watch->alerts = false;
}

/* Reopens broken connections, as the daemon may have restarted. */
static void find_daemon(struct watch *watch)
{
	if (watch->daemon && vici_broken(watch->daemon)) {
		vici_close(watch->daemon);
		watch->daemon = NULL;
	}
	if (!watch->daemon) {
		watch->daemon = vici_open_quietly("up");
		watch->no_alerts = false;
	}
	if (watch->events && vici_broken(watch->events))
		end_events(watch);
	if (watch->daemon && !watch->events)
		watch->events = news_listen();
}

/* If the daemon does not answer, the connection is not up. */
static void look(struct watch *watch)
{
	const char *name = watch->c->name;
	struct runtime runtime;

	find_daemon(watch);
	memset(&watch->n, 0, sizeof(watch->n));
	ctl_error_mute(true);
	watch->is_up = watch->daemon && child_is_up(watch->daemon, name, &watch->n);
	if (!watch->is_up || !watch->checked || now_ms() - watch->checked >= CHECK_MS) {
		runtime_load(name, &runtime);
		watch->forgotten = watch->daemon &&
				   strongswan_forgot(watch->daemon, watch->c, runtime.key);
		watch->checked = now_ms();
	}
	ctl_error_mute(false);
	/* While the connection is up, failed attempts do not matter. */
	if (watch->events && !watch->no_alerts && watch->alerts == watch->is_up) {
		watch->alerts = !watch->is_up;
		watch->no_alerts = !news_listen_alerts(watch->events, watch->alerts);
	}
	watch->was_up |= watch->is_up;
	watch->changed |= watch->is_up && follow_name(watch->c, &watch->n);
}

/*
 * How long the peer may owe an answer, in ms. The daemon asks one to two intervals after the peer's
 * last packet, as it counts in whole seconds. We see the request one look later, and a busy host
 * takes another second. The rest of the promised time is left.
 */
static uint64_t patience(const struct connection *c)
{
	uint64_t left = 1000ull * c->dpd_interval * (c->dpd_threshold - 1);

	return left > PATIENCE_MIN_MS + 2 * LOOK_MS ? left - 2 * LOOK_MS : PATIENCE_MIN_MS;
}

/*
 * strongSwan retransmits IKEv2 requests at fixed times, the same for all connections, and gives up
 * after minutes. A peer that sends packets is alive, even if it does not answer.
 */
static bool is_dead(struct watch *watch)
{
	uint64_t now = now_ms(), since = now - watch->looked;

	watch->looked = now;
	if (!watch->is_up || !watch->n.asking || watch->n.packets_in != watch->packets_in) {
		watch->owed = 0;
		watch->packets_in = watch->n.packets_in;
		return false;
	}
	/* Time in which we or the daemon stood still is not the peer's silence. */
	watch->owed += since < LOOK_MS ? since : LOOK_MS;
	return watch->owed >= patience(watch->c);
}

static void drop_dead(struct watch *watch)
{
	watch->owed = 0;
	if (strongswan_drop(watch->daemon, watch->n.ike_id))
		return;
	printf("%s: the peer has not answered for %" PRIu64 " s, and sent nothing; its SAs are dropped\n",
	       watch->c->name, patience(watch->c) / 1000);
	note_reason(watch->c, REASON_PEER_NOT_RESPONDING);
}

/* Reads the file again: "down" and "up" may have run meanwhile. */
static void begin_again(struct watch *watch, unsigned int seconds)
{
	struct connection *c = watch->c, fresh;
	int ret = connection_load("up", c->name, &fresh);

	if (ret) {
		connection_free(&fresh);
		return;
	}
	if (!watch->daemon)
		watch->daemon = vici_open("up", &ret);
	/* A refused file does not take effect. */
	if (!watch->daemon || get_ready(watch->daemon, &fresh, true)) {
		connection_free(&fresh);
		return;
	}
	connection_free(c);
	*c = fresh;
	/* With Action = clear, the peer has to reconnect. */
	if (!watch->was_up || c->dpd_restart)
		reach_peer(watch->daemon, c, seconds);
}

/* ---- changes by others ---- */

/* Another "up" may have loaded a changed file. */
static void follow_file(struct watch *watch)
{
	struct connection fresh;
	bool loaded;

	if (configure_is_current(watch->c))
		return;
	ctl_error_mute(true);
	loaded = !connection_load("up", watch->c->name, &fresh);
	ctl_error_mute(false);
	if (loaded && configure_is_current(&fresh)) {
		connection_free(watch->c);
		*watch->c = fresh;
	} else {
		connection_free(&fresh);
	}
}

/* Logs the steps, and why they failed, unless both are the same as before. */
static void tell_repair(struct watch *watch, char *steps, const struct ctl_said *said)
{
	bool news = !*said->why || strcmp(said->why, watch->failed) ||
		    !watch->steps || strcmp(steps, watch->steps);

	if (news)
		fputs(steps, stdout);
	if (news && *said->why)
		ctl_error(CTL_FAILED, "up", *said->where ? said->where : NULL,
			  *said->todo ? said->todo : NULL, "%s", said->why);
	if (*watch->failed && !*said->why)
		printf("%s: all is as the file says again\n", watch->c->name);
	snprintf(watch->failed, sizeof(watch->failed), "%s", said->why);
	free(watch->steps);
	watch->steps = steps;
}

/* Continues if the lock's directory was removed, as nothing is written. */
static void mend(struct watch *watch, bool routes)
{
	int locked = runtime_lock("up", watch->c->name);

	if (locked != CTL_BUSY) {
		follow_file(watch);
		configure_mend(watch->c, routes);
	}
	runtime_unlock();
}

/*
 * Repairs at once, but at most once a second, and in the long run once in REPAIR_MS: the other
 * program may not give up either.
 */
static void put_right(struct watch *watch)
{
	uint64_t now = now_ms(), since = now - watch->mended;
	bool routes = watch->changed || *watch->failed || now - watch->routes_seen >= ROUTES_MS;
	struct ctl_said said = { .why = "" };
	char *steps;
	size_t size;
	FILE *out;

	if (since < (watch->changed ? LOOK_MS : CHECK_MS) ||
	    watch->paid > now + REPAIRS * REPAIR_MS)
		return;
	out = open_memstream(&steps, &size);
	if (!out)
		return;
	step_to(out);
	ctl_error_keep(&said);
	mend(watch, routes);
	ctl_error_keep(NULL);
	step_to(NULL);
	fclose(out);
	if (*steps)
		watch->paid = (watch->paid > now ? watch->paid : now) + REPAIR_MS;
	tell_repair(watch, steps, &said);
	watch->changed = false;
	watch->mended = now;
	if (routes)
		watch->routes_seen = now;
}

/* Return: whether there is news. On a flood of events, stops listening until the next look. */
static bool hear(struct watch *watch)
{
	watch->news.concerned = false;
	if (!news_read(watch->events, watch->c, &watch->news))
		end_events(watch);
	return watch->news.concerned;
}

/*
 * Waits until the next look: a second, or less when something happens. Anybody can cause failed
 * attempts at no cost, so looks and reads keep a minimum distance.
 */
static void wait_a_while(struct watch *watch)
{
	/* If something has changed already, further changes do not matter. */
	struct nl *changes = watch->changed ? NULL : watch->changes;
	int events = watch->events ? vici_fd(watch->events) : -1;
	struct pollfd fds[] = {
		{ .fd = changes ? mnl_socket_get_fd(changes->sock) : -1, .events = POLLIN },
		{ .fd = events, .events = POLLIN },
	};
	uint64_t now = now_ms(), soon = now + LOOK_ASKED_MS, pause = now;
	uint64_t deadline = watch->owed ? soon : now + LOOK_MS;

	for (; now < deadline; now = now_ms()) {
		bool listen = watch->events && !vici_broken(watch->events) && now >= pause;

		fds[1].fd = listen ? events : -1;
		if (poll(fds, 2, (now < pause && pause < deadline ? pause : deadline) - now) <= 0)
			continue;
		if (fds[0].revents && rtnl_read(changes, interface_concerned, watch->c)) {
			watch->changed = true;
			return;
		}
		if (!fds[1].revents)
			continue;
		pause = now + LOOK_ASKED_MS;
		if (hear(watch))
			deadline = soon;
	}
}

/* The peer may have connected by itself, or failed to do so. */
static void keep_reason(struct watch *watch, enum reason noted)
{
	enum reason reason = watch->is_up ? REASON_NONE : watch->news.reason ?: noted;

	watch->news.reason = REASON_NONE;
	/* The same attempt has ended, and @noted says more about it. */
	if (noted == REASON_UDP_4500 && reason == REASON_PEER_NOT_RESPONDING)
		return;
	if (reason != noted)
		note_reason(watch->c, reason);
}

void keep(struct connection *c, unsigned int seconds, unsigned int interval)
{
	/* Something may have changed since the command looked. */
	struct watch watch = { .c = c, .changes = rtnl_listen("up"), .changed = true };
	/* The command has made the first attempt. */
	uint64_t next = now_ms() + interval * 1000ull;
	struct runtime runtime;

	look(&watch);
	watch.looked = now_ms();
	while (runtime_load(c->name, &runtime)) {
		keep_reason(&watch, runtime.reason);
		tell_state(&watch);
		fflush(stdout);
		wait_a_while(&watch);
		put_right(&watch);
		look(&watch);
		if (is_dead(&watch)) {
			drop_dead(&watch);
			look(&watch);
			next = 0;
		}
		if ((watch.forgotten || is_forsaken(&watch)) && now_ms() >= next) {
			/* begin_again() prints its own errors, and reads no events meanwhile. */
			end_events(&watch);
			begin_again(&watch, seconds);
			/* The daemon has ours again, so it need not be loaded once more. */
			watch.checked = 0;
			look(&watch);
			next = now_ms() + interval * 1000ull;
		}
	}
	vici_close(watch.daemon);
	vici_close(watch.events);
	if (watch.changes)
		nl_close(watch.changes);
	free(watch.steps);
}
