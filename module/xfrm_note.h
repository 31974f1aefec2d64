/* SPDX-License-Identifier: GPL-2.0 */
/* The notes about XFRM's states for the work of xfrm_adopt.c. */
#ifndef _PVSVPN_XFRM_NOTE_H
#define _PVSVPN_XFRM_NOTE_H

#include <linux/list.h>
#include <net/xfrm.h>

struct pvsvpn_adopt;
struct pvsvpn_sa;

/*
 * When a peer moves, its daemon deletes a state and adds another one in its place. Each packet
 * checks whether the state is dead, so the SA may stay until the other state is there.
 */
#define PVSVPN_NOTE_DEATH_MS	50

/**
 * struct pvsvpn_noted - a state to look at
 * @list: in struct pvsvpn_adopt.noted, or in a list of the work's own
 * @x: the state, held
 * @sa: a prepared SA for the state, until it is adopted
 * @due: for a death: when to look at it, in time of ktime_get()
 * @alive: the note is not about a death
 * @valid: XFRM had marked the state valid when the work took the note
 */
struct pvsvpn_noted {
	struct list_head list;
	struct xfrm_state *x;
	struct pvsvpn_sa *sa;
	ktime_t due;
	bool alive;
	bool valid;
};

/**
 * struct pvsvpn_news - the notes of one round of the work
 * @list: states to look at
 * @all: look at every state
 */
struct pvsvpn_news {
	struct list_head list;
	bool all;
};

void pvsvpn_note_all(struct pvsvpn_adopt *adopt);
void pvsvpn_note_later(struct pvsvpn_adopt *adopt, unsigned long delay);
bool pvsvpn_note_take(struct pvsvpn_adopt *adopt, struct pvsvpn_news *news);
void pvsvpn_note_done(struct pvsvpn_adopt *adopt, const struct pvsvpn_news *news);
void pvsvpn_note_end(struct pvsvpn_adopt *adopt, struct xfrm_state *x);
void pvsvpn_note_state(struct pvsvpn_adopt *adopt, struct xfrm_state *x);
bool pvsvpn_note_scan_states(struct pvsvpn_adopt *adopt, struct list_head *list);
void pvsvpn_note_net_init(struct pvsvpn_adopt *adopt);
void pvsvpn_note_net_exit(struct pvsvpn_adopt *adopt);
void pvsvpn_note_free_all(struct list_head *list);

#endif /* _PVSVPN_XFRM_NOTE_H */
