/* SPDX-License-Identifier: GPL-2.0 */
/* The pvsvpn netdevice. */
#ifndef _PVSVPN_DEVICE_H
#define _PVSVPN_DEVICE_H

#include <linux/netdevice.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/gro_cells.h>

#include "selector.h"
#include "xfrm_spd.h"

struct pvsvpn_counters;

/**
 * struct pvsvpn_settings - settings of a device
 * @fwmark: mark of outer packets and their route lookup, 0 for none
 * @ttl: TTL of the outer header, 1 to 255, PVSVPN_TTL_AUTO or PVSVPN_TTL_INHERIT
 * @dscp: DSCP of the outer header, 0 to 63, or PVSVPN_DSCP_INHERIT
 * @ecn: 1 for RFC 6040's normal mode, 0 for its compatibility mode
 * @priority: priority of outer packets, or PVSVPN_PRIORITY_INHERIT
 * @pmtudisc: 1 if outer packets have DF set
 * @fragment: PVSVPN_FRAGMENT_INNER or PVSVPN_FRAGMENT_OUTER
 * @mss_clamp: MSS in bytes, PVSVPN_MSS_CLAMP_OFF or PVSVPN_MSS_CLAMP_AUTO
 * @if_id: by enum pvsvpn_direction, XFRM if_id of the states that the device carries, 0 for none
 * @inner_mark: mark of inner packets that arrive, PVSVPN_INNER_MARK_CLEAR,
 *	PVSVPN_INNER_MARK_INHERIT or another number
 *
 * Each is written under RTNL. The packet path reads each of them separately.
 */
struct pvsvpn_settings {
	u32 fwmark;
	u32 ttl;
	u32 dscp;
	u32 ecn;
	u32 priority;
	u32 pmtudisc;
	u32 fragment;
	u32 mss_clamp;
	u32 if_id[2];
	u32 inner_mark;
};

/**
 * struct pvsvpn_device - private part of a device of kind pvsvpn
 * @dev: the netdevice
 * @net: namespace where the device was created; outer packets stay there after
 *	the device moves. The device is removed before this namespace, so it
 *	needs no reference
 * @net_list: entry in the list of devices created in @net; RTNL
 * @peers: id -> peer; written under RTNL
 * @next_id: start of the search for a free id, so that ids are not reused soon
 * @peer_count: number of peers; written under RTNL
 * @sa_count: number of SAs of all peers; RTNL
 * @up_count: number of peers that are up; carrier is on while > 0; RTNL
 * @selector: inner address -> peer
 * @spd: XFRM's policies with the device's if_id
 * @gro_cells: decrypted packets on their way into the stack
 * @counters: per-CPU counters with PVSVPN_DROP_MAX reasons
 * @if_id_turn: per direction, number of changes of its if_id. An adopted SA is used only while
 *	this is the number at its adoption; written under RTNL
 * @settings: settings of the operator
 * @mtu_auto: the MTU follows the paths of the peers; RTNL
 * @mtu_busy: we are changing the MTU ourselves; RTNL
 * @mtu_least: the smallest MTU that @refresh has found so far, bytes; RTNL
 * @links_moved: interfaces were added, removed or renamed, so a peer's link may be another
 *	interface now; RTNL
 * @refresh: handles in process context the changes that softirq has seen: an
 *	expired SA, another path MTU. Holds a reference to @dev while queued.
 *	Delayed, so that many causes at once make one walk over the peers
 */
struct pvsvpn_device {
	struct net_device *dev;
	struct net *net;
	struct list_head net_list;
	struct xarray peers;
	u32 next_id;
	u32 peer_count;
	u32 sa_count;
	u32 up_count;
	struct pvsvpn_selector selector;
	struct pvsvpn_spd *spd;
	struct gro_cells gro_cells;
	struct pvsvpn_counters __percpu *counters;
	u32 if_id_turn[2];
	struct pvsvpn_settings settings;
	bool mtu_auto;
	bool mtu_busy;
	u32 mtu_least;
	bool links_moved;
	struct delayed_work refresh;
};

bool pvsvpn_device_is(const struct net_device *dev);
struct pvsvpn_device *pvsvpn_device_next(struct net *net, int *ifindex);
int pvsvpn_device_init(void);
void pvsvpn_device_exit(void);

#endif /* _PVSVPN_DEVICE_H */
