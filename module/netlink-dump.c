// SPDX-License-Identifier: GPL-2.0
/* Dumps: requests that show all objects, or those of a device or peer. */
#include <linux/rtnetlink.h>

#include "device.h"
#include "netlink.h"
#include "peer.h"
#include "sa.h"

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
	struct pvsvpn_prefix subnet; /* the last subnet shown if @half */
	bool local;		/* @subnet is a local subnet */
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

static void *dump_put(struct sk_buff *msg, struct netlink_callback *cb, int flags, u8 cmd)
{
	return pvsvpn_netlink_begin(msg, NETLINK_CB(cb->skb).portid,
				    cb->nlh->nlmsg_seq, NLM_F_MULTI | flags,
				    cmd);
}

/* End a message, or remove it from @msg if it did not fit. Return: @err. */
static int dump_end(struct sk_buff *msg, void *hdr, int err)
{
	if (err)
		genlmsg_cancel(msg, hdr);
	else
		genlmsg_end(msg, hdr);
	return err;
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
static int dump_named(struct sk_buff *msg, struct netlink_callback *cb, dump_one one, bool inside)
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
static int dump_all(struct sk_buff *msg, struct netlink_callback *cb, dump_one one, bool inside)
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
static int dump(struct sk_buff *msg, struct netlink_callback *cb, dump_one one, bool inside)
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

static int dump_device(struct sk_buff *msg, struct netlink_callback *cb, struct pvsvpn_device *pvs)
{
	struct nlattr **attrs = pvsvpn_compat_dump_attrs(cb);
	void *hdr = dump_put(msg, cb, 0, PVSVPN_CMD_DEVICE_GET);

	if (!hdr)
		return -EMSGSIZE;
	return dump_end(msg, hdr, pvsvpn_netlink_put_device(msg, pvs, cb->skb,
							    attrs[PVSVPN_A_DEVICE_COUNTERS]));
}

/**
 * pvsvpn_nl_device_get_dumpit() - show every device of the namespace
 * @skb: the reply
 * @cb: the dump
 *
 * Context: process.
 * Return: length of @skb, 0 at the end, or a negative errno.
 */
int pvsvpn_nl_device_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump(skb, cb, dump_device, false);
}

/*
 * If the subnets of a peer do not fit even into an empty skb, several messages show
 * the peer. Each has its name, its id and some subnets; the first has everything else.
 * If the last subnet shown has been removed meanwhile, the rest of the peer shows the
 * subnets again from the first, and marks the dump as interrupted.
 */
static int dump_peer(struct sk_buff *msg, struct netlink_callback *cb,
		     const struct pvsvpn_peer *peer, bool rest)
{
	bool counters = pvsvpn_compat_dump_attrs(cb)[PVSVPN_A_PEER_COUNTERS];
	struct dump_cursor *cursor = dump_cursor(cb);
	const struct pvsvpn_prefix *start;
	struct pvsvpn_subnet_place at = {};
	bool empty = !msg->len;
	bool found;
	void *hdr;
	int err;

	found = !rest || pvsvpn_netlink_find_subnet(&at, peer, &cursor->subnet, cursor->local);
	start = at.prefix;
	hdr = dump_put(msg, cb, found ? 0 : NLM_F_DUMP_INTR, PVSVPN_CMD_PEER_GET);
	if (!hdr)
		return -EMSGSIZE;
	err = rest ? pvsvpn_netlink_put_peer_ids(msg, peer) :
		     pvsvpn_netlink_put_peer(msg, peer, counters);
	if (err)
		return dump_end(msg, hdr, err);
	err = pvsvpn_netlink_put_subnets(msg, peer, &at);
	if (err && (!empty || at.prefix == start))
		return dump_end(msg, hdr, err);
	cursor->peer = peer->id;
	cursor->half = err != 0;
	if (err) {
		cursor->subnet = *at.prefix;
		cursor->local = at.locals;
	}
	genlmsg_end(msg, hdr);
	return err;
}

static int dump_peers(struct sk_buff *msg, struct netlink_callback *cb, struct pvsvpn_device *pvs)
{
	struct dump_cursor *cursor = dump_cursor(cb);
	struct pvsvpn_peer *peer;
	unsigned long id;
	int err;

	if (cursor->half) {
		peer = xa_load(&pvs->peers, cursor->peer);
		err = peer ? dump_peer(msg, cb, peer, true) : 0;
		if (err)
			return err;
		cursor->half = false;
	}
	xa_for_each_start(&pvs->peers, id, peer, cursor->peer + 1UL) {
		err = dump_peer(msg, cb, peer, false);
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

static int dump_sa(struct sk_buff *msg, struct netlink_callback *cb, const struct pvsvpn_sa *sa)
{
	struct nlattr **attrs = pvsvpn_compat_dump_attrs(cb);
	void *hdr = dump_put(msg, cb, 0, PVSVPN_CMD_SA_GET);

	if (!hdr)
		return -EMSGSIZE;
	return dump_end(msg, hdr, pvsvpn_netlink_put_sa(msg, sa, attrs[PVSVPN_A_SA_COUNTERS]));
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

static int dump_sas(struct sk_buff *msg, struct netlink_callback *cb, struct pvsvpn_device *pvs)
{
	struct nlattr **attrs = pvsvpn_compat_dump_attrs(cb);
	bool device = attrs[PVSVPN_A_SA_IFINDEX] || attrs[PVSVPN_A_SA_IFNAME];
	const struct nlattr *name = attrs[PVSVPN_A_SA_PEER];
	struct pvsvpn_peer *peer;
	unsigned long id;
	int err;

	/* The caller named device and peer, so report an unknown peer. */
	if (device && name) {
		peer = pvsvpn_netlink_peer(pvs, attrs, cb->extack);
		return IS_ERR(peer) ? PTR_ERR(peer) : dump_sas_of_peer(msg, cb, peer);
	}
	xa_for_each_start(&pvs->peers, id, peer, dump_cursor(cb)->peer) {
		if (name && nla_strcmp(name, peer->name))
			continue;
		err = dump_sas_of_peer(msg, cb, peer);
		if (err)
			return err;
	}
	return 0;
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
	return dump(skb, cb, dump_sas, true);
}
