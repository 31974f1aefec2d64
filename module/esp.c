// SPDX-License-Identifier: GPL-2.0
#include <linux/ip.h>
#include <linux/random.h>
#include <linux/skbuff.h>
#include <linux/unaligned.h>

#include "esp.h"
#include "sa.h"
#include "stats.h"
#include "transform.h"

#define PAD_MAX		255

/*
 * Authenticated header before the IV with an ESN. The high half is not sent (RFC 4303
 * section 2.2.1), so the header is 4 bytes longer than on the wire.
 */
struct esn_header {
	__be32 spi;
	__be32 seq_high;
	__be32 seq_low;
};

#define ESN_EXTRA	(sizeof(struct esn_header) - sizeof(struct ip_esp_hdr))

/**
 * pvsvpn_esp_head_len() - get the length before the encrypted part
 * @transform: the transform
 *
 * Context: any.
 * Return: bytes of SPI, sequence number and IV.
 */
unsigned int pvsvpn_esp_head_len(const struct pvsvpn_transform *transform)
{
	return sizeof(struct ip_esp_hdr) + transform->iv_len;
}

/**
 * pvsvpn_esp_ad_len() - get the length that is authenticated, but not encrypted
 * @sa: the SA
 *
 * Context: any.
 * Return: bytes of SPI, sequence number (with its high half for an ESN) and IV.
 */
unsigned int pvsvpn_esp_ad_len(const struct pvsvpn_sa *sa)
{
	return pvsvpn_esp_head_len(sa->transform) + (sa->esn ? ESN_EXTRA : 0);
}

/**
 * pvsvpn_esp_len_ok() - check whether a packet of this length can be complete
 * @transform: the transform
 * @len: bytes from the SPI to the end of the ICV
 *
 * Context: any.
 * Return: true if it is long enough and aligned.
 */
bool pvsvpn_esp_len_ok(const struct pvsvpn_transform *transform, unsigned int len)
{
	unsigned int around = pvsvpn_esp_head_len(transform) +
			      transform->icv_len;

	return len >= around + transform->align &&
	       !((len - around) % transform->align);
}

/*
 * An IV from a counter is unique as long as the sequence number is (RFC 4106
 * section 3.1).
 */
static void iv_put(const struct pvsvpn_sa *sa, u64 seq, u8 *iv)
{
	unsigned int i;

	if (sa->transform->random_iv)
		for (i = 0; i < sa->transform->iv_len; i += sizeof(u64))
			put_unaligned(get_random_u64(), (u64 *)(iv + i));
	else if (sa->transform->iv_len)
		put_unaligned_be64(sa->iv + seq, iv);
}

static void header_put(const struct pvsvpn_sa *sa, u8 *header, u64 seq)
{
	struct ip_esp_hdr *esph = (struct ip_esp_hdr *)header;
	struct esn_header *esnh = (struct esn_header *)header;

	if (!sa->esn) {
		esph->spi = sa->spi;
		esph->seq_no = htonl(seq);
		return;
	}
	esnh->spi = sa->spi;
	esnh->seq_high = htonl(upper_32_bits(seq));
	esnh->seq_low = htonl(lower_32_bits(seq));
}

/**
 * pvsvpn_esp_build() - add ESP header and trailer to an inner packet
 * @sa: outbound SA
 * @skb: inner packet, linear and writable, with headroom and tailroom. On return
 *	ready for pvsvpn_request_crypt(), with room for the ICV
 * @seq: sequence number; without ESN, 32 bits of it
 * @next_header: IPPROTO_IPIP, IPPROTO_IPV6, or IPPROTO_NONE for a dummy packet
 *
 * RFC 4303 section 3.3.
 *
 * Context: any.
 */
void pvsvpn_esp_build(const struct pvsvpn_sa *sa, struct sk_buff *skb, u64 seq, u8 next_header)
{
	u8 pad_len = -(skb->len + PVSVPN_ESP_TRAILER_LEN) & (sa->transform->align - 1);
	u8 *pad, *header, i;

	pad = __skb_put(skb, pad_len + PVSVPN_ESP_TRAILER_LEN + sa->transform->icv_len);
	for (i = 0; i < pad_len; i++)
		*pad++ = i + 1;
	*pad++ = pad_len;
	*pad = next_header;

	header = __skb_push(skb, pvsvpn_esp_ad_len(sa));
	header_put(sa, header, seq);
	iv_put(sa, seq, header + pvsvpn_esp_ad_len(sa) - sa->transform->iv_len);
}

