// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "connection/vici.h"
#include "error.h"

#define VICI_SOCKET "/var/run/charon.vici"
#define URI_UNIX "unix://"

#define INSTALL \
	"systemctl start strongswan (apt install charon-systemd libstrongswan-standard-plugins)"
#define RESTART "systemctl restart strongswan"

/* Kinds of packets: the first byte of a packet */
enum {
	CMD_REQUEST = 0,
	CMD_RESPONSE = 1,
	CMD_UNKNOWN = 2,
	EVENT_REGISTER = 3,
	EVENT_UNREGISTER = 4,
	EVENT_CONFIRM = 5,
	EVENT_UNKNOWN = 6,
	EVENT = 7,
};

/**
 * struct vici - a connection to the daemon
 * @what: our command, for error lines
 * @fd: the socket
 * @broken: it has failed: answers can no longer be matched to requests
 * @packet: the last packet received
 * @len: bytes of @packet
 */
struct vici {
	const char *what;
	int fd;
	bool broken;
	uint8_t packet[VICI_PACKET_MAX];
	size_t len;
};

/* Times of now_ms(): when a silent daemon counts as dead, and the last time for a busy one */
struct limit {
	uint64_t silent;
	uint64_t busy;
};

/* ---- bytes ---- */

static struct limit limit_from_now(unsigned int seconds)
{
	uint64_t silent = now_ms() + (VICI_SILENCE + (uint64_t)seconds) * 1000;

	return (struct limit){ silent, silent + VICI_BUSY * 1000 };
}

static int fail(struct vici *vici, const char *why)
{
	vici->broken = true;
	return ctl_error(CTL_NO_DAEMON, vici->what, "strongSwan", RESTART,
			 "the daemon does not answer: %s", why);
}

/* Processor time that the daemon has used: ms; 0 if it cannot be known. */
static uint64_t daemon_used(const struct vici *vici)
{
	struct ucred daemon = { .pid = 0 };
	socklen_t len = sizeof(daemon);
	struct timespec used;
	clockid_t clock;

	if (getsockopt(vici->fd, SOL_SOCKET, SO_PEERCRED, &daemon, &len) || daemon.pid <= 0 ||
	    clock_getcpuclockid(daemon.pid, &clock) || clock_gettime(clock, &used))
		return 0;
	return used.tv_sec * 1000ULL + used.tv_nsec / 1000000;
}

/*
 * Waits until the socket is ready. A daemon with hundreds of tunnels may have so much to do that it
 * answers late; then it uses the processor, and the limit moves. A stopped one does not.
 */
static int wait_ready(struct vici *vici, short events, struct limit *limit)
{
	struct pollfd poll_fd = { .fd = vici->fd, .events = events };
	uint64_t used = daemon_used(vici), now;
	int ready;

	for (;;) {
		now = now_ms();
		now = now < limit->silent ? limit->silent - now : 0;
		ready = poll(&poll_fd, 1, now < INT_MAX ? now : INT_MAX);
		if (ready > 0)
			return CTL_OK;
		if (ready < 0 && errno != EINTR)
			return fail(vici, strerror(errno));
		if (now_ms() < limit->silent)
			continue;
		now = daemon_used(vici);
		if (limit->silent >= limit->busy || now < used + VICI_WORK)
			return fail(vici, "it is silent");
		used = now;
		limit->silent += VICI_SILENCE * 1000;
	}
}

/* @events: POLLIN to receive, POLLOUT to send */
static int transfer(struct vici *vici, short events, void *bytes, size_t len, struct limit *limit)
{
	uint8_t *at = bytes;

	while (len) {
		ssize_t done = events == POLLIN ? recv(vici->fd, at, len, 0) :
						  send(vici->fd, at, len, MSG_NOSIGNAL);

		if (done < 0 && errno == EAGAIN) {
			int ret = wait_ready(vici, events, limit);

			if (ret)
				return ret;
			continue;
		}
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return fail(vici, strerror(errno));
		if (!done)
			return fail(vici, "it has closed the connection");
		at += done;
		len -= done;
	}
	return CTL_OK;
}

/* ---- packets ---- */

