// SPDX-License-Identifier: GPL-2.0
/* Requests about SAs: parse them, and add, remove or show an SA. */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/rtnetlink.h>
#include <linux/timekeeping.h>

#include "device.h"
#include "quota.h"
#include "netlink.h"
#include "peer.h"
#include "sa.h"
#include "sad.h"
#include "stats.h"
#include "transform.h"
#include "tunnel.h"
#include "xfrm_adopt.h"
#include "xfrm_child.h"

/**
 * pvsvpn_netlink_spi_taken() - report a conflict with another SA
 * @sa: the SA that has the SPI
 * @attr: attribute of the request that causes the conflict
 * @extack: where to report it
 *
 * Context: process, RTNL held.
 * Return: always -EEXIST.
 */
int pvsvpn_netlink_spi_taken(const struct pvsvpn_sa *sa,
			     const struct nlattr *attr,
			     struct netlink_ext_ack *extack)
{
	return pvsvpn_netlink_refuse(extack, attr, -EEXIST,
				     "spi 0x%08x is peer %.20s's on %s; use another",
				     be32_to_cpu(sa->spi), sa->peer->name,
				     sa->peer->pvs->dev->name);
}

static int spi_parse(struct pvsvpn_sa_config *config, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[PVSVPN_A_SA_SPI];
	u32 spi = nla_get_u32(attr);

	config->spi = cpu_to_be32(spi);
	if (spi >= PVSVPN_SPI_MIN)
		return 0;
	return pvsvpn_netlink_refuse(info->extack, attr, -EINVAL,
				     "spi 0x%08x is reserved (RFC 4303); use 0x%x or higher",
				     spi, PVSVPN_SPI_MIN);
}

static u16 get_u16_or_0(const struct nlattr *attr)
{
	return attr ? nla_get_u16(attr) : 0;
}

static u64 get_u64_or_0(const struct nlattr *attr)
{
	return attr ? nla_get_u64(attr) : 0;
}

static int transform_parse(struct pvsvpn_sa_config *config, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[PVSVPN_A_SA_TRANSFORM];
	struct nlattr *attrs[ARRAY_SIZE(pvsvpn_transform_nl_policy)];
	u16 encryption, bits, integrity;
	int err;

	/* The policy of the request has checked the nest. */
	err = nla_parse_nested(attrs, ARRAY_SIZE(attrs) - 1, attr, NULL, info->extack);
	if (err)
		return err;
	if (pvsvpn_netlink_missing(attrs, PVSVPN_A_TRANSFORM_ENCRYPTION, info->extack,
				   "encryption of the transform"))
		return -EINVAL;
	encryption = nla_get_u16(attrs[PVSVPN_A_TRANSFORM_ENCRYPTION]);
	bits = get_u16_or_0(attrs[PVSVPN_A_TRANSFORM_KEY_LENGTH]);
	integrity = get_u16_or_0(attrs[PVSVPN_A_TRANSFORM_INTEGRITY]);
	config->transform = pvsvpn_transform_find(encryption, bits, integrity);
	if (config->transform)
		return 0;
	return pvsvpn_netlink_refuse(info->extack, attr, -EOPNOTSUPP,
				     "no transform with encryption %u key-length %u integrity %u",
				     encryption, bits, integrity);
}

static int legacy_check(struct pvsvpn_sa_config *config, struct genl_info *info)
{
	if (!config->transform->legacy || info->attrs[PVSVPN_A_SA_LEGACY])
		return 0;
	return pvsvpn_netlink_refuse(info->extack, info->attrs[PVSVPN_A_SA_TRANSFORM], -EINVAL,
				     "%s is legacy; say legacy if the peer has no better",
				     config->transform->name);
}

