// SPDX-License-Identifier: GPL-2.0
/* Requests about peers: parse them, and add, change, remove or show a peer. */
#include <linux/ctype.h>
#include <linux/inetdevice.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/route.h>

#include "device.h"
#include "endpoint.h"
#include "netlink.h"
#include "peer.h"
#include "sa.h"
#include "sad.h"
#include "stats.h"
#include "tunnel.h"
#include "xfrm_adopt.h"

/* ---- name, addresses ---- */

/* The kernel's isalnum() accepts Latin-1 too. */
static bool name_char(char c)
{
	return isascii(c) && (isalnum(c) || c == '.' || c == '_' || c == '-');
}

static int name_check(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	const char *name = nla_data(attr);
	size_t len = 0;

	while (name_char(name[len]))
		len++;
	if (len && len <= PVSVPN_PEER_NAME_MAX && !name[len])
		return 0;
	return pvsvpn_netlink_refuse(extack, attr, -EINVAL,
				     "a peer's name is 1 to %u of A-Z a-z 0-9 . _ -",
				     PVSVPN_PEER_NAME_MAX);
}

static int encap_parse(struct pvsvpn_peer_config *config, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[PVSVPN_A_PEER_ENCAP];

	if (!attr)
		return 0;
	config->encap = nla_get_u8(attr);
	if (config->encap <= PVSVPN_ENCAP_UDP)
		return 0;
	return pvsvpn_netlink_refuse(info->extack, attr, -EINVAL,
				     "there is no encap %u; use %u (none) or %u (udp)",
				     config->encap, PVSVPN_ENCAP_NONE, PVSVPN_ENCAP_UDP);
}

