// SPDX-License-Identifier: GPL-2.0
/*
 * SAs that somebody else has installed in XFRM, an IKE daemon or ip xfrm state, and
 * that a device carries because they have its if_id. See Documentation/ike.rst.
 *
 * XFRM tells its key managers of each state that comes, changes or goes. It does so in
 * atomic context, and our tables change under RTNL, so what it tells is noted, and a work
 * looks at it. Packets that are faster wait for the work (xfrm_park.c). That a state is
 * dead, a packet sees for itself.
 *
 * An SA has an AEAD of its own, keyed from the state. Sequence numbers, replay window and
 * lifetimes stay in the state, which others may use beside us (xfrm_seq.c).
 */
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/xfrm.h>

#include "device.h"
#include "endpoint.h"
#include "event.h"
#include "peer.h"
#include "pmtu.h"
#include "sa.h"
#include "sad.h"
#include "xfrm_adopt.h"
#include "xfrm_park.h"
#include "xfrm_policy.h"
#include "xfrm_state.h"

/* When memory has run out, in jiffies. */
#define RETRY_DELAY	(HZ / 5)

/**
 * struct noted - a state to look at, or what a policy says
 * @list: in struct pvsvpn_adopt.noted
 * @x: the state, held; NULL for a policy
 * @policy: what the policy says, NULL for a state
 * @gone: the policy is gone
 * @if_id: of the policy
 * @family: of @daddr
 * @daddr: where the policy sends packets
 */
struct noted {
	struct list_head list;
	struct xfrm_state *x;
	struct pvsvpn_policy *policy;
	bool gone;
	u32 if_id;
	u16 family;
	xfrm_address_t daddr;
};

/* ---- peers ---- */

static bool endpoint_differs(const struct pvsvpn_endpoint *endpoint,
			     const struct pvsvpn_peer_config *config)
{
	return endpoint->family != config->family ||
	       endpoint->encap != config->encap ||
	       endpoint->sport != config->sport ||
	       endpoint->dport != config->dport ||
	       endpoint->mark != config->mark ||
	       !xfrm_addr_equal(&endpoint->local, &config->local,
				config->family) ||
	       !xfrm_addr_equal(&endpoint->remote, &config->remote,
				config->family);
}

/* What a state does not tell, the operator may have. */
static int peer_follow(struct pvsvpn_peer *peer, const struct xfrm_state *x,
		       u8 dir)
{
	const struct pvsvpn_endpoint *endpoint = pvsvpn_peer_endpoint(peer);
	struct pvsvpn_peer_config config = {
		.link = endpoint->link,
		.mark = endpoint->mark,
	};

	pvsvpn_state_endpoint(x, dir, &config);
	if (!endpoint_differs(endpoint, &config))
		return 0;
	return pvsvpn_peer_move(peer, &config, "xfrm");
}

static bool peer_has_reqid(const struct pvsvpn_peer *peer, u32 reqid)
{
	const struct pvsvpn_sa *sa;

	list_for_each_entry(sa, &peer->sas, list)
		if (sa->x && sa->x->props.reqid == reqid)
			return true;
	return false;
}

/* A daemon's two states, those that follow them, and the policies share one reqid. */
static struct pvsvpn_peer *peer_by_reqid(struct pvsvpn_device *pvs, u32 reqid)
{
	struct pvsvpn_peer *peer;
	unsigned long id;

	if (!reqid)
		return NULL;
	xa_for_each(&pvs->peers, id, peer)
		if (peer_has_reqid(peer, reqid))
			return peer;
	return NULL;
}

static struct pvsvpn_peer *peer_at(struct pvsvpn_device *pvs, u16 family,
				   const xfrm_address_t *remote, u32 reqid)
{
	struct pvsvpn_peer *peer;

	rcu_read_lock();
	peer = pvsvpn_endpoint_find(pvs->net, pvs, family, remote);
	rcu_read_unlock();
	return peer ?: peer_by_reqid(pvs, reqid);
}

