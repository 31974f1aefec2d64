/* SPDX-License-Identifier: GPL-2.0 */
/* A connection to strongSwan's daemon over its Unix socket, and one command after another. */
#ifndef PVSVPNCTL_VICI_H
#define PVSVPNCTL_VICI_H

#include "connection/vici_message.h"

/* The daemon's own limit for one packet: bytes */
#define VICI_PACKET_MAX (512 * 1024)

/* How long the daemon may be silent before it counts as dead: seconds */
#define VICI_SILENCE 10

struct vici;

/* Called with a message, which is gone when it returns. */
typedef void vici_fn(struct vici_reader *message, void *data);

/**
 * struct vici_call - a command
 * @command: its name
 * @request: its message, or NULL for an empty one
 * @event: name of the events that belong to it, or NULL
 * @heard: called for each such event
 * @answer: called for the answer, or NULL
 * @data: for both
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
 * @what: the command of ours, for error lines
 * @status: the exit status that a failure leads to: CTL_DENIED where we may not ask,
 *	CTL_NO_DAEMON where nobody answers
 *
 * The socket is $PVSVPN_VICI, or else that of Debian's strongSwan.
 *
 * Return: to be closed with vici_close(), or NULL after saying why not.
 */
struct vici *vici_open(const char *what, int *status);

/* The same without a word of why not */
struct vici *vici_open_quietly(const char *what);
void vici_close(struct vici *vici);

/**
 * vici_call() - have the daemon do something
 * @vici: the connection
 * @call: the command
 *
 * Return: CTL_OK when there was an answer, whatever it is. CTL_FAILED after saying that the
 * daemon does not know the command. CTL_NO_DAEMON after saying that it is silent, gone, or sends
 * what is no message; each further call on this connection fails then at once, in silence.
 */
int vici_call(struct vici *vici, const struct vici_call *call);

/**
 * vici_listen() - have the daemon tell of events of a kind from now on, or no more
 * @vici: the connection; no vici_call() follows on it
 * @event: their name
 * @on: whether to tell
 *
 * An event that comes meanwhile is lost.
 *
 * Return: CTL_OK; CTL_FAILED after saying that the daemon does not know them; or CTL_NO_DAEMON,
 * as vici_call().
 */
int vici_listen(struct vici *vici, const char *event, bool on);

/**
 * vici_event() - read an event that has come
 * @vici: the connection, after vici_listen()
 * @name: filled in, VICI_NAME_MAX + 1 bytes
 * @message: its content, until the next call
 *
 * Return: whether there was one. Without one, see vici_broken().
 */
bool vici_event(struct vici *vici, char *name, struct vici_reader *message);

/* For poll(2) */
int vici_fd(const struct vici *vici);

/* Whether a call has failed so that no other one can follow */
bool vici_broken(const struct vici *vici);

/**
 * vici_order() - a command whose answer is yes, or no and why
 * @vici: the connection
 * @command: its name
 * @request: its message
 * @todo: the remedy to name where the answer is no; NULL to take "no" for an answer
 *
 * Return: CTL_OK, or as vici_call(), or CTL_FAILED after saying why the answer is no.
 */
int vici_order(struct vici *vici, const char *command, const struct vici_message *request,
	       const char *todo);

#endif /* PVSVPNCTL_VICI_H */
