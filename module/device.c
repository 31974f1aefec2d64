// SPDX-License-Identifier: GPL-2.0
#include <linux/ethtool.h>
#include <linux/module.h>
#include <net/ip_tunnels.h>
#include <net/netns/generic.h>
#include <net/rtnetlink.h>

#include <uapi/linux/pvsvpn.h>

#include "device.h"
#include "esp.h"
#include "outer.h"
#include "peer.h"
#include "pmtu.h"
#include "sa.h"
#include "stats.h"
#include "tunnel.h"
#include "work.h"
#include "xfrm_adopt.h"
#include "xfrm_notify.h"
#include "xfrm_policy.h"
#include "xmit.h"

/**
 * struct pvsvpn_net - the devices of a network namespace
 * @devices: devices that were created here, wherever they are now; RTNL
 */
struct pvsvpn_net {
	struct list_head devices;
};

/* Peers that a refresh checks per hold of RTNL; each may check hundreds of policies. */
#define REFRESH_MAX	32

static unsigned int pvsvpn_net_id __read_mostly;
static struct rtnl_link_ops pvsvpn_link_ops;

/**
 * pvsvpn_device_is() - check whether a netdevice is a pvsvpn device
 * @dev: any netdevice
 *
 * Context: any.
 * Return: true if it is.
 */
bool pvsvpn_device_is(const struct net_device *dev)
{
	return dev->rtnl_link_ops == &pvsvpn_link_ops;
}

/*
 * Return: whether peers have to look up their links again. No lookup by an old name can still run:
 * the core waits for such lookups before it notifies of a change.
 */
static bool device_refresh_begin(struct pvsvpn_device *pvs)
{
	bool moved;

	rtnl_lock();
	moved = pvs->links_moved;
	pvs->links_moved = false;
	rtnl_unlock();
	return moved;
}

/* Return: whether there are more peers after @id. */
static bool device_refresh_some(struct pvsvpn_device *pvs, unsigned long *id, bool moved)
{
	unsigned int count = 0;
	struct pvsvpn_peer *peer;

	if (pvs->dev->reg_state != NETREG_REGISTERED)
		return false;
	if (!*id)
		pvs->mtu_least = U32_MAX;
	xa_for_each_start(&pvs->peers, *id, peer, *id + 1) {
		if (moved)
			pvsvpn_peer_reset_link(peer);
		pvsvpn_tunnel_tell_news(peer);
		pvsvpn_tunnel_select_sa(peer);
		pvs->mtu_least = min(pvs->mtu_least, pvsvpn_pmtu_look(peer));
		if (++count == REFRESH_MAX)
			return true;
	}
	pvsvpn_pmtu_follow(pvs);
	return false;
}

static void device_refresh_work(struct work_struct *work)
{
	struct pvsvpn_device *pvs =
		container_of(to_delayed_work(work), struct pvsvpn_device, refresh);
	bool more, moved = device_refresh_begin(pvs);
	unsigned long id = 0;

	do {
		rtnl_lock();
		more = device_refresh_some(pvs, &id, moved);
		rtnl_unlock();
		cond_resched();
	} while (more);
	dev_put(pvs->dev);
}

/**
 * pvsvpn_device_next() - walk the devices of a namespace
 * @net: the namespace where the devices are now
 * @ifindex: position of the walk, 0 at first; set to the index found
 *
 * Context: process, RTNL held.
 * Return: the device with the lowest index above *@ifindex, or NULL.
 */
struct pvsvpn_device *pvsvpn_device_next(struct net *net, int *ifindex)
{
	unsigned long at = *ifindex + 1UL;
	struct net_device *dev;

	ASSERT_RTNL();
	for_each_netdev_dump(net, dev, at) {
		if (!pvsvpn_device_is(dev))
			continue;
		*ifindex = dev->ifindex;
		return netdev_priv(dev);
	}
	return NULL;
}