static struct pvsvpn_peer *peer_of(struct pvsvpn_device *pvs,
				   const struct xfrm_state *x, u8 dir)
{
	return peer_at(pvs, x->props.family,
		       dir == PVSVPN_DIRECTION_OUT ? &x->id.daddr :
						     &x->props.saddr,
		       x->props.reqid);
}

static struct pvsvpn_peer *peer_make(struct pvsvpn_device *pvs,
				     const struct xfrm_state *x, u8 dir)
{
	char name[PVSVPN_PEER_NAME_MAX + 1];
	struct pvsvpn_peer_config config = {
		.name = name,
		.replay_window = PVSVPN_REPLAY_WINDOW_DEFAULT,
		.origin = PVSVPN_ORIGIN_XFRM,
	};
	int err;

	pvsvpn_state_endpoint(x, dir, &config);
	if (config.family == AF_INET)
		snprintf(name, sizeof(name), "%pI4", &config.remote);
	else
		snprintf(name, sizeof(name), "%pI6c", &config.remote);
	err = pvsvpn_peer_new(pvs, &config, NULL);
	if (err)
		return ERR_PTR(err);
	return pvsvpn_peer_find(pvs, name);
}

/* ---- adopting and letting go ---- */

static void peer_leave(struct pvsvpn_peer *peer)
{
	if (peer->origin == PVSVPN_ORIGIN_XFRM && !peer->sa_count)
		pvsvpn_peer_del(peer);
}

static void sa_let_go(struct pvsvpn_sa *sa)
{
	struct pvsvpn_peer *peer = sa->peer;

	pvsvpn_sa_del(sa);
	peer_leave(peer);
}

static int sa_adopt(struct pvsvpn_peer *peer, struct xfrm_state *x, u8 dir)
{
	u8 key[PVSVPN_KEY_MAX];
	struct pvsvpn_sa_config config = {
		.dir = dir,
		.spi = x->id.spi,
		.transform = pvsvpn_state_transform(x),
		.key = key,
		.esn = x->props.flags & XFRM_STATE_ESN,
		.x = x,
	};
	struct pvsvpn_sa *sa;
	int err;

	pvsvpn_state_key(x, key);
	sa = pvsvpn_sa_new(&config, NULL);
	memzero_explicit(key, sizeof(key));
	if (IS_ERR(sa))
		return PTR_ERR(sa);
	err = pvsvpn_sa_add(sa, peer, 0);
	if (err)
		pvsvpn_sa_destroy(sa);
	return err;
}

static bool spi_taken(struct pvsvpn_device *pvs, const struct xfrm_state *x,
		      u8 dir)
{
	struct pvsvpn_endpoint endpoint = {
		.family = x->props.family,
		.local = x->id.daddr,
		.remote = x->id.daddr,
	};

	return pvsvpn_sad_conflict(pvs->net, dir, x->id.spi, &endpoint, NULL);
}

static void state_refuse(struct pvsvpn_device *pvs, const struct xfrm_state *x,
			 u8 dir, const char *why)
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

static int state_carry(struct pvsvpn_device *pvs, struct xfrm_state *x, u8 dir)
{
	struct pvsvpn_peer *peer = peer_of(pvs, x, dir);
	int err;

	if (!peer)
		peer = peer_make(pvs, x, dir);
	if (IS_ERR(peer))
		return PTR_ERR(peer);
	/* They may be older than the peer. */
	if (!peer->sa_count)
		pvsvpn_device_adopt(pvs->net)->policies = true;
	err = peer_follow(peer, x, dir);
	if (!err)
		err = sa_adopt(peer, x, dir);
	peer_leave(peer);
	return err;
}

static void state_adopt(struct pvsvpn_adopt *adopt, struct pvsvpn_device *pvs,
			struct xfrm_state *x, u8 dir)
{
	const char *why = pvsvpn_state_why_not(x);
	int err = 0;

