/* SPDX-License-Identifier: GPL-2.0 */
/* Says what "up" and "down" do, as the command that does the same. */
#ifndef PVSVPNCTL_STEP_H
#define PVSVPNCTL_STEP_H

#include <stdio.h>

__attribute__((format(printf, 1, 2)))
void step(const char *fmt, ...);

/* From now on to that stream; NULL for stdout again */
void step_to(FILE *out);

#endif /* PVSVPNCTL_STEP_H */
