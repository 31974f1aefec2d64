// SPDX-License-Identifier: GPL-2.0
/* show: devices, peers and SAs, their state and totals. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "error.h"
#include "json.h"
#include "limit.h"
#include "nl.h"
#include "print.h"
#include "problem.h"
#include "show.h"

static void print_subnets(const char *name, const struct subnet_list *list)
{
	char text[FORMAT_MAX];

	printf("  %s: ", name);
	for (size_t i = 0; i < list->count; i++)
		printf("%s%s", i ? ", " : "", format_subnet(text, &list->subnet[i]));
	puts(list->count ? "" : "everything");
}

static bool has_problem(const struct device *dev, const struct peer *peer, int first, int end)
{
	for (int i = first; i < end; i++)
		if (peer_has_problem(dev, peer, i))
			return true;
	return false;
}

/* The state of the tunnel in one or two words */
static const char *state_word(const struct device *dev, const struct peer *peer)
{
	if (has_problem(dev, peer, 0, __PROBLEM_SENDS))
		return "down";
	if (has_problem(dev, peer, __PROBLEM_SENDS, PROBLEM_NOTHING_RECEIVED))
		return "sending only";
	return "up";
}

static void print_peer_state(const struct device *dev, const struct peer *peer)
{
	char age[FORMAT_MAX], text[PROBLEM_TEXT_MAX];
	const char *before = ": ";

	printf("  state: %s", state_word(dev, peer));
	/* The end of the line reports PROBLEM_NOTHING_RECEIVED in any case. */
	for (int i = 0; i < PROBLEM_NOTHING_RECEIVED; i++) {
		if (!peer_has_problem(dev, peer, i))
			continue;
		printf("%s%s", before, problem_text(text, dev, peer, i));
		before = ", ";
	}
	if (peer->tx_spi)
		printf(", sending with spi 0x%08x", peer->tx_spi);
	if (peer->last_rx_ms == NEVER)
		puts(", nothing received yet");
	else
		printf(", last received %s ago\n", format_age(age, peer->last_rx_ms));
}

/* Settings that only ESP in UDP has */
static void print_udp(const struct peer *peer)
{
	if (peer->encap != PVSVPN_ENCAP_UDP)
		return;
	printf("  ports: %u to %u%s  ", peer->sport, peer->dport, peer->pin ? " (pinned)" : "");
	if (peer->nat_keepalive)
		printf("nat keepalive: %u s\n", peer->nat_keepalive);
	else
		puts("nat keepalive: off");
}

/* Settings that are off by default are shown only if they are on. */
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

/* The calculation of the inner MTU */
static void print_mtu(const struct peer *peer)
{
	const struct overhead *overhead = &peer->overhead;

	printf("  mtu: ");
	if (overhead->ip) {
		printf("%u path - %u IPv%d", peer->path_mtu, overhead->ip,
		       peer->remote.len == 4 ? 4 : 6);
		if (overhead->udp)
			printf(" - %u UDP", overhead->udp);
		printf(" - %u ESP and IV - %u ICV - %u trailer and padding = %u inner",
		       overhead->esp, overhead->icv, overhead->trailer,
		       peer->inner_mtu);
	} else if (peer->path_mtu) {
		printf("%u inner, the least; the path carries %u only",
		       peer->inner_mtu, peer->path_mtu);
	} else {
		printf("%u inner, as long as the path is not known", peer->inner_mtu);
	}
	printf("  replay window: %u\n", peer->replay_window);
}

static void print_peer(const struct device *dev, const struct peer *peer)
{
	char text[FORMAT_MAX], name[sizeof(peer->name)];

	printf("\npeer: %s\n", clean_copy(name, peer->name));
	printf("  remote: %s%s%s", format_addr(text, &peer->remote),
	       *peer->link ? "%" : "", clean_copy(name, peer->link));
	printf("  local: %s  encap: %s%s\n", format_addr(text, &peer->local),
	       encap_name(peer->encap),
	       peer->origin == PVSVPN_ORIGIN_XFRM ? "  origin: xfrm" : "");
	print_udp(peer);
	print_liveness(peer);
	print_subnets("subnets", &peer->subnets);
	if (peer->local_subnets.count)
		print_subnets("local subnets", &peer->local_subnets);
	print_peer_state(dev, peer);
	print_mtu(peer);
	print_totals(&peer->traffic, &peer->drops);
	if (peer->sa_count)
		print_sas(peer->sas, peer->sa_count);
	else
		puts("  no SAs; pvsvpnctl sa add");
}