	if (!why && spi_taken(pvs, x, dir))
		why = "spi-taken";
	if (!why)
		err = state_carry(pvs, x, dir);
	switch (err) {
	case 0:
		break;
	case -EEXIST:
		/* Another peer has the name, or takes all addresses. */
		why = "peer-in-the-way";
		break;
	case -ENOMEM:
		why = "no-memory";
		adopt->retry = true;
		break;
	default:
		/* Nobody can receive at the port, for instance. */
		why = "endpoint";
	}
	if (why)
		state_refuse(pvs, x, dir, why);
}

/* The daemon has time to negotiate another one. */
static void sa_report_soft(struct pvsvpn_sa *sa)
{
	if (!READ_ONCE(sa->x->km.dying))
		clear_bit(PVSVPN_SA_SOFT_REPORTED, &sa->flags);
	else if (!test_and_set_bit(PVSVPN_SA_SOFT_REPORTED, &sa->flags))
		pvsvpn_event_sa(sa, PVSVPN_EVENT_TYPE_SA_SOFT_EXPIRED, "xfrm");
}

/* @x is valid; it may be new, or have another if_id or other ports. */
static void state_look(struct pvsvpn_adopt *adopt, struct xfrm_state *x)
{
	u8 dir = pvsvpn_state_dir(x);
	struct pvsvpn_sa *sa = pvsvpn_sad_find_state(adopt->net, x);
	struct pvsvpn_device *pvs;

	pvs = x->if_id ? xa_load(&adopt->devices[dir], x->if_id) : NULL;
	if (sa && sa->peer->pvs != pvs) {
		sa_let_go(sa);
		sa = NULL;
	}
	if (!pvs)
		return;
	if (!sa) {
		state_adopt(adopt, pvs, x, dir);
		return;
	}
	/* Without memory the addresses stay until the next word about it. */
	peer_follow(sa->peer, x, sa->dir);
	sa_report_soft(sa);
}

/* An update leaves the new state dead, once it has told the old one. */
static void noted_look(struct pvsvpn_adopt *adopt, struct xfrm_state *x)
{
	struct pvsvpn_sa *sa;
	struct xfrm_state *now;

	if (READ_ONCE(x->km.state) == XFRM_STATE_VALID) {
		state_look(adopt, x);
		return;
	}
	sa = pvsvpn_sad_find_state(adopt->net, x);
	if (sa)
		sa_let_go(sa);
	now = xfrm_state_lookup(adopt->net, x->mark.v & x->mark.m,
				&x->id.daddr, x->id.spi, x->id.proto,
				x->props.family);
	if (!now)
		return;
	if (READ_ONCE(now->km.state) == XFRM_STATE_VALID)
		state_look(adopt, now);
	xfrm_state_put(now);
}

/*
 * A daemon installs the outbound state of a rekey before the other end has its inbound
 * one, and says by the policy when to change over.
 */
static void policy_look(struct pvsvpn_adopt *adopt, struct noted *noted)
{
	struct pvsvpn_device *pvs;
	struct pvsvpn_peer *peer;

	pvs = xa_load(&adopt->devices[PVSVPN_DIRECTION_OUT], noted->if_id);
	if (!pvs)
		return;
	peer = peer_at(pvs, noted->family, &noted->daddr, noted->policy->reqid);
	if (!peer)
		return;
	if (noted->gone) {
		pvsvpn_policy_del(peer, noted->policy);
	} else {
		pvsvpn_policy_set(peer, noted->policy);
		noted->policy = NULL;
	}
}

static void noted_free(struct noted *noted)
{
	list_del(&noted->list);
	if (noted->x)
		xfrm_state_put(noted->x);
	kfree(noted->policy);
	kfree(noted);
}

/* All of them, and the list is empty. */
static void noted_look_all(struct pvsvpn_adopt *adopt, struct list_head *list)
{
	struct noted *noted, *next;

	list_for_each_entry_safe(noted, next, list, list) {
		if (noted->x)
			noted_look(adopt, noted->x);
		else
			policy_look(adopt, noted);
		noted_free(noted);
	}
}

