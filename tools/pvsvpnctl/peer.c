// SPDX-License-Identifier: GPL-2.0
/* peer add, set, del: the remote gateways behind a device. */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "error.h"
#include "nl.h"

static const char * const names[] = {
	[PVSVPN_A_PEER_IFNAME] = "device",
	[PVSVPN_A_PEER_NAME] = "peer",
	[PVSVPN_A_PEER_LOCAL] = "local",
	[PVSVPN_A_PEER_REMOTE] = "remote",
	[PVSVPN_A_PEER_LINK] = "dev",
	[PVSVPN_A_PEER_ENCAP] = "encap",
	[PVSVPN_A_PEER_SPORT] = "sport",
	[PVSVPN_A_PEER_DPORT] = "dport",
	[PVSVPN_A_PEER_NAT_KEEPALIVE] = "nat-keepalive",
	[PVSVPN_A_PEER_PIN] = "pin",
	[PVSVPN_A_PEER_KEEPALIVE] = "keepalive",
	[PVSVPN_A_PEER_DEAD_AFTER] = "dead-after",
	[PVSVPN_A_PEER_TFC] = "tfc",
	[PVSVPN_A_PEER_SUBNET] = "subnet",
	[PVSVPN_A_PEER_LOCAL_SUBNET] = "local-subnet",
	[PVSVPN_A_PEER_REPLAY_WINDOW] = "replay-window",
};

enum {
	LOCAL, REMOTE, DEV, ENCAP, SPORT, DPORT, NAT_KEEPALIVE, PIN,
	KEEPALIVE, DEAD_AFTER, TFC, SUBNETS, LOCAL_SUBNETS, REPLAY_WINDOW, PARAMS
};

struct peer_config {
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
	struct param params[PARAMS];
};

static void init_config(struct peer_config *config)
{
	*config = (struct peer_config) {
		.params = {
			[LOCAL] = { "local", parse_addr, &config->local },
			[REMOTE] = { "remote", parse_remote, &config->remote },
			[DEV] = { "dev", parse_dev, &config->dev },
			[ENCAP] = { "encap", parse_encap, &config->encap },
			[SPORT] = { "sport", parse_port, &config->sport },
			[DPORT] = { "dport", parse_port, &config->dport },
			[NAT_KEEPALIVE] = { "nat-keepalive", parse_u32,
					    &config->nat_keepalive },
			[PIN] = { "pin", parse_switch, &config->pin },
			[KEEPALIVE] = { "keepalive", parse_u32,
					&config->keepalive },
			[DEAD_AFTER] = { "dead-after", parse_u32,
					 &config->dead_after },
			[TFC] = { "tfc", parse_tfc, &config->tfc },
			[SUBNETS] = { "subnets", parse_subnets,
				      &config->subnets },
			[LOCAL_SUBNETS] = { "local-subnets", parse_subnets,
					    &config->local_subnets },
			[REPLAY_WINDOW] = { "replay-window", parse_u32,
					    &config->replay_window },
		},
	};
}

static void put_subnets(struct nl *nl, uint16_t attr,
			const struct subnet_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct subnet *subnet = &list->subnet[i];
		struct nlattr *nest = nl_nest(nl, attr);

		nl_put_addr(nl, PVSVPN_A_SUBNET_ADDRESS, &subnet->addr);
		nl_put_u8(nl, PVSVPN_A_SUBNET_PREFIX_LENGTH, subnet->prefix);
		nl_nest_end(nl, nest);
	}
}

static void put_config(struct nl *nl, const struct peer_config *config)
{
	const struct param *params = config->params;

	if (params[LOCAL].seen)
		nl_put_addr(nl, PVSVPN_A_PEER_LOCAL, &config->local);
	if (params[REMOTE].seen)
		nl_put_addr(nl, PVSVPN_A_PEER_REMOTE, &config->remote.addr);
	if (params[DEV].seen)
		nl_put_text(nl, PVSVPN_A_PEER_LINK, config->dev);
	else if (config->remote.link[0])
		nl_put_text(nl, PVSVPN_A_PEER_LINK, config->remote.link);
	if (params[ENCAP].seen)
		nl_put_u8(nl, PVSVPN_A_PEER_ENCAP, config->encap);
	if (params[SPORT].seen)
		nl_put_u16(nl, PVSVPN_A_PEER_SPORT, config->sport);
	if (params[DPORT].seen)
		nl_put_u16(nl, PVSVPN_A_PEER_DPORT, config->dport);
	if (params[NAT_KEEPALIVE].seen)
		nl_put_u32(nl, PVSVPN_A_PEER_NAT_KEEPALIVE,
			   config->nat_keepalive);
	if (params[PIN].seen)
		nl_put_u8(nl, PVSVPN_A_PEER_PIN, config->pin);
	if (params[KEEPALIVE].seen)
		nl_put_u32(nl, PVSVPN_A_PEER_KEEPALIVE, config->keepalive);
	if (params[DEAD_AFTER].seen)
		nl_put_u32(nl, PVSVPN_A_PEER_DEAD_AFTER, config->dead_after);
	if (params[TFC].seen)
		nl_put_u32(nl, PVSVPN_A_PEER_TFC, config->tfc);
	if (params[REPLAY_WINDOW].seen)
		nl_put_u32(nl, PVSVPN_A_PEER_REPLAY_WINDOW,
			   config->replay_window);
	put_subnets(nl, PVSVPN_A_PEER_SUBNET, &config->subnets);
	put_subnets(nl, PVSVPN_A_PEER_LOCAL_SUBNET, &config->local_subnets);
}

