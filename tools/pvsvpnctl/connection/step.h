/* SPDX-License-Identifier: GPL-2.0 */
/* Says on stdout what "up" and "down" do, as the command that does the same. */
#ifndef PVSVPNCTL_STEP_H
#define PVSVPNCTL_STEP_H

#include <stdbool.h>

__attribute__((format(printf, 1, 2)))
void step(const char *fmt, ...);

/* Says nothing for a while: the same was said before. */
void step_mute(bool mute);

#endif /* PVSVPNCTL_STEP_H */
