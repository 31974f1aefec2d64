// SPDX-License-Identifier: GPL-2.0
/* Lists of prefixes: parse requests and show the lists. */
#include <linux/inetdevice.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/ipv6.h>

#include "destination.h"
#include "device.h"
#include "netlink.h"
#include "peer.h"
#include "selector.h"

/* Keeps a message with both full lists of a peer below 128 KiB. */
#define SUBNETS_MAX	1024

/* Maximum size of a subnet in a message, in bytes. */
#define SUBNET_SIZE							\
	(nla_total_size(0) + nla_total_size(sizeof(struct in6_addr)) +	\
	 nla_total_size(sizeof(u8)))

/**
 * struct subnets - one list of prefixes in a request
 * @attr: PVSVPN_A_PEER_SUBNET or PVSVPN_A_PEER_LOCAL_SUBNET
 * @name: name in messages to users
 * @pvs: the device
 * @peer: the peer to change, NULL for a new one
 * @prefixes: the prefixes parsed so far
 * @count: number of @prefixes
 */
struct subnets {
	int attr;
	const char *name;
	struct pvsvpn_device *pvs;
	const struct pvsvpn_peer *peer;
	struct pvsvpn_prefix *prefixes;
	unsigned int count;
};

/* ---- one prefix ---- */

/**
 * pvsvpn_netlink_addr_family() - get the family of an address from its length
 * @attr: the address
 * @extack: where to report any other length
 *
 * Context: any.
 * Return: AF_INET, AF_INET6 or -EINVAL.
 */
int pvsvpn_netlink_addr_family(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	switch (nla_len(attr)) {
	case sizeof(struct in_addr):
		return AF_INET;
	case sizeof(struct in6_addr):
		return AF_INET6;
	}
	return pvsvpn_netlink_refuse(extack, attr, -EINVAL,
				     "address has %d bytes; IPv4 has 4, IPv6 has 16",
				     nla_len(attr));
}

static void prefix_print(char *text, const struct pvsvpn_prefix *prefix)
{
	if (prefix->family == AF_INET)
		scnprintf(text, PVSVPN_PREFIX_STRLEN, "%pI4/%u", &prefix->addr, prefix->len);
	else
		scnprintf(text, PVSVPN_PREFIX_STRLEN, "%pI6c/%u", &prefix->addr, prefix->len);
}

/* Clear the host bits. Return: whether any were set. */
static bool prefix_mask(struct pvsvpn_prefix *prefix)
{
	struct in6_addr addr = prefix->addr;

	if (prefix->family == AF_INET)
		prefix->addr.s6_addr32[0] &= inet_make_mask(prefix->len);
	else
		ipv6_addr_prefix(&prefix->addr, &addr, prefix->len);
	return !ipv6_addr_equal(&prefix->addr, &addr);
}

static int prefix_check_bits(const struct pvsvpn_prefix *prefix,
			     const struct nlattr *attr,
			     struct netlink_ext_ack *extack)
{
	struct pvsvpn_prefix masked = *prefix;
	char given[PVSVPN_PREFIX_STRLEN], meant[PVSVPN_PREFIX_STRLEN];

	if (!prefix_mask(&masked))
		return 0;
	prefix_print(given, prefix);
	prefix_print(meant, &masked);
	if (strlen(given) + strlen(meant) < 50)
		return pvsvpn_netlink_refuse(extack, attr, -EINVAL,
					     "host bits set; %s means %s", given, meant);
	return pvsvpn_netlink_refuse(extack, attr, -EINVAL, "host bits set; give %s", meant);
}

static int prefix_set(struct pvsvpn_prefix *prefix, const struct nlattr *addr,
		      const struct nlattr *length,
		      struct netlink_ext_ack *extack)
{
	int family = pvsvpn_netlink_addr_family(addr, extack);
	u8 max;

	if (family < 0)
		return family;
	max = 8 * nla_len(addr);
	*prefix = (struct pvsvpn_prefix){
		.family = family,
		.len = nla_get_u8(length),
	};
	nla_memcpy(&prefix->addr, addr, sizeof(prefix->addr));
	if (prefix->len > max)
		return pvsvpn_netlink_refuse(extack, length, -EINVAL,
					     "prefix-length %u is out of range; use 0 to %u",
					     prefix->len, max);
	return prefix_check_bits(prefix, addr, extack);
}

static int prefix_parse(struct pvsvpn_prefix *prefix, const struct nlattr *attr,
			struct netlink_ext_ack *extack)
{
	struct nlattr *attrs[ARRAY_SIZE(pvsvpn_subnet_nl_policy)];
	int err;

