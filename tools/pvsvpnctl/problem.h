/* SPDX-License-Identifier: GPL-2.0 */
/* Why a tunnel does not work, as far as this end can know. */
#ifndef PVSVPNCTL_PROBLEM_H
#define PVSVPNCTL_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>

#include "state.h"

/* The first are the first to be solved. Up to __PROBLEM_SENDS the tunnel is down. */
enum problem {
	PROBLEM_DEVICE_DOWN,
	PROBLEM_NO_OUTBOUND_SA,
	PROBLEM_OUTBOUND_SA_EXPIRED,
	PROBLEM_NO_LINK,
	PROBLEM_NO_ROUTE,
	PROBLEM_ROUTE_LOOP,
	PROBLEM_DEAD,
	__PROBLEM_SENDS,
	PROBLEM_NO_INBOUND_SA = __PROBLEM_SENDS,
	PROBLEM_INBOUND_SA_EXPIRED,
	PROBLEM_NOTHING_RECEIVED,
	PROBLEM_MAX,
};

/* Longest text of problem_text(), the terminating NUL included. */
#define PROBLEM_TEXT_MAX 192

/**
 * peer_has_problem() - is this in the way of a tunnel?
 * @dev: the device
 * @peer: its peer
 * @problem: one of them
 */
bool peer_has_problem(const struct device *dev, const struct peer *peer,
		      enum problem problem);

/* What JSON and metrics call it: "no-route". */
const char *problem_name(enum problem problem);

/**
 * problem_text() - what is wrong, and what to do
 * @text: written there, of PROBLEM_TEXT_MAX bytes
 * @dev: the device
 * @peer: its peer, which has the problem
 * @problem: one of them
 *
 * Return: @text.
 */
const char *problem_text(char *text, const struct device *dev,
			 const struct peer *peer, enum problem problem);

#endif /* PVSVPNCTL_PROBLEM_H */
