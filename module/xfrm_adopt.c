// SPDX-License-Identifier: GPL-2.0
/*
 * SAs that an IKE daemon, or ip xfrm state, has installed in XFRM, and that a device carries
 * because they have its if_id. See Documentation/ike.rst.
 *
 * xfrm_note.c keeps notes about XFRM's notifications, and the work here acts on them. It handles a
 * few notes in each hold of RTNL, so that others do not wait for long, however many states
 * there are. Packets that come earlier wait for the work (xfrm_park.c). Each packet checks
 * whether its state is dead.
 *
 * An SA has its own AEAD with the key of the state. Sequence numbers, replay window and
 * lifetimes stay in the state, which others may use at the same time (xfrm_seq.c).
 */
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/xfrm.h>

#include "device.h"
#include "endpoint.h"
#include "event.h"
#include "peer.h"
#include "sa.h"
#include "sad.h"
#include "tunnel.h"
#include "xfrm_adopt.h"
#include "xfrm_check.h"
#include "xfrm_note.h"
#include "xfrm_park.h"
#include "xfrm_policy.h"
#include "xfrm_state.h"
#include "xfrm_unpark.h"

/* Delay before a retry on -ENOMEM, in jiffies. */
#define RETRY_DELAY	(HZ / 5)

/* How long a request waits for the work, in jiffies. */
#define WAIT_MAX	(2 * HZ)

/* How often the work waits 0.1 to 1 ms for XFRM to mark a state valid. */
#define VOID_WAITS	40

/* How many notes to handle in one hold of RTNL. */
#define LOOK_MAX	64

/* ---- peers ---- */

/* A peer that the device creates has its address as its name. */
static void config_fill(struct pvsvpn_peer_config *config, char *name)
{
	config->name = name;
	config->origin = PVSVPN_ORIGIN_XFRM;
	config->replay_window = PVSVPN_REPLAY_WINDOW_DEFAULT;
	snprintf(name, PVSVPN_PEER_NAME_MAX + 1,
		 config->family == AF_INET ? "%pI4" : "%pI6c", &config->remote);
}

/*
 * A state with another gateway belongs to another peer, unless it continues the SA @moved. The
 * reqid does not identify the gateway: two gateways may have the same one.
 */
static struct pvsvpn_peer *peer_get(struct pvsvpn_device *pvs, const struct xfrm_state *x, u8 dir,
				    const struct pvsvpn_sa *moved)
{
	char name[PVSVPN_PEER_NAME_MAX + 1];
	struct pvsvpn_peer_config config = {};
	struct pvsvpn_peer *peer;
	int err;

	if (moved && moved->peer->pvs == pvs)
		return moved->peer;
	pvsvpn_state_endpoint(x, dir, &config);
	peer = pvsvpn_endpoint_match(pvs, &config);
	if (peer)
		return peer;
	config_fill(&config, name);
	err = pvsvpn_tunnel_add_peer(pvs, &config, NULL);
	return err ? ERR_PTR(err) : pvsvpn_peer_find(pvs, name);
}

/* ---- adopting and releasing ---- */

/* Retry refused states. Many states may die, so look later; a request waits, so look at once. */
static void made_room(struct pvsvpn_adopt *adopt, bool dead)
{
	if (!adopt->refused)
		return;
	adopt->refused = false;
	if (dead)
		pvsvpn_note_later(adopt, 0);
	else
		pvsvpn_note_all(adopt);
}

static void peer_leave(struct pvsvpn_peer *peer)
{
	if (peer->origin == PVSVPN_ORIGIN_XFRM && !peer->sa_count)
		pvsvpn_tunnel_del_peer(peer);
}

static void sa_let_go(struct pvsvpn_adopt *adopt, struct pvsvpn_sa *sa)
{
	struct pvsvpn_peer *peer = sa->peer;
	bool dead = pvsvpn_state_dead(sa);

	pvsvpn_tunnel_del_sa(sa);
	peer_leave(peer);
	made_room(adopt, dead);
}

static bool spi_taken(struct pvsvpn_device *pvs, const struct xfrm_state *x, u8 dir)
{
	struct pvsvpn_endpoint endpoint = {
		.family = x->props.family,
		.local = x->id.daddr,
		.remote = x->id.daddr,
	};

	return pvsvpn_sad_conflict(pvs->net, dir, x->id.spi, &endpoint, NULL);
}

