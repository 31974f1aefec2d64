// SPDX-License-Identifier: GPL-2.0
/* Get requests of the family `pvsvpn`, for one object or a dump of all. */
#include <linux/math64.h>
#include <linux/rtnetlink.h>
#include <linux/timekeeping.h>

#include "device.h"
#include "netlink.h"
#include "peer.h"
#include "sa.h"
#include "stats.h"
#include "transform.h"
#include "xfrm_child.h"

/* ---- counters ---- */

static int drop_put(struct sk_buff *msg, int attr, unsigned int reason,
		    u64 value)
{
	struct nlattr *nest = nla_nest_start(msg, attr);

	if (!nest ||
	    nla_put_string(msg, PVSVPN_A_COUNTER_NAME,
			   pvsvpn_stats_reason_name(reason)) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_COUNTER_VALUE, value,
			      PVSVPN_A_COUNTER_PAD))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

/* Put every reason of the object's scope, also with a count of 0. */
static int drops_put(struct sk_buff *msg, int attr,
		     const struct pvsvpn_totals *sum, unsigned int reasons)
{
	unsigned int i;

	for (i = 0; i < reasons; i++)
		if (drop_put(msg, attr, i, sum->drops[i]))
			return -EMSGSIZE;
	return 0;
}

static int device_put_counters(struct sk_buff *msg,
			       const struct pvsvpn_device *pvs, bool by_name)
{
	const int pad = PVSVPN_A_DEVICE_PAD;
	struct pvsvpn_totals sum;

	pvsvpn_stats_sum(&sum, pvs->counters, PVSVPN_DROP_MAX);
	if (nla_put_u64_64bit(msg, PVSVPN_A_DEVICE_RX_PACKETS,
			      sum.packets[PVSVPN_RX], pad) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_DEVICE_RX_BYTES,
			      sum.bytes[PVSVPN_RX], pad) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_DEVICE_TX_PACKETS,
			      sum.packets[PVSVPN_TX], pad) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_DEVICE_TX_BYTES,
			      sum.bytes[PVSVPN_TX], pad) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_DEVICE_DROPS,
			      pvsvpn_stats_drops(&sum), pad))
		return -EMSGSIZE;
	if (!by_name)
		return 0;
	return drops_put(msg, PVSVPN_A_DEVICE_DROP, &sum, PVSVPN_DROP_MAX);
}

static int peer_put_counters(struct sk_buff *msg,
			     const struct pvsvpn_peer *peer, bool by_name)
{
	const int pad = PVSVPN_A_PEER_PAD;
	struct pvsvpn_totals sum;

	pvsvpn_stats_sum(&sum, peer->counters, PVSVPN_DROP_PEER_MAX);
	if (nla_put_u64_64bit(msg, PVSVPN_A_PEER_RX_PACKETS,
			      sum.packets[PVSVPN_RX], pad) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_PEER_RX_BYTES,
			      sum.bytes[PVSVPN_RX], pad) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_PEER_TX_PACKETS,
			      sum.packets[PVSVPN_TX], pad) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_PEER_TX_BYTES,
			      sum.bytes[PVSVPN_TX], pad) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_PEER_DROPS,
			      pvsvpn_stats_drops(&sum), pad))
		return -EMSGSIZE;
	if (!by_name)
		return 0;
	return drops_put(msg, PVSVPN_A_PEER_DROP, &sum, PVSVPN_DROP_PEER_MAX);
}

static int sa_put_counters(struct sk_buff *msg, const struct pvsvpn_sa *sa,
			   bool by_name)
{
	const int pad = PVSVPN_A_SA_PAD;
	struct pvsvpn_totals sum;

	pvsvpn_stats_sum(&sum, sa->counters, PVSVPN_DROP_SA_MAX);
	if (nla_put_u64_64bit(msg, PVSVPN_A_SA_PACKETS, sum.packets[sa->dir],
			      pad) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_SA_BYTES, sum.bytes[sa->dir],
			      pad) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_SA_DROPS, pvsvpn_stats_drops(&sum),
			      pad))
		return -EMSGSIZE;
	if (!by_name)
		return 0;
	return drops_put(msg, PVSVPN_A_SA_DROP, &sum, PVSVPN_DROP_SA_MAX);
}

