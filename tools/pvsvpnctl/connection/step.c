// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>

#include "connection/step.h"

static bool muted;

void step(const char *fmt, ...)
{
	va_list args;

	if (muted)
		return;
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

void step_mute(bool mute)
{
	muted = mute;
}
