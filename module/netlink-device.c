// SPDX-License-Identifier: GPL-2.0
/* Requests about devices: parse and apply their settings, and show a device. */
#include <net/ip.h>

#include "device.h"
#include "netlink.h"
#include "peer.h"
#include "pmtu.h"
#include "stats.h"
#include "work.h"
#include "xfrm_adopt.h"

/**
 * struct setting - one setting of struct pvsvpn_settings
 * @attr: netlink attribute
 * @name: name in messages to users
 * @offset: offset in struct pvsvpn_settings
 * @min: smallest value, except @special
 * @max: largest value, except @special
 * @special: a valid value outside @min to @max; @max if there is none
 * @birth: refers to the namespace where the device was created
 * @says: the valid values, for messages to users
 */
struct setting {
	int attr;
	const char *name;
	size_t offset;
	u32 min;
	u32 max;
	u32 special;
	bool birth;
	const char *says;
};

#define SETTING(_attr, _name, _field, _min, _max, _special, _says)	\
	{								\
		.attr = _attr,						\
		.name = _name,						\
		.offset = offsetof(struct pvsvpn_settings, _field),	\
		.min = _min,						\
		.max = _max,						\
		.special = _special,					\
		.says = _says,						\
	}

/* Settings of routing and XFRM in the namespace where the device was created. */
#define BIRTH_SETTING(_attr, _name, _field)				\
	{								\
		.attr = _attr,						\
		.name = _name,						\
		.offset = offsetof(struct pvsvpn_settings, _field),	\
		.max = U32_MAX,						\
		.special = U32_MAX,					\
		.birth = true,						\
		.says = "",						\
	}

static const struct setting settings[] = {
	BIRTH_SETTING(PVSVPN_A_DEVICE_FWMARK, "fwmark", fwmark),
	SETTING(PVSVPN_A_DEVICE_TTL, "ttl", ttl, 0, 255, PVSVPN_TTL_INHERIT,
		"1 to 255, 0 (auto) or 256 (inherit)"),
	SETTING(PVSVPN_A_DEVICE_DSCP, "dscp", dscp, 0, 63, PVSVPN_DSCP_INHERIT,
		"0 to 63, or 64 (inherit)"),
	SETTING(PVSVPN_A_DEVICE_ECN, "ecn", ecn, 0, 1, 1, "0 or 1"),
	SETTING(PVSVPN_A_DEVICE_PRIORITY, "priority", priority, 0, U32_MAX, U32_MAX, ""),
	SETTING(PVSVPN_A_DEVICE_PMTUDISC, "pmtudisc", pmtudisc, 0, 1, 1, "0 or 1"),
	SETTING(PVSVPN_A_DEVICE_FRAGMENT, "fragment", fragment, PVSVPN_FRAGMENT_INNER,
		PVSVPN_FRAGMENT_OUTER, PVSVPN_FRAGMENT_OUTER, "0 (inner) or 1 (outer)"),
	/* @special is auto; setting_ok() accepts off. */
	SETTING(PVSVPN_A_DEVICE_MSS_CLAMP, "mss-clamp", mss_clamp, PVSVPN_MSS_CLAMP_MIN,
		IP_MAX_MTU, PVSVPN_MSS_CLAMP_AUTO, "216 to 65535, 0 (off) or 1 (auto)"),
	BIRTH_SETTING(PVSVPN_A_DEVICE_IF_ID_IN, "if-id-in", if_id[PVSVPN_DIRECTION_IN]),
	BIRTH_SETTING(PVSVPN_A_DEVICE_IF_ID_OUT, "if-id-out", if_id[PVSVPN_DIRECTION_OUT]),
	SETTING(PVSVPN_A_DEVICE_INNER_MARK, "inner-mark", inner_mark, 0, U32_MAX, U32_MAX, ""),
};

static bool setting_ok(const struct setting *setting, u32 value)
{
	if (setting->attr == PVSVPN_A_DEVICE_MSS_CLAMP && value == PVSVPN_MSS_CLAMP_OFF)
		return true;
	return value == setting->special ||
	       (value >= setting->min && value <= setting->max);
}

