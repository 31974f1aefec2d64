// SPDX-License-Identifier: GPL-2.0
/*
 * The common part of all requests: find the object of a request. A request is checked completely
 * before anything changes, and every refusal says what is wrong and what to do
 * instead. Messages have room for 79 characters; names are truncated to fit.
 */
#include <linux/printk.h>
#include <linux/rtnetlink.h>

#include "device.h"
#include "netlink.h"
#include "peer.h"

/* The family of all messages, from pvsvpn_netlink_set_family(). */
static const struct genl_family *message_family __ro_after_init;

/**
 * pvsvpn_netlink_refuse() - report the reason why a request is refused
 * @extack: where to report it, or NULL
 * @attr: the attribute that is wrong, or NULL
 * @err: a negative errno
 * @format: the text, as for printf()
 *
 * Context: process.
 * Return: always @err.
 */
int pvsvpn_netlink_refuse(struct netlink_ext_ack *extack, const struct nlattr *attr,
			  int err, const char *format, ...)
{
	struct va_format text = { .fmt = format };
	va_list args;

	va_start(args, format);
	text.va = &args;
	NL_SET_ERR_MSG_ATTR_FMT(extack, attr, "%pV", &text);
	va_end(args);
	return err;
}

/* ---- the object of a request ---- */

/* All attribute sets begin alike, so one function finds the device for each set. */
static_assert((int)PVSVPN_A_PEER_IFINDEX == (int)PVSVPN_A_DEVICE_IFINDEX);
static_assert((int)PVSVPN_A_PEER_IFNAME == (int)PVSVPN_A_DEVICE_IFNAME);
static_assert((int)PVSVPN_A_SA_IFINDEX == (int)PVSVPN_A_DEVICE_IFINDEX);
static_assert((int)PVSVPN_A_SA_IFNAME == (int)PVSVPN_A_DEVICE_IFNAME);
static_assert((int)PVSVPN_A_SA_PEER == (int)PVSVPN_A_PEER_NAME);

/**
 * pvsvpn_netlink_missing() - report a required attribute if it is missing
 * @attrs: attributes of the request, or of a nest
 * @attr: the required attribute
 * @extack: where to report it
 * @what: name of the attribute in the message
 *
 * Context: process.
 * Return: true if the attribute is missing.
 */
bool pvsvpn_netlink_missing(struct nlattr **attrs, int attr,
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
 * pvsvpn_netlink_device() - find the device that a request names
 * @net: namespace of the request
 * @attrs: its attributes, of any set
 * @extack: where to report an error
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
		pvsvpn_netlink_missing(attrs, PVSVPN_A_DEVICE_IFINDEX, extack,
				       "the device, as ifindex or ifname,");
		return ERR_PTR(-EINVAL);
	}
	dev = device_find(net, ifindex, ifname);
	if (!dev)
		return ERR_PTR(pvsvpn_netlink_refuse(extack, given, -ENODEV,
						     "no such device; see ip link"));
	if (!pvsvpn_device_is(dev))
		return ERR_PTR(pvsvpn_netlink_refuse(extack, given, -EOPNOTSUPP,
						     "%s is not a pvsvpn device", dev->name));
	if (ifindex && ifname && nla_strcmp(ifname, dev->name))
		return ERR_PTR(pvsvpn_netlink_refuse(extack, ifname, -EINVAL,
						     "ifindex %d is %s; give one of the two",
						     dev->ifindex, dev->name));
	return netdev_priv(dev);
}

/**
 * pvsvpn_netlink_peer() - find the peer that a request names
 * @pvs: the device
 * @attrs: attributes of the request, of the set peer or SA
 * @extack: where to report an error
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

	if (pvsvpn_netlink_missing(attrs, PVSVPN_A_PEER_NAME, extack, "name of the peer"))
		return ERR_PTR(-EINVAL);
	peer = pvsvpn_peer_find(pvs, nla_data(name));
	if (peer)
		return peer;
	return ERR_PTR(pvsvpn_netlink_refuse(extack, name, -ENOENT, "%s has no peer %.47s",
					     pvs->dev->name, (const char *)nla_data(name)));
}

/**
 * pvsvpn_netlink_may() - check whether a request may see and change a device's content
 * @skb: the request
 * @pvs: the device
 * @extack: where to report a refusal, or NULL
 *
 * The family has checked CAP_NET_ADMIN in the namespace where the device is now. The
 * peers, SAs and marks of the device belong to the namespace where it was created:
 * their packets leave from there, and they reveal its addresses.
 *
 * Context: process, RTNL held.
 * Return: true if it may.
 */
