/* SPDX-License-Identifier: GPL-2.0 */
/* Child SAs: which outbound SA a policy leads to. */
#ifndef _PVSVPN_XFRM_CHILD_H
#define _PVSVPN_XFRM_CHILD_H

#include "device.h"
#include "xfrm_policy.h"

struct pvsvpn_peer;
struct pvsvpn_sa;

int pvsvpn_child_join(struct pvsvpn_policy *policy);
void pvsvpn_child_use(struct pvsvpn_policy *policy);
void pvsvpn_child_leave(struct pvsvpn_policy *policy, bool used);
struct pvsvpn_sa *pvsvpn_child_sa(const struct pvsvpn_child *child);
int pvsvpn_child_sa_prepare(struct pvsvpn_sa *sa);
void pvsvpn_child_sa_place(struct pvsvpn_sa *sa, bool newest);
void pvsvpn_child_sa_del(struct pvsvpn_sa *sa);
bool pvsvpn_child_uses(const struct pvsvpn_sa *sa);
void pvsvpn_child_ask(struct pvsvpn_peer *peer);
int pvsvpn_child_init(void);
void pvsvpn_child_exit(void);

/**
 * pvsvpn_child_lock() - get the lock of the mirror of the policies
 * @pvs: a device of the namespace
 *
 * Context: any.
 * Return: the lock; see struct pvsvpn_policies.
 */
static inline spinlock_t *pvsvpn_child_lock(const struct pvsvpn_device *pvs)
{
	return &pvs->spd->in->lock;
}

#endif /* _PVSVPN_XFRM_CHILD_H */