static int settings_check(struct nlattr **attrs, struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		attr = attrs[settings[i].attr];
		if (!attr || setting_ok(&settings[i], nla_get_u32(attr)))
			continue;
		return pvsvpn_netlink_refuse(extack, attr, -EINVAL,
					     "%s %u is out of range; use %s", settings[i].name,
					     nla_get_u32(attr), settings[i].says);
	}
	return 0;
}

static u32 *setting_in(struct pvsvpn_device *pvs, const struct setting *setting)
{
	return (void *)&pvs->settings + setting->offset;
}

static bool settings_given(struct nlattr **attrs)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(settings); i++)
		if (attrs[settings[i].attr])
			return true;
	return false;
}

static void settings_set(struct pvsvpn_device *pvs, struct nlattr **attrs)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(settings); i++)
		if (attrs[settings[i].attr])
			WRITE_ONCE(*setting_in(pvs, &settings[i]),
				   nla_get_u32(attrs[settings[i].attr]));
	if (attrs[PVSVPN_A_DEVICE_FWMARK])
		pvsvpn_peer_reset_routes(pvs);
	pvsvpn_work_refresh(pvs);
}

/* @hidden: omit settings that refer to the namespace where the device was created */
static int settings_put(struct sk_buff *msg, const struct pvsvpn_device *pvs, bool hidden)
{
	const struct setting *setting;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		setting = &settings[i];
		if (hidden && setting->birth)
			continue;
		if (nla_put_u32(msg, setting->attr,
				*(const u32 *)((const void *)&pvs->settings +
					       setting->offset)))
			return -EMSGSIZE;
	}
	return 0;
}

static int device_check_mtu(const struct pvsvpn_device *pvs,
			    const struct nlattr *attr,
			    struct netlink_ext_ack *extack)
{
	const struct net_device *dev = pvs->dev;
	u32 mtu = attr ? nla_get_u32(attr) : 0;

	if (!mtu || (mtu >= dev->min_mtu && mtu <= dev->max_mtu))
		return 0;
	return pvsvpn_netlink_refuse(extack, attr, -EINVAL,
				     "mtu %u is out of range; %s takes %u to %u, 0 is auto",
				     mtu, dev->name, dev->min_mtu, dev->max_mtu);
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
	if (err)
		return pvsvpn_netlink_refuse(extack, attr, err,
					     "mtu %u was refused by the stack", mtu);
	/* dev_set_mtu() does not call the driver if the MTU stays the same. */
	pvs->mtu_auto = false;
	return 0;
}

/* This can fail, so it runs before the other settings are applied. */
static int device_set_if_id(struct pvsvpn_device *pvs, struct nlattr **attrs,
			    struct netlink_ext_ack *extack)
{
	const struct nlattr *in = attrs[PVSVPN_A_DEVICE_IF_ID_IN];
	const struct nlattr *out = attrs[PVSVPN_A_DEVICE_IF_ID_OUT];
	u32 if_id[2];

	if (!in && !out)
		return 0;
	memcpy(if_id, pvs->settings.if_id, sizeof(if_id));
	if (in)
		if_id[PVSVPN_DIRECTION_IN] = nla_get_u32(in);
	if (out)
		if_id[PVSVPN_DIRECTION_OUT] = nla_get_u32(out);
	return pvsvpn_adopt_set(pvs, if_id, extack);
}

/**
 * pvsvpn_nl_device_set_doit() - change settings of a device
 * @skb: the request
 * @info: its attributes
 *
 * Context: process, RTNL held.
 * Return: 0 or a negative errno, with its text in extack.
 */
int pvsvpn_nl_device_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct pvsvpn_device *pvs = pvsvpn_netlink_changed_device(skb, info);
	const struct nlattr *mtu = info->attrs[PVSVPN_A_DEVICE_MTU];
	int err;

	if (IS_ERR(pvs))
		return PTR_ERR(pvs);
	if (!mtu && !settings_given(info->attrs))
		return pvsvpn_netlink_refuse(info->extack, NULL, -EINVAL,
					     "nothing to set; give mtu, fwmark or another setting");
	err = settings_check(info->attrs, info->extack);
	if (!err)
		err = device_check_mtu(pvs, mtu, info->extack);
	if (!err)
		err = device_set_if_id(pvs, info->attrs, info->extack);
	if (!err && mtu)
		err = device_set_mtu(pvs, mtu, info->extack);
	if (!err && settings_given(info->attrs))
		settings_set(pvs, info->attrs);
	pvsvpn_adopt_hold(pvs, pvsvpn_netlink_wait(info));
	return err;
}