/* ---- device ---- */

/* @hidden: the reader may not see the content of the device, only this flag. */
static int device_put_inside(struct sk_buff *msg,
			     const struct pvsvpn_device *pvs, bool hidden)
{
	if (hidden)
		return nla_put_u8(msg, PVSVPN_A_DEVICE_HIDDEN, 1);
	if (nla_put_u32(msg, PVSVPN_A_DEVICE_PEERS, pvs->peer_count) ||
	    nla_put_u32(msg, PVSVPN_A_DEVICE_SAS, pvs->sa_count))
		return -EMSGSIZE;
	return 0;
}

static int device_put(struct sk_buff *msg, const struct pvsvpn_device *pvs,
		      const struct sk_buff *request, bool counters)
{
	bool hidden = !pvsvpn_netlink_may(request, pvs, NULL);
	const struct net_device *dev = pvs->dev;

	if (nla_put_u32(msg, PVSVPN_A_DEVICE_IFINDEX, dev->ifindex) ||
	    nla_put_string(msg, PVSVPN_A_DEVICE_IFNAME, dev->name) ||
	    nla_put_u32(msg, PVSVPN_A_DEVICE_MTU, dev->mtu) ||
	    nla_put_u8(msg, PVSVPN_A_DEVICE_MTU_AUTO, pvs->mtu_auto) ||
	    pvsvpn_netlink_put_settings(msg, pvs, hidden) ||
	    nla_put_u8(msg, PVSVPN_A_DEVICE_UP, !!(dev->flags & IFF_UP)) ||
	    nla_put_u8(msg, PVSVPN_A_DEVICE_CARRIER, netif_carrier_ok(dev)) ||
	    device_put_inside(msg, pvs, hidden))
		return -EMSGSIZE;
	return device_put_counters(msg, pvs, counters);
}

/* ---- peer ---- */

static int addr_put(struct sk_buff *msg, int attr, u16 family,
		    const xfrm_address_t *addr)
{
	return nla_put(msg, attr,
		       family == AF_INET ? sizeof(addr->a4) : sizeof(*addr),
		       addr);
}

static int link_put(struct sk_buff *msg, const struct pvsvpn_endpoint *endpoint)
{
	if (!*endpoint->link)
		return 0;
	return nla_put_string(msg, PVSVPN_A_PEER_LINK, endpoint->link);
}

static int udp_put(struct sk_buff *msg, const struct pvsvpn_endpoint *endpoint)
{
	const struct pvsvpn_peer *peer = endpoint->peer;

	if (endpoint->encap != PVSVPN_ENCAP_UDP)
		return 0;
	if (nla_put_u16(msg, PVSVPN_A_PEER_SPORT, ntohs(endpoint->sport)) ||
	    nla_put_u16(msg, PVSVPN_A_PEER_DPORT, ntohs(endpoint->dport)) ||
	    nla_put_u32(msg, PVSVPN_A_PEER_NAT_KEEPALIVE, peer->nat_keepalive) ||
	    nla_put_u8(msg, PVSVPN_A_PEER_PIN, peer->pin))
		return -EMSGSIZE;
	return 0;
}

static int peer_put_endpoint(struct sk_buff *msg,
			     const struct pvsvpn_endpoint *endpoint)
{
	u16 family = endpoint->family;

	if (!xfrm_addr_any(&endpoint->local, family) &&
	    addr_put(msg, PVSVPN_A_PEER_LOCAL, family, &endpoint->local))
		return -EMSGSIZE;
	if (addr_put(msg, PVSVPN_A_PEER_REMOTE, family, &endpoint->remote) ||
	    link_put(msg, endpoint) ||
	    nla_put_u8(msg, PVSVPN_A_PEER_ENCAP, endpoint->encap) ||
	    udp_put(msg, endpoint))
		return -EMSGSIZE;
	return 0;
}