static int send_packet(struct vici *vici, uint8_t kind, const char *name,
		       const struct vici_message *message)
{
	size_t name_len = strlen(name), message_len = message ? message->len : 0;
	size_t len = 2 + name_len + message_len;
	struct limit limit = limit_from_now(0);
	uint8_t head[4 + 2 + VICI_NAME_MAX] = {
		len >> 24, len >> 16, len >> 8, len, kind, name_len
	};

	if (name_len > VICI_NAME_MAX || len > VICI_PACKET_MAX)
		return ctl_error(CTL_FAILED, vici->what, "strongSwan", "use fewer subnets",
				 "%s: more than strongSwan takes", name);
	memcpy(head + 6, name, name_len);
	return transfer(vici, POLLOUT, head, 6 + name_len, &limit) ?:
	       transfer(vici, POLLOUT, message_len ? message->data : NULL, message_len, &limit);
}

static int receive_packet(struct vici *vici, unsigned int seconds)
{
	struct limit limit = limit_from_now(seconds);
	uint8_t head[4];
	int ret = transfer(vici, POLLIN, head, sizeof(head), &limit);

	if (ret)
		return ret;
	vici->len = (size_t)head[0] << 24 | head[1] << 16 | head[2] << 8 | head[3];
	if (!vici->len || vici->len > VICI_PACKET_MAX)
		return fail(vici, "it sends something that is not VICI");
	return transfer(vici, POLLIN, vici->packet, vici->len, &limit);
}

/* Whether the packet is an event of that name; @message then has its content. */
static bool is_event(const struct vici *vici, const char *name, struct vici_reader *message)
{
	size_t len = name ? strlen(name) : 0;

	if (!name || vici->packet[0] != EVENT || vici->len < 2 + len ||
	    vici->packet[1] != len || memcmp(vici->packet + 2, name, len))
		return false;
	vici_reader_init(message, vici->packet + 2 + len, vici->len - 2 - len);
	return true;
}

/* Checks the whole message before any part of it is used. */
static int hand_over(struct vici *vici, const struct vici_reader *message, vici_fn *fn, void *data)
{
	struct vici_reader check = *message, use = *message;
	struct vici_element element;
	int ret;

	while ((ret = vici_read(&check, &element)) > 0)
		;
	if (ret)
		return fail(vici, "it sends a message that is not valid");
	if (fn)
		fn(&use, data);
	return CTL_OK;
}

/* Waits for an answer of one of two kinds. Events that come before it belong to @call. */
static int receive_answer(struct vici *vici, const struct vici_call *call, uint8_t good,
			  uint8_t unknown)
{
	struct vici_reader message;
	int ret;

	for (;;) {
		ret = receive_packet(vici, call->seconds);
		if (!ret && is_event(vici, call->event, &message))
			ret = hand_over(vici, &message, call->heard, call->data);
		if (ret)
			return ret;
		if (vici->packet[0] == good)
			return CTL_OK;
		if (vici->packet[0] == unknown)
			return ctl_error(CTL_FAILED, vici->what, "strongSwan",
					 "install a newer one", "it does not know %s",
					 unknown == CMD_UNKNOWN ? call->command : call->event);
		if (vici->packet[0] != EVENT)
			return fail(vici, "it sends something that is not VICI");
	}
}

static int listen_to(struct vici *vici, const struct vici_call *call, uint8_t kind)
{
	if (!call->event)
		return CTL_OK;
	return send_packet(vici, kind, call->event, NULL) ?:
	       receive_answer(vici, call, EVENT_CONFIRM, EVENT_UNKNOWN);
}

int vici_listen(struct vici *vici, const char *event, bool on)
{
	const struct vici_call call = { .event = event };

	if (vici->broken)
		return CTL_NO_DAEMON;
	return listen_to(vici, &call, on ? EVENT_REGISTER : EVENT_UNREGISTER);
}

bool vici_event(struct vici *vici, char *name, struct vici_reader *message)
{
	struct pollfd poll_fd = { .fd = vici->fd, .events = POLLIN };
	size_t len;

	if (vici->broken || poll(&poll_fd, 1, 0) <= 0 || receive_packet(vici, 0))
		return false;
	len = vici->len > 1 ? vici->packet[1] : 0;
	if (vici->packet[0] != EVENT || vici->len < 2 + len) {
		fail(vici, "it sends something that is not VICI");
		return false;
	}
	memcpy(name, vici->packet + 2, len);
	name[len] = '\0';
	vici_reader_init(message, vici->packet + 2 + len, vici->len - 2 - len);
	return !hand_over(vici, message, NULL, NULL);
}

int vici_fd(const struct vici *vici)
{
	return vici->fd;
}

bool vici_broken(const struct vici *vici)
{
	return vici->broken;
}

