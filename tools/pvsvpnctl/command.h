/* SPDX-License-Identifier: GPL-2.0 */
/* The commands, one file each. */
#ifndef PVSVPNCTL_COMMAND_H
#define PVSVPNCTL_COMMAND_H

#include <stdbool.h>

#include "parse.h"

/* The global options. */
struct options {
	bool json;
};

/**
 * struct command - a command of the tool
 * @name: one or two words, "show" or "peer add"
 * @args: its arguments, as in the usage line, without @params
 * @params: its keywords, which come after @args; may be NULL
 * @help: what it does, and what the arguments mean that are not in @params
 * @more_help: prints the help that comes from a table, may be NULL
 * @run: runs it with the arguments after the name; returns the exit status
 */
struct command {
	const char *name;
	const char *args;
	const struct params *params;
	const char *help;
	void (*more_help)(void);
	int (*run)(const struct options *options, int argc, char **argv);
};

extern const struct command command_show;
extern const struct command command_set;
extern const struct command command_peer_add;
extern const struct command command_peer_set;
extern const struct command command_peer_del;
extern const struct command command_sa_add;
extern const struct command command_sa_del;
extern const struct command command_genkey;
extern const struct command command_stats;
extern const struct command command_metrics;
extern const struct command command_monitor;
extern const struct command command_check;
extern const struct command command_connection_list;
extern const struct command command_connection_show;
extern const struct command command_policies;
extern const struct command command_policy_list;
extern const struct command command_policy_show;
extern const struct command command_policy_add;
extern const struct command command_policy_del;
extern const struct command command_export;
extern const struct command command_up;
extern const struct command command_down;
extern const struct command command_status;

void list_transforms(void);

#endif /* PVSVPNCTL_COMMAND_H */