static int peer_put_ids(struct sk_buff *msg, const struct pvsvpn_peer *peer)
{
	const struct net_device *dev = peer->pvs->dev;

	if (nla_put_u32(msg, PVSVPN_A_PEER_IFINDEX, dev->ifindex) ||
	    nla_put_string(msg, PVSVPN_A_PEER_IFNAME, dev->name) ||
	    nla_put_string(msg, PVSVPN_A_PEER_NAME, peer->name) ||
	    nla_put_u32(msg, PVSVPN_A_PEER_ID, peer->id))
		return -EMSGSIZE;
	return 0;
}

/* Put everything except the subnets, because there may be many. */
static int peer_put(struct sk_buff *msg, const struct pvsvpn_peer *peer,
		    bool counters)
{
	if (peer_put_ids(msg, peer) ||
	    peer_put_endpoint(msg, pvsvpn_peer_endpoint(peer)) ||
	    pvsvpn_netlink_put_liveness(msg, peer) ||
	    nla_put_u32(msg, PVSVPN_A_PEER_REPLAY_WINDOW,
			peer->replay_window) ||
	    nla_put_u8(msg, PVSVPN_A_PEER_ORIGIN, peer->origin) ||
	    nla_put_u8(msg, PVSVPN_A_PEER_UP, peer->up) ||
	    nla_put_u32(msg, PVSVPN_A_PEER_SAS, peer->sa_count) ||
	    pvsvpn_netlink_put_path(msg, peer))
		return -EMSGSIZE;
	return peer_put_counters(msg, peer, counters);
}

/* ---- SA ---- */

static int sa_put_transform(struct sk_buff *msg,
			    const struct pvsvpn_transform *transform)
{
	struct nlattr *nest = nla_nest_start(msg, PVSVPN_A_SA_TRANSFORM);

	if (!nest ||
	    nla_put_u16(msg, PVSVPN_A_TRANSFORM_ENCRYPTION,
			transform->encryption) ||
	    nla_put_u16(msg, PVSVPN_A_TRANSFORM_KEY_LENGTH,
			transform->attr_bits) ||
	    nla_put_u16(msg, PVSVPN_A_TRANSFORM_INTEGRITY,
			transform->integrity))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int sa_put_ids(struct sk_buff *msg, const struct pvsvpn_sa *sa)
{
	const struct net_device *dev = sa->peer->pvs->dev;

	if (nla_put_u32(msg, PVSVPN_A_SA_IFINDEX, dev->ifindex) ||
	    nla_put_string(msg, PVSVPN_A_SA_IFNAME, dev->name) ||
	    nla_put_string(msg, PVSVPN_A_SA_PEER, sa->peer->name) ||
	    nla_put_u8(msg, PVSVPN_A_SA_DIR, sa->dir) ||
	    nla_put_u32(msg, PVSVPN_A_SA_SPI, be32_to_cpu(sa->spi)))
		return -EMSGSIZE;
	return 0;
}

static int sa_put_state(struct sk_buff *msg, const struct pvsvpn_sa *sa)
{
	u64 age = ktime_get_boottime_ns() - sa->created;
	bool expired = test_bit(PVSVPN_SA_EXPIRED, &sa->flags);
	bool current_sa = !expired &&
			  (sa == rtnl_dereference(sa->peer->tx_sa) ||
			   pvsvpn_child_uses(sa));

	if (sa->dir == PVSVPN_DIRECTION_IN &&
	    nla_put_u32(msg, PVSVPN_A_SA_REPLAY_WINDOW,
			pvsvpn_sa_window(sa)))
		return -EMSGSIZE;
	if (nla_put_u64_64bit(msg, PVSVPN_A_SA_SEQ, pvsvpn_sa_seq(sa),
			      PVSVPN_A_SA_PAD) ||
	    nla_put_u8(msg, PVSVPN_A_SA_ESN, sa->esn) ||
	    pvsvpn_netlink_put_lifetimes(msg, sa) ||
	    nla_put_u8(msg, PVSVPN_A_SA_ORIGIN,
		       sa->x ? PVSVPN_ORIGIN_XFRM : PVSVPN_ORIGIN_OPERATOR) ||
	    nla_put_u8(msg, PVSVPN_A_SA_CURRENT, current_sa) ||
	    nla_put_u8(msg, PVSVPN_A_SA_EXPIRED, expired) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_SA_AGE,
			      div_u64(age, NSEC_PER_MSEC), PVSVPN_A_SA_PAD))
		return -EMSGSIZE;
	return 0;
}

