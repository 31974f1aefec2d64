// SPDX-License-Identifier: GPL-2.0
/* show: devices, peers and SAs, their state and totals. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "error.h"
#include "nl.h"
#include "print.h"
#include "show.h"

static void print_traffic(const struct traffic *traffic,
			  const struct drops *drops)
{
	char rx[FORMAT_MAX], tx[FORMAT_MAX];

	printf("  received: %s in %" PRIu64 " packets  sent: %s in %" PRIu64 " packets  dropped: %" PRIu64 "\n",
	       format_bytes(rx, traffic->rx_bytes), traffic->rx_packets,
	       format_bytes(tx, traffic->tx_bytes), traffic->tx_packets,
	       drops->total);
}

static void print_subnets(const struct subnet_list *list)
{
	char text[FORMAT_MAX];

	printf("  subnets: ");
	for (size_t i = 0; i < list->count; i++)
		printf("%s%s", i ? ", " : "",
		       format_subnet(text, &list->subnet[i]));
	puts(list->count ? "" : "everything");
}

static void print_peer_state(const struct peer *peer)
{
	char age[FORMAT_MAX];

	printf("  state: %s", peer->up ? "up" : "down");
	if (peer->dead_ms != NEVER)
		printf(", dead for %s", format_age(age, peer->dead_ms));
	if (peer->tx_spi)
		printf(", sending with spi 0x%08x", peer->tx_spi);
	if (peer->last_rx_ms == NEVER)
		puts(", nothing received yet");
	else
		printf(", last received %s ago\n",
		       format_age(age, peer->last_rx_ms));
}

/* What only ESP in UDP has. */
static void print_udp(const struct peer *peer)
{
	if (peer->encap != PVSVPN_ENCAP_UDP)
		return;
	printf("  ports: %u to %u%s  ", peer->sport, peer->dport,
	       peer->pin ? " (pinned)" : "");
	if (peer->nat_keepalive)
		printf("nat keepalive: %u s\n", peer->nat_keepalive);
	else
		puts("nat keepalive: off");
}

/* What is off by itself is shown where it is on. */
static void print_liveness(const struct peer *peer)
{
	char text[FORMAT_MAX];

	if (!peer->keepalive && !peer->dead_after && !peer->tfc)
		return;
	if (peer->keepalive)
		printf("  keepalive: %u s", peer->keepalive);
	if (peer->dead_after)
		printf("  dead after: %u s", peer->dead_after);
	if (peer->tfc)
		printf("  tfc: %s", format_tfc(text, peer->tfc));
	putchar('\n');
}

static void print_peer(const struct peer *peer)
{
	char text[FORMAT_MAX], name[sizeof(peer->name)];

	strcpy(name, peer->name);
	printf("\npeer: %s\n", clean_text(name));
	strcpy(name, peer->link);
	printf("  remote: %s%s%s", format_addr(text, &peer->remote),
	       name[0] ? "%" : "", clean_text(name));
	printf("  local: %s  encap: %s\n", format_addr(text, &peer->local),
	       encap_name(peer->encap));
	print_udp(peer);
	print_liveness(peer);
	print_subnets(&peer->subnets);
	print_peer_state(peer);
	printf("  path mtu: %u  inner mtu: %u  replay window: %u\n",
	       peer->path_mtu, peer->inner_mtu, peer->replay_window);
	print_traffic(&peer->traffic, &peer->drops);
	if (peer->sa_count)
		print_sas(peer->sas, peer->sa_count);
	else
		puts("  no SAs; pvsvpnctl sa add");
}

/* Those that somebody has set. */
static void print_settings(const struct device *dev)
{
	const char *before = "  settings: ";
	char text[FORMAT_MAX];

	for (int i = 0; i < SETTINGS; i++) {
		if (dev->setting[i] == settings[i].usual)
			continue;
		printf("%s%s %s", before, settings[i].name,
		       format_setting(text, &settings[i], dev->setting[i]));
		before = ", ";
	}
	if (*before == ',')
		putchar('\n');
}