/* Settings that differ from those of a new device */
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
	printf("device: %s\n  mtu: %u (%s)  carrier: %s\n", dev->ifname, dev->mtu,
	       dev->mtu_auto ? "auto" : "fixed", dev->carrier ? "up" : "down");
	print_settings(dev);
	if (!dev->up)
		printf("  device is down (ip link set %s up)\n", dev->ifname);
	print_totals(&dev->traffic, &dev->drops);
	for (size_t i = 0; i < dev->peer_count; i++)
		print_peer(dev, &dev->peers[i]);
	if (dev->hidden)
		printf("  peers and SAs are not shown: needs CAP_NET_ADMIN in the namespace %s was created in\n",
		       dev->ifname);
	else if (!dev->peer_count)
		puts("  no peers; pvsvpnctl peer add");
}

/* Adds the limits, and "left": the remaining amounts with their names, whole seconds for times. */
static void add_limits(struct json_object *json, const struct sa *sa)
{
	struct json_object *left = json_new();

	for (size_t i = 0; i < LIMITS; i++) {
		if (!limit_of(&limits[i], sa))
			continue;
		json_add_uint(json, limits[i].name, limit_of(&limits[i], sa));
		json_add_uint(left, limits[i].name, limit_left(&limits[i], sa) /
			      (limit_is_time(&limits[i]) ? 1000 : 1));
	}
	json_add(json, "left", left);
}

static struct json_object *sa_json(const struct sa *sa)
{
	struct json_object *json = json_new();
	char text[FORMAT_MAX];

	json_add_text(json, "dir", dir_name(sa->dir));
	json_add_uint(json, "spi", sa->spi);
	json_add_text(json, "transform", format_transform(text, sa));
	json_add_uint_or_null(json, "replay_window", sa->replay_window, 0);
	json_add_bool(json, "esn", sa->esn);
	json_add_uint(json, "seq", sa->seq);
	add_limits(json, sa);
	json_add_text(json, "origin", origin_name(sa->origin));
	json_add_bool(json, "current", sa->current);
	json_add_bool(json, "expired", sa->expired);
	json_add_text_or_null(json, "expired_reason", sa->expired_reason);
	json_add_text(json, "driver", sa->driver);
	json_add_uint(json, "age_ms", sa->age_ms);
	json_add_uint_or_null(json, "use_age_ms", sa->use_age_ms, NEVER);
	json_add_uint(json, "packets", sa->packets);
	json_add_uint(json, "bytes", sa->bytes);
	json_add_drops(json, &sa->drops, DROP_SCOPE_SA, false);
	return json;
}

static struct json_object *subnets_json(const struct subnet_list *list)
{
	struct json_object *array = json_list();
	char text[FORMAT_MAX];

	for (size_t i = 0; i < list->count; i++)
		json_append_text(array, format_subnet(text, &list->subnet[i]));
	return array;
}

static struct json_object *problems_json(const struct device *dev, const struct peer *peer)
{
	struct json_object *array = json_list();

	for (int i = 0; i < PROBLEM_MAX; i++)
		if (peer_has_problem(dev, peer, i))
			json_append_text(array, problem_name(i));
	return array;
}

/* Null if it is unknown */
static struct json_object *overhead_json(const struct overhead *overhead)
{
	struct json_object *json;

	if (!overhead->ip)
		return NULL;
	json = json_new();
	json_add_uint(json, "ip", overhead->ip);
	json_add_uint(json, "udp", overhead->udp);
	json_add_uint(json, "esp", overhead->esp);
	json_add_uint(json, "icv", overhead->icv);
	json_add_uint(json, "trailer", overhead->trailer);
	return json;
}

static void add_udp(struct json_object *json, const struct peer *peer)
{
	if (peer->encap != PVSVPN_ENCAP_UDP)
		return;
	json_add_uint(json, "sport", peer->sport);
	json_add_uint(json, "dport", peer->dport);
	json_add_uint(json, "nat_keepalive", peer->nat_keepalive);
	json_add_bool(json, "pin", peer->pin);
}

static struct json_object *peer_json(const struct device *dev, const struct peer *peer)
{
	struct json_object *json = json_new(), *sas = json_list();
	char tfc[FORMAT_MAX];

