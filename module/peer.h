/* SPDX-License-Identifier: GPL-2.0 */
/* A peer: a remote gateway behind a device. */
#ifndef _PVSVPN_PEER_H
#define _PVSVPN_PEER_H

#include <linux/llist.h>
#include <linux/netdevice.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/rtnetlink.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <net/xfrm.h>

#include <uapi/linux/pvsvpn.h>

#include "endpoint.h"
#include "liveness.h"
#include "selector.h"
#include "transform.h"

struct pvsvpn_counters;
struct pvsvpn_destination;
struct pvsvpn_device;
struct pvsvpn_peer_name;
struct pvsvpn_sa;

/**
 * struct pvsvpn_peer - a remote gateway behind a device
 * @refs: one for the tables below, one for each SA. Zero frees the peer
 * @rcu: drops the tables' reference after a grace period
 * @pvs: the device; a reference is held until the peer is freed
 * @dev_tracker: tracks that reference
 * @id: number on the device, > 0
 * @name: name given by the operator, unique on the device; RTNL
 * @name_entry: its entry in the table of names; RTNL
 * @endpoint: outer addresses; written under RTNL
 * @tx_sa: the current outbound SA. If none is usable, the newest one stays here, so
 *	that drops have its reason. Written under RTNL
 * @destination: its local subnets, NULL for no limit; written under RTNL
 * @by_policy: packets must ask XFRM's policies, because these may lead to more than one SA, or
 *	not cover all packets. Written under the policies' lock
 * @led_anew: policies have changed since @by_policy was computed; the policies' lock
 * @led: SAs that policies lead to, the latest last; the policies' lock
 * @led_count: number of SAs in @led; written under the policies' lock
 * @transforms: number of SAs in @led with each transform; the policies' lock
 * @tightest: the transform of @tx_sa, or one of @led's that leaves less room; written
 *	under RTNL
 * @sas: its SAs, oldest first; RTNL
 * @outbound: its outbound SAs, oldest first, but expired ones before all others; RTNL
 * @news: SAs with events to report to user space, each with a reference; no lock
 * @sa_count: number of SAs; RTNL
 * @adopted_count: number of SAs adopted from XFRM; RTNL
 * @next_sa_id: id of the next SA; RTNL
 * @up: has a usable outbound SA and is not dead; RTNL
 * @subnets: its prefixes; RTNL
 * @default_subnets: the prefixes are 0.0.0.0/0 and ::/0 because none was given
 * @replay_window: default of inbound SAs, in packets; RTNL
 * @path_mtu: last known MTU of the outer path in bytes; 0 before the first look
 *	at the path. Written under RTNL, read anywhere
 * @last_rx: jiffies of the last authenticated packet, 0 if none; no lock
 * @last_tx: jiffies of the last packet sent; no lock
 * @deleted: no work and no timer starts any more; written under RTNL
 * @pin: the endpoint does not follow the source of packets; written under RTNL
 * @nat_keepalive: seconds between NAT keepalives, 0 for none; written under RTNL
 * @nat_keepalive_timer: sends the next NAT keepalive
 * @liveness: keepalives, and whether the peer is dead
 * @tfc: pad inner packets to a multiple of this many bytes, or with PVSVPN_TFC_MTU
 *	to the size that fits the path; 0 for no padding. Written under RTNL
 * @moved_lock: protects @moved_to and @moved_port
 * @moved_to: source of the last authentic packet that did not come from @endpoint
 * @moved_port: its port, 0 if there is nothing to do
 * @refresh: applies @moved_to, selects the outbound SA, and reports news; holds a
 *	reference while queued
 * @origin: enum pvsvpn_origin; PVSVPN_ORIGIN_XFRM: removed with its last adopted SA; RTNL
 * @counters: per CPU, PVSVPN_DROP_PEER_MAX reasons
 */
struct pvsvpn_peer {
	refcount_t refs;
	struct rcu_head rcu;
	struct pvsvpn_device *pvs;
	netdevice_tracker dev_tracker;
	u32 id;
	const char *name;
	struct pvsvpn_peer_name *name_entry;
	struct pvsvpn_endpoint __rcu *endpoint;
	struct pvsvpn_sa __rcu *tx_sa;
	struct pvsvpn_destination __rcu *destination;
	bool by_policy;
	bool led_anew;
	struct list_head led;
	u32 led_count;
	u32 transforms[PVSVPN_TRANSFORMS];
	const struct pvsvpn_transform *tightest;
	struct list_head sas;
	struct list_head outbound;
	struct llist_head news;
	u32 sa_count;
	u32 adopted_count;
	u32 next_sa_id;
	bool up;
	struct list_head subnets;
	bool default_subnets;
	u32 replay_window;
	u32 path_mtu;
	unsigned long last_rx;
	unsigned long last_tx;
	bool deleted;
	bool pin;
	u32 nat_keepalive;
	struct timer_list nat_keepalive_timer;
	struct pvsvpn_liveness liveness;
	u32 tfc;
	spinlock_t moved_lock;
	xfrm_address_t moved_to;
	__be16 moved_port;
	struct work_struct refresh;
	u8 origin;
	struct pvsvpn_counters __percpu *counters;
};