static void print_device(const struct device *dev)
{
	printf("device: %s\n  mtu: %u (%s)  carrier: %s", dev->ifname, dev->mtu,
	       dev->mtu_auto ? "auto" : "fixed", dev->carrier ? "up" : "down");
	putchar('\n');
	print_settings(dev);
	print_traffic(&dev->traffic, &dev->drops);
	for (size_t i = 0; i < dev->peer_count; i++)
		print_peer(&dev->peers[i]);
}

static void print_text(const struct state *state)
{
	for (size_t i = 0; i < state->device_count; i++) {
		if (i)
			putchar('\n');
		print_device(&state->devices[i]);
	}
}

static void add_limits(struct json *json, const struct sa *sa)
{
	const struct {
		const char *name;
		uint64_t value;
	} limit[] = {
		{ "soft_packets", sa->soft.packets },
		{ "hard_packets", sa->hard.packets },
		{ "soft_bytes", sa->soft.bytes },
		{ "hard_bytes", sa->hard.bytes },
		{ "soft_seconds", sa->soft.seconds },
		{ "hard_seconds", sa->hard.seconds },
		{ "soft_use_seconds", sa->soft.use_seconds },
		{ "hard_use_seconds", sa->hard.use_seconds },
	};

	for (size_t i = 0; i < sizeof(limit) / sizeof(limit[0]); i++)
		if (limit[i].value)
			json_uint(json, limit[i].name, limit[i].value);
}

static char *sa_json(const struct sa *sa)
{
	struct json *json = json_new();
	char text[FORMAT_MAX];

	json_text(json, "dir", dir_name(sa->dir));
	json_uint(json, "spi", sa->spi);
	json_text(json, "transform", format_transform(text, sa));
	if (sa->replay_window)
		json_uint(json, "replay_window", sa->replay_window);
	else
		json_null(json, "replay_window");
	json_bool(json, "esn", sa->esn);
	json_uint(json, "seq", sa->seq);
	add_limits(json, sa);
	json_bool(json, "current", sa->current);
	json_bool(json, "expired", sa->expired);
	json_text(json, "driver", sa->driver);
	json_uint(json, "age_ms", sa->age_ms);
	json_uint(json, "packets", sa->packets);
	json_uint(json, "bytes", sa->bytes);
	json_drops(json, &sa->drops, DROP_SCOPE_SA, false);
	return json_end(json);
}

static char *sas_json(const struct peer *peer)
{
	struct json_array array;

	json_array_begin(&array);
	for (size_t i = 0; i < peer->sa_count; i++)
		json_array_add(&array, sa_json(&peer->sas[i]));
	return json_array_end(&array);
}

/* An address needs no escaping. */
static char *subnets_json(const struct subnet_list *list)
{
	struct json_array array;
	char text[FORMAT_MAX], *value;

	json_array_begin(&array);
	for (size_t i = 0; i < list->count; i++) {
		value = ctl_alloc(NULL, FORMAT_MAX + 2);
		snprintf(value, FORMAT_MAX + 2, "\"%s\"",
			 format_subnet(text, &list->subnet[i]));
		json_array_add(&array, value);
	}
	return json_array_end(&array);
}

static void add_peer_state(struct json *json, const struct peer *peer)
{
	json_bool(json, "up", peer->up);
	if (peer->tx_spi)
		json_uint(json, "tx_spi", peer->tx_spi);
	else
		json_null(json, "tx_spi");
	json_uint(json, "path_mtu", peer->path_mtu);
	json_uint(json, "inner_mtu", peer->inner_mtu);
	if (peer->last_rx_ms == NEVER)
		json_null(json, "last_rx_ms");
	else
		json_uint(json, "last_rx_ms", peer->last_rx_ms);
}

static void add_udp(struct json *json, const struct peer *peer)
{
	if (peer->encap != PVSVPN_ENCAP_UDP)
		return;
	json_uint(json, "sport", peer->sport);
	json_uint(json, "dport", peer->dport);
	json_uint(json, "nat_keepalive", peer->nat_keepalive);
	json_bool(json, "pin", peer->pin);
}