static void state_refuse(struct pvsvpn_device *pvs, const struct xfrm_state *x,
			 int dir, const char *why)
{
	struct pvsvpn_event event = {
		.type = PVSVPN_EVENT_TYPE_SA_REFUSED,
		.reason = why,
		.pvs = pvs,
		.family = x->props.family,
		.remote = dir == PVSVPN_DIRECTION_OUT ? &x->id.daddr :
							&x->props.saddr,
		.dir = dir,
		.spi = x->id.spi,
	};

	pvsvpn_event_send(&event);
}

/*
 * Update the peer's addresses: operators see them, and the next state finds the peer by
 * them. Packets use the addresses of their SA. Keep operator settings that a state lacks.
 */
static int sa_follow(struct pvsvpn_sa *sa)
{
	const struct pvsvpn_endpoint *endpoint = pvsvpn_peer_endpoint(sa->peer);
	struct pvsvpn_peer_config config = { .mark = endpoint->mark };
	int err = 0;

	strscpy(config.link, endpoint->link, sizeof(config.link));
	pvsvpn_state_endpoint(sa->x, sa->dir, &config);
	if (pvsvpn_endpoint_differs(endpoint, &config))
		err = pvsvpn_tunnel_move_peer(sa->peer, &config, "xfrm");
	if (err || sa->dir != PVSVPN_DIRECTION_OUT)
		return err;
	return pvsvpn_sa_move(sa, &config);
}

/* On success the peer owns the SA, or else the caller still does. */
static int sa_give(struct pvsvpn_adopt *adopt, struct pvsvpn_sa *sa, struct pvsvpn_peer *peer)
{
	int err;

	sa->peer = peer;
	sa->turn = peer->pvs->if_id_turn[sa->dir];
	sa->sweep = adopt->sweep;
	err = sa_follow(sa);
	if (!err)
		err = pvsvpn_tunnel_add_sa(sa, peer, 0);
	if (err)
		pvsvpn_sa_cancel(sa, adopt->net);
	else
		list_add_tail(&sa->adopted, &adopt->sas);
	return err;
}

static int state_carry(struct pvsvpn_adopt *adopt, struct pvsvpn_device *pvs,
		       struct pvsvpn_noted *noted, u8 dir)
{
	struct pvsvpn_sa *moved = pvsvpn_sad_find_moved(adopt->net, dir, noted->x);
	struct pvsvpn_sa *dead = moved && pvsvpn_state_dead(moved) ? moved : NULL;
	struct pvsvpn_peer *peer;
	int err;

	/* Reserve first. At the limit use the dead SA's place, so that no moving tunnel is lost. */
	err = pvsvpn_sa_reserve(noted->sa, adopt->net, dead);
	if (err)
		return err;
	peer = peer_get(pvs, noted->x, dir, moved);
	if (IS_ERR(peer)) {
		err = PTR_ERR(peer);
		pvsvpn_sa_cancel(noted->sa, adopt->net);
	} else {
		pvsvpn_sa_set_dir(noted->sa, dir);
		err = sa_give(adopt, noted->sa, peer);
		if (!err) {
			noted->sa = NULL;
			pvsvpn_park_heard(adopt, noted->x);
			if (dead)
				sa_let_go(adopt, dead);
		}
		peer_leave(peer);
	}
	/* Give the dead SA its place back. */
	if (err && dead)
		pvsvpn_sa_reserve(dead, adopt->net, NULL);
	return err;
}

static const char *carry_refusal(struct pvsvpn_adopt *adopt, int err)
{
	switch (err) {
	case 0:
		return NULL;
	case -EEXIST:
		/* Another peer has the name, or takes all addresses. */
		return "peer-in-the-way";
	case -ENOSPC:
		return "limit";
	case -ENOMEM:
		pvsvpn_note_later(adopt, RETRY_DELAY);
		return "no-memory";
	default:
		/* For instance, no packet can be received at the port. */
		return "endpoint";
	}
}

static void state_adopt(struct pvsvpn_adopt *adopt, struct pvsvpn_device *pvs,
			struct pvsvpn_noted *noted, int dir)
{
	const char *why = pvsvpn_state_why_not(noted->x);

