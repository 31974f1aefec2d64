/* SPDX-License-Identifier: GPL-2.0 */
/* Is a peer still there? Keepalives, and the clock that says no. */
#ifndef _PVSVPN_LIVENESS_H
#define _PVSVPN_LIVENESS_H

#include <linux/timer.h>

struct pvsvpn_peer;

/**
 * struct pvsvpn_liveness - whether a peer is still there
 * @keepalive: seconds without a packet sent until a dummy packet goes out, 0 for
 *	never; written under RTNL
 * @dead_after: seconds without an authentic packet until the peer is dead, 0 for
 *	never; written under RTNL
 * @running: the peer has a usable outbound SA; RTNL
 * @dead: nothing authentic has come for too long; written under RTNL
 * @dead_at: jiffies when that was found; RTNL
 * @dead_rx: last_rx of the peer then: another value means that it lives
 * @since: jiffies when the clock of @dead_after has started; written while
 *	@timer is not running
 * @tried: jiffies when a keepalive was due last, sent or not; @timer's own
 * @timer: does both
 */
struct pvsvpn_liveness {
	u32 keepalive;
	u32 dead_after;
	bool running;
	bool dead;
	unsigned long dead_at;
	unsigned long dead_rx;
	unsigned long since;
	unsigned long tried;
	struct timer_list timer;
};

void pvsvpn_liveness_init(struct pvsvpn_peer *peer, u32 keepalive,
			  u32 dead_after);
void pvsvpn_liveness_set(struct pvsvpn_peer *peer, u32 keepalive,
			 u32 dead_after);
const char *pvsvpn_liveness_look(struct pvsvpn_peer *peer, bool usable);
void pvsvpn_liveness_restart(struct pvsvpn_peer *peer);
void pvsvpn_liveness_stop(struct pvsvpn_peer *peer);
void pvsvpn_liveness_seen(struct pvsvpn_peer *peer);

#endif /* _PVSVPN_LIVENESS_H */
