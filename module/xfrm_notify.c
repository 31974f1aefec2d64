// SPDX-License-Identifier: GPL-2.0
/*
 * XFRM notifies its key managers of each state and policy that is added, changed or removed.
 * It does so in atomic context, sometimes with the state's lock held, but our tables change
 * under RTNL. States are noted here, and the work of xfrm_adopt.c looks at them. The mirror
 * of the policies changes at once (xfrm_policy.c).
 *
 * If there is no memory for a note, or XFRM reports many states at once, the work looks at
 * all states.
 */
#include <linux/inetdevice.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/xfrm.h>

#include "device.h"
#include "sa.h"
#include "sad.h"
#include "work.h"
#include "xfrm_adopt.h"
#include "xfrm_notify.h"
#include "xfrm_park.h"
#include "xfrm_policy.h"
#include "xfrm_state.h"

/*
 * When a peer moves, its daemon deletes a state and adds another one in its place. Each packet
 * checks whether the state is dead, so the SA may stay until the other state is there.
 */
#define DEATH_DELAY_MS	50

/* Minimum time between two looks at all states for pvsvpn_notify_later(), in jiffies. */
#define LATER_INTERVAL	(HZ / 4)

/* How many states to read in one hold of XFRM's lock. */
#define SCAN_MAX	256

/* How many deaths to move in one hold of adopt->lock. */
#define DEATHS_MAX	256

/**
 * pvsvpn_noted_free() - free a note and its SA
 * @noted: the note, in a list
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
	noted->alive = true;
	return noted;
}

/* ---- now ---- */

/* The caller must hold adopt->lock. */
static void work_queue(struct pvsvpn_adopt *adopt)
{
	WRITE_ONCE(adopt->busy, true);
	if (!adopt->gone)
		queue_work(pvsvpn_adopt_wq, &adopt->work);
}

/**
 * pvsvpn_notify_all() - look at all states again soon
 * @adopt: of the namespace
 *
 * From now on, packets that find no SA wait.
 *
 * Context: any.
 */
void pvsvpn_notify_all(struct pvsvpn_adopt *adopt)
{
	spin_lock_bh(&adopt->lock);
	adopt->all = true;
	work_queue(adopt);
	spin_unlock_bh(&adopt->lock);
}

/**
 * pvsvpn_notify_state() - look at a state soon
 * @adopt: of the namespace
 * @x: the state
 *
 * Context: any.
 */
void pvsvpn_notify_state(struct pvsvpn_adopt *adopt, struct xfrm_state *x)
{
	struct pvsvpn_noted *noted = state_noted(x);

	spin_lock_bh(&adopt->lock);
	if (noted)
		list_add_tail(&noted->list, &adopt->noted);
	else
		adopt->all = true;
	work_queue(adopt);
	spin_unlock_bh(&adopt->lock);
}

/* ---- later ---- */

/*
 * Do not use jiffies: they stand still while the CPU that counts them does not run, as in a guest
 * on a busy host, and then jump. A moving state would then lose its peer.
 */
static bool is_due(const struct pvsvpn_noted *noted)
{
	return !ktime_before(ktime_get(), noted->due);
}

/* Return: jiffies until then; 0 only if is_due(). */
static long until_due(const struct pvsvpn_noted *noted)
{
	s64 left = ktime_to_ns(ktime_sub(noted->due, ktime_get()));

	return left > 0 ? nsecs_to_jiffies(left) + 1 : 0;
}

/* The caller must hold adopt->lock. */
static void late_queue(struct pvsvpn_adopt *adopt)
{
	const struct pvsvpn_noted *first;
	long delay = LONG_MAX;

	first = list_first_entry_or_null(&adopt->deaths, struct pvsvpn_noted,
					 list);
	if (adopt->gone || (!first && !adopt->later))
		return;
	if (adopt->later)
		delay = adopt->later_at - jiffies;
	if (first)
		delay = min(delay, until_due(first));
	mod_delayed_work(pvsvpn_adopt_wq, &adopt->late, max(delay, 0L));
}

/* The caller must hold adopt->lock. The interval leaves the work time for other things. */
static void look_later(struct pvsvpn_adopt *adopt, unsigned long delay)
{
	unsigned long since = jiffies - adopt->later_last, at;

	if (adopt->later_looks)
		since = 0;
	if (since < LATER_INTERVAL)
		delay = max(delay, LATER_INTERVAL - since);
	at = jiffies + delay;
	if (adopt->later && !time_before(at, adopt->later_at))
		return;
	adopt->later = true;
	adopt->later_at = at;
	late_queue(adopt);
}

