// SPDX-License-Identifier: GPL-2.0
/*
 * Sequence numbers, replay window and lifetimes of adopted SAs (RFC 4303 sections 3.3.3
 * and 3.4.3).
 *
 * XFRM's state is the only owner of these values. We take numbers from it and enter
 * numbers into it under its lock, as stock IPsec does, and keep no copy. So an xfrm
 * interface may use the state at the same time, a daemon may set the counters
 * (XFRM_MSG_NEWAE) and read them (XFRM_MSG_GETAE), and the next user of the state
 * continues where we have stopped.
 *
 * There are three forms. A state without replay_esn has 32-bit numbers and a window of up
 * to 32. A state with replay_esn has a window of up to 4096, and 32-bit numbers, or 64-bit
 * numbers with XFRM_STATE_ESN. The layout of the window is uAPI (struct xfrm_replay_state_esn).
 */
#include <linux/log2.h>
#include <linux/skbuff.h>
#include <linux/timekeeping.h>
#include <net/xfrm.h>

#include "lifetime.h"
#include "replay.h"
#include "sa.h"
#include "stats.h"
#include "xfrm_seq.h"

static bool state_esn(const struct xfrm_state *x)
{
	return x->props.flags & XFRM_STATE_ESN;
}

static u32 state_window(const struct xfrm_state *x)
{
	return x->replay_esn ? x->replay_esn->replay_window :
			       x->props.replay_window;
}

/* Only numbers of 64 bits have an upper half. */
static u64 state_number(const struct xfrm_state *x, u32 upper, u32 lower)
{
	return (state_esn(x) ? (u64)upper << 32 : 0) | lower;
}

static u64 state_out(const struct xfrm_state *x)
{
	const struct xfrm_replay_state_esn *esn = x->replay_esn;

	return esn ? state_number(x, esn->oseq_hi, esn->oseq) : x->replay.oseq;
}

static u64 state_top(const struct xfrm_state *x)
{
	const struct xfrm_replay_state_esn *esn = x->replay_esn;

	return esn ? state_number(x, esn->seq_hi, esn->seq) : x->replay.seq;
}

static void state_set_out(struct xfrm_state *x, u64 seq)
{
	struct xfrm_replay_state_esn *esn = x->replay_esn;

	if (!esn) {
		x->replay.oseq = seq;
		return;
	}
	esn->oseq = lower_32_bits(seq);
	if (state_esn(x))
		esn->oseq_hi = upper_32_bits(seq);
}

static bool aevent_is_due(const struct xfrm_state *x)
{
	const struct xfrm_replay_state_esn *now = x->replay_esn;
	const struct xfrm_replay_state_esn *told = x->preplay_esn;
	u32 out, in;

	if (!now) {
		out = x->replay.oseq - x->preplay.oseq;
		in = x->replay.seq - x->preplay.seq;
	} else {
		out = now->oseq - told->oseq;
		in = now->seq - told->seq;
	}
	return max(out, in) >= x->replay_maxdiff;
}

/*
 * Daemons that keep a standby up to date ask for reports of the numbers (XFRM_MSG_NEWAE).
 * XFRM's own timer sends them after a time, and we send them after a count of numbers.
 */
static void aevent_send(struct xfrm_state *x)
{
	struct km_event c = {
		.event = XFRM_MSG_NEWAE,
		.data.aevent = XFRM_REPLAY_UPDATE,
	};

	if (!x->replay_maxdiff || !aevent_is_due(x)) {
		if (!(x->xflags & XFRM_TIME_DEFER))
			return;
		c.data.aevent = XFRM_REPLAY_TIMEOUT;
	}
	if (x->replay_esn)
		memcpy(x->preplay_esn, x->replay_esn, xfrm_replay_state_esn_len(x->replay_esn));
	else
		x->preplay = x->replay;
	km_state_notify(x, &c);
	if (x->replay_maxage && !mod_timer(&x->rtimer, jiffies + x->replay_maxage))
		x->xflags &= ~XFRM_TIME_DEFER;
}

static void state_count(struct xfrm_state *x, unsigned int len)
{
	x->curlft.bytes += len;
	x->curlft.packets++;
}

static void state_moved_on(struct xfrm_state *x)
{
	WRITE_ONCE(x->lastused, ktime_get_real_seconds());
	if (unlikely(xfrm_aevent_is_on(xs_net(x))))
		aevent_send(x);
}

/* The packet that reaches a limit still passes, as in stock IPsec. */
static bool state_has_room(const struct xfrm_state *x)
{
	return x->curlft.packets < x->lft.hard_packet_limit &&
	       x->curlft.bytes < x->lft.hard_byte_limit;
}

