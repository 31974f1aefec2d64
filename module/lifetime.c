// SPDX-License-Identifier: GPL-2.0
/*
 * Lifetimes of SAs. The packet path counts, and the timer checks the clock. Both
 * only set a flag; the peer's work does the rest.
 */
#include <linux/ktime.h>

#include "lifetime.h"
#include "peer.h"
#include "sa.h"

static const char * const names[] = {
	[PVSVPN_LIFETIME_PACKETS] = "packets",
	[PVSVPN_LIFETIME_BYTES] = "bytes",
	[PVSVPN_LIFETIME_SECONDS] = "seconds",
	[PVSVPN_LIFETIME_USE_SECONDS] = "use-seconds",
	[PVSVPN_LIFETIME_SEQUENCE] = "sequence-exhausted",
};

/**
 * pvsvpn_lifetime_name() - get the reason of an event about a lifetime
 * @kind: kind of the limit that the SA has reached
 *
 * Context: any.
 * Return: a static string, words joined by hyphens.
 */
const char *pvsvpn_lifetime_name(enum pvsvpn_lifetime_kind kind)
{
	return names[kind];
}

/* Set the reason @over and the flag @expired, once. */
static void lifetime_over(struct pvsvpn_sa *sa, enum pvsvpn_sa_flag expired,
			  u8 *over, enum pvsvpn_lifetime_kind why)
{
	if (test_bit(expired, &sa->flags))
		return;
	WRITE_ONCE(*over, why);
	/* Publish the reason before setting the flag. */
	smp_mb__before_atomic();
	if (!test_and_set_bit(expired, &sa->flags))
		pvsvpn_peer_add_news(sa);
}

/**
 * pvsvpn_lifetime_end() - expire an SA, so that no packet uses it any more
 * @sa: the SA, in use
 * @why: kind of the limit that the SA has reached
 *
 * Context: any.
 */
void pvsvpn_lifetime_end(struct pvsvpn_sa *sa, enum pvsvpn_lifetime_kind why)
{
	lifetime_over(sa, PVSVPN_SA_EXPIRED, &sa->lifetime.hard_why, why);
}

static void lifetime_warn(struct pvsvpn_sa *sa, enum pvsvpn_lifetime_kind why)
{
	lifetime_over(sa, PVSVPN_SA_SOFT_EXPIRED, &sa->lifetime.soft_why, why);
}

/* Check the limits of @kind at the value @now. Return: whether the hard limit is reached. */
static bool lifetime_reached(struct pvsvpn_sa *sa, enum pvsvpn_lifetime_kind kind, u64 now)
{
	struct pvsvpn_lifetime *lifetime = &sa->lifetime;

	if (lifetime->hard[kind] && now >= lifetime->hard[kind]) {
		/* A late timer may find both limits reached. */
		if (lifetime->soft[kind])
			lifetime_warn(sa, kind);
		pvsvpn_lifetime_end(sa, kind);
		return true;
	}
	if (lifetime->soft[kind] && now >= lifetime->soft[kind])
		lifetime_warn(sa, kind);
	return false;
}

static u64 seconds_since(u64 start)
{
	return start ? div_u64(ktime_get_boottime_ns() - start, NSEC_PER_SEC) :
		       0;
}

/* Return: seconds from @now to the next limit of @kind, at most @next. */
static u64 next_limit(const struct pvsvpn_lifetime *lifetime,
		      enum pvsvpn_lifetime_kind kind, u64 now, u64 next)
{
	if (lifetime->soft[kind] > now)
		next = min(next, lifetime->soft[kind] - now);
	if (lifetime->hard[kind] > now)
		next = min(next, lifetime->hard[kind] - now);
	return next;
}

static void lifetime_look(struct pvsvpn_sa *sa)
{
	u64 used = seconds_since(atomic64_read(&sa->lifetime.first_use));
	u64 age = seconds_since(sa->created);
	u64 next = U64_MAX;

	if (lifetime_reached(sa, PVSVPN_LIFETIME_SECONDS, age) ||
	    lifetime_reached(sa, PVSVPN_LIFETIME_USE_SECONDS, used))
		return;
	next = next_limit(&sa->lifetime, PVSVPN_LIFETIME_SECONDS, age, next);
	if (atomic64_read(&sa->lifetime.first_use))
		next = next_limit(&sa->lifetime, PVSVPN_LIFETIME_USE_SECONDS, used, next);
	if (next != U64_MAX)
		mod_timer(&sa->lifetime.timer, jiffies + min_t(u64, next * HZ, MAX_JIFFY_OFFSET));
}

static void lifetime_timer(struct timer_list *timer)
{
	struct pvsvpn_lifetime *lifetime = from_timer(lifetime, timer, timer);

	lifetime_look(container_of(lifetime, struct pvsvpn_sa, lifetime));
}

/**
 * pvsvpn_lifetime_init() - initialise the lifetime of a new SA
 * @sa: the SA
 * @soft: PVSVPN_LIFETIME_KINDS soft limits, 0 for none
 * @hard: PVSVPN_LIFETIME_KINDS hard limits, 0 for none
 *
 * Context: process.
 */
void pvsvpn_lifetime_init(struct pvsvpn_sa *sa, const u64 *soft, const u64 *hard)
{
	struct pvsvpn_lifetime *lifetime = &sa->lifetime;
	int kind;

	for (kind = 0; kind < PVSVPN_LIFETIME_KINDS; kind++) {
		lifetime->soft[kind] = soft[kind];
		lifetime->hard[kind] = hard[kind];
		lifetime->limited |= soft[kind] || hard[kind];
	}
	timer_setup(&lifetime->timer, lifetime_timer, 0);
}

/**
 * pvsvpn_lifetime_start() - start the timer of an SA that comes into use
 * @sa: the SA
 *
 * Context: process, RTNL held.
 */
void pvsvpn_lifetime_start(struct pvsvpn_sa *sa)
{
	if (sa->lifetime.limited)
		lifetime_look(sa);
}

static void lifetime_first_use(struct pvsvpn_sa *sa)
{
	u64 now = ktime_get_boottime_ns();

	if (!atomic64_cmpxchg(&sa->lifetime.first_use, 0, now))
		lifetime_look(sa);
}

static bool lifetime_count(struct pvsvpn_sa *sa, unsigned int len)
{
	struct pvsvpn_lifetime *lifetime = &sa->lifetime;
	u64 packets = atomic64_inc_return(&lifetime->used[0]);
	u64 bytes = atomic64_add_return(len, &lifetime->used[1]);
	u64 max_packets = lifetime->hard[PVSVPN_LIFETIME_PACKETS];
	u64 max_bytes = lifetime->hard[PVSVPN_LIFETIME_BYTES];

	if (unlikely(!atomic64_read(&lifetime->first_use)))
		lifetime_first_use(sa);
	lifetime_reached(sa, PVSVPN_LIFETIME_PACKETS, packets);
	lifetime_reached(sa, PVSVPN_LIFETIME_BYTES, bytes);
	/* The packet that reaches a limit still passes. */
	return (!max_packets || packets <= max_packets) &&
	       (!max_bytes || bytes - len < max_bytes);
}

/**
 * pvsvpn_lifetime_use() - count a packet that is about to use an SA
 * @sa: the SA; not counted here if adopted, because its XFRM state counts
 * @len: bytes of the inner packet
 *
 * Context: softirq, RCU read-side critical section.
 * Return: true if the packet may use the SA.
 */
bool pvsvpn_lifetime_use(struct pvsvpn_sa *sa, unsigned int len)
{
	return likely(!sa->lifetime.limited) || lifetime_count(sa, len);
}
