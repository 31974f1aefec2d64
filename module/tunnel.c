// SPDX-License-Identifier: GPL-2.0
/*
 * Changes that concern peers and SAs together: adding, changing and deleting them, and the choice
 * of the SA that carries a peer's packets.
 */
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <net/sch_generic.h>

#include "destination.h"
#include "device.h"
#include "endpoint.h"
#include "event.h"
#include "lifetime.h"
#include "liveness.h"
#include "peer.h"
#include "pmtu.h"
#include "quota.h"
#include "sa.h"
#include "sad.h"
#include "stats.h"
#include "tunnel.h"
#include "udp_keepalive.h"
#include "work.h"
#include "xfrm_check.h"
#include "xfrm_child.h"

/* ---- a peer that moves ---- */

/**
 * pvsvpn_tunnel_move_peer() - give a peer new outer addresses
 * @peer: the peer
 * @config: only its endpoint fields are used
 * @reason: text for the event, which is sent if the remote address or port changes
 *
 * Context: process, RTNL held.
 * Return: 0 or a negative errno.
 */
int pvsvpn_tunnel_move_peer(struct pvsvpn_peer *peer,
			    const struct pvsvpn_peer_config *config,
			    const char *reason)
{
	bool elsewhere = !pvsvpn_endpoint_is_at(pvsvpn_peer_endpoint(peer),
						&config->remote, config->dport);
	struct pvsvpn_endpoint *endpoint = pvsvpn_endpoint_add(peer, config);

	if (IS_ERR(endpoint))
		return PTR_ERR(endpoint);
	pvsvpn_peer_switch_endpoint(peer, endpoint);
	pvsvpn_udp_keepalive_start(peer);
	if (elsewhere)
		pvsvpn_event_peer(peer, PVSVPN_EVENT_TYPE_ENDPOINT_CHANGED, reason);
	pvsvpn_pmtu_changed(peer);
	return 0;
}

/* Meanwhile an operator may have changed or pinned the endpoint. */
static void peer_moved(struct pvsvpn_peer *peer)
{
	const struct pvsvpn_endpoint *old = pvsvpn_peer_endpoint(peer);
	struct pvsvpn_peer_config config = {
		.family = old->family,
		.encap = old->encap,
		.local = old->local,
		.sport = old->sport,
		.mark = old->mark,
	};

	strscpy(config.link, old->link, sizeof(config.link));
	spin_lock_bh(&peer->moved_lock);
	config.remote = peer->moved_to;
	config.dport = peer->moved_port;
	peer->moved_port = 0;
	spin_unlock_bh(&peer->moved_lock);
	if (config.dport && !peer->pin && old->encap == PVSVPN_ENCAP_UDP &&
	    !pvsvpn_endpoint_is_at(old, &config.remote, config.dport))
		/* On -ENOMEM the next packet retries. */
		pvsvpn_tunnel_move_peer(peer, &config, "authentic-packet");
}

/* ---- the outbound SA of a peer ---- */

/*
 * Packets pass as soon as carrier is on. The kernel's linkwatch worker would activate
 * the queue too, but may wait for RTNL while the queue drops packets.
 */
static void device_carrier(struct pvsvpn_device *pvs)
{
	struct net_device *dev = pvs->dev;

	if (!pvs->up_count) {
		netif_carrier_off(dev);
	} else if (!netif_carrier_ok(dev)) {
		netif_carrier_on(dev);
		if (dev->flags & IFF_UP)
			dev_activate(dev);
	}
}

static void peer_set_up(struct pvsvpn_peer *peer, bool up, const char *why)
{
	struct pvsvpn_device *pvs = peer->pvs;

	if (peer->up == up)
		return;
	peer->up = up;
	pvs->up_count += up ? 1 : -1;
	pvsvpn_event_peer(peer, up ? PVSVPN_EVENT_TYPE_PEER_UP : PVSVPN_EVENT_TYPE_PEER_DOWN, why);
	device_carrier(pvs);
}

/* Report once what packets and timers have found out. */
static void sa_tell_news(struct pvsvpn_sa *sa)
{
	if (test_bit(PVSVPN_SA_SOFT_EXPIRED, &sa->flags) &&
	    !test_and_set_bit(PVSVPN_SA_SOFT_REPORTED, &sa->flags))
		pvsvpn_event_sa(sa, PVSVPN_EVENT_TYPE_SA_SOFT_EXPIRED,
				pvsvpn_lifetime_name(READ_ONCE(sa->lifetime.soft_why)));
	if (test_bit(PVSVPN_SA_EXPIRED, &sa->flags) &&
	    !test_and_set_bit(PVSVPN_SA_REPORTED, &sa->flags))
		pvsvpn_event_sa(sa, PVSVPN_EVENT_TYPE_SA_EXPIRED,
				pvsvpn_lifetime_name(READ_ONCE(sa->lifetime.hard_why)));
	if (test_and_clear_bit(PVSVPN_SA_REPLAY_BURST, &sa->flags))
		pvsvpn_event_sa(sa, PVSVPN_EVENT_TYPE_SA_REPLAY_BURST,
				READ_ONCE(sa->replay.burst_why) ==
				PVSVPN_DROP_RX_REPLAYED ? "replayed" : "too-old");
}