/* xfrm_state_check_expire() also sends the lifetime events, even for the last number. */
static bool state_usable(struct xfrm_state *x)
{
	return x->km.state == XFRM_STATE_VALID && !xfrm_state_check_expire(x);
}

/* Return: how many packets of @list, at most @left, have used the state. */
static unsigned int state_count_list(struct xfrm_state *x, struct sk_buff *list, u64 left)
{
	unsigned int count = 0;
	struct sk_buff *skb, *next;

	skb_list_walk_safe(list, skb, next) {
		if (count == left || !state_has_room(x))
			break;
		/* A dummy packet has no protocol and counts no bytes. */
		state_count(x, skb->protocol ? skb->len : 0);
		count++;
	}
	return count;
}

/**
 * pvsvpn_state_take() - take sequence numbers of an adopted SA for a batch of packets
 * @sa: adopted outbound SA
 * @list: inner packets, linked by their next pointers
 * @first: set to the number of the first packet; the others follow
 *
 * The state counts the packets, and its lifetimes end as in stock IPsec. Numbers never
 * wrap, even if the state allows it: the IV depends on them (RFC 4303 section 3.3.3).
 *
 * Context: softirq, or BH disabled.
 * Return: how many packets got a number, the first ones of @list.
 */
unsigned int pvsvpn_state_take(struct pvsvpn_sa *sa, struct sk_buff *list, u64 *first)
{
	u64 max = pvsvpn_sa_seq_max(PVSVPN_DIRECTION_OUT, sa->esn);
	struct xfrm_state *x = sa->x;
	unsigned int count = 0;
	bool exhausted = false;
	u64 last;

	spin_lock(&x->lock);
	last = state_out(x);
	exhausted = last >= max;
	if (likely(!exhausted && state_usable(x))) {
		*first = last + 1;
		count = state_count_list(x, list, max - last);
		state_set_out(x, last + count);
		exhausted = last + count == max;
		state_moved_on(x);
	}
	spin_unlock(&x->lock);
	if (unlikely(exhausted))
		pvsvpn_lifetime_end(sa, PVSVPN_LIFETIME_SEQUENCE);
	return count;
}

/* The bit of the window for @seq, which is less than the window's size below @top. */
static u32 window_bit(u32 window, u64 top, u64 seq)
{
	u32 pos = (lower_32_bits(top) - 1) % window;

	return (pos + window - (u32)(top - seq)) % window;
}

static bool window_has(const struct xfrm_state *x, u64 top, u64 seq)
{
	u32 bit;

	if (!x->replay_esn)
		return x->replay.bitmap & BIT(top - seq);
	bit = window_bit(x->replay_esn->replay_window, top, seq);
	return x->replay_esn->bmp[bit / 32] & BIT(bit % 32);
}

static int window_check(const struct xfrm_state *x, u64 seq)
{
	u32 window = state_window(x);
	u64 top = state_top(x);

	if (unlikely(!window))
		return PVSVPN_PASS;
	if (unlikely(!seq))
		return PVSVPN_DROP_RX_SEQ_ZERO;
	if (likely(seq > top))
		return PVSVPN_PASS;
	if (top - seq >= window)
		return PVSVPN_DROP_RX_TOO_OLD;
	return window_has(x, top, seq) ? PVSVPN_DROP_RX_REPLAYED : PVSVPN_PASS;
}

static void legacy_enter(struct xfrm_state *x, u64 seq)
{
	u32 top = x->replay.seq;

	if (seq <= top) {
		x->replay.bitmap |= BIT(top - seq);
		return;
	}
	x->replay.bitmap = seq - top < x->props.replay_window ?
			   x->replay.bitmap << (seq - top) | 1 : 1;
	x->replay.seq = seq;
}

static void bit_set(struct xfrm_replay_state_esn *esn, u32 bit)
{
	esn->bmp[bit / 32] |= BIT(bit % 32);
}

static void bit_clear(struct xfrm_replay_state_esn *esn, u32 bit)
{
	esn->bmp[bit / 32] &= ~BIT(bit % 32);
}

/*
 * The low half of a number selects its place in the window. If the window's size does not
 * divide 2^32, the places are wrong after the low half wraps, so all numbers in the window
 * then count as received.
 */
static bool ring_breaks(u32 window, u64 top, u64 seq)
{
	return upper_32_bits(seq) != upper_32_bits(top) &&
	       !is_power_of_2(window);
}

