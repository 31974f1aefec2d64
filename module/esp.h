/* SPDX-License-Identifier: GPL-2.0 */
/* ESP bytes (RFC 4303 section 2). */
#ifndef _PVSVPN_ESP_H
#define _PVSVPN_ESP_H

#include <linux/types.h>

struct pvsvpn_sa;
struct pvsvpn_transform;
struct sk_buff;

/* The trailer without padding: pad length and next header. */
#define PVSVPN_ESP_TRAILER_LEN	2
/* Required headroom: SPI, both halves of an ESN, the longest IV. */
#define PVSVPN_ESP_HEAD_MAX	(12 + 16)
/* Required tailroom: padding, trailer, the longest ICV. */
#define PVSVPN_ESP_TAIL_MAX	(15 + PVSVPN_ESP_TRAILER_LEN + 32)

unsigned int pvsvpn_esp_head_len(const struct pvsvpn_transform *transform);
unsigned int pvsvpn_esp_ad_len(const struct pvsvpn_sa *sa);
bool pvsvpn_esp_len_ok(const struct pvsvpn_transform *transform, unsigned int len);
void pvsvpn_esp_build(const struct pvsvpn_sa *sa, struct sk_buff *skb, u64 seq, u8 next_header);
void pvsvpn_esp_built(const struct pvsvpn_sa *sa, struct sk_buff *skb);
__be32 pvsvpn_esp_open(const struct pvsvpn_sa *sa, struct sk_buff *skb, u64 seq);
void pvsvpn_esp_opened(const struct pvsvpn_sa *sa, struct sk_buff *skb, __be32 before);
int pvsvpn_esp_strip(const struct pvsvpn_sa *sa, struct sk_buff *skb, u8 *next_header);

#endif /* _PVSVPN_ESP_H */