/* Without UDP: refuse its settings in a request, and clear those that the peer had. */
static int udp_clear(struct pvsvpn_peer_config *config, struct genl_info *info)
{
	static const struct {
		int attr;
		const char *name;
	} only_udp[] = {
		{ PVSVPN_A_PEER_SPORT, "sport" },
		{ PVSVPN_A_PEER_DPORT, "dport" },
		{ PVSVPN_A_PEER_NAT_KEEPALIVE, "nat-keepalive" },
		{ PVSVPN_A_PEER_PIN, "pin" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(only_udp); i++) {
		const struct nlattr *attr = info->attrs[only_udp[i].attr];

		if (!attr)
			continue;
		return pvsvpn_netlink_refuse(info->extack, attr, -EINVAL,
					     "%s is for encap udp; leave it out, or set encap",
					     only_udp[i].name);
	}
	config->sport = 0;
	config->dport = 0;
	config->nat_keepalive = 0;
	config->pin = false;
	return 0;
}

static int udp_parse(struct pvsvpn_peer_config *config, struct genl_info *info)
{
	const struct nlattr *keepalive = info->attrs[PVSVPN_A_PEER_NAT_KEEPALIVE];
	const struct nlattr *sport = info->attrs[PVSVPN_A_PEER_SPORT];
	const struct nlattr *dport = info->attrs[PVSVPN_A_PEER_DPORT];
	const struct nlattr *pin = info->attrs[PVSVPN_A_PEER_PIN];

	if (config->encap != PVSVPN_ENCAP_UDP)
		return udp_clear(config, info);
	if (!config->sport) {
		config->sport = htons(PVSVPN_UDP_PORT_DEFAULT);
		config->dport = htons(PVSVPN_UDP_PORT_DEFAULT);
		config->nat_keepalive = PVSVPN_NAT_KEEPALIVE_DEFAULT;
	}
	if (sport)
		config->sport = htons(nla_get_u16(sport));
	if (dport)
		config->dport = htons(nla_get_u16(dport));
	if (keepalive)
		config->nat_keepalive = nla_get_u32(keepalive);
	if (pin)
		config->pin = nla_get_u8(pin);
	return 0;
}

/* Parse both families before the addresses, to detect a mix of IPv4 and IPv6. */
static int families_parse(struct pvsvpn_peer_config *config,
			  const struct nlattr *local,
			  const struct nlattr *remote,
			  struct netlink_ext_ack *extack)
{
	int a = local ? pvsvpn_netlink_addr_family(local, extack) :
			config->family;
	int b = remote ? pvsvpn_netlink_addr_family(remote, extack) :
			 config->family;

	if (a < 0 || b < 0)
		return -EINVAL;
	/* A new remote of the other family makes the old local invalid. */
	if (remote && !local && b != config->family) {
		config->local = (xfrm_address_t){};
		a = b;
	}
	config->family = b;
	if (a == b)
		return 0;
	return pvsvpn_netlink_refuse(extack, local, -EINVAL,
				     "local and remote are of different families; use one");
}

/* Do not check that local is an address of this host: this may change at any time. */
static const char *local_fault(u16 family, const xfrm_address_t *addr)
{
	if (family == AF_INET ? ipv4_is_multicast(addr->a4) : ipv6_addr_is_multicast(&addr->in6))
		return "a multicast address";
	if (family == AF_INET && ipv4_is_lbcast(addr->a4))
		return "the broadcast address";
	if (family == AF_INET6 && ipv6_addr_v4mapped(&addr->in6))
		return "an IPv4-mapped IPv6 address";
	return NULL;
}

static const char *remote_fault4(struct net *net, __be32 addr)
{
	switch (inet_addr_type(net, addr)) {
	case RTN_LOCAL:
		return "this host's own";
	case RTN_BROADCAST:
		/* Every address has this type as long as none is configured. */
		if (inet_addr_type(net, htonl(INADDR_LOOPBACK)) == RTN_BROADCAST)
			return NULL;
		return "a subnet's broadcast address";
	}
	return NULL;
}

static const char *remote_fault(struct net *net, u16 family, const xfrm_address_t *addr)
{
	if (xfrm_addr_any(addr, family))
		return "the unspecified address";
	if (local_fault(family, addr))
		return local_fault(family, addr);
	if (family == AF_INET)
		return remote_fault4(net, addr->a4);
	if (ipv6_addr_loopback(&addr->in6) || ipv6_chk_addr(net, &addr->in6, NULL, 0))
		return "this host's own";
	return NULL;
}

/* @net: the namespace of a remote address, NULL for a local address. */
static int addr_parse(xfrm_address_t *addr, const struct nlattr *attr, u16 family, struct net *net,
		      struct netlink_ext_ack *extack)
{
	const char *todo = net ? "; give the peer's" : "; give one of this host's";
	char text[PVSVPN_PREFIX_STRLEN];
	const char *fault;

	*addr = (xfrm_address_t){};
	nla_memcpy(addr, attr, sizeof(*addr));
	fault = net ? remote_fault(net, family, addr) : local_fault(family, addr);
	if (!fault)
		return 0;
	scnprintf(text, sizeof(text), family == AF_INET ? "%pI4" : "%pI6c", addr);
	return pvsvpn_netlink_refuse(extack, attr, -EINVAL, "%s %s is %s%s",
				     net ? "remote" : "local", text, fault,
				     strlen(text) + strlen(fault) < 42 ? todo : "");
}

static bool is_link_local(const struct pvsvpn_peer_config *config)
{
	return config->family == AF_INET6 &&
	       ipv6_addr_type(&config->remote.in6) & IPV6_ADDR_LINKLOCAL;
}

/* A link-local remote requires a link. For others a link or a VRF is optional. */
static int link_parse(struct pvsvpn_peer_config *config, struct net *net,
		      const struct nlattr *attr, const struct nlattr *remote,
		      struct netlink_ext_ack *extack)
{
	const struct net_device *dev;

	if (attr && !*(const char *)nla_data(attr))
		*config->link = '\0';
	if (!attr || !*(const char *)nla_data(attr)) {
		if (!is_link_local(config) || *config->link)
			return 0;
		return pvsvpn_netlink_refuse(extack, attr ?: remote, -EINVAL,
				"remote is link-local; say its link, as in fe80::1%%eth0");
	}
	dev = __dev_get_by_name(net, nla_data(attr));
	if (!dev)
		return pvsvpn_netlink_refuse(extack, attr, -ENODEV,
					     "no interface %.15s where the device was created",
					     (const char *)nla_data(attr));
	strscpy(config->link, dev->name, sizeof(config->link));
	return 0;
}

static int endpoint_parse(struct pvsvpn_peer_config *config, struct net *net,
			  struct genl_info *info)
{
	const struct nlattr *remote = info->attrs[PVSVPN_A_PEER_REMOTE];
	const struct nlattr *local = info->attrs[PVSVPN_A_PEER_LOCAL];
	int err;

	err = families_parse(config, local, remote, info->extack);
	if (!err && local)
		err = addr_parse(&config->local, local, config->family, NULL, info->extack);
	if (!err && remote) {
		/* The old link belongs to the old remote if that is link-local. */
		if (is_link_local(config))
			*config->link = '\0';
		err = addr_parse(&config->remote, remote, config->family, net, info->extack);
	}
	if (!err)
		err = link_parse(config, net, info->attrs[PVSVPN_A_PEER_LINK],
				 remote, info->extack);
	if (err)
		return err;
	if (xfrm_addr_equal(&config->local, &config->remote, config->family))
		return pvsvpn_netlink_refuse(info->extack, local ?: remote, -EINVAL,
					     "local and remote are the same; remote is the peer's");
	return 0;
}

/* ---- peer ---- */

/* Start with the settings of the peer, or with the defaults for a new peer. */
static void config_start(struct pvsvpn_peer_config *config, const struct pvsvpn_peer *peer)
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
	config->sport = endpoint->sport;
	config->dport = endpoint->dport;
	config->nat_keepalive = peer->nat_keepalive;
	config->pin = peer->pin;
	strscpy(config->link, endpoint->link, sizeof(config->link));
	config->local = endpoint->local;
	config->remote = endpoint->remote;
	config->mark = endpoint->mark;
	config->replay_window = peer->replay_window;
	config->keepalive = peer->liveness.keepalive;
	config->dead_after = peer->liveness.dead_after;
	config->tfc = peer->tfc;
}

