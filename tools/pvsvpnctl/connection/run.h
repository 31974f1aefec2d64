/* SPDX-License-Identifier: GPL-2.0 */
/* Other programs: ip, swanctl. */
#ifndef PVSVPNCTL_RUN_H
#define PVSVPNCTL_RUN_H

/* Exit status that says the program is not there. */
#define RUN_NOT_FOUND 127

typedef void run_line_fn(char *line, void *data);

/**
 * run() - run a program and wait for it
 * @argv: its name and arguments, NULL at the end
 * @output: what it has said, standard error too, to be freed; or NULL
 * @line: called for each line as it comes, or NULL
 * @data: for @line
 *
 * Return: its exit status, RUN_NOT_FOUND if there is no such program.
 */
int run(const char * const *argv, char **output, run_line_fn *line, void *data);

/* The last line of an output that says something, cut out of it. */
char *run_last_line(char *output);

#endif /* PVSVPNCTL_RUN_H */
