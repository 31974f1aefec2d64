// SPDX-License-Identifier: GPL-2.0
/* peer add, set, del: the remote gateways behind a device. */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "error.h"
#include "nl.h"

struct peer_values {
	struct addr local;
	struct remote remote;
	char dev[IFNAMSIZ];
	uint8_t encap;
	uint16_t sport;
	uint16_t dport;
	uint32_t nat_keepalive;
	uint8_t pin;
	uint32_t keepalive;
	uint32_t dead_after;
	uint32_t tfc;
	struct subnet_list subnets;
	struct subnet_list local_subnets;
	uint32_t replay_window;
};

#define AT(member)	offsetof(struct peer_values, member)

/* "peer add" needs the first one. */
enum { REMOTE, LOCAL, DEV, PARAMS = 14 };

static const struct param table[PARAMS] = {
	[REMOTE] = { "remote", "ADDR", parse_remote, AT(remote), PVSVPN_A_PEER_REMOTE, 0,
	  "outer address of the peer, IPv4 or IPv6; fe80::1%eth0 on a link" },
	[LOCAL] = { "local", "ADDR", parse_addr, AT(local), PVSVPN_A_PEER_LOCAL, 0,
	  "outer address of this end; without it, the route to the remote decides" },
	[DEV] = { "dev", "INTERFACE", parse_dev, AT(dev), PVSVPN_A_PEER_LINK, 0,
	  "interface through which the remote is reached, or its VRF; none for any" },
	{ "encap", "none|udp", parse_encap, AT(encap), PVSVPN_A_PEER_ENCAP, 1,
	  "ESP as IP protocol 50, or ESP in UDP (for a NAT on the way)" },
	{ "sport", "N", parse_port, AT(sport), PVSVPN_A_PEER_SPORT, 2,
	  "with encap udp: our port, 4500 if not given" },
	{ "dport", "N", parse_port, AT(dport), PVSVPN_A_PEER_DPORT, 2,
	  "with encap udp: the peer's port, 4500 if not given" },
	{ "nat-keepalive", "N", parse_u32, AT(nat_keepalive), PVSVPN_A_PEER_NAT_KEEPALIVE, 4,
	  "with encap udp: seconds without a packet until one is sent for\n"
	  "the NAT's sake, 20 if not given, 0 for never" },
	{ "pin", "on|off", parse_switch, AT(pin), PVSVPN_A_PEER_PIN, 1,
	  "with encap udp: keep remote and dport, do not follow the source of\n"
	  "authentic packets" },
	{ "keepalive", "SECONDS", parse_u32, AT(keepalive), PVSVPN_A_PEER_KEEPALIVE, 4,
	  "seconds without a packet until an ESP dummy packet is sent, up to\n"
	  "3600, 0 (the default) for never" },
	{ "dead-after", "SECONDS", parse_u32, AT(dead_after), PVSVPN_A_PEER_DEAD_AFTER, 4,
	  "seconds without an authentic packet until the peer is dead, up to\n"
	  "86400, 0 (the default) for never; more than keepalive" },
	{ "tfc", "off|mtu|BYTES", parse_tfc, AT(tfc), PVSVPN_A_PEER_TFC, 4,
	  "pad packets to a multiple of BYTES, 2 to 65535, or to the largest\n"
	  "size that fits the path, to hide their sizes" },
	{ "subnets", "CIDR[,CIDR...]", parse_subnets, AT(subnets), PVSVPN_A_PEER_SUBNET, 0,
	  "inner prefixes behind the peer; without them, it takes everything" },
	{ "local-subnets", "CIDR[,CIDR...]", parse_subnets, AT(local_subnets),
	  PVSVPN_A_PEER_LOCAL_SUBNET, 0,
	  "inner prefixes here that its packets may reach, and that packets to\n"
	  "it come from; without them, and with 0.0.0.0/0,::/0, all" },
	{ "replay-window", "N", parse_u32, AT(replay_window), PVSVPN_A_PEER_REPLAY_WINDOW, 4,
	  "anti-replay window of its inbound SAs in packets, 32 to 4096" },
};

