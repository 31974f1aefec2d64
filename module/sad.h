/* SPDX-License-Identifier: GPL-2.0 */
/* The SAD: (namespace, destination address, SPI) -> SA. */
#ifndef _PVSVPN_SAD_H
#define _PVSVPN_SAD_H

#include <net/xfrm.h>

struct pvsvpn_endpoint;
struct pvsvpn_peer;
struct pvsvpn_sa;

bool pvsvpn_sad_full(struct net *net, u8 dir, __be32 spi);
int pvsvpn_sad_add(struct pvsvpn_sa *sa);
void pvsvpn_sad_del(struct pvsvpn_sa *sa);
struct pvsvpn_sa *pvsvpn_sad_find_in(struct net *net, u16 family,
				     const xfrm_address_t *daddr, __be32 spi);
struct pvsvpn_sa *pvsvpn_sad_find_out(struct net *net, u16 family,
				      const xfrm_address_t *daddr, __be32 spi);
struct pvsvpn_sa *pvsvpn_sad_find_state(struct net *net, const struct xfrm_state *x);
struct pvsvpn_sa *pvsvpn_sad_find_moved(struct net *net, u8 dir, const struct xfrm_state *x);
struct pvsvpn_sa *pvsvpn_sad_find_state_of(struct net *net, u8 dir, const struct xfrm_state *x);
bool pvsvpn_sad_has_spi(struct net *net, __be32 spi);
struct pvsvpn_sa *pvsvpn_sad_conflict(struct net *net, u8 dir, __be32 spi,
				      const struct pvsvpn_endpoint *endpoint,
				      const struct pvsvpn_peer *except);
int pvsvpn_sad_init(void);
void pvsvpn_sad_exit(void);

#endif /* _PVSVPN_SAD_H */
