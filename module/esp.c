// SPDX-License-Identifier: GPL-2.0
#include <linux/ip.h>
#include <linux/skbuff.h>
#include <linux/unaligned.h>
#include <net/esp.h>

#include "esp.h"
#include "sa.h"
#include "stats.h"
#include "transform.h"

/* Pad length and next header. */
#define TRAILER_LEN	2
/* The trailer ends on a multiple of this (RFC 4303 section 2.4). */
#define ALIGNMENT	4
#define PAD_MAX		255

/**
 * pvsvpn_esp_head_len() - what stands before the encrypted part
 * @transform: the transform
 *
 * Context: any. Return: bytes of SPI, sequence number and IV.
 */
unsigned int pvsvpn_esp_head_len(const struct pvsvpn_transform *transform)
{
	return sizeof(struct ip_esp_hdr) + transform->iv_len;
}

/**
 * pvsvpn_esp_len_ok() - can a packet of this length be whole?
 * @transform: the transform
 * @len: bytes from the SPI to the end of the ICV
 *
 * Context: any.
 */
bool pvsvpn_esp_len_ok(const struct pvsvpn_transform *transform,
		       unsigned int len)
{
	unsigned int around = pvsvpn_esp_head_len(transform) +
			      transform->icv_len;

	return len >= around + ALIGNMENT && !((len - around) % ALIGNMENT);
}

/**
 * pvsvpn_esp_build() - put header and trailer around an inner packet
 * @sa: outbound SA
 * @skb: inner packet, linear and writable, with room on both sides. Comes back
 *	from the SPI to the end of the ICV, the latter still to be computed
 * @seq: sequence number
 * @next_header: IPPROTO_IPIP or IPPROTO_IPV6
 *
 * RFC 4303 section 3.3. Context: any.
 */
void pvsvpn_esp_build(const struct pvsvpn_sa *sa, struct sk_buff *skb, u32 seq,
		      u8 next_header)
{
	u8 pad_len = -(skb->len + TRAILER_LEN) % ALIGNMENT;
	struct ip_esp_hdr *esph;
	u8 *pad, i;

	pad = __skb_put(skb, pad_len + TRAILER_LEN + sa->transform->icv_len);
	for (i = 0; i < pad_len; i++)
		*pad++ = i + 1;
	*pad++ = pad_len;
	*pad = next_header;

	esph = __skb_push(skb, pvsvpn_esp_head_len(sa->transform));
	esph->spi = sa->spi;
	esph->seq_no = htonl(seq);
	/* Unique as long as the sequence number is (RFC 4106 section 3.1). */
	put_unaligned_be64(sa->iv + seq, esph->enc_data);
}

/* 1, 2, 3, ... (RFC 4303 section 2.4) */
static bool padding_ok(const struct sk_buff *skb, unsigned int offset,
		       unsigned int len)
{
	u8 buf[PAD_MAX], i;
	const u8 *pad;

	pad = skb_header_pointer(skb, offset, len, buf);
	for (i = 0; i < len; i++)
		if (pad[i] != i + 1)
			return false;
	return true;
}

/**
 * pvsvpn_esp_strip() - take header and trailer off
 * @sa: inbound SA
 * @skb: decrypted packet from SPI to ICV, of a length that
 *	pvsvpn_esp_len_ok() has accepted. Comes back as the inner packet
 * @next_header: what the trailer says it is
 *
 * RFC 4303 section 3.4.4.1, with the check of the padding that section 2.4
 * recommends. Context: softirq. Return: PVSVPN_PASS or a drop reason.
 */
int pvsvpn_esp_strip(const struct pvsvpn_sa *sa, struct sk_buff *skb,
		     u8 *next_header)
{
	unsigned int head = pvsvpn_esp_head_len(sa->transform);
	unsigned int end = skb->len - sa->transform->icv_len - TRAILER_LEN;
	u8 buf[TRAILER_LEN];
	const u8 *trailer;
	u8 pad_len;

	trailer = skb_header_pointer(skb, end, TRAILER_LEN, buf);
	pad_len = trailer[0];
	*next_header = trailer[1];
	if (unlikely(head + pad_len > end) ||
	    unlikely(!padding_ok(skb, end - pad_len, pad_len)))
		return PVSVPN_DROP_RX_PADDING;
	/* A checksum of the whole, if any, has ended with the decryption. */
	skb->ip_summed = CHECKSUM_NONE;
	if (unlikely(pskb_trim(skb, end - pad_len)))
		return PVSVPN_DROP_RX_NOMEM;
	__skb_pull(skb, head);
	return PVSVPN_PASS;
}
