// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>

#include "connection/step.h"

static FILE *steps;

void step(const char *fmt, ...)
{
	FILE *out = steps ? steps : stdout;
	va_list args;

	va_start(args, fmt);
	vfprintf(out, fmt, args);
	va_end(args);
	fputc('\n', out);
}

void step_to(FILE *out)
{
	steps = out;
}