static int pvsvpn_dev_init(struct net_device *dev)
{
	struct pvsvpn_device *pvs = netdev_priv(dev);
	int err;

	pvs->counters = pvsvpn_stats_alloc(PVSVPN_DROP_MAX);
	if (!pvs->counters)
		return -ENOMEM;
	err = gro_cells_init(&pvs->gro_cells, dev);
	if (err)
		goto err_counters;
	err = pvsvpn_policy_device_init(pvs);
	if (err)
		goto err_gro_cells;
	return 0;

err_gro_cells:
	gro_cells_destroy(&pvs->gro_cells);
err_counters:
	free_percpu(pvs->counters);
	pvs->counters = NULL;
	return err;
}

/*
 * Teardown, first part. The core has unlisted the device, so no packet enters
 * ndo_start_xmit any more, and the core's synchronize_net() waits for those inside.
 * Documentation/locking.rst has the complete proof.
 */
static void pvsvpn_dev_uninit(struct net_device *dev)
{
	struct pvsvpn_device *pvs = netdev_priv(dev);
	struct pvsvpn_peer *peer;
	unsigned long id;

	pvsvpn_adopt_forget(pvs);
	xa_for_each(&pvs->peers, id, peer)
		pvsvpn_tunnel_del_peer(peer);
	/* Other devices of the namespace may adopt states that were refused. */
	pvsvpn_adopt_made_room(pvs->net);
	pvsvpn_policy_device_exit(pvs);
	/* Removal need not wait for the refresh delay. No policy can request a refresh now. */
	if (cancel_delayed_work(&pvs->refresh))
		dev_put(dev);
	list_del_init(&pvs->net_list);
}

/* Teardown, last part: no reference to the device is left. */
static void pvsvpn_dev_free(struct net_device *dev)
{
	struct pvsvpn_device *pvs = netdev_priv(dev);

	gro_cells_destroy(&pvs->gro_cells);
	free_percpu(pvs->counters);
	pvsvpn_policy_device_free(pvs);
	xa_destroy(&pvs->peers);
}

static int pvsvpn_dev_open(struct net_device *dev)
{
	struct pvsvpn_device *pvs = netdev_priv(dev);
	struct pvsvpn_peer *peer;
	unsigned long id;

	xa_for_each(&pvs->peers, id, peer)
		pvsvpn_liveness_restart(peer);
	return 0;
}

static int pvsvpn_dev_change_mtu(struct net_device *dev, int mtu)
{
	struct pvsvpn_device *pvs = netdev_priv(dev);

	/* Keep an MTU that another caller sets. */
	if (!pvs->mtu_busy)
		pvs->mtu_auto = false;
	WRITE_ONCE(dev->mtu, mtu);
	return 0;
}

static void pvsvpn_dev_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *link)
{
	struct pvsvpn_device *pvs = netdev_priv(dev);
	struct pvsvpn_totals sum;

	pvsvpn_stats_sum(&sum, pvs->counters, PVSVPN_DROP_MAX);
	pvsvpn_stats_link(link, &sum);
}

static const struct net_device_ops pvsvpn_netdev_ops = {
	.ndo_init = pvsvpn_dev_init,
	.ndo_uninit = pvsvpn_dev_uninit,
	.ndo_open = pvsvpn_dev_open,
	.ndo_start_xmit = pvsvpn_xmit,
	.ndo_change_mtu = pvsvpn_dev_change_mtu,
	.ndo_get_stats64 = pvsvpn_dev_get_stats64,
};

static void pvsvpn_get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, KBUILD_MODNAME, sizeof(info->driver));
	strscpy(info->version, THIS_MODULE->version, sizeof(info->version));
}

static int pvsvpn_get_sset_count(struct net_device *dev, int sset)
{
	return sset == ETH_SS_STATS ? PVSVPN_DROP_MAX : -EOPNOTSUPP;
}

static void pvsvpn_get_strings(struct net_device *dev, u32 sset, u8 *data)
{
	int i;

	if (sset != ETH_SS_STATS)
		return;
	for (i = 0; i < PVSVPN_DROP_MAX; i++)
		ethtool_puts(&data, pvsvpn_stats_reason_name(i));
}

