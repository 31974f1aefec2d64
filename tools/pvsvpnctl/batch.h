/* SPDX-License-Identifier: GPL-2.0 */
/* Many commands from a file, in one process. */
#ifndef PVSVPNCTL_BATCH_H
#define PVSVPNCTL_BATCH_H

struct options;

/* Runs one command, the words of @argv; returns the exit status. */
typedef int batch_fn(const struct options *options, int argc, char **argv);

/**
 * batch_run() - run each line of a file as a command
 * @file: path, or "-" for standard input
 * @run: runs a command
 * @options: for @run
 *
 * Words are separated by white space; one that begins with # begins a comment.
 * The first command that fails ends it.
 *
 * Return: the exit status of the command that failed, or CTL_OK.
 */
int batch_run(const char *file, batch_fn *run, const struct options *options);

/**
 * batch_split() - the words of a line
 * @line: cut into the words
 * @argv: where to put them, and a NULL behind
 * @max: room in @argv, the NULL included
 *
 * Return: how many, or -1 when there are more.
 */
int batch_split(char *line, char **argv, int max);

#endif /* PVSVPNCTL_BATCH_H */
