/* SPDX-License-Identifier: GPL-2.0 */
/* Changes of peers and SAs together. */
#ifndef _PVSVPN_TUNNEL_H
#define _PVSVPN_TUNNEL_H

#include <linux/types.h>

struct netlink_ext_ack;
struct pvsvpn_device;
struct pvsvpn_peer;
struct pvsvpn_peer_config;
struct pvsvpn_sa;

int pvsvpn_tunnel_add_peer(struct pvsvpn_device *pvs,
			   const struct pvsvpn_peer_config *config,
			   struct netlink_ext_ack *extack);
int pvsvpn_tunnel_set_peer(struct pvsvpn_peer *peer,
			   const struct pvsvpn_peer_config *config,
			   struct netlink_ext_ack *extack);
int pvsvpn_tunnel_move_peer(struct pvsvpn_peer *peer,
			    const struct pvsvpn_peer_config *config,
			    const char *reason);
void pvsvpn_tunnel_del_peer(struct pvsvpn_peer *peer);
int pvsvpn_tunnel_add_sa(struct pvsvpn_sa *sa, struct pvsvpn_peer *peer, u32 replay_window);
void pvsvpn_tunnel_del_sa(struct pvsvpn_sa *sa);
void pvsvpn_tunnel_select_sa(struct pvsvpn_peer *peer);
void pvsvpn_tunnel_tell_news(struct pvsvpn_peer *peer);

#endif /* _PVSVPN_TUNNEL_H */