static int sa_put(struct sk_buff *msg, const struct pvsvpn_sa *sa,
		  bool counters)
{
	if (sa_put_ids(msg, sa) || sa_put_transform(msg, sa->transform) ||
	    sa_put_state(msg, sa) ||
	    nla_put_string(msg, PVSVPN_A_SA_DRIVER,
			   pvsvpn_transform_driver(sa->aead)))
		return -EMSGSIZE;
	return sa_put_counters(msg, sa, counters);
}

/* ---- one object ---- */

static void *reply_begin(struct sk_buff *msg, const struct genl_info *info,
			 u8 cmd)
{
	return pvsvpn_netlink_begin(msg, info->snd_portid, info->snd_seq, 0,
				    cmd);
}

static int device_reply(const struct sk_buff *skb, struct genl_info *info,
			struct sk_buff *msg, const struct pvsvpn_device *pvs)
{
	void *hdr = reply_begin(msg, info, PVSVPN_CMD_DEVICE_GET);

	if (!hdr || device_put(msg, pvs, skb,
			       info->attrs[PVSVPN_A_DEVICE_COUNTERS])) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

static int device_get(const struct sk_buff *skb, struct genl_info *info)
{
	struct pvsvpn_device *pvs;
	struct sk_buff *msg;

	pvs = pvsvpn_netlink_device(genl_info_net(info), info->attrs,
				    info->extack);
	if (IS_ERR(pvs))
		return PTR_ERR(pvs);
	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	return device_reply(skb, info, msg, pvs);
}

/**
 * pvsvpn_nl_device_get_doit() - show a device
 * @skb: the request
 * @info: its attributes
 *
 * Context: process.
 * Return: 0 or a negative errno, with its text in extack.
 */
int pvsvpn_nl_device_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err;

	rtnl_lock();
	err = device_get(skb, info);
	rtnl_unlock();
	return err;
}

/* Put all subnets into one message, however large it is. */
static int peer_reply(struct genl_info *info, struct sk_buff *msg,
		      const struct pvsvpn_peer *peer)
{
	void *hdr = reply_begin(msg, info, PVSVPN_CMD_PEER_GET);
	struct pvsvpn_subnet_place at;

	pvsvpn_netlink_first_subnet(&at, peer);
	if (!hdr ||
	    peer_put(msg, peer, info->attrs[PVSVPN_A_PEER_COUNTERS]) ||
	    pvsvpn_netlink_put_subnets(msg, peer, &at)) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

static int peer_get(struct sk_buff *skb, struct genl_info *info)
{
	struct pvsvpn_peer *peer = pvsvpn_netlink_changed_peer(skb, info);
	struct sk_buff *msg;

	if (IS_ERR(peer))
		return PTR_ERR(peer);
	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE +
			  pvsvpn_netlink_subnets_size(peer), GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	return peer_reply(info, msg, peer);
}

/**
 * pvsvpn_nl_peer_get_doit() - show a peer
 * @skb: the request
 * @info: its attributes
 *
 * Context: process.
 * Return: 0 or a negative errno, with its text in extack.
 */
int pvsvpn_nl_peer_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err;

	rtnl_lock();
	err = peer_get(skb, info);
	rtnl_unlock();
	return err;
}