static void config_free(const struct pvsvpn_peer_config *config)
{
	kvfree(config->prefixes);
	kvfree(config->locals);
}

/*
 * Settings that the request omits stay as in @peer. @owner may have the requested
 * prefixes already. On success the caller must call config_free().
 */
static int config_parse(struct pvsvpn_peer_config *config,
			struct pvsvpn_device *pvs, struct pvsvpn_peer *peer,
			struct pvsvpn_peer *owner, struct genl_info *info)
{
	int err;

	config_start(config, peer);
	err = endpoint_parse(config, pvs->net, info);
	if (!err)
		err = encap_parse(config, info);
	if (!err)
		err = pvsvpn_netlink_parse_window(&config->replay_window,
						  info->attrs[PVSVPN_A_PEER_REPLAY_WINDOW],
						  info->extack);
	if (!err)
		err = udp_parse(config, info);
	if (!err)
		err = pvsvpn_netlink_parse_liveness(config, info);
	return err ?: pvsvpn_netlink_parse_subnets(config, pvs, owner, info);
}

static int peer_check_new(struct pvsvpn_device *pvs, struct genl_info *info)
{
	const struct nlattr *name = info->attrs[PVSVPN_A_PEER_NAME];
	int err;

	if (pvsvpn_netlink_missing(info->attrs, PVSVPN_A_PEER_NAME,
				   info->extack, "name of the peer") ||
	    pvsvpn_netlink_missing(info->attrs, PVSVPN_A_PEER_REMOTE,
				   info->extack,
				   "remote, the outer address of the peer,"))
		return -EINVAL;
	err = name_check(name, info->extack);
	if (err)
		return err;
	if (!pvsvpn_peer_find(pvs, nla_data(name)))
		return 0;
	return pvsvpn_netlink_refuse(info->extack, name, -EEXIST,
				     "%s has a peer %.24s already; use peer set",
				     pvs->dev->name, (const char *)nla_data(name));
}

/* Return: a peer at that address that the device has created itself, to reuse; or NULL. */
static struct pvsvpn_peer *peer_made_before(struct pvsvpn_device *pvs, struct genl_info *info)
{
	struct pvsvpn_peer_config config = {};
	struct pvsvpn_peer *peer;

	if (endpoint_parse(&config, pvs->net, info))
		return NULL;
	rcu_read_lock();
	peer = pvsvpn_endpoint_find(pvs->net, pvs, config.family, &config.remote);
	rcu_read_unlock();
	return peer && peer->origin == PVSVPN_ORIGIN_XFRM ? peer : NULL;
}

