// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include <net/rtnetlink.h>

#include "device.h"
#include "endpoint.h"
#include "icmp.h"
#include "input.h"
#include "netlink.h"
#include "offload.h"
#include "peer.h"
#include "quota.h"
#include "request.h"
#include "sad.h"
#include "secpath.h"
#include "selector.h"
#include "udp_port.h"
#include "work.h"
#include "xfrm_adopt.h"
#include "xfrm_child.h"
#include "xfrm_notify.h"
#include "xfrm_spd.h"

/* Before the devices, because their UDP ports handle packets and ICMP errors. */
static int __init udp_port_init(void)
{
	pvsvpn_udp_port_init(&pvsvpn_input_udp);
	return 0;
}

/*
 * The parts of the module, in the order of their init; exit is in reverse order. pvsvpn_work_exit()
 * waits until no peer, no SA and no crypto request is left, so the tables are empty and the request
 * memory is idle. See Documentation/locking.rst.
 */
static const struct {
	int (*init)(void);
	void (*exit)(void);
	struct pernet_operations *subsys;
} parts[] __refconst = {
	{ NULL, pvsvpn_request_exit },
	{ pvsvpn_selector_init, pvsvpn_selector_exit },
	{ pvsvpn_peer_init, pvsvpn_peer_exit },
	{ pvsvpn_endpoint_init, pvsvpn_endpoint_exit },
	{ pvsvpn_sad_init, pvsvpn_sad_exit },
	{ .subsys = &pvsvpn_quota_net_ops },
	{ pvsvpn_spd_init, pvsvpn_spd_exit },
	{ pvsvpn_child_init, pvsvpn_child_exit },
	/* Register the family first, because devices send events through it. */
	{ pvsvpn_netlink_init, pvsvpn_netlink_exit },
	{ udp_port_init, NULL },
	{ .subsys = &pvsvpn_icmp_net_ops },
	{ .subsys = &pvsvpn_secpath_net_ops },
	{ pvsvpn_work_init, pvsvpn_work_exit },
	/* Before the devices, which leave their namespaces first. */
	{ pvsvpn_adopt_init, pvsvpn_adopt_exit },
	{ pvsvpn_device_init, pvsvpn_device_exit },
	{ pvsvpn_input_init, pvsvpn_input_exit },
	{ pvsvpn_offload_init, pvsvpn_offload_exit },
	{ pvsvpn_notify_init, pvsvpn_notify_exit },
};

/* End the first @count parts, the last one first. */
static void parts_exit(unsigned int count)
{
	while (count--) {
		if (parts[count].subsys)
			unregister_pernet_subsys(parts[count].subsys);
		if (parts[count].exit)
			parts[count].exit();
	}
	/*
	 * Wait for code of this module: call_rcu() callbacks, and the end of
	 * asynchronous requests. After a request has released its SA, it is
	 * still in an RCU read-side critical section.
	 */
	rcu_barrier();
	synchronize_rcu();
}

static int __init pvsvpn_init(void)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		if (parts[i].subsys)
			err = register_pernet_subsys(parts[i].subsys);
		else if (parts[i].init)
			err = parts[i].init();
		if (err) {
			parts_exit(i);
			return err;
		}
	}
	return 0;
}

static void __exit pvsvpn_exit(void)
{
	parts_exit(ARRAY_SIZE(parts));
}

module_init(pvsvpn_init);
module_exit(pvsvpn_exit);

MODULE_DESCRIPTION("Route-based IPsec tunnel: ESP (RFC 4303) as a netdevice");
MODULE_AUTHOR("The pvsvpn authors");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
MODULE_ALIAS_RTNL_LINK(KBUILD_MODNAME);
MODULE_ALIAS_GENL_FAMILY(PVSVPN_FAMILY_NAME);