/**
 * pvsvpn_notify_later() - look at all states again after a delay
 * @adopt: of the namespace
 * @delay: in jiffies; the look may start up to LATER_INTERVAL later
 *
 * Packets that find a dead SA wait until then.
 *
 * Context: any.
 */
void pvsvpn_notify_later(struct pvsvpn_adopt *adopt, unsigned long delay)
{
	spin_lock_bh(&adopt->lock);
	look_later(adopt, delay);
	spin_unlock_bh(&adopt->lock);
}

/**
 * pvsvpn_notify_death() - handle a dead state that XFRM has not reported yet
 * @adopt: of the namespace
 *
 * Another state may have taken its place, perhaps at another address. It must be adopted before
 * the dead SA is removed, so the work looks at all states. Packets that find the dead SA wait.
 *
 * Context: any.
 */
void pvsvpn_notify_death(struct pvsvpn_adopt *adopt)
{
	pvsvpn_notify_later(adopt, msecs_to_jiffies(DEATH_DELAY_MS));
}

static void death_note(struct pvsvpn_adopt *adopt, struct pvsvpn_noted *noted)
{
	spin_lock_bh(&adopt->lock);
	if (noted) {
		noted->alive = false;
		noted->due = ktime_add_ms(ktime_get(), DEATH_DELAY_MS);
		list_add_tail(&noted->list, &adopt->deaths);
		if (list_is_singular(&adopt->deaths))
			late_queue(adopt);
	} else {
		look_later(adopt, msecs_to_jiffies(DEATH_DELAY_MS));
	}
	spin_unlock_bh(&adopt->lock);
}

/* Note the end of a state that XFRM reports. Packets need not report it any more. */
static void state_ends(struct pvsvpn_adopt *adopt, struct xfrm_state *x)
{
	struct pvsvpn_noted *noted = state_noted(x);
	struct pvsvpn_sa *sa;

	rcu_read_lock();
	sa = noted ? pvsvpn_sad_find_state(adopt->net, x) : NULL;
	/* Set it before the note: the work must find it, and clears it if XFRM was wrong. */
	if (sa)
		set_bit(PVSVPN_SA_ENDED, &sa->flags);
	death_note(adopt, noted);
	/* A packet that sees the bit takes adopt->lock next, as in tell_of_death(). */
	if (sa)
		set_bit(PVSVPN_SA_DEATH_TOLD, &sa->flags);
	rcu_read_unlock();
}

/* Move the first deaths that are due. */
static void deaths_move(struct pvsvpn_adopt *adopt)
{
	struct pvsvpn_noted *noted, *next;
	unsigned int left = DEATHS_MAX;

	list_for_each_entry_safe(noted, next, &adopt->deaths, list) {
		if (!left-- || !is_due(noted))
			break;
		list_move_tail(&noted->list, &adopt->noted);
	}
}

/* The caller must hold adopt->lock. If late_work() runs too early, it arms itself again. */
static void later_not_before(struct pvsvpn_adopt *adopt, unsigned long at)
{
	if (time_before(adopt->later_at, at))
		adopt->later_at = at;
}

static void late_work(struct work_struct *work)
{
	struct pvsvpn_adopt *adopt =
		container_of(to_delayed_work(work), struct pvsvpn_adopt, late);

	spin_lock_bh(&adopt->lock);
	deaths_move(adopt);
	/* The previous look is still running. Keep the interval before the next one, too. */
	if (adopt->later && adopt->later_looks)
		later_not_before(adopt, jiffies + LATER_INTERVAL);
	if (adopt->later && !time_before(jiffies, adopt->later_at)) {
		adopt->later = false;
		adopt->later_looks = true;
		adopt->all = true;
	}
	if (adopt->all || !list_empty(&adopt->noted))
		work_queue(adopt);
	late_queue(adopt);
	spin_unlock_bh(&adopt->lock);
}

/* ---- rounds of the work ---- */

/**
 * pvsvpn_notify_take() - begin a round of the work
 * @adopt: of the namespace
 * @news: receives all notes
 *
 * Notes that come later are for the next round, and queue it.
 *
 * Context: process.
 * Return: true if there is anything to look at.
 */
bool pvsvpn_notify_take(struct pvsvpn_adopt *adopt, struct pvsvpn_news *news)
{
	spin_lock_bh(&adopt->lock);
	INIT_LIST_HEAD(&news->list);
	list_splice_init(&adopt->noted, &news->list);
	news->all = adopt->all;
	adopt->all = false;
	adopt->begun++;
	spin_unlock_bh(&adopt->lock);
	return news->all || !list_empty(&news->list);
}

