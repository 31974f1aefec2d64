/* SPDX-License-Identifier: GPL-2.0 */
/* A connection to strongSwan's daemon over its Unix socket, for one command after another. */
#ifndef PVSVPNCTL_VICI_H
#define PVSVPNCTL_VICI_H

#include "connection/vici_message.h"

/* The daemon's own limit for one packet: bytes */
#define VICI_PACKET_MAX (512 * 1024)

/* How long the daemon may be silent before it counts as dead: seconds */
#define VICI_SILENCE 10
/* How much longer a daemon may be silent that does other work meanwhile: seconds */
#define VICI_BUSY 60
/* The processor time that it uses in VICI_SILENCE if it works: ms */
#define VICI_WORK 100

struct vici;

/* Called with a message, which is valid until the function returns. */
typedef void vici_fn(struct vici_reader *message, void *data);

/**
 * struct vici_call - a command
 * @command: its name
 * @request: its message, or NULL for an empty one
 * @event: name of the events that belong to it, or NULL
 * @heard: called for each such event
 * @answer: called for the answer, or NULL
 * @data: for @heard and @answer
 * @seconds: how long the daemon may be silent, besides VICI_SILENCE
 */
struct vici_call {
	const char *command;
	const struct vici_message *request;
	const char *event;
	vici_fn *heard;
	vici_fn *answer;
	void *data;
	unsigned int seconds;
};

/**
 * vici_open() - connect to the daemon
 * @what: our command, for error lines
 * @status: receives the exit status; CTL_DENIED: no permission, CTL_NO_DAEMON: no answer
 *
 * The socket is $PVSVPN_VICI, or by default that of Debian's strongSwan.
 *
 * Return: the connection, to be closed with vici_close(), or NULL after saying why not.
 */
struct vici *vici_open(const char *what, int *status);

/* The same without an error line */
struct vici *vici_open_quietly(const char *what);
void vici_close(struct vici *vici);

/**
 * vici_call() - send a command and wait for its answer
 * @vici: the connection
 * @call: the command
 *
 * Return: CTL_OK after any answer. CTL_FAILED after saying that the daemon does not know the
 * command. CTL_NO_DAEMON after saying that it is silent, gone, or sends an invalid message; each
 * further call on this connection then fails at once, without an error line.
 */
int vici_call(struct vici *vici, const struct vici_call *call);

/**
 * vici_listen() - turn events of a kind on or off
 * @vici: the connection; not to be used for vici_call() afterwards
 * @event: their name
 * @on: turn them on
 *
 * Events that arrive during the call are lost.
 *
 * Return: CTL_OK; CTL_FAILED after saying that the daemon does not know them; or CTL_NO_DAEMON,
 * as vici_call().
 */
int vici_listen(struct vici *vici, const char *event, bool on);

/**
 * vici_event() - read a pending event
 * @vici: the connection, after vici_listen()
 * @name: filled in, VICI_NAME_MAX + 1 bytes
 * @message: its content, until the next call
 *
 * Return: whether there was one. If not, see vici_broken().
 */
bool vici_event(struct vici *vici, char *name, struct vici_reader *message);

/* For poll(2) */
int vici_fd(const struct vici *vici);

/* Whether a call has failed so that no other call is possible */
bool vici_broken(const struct vici *vici);

/**
 * vici_order() - send a command with the answer yes, or no and why
 * @vici: the connection
 * @command: its name
 * @request: its message, which is wiped and freed in any case; or NULL
 * @todo: the remedy for the error line if the answer is no; NULL: "no" is no error
 *
 * Return: CTL_OK, or as vici_call(), or CTL_FAILED after saying why the answer is no.
 */
int vici_order(struct vici *vici, const char *command, struct vici_message *request,
	       const char *todo);

#endif /* PVSVPNCTL_VICI_H */
