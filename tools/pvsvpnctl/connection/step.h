/* SPDX-License-Identifier: GPL-2.0 */
/* Prints each step of "up" and "down" as an equivalent command. */
#ifndef PVSVPNCTL_STEP_H
#define PVSVPNCTL_STEP_H

#include <stdio.h>

__attribute__((format(printf, 1, 2)))
void step(const char *fmt, ...);

/* Prints to @out from now on; NULL: to stdout again */
void step_to(FILE *out);

#endif /* PVSVPNCTL_STEP_H */
