// SPDX-License-Identifier: GPL-2.0
/*
 * What the family `pvsvpn` changes. A request is checked whole before anything
 * is touched, and every refusal says what is wrong and what to do instead.
 * Texts have room for 79 characters; names are cut to fit.
 */
#include <linux/inetdevice.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/route.h>

#include "device.h"
#include "netlink.h"
#include "peer.h"
#include "pmtu.h"
#include "sa.h"
#include "sad.h"
#include "selector.h"
#include "transform.h"

/* So many subnets of one peer keep a message below 64 KiB. */
#define SUBNETS_MAX	1024

/* "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128" */
#define PREFIX_STRLEN	44

/* ---- which object? ---- */

/* All sets begin alike, so one function finds the device for each of them. */
static_assert((int)PVSVPN_A_PEER_IFINDEX == (int)PVSVPN_A_DEVICE_IFINDEX);
static_assert((int)PVSVPN_A_PEER_IFNAME == (int)PVSVPN_A_DEVICE_IFNAME);
static_assert((int)PVSVPN_A_SA_IFINDEX == (int)PVSVPN_A_DEVICE_IFINDEX);
static_assert((int)PVSVPN_A_SA_IFNAME == (int)PVSVPN_A_DEVICE_IFNAME);
static_assert((int)PVSVPN_A_SA_PEER == (int)PVSVPN_A_PEER_NAME);

/* Says that an attribute is missing, if it is. */
static bool missing(struct nlattr **attrs, int attr,
		    struct netlink_ext_ack *extack, const char *what)
{
	if (!NL_REQ_ATTR_CHECK(extack, NULL, attrs, attr))
		return false;
	NL_SET_ERR_MSG_FMT(extack, "%s is missing", what);
	return true;
}

static struct net_device *device_find(struct net *net,
				      const struct nlattr *ifindex,
				      const struct nlattr *ifname)
{
	if (ifindex)
		return __dev_get_by_index(net, nla_get_u32(ifindex));
	return __dev_get_by_name(net, nla_data(ifname));
}

/**
 * pvsvpn_netlink_device() - the device that a request means
 * @net: namespace of the request
 * @attrs: its attributes, of whichever set
 * @extack: where to say what is wrong with them
 *
 * Context: process, RTNL held.
 * Return: the device, valid as long as RTNL is held, or an ERR_PTR.
 */
struct pvsvpn_device *pvsvpn_netlink_device(struct net *net,
					    struct nlattr **attrs,
					    struct netlink_ext_ack *extack)
{
	const struct nlattr *ifindex = attrs[PVSVPN_A_DEVICE_IFINDEX];
	const struct nlattr *ifname = attrs[PVSVPN_A_DEVICE_IFNAME];
	const struct nlattr *given = ifindex ?: ifname;
	struct net_device *dev;

	ASSERT_RTNL();
	if (!given) {
		missing(attrs, PVSVPN_A_DEVICE_IFINDEX, extack,
			"the device, as ifindex or ifname,");
		return ERR_PTR(-EINVAL);
	}
	dev = device_find(net, ifindex, ifname);
	if (!dev) {
		NL_SET_ERR_MSG_ATTR(extack, given,
				    "no such device; see ip link");
		return ERR_PTR(-ENODEV);
	}
	if (!pvsvpn_device_is(dev)) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, given,
					"%s is not a pvsvpn device", dev->name);
		return ERR_PTR(-EOPNOTSUPP);
	}
	if (ifindex && ifname && nla_strcmp(ifname, dev->name)) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, ifname,
					"ifindex %d is %s; give one of the two",
					dev->ifindex, dev->name);
		return ERR_PTR(-EINVAL);
	}
	return netdev_priv(dev);
}

/**
 * pvsvpn_netlink_peer() - the peer that a request means
 * @pvs: the device
 * @attrs: attributes of the request, of the set peer or SA
 * @extack: where to say what is wrong with them
 *
 * Context: process, RTNL held.
 * Return: the peer, valid as long as RTNL is held, or an ERR_PTR.
 */
struct pvsvpn_peer *pvsvpn_netlink_peer(struct pvsvpn_device *pvs,
					struct nlattr **attrs,
					struct netlink_ext_ack *extack)
{
	const struct nlattr *name = attrs[PVSVPN_A_PEER_NAME];
	struct pvsvpn_peer *peer;

	if (missing(attrs, PVSVPN_A_PEER_NAME, extack, "name of the peer"))
		return ERR_PTR(-EINVAL);
	peer = pvsvpn_peer_find(pvs, nla_data(name));
	if (peer)
		return peer;
	NL_SET_ERR_MSG_ATTR_FMT(extack, name, "%s has no peer %.47s",
				pvs->dev->name, (const char *)nla_data(name));
	return ERR_PTR(-ENOENT);
}