	if (!why) {
		if (dir < 0)
			why = "direction";
		else if (spi_taken(pvs, noted->x, dir))
			why = "spi-taken";
		else if (pvsvpn_sad_full(adopt->net, dir, noted->x->id.spi))
			why = "limit";
		else if (!noted->sa)
			why = carry_refusal(adopt, -ENOMEM);
		else
			why = carry_refusal(adopt, state_carry(adopt, pvs, noted, dir));
		adopt->refused |= !!why;
	}
	if (why)
		state_refuse(pvs, noted->x, dir, why);
}

/* Report it now, so that the daemon has time to rekey. */
static void sa_report_soft(struct pvsvpn_sa *sa)
{
	if (!READ_ONCE(sa->x->km.dying))
		clear_bit(PVSVPN_SA_SOFT_REPORTED, &sa->flags);
	else if (!test_and_set_bit(PVSVPN_SA_SOFT_REPORTED, &sa->flags))
		pvsvpn_event_sa(sa, PVSVPN_EVENT_TYPE_SA_SOFT_EXPIRED, "xfrm");
}

/* ---- which device, which direction ---- */

static struct pvsvpn_device *device_of(struct pvsvpn_adopt *adopt,
				       const struct xfrm_state *x, int dir)
{
	return x->if_id ? xa_load(&adopt->devices[dir], x->if_id) : NULL;
}

/*
 * If only one direction has the if_id, use it. Otherwise the state or the host's addresses
 * decide. If they do not, an SA keeps its direction.
 */
static int state_direction(struct pvsvpn_adopt *adopt, struct xfrm_state *x,
			   const struct pvsvpn_sa *sa)
{
	bool in = device_of(adopt, x, PVSVPN_DIRECTION_IN);
	bool out = device_of(adopt, x, PVSVPN_DIRECTION_OUT);
	int dir;

	if (in != out)
		return in ? PVSVPN_DIRECTION_IN : PVSVPN_DIRECTION_OUT;
	dir = pvsvpn_state_dir(x);
	return dir < 0 && sa ? sa->dir : dir;
}

/* @noted->x is valid; it may be new, or have another if_id or other ports. */
static void state_look(struct pvsvpn_adopt *adopt, struct pvsvpn_noted *noted)
{
	struct xfrm_state *x = noted->x;
	struct pvsvpn_sa *sa = pvsvpn_sad_find_state(adopt->net, x);
	int dir = state_direction(adopt, x, sa);
	struct pvsvpn_device *pvs;

	pvs = device_of(adopt, x, dir < 0 ? PVSVPN_DIRECTION_IN : dir);
	if (sa && (sa->peer->pvs != pvs || sa->dir != dir ||
		   !pvsvpn_check_if_id(sa))) {
		sa_let_go(adopt, sa);
		sa = NULL;
	}
	/* Adopt no state before all policies are there, so that every packet is checked. */
	if (!pvs || !pvsvpn_policy_whole(pvs))
		return;
	if (!sa) {
		state_adopt(adopt, pvs, noted, dir);
		return;
	}
	/* Packets may report it again; only a refused state must not be reported again. */
	pvsvpn_park_heard(adopt, x);
	/* XFRM may report the end of a state that is still valid. Undo that report. */
	clear_bit(PVSVPN_SA_ENDED, &sa->flags);
	clear_bit(PVSVPN_SA_DEATH_TOLD, &sa->flags);
	/* On -ENOMEM the addresses stay until the next note about the state. */
	sa_follow(sa);
	sa_report_soft(sa);
}

/*
 * A packet may find the state before XFRM has marked it valid. The task that adds the state may
 * be preempted in between.
 */
static void wait_until_valid(const struct xfrm_state *x)
{
	unsigned int left = VOID_WAITS;

	while (READ_ONCE(x->km.state) == XFRM_STATE_VOID && left--)
		usleep_range(100, 1000);
}

static bool state_is_valid(const struct xfrm_state *x)
{
	return READ_ONCE(x->km.state) == XFRM_STATE_VALID;
}

/* ---- the work ---- */

/*
 * Setting the key may load the crypto driver's module, so RTNL is not held. If no device
 * wants the state afterwards, the SA is freed again.
 */