static int key_parse(struct pvsvpn_sa_config *config, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[PVSVPN_A_SA_KEY];
	unsigned int len = pvsvpn_transform_key_len(config->transform);

	config->key = nla_data(attr);
	config->key_len = nla_len(attr);
	if (config->key_len == len)
		return 0;
	return pvsvpn_netlink_refuse(info->extack, attr, -EINVAL,
				     "key is %u bytes, %s takes %u (key and %s)",
				     config->key_len, config->transform->name, len,
				     config->transform->integrity ? "integrity key" : "salt");
}

static int window_parse(struct pvsvpn_sa_config *config, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[PVSVPN_A_SA_REPLAY_WINDOW];

	if (attr && config->dir == PVSVPN_DIRECTION_OUT)
		return pvsvpn_netlink_refuse(info->extack, attr, -EINVAL,
					     "replay-window is for inbound SAs; leave it out here");
	return pvsvpn_netlink_parse_window(&config->replay_window, attr, info->extack);
}

static int seq_parse(struct pvsvpn_sa_config *config, struct genl_info *info)
{
	u64 max = pvsvpn_sa_seq_max(config->dir, config->esn);
	const struct nlattr *attr = info->attrs[PVSVPN_A_SA_SEQ];

	config->seq = get_u64_or_0(attr);
	if (!attr || config->seq <= max)
		return 0;
	return pvsvpn_netlink_refuse(info->extack, attr, -EINVAL,
				     "seq %llu is too high; numbers end at %llu%s", config->seq,
				     max, config->esn ? "" : " without esn");
}

/* Indexed by enum pvsvpn_lifetime_kind. */
static const struct {
	const char *name;
	int soft;
	int hard;
} lifetimes[PVSVPN_LIFETIME_KINDS] = {
	{ "packets", PVSVPN_A_SA_SOFT_PACKETS, PVSVPN_A_SA_HARD_PACKETS },
	{ "bytes", PVSVPN_A_SA_SOFT_BYTES, PVSVPN_A_SA_HARD_BYTES },
	{ "seconds", PVSVPN_A_SA_SOFT_SECONDS, PVSVPN_A_SA_HARD_SECONDS },
	{ "use-seconds", PVSVPN_A_SA_SOFT_USE_SECONDS,
	  PVSVPN_A_SA_HARD_USE_SECONDS },
};

static int limit_check(const struct nlattr *attr, const char *which,
		       enum pvsvpn_lifetime_kind kind,
		       struct netlink_ext_ack *extack)
{
	u64 max = kind < PVSVPN_LIFETIME_SECONDS ? U64_MAX : U32_MAX;
	u64 limit = get_u64_or_0(attr);

	if (!attr || (limit && limit <= max))
		return 0;
	return pvsvpn_netlink_refuse(extack, attr, -EINVAL,
				     "%s-%s %llu is out of range; use 1 to %llu, or leave it out",
				     which, lifetimes[kind].name, limit, max);
}

static int lifetime_parse(struct pvsvpn_sa_config *config,
			  enum pvsvpn_lifetime_kind kind,
			  struct genl_info *info)
{
	const struct nlattr *soft = info->attrs[lifetimes[kind].soft];
	const struct nlattr *hard = info->attrs[lifetimes[kind].hard];
	int err;

	err = limit_check(soft, "soft", kind, info->extack);
	if (!err)
		err = limit_check(hard, "hard", kind, info->extack);
	if (err)
		return err;
	config->soft[kind] = get_u64_or_0(soft);
	config->hard[kind] = get_u64_or_0(hard);
	if (!soft || !hard || config->soft[kind] < config->hard[kind])
		return 0;
	return pvsvpn_netlink_refuse(info->extack, soft, -EINVAL,
				     "soft-%s has to be less than hard-%s",
				     lifetimes[kind].name, lifetimes[kind].name);
}

static int lifetimes_parse(struct pvsvpn_sa_config *config, struct genl_info *info)
{
	int kind, err = 0;

	for (kind = 0; !err && kind < PVSVPN_LIFETIME_KINDS; kind++)
		err = lifetime_parse(config, kind, info);
	return err;
}