static struct noted *policy_noted(const struct xfrm_policy *policy, bool gone)
{
	const struct xfrm_tmpl *tmpl = &policy->xfrm_vec[0];
	struct noted *noted = kzalloc(sizeof(*noted), GFP_ATOMIC);

	if (!noted)
		return NULL;
	noted->policy = pvsvpn_policy_read(policy);
	if (!noted->policy) {
		kfree(noted);
		return NULL;
	}
	noted->gone = gone;
	noted->if_id = policy->if_id;
	noted->family = tmpl->encap_family;
	noted->daddr = tmpl->id.daddr;
	return noted;
}

static int walk_note_policy(struct xfrm_policy *policy, int dir, int count,
			    void *data)
{
	struct list_head *list = data;
	struct noted *noted;

	if (!pvsvpn_policy_matters(policy, dir))
		return 0;
	noted = policy_noted(policy, false);
	if (!noted)
		return -ENOMEM;
	list_add_tail(&noted->list, list);
	return 0;
}

static struct noted *state_noted(struct xfrm_state *x)
{
	struct noted *noted = kzalloc(sizeof(*noted), GFP_ATOMIC);

	if (!noted)
		return NULL;
	xfrm_state_hold(x);
	noted->x = x;
	return noted;
}

static int walk_note(struct xfrm_state *x, int count, void *data)
{
	struct list_head *list = data;
	struct noted *noted;

	if (!x->if_id || x->km.state != XFRM_STATE_VALID)
		return 0;
	noted = state_noted(x);
	if (!noted)
		return -ENOMEM;
	list_add_tail(&noted->list, list);
	return 0;
}

/* @sa: adopted */
static bool sa_is_wanted(const struct pvsvpn_sa *sa)
{
	const struct pvsvpn_settings *settings = &sa->peer->pvs->settings;

	return !pvsvpn_state_dead(sa) &&
	       sa->x->if_id == (sa->dir == PVSVPN_DIRECTION_OUT ?
				settings->if_id_out : settings->if_id_in);
}

/* Of what a device carries, all that is dead or no longer its own */
static void let_go(struct pvsvpn_device *pvs)
{
	struct pvsvpn_sa *sa, *next_sa;
	struct pvsvpn_peer *peer;
	unsigned long id;

	xa_for_each(&pvs->peers, id, peer) {
		list_for_each_entry_safe(sa, next_sa, &peer->sas, list)
			if (sa->x && !sa_is_wanted(sa))
				pvsvpn_sa_del(sa);
		peer_leave(peer);
	}
}

static void with_all_peers(struct pvsvpn_adopt *adopt,
			   void (*what)(struct pvsvpn_peer *peer))
{
	struct pvsvpn_device *pvs;
	struct pvsvpn_peer *peer;
	unsigned long if_id, id;

	xa_for_each(&adopt->devices[PVSVPN_DIRECTION_OUT], if_id, pvs)
		xa_for_each(&pvs->peers, id, peer)
			what(peer);
}

static void look_at_policies(struct pvsvpn_adopt *adopt)
{
	struct xfrm_policy_walk walk;
	LIST_HEAD(list);
	int err;

	with_all_peers(adopt, pvsvpn_policy_doubt);
	xfrm_policy_walk_init(&walk, XFRM_POLICY_TYPE_MAIN);
	err = xfrm_policy_walk(adopt->net, &walk, walk_note_policy, &list);
	xfrm_policy_walk_done(&walk, adopt->net);
	noted_look_all(adopt, &list);
	if (err == -ENOMEM)
		adopt->retry = true;
	else
		with_all_peers(adopt, pvsvpn_policy_settle);
}

