/* SPDX-License-Identifier: GPL-2.0 */
/* Sequence numbers, replay window and lifetimes of adopted SAs, stored in XFRM's state. */
#ifndef _PVSVPN_XFRM_SEQ_H
#define _PVSVPN_XFRM_SEQ_H

#include <linux/types.h>

struct pvsvpn_sa;
struct sk_buff;

unsigned int pvsvpn_state_take(struct pvsvpn_sa *sa, struct sk_buff *list, u64 *first);
int pvsvpn_state_check(struct pvsvpn_sa *sa, u32 low, u64 *seq);
int pvsvpn_state_commit(struct pvsvpn_sa *sa, u64 seq, unsigned int len, bool *newest);
void pvsvpn_state_dropped(struct pvsvpn_sa *sa, int why);
u64 pvsvpn_state_seq(const struct pvsvpn_sa *sa);
u32 pvsvpn_state_window(const struct pvsvpn_sa *sa);

#endif /* _PVSVPN_XFRM_SEQ_H */
