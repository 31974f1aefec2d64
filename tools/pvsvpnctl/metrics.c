// SPDX-License-Identifier: GPL-2.0
/*
 * metrics: values for an operator's alerts, as OpenMetrics 1.0 or in Prometheus' text format 0.0.4.
 * The latter differs only in the # lines: they have a counter's suffix, too, and there are no info,
 * stateset, units or end.
 *
 * All samples of a metric must be together. Each metric of the table is printed for all devices,
 * peers or SAs, then the next.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "error.h"
#include "limit.h"
#include "print.h"
#include "problem.h"
#include "show.h"

enum kind {
	GAUGE,
	COUNTER,
	INFO,
	STATESET,
};

static const struct {
	const char *openmetrics;
	const char *prometheus;
	const char *suffix;	/* of the samples */
} kinds[] = {
	[GAUGE] = { "gauge", "gauge", "" },
	[COUNTER] = { "counter", "counter", "_total" },
	[INFO] = { "info", "gauge", "_info" },
	[STATESET] = { "stateset", "gauge", "" },
};

/* The owner of a sample: an SA has a peer, a peer has a device. */
struct owner {
	const struct device *dev;
	const struct peer *peer;
	const struct sa *sa;
};

/* A metric while it is printed. */
struct output {
	const struct metric *metric;
	bool openmetrics;
	bool begun;		/* its # lines are printed */
	char *labels;		/* of the owner, without braces */
	size_t labels_size;
};

/* The kind of object that has a metric */
enum scope {
	OF_DEVICE,
	OF_PEER,
	OF_SA,
};

/**
 * struct metric - a metric family
 * @name: without the suffix of its kind; ends in the unit
 * @kind: its kind
 * @unit: NULL for none
 * @scope: the kind of object that has it
 * @offset: of the value in its owner, for print_u64() and the like
 * @print: prints its samples
 * @help: a sentence without newline, backslash and quotes
 */
struct metric {
	const char *name;
	enum kind kind;
	const char *unit;
	enum scope scope;
	size_t offset;
	void (*print)(struct output *out, const struct owner *owner);
	const char *help;
};

/* ---- lines ---- */

static void print_escaped(FILE *to, const char *value)
{
	for (; *value; value++) {
		if (*value == '\n')
			fputs("\\n", to);
		else if (*value == '"' || *value == '\\')
			fprintf(to, "\\%c", *value);
		else
			fputc(*value, to);
	}
}

/* @value may come from another program. */
static void add_label(FILE *to, const char *before, const char *name, const char *value)
{
	char *clean = strdup(value);

	no_memory_if(!clean);
	fprintf(to, "%s%s=\"", before, name);
	print_escaped(to, clean_text(clean));
	fputc('"', to);
	free(clean);
}

static void begin_metric(struct output *out)
{
	const struct metric *metric = out->metric;
	const char *suffix = kinds[metric->kind].suffix;

	if (out->begun)
		return;
	out->begun = true;
	if (out->openmetrics) {
		printf("# TYPE %s %s\n", metric->name, kinds[metric->kind].openmetrics);
		if (metric->unit)
			printf("# UNIT %s %s\n", metric->name, metric->unit);
		printf("# HELP %s %s\n", metric->name, metric->help);
	} else {
		printf("# HELP %s%s %s\n", metric->name, suffix, metric->help);
		printf("# TYPE %s%s %s\n", metric->name, suffix, kinds[metric->kind].prometheus);
	}
}

/* Prints the labels of the owner; other labels may follow. */
static void begin_sample(struct output *out)
{
	begin_metric(out);
	printf("%s%s{%s", out->metric->name, kinds[out->metric->kind].suffix, out->labels);
}

static void end_sample(uint64_t value)
{
	printf("} %" PRIu64 "\n", value);
}

static void end_sample_ms(uint64_t ms)
{
	printf("} %" PRIu64 ".%03u\n", ms / 1000, (unsigned int)(ms % 1000));
}

static void print_sample(struct output *out, uint64_t value)
{
	begin_sample(out);
	end_sample(value);
}

/* ---- values: one of the owner's members ---- */

static const void *member(const struct output *out, const struct owner *owner)
{
	const void *object = owner->dev;

	if (out->metric->scope == OF_PEER)
		object = owner->peer;
	else if (out->metric->scope == OF_SA)
		object = owner->sa;
	return (const char *)object + out->metric->offset;
}

static void print_bool(struct output *out, const struct owner *owner)
{
	print_sample(out, *(const bool *)member(out, owner));
}

static void print_u64(struct output *out, const struct owner *owner)
{
	print_sample(out, *(const uint64_t *)member(out, owner));
}

