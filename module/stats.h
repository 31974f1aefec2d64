/* SPDX-License-Identifier: GPL-2.0 */
/* Counters, and the only function that drops packets. */
#ifndef _PVSVPN_STATS_H
#define _PVSVPN_STATS_H

#include <linux/u64_stats_sync.h>

#include "drop.h"

/* A step of the packet path returns this to continue, or else an enum pvsvpn_drop. */
#define PVSVPN_PASS	(-1)
/* Or this: the packet waits and will be processed again. */
#define PVSVPN_PARKED	(-2)

struct pvsvpn_device;
struct pvsvpn_peer;
struct pvsvpn_sa;
struct rtnl_link_stats64;
struct sk_buff;

/* Index into packets and bytes; the same as enum pvsvpn_direction. */
enum pvsvpn_flow { PVSVPN_RX, PVSVPN_TX };

/**
 * struct pvsvpn_counters - one CPU's counters of a device, a peer or an SA
 * @syncp: makes 64-bit reads consistent on 32-bit machines
 * @packets: inner packets that passed, by enum pvsvpn_flow
 * @bytes: their bytes, from the inner IP header on
 * @drops: dropped packets by reason; the object's scope sets the length
 */
struct pvsvpn_counters {
	struct u64_stats_sync syncp;
	u64_stats_t packets[2];
	u64_stats_t bytes[2];
	u64_stats_t drops[];
};

/**
 * struct pvsvpn_totals - the sum over all CPUs
 * @packets: inner packets that passed, by enum pvsvpn_flow
 * @bytes: their bytes
 * @drops: dropped packets by reason; zero beyond the object's scope
 */
struct pvsvpn_totals {
	u64 packets[2];
	u64 bytes[2];
	u64 drops[PVSVPN_DROP_MAX];
};

struct pvsvpn_counters __percpu *pvsvpn_stats_alloc(unsigned int reasons);
void pvsvpn_stats_sum(struct pvsvpn_totals *sum,
		      const struct pvsvpn_counters __percpu *counters,
		      unsigned int reasons);
u64 pvsvpn_stats_drops(const struct pvsvpn_totals *sum);
const char *pvsvpn_stats_reason_name(unsigned int reason);
void pvsvpn_stats_link(struct rtnl_link_stats64 *link, const struct pvsvpn_totals *sum);
void pvsvpn_stats_passed(struct pvsvpn_sa *sa, enum pvsvpn_flow flow, unsigned int bytes);
void pvsvpn_stats_dropped(struct pvsvpn_device *pvs, struct pvsvpn_peer *peer,
			  struct pvsvpn_sa *sa, unsigned int len, int reason);
void pvsvpn_drop(struct pvsvpn_device *pvs, struct pvsvpn_peer *peer,
		 struct pvsvpn_sa *sa, struct sk_buff *skb, int reason);

#endif /* _PVSVPN_STATS_H */
