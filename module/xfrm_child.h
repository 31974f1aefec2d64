/* SPDX-License-Identifier: GPL-2.0 */
/* Child SAs: which outbound SA a policy leads to. */
#ifndef _PVSVPN_XFRM_CHILD_H
#define _PVSVPN_XFRM_CHILD_H

struct pvsvpn_child;
struct pvsvpn_policy;
struct pvsvpn_sa;

int pvsvpn_child_join(struct pvsvpn_policy *policy);
void pvsvpn_child_use(struct pvsvpn_policy *policy);
void pvsvpn_child_leave(struct pvsvpn_policy *policy, bool used);
struct pvsvpn_sa *pvsvpn_child_sa(const struct pvsvpn_child *child);
int pvsvpn_child_init(void);
void pvsvpn_child_exit(void);

#endif /* _PVSVPN_XFRM_CHILD_H */