/**
 * pvsvpn_nl_peer_new_doit() - add a peer
 * @skb: the request
 * @info: its attributes
 *
 * Context: process, RTNL held.
 * Return: 0 or a negative errno, with its text in extack.
 */
int pvsvpn_nl_peer_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct pvsvpn_device *pvs = pvsvpn_netlink_changed_device(skb, info);
	struct pvsvpn_peer_config config;
	struct pvsvpn_peer *peer;
	int err;

	if (IS_ERR(pvs))
		return PTR_ERR(pvs);
	err = peer_check_new(pvs, info);
	if (err)
		return err;
	peer = peer_made_before(pvs, info);
	err = config_parse(&config, pvs, NULL, peer, info);
	if (err)
		return err;
	config.name = nla_data(info->attrs[PVSVPN_A_PEER_NAME]);
	err = peer ? pvsvpn_tunnel_set_peer(peer, &config, info->extack) :
		     pvsvpn_tunnel_add_peer(pvs, &config, info->extack);
	config_free(&config);
	if (err)
		return err;
	pvsvpn_adopt_again(pvs);
	pvsvpn_adopt_hold(pvs, pvsvpn_netlink_wait(info));
	return 0;
}

/* New addresses may cause conflicts between SAs. */
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
		/* The SA of an XFRM state keeps its addresses. */
		if (sa->x)
			continue;
		other = pvsvpn_sad_conflict(peer->pvs->net, sa->dir, sa->spi, &endpoint, peer);
		if (other)
			return pvsvpn_netlink_spi_taken(other, attr, info->extack);
	}
	return 0;
}

/**
 * pvsvpn_nl_peer_set_doit() - change a peer
 * @skb: the request
 * @info: its attributes; omitted settings do not change
 *
 * Context: process, RTNL held.
 * Return: 0 or a negative errno, with its text in extack.
 */
int pvsvpn_nl_peer_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct pvsvpn_peer *peer = pvsvpn_netlink_changed_peer(skb, info);
	struct pvsvpn_peer_config config;
	int err;

	if (IS_ERR(peer))
		return PTR_ERR(peer);
	err = config_parse(&config, peer->pvs, peer, peer, info);
	if (err)
		return err;
	err = peer_check_sas(peer, &config, info);
	if (!err)
		err = pvsvpn_tunnel_set_peer(peer, &config, info->extack);
	config_free(&config);
	if (!err)
		pvsvpn_adopt_made_room(peer->pvs->net);
	return err;
}

/**
 * pvsvpn_nl_peer_del_doit() - remove a peer with its SAs
 * @skb: the request
 * @info: its attributes
 *
 * Context: process, RTNL held.
 * Return: 0 or a negative errno, with its text in extack.
 */
int pvsvpn_nl_peer_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct pvsvpn_peer *peer = pvsvpn_netlink_changed_peer(skb, info);
	struct pvsvpn_device *pvs;

	if (IS_ERR(peer))
		return PTR_ERR(peer);
	pvs = peer->pvs;
	if (peer->origin == PVSVPN_ORIGIN_XFRM)
		return pvsvpn_netlink_refuse(info->extack, info->attrs[PVSVPN_A_PEER_NAME], -EBUSY,
					     "peer %.24s goes with its XFRM states; delete those",
					     peer->name);
	/* If the peer has SAs of XFRM states, the device keeps it for them. */
	if (!pvsvpn_adopt_keep(peer))
		pvsvpn_tunnel_del_peer(peer);
	pvsvpn_adopt_again(pvs);
	pvsvpn_adopt_hold(pvs, pvsvpn_netlink_wait(info));
	return 0;
}

/* ---- showing a peer ---- */

static const struct pvsvpn_counter_attrs peer_counters = {
	.packets = { PVSVPN_A_PEER_RX_PACKETS, PVSVPN_A_PEER_TX_PACKETS },
	.bytes = { PVSVPN_A_PEER_RX_BYTES, PVSVPN_A_PEER_TX_BYTES },
	.drops = PVSVPN_A_PEER_DROPS,
	.drop = PVSVPN_A_PEER_DROP,
	.pad = PVSVPN_A_PEER_PAD,
	.reasons = PVSVPN_DROP_PEER_MAX,
};