/* argv[0] is the device, argv[1] the peer. */
static int call(const char *what, uint8_t cmd, char **argv,
		const struct peer_config *config)
{
	struct nl *nl = nl_open(what);
	char where[128];
	int ret;

	if (!nl)
		return CTL_FAILED;
	nl_msg(nl, cmd, NLM_F_ACK);
	nl_put_text(nl, PVSVPN_A_PEER_IFNAME, argv[0]);
	nl_put_text(nl, PVSVPN_A_PEER_NAME, argv[1]);
	if (config)
		put_config(nl, config);
	ret = nl_call(nl, NULL, NULL);
	snprintf(where, sizeof(where), "%s %s", argv[0], argv[1]);
	if (ret)
		ret = nl_failed(nl, ret, where, names,
				sizeof(names) / sizeof(names[0]));
	nl_close(nl);
	return ret;
}

static int configure(const char *what, uint8_t cmd, int argc, char **argv)
{
	struct peer_config config;
	int ret;

	init_config(&config);
	ret = parse_names(what, argc, argv, 2);
	if (!ret)
		ret = parse_params(what, argc - 2, argv + 2, config.params,
				   PARAMS);
	if (!ret && config.params[DEV].seen && config.remote.link[0])
		ret = ctl_error(CTL_USAGE, what, argv[1],
				"leave dev out, or %INTERFACE",
				"remote and dev both name an interface");
	if (!ret && cmd == PVSVPN_CMD_PEER_NEW && !config.params[REMOTE].seen)
		ret = ctl_error(CTL_USAGE, what, argv[1], "add remote ADDR",
				"remote is missing");
	if (!ret)
		ret = call(what, cmd, argv, &config);
	free(config.subnets.subnet);
	free(config.local_subnets.subnet);
	return ret;
}

static int run_add(const struct options *options, int argc, char **argv)
{
	(void)options;
	return configure("peer add", PVSVPN_CMD_PEER_NEW, argc, argv);
}

static int run_set(const struct options *options, int argc, char **argv)
{
	(void)options;
	if (argc == 2)
		return ctl_error(CTL_USAGE, "peer set", argv[1],
				 "pvsvpnctl peer set --help lists what there is",
				 "nothing to set");
	return configure("peer set", PVSVPN_CMD_PEER_SET, argc, argv);
}

static int run_del(const struct options *options, int argc, char **argv)
{
	int ret = parse_names("peer del", argc, argv, 2);

	(void)options;
	if (!ret)
		ret = parse_params("peer del", argc - 2, argv + 2, NULL, 0);
	if (!ret)
		ret = call("peer del", PVSVPN_CMD_PEER_DEL, argv, NULL);
	return ret;
}

#define CONFIG_HELP							\
	"  local ADDR       outer address of this end; without, the route to the remote decides\n" \
	"  remote ADDR      outer address of the peer, IPv4 or IPv6; fe80::1%eth0 on a link\n" \
	"  dev INTERFACE    by which the remote is reached, or a VRF in which it is; none for any\n" \
	"  encap none|udp   ESP as IP protocol 50, or ESP in UDP (for a NAT on the way)\n" \
	"  sport N, dport N with encap udp: our port and the peer's, 4500 if not given\n" \
	"  nat-keepalive N  with encap udp: seconds without a packet until one is sent for\n" \
	"                   the NAT's sake, 20 if not given, 0 for never\n" \
	"  pin on|off       with encap udp: keep remote and dport, do not follow where\n" \
	"                   authentic packets come from\n"	\
	"  keepalive N      seconds without a packet until an ESP dummy packet is sent, up to\n" \
	"                   3600, 0 (the default) for never\n" \
	"  dead-after N     seconds without an authentic packet until the peer is dead, up to\n" \
	"                   86400, 0 (the default) for never; more than keepalive\n" \
	"  tfc off|mtu|N    pad what is sent to a multiple of N bytes, 2 to 65535, or to the\n" \
	"                   largest size that fits the path, so that sizes tell nothing\n" \
	"  subnets CIDR,... inner prefixes behind the peer; without, it takes everything\n" \
	"  local-subnets CIDR,... inner prefixes here that its packets may reach, and that\n" \
	"                   packets to it come from; without, and with 0.0.0.0/0,::/0, all\n" \
	"  replay-window N  anti-replay window of its inbound SAs in packets, 32 to 4096\n"

const struct command command_peer_add = {
	.name = "peer add",
	.args = "DEV PEER [local ADDR] remote ADDR [dev INTERFACE] [encap none|udp] [sport N] [dport N] [nat-keepalive N] [pin on|off] [keepalive SECONDS] [dead-after SECONDS] [tfc off|mtu|BYTES] [subnets CIDR[,CIDR...]] [local-subnets CIDR[,CIDR...]] [replay-window N]",
	.help = "Adds a remote gateway to a device.\n\n" CONFIG_HELP,
	.run = run_add,
};

const struct command command_peer_set = {
	.name = "peer set",
	.args = "DEV PEER [local ADDR] [remote ADDR] [dev INTERFACE] [encap none|udp] [sport N] [dport N] [nat-keepalive N] [pin on|off] [keepalive SECONDS] [dead-after SECONDS] [tfc off|mtu|BYTES] [subnets CIDR[,CIDR...]] [local-subnets CIDR[,CIDR...]] [replay-window N]",
	.help = "Changes a peer; what is not given stays. The subnets given replace the old ones, and so do the local ones.\n\n"
		CONFIG_HELP,
	.run = run_set,
};

const struct command command_peer_del = {
	.name = "peer del",
	.args = "DEV PEER",
	.help = "Removes a peer and its SAs.\n",
	.run = run_del,
};
