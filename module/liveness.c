// SPDX-License-Identifier: GPL-2.0
/*
 * Dead peer detection, for tunnels with manual keys, which have no IKE daemon to
 * check the peer.
 *
 * Each peer has one timer. It sends dummy packets (RFC 4303 section 2.6) when nothing
 * else was sent, and notices when no authentic packet has arrived for too long. The
 * peer's work decides under RTNL whether the peer is dead or alive. The packet path
 * does not touch the timer: it only records when a packet has passed.
 */
#include <linux/jiffies.h>
#include <linux/rtnetlink.h>

#include "device.h"
#include "liveness.h"
#include "peer.h"
#include "xmit.h"

/* 32-bit jiffies cannot represent more. */
static_assert(PVSVPN_DEAD_AFTER_MAX < MAX_JIFFY_OFFSET / HZ);

static unsigned long later_of(unsigned long a, unsigned long b)
{
	return time_after(a, b) ? a : b;
}

static unsigned long keepalive_due(const struct pvsvpn_peer *peer)
{
	const struct pvsvpn_liveness *live = &peer->liveness;

	return later_of(READ_ONCE(peer->last_tx), live->tried) +
	       live->keepalive * HZ;
}

/* @rx: the peer's last_rx, 0 for never */
static unsigned long death_due(const struct pvsvpn_peer *peer, unsigned long rx)
{
	const struct pvsvpn_liveness *live = &peer->liveness;

	return (rx ? later_of(rx, live->since) : live->since) +
	       live->dead_after * HZ;
}

/* A device that is down neither sends nor receives, so its peers do not die. */
static bool liveness_runs(const struct pvsvpn_peer *peer)
{
	return READ_ONCE(peer->liveness.running) &&
	       !READ_ONCE(peer->deleted) && netif_running(peer->pvs->dev);
}

/* Return: the event reason why @dead must change, or NULL. */
static const char *liveness_news(const struct pvsvpn_peer *peer, unsigned long rx)
{
	const struct pvsvpn_liveness *live = &peer->liveness;

	if (!READ_ONCE(live->dead))
		return live->dead_after &&
		       !time_before(jiffies, death_due(peer, rx)) ?
		       "dead-peer" : NULL;
	if (!live->dead_after)
		return "request";
	return rx != READ_ONCE(live->dead_rx) ? "authentic-packet" : NULL;
}

/* If @due has passed, wait a second: the scheduled work has not run yet. */
static unsigned long time_until(unsigned long due)
{
	unsigned long now = jiffies;

	return time_after(due, now) ? due - now : HZ;
}

static void liveness_arm(struct pvsvpn_peer *peer)
{
	struct pvsvpn_liveness *live = &peer->liveness;
	unsigned long wait = MAX_JIFFY_OFFSET;

	if (live->keepalive)
		wait = time_until(keepalive_due(peer));
	if (live->dead_after && !READ_ONCE(live->dead))
		wait = min(wait, time_until(death_due(peer, READ_ONCE(peer->last_rx))));
	if (wait != MAX_JIFFY_OFFSET)
		mod_timer(&live->timer, jiffies + wait);
}

static void liveness_keep(struct pvsvpn_peer *peer)
{
	struct pvsvpn_liveness *live = &peer->liveness;

	if (!live->keepalive || time_before(jiffies, keepalive_due(peer)))
		return;
	/* Set it even if sending fails, so that the next one is due after the same time. */
	live->tried = jiffies;
	rcu_read_lock();
	pvsvpn_xmit_dummy(peer);
	rcu_read_unlock();
}

static void liveness_timer(struct timer_list *timer)
{
	struct pvsvpn_peer *peer = from_timer(peer, timer, liveness.timer);

	if (!liveness_runs(peer))
		return;
	liveness_keep(peer);
	if (liveness_news(peer, READ_ONCE(peer->last_rx)))
		pvsvpn_peer_refresh(peer);
	liveness_arm(peer);
}

/**
 * pvsvpn_liveness_init() - initialise the liveness of a new peer
 * @peer: the peer, without SAs yet
 * @keepalive: seconds, as in struct pvsvpn_liveness
 * @dead_after: seconds, as in struct pvsvpn_liveness
 *
 * Context: any.
 */