/* An unknown MTU is 0 and has no sample. */
static void print_mtu(struct output *out, const struct owner *owner)
{
	uint32_t value = *(const uint32_t *)member(out, owner);

	if (value)
		print_sample(out, value);
}

static void print_ms(struct output *out, const struct owner *owner)
{
	uint64_t value = *(const uint64_t *)member(out, owner);

	if (value == NEVER)
		return;
	begin_sample(out);
	end_sample_ms(value);
}

/* ---- values of other kinds ---- */

static void print_device_info(struct output *out, const struct owner *owner)
{
	char fwmark[FORMAT_MAX];

	begin_sample(out);
	add_label(stdout, ",", "mtu_from", owner->dev->mtu_auto ? "path" : "operator");
	add_label(stdout, ",", "fwmark", format_setting(fwmark, &settings[SETTING_FWMARK],
							owner->dev->setting[SETTING_FWMARK]));
	end_sample(1);
}

static void print_peer_info(struct output *out, const struct owner *owner)
{
	const struct peer *peer = owner->peer;
	char text[FORMAT_MAX];

	begin_sample(out);
	if (peer->local.len)
		add_label(stdout, ",", "local", format_addr(text, &peer->local));
	add_label(stdout, ",", "remote", format_addr(text, &peer->remote));
	add_label(stdout, ",", "encap", encap_name(peer->encap));
	end_sample(1);
}

static void print_sa_info(struct output *out, const struct owner *owner)
{
	const struct sa *sa = owner->sa;
	char text[FORMAT_MAX];

	begin_sample(out);
	add_label(stdout, ",", "transform", format_transform(text, sa));
	add_label(stdout, ",", "esn", sa->esn ? "on" : "off");
	add_label(stdout, ",", "driver", sa->driver);
	end_sample(1);
}

/* The label of a stateset must have the metric's name. */
static void print_problems(struct output *out, const struct owner *owner)
{
	for (int i = 0; i < PROBLEM_MAX; i++) {
		begin_sample(out);
		add_label(stdout, ",", out->metric->name, problem_name(i));
		end_sample(peer_has_problem(owner->dev, owner->peer, i));
	}
}

/* Any number of inbound SAs may be in use. */
static void print_current(struct output *out, const struct owner *owner)
{
	if (owner->sa->dir == PVSVPN_DIRECTION_OUT)
		print_sample(out, owner->sa->current);
}

/* The ratio to all sequence numbers that the kernel uses */
static void print_sequence_used(struct output *out, const struct owner *owner)
{
	const struct sa *sa = owner->sa;
	uint64_t max = UINT32_MAX;

	if (sa->esn)
		max = sa->dir == PVSVPN_DIRECTION_OUT ? INT64_MAX : UINT64_MAX;
	begin_sample(out);
	printf("} %.9g\n", (double)sa->seq / (double)max);
}

static const char *limit_unit(const struct limit *limit)
{
	if (limit_is_time(limit))
		return "seconds";
	return limit->unit == LIMIT_PACKETS ? "packets" : "bytes";
}

/* Prints the limits of the metric's unit. Labels tell whether a limit is hard, and its start. */
static void print_left(struct output *out, const struct owner *owner)
{
	for (size_t i = 0; i < LIMITS; i++) {
		const struct limit *limit = &limits[i];

		if (!limit_of(limit, owner->sa) || strcmp(limit_unit(limit), out->metric->unit))
			continue;
		begin_sample(out);
		add_label(stdout, ",", "limit", limit->hard ? "hard" : "soft");
		if (limit_is_time(limit)) {
			add_label(stdout, ",", "since",
				  limit->unit == LIMIT_SECONDS ? "added" : "first_packet");
			end_sample_ms(limit_left(limit, owner->sa));
		} else {
			end_sample(limit_left(limit, owner->sa));
		}
	}
}

static void print_drop(struct output *out, const char *reason, uint64_t value)
{
	begin_sample(out);
	add_label(stdout, ",", "reason", reason);
	end_sample(value);
}

/*
 * Prints reasons that never occurred, too: a counter that first appears as 1 has not increased. An
 * SA has the reasons of its direction.
 */
