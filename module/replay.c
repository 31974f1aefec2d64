// SPDX-License-Identifier: GPL-2.0
#include <linux/bitmap.h>
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include "replay.h"
#include "stats.h"

/* This many refusals within this time are a burst. After a burst, report none for a while. */
#define REPLAY_BURST_PACKETS	64
#define REPLAY_BURST_TIME	HZ
#define REPLAY_BURST_SILENCE	(10 * HZ)

static unsigned long *replay_word(const struct pvsvpn_replay *replay, u64 seq)
{
	return &replay->bitmap[(seq / BITS_PER_LONG) & replay->mask];
}

/**
 * pvsvpn_replay_init() - set up a replay window
 * @replay: the window
 * @window: its size in packets; 0 for an adopted SA, whose window is in XFRM's state
 * @top: highest sequence number already accepted, 0 for a fresh SA; an ESN has
 *	64 bits
 *
 * Numbers up to @top inside the window count as received: an SA that is taken
 * over must not accept again what its former owner may have accepted.
 *
 * Context: process.
 * Return: 0, and @replay has a bitmap for kfree() unless @window is 0; or -ENOMEM.
 */
int pvsvpn_replay_init(struct pvsvpn_replay *replay, u32 window, u64 top)
{
	u32 words = roundup_pow_of_two(DIV_ROUND_UP(window, BITS_PER_LONG) + 1);

	spin_lock_init(&replay->lock);
	if (!window)
		return 0;
	replay->bitmap = kcalloc(words, sizeof(long), GFP_KERNEL_ACCOUNT);
	if (!replay->bitmap)
		return -ENOMEM;
	replay->window = window;
	replay->mask = words - 1;
	replay->top = top;
	if (top) {
		bitmap_fill(replay->bitmap, words * BITS_PER_LONG);
		/* The word of @top is only filled up to @top. */
		*replay_word(replay, top) = GENMASK(top % BITS_PER_LONG, 0);
	}
	return 0;
}

/**
 * pvsvpn_replay_extend() - compute the ESN from its low half
 * @top: highest number accepted so far
 * @window: size of the window in packets
 * @low: sequence number in the packet
 *
 * The result is the only candidate that is inside the window, or less than 2^32 to the right
 * of its left edge (RFC 4303 appendix A2). If it is wrong, the ICV check fails.
 *
 * Context: any.
 * Return: the sequence number, 64 bits.
 */
u64 pvsvpn_replay_extend(u64 top, u32 window, u32 low)
{
	u64 left = top - min_t(u64, top, max(window, 1U) - 1);
	u64 seq = (left & ~(u64)U32_MAX) | low;

	return seq < left ? seq + BIT_ULL(32) : seq;
}

/**
 * pvsvpn_replay_check() - check whether a number may still arrive
 * @replay: the window
 * @seq: sequence number of a packet that is not authenticated yet
 *
 * Reads without the lock, to save decryption of packets that the commit would
 * refuse; only the commit decides (RFC 4303 section 3.4.3).
 *
 * Context: softirq.
 * Return: PVSVPN_PASS or a drop reason.
 */
int pvsvpn_replay_check(const struct pvsvpn_replay *replay, u64 seq)
{
	u64 top = READ_ONCE(replay->top);

	if (unlikely(!seq))
		return PVSVPN_DROP_RX_SEQ_ZERO;
	if (likely(seq > top))
		return PVSVPN_PASS;
	if (top - seq >= replay->window)
		return PVSVPN_DROP_RX_TOO_OLD;
	if (READ_ONCE(*replay_word(replay, seq)) & BIT(seq % BITS_PER_LONG))
		return PVSVPN_DROP_RX_REPLAYED;
	return PVSVPN_PASS;
}

/* Clear the words that the window enters: at most the whole ring, even after a long jump. */
static void replay_advance(struct pvsvpn_replay *replay, u64 seq)
{
	u64 from = replay->top / BITS_PER_LONG;
	u64 words = min_t(u64, seq / BITS_PER_LONG - from, replay->mask + 1);

	while (words--)
		WRITE_ONCE(replay->bitmap[++from & replay->mask], 0);
	WRITE_ONCE(replay->top, seq);
}

/**
 * pvsvpn_replay_commit() - accept a number, once
 * @replay: the window
 * @seq: sequence number of an authenticated packet
 * @newest: set to true if no later number has been accepted yet
 *
 * Context: softirq.
 * Return: PVSVPN_PASS; or a drop reason if a concurrent packet has committed the same
 * number, or a much later one, first.
 */
int pvsvpn_replay_commit(struct pvsvpn_replay *replay, u64 seq, bool *newest)
{
	int why;

	spin_lock(&replay->lock);
	why = pvsvpn_replay_check(replay, seq);
	*newest = seq > replay->top;
	if (why == PVSVPN_PASS) {
		unsigned long *word = replay_word(replay, seq);

		if (*newest)
			replay_advance(replay, seq);
		WRITE_ONCE(*word, *word | BIT(seq % BITS_PER_LONG));
	}
	spin_unlock(&replay->lock);
	return why;
}

/**
 * pvsvpn_replay_burst() - count a packet that was refused for its number
 * @replay: the window
 * @why: PVSVPN_DROP_RX_REPLAYED or PVSVPN_DROP_RX_TOO_OLD
 *
 * A few refusals are normal in a network, or at the end of a rekey. Many at a time mean an
 * attack, a path that duplicates packets, or a window too small for the reordering.
 *
 * Context: softirq.
 * Return: true if this packet completes a burst, at most once in REPLAY_BURST_SILENCE.
 */
bool pvsvpn_replay_burst(struct pvsvpn_replay *replay, int why)
{
	u64 now = get_jiffies_64();
	bool burst = false;

	spin_lock(&replay->lock);
	if (time_after64(now, replay->burst_start + REPLAY_BURST_TIME)) {
		replay->burst_start = now;
		replay->refused = 0;
	}
	if (!time_before64(now, replay->burst_start) &&
	    ++replay->refused == REPLAY_BURST_PACKETS) {
		replay->burst_start = now + REPLAY_BURST_SILENCE;
		replay->refused = 0;
		WRITE_ONCE(replay->burst_why, why);
		burst = true;
	}
	spin_unlock(&replay->lock);
	return burst;
}