static const char *dir_name(u8 dir)
{
	return dir == PVSVPN_DIRECTION_OUT ? "outbound" : "inbound";
}

/**
 * pvsvpn_netlink_sa() - the SA that a request means
 * @peer: the peer
 * @attrs: attributes of the request
 * @extack: where to say what is wrong with them
 *
 * Context: process, RTNL held.
 * Return: the SA, valid as long as RTNL is held, or an ERR_PTR.
 */
struct pvsvpn_sa *pvsvpn_netlink_sa(struct pvsvpn_peer *peer,
				    struct nlattr **attrs,
				    struct netlink_ext_ack *extack)
{
	struct pvsvpn_sa *sa;
	u32 spi;
	u8 dir;

	if (missing(attrs, PVSVPN_A_SA_DIR, extack, "dir of the SA") ||
	    missing(attrs, PVSVPN_A_SA_SPI, extack, "spi of the SA"))
		return ERR_PTR(-EINVAL);
	dir = nla_get_u8(attrs[PVSVPN_A_SA_DIR]);
	spi = nla_get_u32(attrs[PVSVPN_A_SA_SPI]);
	list_for_each_entry(sa, &peer->sas, list)
		if (sa->dir == dir && be32_to_cpu(sa->spi) == spi)
			return sa;
	NL_SET_ERR_MSG_ATTR_FMT(extack, attrs[PVSVPN_A_SA_SPI],
				"peer %.24s has no %s SA with spi 0x%08x",
				peer->name, dir_name(dir), spi);
	return ERR_PTR(-ENOENT);
}

/*
 * The family has asked for CAP_NET_ADMIN where the device is now. What goes out
 * under another peer, SA or mark leaves from where it was created.
 */
static int may_change(struct sk_buff *skb, const struct pvsvpn_device *pvs,
		      struct netlink_ext_ack *extack)
{
	if (netlink_ns_capable(skb, pvs->net->user_ns, CAP_NET_ADMIN))
		return 0;
	NL_SET_ERR_MSG_FMT(extack,
			   "needs CAP_NET_ADMIN in the namespace %s was created in",
			   pvs->dev->name);
	return -EPERM;
}

static struct pvsvpn_device *changed_device(struct sk_buff *skb,
					    struct genl_info *info)
{
	struct pvsvpn_device *pvs;
	int err;

	pvs = pvsvpn_netlink_device(genl_info_net(info), info->attrs,
				    info->extack);
	if (IS_ERR(pvs))
		return pvs;
	err = may_change(skb, pvs, info->extack);
	return err ? ERR_PTR(err) : pvs;
}

static struct pvsvpn_peer *changed_peer(struct sk_buff *skb,
					struct genl_info *info)
{
	struct pvsvpn_device *pvs = changed_device(skb, info);

	if (IS_ERR(pvs))
		return ERR_CAST(pvs);
	return pvsvpn_netlink_peer(pvs, info->attrs, info->extack);
}

/* ---- device ---- */

static int device_check_mtu(const struct pvsvpn_device *pvs,
			    const struct nlattr *attr,
			    struct netlink_ext_ack *extack)
{
	const struct net_device *dev = pvs->dev;
	u32 mtu = attr ? nla_get_u32(attr) : 0;

	if (!mtu || (mtu >= dev->min_mtu && mtu <= dev->max_mtu))
		return 0;
	NL_SET_ERR_MSG_ATTR_FMT(extack, attr,
				"mtu %u is out of range; %s takes %u to %u, 0 is auto",
				mtu, dev->name, dev->min_mtu, dev->max_mtu);
	return -EINVAL;
}

static int device_set_mtu(struct pvsvpn_device *pvs, const struct nlattr *attr,
			  struct netlink_ext_ack *extack)
{
	u32 mtu = nla_get_u32(attr);
	int err;

	if (!mtu) {
		pvsvpn_pmtu_auto(pvs);
		return 0;
	}
	err = dev_set_mtu(pvs->dev, mtu);
	if (err) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, attr,
					"mtu %u was refused by the stack", mtu);
		return err;
	}
	/* The driver is not called for the value that it has already. */
	pvs->mtu_auto = false;
	return 0;
}

static void device_set_fwmark(struct pvsvpn_device *pvs, u32 fwmark)
{
	WRITE_ONCE(pvs->fwmark, fwmark);
	pvsvpn_peer_reset_routes(pvs);
	pvsvpn_device_refresh(pvs);
}

