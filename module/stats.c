// SPDX-License-Identifier: GPL-2.0
#include <linux/if_link.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>

#include "device.h"
#include "peer.h"
#include "sa.h"
#include "stats.h"
#include "trace.h"

enum link_column { RX_ERRORS, RX_DROPPED, TX_ERRORS, TX_DROPPED, CORE, NONE };

#define REASON(symbol, name_, link_, core_, text)			\
	[symbol] = { .name = name_, .link = link_, .core = core_ },
static const struct {
	const char *name;
	enum link_column link;
	enum skb_drop_reason core;
} reasons[] = {
	PVSVPN_DROP_LIST(REASON)
};
#undef REASON

/**
 * pvsvpn_stats_alloc() - allocate the counters of one object
 * @reasons: number of drop reasons in its scope: PVSVPN_DROP_SA_MAX,
 *	PVSVPN_DROP_PEER_MAX or PVSVPN_DROP_MAX
 *
 * Context: process.
 * Return: the counters, zeroed, for free_percpu(); or NULL.
 */
struct pvsvpn_counters __percpu *pvsvpn_stats_alloc(unsigned int reasons)
{
	struct pvsvpn_counters __percpu *counters;
	int cpu;

	counters = __alloc_percpu_gfp(struct_size(counters, drops, reasons),
				      __alignof__(*counters),
				      GFP_KERNEL_ACCOUNT);
	if (!counters)
		return NULL;
	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(counters, cpu)->syncp);
	return counters;
}

static void stats_add_cpu(struct pvsvpn_totals *sum,
			  const struct pvsvpn_counters *cpu,
			  unsigned int reasons)
{
	struct pvsvpn_totals now;
	unsigned int start, i;

	do {
		start = u64_stats_fetch_begin(&cpu->syncp);
		for (i = 0; i < 2; i++) {
			now.packets[i] = u64_stats_read(&cpu->packets[i]);
			now.bytes[i] = u64_stats_read(&cpu->bytes[i]);
		}
		for (i = 0; i < reasons; i++)
			now.drops[i] = u64_stats_read(&cpu->drops[i]);
	} while (u64_stats_fetch_retry(&cpu->syncp, start));

	for (i = 0; i < 2; i++) {
		sum->packets[i] += now.packets[i];
		sum->bytes[i] += now.bytes[i];
	}
	for (i = 0; i < reasons; i++)
		sum->drops[i] += now.drops[i];
}

/**
 * pvsvpn_stats_sum() - add up the counters of all CPUs
 * @sum: the result, overwritten
 * @counters: from pvsvpn_stats_alloc()
 * @reasons: as given to pvsvpn_stats_alloc()
 *
 * Context: any.
 */
void pvsvpn_stats_sum(struct pvsvpn_totals *sum,
		      const struct pvsvpn_counters __percpu *counters,
		      unsigned int reasons)
{
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu)
		stats_add_cpu(sum, per_cpu_ptr(counters, cpu), reasons);
}

/**
 * pvsvpn_stats_drops() - add up all drops except those of harmless packets
 * @sum: from pvsvpn_stats_sum()
 *
 * Context: any.
 * Return: number of packets, without reasons whose link column is NONE.
 */
u64 pvsvpn_stats_drops(const struct pvsvpn_totals *sum)
{
	u64 drops = 0;
	int i;

	for (i = 0; i < PVSVPN_DROP_MAX; i++)
		if (reasons[i].link != NONE)
			drops += sum->drops[i];
	return drops;
}

/**
 * pvsvpn_stats_reason_name() - get the user-visible name of a drop reason
 * @reason: enum pvsvpn_drop
 *
 * Context: any.
 * Return: the name, a constant string.
 */
const char *pvsvpn_stats_reason_name(unsigned int reason)
{
	BUILD_BUG_ON(ARRAY_SIZE(reasons) != PVSVPN_DROP_MAX);
	return reasons[reason].name;
}

