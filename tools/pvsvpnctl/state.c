// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include <linux/genetlink.h>

#include "error.h"
#include "nl.h"
#include "print.h"
#include "state.h"

/* How often a dump that changed meanwhile is requested */
#define DUMP_TRIES 10

#define REASON(_symbol, _name, _link, _core, _text) \
	[_symbol] = { .name = _name, .text = _text },

const struct drop_reason drop_reasons[PVSVPN_DROP_MAX] = {
	PVSVPN_DROP_LIST(REASON)
};

/* Adds a zeroed element at the end of @array, which grows in powers of two. */
static void *grow(void *array, size_t *count, size_t size)
{
	if (!(*count & (*count - 1)))
		array = ctl_alloc(array, (*count ? *count * 2 : 1) * size);
	memset((char *)array + *count * size, 0, size);
	++*count;
	return array;
}

#define COUNT(_array) (sizeof(_array) / sizeof((_array)[0]))

static const struct nl_field drop_fields[] = {
	[PVSVPN_A_COUNTER_NAME] = FIELD(nl_get_text, struct new_drop, name),
	[PVSVPN_A_COUNTER_VALUE] = FIELD(nl_get_int, struct new_drop, value),
};

/* Reasons come in the order of the list: the next one nearly always matches. */
static int find_reason(const char *name, size_t next)
{
	for (size_t i = 0; i < PVSVPN_DROP_MAX; i++) {
		size_t at = (next + i) % PVSVPN_DROP_MAX;

		if (!strcmp(drop_reasons[at].name, name))
			return at;
	}
	return -1;
}

static void get_drop(const struct nlattr *nest, void *value, size_t size)
{
	struct new_drop drop = { .value = 0 };
	struct drops *drops = value;
	int reason;

	(void)size;
	nl_read_nest(nest, drop_fields, COUNT(drop_fields), &drop);
	clean_text(drop.name);
	reason = find_reason(drop.name, drops->next);
	if (reason >= 0) {
		drops->value[reason] = drop.value;
		drops->next = reason + 1;
	} else {
		drops->new = grow(drops->new, &drops->new_count, sizeof(drop));
		drops->new[drops->new_count - 1] = drop;
	}
}

static const struct nl_field device_fields[] = {
	[PVSVPN_A_DEVICE_IFINDEX] = FIELD(nl_get_int, struct device, ifindex),
	[PVSVPN_A_DEVICE_IFNAME] = FIELD(nl_get_text, struct device, ifname),
	[PVSVPN_A_DEVICE_MTU] = FIELD(nl_get_int, struct device, mtu),
	[PVSVPN_A_DEVICE_MTU_AUTO] = FIELD(nl_get_bool, struct device, mtu_auto),
	[PVSVPN_A_DEVICE_UP] = FIELD(nl_get_bool, struct device, up),
	[PVSVPN_A_DEVICE_CARRIER] = FIELD(nl_get_bool, struct device, carrier),
	[PVSVPN_A_DEVICE_HIDDEN] = FIELD(nl_get_bool, struct device, hidden),
	[PVSVPN_A_DEVICE_RX_PACKETS] = FIELD(nl_get_int, struct device, traffic.rx_packets),
	[PVSVPN_A_DEVICE_RX_BYTES] = FIELD(nl_get_int, struct device, traffic.rx_bytes),
	[PVSVPN_A_DEVICE_TX_PACKETS] = FIELD(nl_get_int, struct device, traffic.tx_packets),
	[PVSVPN_A_DEVICE_TX_BYTES] = FIELD(nl_get_int, struct device, traffic.tx_bytes),
	[PVSVPN_A_DEVICE_DROPS] = FIELD(nl_get_int, struct device, drops.total),
	[PVSVPN_A_DEVICE_DROP] = FIELD(get_drop, struct device, drops),
};

int state_add_device(const struct nlmsghdr *nlh, void *data)
{
	struct state *state = data;
	const struct nlattr *attr;
	struct device *dev;

	state->devices = grow(state->devices, &state->device_count, sizeof(*dev));
	dev = &state->devices[state->device_count - 1];
	dev->up = true;
	nl_read(nlh, device_fields, COUNT(device_fields), dev);
	/* The kernel takes any byte but a blank, / and : in the name of a device. */
	clean_text(dev->ifname);
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		for (int i = 0; i < SETTINGS; i++)
			if (mnl_attr_get_type(attr) == settings[i].attr)
				nl_get_int(attr, &dev->setting[i], sizeof(dev->setting[i]));
	return MNL_CB_OK;
}

