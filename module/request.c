// SPDX-License-Identifier: GPL-2.0
/*
 * The requests that carry packets through the crypto API.
 *
 * Each CPU keeps one request ready. A synchronous driver, as all the usual ones
 * are, needs no other: nothing is allocated for a packet. A driver that answers
 * -EINPROGRESS keeps the request, and the CPU allocates a new one for its next
 * packet.
 */
#include <crypto/aead.h>
#include <linux/percpu.h>
#include <linux/scatterlist.h>
#include <linux/skbuff.h>

#include "esp.h"
#include "request.h"
#include "sa.h"

/* The side that first reaches the end of an asynchronous request. */
enum request_state {
	REQUEST_SUBMITTED,	/* neither */
	REQUEST_DETACHED,	/* the submitter; the callback finishes */
	REQUEST_COMPLETED,	/* the callback; the submitter finishes */
};

/**
 * struct request - a packet on its way through the crypto API
 * @sa: its SA; the request holds a reference if it is asynchronous
 * @skb: the packet
 * @done: called at the end
 * @state: enum request_state; used only by asynchronous drivers
 * @err: the result; valid with REQUEST_COMPLETED
 * @capacity: bytes after @aead for the driver's own use
 * @iv: a copy of the packet's IV, because a driver may write to it
 * @sg: the packet's memory
 * @aead: the request of the crypto API
 */
struct request {
	struct pvsvpn_sa *sa;
	struct sk_buff *skb;
	pvsvpn_request_done done;
	int state;
	int err;
	unsigned int capacity;
	u8 iv[PVSVPN_IV_MAX];
	struct scatterlist sg[MAX_SKB_FRAGS + 2];
	struct aead_request aead;
};

/* Used with BH disabled, only by its own CPU. */
static DEFINE_PER_CPU(struct request *, request_slot);

/* The slot's request, large enough for the driver; NULL if there is no memory. */
static struct request *request_get(struct crypto_aead *aead)
{
	struct request *req = __this_cpu_read(request_slot);
	unsigned int need = crypto_aead_reqsize(aead);

	if (likely(req && req->capacity >= need))
		return req;
	kfree_sensitive(req);
	req = kmalloc(sizeof(*req) + need, GFP_ATOMIC);
	if (req)
		req->capacity = need;
	__this_cpu_write(request_slot, req);
	return req;
}

static void request_put(struct request *req)
{
	if (__this_cpu_read(request_slot))
		kfree_sensitive(req);
	else
		__this_cpu_write(request_slot, req);
}

/* The end of an asynchronous request, on any CPU and in any context. */
static void request_finish(struct request *req)
{
	struct pvsvpn_sa *sa = req->sa;

	local_bh_disable();
	rcu_read_lock();
	req->done(sa, req->skb, req->err);
	request_put(req);
	/* Put the SA last: afterwards pvsvpn_work_exit() may not wait for us. */
	pvsvpn_sa_put(sa);
	rcu_read_unlock();
	local_bh_enable();
}

static void request_complete(pvsvpn_compat_completion_arg *arg, int err)
{
	struct request *req = pvsvpn_compat_completion_data(arg);

	/* Moved from the driver's backlog to processing, not completed. */
	if (err == -EINPROGRESS)
		return;
	req->err = err;
	if (xchg(&req->state, REQUEST_COMPLETED) == REQUEST_DETACHED)
		request_finish(req);
}

/*
 * The driver has kept the request. If the callback has already run, it left the rest to
 * us. If not, it will find the request detached and do the rest.
 */
static void request_detach(struct request *req)
{
	pvsvpn_sa_get(req->sa);
	/* The route must outlive the RCU read-side critical section; it is dropped if dead. */
	skb_dst_force(req->skb);
	__this_cpu_write(request_slot, NULL);
	if (xchg(&req->state, REQUEST_DETACHED) == REQUEST_COMPLETED)
		request_finish(req);
}

static struct request *request_new(struct pvsvpn_sa *sa, struct sk_buff *skb,
				   pvsvpn_request_done done)
{
	struct request *req = request_get(sa->aead);

	if (unlikely(!req))
		return NULL;
	req->sa = sa;
	req->skb = skb;
	req->done = done;
	req->state = REQUEST_SUBMITTED;
	aead_request_set_tfm(&req->aead, sa->aead);
	aead_request_set_callback(&req->aead, 0, request_complete, req);
	return req;
}

static int request_map(struct request *req, unsigned int ad_len, unsigned int crypt_len)
{
	unsigned int iv_len = req->sa->transform->iv_len;
	struct sk_buff *skb = req->skb;
	int n;

	if (likely(!skb_is_nonlinear(skb))) {
		sg_init_one(req->sg, skb->data, skb->len);
	} else {
		sg_init_table(req->sg, ARRAY_SIZE(req->sg));
		n = skb_to_sgvec(skb, req->sg, 0, skb->len);
		if (unlikely(n < 0))
			return n;
	}
	memcpy(req->iv, skb->data + ad_len - iv_len, iv_len);
	aead_request_set_crypt(&req->aead, req->sg, req->sg, crypt_len, req->iv);
	aead_request_set_ad(&req->aead, ad_len);
	return 0;
}

/**
 * pvsvpn_request_crypt() - encrypt, or verify and decrypt, in place (RFC 4303 3.3.2, 3.4.4)
 * @sa: outbound SA to encrypt, inbound SA to decrypt
 * @skb: to encrypt: linear, from pvsvpn_esp_build(), its length includes the ICV. To decrypt:
 *	writable, from pvsvpn_esp_open(), no fragment list, header and IV linear
 * @done: called at the end; takes ownership of @skb
 * @encrypt: true to encrypt
 *
 * Context: RCU read-side critical section with BH disabled.
 */
void pvsvpn_request_crypt(struct pvsvpn_sa *sa, struct sk_buff *skb,
			  pvsvpn_request_done done, bool encrypt)
{
	struct request *req = request_new(sa, skb, done);
	unsigned int ad_len = pvsvpn_esp_ad_len(sa);
	unsigned int len = skb->len - ad_len;
	int err;

	if (unlikely(!req)) {
		done(sa, skb, -ENOMEM);
		return;
	}
	if (encrypt)
		len -= sa->transform->icv_len;
	err = request_map(req, ad_len, len);
	if (likely(!err))
		err = encrypt ? crypto_aead_encrypt(&req->aead) :
				crypto_aead_decrypt(&req->aead);
	if (unlikely(err == -EINPROGRESS))
		request_detach(req);
	else
		done(sa, skb, err);
}

/**
 * pvsvpn_request_exit() - free the requests; no packet may be in the crypto API
 */
void pvsvpn_request_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		kfree_sensitive(per_cpu(request_slot, cpu));
}