/* Put the time since the first use, and the reason for expiry. */
static int lifetime_put_state(struct sk_buff *msg, const struct pvsvpn_sa *sa)
{
	u64 first_use = atomic64_read(&sa->lifetime.first_use);
	u8 why;

	if (first_use &&
	    nla_put_u64_64bit(msg, PVSVPN_A_SA_USE_AGE,
			      div_u64(ktime_get_boottime_ns() - first_use,
				      NSEC_PER_MSEC), PVSVPN_A_SA_PAD))
		return -EMSGSIZE;
	/* Read hard_why after the flag: pvsvpn_lifetime_end() writes it before. */
	if (!test_bit_acquire(PVSVPN_SA_EXPIRED, &sa->flags))
		return 0;
	why = READ_ONCE(sa->lifetime.hard_why);
	return nla_put_string(msg, PVSVPN_A_SA_EXPIRED_REASON, pvsvpn_lifetime_name(why));
}

static int lifetimes_put(struct sk_buff *msg, const struct pvsvpn_sa *sa)
{
	int kind;

	for (kind = 0; kind < PVSVPN_LIFETIME_KINDS; kind++) {
		u64 soft = sa->lifetime.soft[kind];
		u64 hard = sa->lifetime.hard[kind];

		if ((soft && nla_put_u64_64bit(msg, lifetimes[kind].soft, soft,
					       PVSVPN_A_SA_PAD)) ||
		    (hard && nla_put_u64_64bit(msg, lifetimes[kind].hard, hard,
					       PVSVPN_A_SA_PAD)))
			return -EMSGSIZE;
	}
	return lifetime_put_state(msg, sa);
}

static const struct {
	int attr;
	const char *what;
} required[] = {
	{ PVSVPN_A_SA_PEER, "name of the peer" },
	{ PVSVPN_A_SA_DIR, "dir of the SA" },
	{ PVSVPN_A_SA_SPI, "spi of the SA" },
	{ PVSVPN_A_SA_TRANSFORM, "transform of the SA" },
	{ PVSVPN_A_SA_KEY, "key of the SA" },
};

/* In this order: some need the result of an earlier one. */
static int (*const parsers[])(struct pvsvpn_sa_config *config, struct genl_info *info) = {
	spi_parse, transform_parse, legacy_check, key_parse, window_parse, lifetimes_parse,
	seq_parse,
};

static int sa_parse(struct pvsvpn_sa_config *config, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	unsigned int i;
	int err = 0;

	memset(config, 0, sizeof(*config));
	for (i = 0; i < ARRAY_SIZE(required); i++)
		if (pvsvpn_netlink_missing(attrs, required[i].attr, info->extack, required[i].what))
			return -EINVAL;
	config->dir = nla_get_u8(attrs[PVSVPN_A_SA_DIR]);
	config->esn = attrs[PVSVPN_A_SA_ESN] && nla_get_u8(attrs[PVSVPN_A_SA_ESN]);
	for (i = 0; !err && i < ARRAY_SIZE(parsers); i++)
		err = parsers[i](config, info);
	return err;
}

static int spi_full(struct genl_info *info)
{
	return pvsvpn_netlink_refuse(info->extack, info->attrs[PVSVPN_A_SA_SPI], -ENOSPC,
				     "too many SAs have this SPI; use another one");
}

/* Return: the peer for the new SA, or an ERR_PTR if the SA cannot be added. */
static struct pvsvpn_peer *sa_place(struct sk_buff *skb, struct genl_info *info,
				    const struct pvsvpn_sa_config *config)
{
	struct pvsvpn_peer *peer = pvsvpn_netlink_changed_peer(skb, info);
	struct pvsvpn_sa *other;
	int err;

	if (IS_ERR(peer))
		return peer;
	other = pvsvpn_sad_conflict(peer->pvs->net, config->dir, config->spi,
				    pvsvpn_peer_endpoint(peer), NULL);
	if (other)
		err = pvsvpn_netlink_spi_taken(other, info->attrs[PVSVPN_A_SA_SPI], info->extack);
	else if (pvsvpn_sad_full(peer->pvs->net, config->dir, config->spi))
		err = spi_full(info);
	else
		err = pvsvpn_quota_check(peer->pvs->net, PVSVPN_LIMIT_SAS, info->extack);
	return err ? ERR_PTR(err) : peer;
}