static void print_drops(struct output *out, const struct owner *owner)
{
	static const size_t ends[] = {
		[OF_DEVICE] = DROP_SCOPE_DEVICE,
		[OF_PEER] = DROP_SCOPE_PEER,
		[OF_SA] = DROP_SCOPE_SA,
	};
	const struct drops *drops = member(out, owner);
	const char *prefix = "";

	if (owner->sa)
		prefix = owner->sa->dir == PVSVPN_DIRECTION_OUT ? "tx_" : "rx_";
	for (size_t i = 0; i < PVSVPN_DROP_MAX; i++) {
		const char *name = drop_reasons[i].name;

		if (drops->value[i] || (i < ends[out->metric->scope] &&
					!strncmp(name, prefix, strlen(prefix))))
			print_drop(out, name, drops->value[i]);
	}
	for (size_t i = 0; i < drops->new_count; i++)
		print_drop(out, drops->new[i].name, drops->new[i].value);
}

/* ---- the table ---- */

#define DEVICE(_member) OF_DEVICE, offsetof(struct device, _member)
#define PEER(_member) OF_PEER, offsetof(struct peer, _member)
#define SA(_member) OF_SA, offsetof(struct sa, _member)

static const struct metric metrics[] = {
	{ "pvsvpn_device", INFO, NULL, OF_DEVICE, 0,
	  print_device_info, "Settings of a device" },
	{ "pvsvpn_device_up", GAUGE, NULL, DEVICE(up),
	  print_bool, "The device is set up, as by ip link set up" },
	{ "pvsvpn_device_carrier", GAUGE, NULL, DEVICE(carrier),
	  print_bool, "Some peer of the device has a usable outbound SA" },
	{ "pvsvpn_device_mtu_bytes", GAUGE, "bytes", DEVICE(mtu),
	  print_mtu, "MTU of the device" },
	{ "pvsvpn_device_receive_packets", COUNTER, "packets", DEVICE(traffic.rx_packets),
	  print_u64, "Inner packets that came out of the device" },
	{ "pvsvpn_device_receive_bytes", COUNTER, "bytes", DEVICE(traffic.rx_bytes),
	  print_u64, "Bytes of inner packets that came out of the device" },
	{ "pvsvpn_device_transmit_packets", COUNTER, "packets", DEVICE(traffic.tx_packets),
	  print_u64, "Inner packets that left by the device" },
	{ "pvsvpn_device_transmit_bytes", COUNTER, "bytes", DEVICE(traffic.tx_bytes),
	  print_u64, "Bytes of inner packets that left by the device" },
	{ "pvsvpn_device_dropped_packets", COUNTER, "packets", DEVICE(drops),
	  print_drops, "Packets dropped, by reason; those of peers and SAs are among them" },
	{ "pvsvpn_peer", INFO, NULL, OF_PEER, 0,
	  print_peer_info, "Settings of a peer" },
	{ "pvsvpn_peer_up", GAUGE, NULL, PEER(up),
	  print_bool, "The peer has a usable outbound SA" },
	{ "pvsvpn_peer_problem", STATESET, NULL, OF_PEER, 0,
	  print_problems, "What is in the way of the tunnel, as pvsvpnctl show says" },
	{ "pvsvpn_peer_last_receive_age_seconds", GAUGE, "seconds", PEER(last_rx_ms),
	  print_ms, "Since the last authenticated packet of the peer" },
	{ "pvsvpn_peer_path_mtu_bytes", GAUGE, "bytes", PEER(path_mtu),
	  print_mtu, "MTU of the outer path, as last seen" },
	{ "pvsvpn_peer_inner_mtu_bytes", GAUGE, "bytes", PEER(inner_mtu),
	  print_mtu, "Largest inner packet that fits the path" },
	{ "pvsvpn_peer_receive_packets", COUNTER, "packets", PEER(traffic.rx_packets),
	  print_u64, "Inner packets from the peer" },
	{ "pvsvpn_peer_receive_bytes", COUNTER, "bytes", PEER(traffic.rx_bytes),
	  print_u64, "Bytes of inner packets from the peer" },
	{ "pvsvpn_peer_transmit_packets", COUNTER, "packets", PEER(traffic.tx_packets),
	  print_u64, "Inner packets to the peer" },
	{ "pvsvpn_peer_transmit_bytes", COUNTER, "bytes", PEER(traffic.tx_bytes),
	  print_u64, "Bytes of inner packets to the peer" },
	{ "pvsvpn_peer_dropped_packets", COUNTER, "packets", PEER(drops),
	  print_drops,
	  "Packets of or to the peer dropped, by reason; those of SAs are among them" },
	{ "pvsvpn_sa", INFO, NULL, OF_SA, 0,
	  print_sa_info, "Transform of an SA and the crypto driver that does the work" },
	{ "pvsvpn_sa_current", GAUGE, NULL, OF_SA, 0,
	  print_current, "The packets of the peer leave with this outbound SA" },
	{ "pvsvpn_sa_expired", GAUGE, NULL, SA(expired),
	  print_bool, "The SA carries no further packet" },
	{ "pvsvpn_sa_age_seconds", GAUGE, "seconds", SA(age_ms),
	  print_ms, "Since the SA was added" },
	{ "pvsvpn_sa_lifetime_left_seconds", GAUGE, "seconds", OF_SA, 0,
	  print_left, "Until a lifetime of the SA is over, where one is set" },
	{ "pvsvpn_sa_lifetime_left_packets", GAUGE, "packets", OF_SA, 0,
	  print_left, "Packets until a lifetime of the SA is over, where one is set" },
	{ "pvsvpn_sa_lifetime_left_bytes", GAUGE, "bytes", OF_SA, 0,
	  print_left, "Bytes until a lifetime of the SA is over, where one is set" },
	{ "pvsvpn_sa_sequence_number", GAUGE, NULL, SA(seq),
	  print_u64, "Last sequence number sent, or highest one accepted" },
	{ "pvsvpn_sa_sequence_used_ratio", GAUGE, "ratio", OF_SA, 0,
	  print_sequence_used, "Part of its sequence numbers that the SA has used" },
	{ "pvsvpn_sa_packets", COUNTER, "packets", SA(packets),
	  print_u64, "Inner packets that the SA carried, in its direction" },
	{ "pvsvpn_sa_bytes", COUNTER, "bytes", SA(bytes),
	  print_u64, "Bytes of inner packets that the SA carried, in its direction" },
	{ "pvsvpn_sa_dropped_packets", COUNTER, "packets", SA(drops),
	  print_drops, "Packets of the SA dropped, by reason" },
};