/* Remove the high half: write the SPI over it, since the SPI was moved ahead of it. */
static struct ip_esp_hdr *esn_pull(const struct pvsvpn_sa *sa, struct sk_buff *skb)
{
	struct ip_esp_hdr *esph = __skb_pull(skb, ESN_EXTRA);

	esph->spi = sa->spi;
	return esph;
}

/**
 * pvsvpn_esp_built() - finish a packet after encryption
 * @sa: outbound SA
 * @skb: packet that pvsvpn_esp_build() has built. On return from SPI to ICV
 *
 * Context: any.
 */
void pvsvpn_esp_built(const struct pvsvpn_sa *sa, struct sk_buff *skb)
{
	if (sa->esn)
		esn_pull(sa, skb);
}

/**
 * pvsvpn_esp_open() - prepare a packet for decryption
 * @sa: inbound SA
 * @skb: writable packet from SPI to ICV, with an outer header before it. On return
 *	ready for pvsvpn_request_crypt()
 * @seq: sequence number, with its high half for an ESN
 *
 * Context: any.
 * Return: the value to pass to pvsvpn_esp_opened().
 */
__be32 pvsvpn_esp_open(const struct pvsvpn_sa *sa, struct sk_buff *skb, u64 seq)
{
	struct esn_header *esnh;
	__be32 before;

	if (!sa->esn)
		return 0;
	BUILD_BUG_ON(sizeof(before) != ESN_EXTRA);
	esnh = __skb_push(skb, ESN_EXTRA);
	/* The SPI overwrites the end of the outer header until pvsvpn_esp_opened(). */
	before = esnh->spi;
	esnh->spi = sa->spi;
	esnh->seq_high = htonl(upper_32_bits(seq));
	return before;
}

/**
 * pvsvpn_esp_opened() - undo pvsvpn_esp_open() after decryption
 * @sa: inbound SA
 * @skb: the packet. On return from SPI to ICV
 * @before: return value of pvsvpn_esp_open()
 *
 * Context: any.
 */
void pvsvpn_esp_opened(const struct pvsvpn_sa *sa, struct sk_buff *skb, __be32 before)
{
	struct ip_esp_hdr *esph;

	if (!sa->esn)
		return;
	esph = esn_pull(sa, skb);
	((__be32 *)esph)[-1] = before;
}

/* Padding bytes are 1, 2, 3, ... (RFC 4303 section 2.4). */
static bool padding_ok(const struct sk_buff *skb, unsigned int offset, unsigned int len)
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
 * pvsvpn_esp_strip() - remove ESP header and trailer
 * @sa: inbound SA
 * @skb: decrypted packet from SPI to ICV, of a length that
 *	pvsvpn_esp_len_ok() has accepted. On return the inner packet
 * @next_header: set to the next header in the trailer
 *
 * RFC 4303 section 3.4.4.1, with the check of the padding that section 2.4
 * recommends.
 *
 * Context: softirq.
 * Return: PVSVPN_PASS or a drop reason.
 */
int pvsvpn_esp_strip(const struct pvsvpn_sa *sa, struct sk_buff *skb, u8 *next_header)
{
	unsigned int head = pvsvpn_esp_head_len(sa->transform);
	unsigned int end = skb->len - sa->transform->icv_len - PVSVPN_ESP_TRAILER_LEN;
	u8 buf[PVSVPN_ESP_TRAILER_LEN];
	const u8 *trailer;
	u8 pad_len;

	trailer = skb_header_pointer(skb, end, PVSVPN_ESP_TRAILER_LEN, buf);
	pad_len = trailer[0];
	*next_header = trailer[1];
	if (unlikely(head + pad_len > end) || unlikely(!padding_ok(skb, end - pad_len, pad_len)))
		return PVSVPN_DROP_RX_PADDING;
	/* A checksum of the whole packet is not valid after decryption. */
	skb->ip_summed = CHECKSUM_NONE;
	if (unlikely(pskb_trim(skb, end - pad_len)))
		return PVSVPN_DROP_RX_NOMEM;
	__skb_pull(skb, head);
	return PVSVPN_PASS;
}
