/* SPDX-License-Identifier: GPL-2.0 */
/* Anti-replay window, RFC 4303 section 3.4.3. */
#ifndef _PVSVPN_REPLAY_H
#define _PVSVPN_REPLAY_H

#include <linux/spinlock.h>
#include <linux/types.h>

/**
 * struct pvsvpn_replay - which sequence numbers an inbound SA has accepted
 * @lock: protects @top and @bitmap against concurrent commits, and the burst fields
 * @window: how many numbers up to and including @top may still arrive; 0 for an
 *	adopted SA, which uses only @lock and the burst fields
 * @mask: number of words in @bitmap minus one; a power of two minus one
 * @top: highest number accepted so far, 0 before the first
 * @bitmap: ring with one bit a number; at least @window bits plus one word, so
 *	that the word being entered never holds numbers inside the window
 * @refused: packets refused for their number since @burst_start
 * @burst_start: jiffies when that count began, or will begin after a burst
 * @burst_why: drop reason of the packet that made the last burst
 */
struct pvsvpn_replay {
	spinlock_t lock;
	u32 window;
	u32 mask;
	u64 top;
	unsigned long *bitmap;
	u32 refused;
	u64 burst_start;
	int burst_why;
};

int pvsvpn_replay_init(struct pvsvpn_replay *replay, u32 window, u64 top);
u64 pvsvpn_replay_extend(u64 top, u32 window, u32 low);
int pvsvpn_replay_check(const struct pvsvpn_replay *replay, u64 seq);
int pvsvpn_replay_commit(struct pvsvpn_replay *replay, u64 seq, bool *newest);
bool pvsvpn_replay_burst(struct pvsvpn_replay *replay, int why);

#endif /* _PVSVPN_REPLAY_H */