int vici_call(struct vici *vici, const struct vici_call *call)
{
	struct vici_reader message;
	int ret;

	if (vici->broken)
		return CTL_NO_DAEMON;
	ret = listen_to(vici, call, EVENT_REGISTER) ?:
	      send_packet(vici, CMD_REQUEST, call->command, call->request) ?:
	      receive_answer(vici, call, CMD_RESPONSE, CMD_UNKNOWN);
	if (ret)
		return ret;
	vici_reader_init(&message, vici->packet + 1, vici->len - 1);
	return hand_over(vici, &message, call->answer, call->data) ?:
	       listen_to(vici, call, EVENT_UNREGISTER);
}

/* ---- yes or no ---- */

/**
 * struct verdict - an answer that is yes or no
 * @yes: whether it is yes
 * @why: the daemon's reason for a no
 */
struct verdict {
	bool yes;
	char why[256];
};

static void read_verdict(struct vici_reader *message, void *data)
{
	struct verdict *verdict = data;
	struct vici_element element;
	char text[8];

	while (vici_read(message, &element) > 0) {
		if (element.depth || element.type != VICI_VALUE)
			continue;
		if (!strcmp(element.name, "success"))
			verdict->yes = !strcmp(vici_element_text(&element, text, sizeof(text)),
					       "yes");
		if (!strcmp(element.name, "errmsg"))
			vici_element_text(&element, verdict->why, sizeof(verdict->why));
	}
}

int vici_order(struct vici *vici, const char *command, struct vici_message *request,
	       const char *todo)
{
	struct verdict verdict = { .why = "it does not say why" };
	const struct vici_call call = {
		.command = command, .request = request,
		.answer = read_verdict, .data = &verdict,
	};
	int ret = vici_call(vici, &call);

	if (request)
		vici_message_free(request);
	if (ret || verdict.yes || !todo)
		return ret;
	return ctl_error(CTL_FAILED, vici->what, "strongSwan", todo, "%s: %s", command,
			 verdict.why);
}

/* ---- the connection ---- */

static const char *socket_path(void)
{
	const char *path = getenv("PVSVPN_VICI");

	if (!path || !*path)
		return VICI_SOCKET;
	return strncmp(path, URI_UNIX, strlen(URI_UNIX)) ? path : path + strlen(URI_UNIX);
}

/* Waits while the queue of a stopped daemon is full; poll() does not report free room in it. */
static bool connect_socket(int fd, const struct sockaddr_un *to)
{
	uint64_t deadline = now_ms() + VICI_SILENCE * 1000;

	while (connect(fd, (const struct sockaddr *)to, sizeof(*to))) {
		if (errno != EINTR && (errno != EAGAIN || now_ms() >= deadline))
			return false;
		sleep_ms(50);
	}
	return true;
}

static int cannot_connect(const char *what, const char *path, int error)
{
	if (error == EACCES || error == EPERM)
		return ctl_error(CTL_DENIED, what, "strongSwan", "run it as root",
				 "%s: %s", path, strerror(error));
	return ctl_error(CTL_NO_DAEMON, what, "strongSwan", error == EAGAIN ? RESTART : INSTALL,
			 "the daemon does not answer: %s: %s", path,
			 error == EAGAIN ? "it takes no connection" : strerror(error));
}

struct vici *vici_open(const char *what, int *status)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = socket_path();
	struct vici *vici;

	*status = CTL_FAILED;
	if (strlen(path) >= sizeof(to.sun_path)) {
		*status = ctl_error(CTL_FAILED, what, "PVSVPN_VICI",
				    "give the path of a socket, of at most 107 bytes",
				    "too long");
		return NULL;
	}
	strcpy(to.sun_path, path);
	vici = ctl_alloc(NULL, sizeof(*vici));
	vici->what = what;
	vici->broken = false;
	vici->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (vici->fd < 0 || !connect_socket(vici->fd, &to)) {
		*status = cannot_connect(what, path, errno);
		vici_close(vici);
		return NULL;
	}
	*status = CTL_OK;
	return vici;
}

struct vici *vici_open_quietly(const char *what)
{
	struct vici *vici;
	int status;

	ctl_error_mute(true);
	vici = vici_open(what, &status);
	ctl_error_mute(false);
	return vici;
}

void vici_close(struct vici *vici)
{
	if (!vici)
		return;
	if (vici->fd >= 0)
		close(vici->fd);
	free(vici);
}