static void pvsvpn_get_ethtool_stats(struct net_device *dev, struct ethtool_stats *stats, u64 *data)
{
	struct pvsvpn_device *pvs = netdev_priv(dev);
	struct pvsvpn_totals sum;

	pvsvpn_stats_sum(&sum, pvs->counters, PVSVPN_DROP_MAX);
	memcpy(data, sum.drops, sizeof(sum.drops));
}

static const struct ethtool_ops pvsvpn_ethtool_ops = {
	.get_link = ethtool_op_get_link,
	.get_drvinfo = pvsvpn_get_drvinfo,
	.get_sset_count = pvsvpn_get_sset_count,
	.get_strings = pvsvpn_get_strings,
	.get_ethtool_stats = pvsvpn_get_ethtool_stats,
};

static const struct device_type pvsvpn_device_type = {
	.name = KBUILD_MODNAME,
};

static void pvsvpn_setup(struct net_device *dev)
{
	const netdev_features_t features = NETIF_F_HW_CSUM | NETIF_F_RXCSUM |
					   NETIF_F_SG | NETIF_F_HIGHDMA |
					   NETIF_F_GSO_SOFTWARE;

	dev->netdev_ops = &pvsvpn_netdev_ops;
	dev->ethtool_ops = &pvsvpn_ethtool_ops;
	dev->header_ops = &ip_tunnel_header_ops;
	dev->needs_free_netdev = true;
	dev->priv_destructor = pvsvpn_dev_free;
	SET_NETDEV_DEVTYPE(dev, &pvsvpn_device_type);

	dev->type = ARPHRD_NONE;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP;
	dev->priv_flags |= IFF_NO_QUEUE;
	dev->needed_headroom = LL_MAX_HEADER + PVSVPN_OUTER_LEN_MAX +
			       PVSVPN_ESP_HEAD_MAX;
	dev->needed_tailroom = PVSVPN_ESP_TAIL_MAX;
	dev->mtu = PVSVPN_MTU_DEFAULT;
	dev->min_mtu = ETH_MIN_MTU;
	dev->max_mtu = IP_MAX_MTU - PVSVPN_OUTER_LEN_MAX - PVSVPN_ESP_HEAD_MAX -
		       PVSVPN_ESP_TAIL_MAX;
	pvsvpn_compat_set_lltx(dev);
	/* Replies to the inner sender need the packet's route. */
	netif_keep_dst(dev);
	dev->features |= features;
	dev->hw_features |= features;
	dev->hw_enc_features |= features;
}

static int pvsvpn_newlink(struct net *src_net, struct net_device *dev,
			  struct nlattr *tb[], struct nlattr *data[],
			  struct netlink_ext_ack *extack)
{
	struct pvsvpn_device *pvs = netdev_priv(dev);
	struct pvsvpn_net *pn = net_generic(src_net, pvsvpn_net_id);
	int err;

	pvs->dev = dev;
	pvs->net = src_net;
	pvs->mtu_auto = !tb[IFLA_MTU];
	pvs->mtu_least = U32_MAX;
	pvs->settings = (struct pvsvpn_settings){
		.ttl = PVSVPN_TTL_AUTO,
		.dscp = PVSVPN_DSCP_INHERIT,
		.ecn = 1,
		.priority = PVSVPN_PRIORITY_INHERIT,
		.pmtudisc = 1,
		.fragment = PVSVPN_FRAGMENT_INNER,
		.mss_clamp = PVSVPN_MSS_CLAMP_AUTO,
	};
	pvs->next_id = 1;
	xa_init_flags(&pvs->peers, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	INIT_DELAYED_WORK(&pvs->refresh, device_refresh_work);

	netif_carrier_off(dev);
	/* List the device first: ndo_uninit unlists it, also if registration fails. */
	list_add_tail(&pvs->net_list, &pn->devices);
	err = register_netdevice(dev);
	if (err)
		list_del_init(&pvs->net_list);
	return err;
}

static struct net *pvsvpn_get_link_net(const struct net_device *dev)
{
	const struct pvsvpn_device *pvs = netdev_priv(dev);