static void noted_prepare(struct pvsvpn_adopt *adopt, struct pvsvpn_noted *noted)
{
	struct xfrm_state *x = noted->x;
	u8 key[PVSVPN_KEY_MAX];
	struct pvsvpn_sa_config config = {
		.spi = x->id.spi,
		.transform = pvsvpn_state_transform(x),
		.key = key,
		.esn = x->props.flags & XFRM_STATE_ESN,
		.x = x,
	};
	struct pvsvpn_sa *sa;

	if (pvsvpn_state_why_not(x) ||
	    (!device_of(adopt, x, PVSVPN_DIRECTION_IN) &&
	     !device_of(adopt, x, PVSVPN_DIRECTION_OUT)) ||
	    pvsvpn_sad_find_state(adopt->net, x))
		return;
	pvsvpn_state_key(x, key);
	sa = pvsvpn_sa_new(&config, NULL);
	memzero_explicit(key, sizeof(key));
	if (!IS_ERR(sa))
		noted->sa = sa;
}

static bool sa_is_wanted(const struct pvsvpn_sa *sa)
{
	return !pvsvpn_state_dead(sa) && pvsvpn_check_if_id(sa) &&
	       sa->x->if_id == sa->peer->pvs->settings.if_id[sa->dir];
}

/*
 * A moving state is dead before XFRM reports its successor, which may have come after the last
 * look at all states. Look once more before removing a dead SA.
 */
static void sa_check(struct pvsvpn_adopt *adopt, struct pvsvpn_sa *sa)
{
	if (sa_is_wanted(sa))
		return;
	if (!pvsvpn_state_dead(sa)) {
		sa_let_go(adopt, sa);
		return;
	}
	/* XFRM's report of the end is already noted, or the next round looks at all states. */
	if (test_bit(PVSVPN_SA_ENDED, &sa->flags) || READ_ONCE(adopt->all))
		return;
	if (test_and_set_bit(PVSVPN_SA_SWEPT, &sa->flags))
		sa_let_go(adopt, sa);
	else
		pvsvpn_note_later(adopt, 0);
}

/*
 * A state has died since it was noted, and may have moved. If it has an SA, a later look handles
 * its end. If not, the state itself may be the successor that a dead SA waits for.
 */
static void died_look(struct pvsvpn_adopt *adopt, struct xfrm_state *x, const struct pvsvpn_sa *sa)
{
	struct pvsvpn_sa *moved;
	int dir;

	if (sa) {
		if (!test_bit(PVSVPN_SA_ENDED, &sa->flags))
			pvsvpn_note_later(adopt, 0);
		return;
	}
	dir = state_direction(adopt, x, NULL);
	moved = dir < 0 ? NULL : pvsvpn_sad_find_moved(adopt->net, dir, x);
	if (moved)
		clear_bit(PVSVPN_SA_SWEPT, &moved->flags);
}

/*
 * After an update, XFRM reports the state of the request, which is dead already: its values
 * were copied to the existing state. Look up the existing state.
 */
static void dead_look(struct pvsvpn_adopt *adopt, const struct pvsvpn_noted *noted)
{
	struct pvsvpn_sa *sa = pvsvpn_sad_find_state(adopt->net, noted->x);
	struct xfrm_state *x = noted->x, *now;

	if (noted->alive && !pvsvpn_state_coming(x))
		died_look(adopt, x, sa);
	else if (sa)
		sa_let_go(adopt, sa);
	now = xfrm_state_lookup(adopt->net, x->mark.v & x->mark.m, &x->id.daddr,
				x->id.spi, x->id.proto, x->props.family);
	if (!now)
		return;
	if (state_is_valid(now))
		pvsvpn_note_state(adopt, now);
	xfrm_state_put(now);
}

static void noted_look(struct pvsvpn_adopt *adopt, struct pvsvpn_noted *noted)
{
	if (!state_is_valid(noted->x))
		dead_look(adopt, noted);
	else if (noted->valid)
		state_look(adopt, noted);
	else
		/* It has become valid meanwhile, but must be prepared first. */
		pvsvpn_note_state(adopt, noted->x);
}

static void look_at(struct pvsvpn_adopt *adopt, struct list_head *list)
{
	struct pvsvpn_noted *noted;
	unsigned int left;
	LIST_HEAD(some);

	while (!list_empty(list)) {
		for (left = LOOK_MAX; left && !list_empty(list); left--) {
			noted = list_first_entry(list, struct pvsvpn_noted, list);
			if (noted->valid)
				noted_prepare(adopt, noted);
			list_move_tail(&noted->list, &some);
		}
		rtnl_lock();
		list_for_each_entry(noted, &some, list)
			noted_look(adopt, noted);
		rtnl_unlock();
		pvsvpn_note_free_all(&some);
		cond_resched();
	}
}

