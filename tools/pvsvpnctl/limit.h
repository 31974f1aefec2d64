/* SPDX-License-Identifier: GPL-2.0 */
/* Lifetimes of SAs: the limits there are, and what is left of them. */
#ifndef PVSVPNCTL_LIMIT_H
#define PVSVPNCTL_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state.h"

/* What a limit is counted in. */
enum limit_unit {
	LIMIT_SECONDS,		/* since the SA was added */
	LIMIT_USE_SECONDS,	/* since its first packet */
	LIMIT_PACKETS,
	LIMIT_BYTES,
};

/**
 * struct limit - a lifetime that an SA can have
 * @name: as JSON has it
 * @hard: the SA ends, else user space is told
 * @unit: what it is counted in
 * @offset: of the figure in struct sa
 */
struct limit {
	const char *name;
	bool hard;
	enum limit_unit unit;
	size_t offset;
};

/* Hard ones first, times before amounts. */
#define LIMITS 8
extern const struct limit limits[LIMITS];

/* Return: 0 for none. */
uint64_t limit_of(const struct limit *limit, const struct sa *sa);
/* Return: the same of what is left; of times, in milliseconds. */
uint64_t limit_left(const struct limit *limit, const struct sa *sa);
bool limit_is_time(const struct limit *limit);

#endif /* PVSVPNCTL_LIMIT_H */
