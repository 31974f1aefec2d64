/* SPDX-License-Identifier: GPL-2.0 */
/* The status of a connection, and what prevents it from working */
#ifndef PVSVPNCTL_REPORT_H
#define PVSVPNCTL_REPORT_H

#include <stdbool.h>

#include "connection/runtime.h"
#include "connection/strongswan.h"
#include "state.h"

/* As the VPN service defines them */
enum status { STATUS_ACTIVE, STATUS_WARNING, STATUS_DISABLED };

extern const char * const status_names[];

/* Longest text about a cause, the terminating NUL included */
#define REPORT_TEXT_MAX 256

/**
 * struct report - the status of a connection
 * @name: of it
 * @up: it was brought up; if not, only the texts below are set
 * @runtime: what "up" has noted
 * @daemon: strongSwan answers
 * @n: its state in strongSwan
 * @state: state in the kernel
 * @device: its device in @state, or NULL
 * @peer: its peer in @state, or NULL
 * @denied: we have no permission to see it
 * @lost_netns: the network namespace in which it was brought up is gone
 * @status: overall status
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
 * report_look() - find the status of a connection
 * @r: to be freed with report_free()
 * @name: of the connection
 * @daemon: the connection to strongSwan, or NULL
 */
void report_look(struct report *r, const char *name, struct vici *daemon);
void report_free(struct report *r);

/* A NAT is on the way, as far as the two ends can tell. */
bool report_has_nat(const struct report *r);

#endif /* PVSVPNCTL_REPORT_H */