/* ---- output ---- */

static void print_for(struct output *out, const struct owner *owner)
{
	FILE *labels = open_memstream(&out->labels, &out->labels_size);
	char spi[FORMAT_MAX];

	no_memory_if(!labels);
	add_label(labels, "", "device", owner->dev->ifname);
	if (owner->peer)
		add_label(labels, ",", "peer", owner->peer->name);
	if (owner->sa) {
		snprintf(spi, sizeof(spi), "0x%08x", owner->sa->spi);
		add_label(labels, ",", "dir", dir_name(owner->sa->dir));
		add_label(labels, ",", "spi", spi);
	}
	fclose(labels);
	out->metric->print(out, owner);
	free(out->labels);
}

static void print_device(struct output *out, const struct device *dev)
{
	struct owner owner = { .dev = dev };

	if (out->metric->scope == OF_DEVICE) {
		print_for(out, &owner);
		return;
	}
	for (size_t i = 0; i < dev->peer_count; i++) {
		owner.peer = &dev->peers[i];
		owner.sa = NULL;
		if (out->metric->scope == OF_PEER) {
			print_for(out, &owner);
			continue;
		}
		for (size_t j = 0; j < owner.peer->sa_count; j++) {
			owner.sa = &owner.peer->sas[j];
			print_for(out, &owner);
		}
	}
}

void show_metrics(const struct state *state, bool openmetrics)
{
	struct output out = { .openmetrics = openmetrics };

	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		out.metric = &metrics[i];
		out.begun = false;
		for (size_t j = 0; j < state->device_count; j++)
			print_device(&out, &state->devices[j]);
	}
	if (openmetrics)
		puts("# EOF");
}

static const char *parse_format(const char *text, void *value)
{
	bool *openmetrics = value;

	*openmetrics = !strcmp(text, "openmetrics");
	return *openmetrics || !strcmp(text, "prometheus") ? NULL :
	       "openmetrics or prometheus";
}

static int run_metrics(const struct options *options, int argc, char **argv)
{
	bool openmetrics = true;
	static const struct param table = {
		.key = "format", .arg = "NAME", .parse = parse_format
	};
	static const struct params params = { &table, 1, 0 };
	/* A first "format" is the keyword if a value follows, else a device. */
	bool names = argc && !(argc == 2 && !strcmp(argv[0], table.key));
	int ret = parse_params("metrics", argc, argv, names, &params, &openmetrics, NULL);

	(void)options;
	return ret ?: show_with("metrics", true, show_metrics, openmetrics, names ? argv[0] : NULL);
}

const struct command command_metrics = {
	.name = "metrics",
	.args = "[DEV] [format openmetrics|prometheus]",
	.help = "Prints for a monitoring system what show and stats tell.\n\n"
		"  format openmetrics  OpenMetrics 1.0, unless told otherwise\n"
		"  format prometheus   Prometheus' text format 0.0.4, as node_exporter's textfile\n"
		"                      collector takes it\n",
	.run = run_metrics,
};