/**
 * pvsvpn_tunnel_tell_news() - report the state changes of SAs to user space
 * @peer: the peer
 *
 * Context: process, RTNL held.
 */
void pvsvpn_tunnel_tell_news(struct pvsvpn_peer *peer)
{
	struct llist_node *list = llist_del_all(&peer->news);
	struct pvsvpn_sa *sa, *next;

	ASSERT_RTNL();
	llist_for_each_entry_safe(sa, next, list, news) {
		/* Clear the flag first, so that later news queue the SA again. */
		test_and_clear_bit(PVSVPN_SA_NEWS, &sa->flags);
		if (!test_bit(PVSVPN_SA_GONE, &sa->flags))
			sa_tell_news(sa);
		pvsvpn_sa_put(sa);
	}
}

/* Skip expired SAs. Each one reaches the end of the list once and is then moved to the front. */
static struct pvsvpn_sa *peer_newest(struct pvsvpn_peer *peer)
{
	struct pvsvpn_sa *sa;

	while (!list_empty(&peer->outbound)) {
		sa = list_last_entry(&peer->outbound, struct pvsvpn_sa, outbound);
		if (sa->retired || !test_bit(PVSVPN_SA_EXPIRED, &sa->flags))
			return sa;
		sa->retired = true;
		list_move(&sa->outbound, &peer->outbound);
		pvsvpn_child_sa_place(sa, false);
	}
	return NULL;
}

/**
 * pvsvpn_tunnel_select_sa() - choose the outbound SA again
 * @peer: the peer
 *
 * The newest usable SA carries the traffic, or the SA that the policies of an IKE daemon
 * select. If no SA is usable, the newest one stays, so that drops have its reason. A dead
 * peer keeps its SA for keepalives, but is not up.
 *
 * Context: process, RTNL held.
 */
void pvsvpn_tunnel_select_sa(struct pvsvpn_peer *peer)
{
	struct pvsvpn_sa *newest;
	const char *why;
	bool usable;

	ASSERT_RTNL();
	newest = peer_newest(peer);
	usable = newest && !newest->retired;
	pvsvpn_check_select(peer, newest);
	pvsvpn_pmtu_tighten(peer);
	why = pvsvpn_liveness_look(peer, usable);
	if (!why)
		why = usable ? "outbound-sa" : "no-outbound-sa";
	peer_set_up(peer, usable && !peer->liveness.dead, why);
}

static void peer_refresh_work(struct work_struct *work)
{
	struct pvsvpn_peer *peer = container_of(work, struct pvsvpn_peer, refresh);

	rtnl_lock();
	pvsvpn_tunnel_tell_news(peer);
	if (!peer->deleted) {
		pvsvpn_tunnel_select_sa(peer);
		pvsvpn_pmtu_changed(peer);
		peer_moved(peer);
	}
	rtnl_unlock();
	pvsvpn_peer_put(peer);
}

/* ---- adding and changing peers ---- */

/* The owner: whoever created the peer also deletes it. */
static const char *peer_origin(const struct pvsvpn_peer *peer)
{
	return peer->origin == PVSVPN_ORIGIN_XFRM ? "xfrm" : "request";
}

static struct pvsvpn_peer *peer_alloc(struct pvsvpn_device *pvs,
				      const struct pvsvpn_peer_config *config)
{
	struct pvsvpn_peer *peer;

	peer = kzalloc(sizeof(*peer), GFP_KERNEL_ACCOUNT);
	if (!peer)
		return ERR_PTR(-ENOMEM);
	peer->counters = pvsvpn_stats_alloc(PVSVPN_DROP_PEER_MAX);
	if (!peer->counters) {
		kfree(peer);
		return ERR_PTR(-ENOMEM);
	}
	refcount_set(&peer->refs, 1);
	INIT_LIST_HEAD(&peer->sas);
	INIT_LIST_HEAD(&peer->outbound);
	init_llist_head(&peer->news);
	INIT_LIST_HEAD(&peer->subnets);
	INIT_LIST_HEAD(&peer->led);
	peer->replay_window = config->replay_window;
	peer->nat_keepalive = config->nat_keepalive;
	peer->last_tx = jiffies;
	peer->pin = config->pin;
	peer->origin = config->origin;
	peer->tfc = config->tfc;
	spin_lock_init(&peer->moved_lock);
	INIT_WORK(&peer->refresh, peer_refresh_work);
	pvsvpn_udp_keepalive_init(peer);
	pvsvpn_liveness_init(peer, config->keepalive, config->dead_after);
	peer->next_sa_id = 1;
	peer->pvs = pvs;
	netdev_hold(pvs->dev, &peer->dev_tracker, GFP_KERNEL);
	return peer;
}