/**
 * struct pvsvpn_peer_config - validated parameters of a peer
 * @name: 1 to PVSVPN_PEER_NAME_MAX bytes, NUL-terminated; pvsvpn_tunnel_set_peer() renames
 * @family: of @local and @remote, AF_INET or AF_INET6
 * @encap: PVSVPN_ENCAP_NONE or PVSVPN_ENCAP_UDP
 * @sport: as in struct pvsvpn_endpoint
 * @dport: as in struct pvsvpn_endpoint
 * @nat_keepalive: as in struct pvsvpn_peer
 * @pin: as in struct pvsvpn_peer
 * @keepalive: as in struct pvsvpn_liveness
 * @dead_after: as in struct pvsvpn_liveness; more than @keepalive, if both are set
 * @tfc: as in struct pvsvpn_peer
 * @link: as in struct pvsvpn_endpoint
 * @local: as in struct pvsvpn_endpoint
 * @remote: as in struct pvsvpn_endpoint
 * @mark: as in struct pvsvpn_endpoint
 * @origin: as in struct pvsvpn_peer
 * @replay_window: PVSVPN_REPLAY_WINDOW_MIN to PVSVPN_REPLAY_WINDOW_MAX
 * @prefixes: all different, and none of another peer; NULL with @prefix_count 0
 * @prefix_count: number of prefixes; 0 stands for 0.0.0.0/0 and ::/0
 * @keep_prefixes: pvsvpn_tunnel_set_peer(): leave the prefixes as they are
 * @locals: local subnets, all different; NULL with @local_count 0
 * @local_count: number of local subnets; 0 for no limit
 * @keep_locals: pvsvpn_tunnel_set_peer(): leave the local subnets as they are
 */
struct pvsvpn_peer_config {
	const char *name;
	u16 family;
	u8 encap;
	__be16 sport;
	__be16 dport;
	u32 nat_keepalive;
	bool pin;
	u32 keepalive;
	u32 dead_after;
	u32 tfc;
	char link[IFNAMSIZ];
	xfrm_address_t local;
	xfrm_address_t remote;
	u32 mark;
	u8 origin;
	u32 replay_window;
	const struct pvsvpn_prefix *prefixes;
	unsigned int prefix_count;
	bool keep_prefixes;
	const struct pvsvpn_prefix *locals;
	unsigned int local_count;
	bool keep_locals;
};

struct pvsvpn_peer_name *pvsvpn_peer_name_add(struct pvsvpn_peer *peer, const char *name);
void pvsvpn_peer_name_remove(struct pvsvpn_peer_name *entry);
void pvsvpn_peer_name_switch(struct pvsvpn_peer *peer, struct pvsvpn_peer_name *entry);
void pvsvpn_peer_switch_endpoint(struct pvsvpn_peer *peer, struct pvsvpn_endpoint *endpoint);
int pvsvpn_peer_set_subnets(struct pvsvpn_peer *peer, const struct pvsvpn_peer_config *config);
void pvsvpn_peer_del_subnets(struct pvsvpn_peer *peer,
			     const struct pvsvpn_prefix *keep, unsigned int count);
struct pvsvpn_peer *pvsvpn_peer_find(struct pvsvpn_device *pvs, const char *name);
void pvsvpn_peer_follow(struct pvsvpn_peer *peer, const xfrm_address_t *remote, __be16 port);
void pvsvpn_peer_refresh(struct pvsvpn_peer *peer);
void pvsvpn_peer_add_news(struct pvsvpn_sa *sa);
void pvsvpn_peer_reset_link(struct pvsvpn_peer *peer);
void pvsvpn_peer_reset_routes(struct pvsvpn_device *pvs);
void pvsvpn_peer_put(struct pvsvpn_peer *peer);
void pvsvpn_peer_put_later(struct pvsvpn_peer *peer);
int pvsvpn_peer_init(void);
void pvsvpn_peer_exit(void);

/**
 * pvsvpn_peer_endpoint() - get the outer addresses of a peer
 * @peer: the peer
 *
 * Context: RCU read-side critical section, or RTNL held.
 * Return: the endpoint, valid until that ends.
 */
static inline struct pvsvpn_endpoint *
pvsvpn_peer_endpoint(const struct pvsvpn_peer *peer)
{
	return rcu_dereference_rtnl(peer->endpoint);
}

#endif /* _PVSVPN_PEER_H */