static int device_set(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *fwmark = info->attrs[PVSVPN_A_DEVICE_FWMARK];
	const struct nlattr *mtu = info->attrs[PVSVPN_A_DEVICE_MTU];
	struct pvsvpn_device *pvs = changed_device(skb, info);
	int err;

	if (IS_ERR(pvs))
		return PTR_ERR(pvs);
	if (!mtu && !fwmark) {
		GENL_SET_ERR_MSG(info, "nothing to set; give mtu or fwmark");
		return -EINVAL;
	}
	err = device_check_mtu(pvs, mtu, info->extack);
	if (!err && mtu)
		err = device_set_mtu(pvs, mtu, info->extack);
	if (!err && fwmark)
		device_set_fwmark(pvs, nla_get_u32(fwmark));
	return err;
}

/**
 * pvsvpn_nl_device_set_doit() - change settings of a device
 * @skb: the request
 * @info: its attributes
 *
 * Context: process. Return: 0 or a negative errno, with its text in extack.
 */
int pvsvpn_nl_device_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err;

	rtnl_lock();
	err = device_set(skb, info);
	rtnl_unlock();
	return err;
}

/* ---- what a request says of a peer ---- */

static int name_check(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	const char *name = nla_data(attr);
	size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz0123456789._-");

	if (len && len <= PVSVPN_PEER_NAME_MAX && !name[len])
		return 0;
	NL_SET_ERR_MSG_ATTR_FMT(extack, attr,
				"a peer's name is 1 to %u of A-Z a-z 0-9 . _ -",
				PVSVPN_PEER_NAME_MAX);
	return -EINVAL;
}

static int window_check(const struct nlattr *attr,
			struct netlink_ext_ack *extack)
{
	u32 window = nla_get_u32(attr);

	if (window >= PVSVPN_REPLAY_WINDOW_MIN &&
	    window <= PVSVPN_REPLAY_WINDOW_MAX)
		return 0;
	NL_SET_ERR_MSG_ATTR_FMT(extack, attr,
				"replay-window %u is out of range; use %u to %u packets",
				window, PVSVPN_REPLAY_WINDOW_MIN,
				PVSVPN_REPLAY_WINDOW_MAX);
	return -EINVAL;
}

static int encap_check(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	if (nla_get_u8(attr) == PVSVPN_ENCAP_NONE)
		return 0;
	NL_SET_ERR_MSG_ATTR_FMT(extack, attr,
				"encap %u is not supported yet; use %u (none)",
				nla_get_u8(attr), PVSVPN_ENCAP_NONE);
	return -EOPNOTSUPP;
}

/* IPv4 or IPv6 by its length; -EINVAL with a text when it is neither. */
static int addr_family(const struct nlattr *attr,
		       struct netlink_ext_ack *extack)
{
	switch (nla_len(attr)) {
	case sizeof(struct in_addr):
		return AF_INET;
	case sizeof(struct in6_addr):
		return AF_INET6;
	}
	NL_SET_ERR_MSG_ATTR_FMT(extack, attr,
				"address has %d bytes; IPv4 has 4, IPv6 has 16",
				nla_len(attr));
	return -EINVAL;
}

/* Both families before either address, to tell a mix from plain IPv6. */
static int families_check(const struct nlattr *local,
			  const struct nlattr *remote,
			  struct netlink_ext_ack *extack)
{
	int a = local ? addr_family(local, extack) : AF_INET;
	int b = remote ? addr_family(remote, extack) : AF_INET;

	if (a < 0 || b < 0)
		return -EINVAL;
	if (local && remote && a != b) {
		NL_SET_ERR_MSG_ATTR(extack, local,
				    "local and remote are of different families; use one");
		return -EINVAL;
	}
	if (a == AF_INET && b == AF_INET)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, b == AF_INET ? local : remote,
			    "IPv6 outside is not supported yet");
	return -EOPNOTSUPP;
}

/* No route is asked here: whether local is ours may change at any time. */
static const char *local_fault(__be32 addr)
{
	if (ipv4_is_multicast(addr))
		return "a multicast address";
	if (ipv4_is_lbcast(addr))
		return "the broadcast address";
	return NULL;
}

static const char *remote_fault(struct net *net, __be32 addr)
{
	if (!addr)
		return "the unspecified address";
	if (local_fault(addr))
		return local_fault(addr);
	switch (inet_addr_type(net, addr)) {
	case RTN_LOCAL:
		return "this host's own";
	case RTN_BROADCAST:
		return "a subnet's broadcast address";
	}
	return NULL;
}

static int local_parse(struct pvsvpn_peer_config *config,
		       const struct nlattr *attr,
		       struct netlink_ext_ack *extack)
{
	__be32 addr = nla_get_in_addr(attr);
	const char *fault = local_fault(addr);