static int sa_reply(struct genl_info *info, struct sk_buff *msg,
		    const struct pvsvpn_sa *sa)
{
	void *hdr = reply_begin(msg, info, PVSVPN_CMD_SA_GET);

	if (!hdr || sa_put(msg, sa, info->attrs[PVSVPN_A_SA_COUNTERS])) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

static int sa_get(struct sk_buff *skb, struct genl_info *info)
{
	struct pvsvpn_peer *peer = pvsvpn_netlink_changed_peer(skb, info);
	struct pvsvpn_sa *sa;
	struct sk_buff *msg;

	if (IS_ERR(peer))
		return PTR_ERR(peer);
	sa = pvsvpn_netlink_sa(peer, info->attrs, info->extack);
	if (IS_ERR(sa))
		return PTR_ERR(sa);
	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	return sa_reply(info, msg, sa);
}

/**
 * pvsvpn_nl_sa_get_doit() - show an SA
 * @skb: the request
 * @info: its attributes
 *
 * Context: process.
 * Return: 0 or a negative errno, with its text in extack.
 */
int pvsvpn_nl_sa_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err;

	rtnl_lock();
	err = sa_get(skb, info);
	rtnl_unlock();
	return err;
}

/* ---- dumps ---- */

/*
 * Position of a dump between two messages to user space. RTNL is not held there, so
 * it holds numbers, never pointers. A dump walks devices by ifindex, peers and SAs by
 * id, in ascending order: an object that exists during the whole dump is shown exactly
 * once, whatever objects are added or removed.
 */
struct dump_cursor {
	int ifindex;		/* the device to continue with */
	u32 peer;		/* the last peer shown, completely or in part */
	u32 sa;			/* the last SA shown of that peer */
	struct pvsvpn_last_subnet subnet; /* the last subnet shown if @half */
	bool half;		/* @peer has more subnets to show */
	bool done;
};

typedef int (*dump_one)(struct sk_buff *msg, struct netlink_callback *cb,
			struct pvsvpn_device *pvs);

static struct dump_cursor *dump_cursor(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct dump_cursor) > sizeof(cb->ctx));
	return (struct dump_cursor *)cb->ctx;
}

static void *dump_put(struct sk_buff *msg, struct netlink_callback *cb,
		      int flags, u8 cmd)
{
	return pvsvpn_netlink_begin(msg, NETLINK_CB(cb->skb).portid,
				    cb->nlh->nlmsg_seq, NLM_F_MULTI | flags,
				    cmd);
}

/* Continue at a device. If it is another one than before, start with its first peer. */
static void dump_at(struct dump_cursor *cursor, int ifindex)
{
	if (cursor->ifindex == ifindex)
		return;
	memset(cursor, 0, sizeof(*cursor));
	cursor->ifindex = ifindex;
}

/* @inside: dump the content of the devices, not the devices */
static int dump_named(struct sk_buff *msg, struct netlink_callback *cb,
		      dump_one one, bool inside)
{
	struct pvsvpn_device *pvs;

	pvs = pvsvpn_netlink_device(sock_net(cb->skb->sk),
				    pvsvpn_compat_dump_attrs(cb), cb->extack);
	if (IS_ERR(pvs))
		return PTR_ERR(pvs);
	if (inside && !pvsvpn_netlink_may(cb->skb, pvs, cb->extack))
		return -EPERM;
	dump_at(dump_cursor(cb), pvs->dev->ifindex);
	return one(msg, cb, pvs);
}

/* Skip the content that a caller may not see; the device's own message says so. */
static int dump_all(struct sk_buff *msg, struct netlink_callback *cb,
		    dump_one one, bool inside)
{
	struct dump_cursor *cursor = dump_cursor(cb);
	int ifindex = max(cursor->ifindex, 1) - 1;
	struct pvsvpn_device *pvs;
	int err;

	while ((pvs = pvsvpn_device_next(sock_net(cb->skb->sk), &ifindex))) {
		dump_at(cursor, ifindex);
		err = inside && !pvsvpn_netlink_may(cb->skb, pvs, NULL) ?
		      0 : one(msg, cb, pvs);
		if (err)
			return err;
		if (ifindex == INT_MAX)
			break;
		dump_at(cursor, ifindex + 1);
	}
	return 0;
}

/*
 * -EMSGSIZE after a message that fitted means that the rest goes into the next skb.
 * An object too large for an empty skb ends the dump with the error.
 */