static const struct params add_params = { table, PARAMS, REMOTE + 1 };
static const struct params set_params = { table, PARAMS, 0 };

static void put_subnets(struct nl *nl, uint16_t attr, const struct subnet_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct subnet *subnet = &list->subnet[i];
		struct nlattr *nest = nl_nest(nl, attr);

		nl_put_addr(nl, PVSVPN_A_SUBNET_ADDRESS, &subnet->addr);
		nl_put_u8(nl, PVSVPN_A_SUBNET_PREFIX_LENGTH, subnet->prefix);
		nl_nest_end(nl, nest);
	}
}

static void put_values(struct nl *nl, const struct peer_values *values, uint32_t seen)
{
	nl_put_params(nl, &set_params, values, seen);
	if (seen & 1U << LOCAL)
		nl_put_addr(nl, PVSVPN_A_PEER_LOCAL, &values->local);
	if (seen & 1U << REMOTE)
		nl_put_addr(nl, PVSVPN_A_PEER_REMOTE, &values->remote.addr);
	if (seen & 1U << DEV)
		nl_put_text(nl, PVSVPN_A_PEER_LINK, values->dev);
	else if (values->remote.link[0])
		nl_put_text(nl, PVSVPN_A_PEER_LINK, values->remote.link);
	put_subnets(nl, PVSVPN_A_PEER_SUBNET, &values->subnets);
	put_subnets(nl, PVSVPN_A_PEER_LOCAL_SUBNET, &values->local_subnets);
}

/* argv[0] is the device, argv[1] the peer. */
static int call(const char *what, uint8_t cmd, char **argv,
		const struct peer_values *values, uint32_t seen)
{
	struct nl *nl = nl_open(what);
	char where[128];

	if (!nl)
		return CTL_FAILED;
	nl_msg(nl, cmd, NLM_F_ACK);
	nl_put_text(nl, PVSVPN_A_PEER_IFNAME, argv[0]);
	nl_put_text(nl, PVSVPN_A_PEER_NAME, argv[1]);
	put_values(nl, values, seen);
	snprintf(where, sizeof(where), "%s %s", argv[0], argv[1]);
	return nl_finish(nl, where, &set_params);
}

static int configure(const char *what, uint8_t cmd,
		     const struct params *params, int argc, char **argv)
{
	struct peer_values values = {};
	uint32_t seen = 0;
	int ret = parse_params(what, argc, argv, 2, params, &values, &seen);

	if (!ret && seen & 1U << DEV && values.remote.link[0])
		ret = ctl_error(CTL_USAGE, what, argv[1],
				"leave dev out, or %INTERFACE",
				"remote and dev both name an interface");
	if (!ret)
		ret = call(what, cmd, argv, &values, seen);
	free(values.subnets.subnet);
	free(values.local_subnets.subnet);
	return ret;
}

static int run_add(const struct options *options, int argc, char **argv)
{
	(void)options;
	return configure("peer add", PVSVPN_CMD_PEER_NEW, &add_params, argc, argv);
}

static int run_set(const struct options *options, int argc, char **argv)
{
	(void)options;
	if (argc == 2)
		return ctl_error(CTL_USAGE, "peer set", argv[1],
				 "pvsvpnctl peer set --help lists what there is",
				 "nothing to set");
	return configure("peer set", PVSVPN_CMD_PEER_SET, &set_params, argc, argv);
}

static int run_del(const struct options *options, int argc, char **argv)
{
	(void)options;
	return configure("peer del", PVSVPN_CMD_PEER_DEL, NULL, argc, argv);
}

const struct command command_peer_add = {
	.name = "peer add",
	.args = "DEV PEER",
	.params = &add_params,
	.help = "Adds a remote gateway to a device.\n",
	.run = run_add,
};

const struct command command_peer_set = {
	.name = "peer set",
	.args = "DEV PEER",
	.params = &set_params,
	.help = "Changes a peer; parameters that are not given stay. The subnets given replace the old\n"
		"ones, and so do the local ones.\n",
	.run = run_set,
};

const struct command command_peer_del = {
	.name = "peer del",
	.args = "DEV PEER",
	.help = "Removes a peer and its SAs.\n",
	.run = run_del,
};