	if (fault) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, attr,
					"local %pI4 is %s; give one of this host's",
					&addr, fault);
		return -EINVAL;
	}
	config->local = (xfrm_address_t){ .a4 = addr };
	return 0;
}

static int remote_parse(struct pvsvpn_peer_config *config, struct net *net,
			const struct nlattr *attr,
			struct netlink_ext_ack *extack)
{
	__be32 addr = nla_get_in_addr(attr);
	const char *fault = remote_fault(net, addr);

	if (fault) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, attr,
					"remote %pI4 is %s; give the peer's",
					&addr, fault);
		return -EINVAL;
	}
	config->remote = (xfrm_address_t){ .a4 = addr };
	return 0;
}

static int endpoint_parse(struct pvsvpn_peer_config *config, struct net *net,
			  struct genl_info *info)
{
	const struct nlattr *remote = info->attrs[PVSVPN_A_PEER_REMOTE];
	const struct nlattr *local = info->attrs[PVSVPN_A_PEER_LOCAL];
	int err;

	err = families_check(local, remote, info->extack);
	if (!err && local)
		err = local_parse(config, local, info->extack);
	if (!err && remote)
		err = remote_parse(config, net, remote, info->extack);
	if (err)
		return err;
	if (xfrm_addr_equal(&config->local, &config->remote, AF_INET)) {
		NL_SET_ERR_MSG_ATTR(info->extack, local ?: remote,
				    "local and remote are the same; remote is the peer's");
		return -EINVAL;
	}
	return 0;
}

/* ---- subnets ---- */

static void prefix_print(char *text, const struct pvsvpn_prefix *prefix)
{
	if (prefix->family == AF_INET)
		scnprintf(text, PREFIX_STRLEN, "%pI4/%u", &prefix->addr,
			  prefix->len);
	else
		scnprintf(text, PREFIX_STRLEN, "%pI6c/%u", &prefix->addr,
			  prefix->len);
}

/* Takes the host bits away. Return: whether there were any. */
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
	char given[PREFIX_STRLEN], meant[PREFIX_STRLEN];

	if (!prefix_mask(&masked))
		return 0;
	prefix_print(given, prefix);
	prefix_print(meant, &masked);
	if (strlen(given) + strlen(meant) < 50)
		NL_SET_ERR_MSG_ATTR_FMT(extack, attr,
					"host bits set; %s means %s",
					given, meant);
	else
		NL_SET_ERR_MSG_ATTR_FMT(extack, attr,
					"host bits set; give %s", meant);
	return -EINVAL;
}

static int prefix_set(struct pvsvpn_prefix *prefix, const struct nlattr *addr,
		      const struct nlattr *length,
		      struct netlink_ext_ack *extack)
{
	int family = addr_family(addr, extack);
	u8 max;

	if (family < 0)
		return family;
	max = 8 * nla_len(addr);
	*prefix = (struct pvsvpn_prefix){
		.family = family,
		.len = nla_get_u8(length),
	};
	nla_memcpy(&prefix->addr, addr, sizeof(prefix->addr));
	if (prefix->len > max) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, length,
					"prefix-length %u is out of range; use 0 to %u",
					prefix->len, max);
		return -EINVAL;
	}
	return prefix_check_bits(prefix, addr, extack);
}

static int prefix_parse(struct pvsvpn_prefix *prefix, const struct nlattr *attr,
			struct netlink_ext_ack *extack)
{
	struct nlattr *attrs[ARRAY_SIZE(pvsvpn_subnet_nl_policy)];
	int err;

	err = nla_parse_nested(attrs, ARRAY_SIZE(attrs) - 1, attr,
			       pvsvpn_subnet_nl_policy, extack);
	if (err)
		return err;
	if (missing(attrs, PVSVPN_A_SUBNET_ADDRESS, extack,
		    "address of a subnet") ||
	    missing(attrs, PVSVPN_A_SUBNET_PREFIX_LENGTH, extack,
		    "prefix-length of a subnet"))
		return -EINVAL;
	return prefix_set(prefix, attrs[PVSVPN_A_SUBNET_ADDRESS],
			  attrs[PVSVPN_A_SUBNET_PREFIX_LENGTH], extack);
}

static int prefix_check_twice(const struct pvsvpn_prefix *prefix,
			      const struct pvsvpn_peer_config *config,
			      const struct nlattr *attr,
			      struct netlink_ext_ack *extack)
{
	char text[PREFIX_STRLEN];
	unsigned int i;

	for (i = 0; i < config->prefix_count; i++) {
		if (memcmp(prefix, &config->prefixes[i], sizeof(*prefix)))
			continue;
		prefix_print(text, prefix);
		NL_SET_ERR_MSG_ATTR_FMT(extack, attr,
					"%s is given twice; give it once",
					text);
		return -EINVAL;
	}
	return 0;
}

