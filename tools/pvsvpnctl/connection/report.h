/* SPDX-License-Identifier: GPL-2.0 */
/* How a connection is, and what is in its way. */
#ifndef PVSVPNCTL_REPORT_H
#define PVSVPNCTL_REPORT_H

#include <stdbool.h>

#include "connection/runtime.h"
#include "connection/strongswan.h"
#include "state.h"

/* As the service defines them */
enum status { STATUS_ACTIVE, STATUS_WARNING, STATUS_DISABLED };

/* Longest text about a cause, the terminating NUL included */
#define REPORT_TEXT_MAX 256

/**
 * struct report - a connection, as it is
 * @name: of it
 * @up: it was brought up; of all that follows only the texts are there if not
 * @runtime: what "up" has noted
 * @daemon: strongSwan answers
 * @n: what that has of it
 * @state: what the kernel has, all devices
 * @device: its own in @state, or NULL
 * @peer: its own, or NULL
 * @denied: we may not see it
 * @lost_netns: the network namespace is gone in which it was brought up
 * @status: what to say first
 * @code: why it is not active, a word for programs, "" if it is
 * @detail: the same for people
 * @remedy: what to do about it
 */
struct report {
	const char *name;
	bool up;
	struct runtime runtime;
	bool daemon;
	struct negotiated n;
	struct state state;
	const struct device *device;
	const struct peer *peer;
	bool denied;
	bool lost_netns;
	enum status status;
	char code[48];
	char detail[REPORT_TEXT_MAX];
	char remedy[REPORT_TEXT_MAX];
};

/**
 * report_look() - see how a connection is
 * @r: to be freed with report_free()
 * @name: of the connection
 * @daemon: the connection to strongSwan, or NULL
 */
void report_look(struct report *r, const char *name, struct vici *daemon);
void report_free(struct report *r);

/* A NAT is on the way, as far as the two ends can tell. */
bool report_has_nat(const struct report *r);

#endif /* PVSVPNCTL_REPORT_H */