static int dump(struct sk_buff *msg, struct netlink_callback *cb, dump_one one,
		bool inside)
{
	struct nlattr **attrs = pvsvpn_compat_dump_attrs(cb);
	struct dump_cursor *cursor = dump_cursor(cb);
	int err;

	if (cursor->done)
		return 0;
	rtnl_lock();
	if (attrs[PVSVPN_A_DEVICE_IFINDEX] || attrs[PVSVPN_A_DEVICE_IFNAME])
		err = dump_named(msg, cb, one, inside);
	else
		err = dump_all(msg, cb, one, inside);
	rtnl_unlock();
	if (err && !(err == -EMSGSIZE && msg->len))
		return err;
	cursor->done = !err;
	return msg->len;
}

static int dump_device(struct sk_buff *msg, struct netlink_callback *cb,
		       struct pvsvpn_device *pvs)
{
	struct nlattr **attrs = pvsvpn_compat_dump_attrs(cb);
	void *hdr = dump_put(msg, cb, 0, PVSVPN_CMD_DEVICE_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (device_put(msg, pvs, cb->skb, attrs[PVSVPN_A_DEVICE_COUNTERS])) {
		genlmsg_cancel(msg, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return 0;
}

/**
 * pvsvpn_nl_device_get_dumpit() - show every device of the namespace
 * @skb: the reply
 * @cb: the dump
 *
 * Context: process.
 * Return: length of @skb, 0 at the end, or a negative errno.
 */
int pvsvpn_nl_device_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb)
{
	return dump(skb, cb, dump_device, false);
}

static void dump_remember_half(struct dump_cursor *cursor,
			       const struct pvsvpn_peer *peer,
			       const struct pvsvpn_subnet_place *at)
{
	cursor->peer = peer->id;
	cursor->half = true;
	pvsvpn_netlink_note_subnet(&cursor->subnet, peer, at);
}

/*
 * If the subnets of a peer do not fit even into an empty skb, several messages show
 * the peer. Each has its name, its id and some subnets; the first has everything else.
 */
static int dump_peer(struct sk_buff *msg, struct netlink_callback *cb,
		     const struct pvsvpn_peer *peer, bool counters)
{
	struct dump_cursor *cursor = dump_cursor(cb);
	struct pvsvpn_subnet_place at;
	bool empty = !msg->len;
	void *hdr = dump_put(msg, cb, 0, PVSVPN_CMD_PEER_GET);

	if (!hdr)
		return -EMSGSIZE;
	pvsvpn_netlink_first_subnet(&at, peer);
	if (peer_put(msg, peer, counters))
		goto too_big;
	if (pvsvpn_netlink_put_subnets(msg, peer, &at)) {
		if (!empty || at.subnet == &peer->subnets)
			goto too_big;
		dump_remember_half(cursor, peer, &at);
		genlmsg_end(msg, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	cursor->peer = peer->id;
	return 0;

too_big:
	genlmsg_cancel(msg, hdr);
	return -EMSGSIZE;
}

/*
 * Show the rest of a peer. If the last subnet shown has been removed meanwhile, show
 * the subnets again from the first, and mark the dump as interrupted.
 */
static int dump_peer_rest(struct sk_buff *msg, struct netlink_callback *cb,
			  const struct pvsvpn_peer *peer)
{
	struct dump_cursor *cursor = dump_cursor(cb);
	struct pvsvpn_subnet_place at, start;
	bool found = pvsvpn_netlink_find_subnet(&at, &cursor->subnet, peer);
	void *hdr = dump_put(msg, cb, found ? 0 : NLM_F_DUMP_INTR,
			     PVSVPN_CMD_PEER_GET);

	start = at;
	if (!hdr)
		return -EMSGSIZE;
	if (peer_put_ids(msg, peer))
		goto too_big;
	if (pvsvpn_netlink_put_subnets(msg, peer, &at)) {
		if (at.subnet == start.subnet && at.locals == start.locals)
			goto too_big;
		dump_remember_half(cursor, peer, &at);
		genlmsg_end(msg, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	cursor->half = false;
	return 0;

too_big:
	genlmsg_cancel(msg, hdr);
	return -EMSGSIZE;
}

static int dump_peers(struct sk_buff *msg, struct netlink_callback *cb,
		      struct pvsvpn_device *pvs)
{
	struct nlattr **attrs = pvsvpn_compat_dump_attrs(cb);
	bool counters = attrs[PVSVPN_A_PEER_COUNTERS];
	struct dump_cursor *cursor = dump_cursor(cb);
	struct pvsvpn_peer *peer;
	unsigned long id;
	int err;

	if (cursor->half) {
		peer = xa_load(&pvs->peers, cursor->peer);
		err = peer ? dump_peer_rest(msg, cb, peer) : 0;
		if (err)
			return err;
		cursor->half = false;
	}
	xa_for_each_start(&pvs->peers, id, peer, cursor->peer + 1UL) {
		err = dump_peer(msg, cb, peer, counters);
		if (err)
			return err;
	}
	return 0;
}

/**
 * pvsvpn_nl_peer_get_dumpit() - show the peers of one device or of all devices
 * @skb: the reply
 * @cb: the dump
 *
 * Context: process.
 * Return: length of @skb, 0 at the end, or a negative errno.
 */
int pvsvpn_nl_peer_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump(skb, cb, dump_peers, true);
}

static int dump_sa(struct sk_buff *msg, struct netlink_callback *cb,
		   const struct pvsvpn_sa *sa)
{
	struct nlattr **attrs = pvsvpn_compat_dump_attrs(cb);
	void *hdr = dump_put(msg, cb, 0, PVSVPN_CMD_SA_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (sa_put(msg, sa, attrs[PVSVPN_A_SA_COUNTERS])) {
		genlmsg_cancel(msg, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return 0;
}

static int dump_sas_of_peer(struct sk_buff *msg, struct netlink_callback *cb,
			    const struct pvsvpn_peer *peer)
{
	struct dump_cursor *cursor = dump_cursor(cb);
	const struct pvsvpn_sa *sa;
	int err;

	if (cursor->peer != peer->id) {
		cursor->peer = peer->id;
		cursor->sa = 0;
	}
	list_for_each_entry(sa, &peer->sas, list) {
		if (sa->id <= cursor->sa)
			continue;
		err = dump_sa(msg, cb, sa);
		if (err)
			return err;
		cursor->sa = sa->id;
	}
	return 0;
}

static int dump_sas(struct sk_buff *msg, struct netlink_callback *cb,
		    struct pvsvpn_device *pvs)
{
	struct nlattr **attrs = pvsvpn_compat_dump_attrs(cb);
	const struct nlattr *name = attrs[PVSVPN_A_SA_PEER];
	struct pvsvpn_peer *peer;
	unsigned long id;
	int err;

	xa_for_each_start(&pvs->peers, id, peer, dump_cursor(cb)->peer) {
		if (name && nla_strcmp(name, peer->name))
			continue;
		err = dump_sas_of_peer(msg, cb, peer);
		if (err)
			return err;
	}
	return 0;
}

/* The caller named device and peer, so report an unknown peer. */
static int dump_sas_named(struct sk_buff *msg, struct netlink_callback *cb,
			  struct pvsvpn_device *pvs)
{
	struct nlattr **attrs = pvsvpn_compat_dump_attrs(cb);
	struct pvsvpn_peer *peer;

	peer = pvsvpn_netlink_peer(pvs, attrs, cb->extack);
	if (IS_ERR(peer))
		return PTR_ERR(peer);
	return dump_sas_of_peer(msg, cb, peer);
}

/**
 * pvsvpn_nl_sa_get_dumpit() - show the SAs of a peer, of a device or of all devices
 * @skb: the reply
 * @cb: the dump
 *
 * Context: process.
 * Return: length of @skb, 0 at the end, or a negative errno.
 */
int pvsvpn_nl_sa_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr **attrs = pvsvpn_compat_dump_attrs(cb);
	bool device = attrs[PVSVPN_A_SA_IFINDEX] || attrs[PVSVPN_A_SA_IFNAME];

	if (device && attrs[PVSVPN_A_SA_PEER])
		return dump(skb, cb, dump_sas_named, true);
	return dump(skb, cb, dump_sas, true);
}