/* Nested prefixes are fine; the very same one is not. */
static int prefix_check_owner(const struct pvsvpn_prefix *prefix,
			      struct pvsvpn_device *pvs,
			      const struct pvsvpn_peer *peer,
			      const struct nlattr *attr,
			      struct netlink_ext_ack *extack)
{
	const struct pvsvpn_peer *owner = pvsvpn_selector_owner(pvs, prefix);
	char text[PREFIX_STRLEN];
	bool fits;

	if (!owner || owner == peer)
		return 0;
	prefix_print(text, prefix);
	fits = strlen(text) + strnlen(owner->name, 24) <= 34;
	if (owner->default_subnets)
		NL_SET_ERR_MSG_ATTR_FMT(extack, attr,
					"peer %.24s has no subnets, so it takes %s; set some",
					owner->name, text);
	else
		NL_SET_ERR_MSG_ATTR_FMT(extack, attr,
					"%s is peer %.24s's%s", text,
					owner->name,
					fits ? " already; take it from there first" : "");
	return -EEXIST;
}

/* A new peer without subnets takes everything, if nobody else does. */
static int default_check(struct pvsvpn_device *pvs,
			 struct netlink_ext_ack *extack)
{
	static const struct pvsvpn_prefix everything[] = {
		{ .family = AF_INET },
		{ .family = AF_INET6 },
	};
	const struct pvsvpn_peer *owner;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(everything); i++) {
		owner = pvsvpn_selector_owner(pvs, &everything[i]);
		if (!owner)
			continue;
		NL_SET_ERR_MSG_FMT(extack,
				   "peer %.24s takes %s already; give this one subnets",
				   owner->name, i ? "::/0" : "0.0.0.0/0");
		return -EEXIST;
	}
	return 0;
}

static unsigned int subnets_count(struct genl_info *info)
{
	const struct nlattr *attr;
	unsigned int count = 0;
	int rem;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem)
		if (nla_type(attr) == PVSVPN_A_PEER_SUBNET)
			count++;
	return count;
}

static int subnets_fill(struct pvsvpn_peer_config *config,
			struct pvsvpn_prefix *prefixes,
			struct pvsvpn_device *pvs, struct pvsvpn_peer *peer,
			struct genl_info *info)
{
	struct pvsvpn_prefix *prefix = prefixes;
	const struct nlattr *attr;
	int rem, err;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != PVSVPN_A_PEER_SUBNET)
			continue;
		err = prefix_parse(prefix, attr, info->extack);
		if (!err)
			err = prefix_check_twice(prefix, config, attr,
						 info->extack);
		if (!err)
			err = prefix_check_owner(prefix, pvs, peer, attr,
						 info->extack);
		if (err)
			return err;
		prefix++;
		config->prefix_count++;
	}
	return 0;
}

/* On success config->prefixes is the caller's to kvfree(). */
static int subnets_parse(struct pvsvpn_peer_config *config,
			 struct pvsvpn_device *pvs, struct pvsvpn_peer *peer,
			 struct genl_info *info)
{
	unsigned int count = subnets_count(info);
	struct pvsvpn_prefix *prefixes;
	int err;

	if (!count) {
		config->keep_prefixes = true;
		return peer ? 0 : default_check(pvs, info->extack);
	}
	if (count > SUBNETS_MAX) {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack,
					info->attrs[PVSVPN_A_PEER_SUBNET],
					"%u subnets are too many; a peer takes up to %u",
					count, SUBNETS_MAX);
		return -EINVAL;
	}
	prefixes = kvcalloc(count, sizeof(*prefixes), GFP_KERNEL);
	if (!prefixes)
		return -ENOMEM;
	config->prefixes = prefixes;
	err = subnets_fill(config, prefixes, pvs, peer, info);
	if (err)
		kvfree(prefixes);
	return err;
}

/* ---- peer ---- */

/* What a request leaves out is the default, or what the peer has. */
static void config_start(struct pvsvpn_peer_config *config,
			 const struct pvsvpn_peer *peer)
{
	const struct pvsvpn_endpoint *endpoint;

	memset(config, 0, sizeof(*config));
	config->family = AF_INET;
	config->encap = PVSVPN_ENCAP_NONE;
	config->replay_window = PVSVPN_REPLAY_WINDOW_DEFAULT;
	if (!peer)
		return;
	endpoint = pvsvpn_peer_endpoint(peer);
	config->name = peer->name;
	config->family = endpoint->family;
	config->encap = endpoint->encap;
	config->local = endpoint->local;
	config->remote = endpoint->remote;
	config->replay_window = peer->replay_window;
}