/* ---- showing a device ---- */

static const struct pvsvpn_counter_attrs device_counters = {
	.packets = { PVSVPN_A_DEVICE_RX_PACKETS, PVSVPN_A_DEVICE_TX_PACKETS },
	.bytes = { PVSVPN_A_DEVICE_RX_BYTES, PVSVPN_A_DEVICE_TX_BYTES },
	.drops = PVSVPN_A_DEVICE_DROPS,
	.drop = PVSVPN_A_DEVICE_DROP,
	.pad = PVSVPN_A_DEVICE_PAD,
	.reasons = PVSVPN_DROP_MAX,
};

/* @hidden: the reader may not see the content of the device, only this flag. */
static int device_put_inside(struct sk_buff *msg, const struct pvsvpn_device *pvs, bool hidden)
{
	if (hidden)
		return nla_put_u8(msg, PVSVPN_A_DEVICE_HIDDEN, 1);
	if (nla_put_u32(msg, PVSVPN_A_DEVICE_PEERS, pvs->peer_count) ||
	    nla_put_u32(msg, PVSVPN_A_DEVICE_SAS, pvs->sa_count))
		return -EMSGSIZE;
	return 0;
}

/**
 * pvsvpn_netlink_put_device() - put a device into a message
 * @msg: the message
 * @pvs: the device
 * @request: the request, whose sender may not see everything
 * @counters: also the drops by reason
 *
 * Context: process, RTNL held.
 * Return: 0, or -EMSGSIZE if there is no room.
 */
int pvsvpn_netlink_put_device(struct sk_buff *msg, const struct pvsvpn_device *pvs,
			      const struct sk_buff *request, bool counters)
{
	bool hidden = !pvsvpn_netlink_may(request, pvs, NULL);
	const struct net_device *dev = pvs->dev;

	if (nla_put_u32(msg, PVSVPN_A_DEVICE_IFINDEX, dev->ifindex) ||
	    nla_put_string(msg, PVSVPN_A_DEVICE_IFNAME, dev->name) ||
	    nla_put_u32(msg, PVSVPN_A_DEVICE_MTU, dev->mtu) ||
	    nla_put_u8(msg, PVSVPN_A_DEVICE_MTU_AUTO, pvs->mtu_auto) ||
	    settings_put(msg, pvs, hidden) ||
	    nla_put_u8(msg, PVSVPN_A_DEVICE_UP, !!(dev->flags & IFF_UP)) ||
	    nla_put_u8(msg, PVSVPN_A_DEVICE_CARRIER, netif_carrier_ok(dev)) ||
	    device_put_inside(msg, pvs, hidden))
		return -EMSGSIZE;
	return pvsvpn_netlink_put_counters(msg, &device_counters, pvs->counters, counters);
}

/**
 * pvsvpn_nl_device_get_doit() - show a device
 * @skb: the request
 * @info: its attributes
 *
 * Context: process, RTNL held.
 * Return: 0 or a negative errno, with its text in extack.
 */
int pvsvpn_nl_device_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct pvsvpn_device *pvs;
	struct sk_buff *msg;
	int err;

	pvs = pvsvpn_netlink_device(genl_info_net(info), info->attrs, info->extack);
	if (IS_ERR(pvs))
		return PTR_ERR(pvs);
	msg = pvsvpn_netlink_new_reply(info, 0);
	if (!msg)
		return -ENOMEM;
	err = pvsvpn_netlink_put_device(msg, pvs, skb, info->attrs[PVSVPN_A_DEVICE_COUNTERS]);
	return pvsvpn_netlink_reply(info, msg, err);
}
