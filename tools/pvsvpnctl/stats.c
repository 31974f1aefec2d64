// SPDX-License-Identifier: GPL-2.0
/* stats: every counter, drop reasons by name. */
#include <inttypes.h>
#include <stdio.h>

#include "command.h"
#include "json.h"
#include "print.h"
#include "show.h"

/* Longest "DEV peer NAME", and the same with " dir out spi 0x01234567". */
#define PEER_SCOPE_MAX 80
#define SA_SCOPE_MAX 112

static void print_counter(const char *scope, const char *name, uint64_t value)
{
	printf("%s %s %" PRIu64 "\n", scope, name, value);
}

static void print_traffic(const char *scope, const struct traffic *traffic)
{
	print_counter(scope, "rx_packets", traffic->rx_packets);
	print_counter(scope, "rx_bytes", traffic->rx_bytes);
	print_counter(scope, "tx_packets", traffic->tx_packets);
	print_counter(scope, "tx_bytes", traffic->tx_bytes);
}

static void print_drops(const char *scope, const struct drops *drops)
{
	print_counter(scope, "drops", drops->total);
	for (size_t i = 0; i < PVSVPN_DROP_MAX; i++)
		if (drops->value[i])
			printf("%s %s %" PRIu64 "  %s\n", scope,
			       drop_reasons[i].name, drops->value[i],
			       drop_reasons[i].text);
	for (size_t i = 0; i < drops->new_count; i++)
		if (drops->new[i].value)
			printf("%s %s %" PRIu64 "  unknown to this pvsvpnctl, see counters.rst of the module's release\n",
			       scope, drops->new[i].name, drops->new[i].value);
}

static void print_sa(const char *peer, const struct sa *sa)
{
	char scope[SA_SCOPE_MAX];

	snprintf(scope, sizeof(scope), "%s dir %s spi 0x%08x", peer, dir_name(sa->dir), sa->spi);
	print_counter(scope, "packets", sa->packets);
	print_counter(scope, "bytes", sa->bytes);
	print_drops(scope, &sa->drops);
}

static void print_peer(const struct device *dev, const struct peer *peer)
{
	char scope[PEER_SCOPE_MAX], name[sizeof(peer->name)];

	snprintf(scope, sizeof(scope), "%s peer %s", dev->ifname, clean_copy(name, peer->name));
	print_traffic(scope, &peer->traffic);
	print_drops(scope, &peer->drops);
	for (size_t i = 0; i < peer->sa_count; i++)
		print_sa(scope, &peer->sas[i]);
}

static void print_device(const struct device *dev)
{
	print_traffic(dev->ifname, &dev->traffic);
	print_drops(dev->ifname, &dev->drops);
	for (size_t i = 0; i < dev->peer_count; i++)
		print_peer(dev, &dev->peers[i]);
}

static struct json_object *sa_json(const struct sa *sa)
{
	struct json_object *json = json_new();

	json_add_text(json, "dir", dir_name(sa->dir));
	json_add_uint(json, "spi", sa->spi);
	json_add_uint(json, "packets", sa->packets);
	json_add_uint(json, "bytes", sa->bytes);
	json_add_drops(json, &sa->drops, DROP_SCOPE_SA, true);
	return json;
}

static struct json_object *peer_json(const struct peer *peer)
{
	struct json_object *json = json_new(), *sas = json_list();

	json_add_text(json, "name", peer->name);
	json_add_traffic(json, &peer->traffic);
	json_add_drops(json, &peer->drops, DROP_SCOPE_PEER, true);
	for (size_t i = 0; i < peer->sa_count; i++)
		json_append(sas, sa_json(&peer->sas[i]));
	json_add(json, "sas", sas);
	return json;
}

static struct json_object *device_json(const struct device *dev)
{
	struct json_object *json = json_new(), *peers = dev->hidden ? NULL : json_list();

	json_add_text(json, "ifname", dev->ifname);
	json_add_traffic(json, &dev->traffic);
	json_add_drops(json, &dev->drops, DROP_SCOPE_DEVICE, true);
	for (size_t i = 0; peers && i < dev->peer_count; i++)
		json_append(peers, peer_json(&dev->peers[i]));
	json_add(json, "peers", peers);
	return json;
}

void show_stats(const struct state *state, bool json)
{
	if (json) {
		show_json(state, device_json);
		return;
	}
	for (size_t i = 0; i < state->device_count; i++)
		print_device(&state->devices[i]);
}

static int run_stats(const struct options *options, int argc, char **argv)
{
	return show_loaded("stats", true, show_stats, options, argc, argv);
}

const struct command command_stats = {
	.name = "stats",
	.args = "[DEV]",
	.help = "Prints every counter, one a line: whose it is, its name, its value. A drop reason\n"
		"follows when it is not 0, with what it means and what to do. --json has all.\n",
	.run = run_stats,
};