	return pvs->net;
}

static struct rtnl_link_ops pvsvpn_link_ops __read_mostly = {
	.kind = KBUILD_MODNAME,
	.priv_size = sizeof(struct pvsvpn_device),
	.setup = pvsvpn_setup,
	.newlink = pvsvpn_newlink,
	.get_link_net = pvsvpn_get_link_net,
};

static int __net_init pvsvpn_net_init(struct net *net)
{
	struct pvsvpn_net *pn = net_generic(net, pvsvpn_net_id);

	INIT_LIST_HEAD(&pn->devices);
	return 0;
}

/*
 * Remove the devices that were created in a namespace together with it, wherever
 * they are now: they cannot send or receive without that namespace.
 */
static void __net_exit pvsvpn_net_exit_batch(struct list_head *nets)
{
	struct pvsvpn_device *pvs;
	struct net *net;
	LIST_HEAD(kill);

	rtnl_lock();
	list_for_each_entry(net, nets, exit_list) {
		struct pvsvpn_net *pn = net_generic(net, pvsvpn_net_id);

		list_for_each_entry(pvs, &pn->devices, net_list)
			unregister_netdevice_queue(pvs->dev, &kill);
	}
	unregister_netdevice_many(&kill);
	rtnl_unlock();
}

static struct pernet_operations pvsvpn_net_ops = {
	.init = pvsvpn_net_init,
	.exit_batch = pvsvpn_net_exit_batch,
	.id = &pvsvpn_net_id,
	.size = sizeof(struct pvsvpn_net),
};

/*
 * Return: whether the name of an interface may now refer to another interface or routing table. A
 * new interface needs no event of its own: it goes up before it carries packets.
 */
static bool moves_links(unsigned long event)
{
	return event == NETDEV_CHANGENAME || event == NETDEV_UP ||
	       event == NETDEV_UNREGISTER;
}

/* The path may have changed with the MTU, the state or the name of a lower device. */
static int device_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct pvsvpn_device *pvs;
	struct pvsvpn_net *pn;

	if (event == NETDEV_DOWN || event == NETDEV_UNREGISTER)
		pvsvpn_notify_device_down(dev);
	if (event != NETDEV_CHANGEMTU && !moves_links(event))
		return NOTIFY_DONE;
	pn = net_generic(dev_net(dev), pvsvpn_net_id);
	/* A namespace that fails to set up may lose a device before it gets its list. */
	if (!pn)
		return NOTIFY_DONE;
	list_for_each_entry(pvs, &pn->devices, net_list) {
		if (pvs->dev == dev || !pvs->peer_count)
			continue;
		pvs->links_moved |= moves_links(event);
		pvsvpn_work_refresh(pvs);
	}
	return NOTIFY_DONE;
}

static struct notifier_block device_notifier = {
	.notifier_call = device_event,
};

/**
 * pvsvpn_device_init() - register the device kind, for `ip link add type pvsvpn`
 *
 * Context: process.
 * Return: 0, or a negative errno with nothing registered.
 */
int __init pvsvpn_device_init(void)
{
	int err;

	err = register_pernet_device(&pvsvpn_net_ops);
	if (err)
		return err;
	err = register_netdevice_notifier(&device_notifier);
	if (err)
		goto err_pernet;
	err = rtnl_link_register(&pvsvpn_link_ops);
	if (err)
		goto err_notifier;
	return 0;

err_notifier:
	unregister_netdevice_notifier(&device_notifier);
err_pernet:
	unregister_pernet_device(&pvsvpn_net_ops);
	return err;
}

/**
 * pvsvpn_device_exit() - unregister the device kind and remove every device
 *
 * On return no device is left. pvsvpn_work_exit() waits for the last SAs and requests.
 *
 * Context: process.
 */
void pvsvpn_device_exit(void)
{
	rtnl_link_unregister(&pvsvpn_link_ops);
	unregister_netdevice_notifier(&device_notifier);
	unregister_pernet_device(&pvsvpn_net_ops);
}
