/* SPDX-License-Identifier: GPL-2.0 */
/* What a state of XFRM says, and what is told to it. */
#ifndef _PVSVPN_XFRM_STATE_H
#define _PVSVPN_XFRM_STATE_H

#include <net/xfrm.h>

struct crypto_aead;
struct pvsvpn_peer_config;
struct pvsvpn_sa;
struct pvsvpn_transform;

u8 pvsvpn_state_dir(struct xfrm_state *x);
const struct pvsvpn_transform *
pvsvpn_state_transform(const struct xfrm_state *x);
struct crypto_aead *pvsvpn_state_aead(const struct xfrm_state *x);
u64 pvsvpn_state_seq(const struct xfrm_state *x, u8 dir);
u32 pvsvpn_state_window(const struct xfrm_state *x);
const char *pvsvpn_state_why_not(const struct xfrm_state *x);
void pvsvpn_state_endpoint(const struct xfrm_state *x, u8 dir,
			   struct pvsvpn_peer_config *config);
bool pvsvpn_state_dead(const struct pvsvpn_sa *sa);
bool pvsvpn_state_use(struct pvsvpn_sa *sa, unsigned int len);
void pvsvpn_state_dropped(struct pvsvpn_sa *sa, int why);
void pvsvpn_state_moved(struct pvsvpn_sa *sa, xfrm_address_t *remote,
			__be16 port);
void pvsvpn_state_hand_back(struct pvsvpn_sa *sa);

#endif /* _PVSVPN_XFRM_STATE_H */