/* On success config->prefixes is the caller's to kvfree(). */
static int config_parse(struct pvsvpn_peer_config *config,
			struct pvsvpn_device *pvs, struct pvsvpn_peer *peer,
			struct genl_info *info)
{
	const struct nlattr *window = info->attrs[PVSVPN_A_PEER_REPLAY_WINDOW];
	const struct nlattr *encap = info->attrs[PVSVPN_A_PEER_ENCAP];
	int err;

	config_start(config, peer);
	err = endpoint_parse(config, pvs->net, info);
	if (!err && encap)
		err = encap_check(encap, info->extack);
	if (!err && window)
		err = window_check(window, info->extack);
	if (err)
		return err;
	if (encap)
		config->encap = nla_get_u8(encap);
	if (window)
		config->replay_window = nla_get_u32(window);
	return subnets_parse(config, pvs, peer, info);
}

static int peer_check_new(struct pvsvpn_device *pvs, struct genl_info *info)
{
	const struct nlattr *name = info->attrs[PVSVPN_A_PEER_NAME];
	int err;

	if (missing(info->attrs, PVSVPN_A_PEER_NAME, info->extack,
		    "name of the peer") ||
	    missing(info->attrs, PVSVPN_A_PEER_REMOTE, info->extack,
		    "remote, the outer address of the peer,"))
		return -EINVAL;
	err = name_check(name, info->extack);
	if (err)
		return err;
	if (!pvsvpn_peer_find(pvs, nla_data(name)))
		return 0;
	NL_SET_ERR_MSG_ATTR_FMT(info->extack, name,
				"%s has a peer %.24s already; use peer set",
				pvs->dev->name, (const char *)nla_data(name));
	return -EEXIST;
}

static int peer_new(struct sk_buff *skb, struct genl_info *info)
{
	struct pvsvpn_device *pvs = changed_device(skb, info);
	struct pvsvpn_peer_config config;
	int err;

	if (IS_ERR(pvs))
		return PTR_ERR(pvs);
	err = peer_check_new(pvs, info);
	if (err)
		return err;
	err = config_parse(&config, pvs, NULL, info);
	if (err)
		return err;
	config.name = nla_data(info->attrs[PVSVPN_A_PEER_NAME]);
	err = pvsvpn_peer_new(pvs, &config, info->extack);
	kvfree(config.prefixes);
	return err;
}

/**
 * pvsvpn_nl_peer_new_doit() - add a peer
 * @skb: the request
 * @info: its attributes
 *
 * Context: process. Return: 0 or a negative errno, with its text in extack.
 */
int pvsvpn_nl_peer_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err;

	rtnl_lock();
	err = peer_new(skb, info);
	rtnl_unlock();
	return err;
}

static int spi_taken(const struct pvsvpn_sa *sa, const struct nlattr *attr,
		     struct netlink_ext_ack *extack)
{
	NL_SET_ERR_MSG_ATTR_FMT(extack, attr,
				"spi 0x%08x is peer %.20s's on %s; use another",
				be32_to_cpu(sa->spi), sa->peer->name,
				sa->peer->pvs->dev->name);
	return -EEXIST;
}

/* Other addresses may bring SAs together that were apart. */
static int peer_check_sas(const struct pvsvpn_peer *peer,
			  const struct pvsvpn_peer_config *config,
			  struct genl_info *info)
{
	const struct pvsvpn_endpoint endpoint = {
		.family = config->family,
		.local = config->local,
		.remote = config->remote,
	};
	const struct nlattr *attr = info->attrs[PVSVPN_A_PEER_REMOTE] ?:
				    info->attrs[PVSVPN_A_PEER_LOCAL];
	const struct pvsvpn_sa *sa, *other;

	if (!attr)
		return 0;
	list_for_each_entry(sa, &peer->sas, list) {
		other = pvsvpn_sad_conflict(peer->pvs->net, sa->dir, sa->spi,
					    &endpoint, peer);
		if (other)
			return spi_taken(other, attr, info->extack);
	}
	return 0;
}

static int peer_set(struct sk_buff *skb, struct genl_info *info)
{
	struct pvsvpn_peer *peer = changed_peer(skb, info);
	struct pvsvpn_peer_config config;
	int err;

	if (IS_ERR(peer))
		return PTR_ERR(peer);
	err = config_parse(&config, peer->pvs, peer, info);
	if (err)
		return err;
	err = peer_check_sas(peer, &config, info);
	if (!err)
		err = pvsvpn_peer_set(peer, &config, info->extack);
	kvfree(config.prefixes);
	return err;
}