static const struct nl_field subnet_fields[] = {
	[PVSVPN_A_SUBNET_ADDRESS] = FIELD(nl_get_addr, struct subnet, addr),
	[PVSVPN_A_SUBNET_PREFIX_LENGTH] = FIELD(nl_get_int, struct subnet, prefix),
};

static void get_subnet(const struct nlattr *nest, void *value, size_t size)
{
	struct subnet_list *list = value;

	(void)size;
	list->subnet = grow(list->subnet, &list->count, sizeof(struct subnet));
	nl_read_nest(nest, subnet_fields, COUNT(subnet_fields), &list->subnet[list->count - 1]);
}

static const struct nl_field overhead_fields[] = {
	[PVSVPN_A_OVERHEAD_IP] = FIELD(nl_get_int, struct overhead, ip),
	[PVSVPN_A_OVERHEAD_UDP] = FIELD(nl_get_int, struct overhead, udp),
	[PVSVPN_A_OVERHEAD_ESP] = FIELD(nl_get_int, struct overhead, esp),
	[PVSVPN_A_OVERHEAD_ICV] = FIELD(nl_get_int, struct overhead, icv),
	[PVSVPN_A_OVERHEAD_TRAILER] = FIELD(nl_get_int, struct overhead, trailer),
};

static void get_overhead(const struct nlattr *nest, void *value, size_t size)
{
	(void)size;
	nl_read_nest(nest, overhead_fields, COUNT(overhead_fields), value);
}

static const struct nl_field peer_fields[] = {
	[PVSVPN_A_PEER_IFINDEX] = FIELD(nl_get_int, struct peer, ifindex),
	[PVSVPN_A_PEER_NAME] = FIELD(nl_get_text, struct peer, name),
	[PVSVPN_A_PEER_ID] = FIELD(nl_get_int, struct peer, id),
	[PVSVPN_A_PEER_LOCAL] = FIELD(nl_get_addr, struct peer, local),
	[PVSVPN_A_PEER_REMOTE] = FIELD(nl_get_addr, struct peer, remote),
	[PVSVPN_A_PEER_LINK] = FIELD(nl_get_text, struct peer, link),
	[PVSVPN_A_PEER_ENCAP] = FIELD(nl_get_int, struct peer, encap),
	[PVSVPN_A_PEER_SPORT] = FIELD(nl_get_int, struct peer, sport),
	[PVSVPN_A_PEER_DPORT] = FIELD(nl_get_int, struct peer, dport),
	[PVSVPN_A_PEER_NAT_KEEPALIVE] = FIELD(nl_get_int, struct peer, nat_keepalive),
	[PVSVPN_A_PEER_PIN] = FIELD(nl_get_bool, struct peer, pin),
	[PVSVPN_A_PEER_KEEPALIVE] = FIELD(nl_get_int, struct peer, keepalive),
	[PVSVPN_A_PEER_DEAD_AFTER] = FIELD(nl_get_int, struct peer, dead_after),
	[PVSVPN_A_PEER_TFC] = FIELD(nl_get_int, struct peer, tfc),
	[PVSVPN_A_PEER_DEAD] = FIELD(nl_get_int, struct peer, dead_ms),
	[PVSVPN_A_PEER_SUBNET] = FIELD(get_subnet, struct peer, subnets),
	[PVSVPN_A_PEER_LOCAL_SUBNET] = FIELD(get_subnet, struct peer, local_subnets),
	[PVSVPN_A_PEER_REPLAY_WINDOW] = FIELD(nl_get_int, struct peer, replay_window),
	[PVSVPN_A_PEER_ORIGIN] = FIELD(nl_get_int, struct peer, origin),
	[PVSVPN_A_PEER_UP] = FIELD(nl_get_bool, struct peer, up),
	[PVSVPN_A_PEER_TX_SPI] = FIELD(nl_get_int, struct peer, tx_spi),
	[PVSVPN_A_PEER_PATH_MTU] = FIELD(nl_get_int, struct peer, path_mtu),
	[PVSVPN_A_PEER_INNER_MTU] = FIELD(nl_get_int, struct peer, inner_mtu),
	[PVSVPN_A_PEER_OVERHEAD] = FIELD(get_overhead, struct peer, overhead),
	[PVSVPN_A_PEER_ROUTE] = FIELD(nl_get_int, struct peer, route),
	[PVSVPN_A_PEER_LAST_RX] = FIELD(nl_get_int, struct peer, last_rx_ms),
	[PVSVPN_A_PEER_RX_PACKETS] = FIELD(nl_get_int, struct peer, traffic.rx_packets),
	[PVSVPN_A_PEER_RX_BYTES] = FIELD(nl_get_int, struct peer, traffic.rx_bytes),
	[PVSVPN_A_PEER_TX_PACKETS] = FIELD(nl_get_int, struct peer, traffic.tx_packets),
	[PVSVPN_A_PEER_TX_BYTES] = FIELD(nl_get_int, struct peer, traffic.tx_bytes),
	[PVSVPN_A_PEER_DROPS] = FIELD(nl_get_int, struct peer, drops.total),
	[PVSVPN_A_PEER_DROP] = FIELD(get_drop, struct peer, drops),
};

