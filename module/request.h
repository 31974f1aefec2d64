/* SPDX-License-Identifier: GPL-2.0 */
/* Encryption and decryption of packets by the crypto API. */
#ifndef _PVSVPN_REQUEST_H
#define _PVSVPN_REQUEST_H

#include <linux/types.h>

struct pvsvpn_sa;
struct sk_buff;

/**
 * typedef pvsvpn_request_done - continue after encryption or decryption
 * @sa: the SA
 * @skb: the packet; the function takes ownership of @skb
 * @err: 0, -EBADMSG if the ICV is wrong, or another errno
 *
 * Called once for each packet: at once, or when the crypto driver has finished.
 *
 * Context: RCU read-side critical section with BH disabled.
 */
typedef void (*pvsvpn_request_done)(struct pvsvpn_sa *sa, struct sk_buff *skb, int err);

void pvsvpn_request_crypt(struct pvsvpn_sa *sa, struct sk_buff *skb,
			  pvsvpn_request_done done, bool encrypt);
void pvsvpn_request_exit(void);

#endif /* _PVSVPN_REQUEST_H */