/* Add the subnets last: they make the peer visible to packets. */
static int peer_publish(struct pvsvpn_peer *peer, const struct pvsvpn_peer_config *config)
{
	struct pvsvpn_device *pvs = peer->pvs;
	struct pvsvpn_destination *destination;
	struct pvsvpn_endpoint *endpoint;
	struct pvsvpn_peer_name *name;
	int err;

	destination = pvsvpn_destination_new(config->locals, config->local_count);
	if (IS_ERR(destination))
		return PTR_ERR(destination);
	pvsvpn_destination_set(peer, destination);
	err = xa_alloc_cyclic(&pvs->peers, &peer->id, peer, xa_limit_31b,
			      &pvs->next_id, GFP_KERNEL);
	if (err < 0)
		return err;
	name = pvsvpn_peer_name_add(peer, config->name);
	err = PTR_ERR_OR_ZERO(name);
	if (err)
		goto err_id;
	pvsvpn_peer_name_switch(peer, name);
	endpoint = pvsvpn_endpoint_add(peer, config);
	err = PTR_ERR_OR_ZERO(endpoint);
	if (err)
		goto err_name;
	pvsvpn_peer_switch_endpoint(peer, endpoint);
	err = pvsvpn_peer_set_subnets(peer, config);
	if (err)
		goto err_endpoint;
	return 0;

err_endpoint:
	pvsvpn_endpoint_unlist(endpoint);
err_name:
	pvsvpn_peer_name_remove(name);
err_id:
	xa_erase(&pvs->peers, peer->id);
	return err;
}

/**
 * pvsvpn_tunnel_add_peer() - add a peer to a device
 * @pvs: the device
 * @config: the properties of the new peer
 * @extack: receives the error message
 *
 * Context: process, RTNL held.
 * Return: 0; -EEXIST if the name or a prefix is taken; -ENOSPC at the limit of
 * the namespace; -ENOMEM. On failure nothing has changed.
 */
int pvsvpn_tunnel_add_peer(struct pvsvpn_device *pvs,
			   const struct pvsvpn_peer_config *config,
			   struct netlink_ext_ack *extack)
{
	struct pvsvpn_peer *peer;
	int err;

	ASSERT_RTNL();
	err = pvsvpn_quota_take(pvs->net, PVSVPN_LIMIT_PEERS, extack);
	if (err)
		return err;
	peer = peer_alloc(pvs, config);
	if (IS_ERR(peer)) {
		pvsvpn_quota_put(pvs->net, PVSVPN_LIMIT_PEERS);
		return PTR_ERR(peer);
	}
	err = peer_publish(peer, config);
	if (err) {
		pvsvpn_quota_put(pvs->net, PVSVPN_LIMIT_PEERS);
		NL_SET_ERR_MSG_FMT(extack, "cannot add peer %.24s", config->name);
		/* Lookups may have seen it. */
		pvsvpn_peer_put_later(peer);
		return err;
	}
	WRITE_ONCE(pvs->peer_count, pvs->peer_count + 1);
	pvsvpn_udp_keepalive_start(peer);
	pvsvpn_event_peer(peer, PVSVPN_EVENT_TYPE_PEER_NEW, peer_origin(peer));
	pvsvpn_pmtu_changed(peer);
	return 0;
}

/* Events report a rename as one peer deleted and another one added. */
static void peer_rename(struct pvsvpn_peer *peer, struct pvsvpn_peer_name *name)
{
	pvsvpn_event_peer(peer, PVSVPN_EVENT_TYPE_PEER_DEL, "renamed");
	pvsvpn_peer_name_switch(peer, name);
	pvsvpn_event_peer(peer, PVSVPN_EVENT_TYPE_PEER_NEW, peer_origin(peer));
	if (peer->up)
		pvsvpn_event_peer(peer, PVSVPN_EVENT_TYPE_PEER_UP, "renamed");
}