/**
 * pvsvpn_nl_peer_set_doit() - change a peer
 * @skb: the request
 * @info: its attributes; what is not among them stays
 *
 * Context: process. Return: 0 or a negative errno, with its text in extack.
 */
int pvsvpn_nl_peer_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err;

	rtnl_lock();
	err = peer_set(skb, info);
	rtnl_unlock();
	return err;
}

/**
 * pvsvpn_nl_peer_del_doit() - remove a peer with its SAs
 * @skb: the request
 * @info: its attributes
 *
 * Context: process. Return: 0 or a negative errno, with its text in extack.
 */
int pvsvpn_nl_peer_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct pvsvpn_peer *peer;

	rtnl_lock();
	peer = changed_peer(skb, info);
	if (!IS_ERR(peer))
		pvsvpn_peer_del(peer);
	rtnl_unlock();
	return PTR_ERR_OR_ZERO(peer);
}

/* ---- SA ---- */

static int spi_parse(struct pvsvpn_sa_config *config, const struct nlattr *attr,
		     struct netlink_ext_ack *extack)
{
	u32 spi = nla_get_u32(attr);

	config->spi = cpu_to_be32(spi);
	if (spi >= PVSVPN_SPI_MIN)
		return 0;
	NL_SET_ERR_MSG_ATTR_FMT(extack, attr,
				"spi 0x%08x is reserved (RFC 4303); use 0x%x or higher",
				spi, PVSVPN_SPI_MIN);
	return -EINVAL;
}

static u16 get_u16_or_0(const struct nlattr *attr)
{
	return attr ? nla_get_u16(attr) : 0;
}

static int transform_parse(struct pvsvpn_sa_config *config,
			   const struct nlattr *attr,
			   struct netlink_ext_ack *extack)
{
	struct nlattr *attrs[ARRAY_SIZE(pvsvpn_transform_nl_policy)];
	u16 encryption, bits, integrity;
	int err;

	err = nla_parse_nested(attrs, ARRAY_SIZE(attrs) - 1, attr,
			       pvsvpn_transform_nl_policy, extack);
	if (err)
		return err;
	if (missing(attrs, PVSVPN_A_TRANSFORM_ENCRYPTION, extack,
		    "encryption of the transform"))
		return -EINVAL;
	encryption = nla_get_u16(attrs[PVSVPN_A_TRANSFORM_ENCRYPTION]);
	bits = get_u16_or_0(attrs[PVSVPN_A_TRANSFORM_KEY_LENGTH]);
	integrity = get_u16_or_0(attrs[PVSVPN_A_TRANSFORM_INTEGRITY]);
	config->transform = pvsvpn_transform_find(encryption, bits, integrity);
	if (config->transform)
		return 0;
	NL_SET_ERR_MSG_ATTR_FMT(extack, attr,
				"no transform with encryption %u key-length %u integrity %u",
				encryption, bits, integrity);
	return -EOPNOTSUPP;
}

static int key_parse(struct pvsvpn_sa_config *config, const struct nlattr *attr,
		     struct netlink_ext_ack *extack)
{
	unsigned int len = pvsvpn_transform_key_len(config->transform);

	config->key = nla_data(attr);
	config->key_len = nla_len(attr);
	if (config->key_len == len)
		return 0;
	NL_SET_ERR_MSG_ATTR_FMT(extack, attr,
				"key is %u bytes, %s takes %u (key and salt)",
				config->key_len, config->transform->name, len);
	return -EINVAL;
}

static int sa_window_parse(struct pvsvpn_sa_config *config,
			   const struct nlattr *attr,
			   struct netlink_ext_ack *extack)
{
	if (config->dir == PVSVPN_DIRECTION_OUT) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "replay-window is for inbound SAs; leave it out here");
		return -EINVAL;
	}
	config->replay_window = nla_get_u32(attr);
	return window_check(attr, extack);
}

static int seq_parse(struct pvsvpn_sa_config *config, const struct nlattr *attr,
		     struct netlink_ext_ack *extack)
{
	u64 seq = nla_get_u64(attr);

	config->seq = seq;
	if (seq <= U32_MAX)
		return 0;
	NL_SET_ERR_MSG_ATTR_FMT(extack, attr,
				"seq %llu is too high; numbers end at %u", seq,
				U32_MAX);
	return -EINVAL;
}

static bool sa_incomplete(struct genl_info *info)
{
	struct netlink_ext_ack *extack = info->extack;
	struct nlattr **attrs = info->attrs;

	return missing(attrs, PVSVPN_A_SA_PEER, extack, "name of the peer") ||
	       missing(attrs, PVSVPN_A_SA_DIR, extack, "dir of the SA") ||
	       missing(attrs, PVSVPN_A_SA_SPI, extack, "spi of the SA") ||
	       missing(attrs, PVSVPN_A_SA_TRANSFORM, extack,
		       "transform of the SA") ||
	       missing(attrs, PVSVPN_A_SA_KEY, extack, "key of the SA");
}