/*
 * Setting up the transform may load a module, which must not happen under RTNL.
 * Call sa_place() before it, to refuse early, and again when the SA exists.
 */
static int sa_new(struct sk_buff *skb, struct genl_info *info)
{
	struct pvsvpn_sa_config config;
	struct pvsvpn_peer *peer;
	struct pvsvpn_sa *sa;
	int err;

	rtnl_lock();
	err = sa_parse(&config, info);
	peer = err ? ERR_PTR(err) : sa_place(skb, info, &config);
	rtnl_unlock();
	if (IS_ERR(peer))
		return PTR_ERR(peer);
	sa = pvsvpn_sa_new(&config, info->extack);
	if (IS_ERR(sa))
		return PTR_ERR(sa);
	rtnl_lock();
	peer = sa_place(skb, info, &config);
	err = PTR_ERR_OR_ZERO(peer);
	if (!err)
		err = pvsvpn_tunnel_add_sa(sa, peer, config.replay_window);
	rtnl_unlock();
	if (err)
		pvsvpn_sa_destroy(sa);
	return err;
}

/* Neither freed memory nor an error that quotes the request may contain a key. */
static void keys_wipe(struct genl_info *info)
{
	struct nlattr *attr;
	int rem;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem)
		if (nla_type(attr) == PVSVPN_A_SA_KEY)
			memzero_explicit(nla_data(attr), nla_len(attr));
}

/**
 * pvsvpn_nl_sa_new_doit() - add an SA to a peer
 * @skb: the request; its keys are wiped
 * @info: its attributes
 *
 * Context: process.
 * Return: 0 or a negative errno, with its text in extack.
 */
int pvsvpn_nl_sa_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err = sa_new(skb, info);

	keys_wipe(info);
	return err;
}

/* Return: the SA that a request names, valid as long as RTNL is held, or an ERR_PTR. */
static struct pvsvpn_sa *sa_find(struct sk_buff *skb, struct genl_info *info)
{
	struct pvsvpn_peer *peer = pvsvpn_netlink_changed_peer(skb, info);
	struct nlattr **attrs = info->attrs;
	struct pvsvpn_sa *sa;
	u32 spi;
	u8 dir;

	if (IS_ERR(peer))
		return ERR_CAST(peer);
	if (pvsvpn_netlink_missing(attrs, PVSVPN_A_SA_DIR, info->extack, "dir of the SA") ||
	    pvsvpn_netlink_missing(attrs, PVSVPN_A_SA_SPI, info->extack, "spi of the SA"))
		return ERR_PTR(-EINVAL);
	dir = nla_get_u8(attrs[PVSVPN_A_SA_DIR]);
	spi = nla_get_u32(attrs[PVSVPN_A_SA_SPI]);
	list_for_each_entry(sa, &peer->sas, list)
		if (sa->dir == dir && be32_to_cpu(sa->spi) == spi)
			return sa;
	return ERR_PTR(pvsvpn_netlink_refuse(info->extack, attrs[PVSVPN_A_SA_SPI], -ENOENT,
					     "peer %.24s has no %s SA with spi 0x%08x", peer->name,
					     dir == PVSVPN_DIRECTION_OUT ? "outbound" : "inbound",
					     spi));
}

/**
 * pvsvpn_nl_sa_del_doit() - remove an SA
 * @skb: the request
 * @info: its attributes
 *
 * Context: process, RTNL held.
 * Return: 0 or a negative errno, with its text in extack.
 */