	json_add_text(json, "name", peer->name);
	json_add_uint(json, "id", peer->id);
	json_add_addr(json, "local", &peer->local);
	json_add_addr(json, "remote", &peer->remote);
	json_add_text_or_null(json, "link", peer->link);
	json_add_text(json, "encap", encap_name(peer->encap));
	json_add_text(json, "origin", origin_name(peer->origin));
	add_udp(json, peer);
	json_add_uint(json, "keepalive", peer->keepalive);
	json_add_uint(json, "dead_after", peer->dead_after);
	json_add_text(json, "tfc", format_tfc(tfc, peer->tfc));
	json_add_uint_or_null(json, "dead_ms", peer->dead_ms, NEVER);
	json_add(json, "subnets", subnets_json(&peer->subnets));
	json_add(json, "local_subnets",
		 peer->local_subnets.count ? subnets_json(&peer->local_subnets) : NULL);
	json_add_uint(json, "replay_window", peer->replay_window);
	json_add_bool(json, "up", peer->up);
	json_add_text(json, "state", state_word(dev, peer));
	json_add(json, "problems", problems_json(dev, peer));
	json_add_uint_or_null(json, "tx_spi", peer->tx_spi, 0);
	json_add_uint_or_null(json, "path_mtu", peer->path_mtu, 0);
	json_add_uint(json, "inner_mtu", peer->inner_mtu);
	json_add(json, "overhead", overhead_json(&peer->overhead));
	json_add_uint_or_null(json, "last_rx_ms", peer->last_rx_ms, NEVER);
	json_add_traffic(json, &peer->traffic);
	json_add_drops(json, &peer->drops, DROP_SCOPE_PEER, false);
	for (size_t i = 0; i < peer->sa_count; i++)
		json_append(sas, sa_json(&peer->sas[i]));
	json_add(json, "sas", sas);
	return json;
}

/* Words as "set" takes them, else numbers. */
static void add_settings(struct json_object *json, const struct device *dev)
{
	char name[FORMAT_MAX];

	for (int i = 0; i < SETTINGS; i++) {
		const struct setting_word *word = setting_word(&settings[i], dev->setting[i]);
		bool mark = i == SETTING_FWMARK || i == SETTING_IF_ID_IN ||
			    i == SETTING_IF_ID_OUT;
		char *dash;

		snprintf(name, sizeof(name), "%s", settings[i].name);
		while ((dash = strchr(name, '-')))
			*dash = '_';
		if (mark && dev->hidden)
			json_add(json, name, NULL);
		else if (word)
			json_add_text(json, name, word->text);
		else
			json_add_uint(json, name, dev->setting[i]);
	}
}

static struct json_object *device_json(const struct device *dev)
{
	struct json_object *json = json_new(), *peers = dev->hidden ? NULL : json_list();

	json_add_text(json, "ifname", dev->ifname);
	json_add_uint(json, "ifindex", dev->ifindex);
	json_add_uint(json, "mtu", dev->mtu);
	json_add_bool(json, "mtu_auto", dev->mtu_auto);
	add_settings(json, dev);
	json_add_bool(json, "up", dev->up);
	json_add_bool(json, "carrier", dev->carrier);
	json_add_bool(json, "hidden", dev->hidden);
	json_add_traffic(json, &dev->traffic);
	json_add_drops(json, &dev->drops, DROP_SCOPE_DEVICE, false);
	for (size_t i = 0; peers && i < dev->peer_count; i++)
		json_append(peers, peer_json(dev, &dev->peers[i]));
	json_add(json, "peers", peers);
	return json;
}

void show_json(const struct state *state, struct json_object *(*make)(const struct device *dev))
{
	struct json_object *list = json_list();

	for (size_t i = 0; i < state->device_count; i++)
		json_append(list, make(&state->devices[i]));
	json_print_list("devices", list);
}

void show_state(const struct state *state, bool json)
{
	if (json) {
		show_json(state, device_json);
		return;
	}
	for (size_t i = 0; i < state->device_count; i++) {
		if (i)
			putchar('\n');
		print_device(&state->devices[i]);
	}
}

int show_with(const char *what, bool counters,
	      void (*print)(const struct state *state, bool how), bool how,
	      const char *ifname)
{
	struct state state;
	struct nl *nl;
	int ret;

	nl = nl_open(what);
	if (!nl)
		return CTL_FAILED;
	ret = state_load(nl, ifname, counters, &state);
	nl_close(nl);
	if (ret)
		return ret;
	print(&state, how);
	state_free(&state);
	return CTL_OK;
}

int show_loaded(const char *what, bool counters,
		void (*print)(const struct state *state, bool json),
		const struct options *options, int argc, char **argv)
{
	int ret = parse_params(what, argc, argv, !!argc, NULL, NULL, NULL);

	return ret ?: show_with(what, counters, print, options->json, argc ? argv[0] : NULL);
}

static int run_show(const struct options *options, int argc, char **argv)
{
	/* Only JSON names the reasons; the text has their sum. */
	return show_loaded("show", options->json, show_state, options, argc, argv);
}

const struct command command_show = {
	.name = "show",
	.args = "[DEV]",
	.help = "Shows devices, their peers and the SAs of those: settings, state and totals.\n"
		"Of the drop reasons, --json names those that are not 0; see pvsvpnctl stats.\n",
	.run = run_show,
};