/**
 * pvsvpn_tunnel_set_peer() - change a peer
 * @peer: the peer
 * @config: the new properties, including the name
 * @extack: receives the error message
 *
 * Its SAs stay. No packet sees the SAs with one peer and the subnets with another: this is
 * how an operator takes over a peer that was made from XFRM's states. The caller must have
 * checked that no SA conflicts under the new addresses.
 *
 * Context: process, RTNL held.
 * Return: 0; -EEXIST if the name or a prefix is taken; -ENOMEM. On failure nothing has
 * changed.
 */
int pvsvpn_tunnel_set_peer(struct pvsvpn_peer *peer,
			   const struct pvsvpn_peer_config *config,
			   struct netlink_ext_ack *extack)
{
	struct pvsvpn_peer_name *name = NULL;
	struct pvsvpn_destination *destination;
	struct pvsvpn_endpoint *endpoint;
	int err;

	ASSERT_RTNL();
	destination = pvsvpn_destination_new(config->locals, config->local_count);
	err = PTR_ERR_OR_ZERO(destination);
	if (err)
		goto refused;
	endpoint = pvsvpn_endpoint_add(peer, config);
	err = PTR_ERR_OR_ZERO(endpoint);
	if (err)
		goto err_destination;
	if (strcmp(config->name, peer->name))
		name = pvsvpn_peer_name_add(peer, config->name);
	err = PTR_ERR_OR_ZERO(name);
	if (err)
		goto err_endpoint;
	pvsvpn_child_ask(peer);
	if (!config->keep_prefixes)
		err = pvsvpn_peer_set_subnets(peer, config);
	if (err)
		goto err_name;
	if (!config->keep_locals)
		pvsvpn_destination_set(peer, destination);
	pvsvpn_peer_switch_endpoint(peer, endpoint);
	/* If an operator changes a peer that XFRM's states created, the peer stays without them. */
	peer->origin = config->origin;
	if (name)
		peer_rename(peer, name);
	peer->replay_window = config->replay_window;
	WRITE_ONCE(peer->nat_keepalive, config->nat_keepalive);
	WRITE_ONCE(peer->pin, config->pin);
	WRITE_ONCE(peer->tfc, config->tfc);
	pvsvpn_udp_keepalive_start(peer);
	pvsvpn_liveness_set(peer, config->keepalive, config->dead_after);
	pvsvpn_tunnel_select_sa(peer);
	pvsvpn_pmtu_changed(peer);
	return 0;

err_name:
	if (name)
		pvsvpn_peer_name_remove(name);
err_endpoint:
	pvsvpn_endpoint_remove(endpoint);
err_destination:
	pvsvpn_destination_free(destination);
refused:
	NL_SET_ERR_MSG_FMT(extack, "cannot change peer %.24s", peer->name);
	return err;
}

/* ---- adding and deleting SAs ---- */

/* The owner: whoever created the SA also deletes it. */
static const char *sa_origin(const struct pvsvpn_sa *sa)
{
	return sa->x ? "xfrm" : "request";
}

/* An SA with no number left expires now, so that another one carries the traffic. */
static void sa_check_exhausted(struct pvsvpn_sa *sa)
{
	if (sa->dir == PVSVPN_DIRECTION_OUT &&
	    pvsvpn_sa_seq(sa) == pvsvpn_sa_seq_max(sa->dir, sa->esn))
		pvsvpn_lifetime_end(sa, PVSVPN_LIFETIME_SEQUENCE);
}

static int sa_add_prepare(struct pvsvpn_sa *sa, struct pvsvpn_peer *peer, u32 replay_window)
{
	int err;

	if (sa->dir == PVSVPN_DIRECTION_IN) {
		if (!replay_window && !sa->x)
			replay_window = peer->replay_window;
		err = pvsvpn_replay_init(&sa->replay, replay_window, sa->replay.top);
		if (err)
			return err;
	}
	err = pvsvpn_sa_reserve(sa, peer->pvs->net, NULL);
	if (err)
		return err;
	sa->peer = peer;
	err = pvsvpn_child_sa_prepare(sa);
	if (!err)
		err = pvsvpn_sad_add(sa);
	if (err)
		pvsvpn_child_sa_del(sa);
	return err;
}

/**
 * pvsvpn_tunnel_add_sa() - put an SA into use
 * @sa: from pvsvpn_sa_new()
 * @peer: its peer
 * @replay_window: inbound: in packets; 0 takes the peer's. 0 for an adopted SA, whose
 *	state has the window
 *
 * An outbound SA becomes the current one. The caller must have ruled out conflicts with
 * pvsvpn_sad_conflict().
 *
 * Context: process, RTNL held.
 * Return: 0, and the peer owns the SA. Or -ENOMEM, or -ENOSPC at the limit of the
 * namespace; the caller then still owns it, as returned by pvsvpn_sa_new().
 */