static int addr_put(struct sk_buff *msg, int attr, u16 family, const xfrm_address_t *addr)
{
	return nla_put(msg, attr, family == AF_INET ? sizeof(addr->a4) : sizeof(*addr), addr);
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

static int peer_put_endpoint(struct sk_buff *msg, const struct pvsvpn_endpoint *endpoint)
{
	u16 family = endpoint->family;

	if (!xfrm_addr_any(&endpoint->local, family) &&
	    addr_put(msg, PVSVPN_A_PEER_LOCAL, family, &endpoint->local))
		return -EMSGSIZE;
	if (addr_put(msg, PVSVPN_A_PEER_REMOTE, family, &endpoint->remote) ||
	    (*endpoint->link && nla_put_string(msg, PVSVPN_A_PEER_LINK, endpoint->link)) ||
	    nla_put_u8(msg, PVSVPN_A_PEER_ENCAP, endpoint->encap) ||
	    udp_put(msg, endpoint))
		return -EMSGSIZE;
	return 0;
}

/**
 * pvsvpn_netlink_put_peer_ids() - put the names and numbers of a peer into a message
 * @msg: the message
 * @peer: the peer
 *
 * Context: process, RTNL held.
 * Return: 0, or -EMSGSIZE if there is no room.
 */
int pvsvpn_netlink_put_peer_ids(struct sk_buff *msg, const struct pvsvpn_peer *peer)
{
	const struct net_device *dev = peer->pvs->dev;

	if (nla_put_u32(msg, PVSVPN_A_PEER_IFINDEX, dev->ifindex) ||
	    nla_put_string(msg, PVSVPN_A_PEER_IFNAME, dev->name) ||
	    nla_put_string(msg, PVSVPN_A_PEER_NAME, peer->name) ||
	    nla_put_u32(msg, PVSVPN_A_PEER_ID, peer->id))
		return -EMSGSIZE;
	return 0;
}

/**
 * pvsvpn_netlink_put_peer() - put a peer into a message, without its subnets
 * @msg: the message
 * @peer: the peer
 * @counters: also the drops by reason
 *
 * There may be many subnets: pvsvpn_netlink_put_subnets() puts as many as fit.
 *
 * Context: process, RTNL held.
 * Return: 0, or -EMSGSIZE if there is no room.
 */
int pvsvpn_netlink_put_peer(struct sk_buff *msg, const struct pvsvpn_peer *peer, bool counters)
{
	if (pvsvpn_netlink_put_peer_ids(msg, peer) ||
	    peer_put_endpoint(msg, pvsvpn_peer_endpoint(peer)) ||
	    pvsvpn_netlink_put_liveness(msg, peer) ||
	    nla_put_u32(msg, PVSVPN_A_PEER_REPLAY_WINDOW,
			peer->replay_window) ||
	    nla_put_u8(msg, PVSVPN_A_PEER_ORIGIN, peer->origin) ||
	    nla_put_u8(msg, PVSVPN_A_PEER_UP, peer->up) ||
	    nla_put_u32(msg, PVSVPN_A_PEER_SAS, peer->sa_count) ||
	    pvsvpn_netlink_put_path(msg, peer))
		return -EMSGSIZE;
	return pvsvpn_netlink_put_counters(msg, &peer_counters, peer->counters, counters);
}

/**
 * pvsvpn_nl_peer_get_doit() - show a peer
 * @skb: the request
 * @info: its attributes
 *
 * Context: process, RTNL held.
 * Return: 0 or a negative errno, with its text in extack.
 */
int pvsvpn_nl_peer_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct pvsvpn_peer *peer = pvsvpn_netlink_changed_peer(skb, info);
	struct pvsvpn_subnet_place at = {};
	struct sk_buff *msg;
	int err;

	if (IS_ERR(peer))
		return PTR_ERR(peer);
	/* All subnets go into one message, however large it is. */
	msg = pvsvpn_netlink_new_reply(info, pvsvpn_netlink_subnets_size(peer));
	if (!msg)
		return -ENOMEM;
	err = pvsvpn_netlink_put_peer(msg, peer, info->attrs[PVSVPN_A_PEER_COUNTERS]);
	if (!err)
		err = pvsvpn_netlink_put_subnets(msg, peer, &at);
	return pvsvpn_netlink_reply(info, msg, err);
}