void pvsvpn_liveness_init(struct pvsvpn_peer *peer, u32 keepalive, u32 dead_after)
{
	peer->liveness.keepalive = keepalive;
	peer->liveness.dead_after = dead_after;
	timer_setup(&peer->liveness.timer, liveness_timer, 0);
}

/**
 * pvsvpn_liveness_restart() - restart the clocks of a peer, for instance when the device goes up
 * @peer: the peer
 *
 * Context: process, RTNL held.
 */
void pvsvpn_liveness_restart(struct pvsvpn_peer *peer)
{
	ASSERT_RTNL();
	/* Stop the timer before changing its inputs, so it cannot re-arm with stale values. */
	del_timer_sync(&peer->liveness.timer);
	peer->liveness.since = jiffies;
	peer->liveness.tried = jiffies;
	if (liveness_runs(peer))
		liveness_arm(peer);
}

/**
 * pvsvpn_liveness_set() - change the times of a peer
 * @peer: the peer; the caller must call pvsvpn_tunnel_select_sa() afterwards
 * @keepalive: seconds, as in struct pvsvpn_liveness
 * @dead_after: seconds, as in struct pvsvpn_liveness. A new value restarts its clock,
 *	but a dead peer stays dead until an authentic packet arrives
 *
 * Context: process, RTNL held.
 */
void pvsvpn_liveness_set(struct pvsvpn_peer *peer, u32 keepalive, u32 dead_after)
{
	struct pvsvpn_liveness *live = &peer->liveness;

	ASSERT_RTNL();
	del_timer_sync(&live->timer);
	if (dead_after != live->dead_after)
		live->since = jiffies;
	live->keepalive = keepalive;
	live->dead_after = dead_after;
	if (liveness_runs(peer))
		liveness_arm(peer);
}

static void liveness_run(struct pvsvpn_peer *peer, bool usable)
{
	struct pvsvpn_liveness *live = &peer->liveness;

	WRITE_ONCE(live->running, usable);
	/* A peer without an SA is down, not dead. A new SA restarts its clock. */
	WRITE_ONCE(live->dead, false);
	if (usable)
		pvsvpn_liveness_restart(peer);
	else
		del_timer_sync(&live->timer);
}

/**
 * pvsvpn_liveness_look() - decide whether a peer is dead
 * @peer: the peer
 * @usable: whether it has a usable outbound SA
 *
 * Context: process, RTNL held.
 * Return: the reason for an event if the peer has died or come back; NULL if it has
 * not, or if @usable has changed.
 */
const char *pvsvpn_liveness_look(struct pvsvpn_peer *peer, bool usable)
{
	struct pvsvpn_liveness *live = &peer->liveness;
	unsigned long rx = READ_ONCE(peer->last_rx);
	const char *why;

	ASSERT_RTNL();
	if (live->running != usable) {
		liveness_run(peer, usable);
		return NULL;
	}
	if (!usable || (!live->dead && !liveness_runs(peer)))
		return NULL;
	why = liveness_news(peer, rx);
	if (!why)
		return NULL;
	live->dead_at = jiffies;
	WRITE_ONCE(live->dead_rx, rx);
	WRITE_ONCE(live->dead, !live->dead);
	/* If keepalives are off, the timer has been idle since the peer died. */
	if (!live->dead && liveness_runs(peer))
		liveness_arm(peer);
	return why;
}

/**
 * pvsvpn_liveness_seen() - record that an authentic packet of a peer has arrived
 * @peer: the peer
 *
 * Context: softirq, in the RCU read-side critical section that protects an SA of the peer.
 */
void pvsvpn_liveness_seen(struct pvsvpn_peer *peer)
{
	/* 0 means never. */
	unsigned long now = jiffies ?: 1;

	if (READ_ONCE(peer->last_rx) != now)
		WRITE_ONCE(peer->last_rx, now);
	if (unlikely(READ_ONCE(peer->liveness.dead)) && !READ_ONCE(peer->deleted))
		pvsvpn_peer_refresh(peer);
}
