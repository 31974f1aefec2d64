/* SPDX-License-Identifier: GPL-2.0 */
/* Lifetimes of SAs: their limits, and the remaining amounts. */
#ifndef PVSVPNCTL_LIMIT_H
#define PVSVPNCTL_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state.h"

/* The unit of a limit */
enum limit_unit {
	LIMIT_SECONDS,		/* since the SA was added */
	LIMIT_USE_SECONDS,	/* since its first packet */
	LIMIT_PACKETS,
	LIMIT_BYTES,
};

/**
 * struct limit - a lifetime that an SA can have
 * @name: its name in JSON
 * @hard: the SA ends; otherwise user space gets an event
 * @unit: unit of the limit
 * @offset: of the value in struct sa
 */
struct limit {
	const char *name;
	bool hard;
	enum limit_unit unit;
	size_t offset;
};

/* Hard limits first, times before amounts */
#define LIMITS 8
extern const struct limit limits[LIMITS];

/* Return: the limit, 0 for none. */
uint64_t limit_of(const struct limit *limit, const struct sa *sa);
/* Return: the remaining amount; milliseconds for times. */
uint64_t limit_left(const struct limit *limit, const struct sa *sa);
bool limit_is_time(const struct limit *limit);

#endif /* PVSVPNCTL_LIMIT_H */
