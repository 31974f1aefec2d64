// SPDX-License-Identifier: GPL-2.0
/*
 * What XFRM tells its key managers: each state and policy that comes, changes or goes. It
 * does so in atomic context, sometimes with the state's lock held, and our tables change
 * under RTNL. So a state is noted here, and the work of xfrm_adopt.c looks at it. The mirror of
 * the policies changes at once (xfrm_policy.c).
 *
 * Where there is no memory for a note, and where XFRM tells of many at once, the work
 * looks at all there is.
 */
#include <linux/inetdevice.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/xfrm.h>

#include "device.h"
#include "sa.h"
#include "xfrm_adopt.h"
#include "xfrm_notify.h"
#include "xfrm_park.h"
#include "xfrm_policy.h"
#include "xfrm_state.h"

/*
 * A daemon whose peer moves deletes a state and adds another one in its place. Packets see
 * for themselves that a state is dead, so the SA may stay until the other state is there.
 */
#define DEATH_DELAY	(HZ / 20)

/* How many states XFRM is asked for in one hold of its lock. */
#define SCAN_MAX	256

/**
 * pvsvpn_noted_free() - forget what was noted
 * @noted: in a list
 *
 * Context: process.
 */
void pvsvpn_noted_free(struct pvsvpn_noted *noted)
{
	list_del(&noted->list);
	if (noted->sa)
		pvsvpn_sa_destroy(noted->sa);
	xfrm_state_put(noted->x);
	kfree(noted);
}

static struct pvsvpn_noted *state_noted(struct xfrm_state *x)
{
	struct pvsvpn_noted *noted = kzalloc(sizeof(*noted), GFP_ATOMIC);

	if (!noted)
		return NULL;
	xfrm_state_hold(x);
	noted->x = x;
	noted->alive = pvsvpn_state_coming(x);
	return noted;
}

/* @noted: NULL where there was no memory for it */
static void note(struct pvsvpn_adopt *adopt, struct pvsvpn_noted *noted,
		 unsigned long delay)
{
	spin_lock_bh(&adopt->lock);
	if (noted)
		list_add_tail(&noted->list, &adopt->noted);
	else
		adopt->all = true;
	adopt->busy = true;
	if (delay)
		queue_delayed_work(pvsvpn_wq, &adopt->work, delay);
	else
		mod_delayed_work(pvsvpn_wq, &adopt->work, 0);
	spin_unlock_bh(&adopt->lock);
}

/**
 * pvsvpn_notify_all() - look at all states again, soon
 * @adopt: of the namespace
 *
 * Packets that find no SA wait from now on.
 *
 * Context: any.
 */
void pvsvpn_notify_all(struct pvsvpn_adopt *adopt)
{
	spin_lock_bh(&adopt->lock);
	adopt->all = true;
	adopt->busy = true;
	mod_delayed_work(pvsvpn_wq, &adopt->work, 0);
	spin_unlock_bh(&adopt->lock);
}

/**
 * pvsvpn_notify_state() - look at a state, soon
 * @adopt: of the namespace
 * @x: the state
 *
 * Context: any.
 */
void pvsvpn_notify_state(struct pvsvpn_adopt *adopt, struct xfrm_state *x)
{
	note(adopt, state_noted(x), 0);
}

/**
 * pvsvpn_notify_death() - a state is dead, and XFRM has not told of it yet
 * @adopt: of the namespace
 *
 * Another one may have taken its place, at another address perhaps. It has to come before
 * the dead one goes, so the work looks at all states. Packets that find no SA wait from now on.
 *
 * Context: any.
 */
void pvsvpn_notify_death(struct pvsvpn_adopt *adopt)
{
	note(adopt, NULL, DEATH_DELAY);
}

static int manager_notify(struct xfrm_state *x, const struct km_event *c)
{
	struct pvsvpn_adopt *adopt = pvsvpn_device_adopt(x ? xs_net(x) : c->net);

	if (!pvsvpn_adopt_wanted(adopt))
		return 0;
	switch (c->event) {
	case XFRM_MSG_NEWSA:
		if (x->if_id)
			pvsvpn_notify_state(adopt, x);
		break;
	case XFRM_MSG_UPDSA:
		/* @x is a request, which need not repeat the if_id of the state. */
		pvsvpn_notify_state(adopt, x);
		break;
	case XFRM_MSG_DELSA:
	case XFRM_MSG_EXPIRE:
		if (x->if_id)
			note(adopt, state_noted(x), DEATH_DELAY);
		break;
	case XFRM_MSG_FLUSHSA:
		pvsvpn_notify_all(adopt);
		break;
	default:
		return 0;
	}
	pvsvpn_park_heard(adopt, x);
	return 0;
}

