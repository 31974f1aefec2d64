// SPDX-License-Identifier: GPL-2.0
/*
 * The notes about XFRM's states for the work of xfrm_adopt.c: which states to look at, and when.
 * XFRM notifies of them in atomic context (xfrm_notify.c), and packets may find them first
 * (xfrm_park.c), but our tables change under RTNL.
 *
 * If there is no memory for a note, or XFRM reports many states at once, the work looks at
 * all states.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/xfrm.h>

#include "sa.h"
#include "sad.h"
#include "work.h"
#include "xfrm_adopt.h"
#include "xfrm_note.h"
#include "xfrm_state.h"

/* Minimum time between two looks at all states for pvsvpn_note_later(), in jiffies. */
#define LATER_INTERVAL	(HZ / 4)

/* How many states to read in one hold of XFRM's lock. */
#define SCAN_MAX	256

/* How many deaths to move in one hold of adopt->lock. */
#define DEATHS_MAX	256

/**
 * pvsvpn_note_free_all() - free notes and their SAs
 * @list: the notes; empty afterwards
 *
 * Context: process.
 */
void pvsvpn_note_free_all(struct list_head *list)
{
	struct pvsvpn_noted *noted, *next;

	list_for_each_entry_safe(noted, next, list, list) {
		list_del(&noted->list);
		if (noted->sa)
			pvsvpn_sa_destroy(noted->sa);
		xfrm_state_put(noted->x);
		kfree(noted);
	}
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
 * pvsvpn_note_all() - look at all states again soon
 * @adopt: of the namespace
 *
 * From now on, packets that find no SA wait.
 *
 * Context: any.
 */
void pvsvpn_note_all(struct pvsvpn_adopt *adopt)
{
	spin_lock_bh(&adopt->lock);
	adopt->all = true;
	work_queue(adopt);
	spin_unlock_bh(&adopt->lock);
}

/**
 * pvsvpn_note_state() - look at a state soon
 * @adopt: of the namespace
 * @x: the state
 *
 * Context: any.
 */
void pvsvpn_note_state(struct pvsvpn_adopt *adopt, struct xfrm_state *x)
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
 * Return: jiffies until then; 0 only if it is due. The time is not in jiffies: they stand still
 * while the CPU that counts them does not run, as in a guest on a busy host, and then jump. A
 * moving state would then lose its peer.
 */
static long until_due(const struct pvsvpn_noted *noted)
{
	s64 left = ktime_to_ns(ktime_sub(noted->due, ktime_get()));

	return left > 0 ? nsecs_to_jiffies(left) + 1 : 0;
}

/* The caller must hold adopt->lock. */
static void late_queue(struct pvsvpn_adopt *adopt)
{
	const struct pvsvpn_noted *first =
		list_first_entry_or_null(&adopt->deaths, struct pvsvpn_noted, list);
	long delay = LONG_MAX;

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
 * pvsvpn_note_later() - look at all states again after a delay
 * @adopt: of the namespace
 * @delay: in jiffies; the look may start up to LATER_INTERVAL later
 *
 * Packets that find a dead SA wait until then.
 *
 * Context: any.
 */
void pvsvpn_note_later(struct pvsvpn_adopt *adopt, unsigned long delay)
{
	spin_lock_bh(&adopt->lock);
	look_later(adopt, delay);
	spin_unlock_bh(&adopt->lock);
}

static void death_note(struct pvsvpn_adopt *adopt, struct pvsvpn_noted *noted)
{
	spin_lock_bh(&adopt->lock);
	if (noted) {
		noted->alive = false;
		noted->due = ktime_add_ms(ktime_get(), PVSVPN_NOTE_DEATH_MS);
		list_add_tail(&noted->list, &adopt->deaths);
		if (list_is_singular(&adopt->deaths))
			late_queue(adopt);
	} else {
		look_later(adopt, msecs_to_jiffies(PVSVPN_NOTE_DEATH_MS));
	}
	spin_unlock_bh(&adopt->lock);
}

/**
 * pvsvpn_note_end() - note the end of a state that XFRM reports
 * @adopt: of the namespace
 * @x: the state; packets need not report its end any more
 *
 * Context: any.
 */
void pvsvpn_note_end(struct pvsvpn_adopt *adopt, struct xfrm_state *x)
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
		if (!left-- || until_due(noted))
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
 * pvsvpn_note_take() - begin a round of the work
 * @adopt: of the namespace
 * @news: receives all notes
 *
 * Notes that come later are for the next round, and queue it.
 *
 * Context: process.
 * Return: true if there is anything to look at.
 */
bool pvsvpn_note_take(struct pvsvpn_adopt *adopt, struct pvsvpn_news *news)
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
 * pvsvpn_note_done() - end a round of the work
 * @adopt: of the namespace
 * @news: the notes of the round
 *
 * If there are no new notes, only packets that have found a dead SA still wait.
 *
 * Context: process.
 */
void pvsvpn_note_done(struct pvsvpn_adopt *adopt, const struct pvsvpn_news *news)
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
 * pvsvpn_note_scan_states() - note all states that XFRM has
 * @adopt: of the namespace
 * @list: receives the notes, the oldest state first
 *
 * Context: process, RTNL not held.
 * Return: true on success, false on -ENOMEM.
 */
bool pvsvpn_note_scan_states(struct pvsvpn_adopt *adopt, struct list_head *list)
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

/* ---- namespaces ---- */

/**
 * pvsvpn_note_net_init() - set up the notes of a new namespace
 * @adopt: of the namespace
 *
 * Context: process.
 */
void pvsvpn_note_net_init(struct pvsvpn_adopt *adopt)
{
	spin_lock_init(&adopt->lock);
	INIT_LIST_HEAD(&adopt->noted);
	INIT_LIST_HEAD(&adopt->deaths);
	init_waitqueue_head(&adopt->waiters);
	adopt->later_last = jiffies - LATER_INTERVAL;
	INIT_DELAYED_WORK(&adopt->late, late_work);
}

/**
 * pvsvpn_note_net_exit() - stop the work and free the notes of a removed namespace
 * @adopt: of the namespace; nothing is noted any more
 *
 * Context: process, RTNL not held.
 */
void pvsvpn_note_net_exit(struct pvsvpn_adopt *adopt)
{
	spin_lock_bh(&adopt->lock);
	/* Stop the two work items from queueing each other. */
	adopt->gone = true;
	spin_unlock_bh(&adopt->lock);
	cancel_delayed_work_sync(&adopt->late);
	cancel_work_sync(&adopt->work);
	pvsvpn_note_free_all(&adopt->noted);
	pvsvpn_note_free_all(&adopt->deaths);
}