static const struct nl_field peer_id_fields[] = {
	[PVSVPN_A_PEER_IFINDEX] = FIELD(nl_get_int, struct peer, ifindex),
	[PVSVPN_A_PEER_ID] = FIELD(nl_get_int, struct peer, id),
};

/* The last peer, if the message has more of its subnets; else NULL. */
static struct peer *peer_to_go_on_with(const struct state *state, const struct nlmsghdr *nlh)
{
	struct peer id = { .id = 0 }, *last;

	if (!state->peer_count)
		return NULL;
	nl_read(nlh, peer_id_fields, COUNT(peer_id_fields), &id);
	last = &state->peers[state->peer_count - 1];
	return last->id == id.id && last->ifindex == id.ifindex ? last : NULL;
}

/* A peer that does not fit one message comes in several messages, one after the other. */
int state_add_peer(const struct nlmsghdr *nlh, void *data)
{
	struct state *state = data;
	struct peer *peer = peer_to_go_on_with(state, nlh);

	if (!peer) {
		state->peers = grow(state->peers, &state->peer_count, sizeof(*peer));
		peer = &state->peers[state->peer_count - 1];
		peer->last_rx_ms = NEVER;
		peer->dead_ms = NEVER;
		peer->route = PVSVPN_ROUTE_FOUND;
	}
	nl_read(nlh, peer_fields, COUNT(peer_fields), peer);
	return MNL_CB_OK;
}

static const struct nl_field transform_fields[] = {
	[PVSVPN_A_TRANSFORM_ENCRYPTION] = FIELD(nl_get_int, struct sa, encryption),
	[PVSVPN_A_TRANSFORM_KEY_LENGTH] = FIELD(nl_get_int, struct sa, attr_bits),
	[PVSVPN_A_TRANSFORM_INTEGRITY] = FIELD(nl_get_int, struct sa, integrity),
};

static void get_transform(const struct nlattr *nest, void *value, size_t size)
{
	(void)size;
	nl_read_nest(nest, transform_fields, COUNT(transform_fields), value);
}

