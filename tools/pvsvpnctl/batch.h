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
 * White space separates words; a word that begins with # begins a comment. Stops at the first
 * command that fails.
 *
 * Return: the exit status of the command that failed, or CTL_OK.
 */
int batch_run(const char *file, batch_fn *run, const struct options *options);

/**
 * batch_split() - split a line into words
 * @line: the line, changed in place
 * @argv: receives the words and a terminating NULL
 * @max: entries of @argv, the NULL included
 *
 * Return: the number of words, or -1 if @argv is too small.
 */
int batch_split(char *line, char **argv, int max);

#endif /* PVSVPNCTL_BATCH_H */
