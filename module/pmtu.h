/* SPDX-License-Identifier: GPL-2.0 */
/* Overhead sums, path MTU, too-big replies. */
#ifndef _PVSVPN_PMTU_H
#define _PVSVPN_PMTU_H

#include <linux/types.h>

struct dst_entry;
struct pvsvpn_outer;
struct pvsvpn_device;
struct pvsvpn_peer;
struct pvsvpn_sa;
struct pvsvpn_transform;
struct sk_buff;

/* Used until path and transform are known: path MTU 1500, ICV of 16 bytes. */
#define PVSVPN_MTU_DEFAULT	1446

/**
 * struct pvsvpn_fit - how an inner packet fits the path
 * @mtu: largest inner packet that fits, in bytes
 * @how: PVSVPN_FITS, or how a larger packet is fragmented
 */
struct pvsvpn_fit {
	u32 mtu;
	enum {
		PVSVPN_FITS,
		PVSVPN_FITS_IN_FRAGMENTS,	/* before encryption */
		PVSVPN_FITS_FRAGMENTED,		/* after encryption */
	} how;
};

/**
 * struct pvsvpn_overhead - bytes around the largest inner packet
 * @ip: outer IP header
 * @udp: UDP header, 0 without ESP in UDP
 * @esp: SPI, sequence number and IV
 * @icv: integrity check value
 * @trailer: pad length, next header, and the rest of the path MTU lost to alignment
 */
struct pvsvpn_overhead {
	u32 ip;
	u32 udp;
	u32 esp;
	u32 icv;
	u32 trailer;
};

u32 pvsvpn_pmtu_peer(const struct pvsvpn_peer *peer);
bool pvsvpn_pmtu_overhead(const struct pvsvpn_peer *peer, struct pvsvpn_overhead *overhead);
void pvsvpn_pmtu_tighten(struct pvsvpn_peer *peer);
void pvsvpn_pmtu_changed(struct pvsvpn_peer *peer);
u32 pvsvpn_pmtu_look(struct pvsvpn_peer *peer);
void pvsvpn_pmtu_follow(struct pvsvpn_device *pvs);
void pvsvpn_pmtu_auto(struct pvsvpn_device *pvs);
u32 pvsvpn_pmtu_room(u32 path_mtu, unsigned int outer_len,
		     const struct pvsvpn_transform *transform);
int pvsvpn_pmtu_check(struct pvsvpn_sa *sa, struct sk_buff *skb,
		      const struct dst_entry *dst,
		      const struct pvsvpn_outer *outer, struct pvsvpn_fit *fit);

#endif /* _PVSVPN_PMTU_H */