static const struct nl_field sa_fields[] = {
	[PVSVPN_A_SA_IFINDEX] = FIELD(nl_get_int, struct sa, ifindex),
	[PVSVPN_A_SA_PEER] = FIELD(nl_get_text, struct sa, peer),
	[PVSVPN_A_SA_DIR] = FIELD(nl_get_int, struct sa, dir),
	[PVSVPN_A_SA_SPI] = FIELD(nl_get_int, struct sa, spi),
	[PVSVPN_A_SA_TRANSFORM] = { get_transform, 0, sizeof(struct sa) },
	[PVSVPN_A_SA_REPLAY_WINDOW] = FIELD(nl_get_int, struct sa, replay_window),
	[PVSVPN_A_SA_ESN] = FIELD(nl_get_bool, struct sa, esn),
	[PVSVPN_A_SA_SEQ] = FIELD(nl_get_int, struct sa, seq),
	[PVSVPN_A_SA_SOFT_PACKETS] = FIELD(nl_get_int, struct sa, soft.packets),
	[PVSVPN_A_SA_HARD_PACKETS] = FIELD(nl_get_int, struct sa, hard.packets),
	[PVSVPN_A_SA_SOFT_BYTES] = FIELD(nl_get_int, struct sa, soft.bytes),
	[PVSVPN_A_SA_HARD_BYTES] = FIELD(nl_get_int, struct sa, hard.bytes),
	[PVSVPN_A_SA_SOFT_SECONDS] = FIELD(nl_get_int, struct sa, soft.seconds),
	[PVSVPN_A_SA_HARD_SECONDS] = FIELD(nl_get_int, struct sa, hard.seconds),
	[PVSVPN_A_SA_SOFT_USE_SECONDS] = FIELD(nl_get_int, struct sa, soft.use_seconds),
	[PVSVPN_A_SA_HARD_USE_SECONDS] = FIELD(nl_get_int, struct sa, hard.use_seconds),
	[PVSVPN_A_SA_ORIGIN] = FIELD(nl_get_int, struct sa, origin),
	[PVSVPN_A_SA_CURRENT] = FIELD(nl_get_bool, struct sa, current),
	[PVSVPN_A_SA_EXPIRED] = FIELD(nl_get_bool, struct sa, expired),
	[PVSVPN_A_SA_EXPIRED_REASON] = FIELD(nl_get_text, struct sa, expired_reason),
	[PVSVPN_A_SA_DRIVER] = FIELD(nl_get_text, struct sa, driver),
	[PVSVPN_A_SA_AGE] = FIELD(nl_get_int, struct sa, age_ms),
	[PVSVPN_A_SA_USE_AGE] = FIELD(nl_get_int, struct sa, use_age_ms),
	[PVSVPN_A_SA_PACKETS] = FIELD(nl_get_int, struct sa, packets),
	[PVSVPN_A_SA_BYTES] = FIELD(nl_get_int, struct sa, bytes),
	[PVSVPN_A_SA_DROPS] = FIELD(nl_get_int, struct sa, drops.total),
	[PVSVPN_A_SA_DROP] = FIELD(get_drop, struct sa, drops),
};

int state_add_sa(const struct nlmsghdr *nlh, void *data)
{
	struct state *state = data;
	struct sa *sa;

	state->sas = grow(state->sas, &state->sa_count, sizeof(*sa));
	sa = &state->sas[state->sa_count - 1];
	sa->order = state->sa_count;
	sa->use_age_ms = NEVER;
	nl_read(nlh, sa_fields, COUNT(sa_fields), sa);
	return MNL_CB_OK;
}

#define COMPARE(_a, _b) (((_a) > (_b)) - ((_a) < (_b)))

static int compare_devices(const void *a, const void *b)
{
	const struct device *x = a, *y = b;

	return COMPARE(x->ifindex, y->ifindex);
}

/* "site9" before "site10". */
static int compare_peers(const void *a, const void *b)
{
	const struct peer *x = a, *y = b;

	return COMPARE(x->ifindex, y->ifindex) ?: strverscmp(x->name, y->name);
}

static int compare_owner(const struct sa *sa, const struct peer *peer)
{
	return COMPARE(sa->ifindex, peer->ifindex) ?: strverscmp(sa->peer, peer->name);
}

/* Sorts by owner, then outbound before inbound, then the oldest first. */
static int compare_sas(const void *a, const void *b)
{
	const struct sa *x = a, *y = b;
	int order = COMPARE(x->ifindex, y->ifindex) ?: strverscmp(x->peer, y->peer);

	if (!order)
		order = COMPARE(y->dir, x->dir);
	return order ?: COMPARE(x->order, y->order);
}

static void sort(void *array, size_t count, size_t size,
		 int (*compare)(const void *a, const void *b))
{
	if (count)
		qsort(array, count, size, compare);
}

