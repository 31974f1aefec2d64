// SPDX-License-Identifier: GPL-2.0
/* set: the settings of a device. */
#include "command.h"
#include "error.h"
#include "nl.h"

static const char * const names[] = {
	[PVSVPN_A_DEVICE_IFNAME] = "device",
	[PVSVPN_A_DEVICE_MTU] = "mtu",
	[PVSVPN_A_DEVICE_FWMARK] = "fwmark",
};

static int run_set(const struct options *options, int argc, char **argv)
{
	uint32_t mtu, fwmark;
	struct param params[] = {
		{ .key = "mtu", .parse = parse_mtu, .value = &mtu },
		{ .key = "fwmark", .parse = parse_u32, .value = &fwmark },
	};
	struct nl *nl;
	int ret;

	(void)options;
	ret = parse_names("set", argc, argv, 1);
	if (!ret && argc == 1)
		ret = ctl_error(CTL_USAGE, "set", argv[0],
				"give mtu or fwmark", "nothing to set");
	if (!ret)
		ret = parse_params("set", argc - 1, argv + 1, params, 2);
	if (ret)
		return ret;

	nl = nl_open("set");
	if (!nl)
		return CTL_FAILED;
	nl_msg(nl, PVSVPN_CMD_DEVICE_SET, NLM_F_ACK);
	nl_put_text(nl, PVSVPN_A_DEVICE_IFNAME, argv[0]);
	if (params[0].seen)
		nl_put_u32(nl, PVSVPN_A_DEVICE_MTU, mtu);
	if (params[1].seen)
		nl_put_u32(nl, PVSVPN_A_DEVICE_FWMARK, fwmark);
	ret = nl_call(nl, NULL, NULL);
	if (ret)
		ret = nl_failed(nl, ret, argv[0], names,
				sizeof(names) / sizeof(names[0]));
	nl_close(nl);
	return ret;
}

const struct command command_set = {
	.name = "set",
	.args = "DEV [mtu BYTES|auto] [fwmark N]",
	.help = "Changes settings of a device.\n\n"
		"  mtu BYTES|auto  MTU of the device; auto follows the paths to the peers\n"
		"  fwmark N        mark of the outer packets and of their route lookup, 0 for none\n",
	.run = run_set,
};