/**
 * pvsvpn_notify_deaths() - check whether the work will look at dead states soon
 * @adopt: of the namespace
 *
 * Context: any, adopt->lock held.
 * Return: true if it will.
 */
bool pvsvpn_notify_deaths(const struct pvsvpn_adopt *adopt)
{
	return adopt->later || !list_empty(&adopt->deaths);
}

/**
 * pvsvpn_notify_done() - end a round of the work
 * @adopt: of the namespace
 * @news: the notes of the round
 *
 * If there are no new notes, only packets that have found a dead SA still wait.
 *
 * Context: process.
 */
void pvsvpn_notify_done(struct pvsvpn_adopt *adopt, const struct pvsvpn_news *news)
{
	bool busy;

	spin_lock_bh(&adopt->lock);
	if (news->all && adopt->later_looks) {
		adopt->later_looks = false;
		adopt->later_last = jiffies;
		if (adopt->later)
			later_not_before(adopt, jiffies + LATER_INTERVAL);
	}
	busy = adopt->all || !list_empty(&adopt->noted);
	/* Pairs with smp_load_acquire(): a packet that reads false sees the work's results. */
	smp_store_release(&adopt->busy, busy);
	WRITE_ONCE(adopt->done, adopt->done + 1);
	spin_unlock_bh(&adopt->lock);
	wake_up_all(&adopt->waiters);
}

/* ---- notifications from XFRM ---- */

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
		/* @x is from the request, which may lack the if_id of the state. */
		pvsvpn_notify_state(adopt, x);
		break;
	case XFRM_MSG_DELSA:
		if (x->if_id)
			state_ends(adopt, x);
		break;
	case XFRM_MSG_EXPIRE:
		if (x->if_id && c->data.hard)
			state_ends(adopt, x);
		else if (x->if_id)
			pvsvpn_notify_state(adopt, x);
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

/* Moves one SA or many: XFRM_MSG_MIGRATE, and XFRM_MSG_MIGRATE_STATE of newer kernels. */
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

/* XFRM calls these two without a check for NULL. */
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

/* ---- existing states ---- */

/**
 * struct scan - a walk over XFRM's states, a part at a time
 * @list: receives the notes
 * @left: how many more states to read in this part
 */
struct scan {
	struct list_head *list;
	int left;
};

/* XFRM's list begins with the newest state, which must be looked at last. */
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
 * @list: receives the notes, the oldest state first
 *
 * Context: process, RTNL not held.
 * Return: true on success, false on -ENOMEM.
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
	struct pvsvpn_adopt *adopt = pvsvpn_device_adopt(dev_net(dev));

	/* Many devices may go down at once, so delay the look. */
	if (dev->xfrmdev_ops && pvsvpn_adopt_wanted(adopt))
		pvsvpn_policy_doubt(adopt, HZ / 5);
#endif
}

/* ---- addresses ---- */

/* The direction of a state may depend on the host's addresses. */
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
 * pvsvpn_notify_net_init() - set up the notes of a new namespace
 * @adopt: of the namespace
 *
 * Context: process.
 */
void pvsvpn_notify_net_init(struct pvsvpn_adopt *adopt)
{
	spin_lock_init(&adopt->lock);
	INIT_LIST_HEAD(&adopt->noted);
	INIT_LIST_HEAD(&adopt->deaths);
	init_waitqueue_head(&adopt->waiters);
	adopt->later_last = jiffies - LATER_INTERVAL;
	INIT_DELAYED_WORK(&adopt->late, late_work);
}

static void noted_free_all(struct list_head *list)
{
	struct pvsvpn_noted *noted, *next;

	list_for_each_entry_safe(noted, next, list, list)
		pvsvpn_noted_free(noted);
}

/**
 * pvsvpn_notify_net_exit() - stop the work and free the notes of a removed namespace
 * @adopt: of the namespace; nothing is noted any more
 *
 * Context: process, RTNL not held.
 */
void pvsvpn_notify_net_exit(struct pvsvpn_adopt *adopt)
{
	spin_lock_bh(&adopt->lock);
	/* Stop the two work items from queueing each other. */
	adopt->gone = true;
	spin_unlock_bh(&adopt->lock);
	cancel_delayed_work_sync(&adopt->late);
	cancel_work_sync(&adopt->work);
	noted_free_all(&adopt->noted);
	noted_free_all(&adopt->deaths);
}

/**
 * pvsvpn_notify_init() - register for events of XFRM and of the host's addresses
 *
 * Context: process.
 * Return: 0 or a negative errno.
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
