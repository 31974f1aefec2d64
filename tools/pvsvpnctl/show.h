/* SPDX-License-Identifier: GPL-2.0 */
/* Loading and printing a whole state. */
#ifndef PVSVPNCTL_SHOW_H
#define PVSVPNCTL_SHOW_H

#include <stdbool.h>

struct device;
struct json_object;
struct options;
struct state;

/**
 * show_with() - load the state, of all or of one device, and print it
 * @what: the command, for error lines
 * @counters: ask the kernel for each drop reason
 * @print: prints the state
 * @how: passed to @print
 * @ifname: the device, or NULL for all
 *
 * Return: the exit status.
 */
int show_with(const char *what, bool counters,
	      void (*print)(const struct state *state, bool how), bool how,
	      const char *ifname);

/**
 * show_loaded() - run a command that shows the state, of all or of one device
 * @what: the command, for error lines
 * @counters: ask the kernel for each drop reason
 * @print: prints the state
 * @options: the global options
 * @argc: 0 or 1
 * @argv: the device
 */
int show_loaded(const char *what, bool counters,
		void (*print)(const struct state *state, bool json),
		const struct options *options, int argc, char **argv);

/* Prints an object with the list "devices", of what @make returns for each. */
void show_json(const struct state *state, struct json_object *(*make)(const struct device *dev));

void show_state(const struct state *state, bool json);
void show_stats(const struct state *state, bool json);

/* Prints OpenMetrics, or Prometheus' older text format. */
void show_metrics(const struct state *state, bool openmetrics);

#endif /* PVSVPNCTL_SHOW_H */