/* Both arrays are in the same order, so one walk joins them. */
static void link_sas(struct state *state)
{
	struct sa *sa = state->sas, *end = sa + state->sa_count;

	for (size_t i = 0; i < state->peer_count; i++) {
		struct peer *peer = &state->peers[i];

		while (sa < end && compare_owner(sa, peer) < 0)
			sa++;
		peer->sas = sa;
		while (sa < end && !compare_owner(sa, peer))
			sa++;
		peer->sa_count = sa - peer->sas;
	}
}

static void link_peers(struct state *state)
{
	struct peer *peer = state->peers, *end = peer + state->peer_count;

	for (size_t i = 0; i < state->device_count; i++) {
		struct device *dev = &state->devices[i];

		while (peer < end && peer->ifindex < dev->ifindex)
			peer++;
		dev->peers = peer;
		while (peer < end && peer->ifindex == dev->ifindex)
			peer++;
		dev->peer_count = peer - dev->peers;
	}
}

void state_link(struct state *state)
{
	sort(state->devices, state->device_count, sizeof(struct device), compare_devices);
	sort(state->peers, state->peer_count, sizeof(struct peer), compare_peers);
	sort(state->sas, state->sa_count, sizeof(struct sa), compare_sas);
	/* An empty array is NULL, and NULL + 0 is not defined. */
	if (state->sa_count)
		link_sas(state);
	if (state->peer_count)
		link_peers(state);
}

/* A kind of object: how to request it, and how to add it. */
struct kind {
	uint8_t cmd;
	uint16_t ifname;
	uint16_t counters;
	mnl_cb_t add;
};

static const struct kind kinds[] = {
	{ PVSVPN_CMD_DEVICE_GET, PVSVPN_A_DEVICE_IFNAME,
	  PVSVPN_A_DEVICE_COUNTERS, state_add_device },
	{ PVSVPN_CMD_PEER_GET, PVSVPN_A_PEER_IFNAME,
	  PVSVPN_A_PEER_COUNTERS, state_add_peer },
	{ PVSVPN_CMD_SA_GET, PVSVPN_A_SA_IFNAME,
	  PVSVPN_A_SA_COUNTERS, state_add_sa },
};

static int load_kind(struct nl *nl, const struct kind *kind,
		     const char *ifname, bool counters, struct state *state)
{
	/* A single device is not dumped, so that the kernel reports a missing one. */
	bool get = ifname && kind->cmd == PVSVPN_CMD_DEVICE_GET;

	nl_msg(nl, kind->cmd, get ? NLM_F_ACK : NLM_F_DUMP);
	if (ifname)
		nl_put_text(nl, kind->ifname, ifname);
	if (counters)
		nl_put(nl, kind->counters, 0, NULL);
	return nl_call(nl, kind->add, state);
}

static int load_once(struct nl *nl, const char *ifname, bool counters,
		     struct state *state, bool *again)
{
	int err = 0;

	*again = false;
	memset(state, 0, sizeof(*state));
	for (size_t i = 0; !err && i < COUNT(kinds); i++) {
		err = load_kind(nl, &kinds[i], ifname, counters, state);
		*again |= nl->interrupted;
		/* The kernel would refuse the rest of a hidden device. */
		if (ifname && state->device_count && state->devices[0].hidden)
			break;
	}
	return err;
}

int state_load(struct nl *nl, const char *ifname, bool counters, struct state *state)
{
	bool again = true;
	int err = 0;

	for (int i = 0; again && !err && i < DUMP_TRIES; i++) {
		if (i)
			state_free(state);
		err = load_once(nl, ifname, counters, state, &again);
	}
	if (err) {
		state_free(state);
		return nl_failed(nl, err, ifname, NULL);
	}
	if (again)
		ctl_error(CTL_OK, nl->what, ifname, "run it again",
			  "the configuration keeps changing, some of it may be missing");
	state_link(state);
	return CTL_OK;
}

void state_free(struct state *state)
{
	for (size_t i = 0; i < state->device_count; i++)
		free(state->devices[i].drops.new);
	for (size_t i = 0; i < state->peer_count; i++) {
		free(state->peers[i].drops.new);
		free(state->peers[i].subnets.subnet);
		free(state->peers[i].local_subnets.subnet);
	}
	for (size_t i = 0; i < state->sa_count; i++)
		free(state->sas[i].drops.new);
	free(state->devices);
	free(state->peers);
	free(state->sas);
	memset(state, 0, sizeof(*state));
}
