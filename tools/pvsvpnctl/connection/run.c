// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "connection/run.h"
#include "error.h"

static void exec_child(const char * const *argv, int out)
{
	int null = open("/dev/null", O_RDONLY);

	if (null >= 0)
		dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execvp(argv[0], (char * const *)argv);
	_exit(RUN_NOT_FOUND);
}

static void read_lines(int in, char **output, run_line_fn *fn, void *data)
{
	FILE *from = fdopen(in, "r"), *to;
	char *line = NULL, *all;
	size_t size = 0, all_size;

	to = open_memstream(&all, &all_size);
	while (from && to && getline(&line, &size, from) >= 0) {
		fputs(line, to);
		line[strcspn(line, "\n")] = '\0';
		if (fn)
			fn(line, data);
	}
	free(line);
	if (from)
		fclose(from);
	if (!to || fclose(to))
		exit(ctl_error(CTL_FAILED, "memory", NULL, "free some", "out of memory"));
	if (output)
		*output = all;
	else
		free(all);
}

int run(const char * const *argv, char **output, run_line_fn *line, void *data)
{
	int pipes[2], status;
	pid_t pid;

	fflush(stdout);
	if (pipe2(pipes, O_CLOEXEC))
		exit(ctl_error(CTL_FAILED, argv[0], NULL, "close some files", "%s",
			       strerror(errno)));
	pid = fork();
	if (pid < 0)
		exit(ctl_error(CTL_FAILED, argv[0], NULL, "end some processes", "%s",
			       strerror(errno)));
	if (!pid)
		exec_child(argv, pipes[1]);
	close(pipes[1]);
	read_lines(pipes[0], output, line, data);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

char *run_last_line(char *output)
{
	size_t len = strlen(output);
	char *newline;

	while (len && output[len - 1] == '\n')
		output[--len] = '\0';
	newline = strrchr(output, '\n');
	return newline ? newline + 1 : output;
}
