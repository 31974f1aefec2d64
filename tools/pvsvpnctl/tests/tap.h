/* SPDX-License-Identifier: GPL-2.0 */
/* A line of TAP for each check. */
#ifndef PVSVPNCTL_TAP_H
#define PVSVPNCTL_TAP_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed;

static inline void ok(bool good, const char *name)
{
	printf("%sok %d %s\n", good ? "" : "not ", ++tap_count, name);
	tap_failed += !good;
}

static inline void is(const char *got, const char *want, const char *name)
{
	ok(!strcmp(got, want), name);
	if (strcmp(got, want))
		printf("# got:  %s\n# want: %s\n", got, want);
}

static inline int tap_end(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif /* PVSVPNCTL_TAP_H */