static int sa_parse(struct pvsvpn_sa_config *config, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	int err;

	memset(config, 0, sizeof(*config));
	if (sa_incomplete(info))
		return -EINVAL;
	config->dir = nla_get_u8(attrs[PVSVPN_A_SA_DIR]);
	err = spi_parse(config, attrs[PVSVPN_A_SA_SPI], info->extack);
	if (!err)
		err = transform_parse(config, attrs[PVSVPN_A_SA_TRANSFORM],
				      info->extack);
	if (!err)
		err = key_parse(config, attrs[PVSVPN_A_SA_KEY], info->extack);
	if (!err && attrs[PVSVPN_A_SA_REPLAY_WINDOW])
		err = sa_window_parse(config, attrs[PVSVPN_A_SA_REPLAY_WINDOW],
				      info->extack);
	if (!err && attrs[PVSVPN_A_SA_SEQ])
		err = seq_parse(config, attrs[PVSVPN_A_SA_SEQ], info->extack);
	return err;
}

/* The peer that is to have the SA, if nothing stands in the way. */
static struct pvsvpn_peer *sa_place(struct sk_buff *skb, struct genl_info *info,
				    const struct pvsvpn_sa_config *config)
{
	struct pvsvpn_peer *peer = changed_peer(skb, info);
	struct pvsvpn_sa *other;

	if (IS_ERR(peer))
		return peer;
	other = pvsvpn_sad_conflict(peer->pvs->net, config->dir, config->spi,
				    pvsvpn_peer_endpoint(peer), NULL);
	if (other)
		return ERR_PTR(spi_taken(other, info->attrs[PVSVPN_A_SA_SPI],
					 info->extack));
	return peer;
}

static int sa_add(struct sk_buff *skb, struct genl_info *info,
		  const struct pvsvpn_sa_config *config, struct pvsvpn_sa *sa)
{
	struct pvsvpn_peer *peer;
	int err;

	rtnl_lock();
	peer = sa_place(skb, info, config);
	err = PTR_ERR_OR_ZERO(peer);
	if (!err)
		err = pvsvpn_sa_add(sa, peer, config->replay_window);
	rtnl_unlock();
	return err;
}

/*
 * Setting the transform up may load a module, which must not wait for RTNL. So
 * the place is looked at before, to refuse early, and again when the SA is
 * there.
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
	err = sa_add(skb, info, &config, sa);
	if (err)
		pvsvpn_sa_destroy(sa);
	return err;
}

/* Neither freed memory nor an error that quotes the request shows a key. */
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
 * Context: process. Return: 0 or a negative errno, with its text in extack.
 */
int pvsvpn_nl_sa_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err = sa_new(skb, info);

	keys_wipe(info);
	return err;
}

/**
 * pvsvpn_nl_sa_del_doit() - remove an SA
 * @skb: the request
 * @info: its attributes
 *
 * Context: process. Return: 0 or a negative errno, with its text in extack.
 */
int pvsvpn_nl_sa_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct pvsvpn_sa *sa = NULL;
	struct pvsvpn_peer *peer;

	rtnl_lock();
	peer = changed_peer(skb, info);
	sa = IS_ERR(peer) ? ERR_CAST(peer) :
			    pvsvpn_netlink_sa(peer, info->attrs, info->extack);
	if (!IS_ERR(sa))
		pvsvpn_sa_del(sa);
	rtnl_unlock();
	return PTR_ERR_OR_ZERO(sa);
}

/* ---- family ---- */

static const struct genl_multicast_group groups[] = {
	[PVSVPN_NLGRP_EVENTS] = { .name = PVSVPN_MCGRP_EVENTS },
};

struct genl_family pvsvpn_nl_family __ro_after_init = {
	.name = PVSVPN_FAMILY_NAME,
	.version = PVSVPN_FAMILY_VERSION,
	.netnsok = true,
	.module = THIS_MODULE,
	.ops = pvsvpn_nl_ops,
	.n_ops = ARRAY_SIZE(pvsvpn_nl_ops),
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

/**
 * pvsvpn_netlink_init() - let user space in
 *
 * Context: process. Return: 0 or a negative errno.
 */
int __init pvsvpn_netlink_init(void)
{
	return genl_register_family(&pvsvpn_nl_family);
}

/**
 * pvsvpn_netlink_exit() - no more requests; waits for those under way
 *
 * Context: process.
 */
void pvsvpn_netlink_exit(void)
{
	genl_unregister_family(&pvsvpn_nl_family);
}
