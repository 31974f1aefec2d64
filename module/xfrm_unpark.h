/* SPDX-License-Identifier: GPL-2.0 */
/* Releases packets that have waited. */
#ifndef _PVSVPN_XFRM_UNPARK_H
#define _PVSVPN_XFRM_UNPARK_H

struct pvsvpn_adopt;

void pvsvpn_unpark(struct pvsvpn_adopt *adopt);

#endif /* _PVSVPN_XFRM_UNPARK_H */