bool pvsvpn_netlink_may(const struct sk_buff *skb,
			const struct pvsvpn_device *pvs,
			struct netlink_ext_ack *extack)
{
	if (netlink_ns_capable(skb, pvs->net->user_ns, CAP_NET_ADMIN))
		return true;
	NL_SET_ERR_MSG_FMT(extack,
			   "needs CAP_NET_ADMIN in the namespace %s was created in",
			   pvs->dev->name);
	return false;
}

/**
 * pvsvpn_netlink_changed_device() - find the device that a request changes
 * @skb: the request, whose sender is checked with pvsvpn_netlink_may()
 * @info: its attributes, of any set
 *
 * Context: process, RTNL held.
 * Return: the device, valid as long as RTNL is held, or an ERR_PTR.
 */
struct pvsvpn_device *pvsvpn_netlink_changed_device(struct sk_buff *skb, struct genl_info *info)
{
	struct pvsvpn_device *pvs;

	pvs = pvsvpn_netlink_device(genl_info_net(info), info->attrs, info->extack);
	if (IS_ERR(pvs) || pvsvpn_netlink_may(skb, pvs, info->extack))
		return pvs;
	return ERR_PTR(-EPERM);
}

/**
 * pvsvpn_netlink_changed_peer() - find the peer that a request changes or shows
 * @skb: the request, whose sender is checked with pvsvpn_netlink_may()
 * @info: its attributes, of the set peer or SA
 *
 * Context: process, RTNL held.
 * Return: the peer, valid as long as RTNL is held, or an ERR_PTR.
 */
struct pvsvpn_peer *pvsvpn_netlink_changed_peer(struct sk_buff *skb, struct genl_info *info)
{
	struct pvsvpn_device *pvs = pvsvpn_netlink_changed_device(skb, info);

	if (IS_ERR(pvs))
		return ERR_CAST(pvs);
	return pvsvpn_netlink_peer(pvs, info->attrs, info->extack);
}

/**
 * pvsvpn_netlink_parse_window() - parse the replay window of a peer or an SA
 * @window: filled in
 * @attr: the window, or NULL to leave @window as it is
 * @extack: where to report an error
 *
 * Context: process.
 * Return: 0, or -EINVAL with its text in extack.
 */
int pvsvpn_netlink_parse_window(u32 *window, const struct nlattr *attr,
				struct netlink_ext_ack *extack)
{
	if (!attr)
		return 0;
	*window = nla_get_u32(attr);
	if (*window >= PVSVPN_REPLAY_WINDOW_MIN && *window <= PVSVPN_REPLAY_WINDOW_MAX)
		return 0;
	return pvsvpn_netlink_refuse(extack, attr, -EINVAL,
				     "replay-window %u is out of range; use %u to %u packets",
				     *window, PVSVPN_REPLAY_WINDOW_MIN, PVSVPN_REPLAY_WINDOW_MAX);
}

/* ---- messages ---- */

/**
 * pvsvpn_netlink_begin() - begin a message of the family
 * @msg: the message
 * @portid: its receiver
 * @seq: sequence number of the request that it answers
 * @flags: NLM_F_...
 * @cmd: enum pvsvpn_cmd
 *
 * Context: any.
 * Return: its header, or NULL if there is no room.
 */
void *pvsvpn_netlink_begin(struct sk_buff *msg, u32 portid, u32 seq, int flags, u8 cmd)
{
	return genlmsg_put(msg, portid, seq, message_family, flags, cmd);
}

/**
 * pvsvpn_netlink_new_reply() - begin the reply to a request, with the command of the request
 * @info: the request
 * @more: bytes to add to the usual size
 *
 * Context: process.
 * Return: the reply, for pvsvpn_netlink_reply(), or NULL without memory.
 */
struct sk_buff *pvsvpn_netlink_new_reply(const struct genl_info *info, size_t more)
{
	struct sk_buff *msg = genlmsg_new(GENLMSG_DEFAULT_SIZE + more, GFP_KERNEL);

	if (msg &&
	    !pvsvpn_netlink_begin(msg, info->snd_portid, info->snd_seq, 0, info->genlhdr->cmd)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/**
 * pvsvpn_netlink_reply() - end the reply to a request and send it
 * @info: the request
 * @msg: from pvsvpn_netlink_new_reply(); consumed
 * @err: 0, or the error that keeps it from being sent
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int pvsvpn_netlink_reply(struct genl_info *info, struct sk_buff *msg, int err)
{
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	nlmsg_end(msg, nlmsg_hdr(msg));
	return genlmsg_reply(msg, info);
}

/**
 * pvsvpn_netlink_set_family() - name the family of all messages
 * @family: the family
 *
 * Context: process, before the family is registered.
 */
void __init pvsvpn_netlink_set_family(const struct genl_family *family)
{
	message_family = family;
}
