// SPDX-License-Identifier: GPL-2.0
/* Global options, and the choice of the command. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "batch.h"
#include "command.h"
#include "error.h"
#include "memory.h"
#include "netns.h"

/* The Makefile defines it. */
#ifndef VERSION
#define VERSION "unknown"
#endif

static const struct command * const commands[] = {
	&command_show,
	&command_set,
	&command_peer_add,
	&command_peer_set,
	&command_peer_del,
	&command_sa_add,
	&command_sa_del,
	&command_genkey,
	&command_stats,
	&command_metrics,
	&command_monitor,
	&command_check,
	&command_connection_list,
	&command_connection_show,
	&command_policies,
	&command_policy_list,
	&command_policy_show,
	&command_policy_add,
	&command_policy_del,
	&command_export,
	&command_up,
	&command_down,
	&command_status,
};

/* Column in which the help of a keyword begins */
#define HELP_COLUMN 19

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* Prints the command with its arguments and keywords on one line. */
static void print_command(FILE *out, const struct command *command)
{
	const struct params *params = command->params;

	fprintf(out, "pvsvpnctl %s%s%s", command->name, *command->args ? " " : "", command->args);
	for (size_t i = 0; params && i < params->count; i++) {
		const struct param *param = &params->table[i];
		bool needed = i < params->needed;

		fprintf(out, " %s%s%s%s%s", needed ? "" : "[", param->key,
			param->arg ? " " : "", param->arg ?: "",
			needed ? "" : "]");
	}
	putc('\n', out);
}

/* Prints the keyword and its value, then the lines of its help in a column. */
static void print_param(const struct param *param)
{
	const char *text = param->help;
	int width = printf("  %s%s%s", param->key, param->arg ? " " : "", param->arg ?: "");

	if (width > HELP_COLUMN - 1) {
		putchar('\n');
		width = 0;
	}
	while (*text) {
		int len = strcspn(text, "\n");

		printf("%*s%.*s\n", HELP_COLUMN - width, "", len, text);
		text += len + !!text[len];
		width = 0;
	}
}

static void print_usage(FILE *out)
{
	fputs("Usage: pvsvpnctl [-j|--json] [-n NETNS] OBJECT VERB ...\n"
	      "       pvsvpnctl [-j|--json] [-n NETNS] -b FILE|-\n"
	      "       pvsvpnctl help [OBJECT [VERB]]\n\n"
	      "Configures and shows pvsvpn devices: IPsec tunnels as network interfaces.\n\n",
	      out);
	for (size_t i = 0; i < COMMANDS; i++) {
		fputs("  ", out);
		print_command(out, commands[i]);
	}
	fputs("\nOptions:\n"
	      "  -j, --json         print JSON (show, stats, monitor, check, connection, policies, policy, export,\n"
	      "                     status)\n"
	      "  -n, --netns NETNS  work in this network namespace (see ip-netns(8))\n"
	      "  -b, --batch FILE   run the commands of a file, one a line (- reads standard input)\n"
	      "  -h, --help         help, also for each command: pvsvpnctl peer add --help\n"
	      "  -V, --version      print the version\n",
	      out);
}

static void print_help(const struct command *command)
{
	const struct params *params = command->params;

	fputs("Usage: ", stdout);
	print_command(stdout, command);
	printf("\n%s", command->help);
	if (params)
		putchar('\n');
	for (size_t i = 0; params && i < params->count; i++)
		print_param(&params->table[i]);
	if (command->more_help)
		command->more_help();
}

/* Return: how many words of @argv match @name; 0 if they differ. */
static int match_name(const char *name, int argc, char **argv)
{
	size_t len = strcspn(name, " ");

	if (!argc || strlen(argv[0]) != len || strncmp(argv[0], name, len))
		return 0;
	if (!name[len])
		return 1;
	return argc > 1 && !strcmp(argv[1], name + len + 1) ? 2 : 0;
}

static const struct command *find_command(int argc, char **argv, int *words)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		*words = match_name(commands[i]->name, argc, argv);
		if (*words)
			return commands[i];
	}
	return NULL;
}

/* Help of each verb of an object. */
static bool help_object(const char *object)
{
	size_t len = strlen(object);
	bool found = false;

	for (size_t i = 0; i < COMMANDS; i++) {
		if (strncmp(commands[i]->name, object, len) || commands[i]->name[len] != ' ')
			continue;
		if (found)
			putchar('\n');
		print_help(commands[i]);
		found = true;
	}
	return found;
}

static int no_command(int argc, char **argv)
{
	if (!argc) {
		print_usage(stderr);
		return CTL_USAGE;
	}
	return ctl_error(CTL_USAGE, "usage", argv[0],
			 "pvsvpnctl --help lists the commands",
			 argc > 1 ? "no such command with \"%s\"" :
			 "no such command, or its verb is missing", argv[1]);
}

