/* SPDX-License-Identifier: GPL-2.0 */
/* Keepalives and dead peer detection. */
#ifndef _PVSVPN_LIVENESS_H
#define _PVSVPN_LIVENESS_H

#include <linux/timer.h>

struct pvsvpn_peer;

/**
 * struct pvsvpn_liveness - keepalives and dead peer detection of a peer
 * @keepalive: seconds without a packet sent until a dummy packet is sent, 0 for
 *	never; written under RTNL
 * @dead_after: seconds without an authentic packet until the peer is dead, 0 for
 *	never; written under RTNL
 * @running: the peer has a usable outbound SA; RTNL
 * @dead: no authentic packet has arrived for too long; written under RTNL
 * @dead_at: jiffies when the peer was found dead; RTNL
 * @dead_rx: last_rx of the peer at that time: another value means that it is alive
 * @since: jiffies when the clock of @dead_after started; written while @timer is
 *	not running
 * @tried: jiffies when a keepalive was last due, sent or not; owned by @timer
 * @timer: sends keepalives and detects a dead peer
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

void pvsvpn_liveness_init(struct pvsvpn_peer *peer, u32 keepalive, u32 dead_after);
void pvsvpn_liveness_set(struct pvsvpn_peer *peer, u32 keepalive, u32 dead_after);
const char *pvsvpn_liveness_look(struct pvsvpn_peer *peer, bool usable);
void pvsvpn_liveness_restart(struct pvsvpn_peer *peer);
void pvsvpn_liveness_seen(struct pvsvpn_peer *peer);

#endif /* _PVSVPN_LIVENESS_H */
