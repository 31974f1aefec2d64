// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "error.h"

/* More words than any command takes. */
#define WORDS_MAX 64

int batch_split(char *line, char **argv, int max)
{
	char *rest = line, *word;
	int argc = 0;

	while ((word = strsep(&rest, " \t\r\n"))) {
		if (*word == '#')
			break;
		if (!*word)
			continue;
		if (argc == max - 1)
			return -1;
		argv[argc++] = word;
	}
	argv[argc] = NULL;
	return argc;
}

/* Standard input cannot be both the commands and a key. */
static bool reads_stdin(int argc, char **argv)
{
	for (int i = 0; i + 1 < argc; i++)
		if (!strcmp(argv[i], "key-file") && !strcmp(argv[i + 1], "-"))
			return true;
	return false;
}

static int run_line(char *line, bool from_stdin, batch_fn *run, const struct options *options)
{
	char *argv[WORDS_MAX];
	int argc = batch_split(line, argv, WORDS_MAX);

	if (argc < 0)
		return ctl_error(CTL_USAGE, "batch", argv[0], "see pvsvpnctl(8)", "too many words");
	if (from_stdin && reads_stdin(argc, argv))
		return ctl_error(CTL_USAGE, "batch", "key-file",
				 "give a file",
				 "standard input holds the commands");
	return argc ? run(options, argc, argv) : CTL_OK;
}

static int run_lines(const char *file, FILE *in, batch_fn *run, const struct options *options)
{
	char *line = NULL, at[512];
	unsigned long number = 0;
	int ret = CTL_OK;
	size_t size = 0;

	while (!ret && getline(&line, &size, in) >= 0) {
		snprintf(at, sizeof(at), "%s:%lu", file, ++number);
		ctl_error_at(at);
		ret = run_line(line, in == stdin, run, options);
		/* "status NAME" returns these; neither is a failure. */
		if (ret == CTL_DISABLED || ret == CTL_WARNING)
			ret = CTL_OK;
	}
	ctl_error_at(NULL);
	free(line);
	if (!ret && ferror(in))
		ret = ctl_error(CTL_FAILED, "batch", file,
				"give a file that can be read", "%s",
				strerror(errno));
	return ret;
}

int batch_run(const char *file, batch_fn *run, const struct options *options)
{
	FILE *in;
	int ret;

	if (!strcmp(file, "-"))
		return run_lines("standard input", stdin, run, options);
	in = fopen(file, "re");
	if (!in)
		return ctl_error(CTL_FAILED, "batch", file, "check the path",
				 "%s", strerror(errno));
	ret = run_lines(file, in, run, options);
	fclose(in);
	return ret;
}
