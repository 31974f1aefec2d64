/* SPDX-License-Identifier: GPL-2.0 */
/* Reads states of XFRM, and reports to them. */
#ifndef _PVSVPN_XFRM_STATE_H
#define _PVSVPN_XFRM_STATE_H

#include <net/xfrm.h>

struct pvsvpn_peer_config;
struct pvsvpn_sa;
struct pvsvpn_transform;

int pvsvpn_state_dir(struct xfrm_state *x);
const struct pvsvpn_transform *
pvsvpn_state_transform(const struct xfrm_state *x);
void pvsvpn_state_key(const struct xfrm_state *x, u8 *key);
bool pvsvpn_state_same(const struct xfrm_state *a, const struct xfrm_state *b);
u8 pvsvpn_state_encap(const struct xfrm_state *x);
const char *pvsvpn_state_why_not(const struct xfrm_state *x);
void pvsvpn_state_endpoint(const struct xfrm_state *x, u8 dir, struct pvsvpn_peer_config *config);
bool pvsvpn_state_coming(const struct xfrm_state *x);
bool pvsvpn_state_dead(const struct pvsvpn_sa *sa);
void pvsvpn_state_moved(struct pvsvpn_sa *sa, xfrm_address_t *remote, __be16 port);

#endif /* _PVSVPN_XFRM_STATE_H */