static void look_at_states(struct pvsvpn_adopt *adopt)
{
	struct xfrm_state_walk walk;
	struct pvsvpn_device *pvs;
	unsigned long if_id;
	LIST_HEAD(list);
	int dir;

	for (dir = 0; dir < ARRAY_SIZE(adopt->devices); dir++)
		xa_for_each(&adopt->devices[dir], if_id, pvs)
			let_go(pvs);
	xfrm_state_walk_init(&walk, 0, NULL);
	if (xfrm_state_walk(adopt->net, &walk, walk_note, &list) == -ENOMEM)
		adopt->retry = true;
	xfrm_state_walk_done(&walk, adopt->net);
	noted_look_all(adopt, &list);
}

/* RTNL held, so that whatever was noted before is done on return. */
static void adopt_settle(struct pvsvpn_adopt *adopt)
{
	LIST_HEAD(list);
	bool all;

	ASSERT_RTNL();
	spin_lock_bh(&adopt->lock);
	list_splice_init(&adopt->noted, &list);
	all = adopt->all;
	adopt->all = false;
	spin_unlock_bh(&adopt->lock);
	noted_look_all(adopt, &list);
	if (all)
		look_at_states(adopt);
	if (all || adopt->policies)
		look_at_policies(adopt);
	adopt->policies = false;
}

/* ---- what XFRM tells ---- */

/**
 * pvsvpn_adopt_wanted() - does any device of a namespace carry XFRM's states?
 * @adopt: of the namespace
 *
 * Context: any.
 */
bool pvsvpn_adopt_wanted(const struct pvsvpn_adopt *adopt)
{
	return !xa_empty(&adopt->devices[PVSVPN_DIRECTION_IN]) ||
	       !xa_empty(&adopt->devices[PVSVPN_DIRECTION_OUT]);
}

/* @noted: or NULL for all there is, also where there was no memory for one */
static void adopt_note(struct pvsvpn_adopt *adopt, struct noted *noted)
{
	spin_lock_bh(&adopt->lock);
	if (noted)
		list_add_tail(&noted->list, &adopt->noted);
	else
		adopt->all = true;
	adopt->busy = true;
	mod_delayed_work(pvsvpn_wq, &adopt->work, 0);
	spin_unlock_bh(&adopt->lock);
}

static int manager_notify(struct xfrm_state *x, const struct km_event *c)
{
	struct pvsvpn_adopt *adopt = pvsvpn_device_adopt(x ? xs_net(x) : c->net);

	if (!pvsvpn_adopt_wanted(adopt))
		return 0;
	switch (c->event) {
	case XFRM_MSG_NEWSA:
	case XFRM_MSG_UPDSA:
	case XFRM_MSG_DELSA:
	case XFRM_MSG_EXPIRE:
		/* Not even an update takes an if_id away. */
		if (x->if_id)
			adopt_note(adopt, state_noted(x));
		break;
	case XFRM_MSG_FLUSHSA:
		adopt_note(adopt, NULL);
		break;
	}
	return 0;
}

static int manager_notify_policy(struct xfrm_policy *policy, int dir,
				 const struct km_event *c)
{
	struct pvsvpn_adopt *adopt;

	adopt = pvsvpn_device_adopt(policy ? xp_net(policy) : c->net);
	if (!pvsvpn_adopt_wanted(adopt))
		return 0;
	switch (c->event) {
	case XFRM_MSG_NEWPOLICY:
	case XFRM_MSG_UPDPOLICY:
		if (pvsvpn_policy_matters(policy, dir))
			adopt_note(adopt, policy_noted(policy, false));
		break;
	case XFRM_MSG_DELPOLICY:
		if (pvsvpn_policy_matters(policy, dir))
			adopt_note(adopt, policy_noted(policy, true));
		break;
	case XFRM_MSG_POLEXPIRE:
	case XFRM_MSG_FLUSHPOLICY:
		adopt_note(adopt, NULL);
		break;
	}
	return 0;
}

static int manager_migrate(const struct xfrm_selector *sel, u8 dir, u8 type,
		      const struct xfrm_migrate *m, int num_bundles,
		      const struct xfrm_kmaddress *k, struct net *net,
		      const struct xfrm_encap_tmpl *encap)
{
	struct pvsvpn_adopt *adopt = pvsvpn_device_adopt(net);

	if (pvsvpn_adopt_wanted(adopt))
		adopt_note(adopt, NULL);
	return -EOPNOTSUPP;
}