/**
 * pvsvpn_stats_link() - sort a device's counters into the columns of `ip -s link`
 * @link: filled in
 * @sum: counters of the device
 *
 * Context: any.
 */
void pvsvpn_stats_link(struct rtnl_link_stats64 *link, const struct pvsvpn_totals *sum)
{
	u64 columns[NONE + 1] = {};
	int i;

	for (i = 0; i < PVSVPN_DROP_MAX; i++)
		columns[reasons[i].link] += sum->drops[i];
	link->rx_packets = sum->packets[PVSVPN_RX];
	link->rx_bytes = sum->bytes[PVSVPN_RX];
	link->tx_packets = sum->packets[PVSVPN_TX];
	link->tx_bytes = sum->bytes[PVSVPN_TX];
	link->rx_errors = columns[RX_ERRORS];
	link->rx_dropped = columns[RX_DROPPED];
	link->tx_errors = columns[TX_ERRORS];
	link->tx_dropped = columns[TX_DROPPED];
}

static void stats_count(struct pvsvpn_counters __percpu *counters,
			enum pvsvpn_flow flow, unsigned int bytes)
{
	struct pvsvpn_counters *cpu = this_cpu_ptr(counters);

	u64_stats_update_begin(&cpu->syncp);
	u64_stats_inc(&cpu->packets[flow]);
	u64_stats_add(&cpu->bytes[flow], bytes);
	u64_stats_update_end(&cpu->syncp);
}

static void stats_count_drop(struct pvsvpn_counters __percpu *counters, int reason)
{
	struct pvsvpn_counters *cpu = this_cpu_ptr(counters);

	u64_stats_update_begin(&cpu->syncp);
	u64_stats_inc(&cpu->drops[reason]);
	u64_stats_update_end(&cpu->syncp);
}

/**
 * pvsvpn_stats_passed() - count a packet that passed
 * @sa: the SA that carried it; its peer and device count it too
 * @flow: its direction
 * @bytes: length of the inner packet
 *
 * Context: softirq, or BH disabled.
 */
void pvsvpn_stats_passed(struct pvsvpn_sa *sa, enum pvsvpn_flow flow, unsigned int bytes)
{
	stats_count(sa->counters, flow, bytes);
	stats_count(sa->peer->counters, flow, bytes);
	stats_count(sa->peer->pvs->counters, flow, bytes);
}

/**
 * pvsvpn_stats_dropped() - count and trace a drop; the caller frees the packet
 * @pvs: the device
 * @peer: the peer, or NULL if unknown
 * @sa: the SA, or NULL if unknown
 * @len: length of the packet when it was dropped, in bytes
 * @reason: enum pvsvpn_drop
 *
 * Context: softirq, or BH disabled.
 */
void pvsvpn_stats_dropped(struct pvsvpn_device *pvs, struct pvsvpn_peer *peer,
			  struct pvsvpn_sa *sa, unsigned int len, int reason)
{
	stats_count_drop(pvs->counters, reason);
	if (peer && reason < PVSVPN_DROP_PEER_MAX)
		stats_count_drop(peer->counters, reason);
	if (sa && reason < PVSVPN_DROP_SA_MAX)
		stats_count_drop(sa->counters, reason);
	trace_pvsvpn_drop(pvs, peer, sa, len, reason);
}

/**
 * pvsvpn_drop() - count, trace and free a packet; the only way pvsvpn drops one
 * @pvs: the device
 * @peer: the peer, or NULL if unknown
 * @sa: the SA, or NULL if unknown
 * @skb: the packet; freed
 * @reason: enum pvsvpn_drop
 *
 * Context: softirq, or BH disabled.
 */
void pvsvpn_drop(struct pvsvpn_device *pvs, struct pvsvpn_peer *peer,
		 struct pvsvpn_sa *sa, struct sk_buff *skb, int reason)
{
	pvsvpn_stats_dropped(pvs, peer, sa, skb->len, reason);
	kfree_skb_reason(skb, reasons[reason].core);
}
