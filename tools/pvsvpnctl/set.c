// SPDX-License-Identifier: GPL-2.0
/* set: the settings of a device. */
#include "command.h"
#include "error.h"
#include "nl.h"
#include "setting.h"

/* These follow the settings of the table; if-id sets two of those. */
enum { MTU = SETTINGS, IF_ID, PARAMS };

/* The values are numbers of 32 bits, in the order of the keywords. */
static void fill_table(struct param *table)
{
	for (int i = 0; i < SETTINGS; i++)
		table[i] = (struct param) {
			.key = settings[i].name,
			.parse = settings[i].parse,
			.setting = &settings[i],
			.attr = settings[i].attr,
		};
	table[MTU] = (struct param) {
		.key = "mtu", .parse = parse_mtu, .attr = PVSVPN_A_DEVICE_MTU
	};
	table[IF_ID] = (struct param) { .key = "if-id", .parse = parse_u32 };
	for (int i = 0; i < PARAMS; i++) {
		table[i].arg = "N";
		table[i].offset = i * sizeof(uint32_t);
		table[i].size = table[i].attr ? sizeof(uint32_t) : 0;
	}
}

static int call(const char *ifname, const struct params *params,
		const uint32_t *values, uint32_t seen)
{
	struct nl *nl = nl_open("set");

	if (!nl)
		return CTL_FAILED;
	nl_msg(nl, PVSVPN_CMD_DEVICE_SET, NLM_F_ACK);
	nl_put_text(nl, PVSVPN_A_DEVICE_IFNAME, ifname);
	nl_put_params(nl, params, values, seen);
	if (seen & 1U << IF_ID) {
		nl_put_u32(nl, PVSVPN_A_DEVICE_IF_ID_IN, values[IF_ID]);
		nl_put_u32(nl, PVSVPN_A_DEVICE_IF_ID_OUT, values[IF_ID]);
	}
	return nl_finish(nl, ifname, params);
}

static int run_set(const struct options *options, int argc, char **argv)
{
	struct param table[PARAMS];
	struct params params = { table, PARAMS, 0 };
	uint32_t values[PARAMS], seen;
	int ret;

	(void)options;
	fill_table(table);
	ret = parse_params("set", argc, argv, 1, &params, values, &seen);
	if (!ret && !seen)
		ret = ctl_error(CTL_USAGE, "set", argv[0],
				"pvsvpnctl set --help lists what there is",
				"nothing to set");
	if (!ret && seen & 1U << IF_ID && seen & (1U << SETTING_IF_ID_IN | 1U << SETTING_IF_ID_OUT))
		ret = ctl_error(CTL_USAGE, "set", argv[0],
				"give if-id, or one for each direction",
				"if-id says both directions");
	return ret ?: call(argv[0], &params, values, seen);
}

const struct command command_set = {
	.name = "set",
	.args = "DEV [mtu BYTES|auto] [fwmark N] [ttl N|auto|inherit] [dscp N|inherit] [ecn on|off] [priority N|inherit] [pmtudisc on|off] [fragment inner|outer] [mss-clamp auto|off|BYTES] [inner-mark clear|inherit|N] [if-id N] [if-id-in N] [if-id-out N]",
	.help = "Changes settings of a device.\n\n"
		"  mtu BYTES|auto  MTU of the device; auto follows the paths to the peers\n"
		"  fwmark N        mark of the outer packets and of their route lookup, 0 for none\n"
		"  ttl N|auto|inherit\n"
		"                  outer TTL or hop limit: 1 to 255, this host's, or the inner one\n"
		"  dscp N|inherit  outer DSCP: 0 to 63, or the inner one\n"
		"  ecn on|off      outer ECN: the inner one, or none\n"
		"  priority N|inherit\n"
		"                  priority of the outer packets with the queueing disciplines\n"
		"  pmtudisc on|off outer DF: set, and senders are told what fits the path; or clear\n"
		"  fragment inner|outer\n"
		"                  where IPv4 without DF is fragmented that does not fit the path:\n"
		"                  before encryption or after it\n"
		"  mss-clamp auto|off|BYTES\n"
		"                  largest MSS that TCP through the tunnel announces\n"
		"  inner-mark clear|inherit|N\n"
		"                  mark of inner packets that arrive: none, the outer packet's, or N\n"
		"  if-id N         carry the SAs with this if_id that an IKE daemon, or ip xfrm,\n"
		"                  installs; 0 for none\n"
		"  if-id-in N, if-id-out N\n"
		"                  the same where the two directions differ\n",
	.run = run_set,
};
