// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include <net/rtnetlink.h>

#include "device.h"
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
#include "xfrm_notify.h"
#include "xfrm_policy.h"

static int __init pvsvpn_init(void)
{
	int err;

	err = pvsvpn_selector_init();
	if (err)
		return err;
	err = pvsvpn_peer_init();
	if (err)
		goto err_selector;
	err = pvsvpn_sad_init();
	if (err)
		goto err_peer;
	err = pvsvpn_quota_init();
	if (err)
		goto err_sad;
	err = pvsvpn_policy_init();
	if (err)
		goto err_quota;
	/* Register the family first, because devices send events through it. */
	err = pvsvpn_netlink_init();
	if (err)
		goto err_policy;
	/* Before the devices, because their UDP ports handle packets and ICMP errors. */
	pvsvpn_udp_port_init(&pvsvpn_input_udp);
	err = pvsvpn_icmp_init();
	if (err)
		goto err_netlink;
	err = pvsvpn_secpath_init();
	if (err)
		goto err_icmp;
	err = pvsvpn_work_init();
	if (err)
		goto err_secpath;
	/* Before the devices, which leave their namespaces first. */
	err = pvsvpn_adopt_init();
	if (err)
		goto err_work;
	err = pvsvpn_device_init();
	if (err)
		goto err_adopt;
	err = pvsvpn_input_init();
	if (err)
		goto err_device;
	err = pvsvpn_offload_init();
	if (err)
		goto err_input;
	err = pvsvpn_notify_init();
	if (err)
		goto err_offload;
	return 0;

err_offload:
	pvsvpn_offload_exit();
err_input:
	pvsvpn_input_exit();
err_device:
	pvsvpn_device_exit();
err_adopt:
	pvsvpn_adopt_exit();
err_work:
	pvsvpn_work_exit();
err_secpath:
	pvsvpn_secpath_exit();
err_icmp:
	pvsvpn_icmp_exit();
err_netlink:
	pvsvpn_netlink_exit();
err_policy:
	pvsvpn_policy_exit();
err_quota:
	pvsvpn_quota_exit();
err_sad:
	pvsvpn_sad_exit();
err_peer:
	pvsvpn_peer_exit();
err_selector:
	pvsvpn_selector_exit();
	return err;
}

/*
 * Undo pvsvpn_init() in reverse order. pvsvpn_work_exit() waits until no peer, no
 * SA and no crypto request is left, so the tables are empty and the request memory
 * is idle. See Documentation/locking.rst.
 */
static void __exit pvsvpn_exit(void)
{
	pvsvpn_notify_exit();
	pvsvpn_offload_exit();
	pvsvpn_input_exit();
	pvsvpn_device_exit();
	pvsvpn_adopt_exit();
	pvsvpn_work_exit();
	pvsvpn_secpath_exit();
	pvsvpn_icmp_exit();
	pvsvpn_netlink_exit();
	pvsvpn_policy_exit();
	pvsvpn_quota_exit();
	pvsvpn_sad_exit();
	pvsvpn_peer_exit();
	pvsvpn_selector_exit();
	pvsvpn_request_exit();
	/*
	 * Wait for code of this module: call_rcu() callbacks, and the end of
	 * asynchronous requests. After a request has released its SA, it is
	 * still in an RCU read-side critical section.
	 */
	rcu_barrier();
	synchronize_rcu();
}

module_init(pvsvpn_init);
module_exit(pvsvpn_exit);

MODULE_DESCRIPTION("Route-based IPsec tunnel: ESP (RFC 4303) as a netdevice");
MODULE_AUTHOR("The pvsvpn authors");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
MODULE_ALIAS_RTNL_LINK(KBUILD_MODNAME);
MODULE_ALIAS_GENL_FAMILY(PVSVPN_FAMILY_NAME);