/* XFRM calls these two without asking whether there are any. */
static int manager_acquire(struct xfrm_state *x, struct xfrm_tmpl *tmpl,
		      struct xfrm_policy *policy)
{
	return -EOPNOTSUPP;
}

static struct xfrm_policy *manager_compile_policy(struct sock *sk, int opt, u8 *data,
					     int len, int *dir)
{
	*dir = -EOPNOTSUPP;
	return NULL;
}

static struct xfrm_mgr adopt_manager = {
	.notify = manager_notify,
	.notify_policy = manager_notify_policy,
	.acquire = manager_acquire,
	.compile_policy = manager_compile_policy,
	.migrate = manager_migrate,
};

static void adopt_work(struct work_struct *work)
{
	struct pvsvpn_adopt *adopt =
		container_of(to_delayed_work(work), struct pvsvpn_adopt, work);
	bool retry;

	rtnl_lock();
	adopt_settle(adopt);
	retry = adopt->retry;
	adopt->retry = false;
	rtnl_unlock();
	spin_lock_bh(&adopt->lock);
	/* What was noted meanwhile has a run of its own. */
	adopt->busy = adopt->all || !list_empty(&adopt->noted);
	if (retry) {
		adopt->all = true;
		queue_delayed_work(pvsvpn_wq, &adopt->work, RETRY_DELAY);
	}
	spin_unlock_bh(&adopt->lock);
	pvsvpn_park_end(adopt);
}

/* ---- devices ---- */

static int if_id_check(struct pvsvpn_device *pvs, u8 dir, u32 if_id,
		       struct netlink_ext_ack *extack)
{
	struct pvsvpn_device *other;

	other = if_id ? xa_load(&pvsvpn_device_adopt(pvs->net)->devices[dir], if_id) :
			NULL;
	if (!other || other == pvs)
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "if-id-%s %u is that of %s; use another",
			   dir == PVSVPN_DIRECTION_OUT ? "out" : "in", if_id,
			   other->dev->name);
	return -EEXIST;
}

static void forget_policies(struct pvsvpn_device *pvs)
{
	struct pvsvpn_peer *peer;
	unsigned long id;

	xa_for_each(&pvs->peers, id, peer)
		pvsvpn_policy_del_all(peer);
}

static int if_id_store(struct pvsvpn_device *pvs, u8 dir, u32 if_id)
{
	struct pvsvpn_adopt *adopt = pvsvpn_device_adopt(pvs->net);

	if (!if_id)
		return 0;
	return xa_err(xa_store(&adopt->devices[dir], if_id, pvs, GFP_KERNEL));
}

/* @old gives its place up, unless it has not changed. */
static void if_id_erase(struct pvsvpn_device *pvs, u8 dir, u32 old, u32 now)
{
	if (old && old != now)
		xa_erase(&pvsvpn_device_adopt(pvs->net)->devices[dir], old);
}

/**
 * pvsvpn_adopt_set() - which states a device carries
 * @pvs: the device
 * @in: if_id of inbound states, 0 for none
 * @out: of outbound ones
 * @extack: where to say what is wrong
 *
 * States that are there already are the device's on return.
 *
 * Context: process, RTNL held.
 * Return: 0; -EEXIST when another device has that if_id; -ENOMEM. Nothing has changed
 * when it fails.
 */