	/* The policy of the request has checked the nest. */
	err = nla_parse_nested(attrs, ARRAY_SIZE(attrs) - 1, attr, NULL, extack);
	if (err)
		return err;
	if (pvsvpn_netlink_missing(attrs, PVSVPN_A_SUBNET_ADDRESS, extack,
				   "address of a subnet") ||
	    pvsvpn_netlink_missing(attrs, PVSVPN_A_SUBNET_PREFIX_LENGTH, extack,
				   "prefix-length of a subnet"))
		return -EINVAL;
	return prefix_set(prefix, attrs[PVSVPN_A_SUBNET_ADDRESS],
			  attrs[PVSVPN_A_SUBNET_PREFIX_LENGTH], extack);
}

static int prefix_check_twice(const struct pvsvpn_prefix *prefix,
			      const struct subnets *subnets,
			      const struct nlattr *attr,
			      struct netlink_ext_ack *extack)
{
	char text[PVSVPN_PREFIX_STRLEN];
	unsigned int i;

	for (i = 0; i < subnets->count; i++) {
		if (memcmp(prefix, &subnets->prefixes[i], sizeof(*prefix)))
			continue;
		prefix_print(text, prefix);
		return pvsvpn_netlink_refuse(extack, attr, -EINVAL,
					     "%s is given twice; give it once", text);
	}
	return 0;
}

/* Peers may have nested prefixes, but not the same prefix. */
static int prefix_check_owner(const struct pvsvpn_prefix *prefix,
			      const struct subnets *subnets,
			      const struct nlattr *attr,
			      struct netlink_ext_ack *extack)
{
	const struct pvsvpn_peer *owner;
	char text[PVSVPN_PREFIX_STRLEN];
	bool fits;

	/* Any number of peers may reach the same local subnet. */
	if (subnets->attr == PVSVPN_A_PEER_LOCAL_SUBNET)
		return 0;
	owner = pvsvpn_selector_owner(subnets->pvs, prefix);
	if (!owner || owner == subnets->peer)
		return 0;
	prefix_print(text, prefix);
	fits = strlen(text) + strnlen(owner->name, 24) <= 34;
	if (owner->default_subnets)
		return pvsvpn_netlink_refuse(extack, attr, -EEXIST,
					     "peer %.24s has no subnets, so it takes %s; set some",
					     owner->name, text);
	return pvsvpn_netlink_refuse(extack, attr, -EEXIST, "%s is peer %.24s's%s", text,
				     owner->name, fits ? " already; take it from there first" : "");
}

/* ---- the lists of a request ---- */

/* A new peer without subnets takes everything, so no other peer may have a /0. */
static int default_check(struct pvsvpn_device *pvs, struct netlink_ext_ack *extack)
{
	const struct pvsvpn_peer *owner;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pvsvpn_selector_all); i++) {
		owner = pvsvpn_selector_owner(pvs, &pvsvpn_selector_all[i]);
		if (!owner)
			continue;
		return pvsvpn_netlink_refuse(extack, NULL, -EEXIST,
					     "peer %.24s takes %s already; give this one subnets",
					     owner->name, i ? "::/0" : "0.0.0.0/0");
	}
	return 0;
}

static unsigned int subnets_count(const struct subnets *subnets, struct genl_info *info)
{
	const struct nlattr *attr;
	unsigned int count = 0;
	int rem;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem)
		if (nla_type(attr) == subnets->attr)
			count++;
	return count;
}

static int subnets_fill(struct subnets *subnets, struct genl_info *info)
{
	struct pvsvpn_prefix prefix;
	const struct nlattr *attr;
	int rem, err;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != subnets->attr)
			continue;
		err = prefix_parse(&prefix, attr, info->extack);
		if (!err)
			err = prefix_check_twice(&prefix, subnets, attr, info->extack);
		if (!err)
			err = prefix_check_owner(&prefix, subnets, attr, info->extack);
		if (err)
			return err;
		subnets->prefixes[subnets->count++] = prefix;
	}
	return 0;
}

/* On success the caller must kvfree() @prefixes, which is NULL if there are none. */
static int subnets_parse(struct subnets *subnets, struct genl_info *info)
{
	unsigned int count = subnets_count(subnets, info);
	int err;

	if (!count)
		return 0;
	if (count > SUBNETS_MAX)
		return pvsvpn_netlink_refuse(info->extack, info->attrs[subnets->attr], -EINVAL,
					     "%u %s are too many; a peer takes up to %u", count,
					     subnets->name, SUBNETS_MAX);
	subnets->prefixes = kvcalloc(count, sizeof(*subnets->prefixes), GFP_KERNEL);
	if (!subnets->prefixes)
		return -ENOMEM;
	err = subnets_fill(subnets, info);
	if (err)
		kvfree(subnets->prefixes);
	return err;
}