/*
 * Look at valid states first: a state that continues another one under a new address must
 * take over the peer before the other one is removed.
 */
static void look_at_all(struct pvsvpn_adopt *adopt, struct list_head *list)
{
	struct pvsvpn_noted *noted, *next;
	LIST_HEAD(dead);

	list_for_each_entry_safe(noted, next, list, list) {
		wait_until_valid(noted->x);
		noted->valid = state_is_valid(noted->x);
		if (!noted->valid)
			list_move_tail(&noted->list, &dead);
	}
	look_at(adopt, list);
	look_at(adopt, &dead);
}

/* Return: true if there are more. SAs already seen in this sweep are at the end of the list. */
static bool sweep_some(struct pvsvpn_adopt *adopt)
{
	unsigned int left = LOOK_MAX;
	struct pvsvpn_sa *sa;

	rtnl_lock();
	for (; left; left--) {
		sa = list_first_entry_or_null(&adopt->sas, struct pvsvpn_sa, adopted);
		if (!sa || sa->sweep == adopt->sweep)
			break;
		sa->sweep = adopt->sweep;
		list_move_tail(&sa->adopted, &adopt->sas);
		sa_check(adopt, sa);
	}
	rtnl_unlock();
	cond_resched();
	return !left;
}

/* Remove every SA that is dead or does not belong to its device any more. */
static void sweep(struct pvsvpn_adopt *adopt)
{
	rtnl_lock();
	adopt->sweep++;
	rtnl_unlock();
	while (sweep_some(adopt))
		;
}

/* Look at all states together: adopt a successor before its predecessor is removed. */
static void look_at_news(struct pvsvpn_adopt *adopt, struct pvsvpn_news *news)
{
	bool whole = true;

	if (news->all)
		whole = pvsvpn_note_scan_states(adopt, &news->list);
	look_at_all(adopt, &news->list);
	if (!whole)
		pvsvpn_note_later(adopt, RETRY_DELAY);
	else if (news->all)
		sweep(adopt);
}

/* Each run is one round, so that other work runs in between: any user can cause many notes. */
static void adopt_work(struct work_struct *work)
{
	struct pvsvpn_adopt *adopt =
		container_of(work, struct pvsvpn_adopt, work);
	struct pvsvpn_news news;

	if (pvsvpn_note_take(adopt, &news)) {
		pvsvpn_policy_look(&adopt->policies);
		look_at_news(adopt, &news);
		pvsvpn_policy_sweep(&adopt->policies);
		pvsvpn_unpark(adopt);
	}
	pvsvpn_note_done(adopt, &news);
	pvsvpn_unpark(adopt);
}

/* ---- devices ---- */

static int if_id_check(struct pvsvpn_device *pvs, u8 dir, u32 if_id, struct netlink_ext_ack *extack)
{
	struct xarray *devices = pvsvpn_adopt_of(pvs->net)->devices;
	const struct pvsvpn_device *other = if_id ? xa_load(&devices[dir], if_id) : NULL;

	if (!other || other == pvs)
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "if-id-%s %u is that of %s; use another",
			   dir == PVSVPN_DIRECTION_OUT ? "out" : "in", if_id,
			   other->dev->name);
	return -EEXIST;
}

static int if_id_store(struct pvsvpn_device *pvs, u8 dir, u32 if_id)
{
	struct pvsvpn_adopt *adopt = pvsvpn_adopt_of(pvs->net);

	if (!if_id)
		return 0;
	return xa_err(xa_store(&adopt->devices[dir], if_id, pvs, GFP_KERNEL));
}

static void if_id_erase(struct pvsvpn_device *pvs, u8 dir, u32 if_id)
{
	if (if_id)
		xa_erase(&pvsvpn_adopt_of(pvs->net)->devices[dir], if_id);
}

/*
 * First stop packets from using earlier SAs. Another work may remove their policies as soon as
 * XFRM's policies no longer find the device.
 */
static void if_id_change(struct pvsvpn_device *pvs, u8 dir, u32 if_id)
{
	u32 old = pvs->settings.if_id[dir];

	if (old == if_id)
		return;
	WRITE_ONCE(pvs->if_id_turn[dir], pvs->if_id_turn[dir] + 1);
	WRITE_ONCE(pvs->settings.if_id[dir], if_id);
	if_id_erase(pvs, dir, old);
}