static int manager_notify_policy(struct xfrm_policy *policy, int dir,
				 const struct km_event *c)
{
	struct pvsvpn_adopt *adopt;

	adopt = pvsvpn_device_adopt(policy ? xp_net(policy) : c->net);
	if (!pvsvpn_adopt_wanted(adopt))
		return 0;
	pvsvpn_policy_notify(adopt, policy, dir, c);
	return 0;
}

/* One SA or many: XFRM_MSG_MIGRATE, and XFRM_MSG_MIGRATE_STATE of newer kernels. */
static int manager_migrate(const struct xfrm_selector *sel, u8 dir, u8 type,
			   const struct xfrm_migrate *m, int num_bundles,
			   const struct xfrm_kmaddress *k, struct net *net,
			   const struct xfrm_encap_tmpl *encap)
{
	struct pvsvpn_adopt *adopt = pvsvpn_device_adopt(net);

	if (pvsvpn_adopt_wanted(adopt)) {
		pvsvpn_policy_doubt(adopt, 0);
		pvsvpn_notify_all(adopt);
		pvsvpn_park_heard(adopt, NULL);
	}
	return -EOPNOTSUPP;
}

/* XFRM calls these two without asking whether there are any. */
static int manager_acquire(struct xfrm_state *x, struct xfrm_tmpl *tmpl,
			   struct xfrm_policy *policy)
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
	.notify_policy = manager_notify_policy,
	.acquire = manager_acquire,
	.compile_policy = manager_compile_policy,
	.migrate = manager_migrate,
};

/* ---- what is there already ---- */

/**
 * struct scan - a walk over what XFRM has, a part at a time
 * @list: where to put what matters
 * @left: how many more to look at in this part
 */
struct scan {
	struct list_head *list;
	int left;
};

/* XFRM has the newest state first; it is to be looked at last. */
static int scan_state(struct xfrm_state *x, int count, void *data)
{
	struct scan *scan = data;
	struct pvsvpn_noted *noted;

	if (!scan->left--)
		return -EAGAIN;
	if (!x->if_id || !pvsvpn_state_coming(x))
		return 0;
	noted = state_noted(x);
	if (!noted)
		return -ENOMEM;
	list_add(&noted->list, scan->list);
	return 0;
}

/**
 * pvsvpn_notify_scan_states() - note all states that XFRM has
 * @adopt: of the namespace
 * @list: where to put them, the oldest first
 *
 * Context: process, RTNL not held. Return: whether memory has sufficed.
 */
bool pvsvpn_notify_scan_states(struct pvsvpn_adopt *adopt,
			       struct list_head *list)
{
	struct scan scan = { .list = list };
	struct xfrm_state_walk walk;
	int err;

	xfrm_state_walk_init(&walk, 0, NULL);
	do {
		scan.left = SCAN_MAX;
		err = xfrm_state_walk(adopt->net, &walk, scan_state, &scan);
		cond_resched();
	} while (err == -EAGAIN);
	xfrm_state_walk_done(&walk, adopt->net);
	return err != -ENOMEM;
}

/* ---- devices ---- */

/**
 * pvsvpn_notify_device_down() - a device goes down
 * @dev: any device
 *
 * XFRM drops the policies that the device carries itself, without a word.
 *
 * Context: process, RTNL held.
 */
void pvsvpn_notify_device_down(const struct net_device *dev)
{
#ifdef CONFIG_XFRM_OFFLOAD
	struct pvsvpn_adopt *adopt = pvsvpn_device_adopt(dev_net(dev));

	/* Many devices may go at once. */
	if (dev->xfrmdev_ops && pvsvpn_adopt_wanted(adopt))
		pvsvpn_policy_doubt(adopt, HZ / 5);
#endif
}

/* ---- addresses ---- */

/* The direction of a state may follow from them. */
static void addresses_changed(struct net *net)
{
	struct pvsvpn_adopt *adopt = pvsvpn_device_adopt(net);

	if (pvsvpn_adopt_wanted(adopt))
		pvsvpn_notify_all(adopt);
}

static int addr4_event(struct notifier_block *nb, unsigned long event,
		       void *data)
{
	const struct in_ifaddr *ifa = data;

	addresses_changed(dev_net(ifa->ifa_dev->dev));
	return NOTIFY_DONE;
}

static int addr6_event(struct notifier_block *nb, unsigned long event,
		       void *data)
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

/**
 * pvsvpn_notify_init() - listen to XFRM and to the addresses of the host
 *
 * Context: process. Return: 0 or a negative errno.
 */
int __init pvsvpn_notify_init(void)
{
	int err;

	err = register_inetaddr_notifier(&addr4_notifier);
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
 * pvsvpn_notify_exit() - listen no more; nobody is in here on return
 *
 * Context: process.
 */
void pvsvpn_notify_exit(void)
{
	xfrm_unregister_km(&manager);
	unregister_inet6addr_notifier(&addr6_notifier);
	unregister_inetaddr_notifier(&addr4_notifier);
}