int pvsvpn_nl_sa_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct pvsvpn_sa *sa = sa_find(skb, info);
	struct net *net;

	if (IS_ERR(sa))
		return PTR_ERR(sa);
	if (sa->x)
		return pvsvpn_netlink_refuse(info->extack, info->attrs[PVSVPN_A_SA_SPI], -EBUSY,
				"spi 0x%08x is XFRM's; ask its daemon, or ip xfrm state delete",
				be32_to_cpu(sa->spi));
	net = sa->peer->pvs->net;
	pvsvpn_tunnel_del_sa(sa);
	pvsvpn_adopt_made_room(net);
	return 0;
}

/* ---- showing an SA ---- */

static int sa_put_transform(struct sk_buff *msg, const struct pvsvpn_transform *transform)
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
			  (sa == rtnl_dereference(sa->peer->tx_sa) || pvsvpn_child_uses(sa));

	if (sa->dir == PVSVPN_DIRECTION_IN &&
	    nla_put_u32(msg, PVSVPN_A_SA_REPLAY_WINDOW,
			pvsvpn_sa_window(sa)))
		return -EMSGSIZE;
	if (nla_put_u64_64bit(msg, PVSVPN_A_SA_SEQ, pvsvpn_sa_seq(sa),
			      PVSVPN_A_SA_PAD) ||
	    nla_put_u8(msg, PVSVPN_A_SA_ESN, sa->esn) ||
	    lifetimes_put(msg, sa) ||
	    nla_put_u8(msg, PVSVPN_A_SA_ORIGIN,
		       sa->x ? PVSVPN_ORIGIN_XFRM : PVSVPN_ORIGIN_OPERATOR) ||
	    nla_put_u8(msg, PVSVPN_A_SA_CURRENT, current_sa) ||
	    nla_put_u8(msg, PVSVPN_A_SA_EXPIRED, expired) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_SA_AGE,
			      div_u64(age, NSEC_PER_MSEC), PVSVPN_A_SA_PAD))
		return -EMSGSIZE;
	return 0;
}

/**
 * pvsvpn_netlink_put_sa() - put an SA into a message
 * @msg: the message
 * @sa: the SA
 * @counters: also the drops by reason
 *
 * Context: process, RTNL held.
 * Return: 0, or -EMSGSIZE if there is no room.
 */
int pvsvpn_netlink_put_sa(struct sk_buff *msg, const struct pvsvpn_sa *sa, bool counters)
{
	struct pvsvpn_counter_attrs attrs = {
		.drops = PVSVPN_A_SA_DROPS,
		.drop = PVSVPN_A_SA_DROP,
		.pad = PVSVPN_A_SA_PAD,
		.reasons = PVSVPN_DROP_SA_MAX,
	};

	attrs.packets[sa->dir] = PVSVPN_A_SA_PACKETS;
	attrs.bytes[sa->dir] = PVSVPN_A_SA_BYTES;
	if (sa_put_ids(msg, sa) || sa_put_transform(msg, sa->transform) ||
	    sa_put_state(msg, sa) ||
	    nla_put_string(msg, PVSVPN_A_SA_DRIVER,
			   pvsvpn_transform_driver(sa->aead)))
		return -EMSGSIZE;
	return pvsvpn_netlink_put_counters(msg, &attrs, sa->counters, counters);
}

/**
 * pvsvpn_nl_sa_get_doit() - show an SA
 * @skb: the request
 * @info: its attributes
 *
 * Context: process, RTNL held.
 * Return: 0 or a negative errno, with its text in extack.
 */
int pvsvpn_nl_sa_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct pvsvpn_sa *sa = sa_find(skb, info);
	struct sk_buff *msg;
	int err;

	if (IS_ERR(sa))
		return PTR_ERR(sa);
	msg = pvsvpn_netlink_new_reply(info, 0);
	if (!msg)
		return -ENOMEM;
	err = pvsvpn_netlink_put_sa(msg, sa, info->attrs[PVSVPN_A_SA_COUNTERS]);
	return pvsvpn_netlink_reply(info, msg, err);
}