/**
 * pvsvpn_adopt_set() - set the if_ids of the states that a device carries
 * @pvs: the device
 * @if_id: if_ids by enum pvsvpn_direction, 0 for none
 * @extack: receives the error message
 *
 * A work item adopts the new states and releases the old ones. pvsvpn_adopt_wait() waits
 * for it.
 *
 * Context: process, RTNL held.
 * Return: 0; -EEXIST if another device has that if_id; -ENOMEM. On failure nothing has
 * changed.
 */
int pvsvpn_adopt_set(struct pvsvpn_device *pvs, const u32 *if_id, struct netlink_ext_ack *extack)
{
	u32 in = if_id[PVSVPN_DIRECTION_IN], out = if_id[PVSVPN_DIRECTION_OUT];
	int err;

	ASSERT_RTNL();
	err = if_id_check(pvs, PVSVPN_DIRECTION_IN, in, extack);
	if (!err)
		err = if_id_check(pvs, PVSVPN_DIRECTION_OUT, out, extack);
	if (!err)
		err = if_id_store(pvs, PVSVPN_DIRECTION_IN, in);
	if (err)
		return err;
	err = if_id_store(pvs, PVSVPN_DIRECTION_OUT, out);
	if (err) {
		if (in != pvs->settings.if_id[PVSVPN_DIRECTION_IN])
			if_id_erase(pvs, PVSVPN_DIRECTION_IN, in);
		return err;
	}
	if_id_change(pvs, PVSVPN_DIRECTION_IN, in);
	if_id_change(pvs, PVSVPN_DIRECTION_OUT, out);
	pvsvpn_policy_follow(pvs);
	pvsvpn_note_all(pvsvpn_adopt_of(pvs->net));
	return 0;
}

/**
 * pvsvpn_adopt_forget() - give up the if_ids of a removed device
 * @pvs: the device
 *
 * Context: process, RTNL held.
 */
void pvsvpn_adopt_forget(struct pvsvpn_device *pvs)
{
	if_id_erase(pvs, PVSVPN_DIRECTION_IN, pvs->settings.if_id[PVSVPN_DIRECTION_IN]);
	if_id_erase(pvs, PVSVPN_DIRECTION_OUT, pvs->settings.if_id[PVSVPN_DIRECTION_OUT]);
}

/**
 * pvsvpn_adopt_again() - look at all states again soon
 * @pvs: a device that has lost some of them, or has a changed peer
 *
 * From now on, packets of these states wait.
 *
 * Context: process, RTNL held.
 */
void pvsvpn_adopt_again(struct pvsvpn_device *pvs)
{
	if (pvs->settings.if_id[PVSVPN_DIRECTION_IN] || pvs->settings.if_id[PVSVPN_DIRECTION_OUT])
		pvsvpn_note_all(pvsvpn_adopt_of(pvs->net));
}

/**
 * pvsvpn_adopt_made_room() - retry refused states after a request
 * @net: namespace in which the device was created
 *
 * A peer or an SA was removed or changed, so refused states are looked at again soon.
 *
 * Context: process, RTNL held.
 */
void pvsvpn_adopt_made_room(struct net *net)
{
	made_room(pvsvpn_adopt_of(net), false);
}

/**
 * pvsvpn_adopt_keep() - keep XFRM's states when an operator deletes their peer
 * @peer: the peer
 *
 * The peer becomes one that the device has created, and keeps only its adopted SAs.
 *
 * Context: process, RTNL held.
 * Return: true if the peer stays; false if it has no adopted SA, or if pvsvpn_tunnel_set_peer()
 * fails, for instance because of another peer.
 */
bool pvsvpn_adopt_keep(struct pvsvpn_peer *peer)
{
	char name[PVSVPN_PEER_NAME_MAX + 1];
	struct pvsvpn_peer_config config = {};
	struct pvsvpn_sa *sa, *next;

	ASSERT_RTNL();
	if (!peer->adopted_count)
		return false;
	/* The count says that there is one. */
	list_for_each_entry(sa, &peer->sas, list)
		if (sa->x)
			break;
	pvsvpn_state_endpoint(sa->x, sa->dir, &config);
	config_fill(&config, name);
	if (pvsvpn_tunnel_set_peer(peer, &config, NULL))
		return false;
	list_for_each_entry_safe(sa, next, &peer->sas, list)
		if (!sa->x)
			pvsvpn_tunnel_del_sa(sa);
	return true;
}

