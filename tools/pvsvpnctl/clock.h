/* SPDX-License-Identifier: GPL-2.0 */
/* A monotonic clock, for deadlines. */
#ifndef PVSVPNCTL_CLOCK_H
#define PVSVPNCTL_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

/* Seconds until @deadline, rounded up */
static inline unsigned int seconds_until(uint64_t deadline)
{
	uint64_t now = now_ms();

	return now < deadline ? (deadline - now + 999) / 1000 : 0;
}

static inline void sleep_ms(unsigned int ms)
{
	const struct timespec time = { ms / 1000, ms % 1000 * 1000000l };

	nanosleep(&time, NULL);
}

#endif /* PVSVPNCTL_CLOCK_H */
