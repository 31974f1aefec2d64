/* SPDX-License-Identifier: GPL-2.0 */
/* Problems of a tunnel that this end can detect. */
#ifndef PVSVPNCTL_PROBLEM_H
#define PVSVPNCTL_PROBLEM_H

#include <stdbool.h>

#include "state.h"

/* In the order in which to solve them. Those before __PROBLEM_SENDS take the tunnel down. */
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
 * peer_has_problem() - whether a tunnel has a problem
 * @dev: the device
 * @peer: its peer
 * @problem: the problem
 */
bool peer_has_problem(const struct device *dev, const struct peer *peer, enum problem problem);

/* Its name in JSON and metrics, such as "no-route" */
const char *problem_name(enum problem problem);

/**
 * problem_text() - describe a problem and its remedy
 * @text: receives the text, PROBLEM_TEXT_MAX bytes
 * @dev: the device
 * @peer: its peer, which has the problem
 * @problem: the problem
 *
 * Return: @text.
 */
const char *problem_text(char *text, const struct device *dev,
			 const struct peer *peer, enum problem problem);

#endif /* PVSVPNCTL_PROBLEM_H */