/**
 * pvsvpn_adopt_hold() - hold the references that pvsvpn_adopt_wait() needs
 * @pvs: a device
 * @wait: filled in
 *
 * Context: process, RTNL held.
 */
void pvsvpn_adopt_hold(struct pvsvpn_device *pvs, struct pvsvpn_adopt_wait *wait)
{
	struct pvsvpn_adopt *adopt = pvsvpn_adopt_of(pvs->net);
	bool busy;

	spin_lock_bh(&adopt->lock);
	busy = adopt->all || !list_empty(&adopt->noted);
	wait->round = adopt->begun + busy;
	busy |= adopt->begun != adopt->done;
	spin_unlock_bh(&adopt->lock);
	wait->net = NULL;
	if (!busy || !try_module_get(THIS_MODULE))
		return;
	wait->net = maybe_get_net(pvs->net);
	if (!wait->net)
		module_put(THIS_MODULE);
}

static bool round_is_done(const struct pvsvpn_adopt *adopt, unsigned long round)
{
	return (long)(READ_ONCE(adopt->done) - round) >= 0 &&
	       !READ_ONCE(adopt->busy);
}

/**
 * pvsvpn_adopt_wait() - wait until devices have adopted their states
 * @wait: from pvsvpn_adopt_hold(); its references are dropped
 *
 * Waits two seconds at most: a user can cause any amount of work, and the caller holds a lock
 * of generic netlink that others wait for.
 *
 * Context: process, RTNL not held.
 */
void pvsvpn_adopt_wait(const struct pvsvpn_adopt_wait *wait)
{
	struct pvsvpn_adopt *adopt;

	if (!wait->net)
		return;
	adopt = pvsvpn_adopt_of(wait->net);
	wait_event_killable_timeout(adopt->waiters, round_is_done(adopt, wait->round), WAIT_MAX);
	put_net(wait->net);
	/* The lock of generic netlink keeps the module loaded until the caller is done. */
	module_put(THIS_MODULE);
}

/* ---- namespaces and module ---- */

static int __net_init adopt_net_init(struct net *net)
{
	struct pvsvpn_adopt *adopt = pvsvpn_adopt_of(net);

	adopt->net = net;
	xa_init(&adopt->devices[PVSVPN_DIRECTION_IN]);
	xa_init(&adopt->devices[PVSVPN_DIRECTION_OUT]);
	INIT_LIST_HEAD(&adopt->sas);
	pvsvpn_note_net_init(adopt);
	skb_queue_head_init(&adopt->parked[PVSVPN_DIRECTION_IN]);
	skb_queue_head_init(&adopt->parked[PVSVPN_DIRECTION_OUT]);
	INIT_WORK(&adopt->work, adopt_work);
	return pvsvpn_policy_net_init(&adopt->policies, net);
}

/* The last device was removed a grace period ago, so nothing is noted any more. */
static void __net_exit adopt_net_exit(struct net *net)
{
	struct pvsvpn_adopt *adopt = pvsvpn_adopt_of(net);

	pvsvpn_policy_net_stop(&adopt->policies);
	pvsvpn_note_net_exit(adopt);
	pvsvpn_policy_net_exit(&adopt->policies);
	pvsvpn_unpark(adopt);
	xa_destroy(&adopt->devices[PVSVPN_DIRECTION_IN]);
	xa_destroy(&adopt->devices[PVSVPN_DIRECTION_OUT]);
}

static struct pernet_operations adopt_net_ops = {
	.init = adopt_net_init,
	.exit = adopt_net_exit,
	.id = &pvsvpn_adopt_net_id,
	.size = sizeof(struct pvsvpn_adopt),
};

/**
 * pvsvpn_adopt_init() - set up adoption in all namespaces
 *
 * Namespaces lose their devices before their state of adoption, because devices register later.
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int __init pvsvpn_adopt_init(void)
{
	return register_pernet_subsys(&adopt_net_ops);
}

/**
 * pvsvpn_adopt_exit() - end adoption in all namespaces, after the last device is gone
 *
 * Context: process.
 */
void pvsvpn_adopt_exit(void)
{
	unregister_pernet_subsys(&adopt_net_ops);
}