int pvsvpn_tunnel_add_sa(struct pvsvpn_sa *sa, struct pvsvpn_peer *peer, u32 replay_window)
{
	int err;

	ASSERT_RTNL();
	err = sa_add_prepare(sa, peer, replay_window);
	if (err) {
		pvsvpn_sa_cancel(sa, peer->pvs->net);
		return err;
	}
	refcount_inc(&peer->refs);
	sa->id = peer->next_sa_id++;
	list_add_tail(&sa->list, &peer->sas);
	if (sa->dir == PVSVPN_DIRECTION_OUT)
		list_add_tail(&sa->outbound, &peer->outbound);
	if (sa->x)
		peer->adopted_count++;
	peer->sa_count++;
	peer->pvs->sa_count++;
	sa->created = ktime_get_boottime_ns();
	pvsvpn_lifetime_start(sa);
	sa_check_exhausted(sa);
	pvsvpn_event_sa(sa, PVSVPN_EVENT_TYPE_SA_NEW, sa_origin(sa));
	pvsvpn_child_sa_place(sa, true);
	if (sa->dir == PVSVPN_DIRECTION_OUT)
		pvsvpn_tunnel_select_sa(peer);
	pvsvpn_pmtu_changed(peer);
	return 0;
}

/**
 * pvsvpn_tunnel_del_sa() - take an SA out of use
 * @sa: the SA; freed after a grace period, when its last request has completed
 *
 * Context: process, RTNL held.
 */
void pvsvpn_tunnel_del_sa(struct pvsvpn_sa *sa)
{
	struct pvsvpn_peer *peer = sa->peer;

	ASSERT_RTNL();
	/* 1. Arriving packets no longer find the SA; outgoing packets still do */
	/*    until the peer has another one. */
	pvsvpn_sad_del(sa);
	set_bit(PVSVPN_SA_GONE, &sa->flags);
	list_del(&sa->list);
	list_del(&sa->outbound);
	pvsvpn_child_sa_del(sa);
	list_del(&sa->adopted);
	if (sa->x)
		peer->adopted_count--;
	peer->sa_count--;
	peer->pvs->sa_count--;
	pvsvpn_sa_unreserve(sa, peer->pvs->net);
	pvsvpn_event_sa(sa, PVSVPN_EVENT_TYPE_SA_DEL, sa_origin(sa));
	if (sa->dir == PVSVPN_DIRECTION_OUT)
		pvsvpn_tunnel_select_sa(peer);
	if (rcu_access_pointer(sa->endpoint))
		pvsvpn_endpoint_stop(rtnl_dereference(sa->endpoint));
	/* 2. Earlier lookups are done after a grace period. */
	queue_rcu_work(pvsvpn_wq, &sa->unhashed);
}

/* ---- deleting peers with their SAs ---- */

/**
 * pvsvpn_tunnel_del_peer() - remove a peer with its SAs
 * @peer: the peer; the tables drop their reference after a grace period
 *
 * Context: process, RTNL held.
 */
void pvsvpn_tunnel_del_peer(struct pvsvpn_peer *peer)
{
	struct pvsvpn_device *pvs = peer->pvs;
	struct pvsvpn_sa *sa, *next;

	ASSERT_RTNL();
	/* 0. Stop timers, and no longer follow the peer's address. */
	WRITE_ONCE(peer->deleted, true);
	del_timer_sync(&peer->nat_keepalive_timer);
	del_timer_sync(&peer->liveness.timer);
	/* 1. No packet finds the peer by its inner addresses. */
	pvsvpn_peer_del_subnets(peer, NULL, 0);
	/* 2. No packet finds the peer by an SPI. */
	list_for_each_entry_safe(sa, next, &peer->sas, list)
		pvsvpn_tunnel_del_sa(sa);
	/* 3. No request finds it by name or id, and no unknown SPI finds it by address. */
	pvsvpn_event_peer(peer, PVSVPN_EVENT_TYPE_PEER_DEL, peer_origin(peer));
	pvsvpn_peer_name_remove(peer->name_entry);
	pvsvpn_endpoint_unlist(rtnl_dereference(peer->endpoint));
	xa_erase(&pvs->peers, peer->id);
	WRITE_ONCE(pvs->peer_count, pvs->peer_count - 1);
	pvsvpn_quota_put(pvs->net, PVSVPN_LIMIT_PEERS);
	/* 4. Earlier lookups are done after a grace period. */
	pvsvpn_peer_put_later(peer);
}