/**
 * pvsvpn_netlink_parse_subnets() - parse both lists of prefixes of a peer
 * @config: filled in; on success the caller must kvfree() the arrays
 * @pvs: the device
 * @peer: the peer to change, NULL for a new one
 * @info: the request
 *
 * Context: process, RTNL held.
 * Return: 0 or a negative errno, with its text in extack.
 */
int pvsvpn_netlink_parse_subnets(struct pvsvpn_peer_config *config,
				 struct pvsvpn_device *pvs,
				 const struct pvsvpn_peer *peer,
				 struct genl_info *info)
{
	struct subnets remote = { PVSVPN_A_PEER_SUBNET, "subnets", pvs, peer };
	struct subnets local = {
		PVSVPN_A_PEER_LOCAL_SUBNET, "local-subnets", pvs, peer
	};
	int err = subnets_parse(&remote, info);

	if (!err && !remote.count && !peer)
		err = default_check(pvs, info->extack);
	if (err)
		return err;
	err = subnets_parse(&local, info);
	if (err) {
		kvfree(remote.prefixes);
		return err;
	}
	config->prefixes = remote.prefixes;
	config->prefix_count = remote.count;
	config->keep_prefixes = !remote.count;
	config->locals = local.prefixes;
	config->local_count = local.count;
	config->keep_locals = !local.count;
	return 0;
}

/* ---- how they are shown ---- */

static int subnet_put(struct sk_buff *msg, int attr, const struct pvsvpn_prefix *prefix)
{
	struct nlattr *nest = nla_nest_start(msg, attr);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put(msg, PVSVPN_A_SUBNET_ADDRESS,
		    prefix->family == AF_INET ? sizeof(struct in_addr) :
						sizeof(struct in6_addr),
		    &prefix->addr) ||
	    nla_put_u8(msg, PVSVPN_A_SUBNET_PREFIX_LENGTH, prefix->len)) {
		nla_nest_cancel(msg, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(msg, nest);
	return 0;
}

/* Move to the next prefix of a peer, local subnets last. Return: it, or NULL at the end. */
static const struct pvsvpn_prefix *subnet_next(struct pvsvpn_subnet_place *at,
					       const struct pvsvpn_peer *peer)
{
	const struct pvsvpn_destination *locals = rtnl_dereference(peer->destination);
	const struct list_head *next = at->subnet ? at->subnet->next : peer->subnets.next;

	if (next != &peer->subnets) {
		at->subnet = next;
		at->prefix = &list_entry(next, struct pvsvpn_subnet, list)->prefix;
	} else if (locals && at->locals < locals->count) {
		at->prefix = &locals->prefixes[at->locals++];
	} else {
		return NULL;
	}
	return at->prefix;
}

/**
 * pvsvpn_netlink_put_subnets() - put prefixes of a peer into a message, local subnets last
 * @msg: the message
 * @peer: the peer
 * @at: place to continue at; moves past the last prefix that fitted
 *
 * Context: process, RTNL held.
 * Return: 0 if all prefixes fitted, else -EMSGSIZE.
 */
int pvsvpn_netlink_put_subnets(struct sk_buff *msg,
			       const struct pvsvpn_peer *peer,
			       struct pvsvpn_subnet_place *at)
{
	struct pvsvpn_subnet_place next = *at;

	while (subnet_next(&next, peer)) {
		if (subnet_put(msg, next.locals ? PVSVPN_A_PEER_LOCAL_SUBNET : PVSVPN_A_PEER_SUBNET,
			       next.prefix))
			return -EMSGSIZE;
		*at = next;
	}
	return 0;
}

/**
 * pvsvpn_netlink_find_subnet() - find the place of a prefix
 * @at: set to the place, or to the first place if the prefix no longer exists
 * @peer: the peer
 * @prefix: the prefix
 * @local: it is a local subnet
 *
 * Context: process, RTNL held.
 * Return: true if the prefix still exists.
 */
bool pvsvpn_netlink_find_subnet(struct pvsvpn_subnet_place *at, const struct pvsvpn_peer *peer,
				const struct pvsvpn_prefix *prefix, bool local)
{
	*at = (struct pvsvpn_subnet_place){};
	while (subnet_next(at, peer))
		if (!!at->locals == local && !memcmp(at->prefix, prefix, sizeof(*prefix)))
			return true;
	*at = (struct pvsvpn_subnet_place){};
	return false;
}

/**
 * pvsvpn_netlink_subnets_size() - get the size of all prefixes of a peer in a message
 * @peer: the peer
 *
 * Context: process, RTNL held.
 * Return: bytes.
 */
size_t pvsvpn_netlink_subnets_size(const struct pvsvpn_peer *peer)
{
	struct pvsvpn_subnet_place at = {};
	size_t size = 0;

	while (subnet_next(&at, peer))
		size += SUBNET_SIZE;
	return size;
}
