// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "print.h"

static const char *error_at;
static unsigned int error_muted;
static struct ctl_said *error_said;

void ctl_error_at(const char *at)
{
	error_at = at;
}

void ctl_error_mute(bool mute)
{
	error_muted += mute ? 1 : -1;
}

void ctl_error_keep(struct ctl_said *said)
{
	error_said = said;
}

static void keep(const char *where, const char *todo, const char *why)
{
	snprintf(error_said->where, sizeof(error_said->where), "%s", where ?: "");
	snprintf(error_said->todo, sizeof(error_said->todo), "%s", todo ?: "");
	snprintf(error_said->why, sizeof(error_said->why), "%s", why);
}

/* Text of files and of other programs may hold what a terminal takes for a command. */
static char *clean_format(const char *fmt, va_list args)
{
	char *text;

	return vasprintf(&text, fmt, args) < 0 ? NULL : clean_text(text);
}

static void print_clean(const char *before, const char *text, const char *behind)
{
	char *copy = text && *text ? strdup(text) : NULL;

	if (copy)
		fprintf(stderr, "%s%s%s", before, clean_text(copy), behind);
	free(copy);
}

static void print(const char *what, const char *where, const char *todo, const char *why)
{
	/* Output that is on its way to stdout belongs before the error. */
	fflush(stdout);
	fputs("pvsvpnctl: ", stderr);
	print_clean("", error_at, ": ");
	print_clean("", what, ": ");
	print_clean("", where, ": ");
	fputs(why, stderr);
	print_clean("; ", todo, "");
	fputc('\n', stderr);
}

int ctl_error(int status, const char *what, const char *where,
	      const char *todo, const char *fmt, ...)
{
	va_list args;
	char *why;

	if (error_muted)
		return status;
	va_start(args, fmt);
	why = clean_format(fmt, args);
	va_end(args);
	if (error_said)
		keep(where, todo, why ?: "out of memory");
	else
		print(what, where, todo, why ?: "out of memory");
	free(why);
	return status;
}

void *ctl_alloc(void *old, unsigned long size)
{
	void *new = realloc(old, size);

	if (!new)
		exit(ctl_error(CTL_FAILED, "memory", NULL, "free some",
			       "no %lu bytes to be had", size));
	return new;
}

void no_memory_if(bool failed)
{
	if (failed)
		exit(ctl_error(CTL_FAILED, "output", NULL, "free some", "out of memory"));
}
