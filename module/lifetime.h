/* SPDX-License-Identifier: GPL-2.0 */
/* Lifetimes of SAs (RFC 4301 section 4.4.2.1). */
#ifndef _PVSVPN_LIFETIME_H
#define _PVSVPN_LIFETIME_H

#include <linux/atomic.h>
#include <linux/timer.h>

struct pvsvpn_sa;

/* Units of a lifetime. */
enum pvsvpn_lifetime_kind {
	PVSVPN_LIFETIME_PACKETS,
	PVSVPN_LIFETIME_BYTES,		/* of inner packets */
	PVSVPN_LIFETIME_SECONDS,	/* since the SA was added */
	PVSVPN_LIFETIME_USE_SECONDS,	/* since its first packet */
	PVSVPN_LIFETIME_KINDS,
	/* Not a setting: sequence numbers have run out. */
	PVSVPN_LIFETIME_SEQUENCE = PVSVPN_LIFETIME_KINDS,
};

/**
 * struct pvsvpn_lifetime - how long an SA may be used
 * @soft: by enum pvsvpn_lifetime_kind, limits that send an event; 0 for none
 * @hard: the same, limits that end the SA; 0 for none
 * @limited: the SA has a soft or hard limit
 * @used: packets and bytes so far, if @limited
 * @first_use: ktime_get_boottime_ns() of the first packet, 0 if none yet
 * @soft_why: enum pvsvpn_lifetime_kind, valid with PVSVPN_SA_SOFT_EXPIRED
 * @hard_why: the same, valid with PVSVPN_SA_EXPIRED
 * @timer: checks the limits in seconds
 */
struct pvsvpn_lifetime {
	u64 soft[PVSVPN_LIFETIME_KINDS];
	u64 hard[PVSVPN_LIFETIME_KINDS];
	bool limited;
	atomic64_t used[2];
	atomic64_t first_use;
	u8 soft_why;
	u8 hard_why;
	struct timer_list timer;
};

void pvsvpn_lifetime_init(struct pvsvpn_sa *sa, const u64 *soft, const u64 *hard);
void pvsvpn_lifetime_start(struct pvsvpn_sa *sa);
bool pvsvpn_lifetime_use(struct pvsvpn_sa *sa, unsigned int len);
void pvsvpn_lifetime_end(struct pvsvpn_sa *sa, enum pvsvpn_lifetime_kind why);
const char *pvsvpn_lifetime_name(enum pvsvpn_lifetime_kind kind);

#endif /* _PVSVPN_LIFETIME_H */