static void bitmap_enter(struct xfrm_state *x, u64 seq)
{
	struct xfrm_replay_state_esn *esn = x->replay_esn;
	u32 window = esn->replay_window, pos, i;
	u32 bytes = DIV_ROUND_UP(window, 32) * sizeof(u32);
	u64 top = state_top(x);

	if (seq <= top) {
		bit_set(esn, window_bit(window, top, seq));
		return;
	}
	pos = (lower_32_bits(top) - 1) % window;
	if (unlikely(ring_breaks(window, top, seq)))
		memset(esn->bmp, 0xff, bytes);
	else if (seq - top >= window)
		memset(esn->bmp, 0, bytes);
	else
		for (i = 1; i < seq - top; i++)
			bit_clear(esn, (pos + i) % window);
	bit_set(esn, (u32)((pos + (seq - top)) % window));
	esn->seq = lower_32_bits(seq);
	if (state_esn(x))
		esn->seq_hi = upper_32_bits(seq);
}

static void window_enter(struct xfrm_state *x, u64 seq)
{
	if (!state_window(x))
		return;
	if (x->replay_esn)
		bitmap_enter(x, seq);
	else
		legacy_enter(x, seq);
}

/**
 * pvsvpn_state_check() - check whether a number of an adopted SA may still arrive
 * @sa: adopted inbound SA
 * @low: sequence number in the packet, which is not authenticated yet
 * @seq: set to the sequence number; with ESN all 64 bits
 *
 * This saves the decryption of packets that pvsvpn_state_commit() will refuse.
 *
 * Context: softirq.
 * Return: PVSVPN_PASS or a drop reason.
 */
int pvsvpn_state_check(struct pvsvpn_sa *sa, u32 low, u64 *seq)
{
	struct xfrm_state *x = sa->x;
	int why = PVSVPN_DROP_RX_EXPIRED;

	spin_lock(&x->lock);
	*seq = sa->esn ? pvsvpn_replay_extend(state_top(x), state_window(x), low) : low;
	if (likely(state_usable(x)))
		why = window_check(x, *seq);
	spin_unlock(&x->lock);
	return why;
}

/**
 * pvsvpn_state_commit() - accept a number of an adopted SA, once
 * @sa: adopted inbound SA
 * @seq: sequence number of an authenticated packet
 * @len: bytes of the inner packet, including the padding after it
 * @newest: set to true if no later number has been accepted yet
 *
 * Context: softirq.
 * Return: PVSVPN_PASS or a drop reason.
 */
int pvsvpn_state_commit(struct pvsvpn_sa *sa, u64 seq, unsigned int len, bool *newest)
{
	int why = PVSVPN_DROP_RX_EXPIRED;
	struct xfrm_state *x = sa->x;

	*newest = false;
	spin_lock(&x->lock);
	if (likely(x->km.state == XFRM_STATE_VALID))
		why = window_check(x, seq);
	if (likely(why == PVSVPN_PASS)) {
		*newest = seq > state_top(x);
		window_enter(x, seq);
		state_count(x, len);
		state_moved_on(x);
	}
	spin_unlock(&x->lock);
	return why;
}

/**
 * pvsvpn_state_dropped() - count a dropped packet in the state of an adopted SA
 * @sa: the SA
 * @why: enum pvsvpn_drop
 *
 * Context: softirq, or BH disabled.
 */
void pvsvpn_state_dropped(struct pvsvpn_sa *sa, int why)
{
	struct xfrm_state *x = sa->x;

	spin_lock(&x->lock);
	switch (why) {
	case PVSVPN_DROP_RX_ICV:
		x->stats.integrity_failed++;
		break;
	case PVSVPN_DROP_RX_REPLAYED:
		x->stats.replay++;
		break;
	case PVSVPN_DROP_RX_TOO_OLD:
		x->stats.replay_window++;
		break;
	}
	spin_unlock(&x->lock);
}

/**
 * pvsvpn_state_seq() - get the latest sequence number of an adopted SA
 * @sa: the SA
 *
 * Context: any but hard interrupts.
 * Return: outbound, the last number used; inbound, the highest one accepted.
 */
u64 pvsvpn_state_seq(const struct pvsvpn_sa *sa)
{
	struct xfrm_state *x = sa->x;
	u64 seq;

	spin_lock_bh(&x->lock);
	seq = sa->dir == PVSVPN_DIRECTION_OUT ? state_out(x) : state_top(x);
	spin_unlock_bh(&x->lock);
	return seq;
}

/**
 * pvsvpn_state_window() - get the replay window of an adopted SA
 * @sa: the SA
 *
 * Context: any.
 * Return: size in packets; 0 for none.
 */
u32 pvsvpn_state_window(const struct pvsvpn_sa *sa)
{
	return state_window(sa->x);
}
