/* SPDX-License-Identifier: GPL-2.0 */
/* What XFRM tells of its states and policies, noted for the work of xfrm_adopt.c. */
#ifndef _PVSVPN_XFRM_NOTIFY_H
#define _PVSVPN_XFRM_NOTIFY_H

#include <linux/list.h>
#include <net/xfrm.h>

struct pvsvpn_adopt;
struct pvsvpn_policy;
struct pvsvpn_sa;

/**
 * struct pvsvpn_noted - a state to look at, or what a policy says
 * @list: in struct pvsvpn_adopt.noted, or in a list of the work's own
 * @x: the state, held; NULL for a policy
 * @sa: an SA for the state, keyed, as long as nobody has it
 * @policy: what the policy says, NULL for a state
 * @gone: the policy is gone
 * @if_id: of the policy
 * @family: of @daddr
 * @daddr: where the policy sends packets
 */
struct pvsvpn_noted {
	struct list_head list;
	struct xfrm_state *x;
	struct pvsvpn_sa *sa;
	struct pvsvpn_policy *policy;
	bool gone;
	u32 if_id;
	u16 family;
	xfrm_address_t daddr;
};

void pvsvpn_notify_all(struct pvsvpn_adopt *adopt, bool policies);
void pvsvpn_notify_policies(struct pvsvpn_adopt *adopt);
void pvsvpn_notify_state(struct pvsvpn_adopt *adopt, struct xfrm_state *x);
bool pvsvpn_notify_scan_states(struct pvsvpn_adopt *adopt,
			       struct list_head *list);
bool pvsvpn_notify_scan_policies(struct pvsvpn_adopt *adopt,
				 struct list_head *list);
void pvsvpn_noted_free(struct pvsvpn_noted *noted);
int pvsvpn_notify_init(void);
void pvsvpn_notify_exit(void);

#endif /* _PVSVPN_XFRM_NOTIFY_H */