static void add_liveness(struct json *json, const struct peer *peer)
{
	char text[FORMAT_MAX];

	json_uint(json, "keepalive", peer->keepalive);
	json_uint(json, "dead_after", peer->dead_after);
	json_text(json, "tfc", format_tfc(text, peer->tfc));
	if (peer->dead_ms == NEVER)
		json_null(json, "dead_ms");
	else
		json_uint(json, "dead_ms", peer->dead_ms);
}

static char *peer_json(const struct peer *peer)
{
	struct json *json = json_new();

	json_text(json, "name", peer->name);
	json_uint(json, "id", peer->id);
	json_addr(json, "local", &peer->local);
	json_addr(json, "remote", &peer->remote);
	if (peer->link[0])
		json_text(json, "link", peer->link);
	else
		json_null(json, "link");
	json_text(json, "encap", encap_name(peer->encap));
	add_udp(json, peer);
	add_liveness(json, peer);
	json_raw(json, "subnets", subnets_json(&peer->subnets));
	json_uint(json, "replay_window", peer->replay_window);
	add_peer_state(json, peer);
	json_traffic(json, &peer->traffic);
	json_drops(json, &peer->drops, DROP_SCOPE_PEER, false);
	json_raw(json, "sas", sas_json(peer));
	return json_end(json);
}

static char *peers_json(const struct device *dev)
{
	struct json_array array;

	json_array_begin(&array);
	for (size_t i = 0; i < dev->peer_count; i++)
		json_array_add(&array, peer_json(&dev->peers[i]));
	return json_array_end(&array);
}

/* Words as "set" takes them, else numbers. */
static void add_settings(struct json *json, const struct device *dev)
{
	char name[FORMAT_MAX], text[FORMAT_MAX];

	for (int i = 0; i < SETTINGS; i++) {
		char *dash;

		snprintf(name, sizeof(name), "%s", settings[i].name);
		while ((dash = strchr(name, '-')))
			*dash = '_';
		if (setting_is_word(&settings[i], dev->setting[i]))
			json_text(json, name,
				  format_setting(text, &settings[i],
						 dev->setting[i]));
		else
			json_uint(json, name, dev->setting[i]);
	}
}

static char *device_json(const struct device *dev)
{
	struct json *json = json_new();

	json_text(json, "ifname", dev->ifname);
	json_uint(json, "ifindex", dev->ifindex);
	json_uint(json, "mtu", dev->mtu);
	json_bool(json, "mtu_auto", dev->mtu_auto);
	add_settings(json, dev);
	json_bool(json, "carrier", dev->carrier);
	json_traffic(json, &dev->traffic);
	json_drops(json, &dev->drops, DROP_SCOPE_DEVICE, false);
	json_raw(json, "peers", peers_json(dev));
	return json_end(json);
}

static void print_json(const struct state *state)
{
	struct json_array array;

	json_array_begin(&array);
	for (size_t i = 0; i < state->device_count; i++)
		json_array_add(&array, device_json(&state->devices[i]));
	json_print_devices(json_array_end(&array));
}

void show_state(const struct state *state, bool json)
{
	if (json)
		print_json(state);
	else
		print_text(state);
}

int show_loaded(const char *what, bool counters,
		void (*print)(const struct state *state, bool json),
		const struct options *options, int argc, char **argv)
{
	struct state state;
	struct nl *nl;
	int ret = CTL_OK;

	if (argc)
		ret = parse_names(what, argc, argv, 1);
	if (!ret && argc)
		ret = parse_params(what, argc - 1, argv + 1, NULL, 0);
	if (ret)
		return ret;

	nl = nl_open(what);
	if (!nl)
		return CTL_FAILED;
	ret = state_load(nl, argc ? argv[0] : NULL, counters, &state);
	nl_close(nl);
	if (ret)
		return ret;
	print(&state, options->json);
	state_free(&state);
	return CTL_OK;
}

static int run_show(const struct options *options, int argc, char **argv)
{
	/* Only JSON names the reasons; the text has their sum. */
	return show_loaded("show", options->json, show_state, options, argc,
			   argv);
}

const struct command command_show = {
	.name = "show",
	.args = "[DEV]",
	.help = "Shows devices, their peers and the SAs of those: settings, state and totals.\n"
		"Of the drop reasons, --json names those that are not 0; see pvsvpnctl stats.\n",
	.run = run_show,
};
