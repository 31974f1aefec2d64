// SPDX-License-Identifier: GPL-2.0
/*
 * Events that may change the adopted states and their policies: XFRM's notifications to its key
 * managers, the host's addresses, devices that go down. XFRM notifies in atomic context, sometimes
 * with a state's lock held: states are noted (xfrm_note.c), and the mirror of the policies changes
 * at once (xfrm_policy.c).
 */
#include <linux/inetdevice.h>
#include <linux/netdevice.h>
#include <linux/notifier.h>
#include <net/addrconf.h>
#include <net/if_inet6.h>
#include <net/xfrm.h>

#include "xfrm_adopt.h"
#include "xfrm_note.h"
#include "xfrm_notify.h"
#include "xfrm_park.h"
#include "xfrm_policy.h"

/* ---- notifications from XFRM ---- */

static int manager_notify(struct xfrm_state *x, const struct km_event *c)
{
	struct pvsvpn_adopt *adopt = pvsvpn_adopt_of(x ? xs_net(x) : c->net);

	if (!pvsvpn_adopt_wanted(adopt))
		return 0;
	switch (c->event) {
	case XFRM_MSG_NEWSA:
		if (x->if_id)
			pvsvpn_note_state(adopt, x);
		break;
	case XFRM_MSG_UPDSA:
		/* @x is from the request, which may lack the if_id of the state. */
		pvsvpn_note_state(adopt, x);
		break;
	case XFRM_MSG_DELSA:
		if (x->if_id)
			pvsvpn_note_end(adopt, x);
		break;
	case XFRM_MSG_EXPIRE:
		if (x->if_id && c->data.hard)
			pvsvpn_note_end(adopt, x);
		else if (x->if_id)
			pvsvpn_note_state(adopt, x);
		break;
	case XFRM_MSG_FLUSHSA:
		pvsvpn_note_all(adopt);
		break;
	default:
		return 0;
	}
	pvsvpn_park_heard(adopt, x);
	return 0;
}

/* Moves one SA or many: XFRM_MSG_MIGRATE, and XFRM_MSG_MIGRATE_STATE of newer kernels. */
static int manager_migrate(const struct xfrm_selector *sel, u8 dir, u8 type,
			   const struct xfrm_migrate *m, int num_bundles,
			   const struct xfrm_kmaddress *k, struct net *net,
			   const struct xfrm_encap_tmpl *encap)
{
	struct pvsvpn_adopt *adopt = pvsvpn_adopt_of(net);

	if (pvsvpn_adopt_wanted(adopt)) {
		pvsvpn_policy_look_soon(&adopt->policies, 0);
		pvsvpn_note_all(adopt);
		pvsvpn_park_heard(adopt, NULL);
	}
	return -EOPNOTSUPP;
}

/* XFRM calls these two without a check for NULL. */
static int manager_acquire(struct xfrm_state *x, struct xfrm_tmpl *tmpl, struct xfrm_policy *policy)
{
	return -EOPNOTSUPP;
}

static struct xfrm_policy *manager_compile_policy(struct sock *sk, int opt,
						  u8 *data, int len, int *dir)
{
	*dir = -EOPNOTSUPP;
	return NULL;
}

static struct xfrm_mgr manager = {
	.notify = manager_notify,
	.notify_policy = pvsvpn_policy_notify,
	.acquire = manager_acquire,
	.compile_policy = manager_compile_policy,
	.migrate = manager_migrate,
};

/* ---- devices ---- */

/**
 * pvsvpn_notify_device_down() - handle a device that goes down
 * @dev: any device
 *
 * XFRM drops the policies that are offloaded to the device, and does not report this.
 *
 * Context: process, RTNL held.
 */
void pvsvpn_notify_device_down(const struct net_device *dev)
{
#ifdef CONFIG_XFRM_OFFLOAD
	struct pvsvpn_adopt *adopt = pvsvpn_adopt_of(dev_net(dev));

	/* Many devices may go down at once, so delay the look. */
	if (dev->xfrmdev_ops && pvsvpn_adopt_wanted(adopt))
		pvsvpn_policy_look_soon(&adopt->policies, HZ / 5);
#endif
}

/* ---- addresses ---- */

/* The direction of a state may depend on the host's addresses. */
static void addresses_changed(struct net *net)
{
	struct pvsvpn_adopt *adopt = pvsvpn_adopt_of(net);

	if (pvsvpn_adopt_wanted(adopt))
		pvsvpn_note_all(adopt);
}

static int addr4_event(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct in_ifaddr *ifa = data;

	addresses_changed(dev_net(ifa->ifa_dev->dev));
	return NOTIFY_DONE;
}

static int addr6_event(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct inet6_ifaddr *ifa = data;

	addresses_changed(dev_net(ifa->idev->dev));
	return NOTIFY_DONE;
}

static struct notifier_block addr4_notifier = {
	.notifier_call = addr4_event,
};

static struct notifier_block addr6_notifier = {
	.notifier_call = addr6_event,
};

/* ---- module ---- */

/**
 * pvsvpn_notify_init() - register for events of XFRM and of the host's addresses
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int __init pvsvpn_notify_init(void)
{
	int err = register_inetaddr_notifier(&addr4_notifier);

	if (err)
		return err;
	err = register_inet6addr_notifier(&addr6_notifier);
	if (err) {
		unregister_inetaddr_notifier(&addr4_notifier);
		return err;
	}
	xfrm_register_km(&manager);
	return 0;
}

/**
 * pvsvpn_notify_exit() - unregister; no callback is running on return
 *
 * Context: process.
 */
void pvsvpn_notify_exit(void)
{
	xfrm_unregister_km(&manager);
	unregister_inet6addr_notifier(&addr6_notifier);
	unregister_inetaddr_notifier(&addr4_notifier);
}