static int help(int argc, char **argv)
{
	int words;
	const struct command *command = find_command(argc, argv, &words);

	if (command)
		print_help(command);
	else if (!argc)
		print_usage(stdout);
	else if (argc > 1 || !help_object(argv[0]))
		return no_command(argc, argv);
	return CTL_OK;
}

static int run(const struct options *options, int argc, char **argv)
{
	int words;
	const struct command *command = find_command(argc, argv, &words);

	if (argc && !strcmp(argv[0], "help"))
		return help(argc - 1, argv + 1);
	if (!command)
		return no_command(argc, argv);
	return command->run(options, argc - words, argv + words);
}

/* Runs the command, or those of the file @batch, in namespace @netns. */
static int run_all(const struct options *options, const char *netns,
		   const char *batch, int argc, char **argv)
{
	int ret = netns ? netns_enter(netns) : CTL_OK;

	if (!ret && batch && argc)
		ret = ctl_error(CTL_USAGE, "batch", argv[0],
				"put it into the file",
				"a command besides a file of commands");
	if (ret)
		return ret;
	return batch ? batch_run(batch, run, options) :
		       run(options, argc, argv);
}

/* Checks that all output was written: a full disk is a failure. */
static int finish(int ret)
{
	if (fflush(stdout) || ferror(stdout))
		return ctl_error(CTL_FAILED, "standard output", NULL,
				 "check where it goes", "%s", strerror(errno));
	return ret;
}

static const struct option longs[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "batch", required_argument, NULL, 'b' },
	{ "netns", required_argument, NULL, 'n' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 }
};

/* The keyword of a command; @len: bytes of @word. The options of all commands come first. */
static const struct param *find_keyword(const char *word, size_t len)
{
	for (size_t i = 0; longs[i].name; i++)
		if (strlen(longs[i].name) == len && !strncmp(longs[i].name, word, len))
			return NULL;
	for (size_t i = 0; i < COMMANDS; i++) {
		const struct params *params = commands[i]->params;

		for (size_t j = 0; params && j < params->count; j++)
			if (strlen(params->table[j].key) == len &&
			    !strncmp(params->table[j].key, word, len))
				return &params->table[j];
	}
	return NULL;
}

/*
 * A keyword may be written as an option: "--for VENDOR" and "--for=VENDOR" are "for VENDOR". An
 * option is no value, so a value that is missing becomes an empty word, which no keyword takes.
 *
 * Return: the words, with a NULL at the end; @argc becomes their number.
 */
static char **without_dashes(int *argc, char **argv)
{
	static char **words;
	int count = 0;

	words = ctl_alloc(NULL, (2 * *argc + 1) * sizeof(*words));
	for (int i = 0; i < *argc; i++) {
		size_t len = strncmp(argv[i], "--", 2) ? 0 : strcspn(argv[i] + 2, "=");
		const struct param *param = i && len ? find_keyword(argv[i] + 2, len) : NULL;

		if (!param) {
			words[count++] = argv[i];
			continue;
		}
		words[count++] = argv[i] + 2;
		if (argv[i][2 + len]) {
			argv[i][2 + len] = '\0';
			words[count++] = argv[i] + 2 + len + 1;
		} else if (param->arg && i + 1 < *argc && !strncmp(argv[i + 1], "--", 2)) {
			words[count++] = "";
		}
	}
	words[count] = NULL;
	*argc = count;
	return words;
}

int main(int argc, char **argv)
{
	struct options options = { .json = false };
	const char *netns = NULL, *batch = NULL;
	bool want_help = false;
	int opt;

	memory_protect();
	/* A file that becomes too large is an error, which says why. */
	signal(SIGXFSZ, SIG_IGN);
	/* getopt says "pvsvpnctl: invalid option", whatever the path is. */
	argv[0] = "pvsvpnctl";
	argv = without_dashes(&argc, argv);
	/* A long option may have a single dash, as in "ip -batch FILE". */
	while ((opt = getopt_long_only(argc, argv, "jn:b:hV", longs,
				       NULL)) != -1) {
		switch (opt) {
		case 'j':
			options.json = true;
			break;
		case 'n':
			netns = optarg;
			break;
		case 'b':
			batch = optarg;
			break;
		case 'h':
			want_help = true;
			break;
		case 'V':
			puts("pvsvpnctl " VERSION);
			return finish(CTL_OK);
		default:
			return CTL_USAGE;
		}
	}
	argc -= optind;
	argv += optind;
	if (want_help)
		return finish(help(argc, argv));
	return finish(run_all(&options, netns, batch, argc, argv));
}