int pvsvpn_adopt_set(struct pvsvpn_device *pvs, u32 in, u32 out,
		     struct netlink_ext_ack *extack)
{
	struct pvsvpn_settings *settings = &pvs->settings;
	struct pvsvpn_adopt *adopt = pvsvpn_device_adopt(pvs->net);
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
		if_id_erase(pvs, PVSVPN_DIRECTION_IN, in, settings->if_id_in);
		return err;
	}
	if_id_erase(pvs, PVSVPN_DIRECTION_IN, settings->if_id_in, in);
	if_id_erase(pvs, PVSVPN_DIRECTION_OUT, settings->if_id_out, out);
	settings->if_id_in = in;
	settings->if_id_out = out;
	let_go(pvs);
	if (!out)
		forget_policies(pvs);
	adopt_note(adopt, NULL);
	adopt_settle(adopt);
	return 0;
}

/**
 * pvsvpn_adopt_forget() - a device goes
 * @pvs: the device
 *
 * Context: process, RTNL held.
 */
void pvsvpn_adopt_forget(struct pvsvpn_device *pvs)
{
	if_id_erase(pvs, PVSVPN_DIRECTION_IN, pvs->settings.if_id_in, 0);
	if_id_erase(pvs, PVSVPN_DIRECTION_OUT, pvs->settings.if_id_out, 0);
}

/**
 * pvsvpn_adopt_again() - look at all states again, soon
 * @pvs: a device that is about to lose some, as a peer of it goes
 *
 * Packets of theirs wait from now on.
 *
 * Context: process, RTNL held.
 */
void pvsvpn_adopt_again(struct pvsvpn_device *pvs)
{
	if (pvs->settings.if_id_in || pvs->settings.if_id_out)
		adopt_note(pvsvpn_device_adopt(pvs->net), NULL);
}

/**
 * pvsvpn_adopt_settle() - the states that pvsvpn_adopt_again() was for have a peer now
 * @pvs: the device, whose peer has gone
 *
 * In the same hold of RTNL as that: between two, the kernel's linkwatch worker would see
 * the device without a carrier and take its queue away.
 *
 * Context: process, RTNL held.
 */
void pvsvpn_adopt_settle(struct pvsvpn_device *pvs)
{
	if (pvs->settings.if_id_in || pvs->settings.if_id_out)
		adopt_settle(pvsvpn_device_adopt(pvs->net));
}

/**
 * pvsvpn_adopt_net_init() - a namespace comes
 * @adopt: its part
 * @net: the namespace
 *
 * Context: process.
 */
void pvsvpn_adopt_net_init(struct pvsvpn_adopt *adopt, struct net *net)
{
	adopt->net = net;
	xa_init(&adopt->devices[PVSVPN_DIRECTION_IN]);
	xa_init(&adopt->devices[PVSVPN_DIRECTION_OUT]);
	spin_lock_init(&adopt->lock);
	INIT_LIST_HEAD(&adopt->noted);
	skb_queue_head_init(&adopt->parked[PVSVPN_DIRECTION_IN]);
	skb_queue_head_init(&adopt->parked[PVSVPN_DIRECTION_OUT]);
	INIT_DELAYED_WORK(&adopt->work, adopt_work);
}

/**
 * pvsvpn_adopt_net_exit() - a namespace goes
 * @adopt: its part; no device is left, so that nothing is noted any more
 *
 * Context: process, RTNL not held; a grace period after the last device went.
 */
void pvsvpn_adopt_net_exit(struct pvsvpn_adopt *adopt)
{
	struct noted *noted, *next;

	cancel_delayed_work_sync(&adopt->work);
	list_for_each_entry_safe(noted, next, &adopt->noted, list)
		noted_free(noted);
	pvsvpn_park_end(adopt);
	xa_destroy(&adopt->devices[PVSVPN_DIRECTION_IN]);
	xa_destroy(&adopt->devices[PVSVPN_DIRECTION_OUT]);
}

/**
 * pvsvpn_adopt_init() - listen to XFRM
 *
 * Context: process.
 */
void __init pvsvpn_adopt_init(void)
{
	xfrm_register_km(&adopt_manager);
}

/**
 * pvsvpn_adopt_exit() - listen no more; nobody is in here on return
 *
 * Context: process.
 */
void pvsvpn_adopt_exit(void)
{
	xfrm_unregister_km(&adopt_manager);
}
