// SPDX-License-Identifier: GPL-2.0
/*
 * The transforms, and the requests that carry packets through the crypto API.
 *
 * Each CPU keeps one request ready. A synchronous driver, as all the usual ones
 * are, needs no other: nothing is allocated for a packet. A driver that answers
 * -EINPROGRESS keeps the request, and the CPU allocates a new one for its next
 * packet.
 */
#include <crypto/aead.h>
#include <crypto/authenc.h>
#include <linux/netlink.h>
#include <linux/percpu.h>
#include <linux/rtnetlink.h>
#include <linux/scatterlist.h>
#include <linux/skbuff.h>

#include "esp.h"
#include "peer.h"
#include "sa.h"
#include "stats.h"
#include "transform.h"
#include "transforms.h"

/* The trailer ends on a multiple of at least 4 bytes (RFC 4303 section 2.4). */
#define TRANSFORM(name_, encryption_, key_bits, attr_bits_, integrity_,	\
		  aead_, extra, iv, icv, block, legacy_)		\
	{ .name = name_, .encryption = encryption_,			\
	  .attr_bits = attr_bits_, .integrity = integrity_,		\
	  .aead = aead_, .key_len = (key_bits) / 8, .extra_len = extra,	\
	  .iv_len = iv, .icv_len = icv,					\
	  .align = (block) < 4 ? 4 : (block),				\
	  .random_iv = (block) > 1, .legacy = legacy_ },
static const struct pvsvpn_transform transforms[] = {
	PVSVPN_TRANSFORM_LIST(TRANSFORM)
};
#undef TRANSFORM

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
	pvsvpn_transform_done done;
	int state;
	int err;
	unsigned int capacity;
	u8 iv[PVSVPN_IV_MAX];
	struct scatterlist sg[MAX_SKB_FRAGS + 2];
	struct aead_request aead;
};

/* Used with BH disabled, only by its own CPU. */
static DEFINE_PER_CPU(struct request *, request_slot);

/**
 * pvsvpn_transform_find() - find a transform by its IANA numbers
 * @encryption: IKEv2 Encryption Algorithm Transform ID
 * @attr_bits: IKEv2 key length attribute, 0 for none
 * @integrity: IKEv2 Integrity Algorithm Transform ID, 0 for an AEAD
 *
 * Context: any.
 * Return: the transform, or NULL if it is not supported.
 */
const struct pvsvpn_transform *
pvsvpn_transform_find(u16 encryption, u16 attr_bits, u16 integrity)
{
	const struct pvsvpn_transform *t;

	for (t = transforms; t < transforms + ARRAY_SIZE(transforms); t++)
		if (t->encryption == encryption && t->attr_bits == attr_bits &&
		    t->integrity == integrity)
			return t;
	return NULL;
}

/**
 * pvsvpn_transform_find_aead() - find a transform by XFRM's description
 * @aead: algorithm name for crypto_alloc_aead()
 * @key_bits: length of the key in bits, with the salt of an AEAD, without an integrity key
 * @icv_bits: length of the ICV in bits
 *
 * Context: any.
 * Return: the transform, or NULL if it is not supported.
 */
const struct pvsvpn_transform *
pvsvpn_transform_find_aead(const char *aead, unsigned int key_bits,
			   unsigned int icv_bits)
{
	const struct pvsvpn_transform *t;
	unsigned int key_len;

	for (t = transforms; t < transforms + ARRAY_SIZE(transforms); t++) {
		key_len = t->key_len + (t->integrity ? 0 : t->extra_len);
		if (key_len * 8 == key_bits && t->icv_len * 8 == icv_bits &&
		    !strcmp(t->aead, aead))
			return t;
	}
	return NULL;
}

/**
 * pvsvpn_transform_usual() - get the transform to assume before there is an SA
 *
 * Context: any.
 * Return: the first of the table.
 */
const struct pvsvpn_transform *pvsvpn_transform_usual(void)
{
	return &transforms[0];
}

/**
 * pvsvpn_transform_index() - get the index of a transform in the table
 * @transform: the transform
 *
 * Context: any.
 * Return: the index, 0 to PVSVPN_TRANSFORMS - 1.
 */
unsigned int pvsvpn_transform_index(const struct pvsvpn_transform *transform)
{
	return transform - transforms;
}

/**
 * pvsvpn_transform_at() - get the transform at an index of the table
 * @index: 0 to PVSVPN_TRANSFORMS - 1
 *
 * Context: any.
 * Return: the transform.
 */
const struct pvsvpn_transform *pvsvpn_transform_at(unsigned int index)
{
	return &transforms[index];
}

/**
 * pvsvpn_transform_key_len() - get the length of the key material
 * @transform: the transform
 *
 * Context: any.
 * Return: bytes of key and salt, or of both keys, together.
 */
unsigned int
pvsvpn_transform_key_len(const struct pvsvpn_transform *transform)
{
	return transform->key_len + transform->extra_len;
}

/* The key format of authenc(): a length, the integrity key, the encryption key. */
struct authenc_key {
	struct rtattr rta;
	struct crypto_authenc_key_param param;
	u8 keys[PVSVPN_KEY_MAX];
} __packed __aligned(4);

static int authenc_setkey(struct crypto_aead *aead,
			  const struct pvsvpn_transform *transform,
			  const u8 *key)
{
	struct authenc_key blob = {
		.rta.rta_type = CRYPTO_AUTHENC_KEYA_PARAM,
		.rta.rta_len = RTA_LENGTH(sizeof(blob.param)),
		.param.enckeylen = cpu_to_be32(transform->key_len),
	};
	unsigned int len = pvsvpn_transform_key_len(transform);
	int err;

	BUILD_BUG_ON(offsetof(struct authenc_key, keys) !=
		     RTA_SPACE(sizeof(blob.param)));
	memcpy(blob.keys, key + transform->key_len, transform->extra_len);
	memcpy(blob.keys + transform->extra_len, key, transform->key_len);
	err = crypto_aead_setkey(aead, (const u8 *)&blob,
				 offsetof(struct authenc_key, keys) + len);
	memzero_explicit(&blob, sizeof(blob));
	return err;
}

static int transform_setkey(struct crypto_aead *aead,
			    const struct pvsvpn_transform *transform,
			    const u8 *key)
{
	if (transform->integrity)
		return authenc_setkey(aead, transform, key);
	return crypto_aead_setkey(aead, key,
				  pvsvpn_transform_key_len(transform));
}

/* Only authenc() depends on the place of the high half of an ESN. */
static struct crypto_aead *
transform_find_driver(const struct pvsvpn_transform *transform, bool esn)
{
	static const char prefix[] = "authenc(";
	char name[CRYPTO_MAX_ALG_NAME];

	if (!esn || !transform->integrity)
		return crypto_alloc_aead(transform->aead, 0, 0);
	snprintf(name, sizeof(name), "authencesn(%s",
		 transform->aead + sizeof(prefix) - 1);
	return crypto_alloc_aead(name, 0, 0);
}

/**
 * pvsvpn_transform_alloc() - allocate an AEAD and set its key
 * @transform: the transform
 * @esn: sequence numbers of 64 bits (RFC 4303 section 2.2.1)
 * @key: key material, pvsvpn_transform_key_len() bytes
 * @extack: receives the error message
 *
 * Context: process; may load the driver's module.
 * Return: the AEAD, for crypto_free_aead(); or an ERR_PTR.
 */
struct crypto_aead *
pvsvpn_transform_alloc(const struct pvsvpn_transform *transform, bool esn,
		       const u8 *key, struct netlink_ext_ack *extack)
{
	struct crypto_aead *aead;
	int err;

	aead = transform_find_driver(transform, esn);
	if (IS_ERR(aead)) {
		NL_SET_ERR_MSG_FMT(extack, "no crypto driver for %.36s (%.17s)",
				   transform->aead, transform->name);
		return aead;
	}
	err = transform_setkey(aead, transform, key);
	if (!err)
		err = crypto_aead_setauthsize(aead, transform->icv_len);
	if (err) {
		NL_SET_ERR_MSG_FMT(extack, "crypto driver %.40s refused the key",
				   pvsvpn_transform_driver(aead));
		crypto_free_aead(aead);
		return ERR_PTR(err);
	}
	return aead;
}

/**
 * pvsvpn_transform_driver() - get the name of an AEAD's crypto driver
 * @aead: from pvsvpn_transform_alloc()
 *
 * Context: any.
 * Return: the name, as in /proc/crypto.
 */
const char *pvsvpn_transform_driver(struct crypto_aead *aead)
{
	return crypto_tfm_alg_driver_name(crypto_aead_tfm(aead));
}

static struct request *request_alloc(unsigned int capacity)
{
	struct request *req;

	req = kmalloc(sizeof(*req) + capacity, GFP_ATOMIC);
	if (req)
		req->capacity = capacity;
	return req;
}

/* The slot's request, large enough for the driver; NULL if there is no memory. */
static struct request *request_get(struct crypto_aead *aead)
{
	struct request *req = __this_cpu_read(request_slot);
	unsigned int need = crypto_aead_reqsize(aead);

	if (likely(req && req->capacity >= need))
		return req;
	kfree_sensitive(req);
	req = request_alloc(need);
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
	/* Put the SA last: afterwards pvsvpn_device_exit() may not wait for us. */
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
				   pvsvpn_transform_done done)
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

static int request_map(struct request *req, unsigned int ad_len,
		       unsigned int crypt_len)
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
	aead_request_set_crypt(&req->aead, req->sg, req->sg, crypt_len,
			       req->iv);
	aead_request_set_ad(&req->aead, ad_len);
	return 0;
}

static void transform_crypt(struct pvsvpn_sa *sa, struct sk_buff *skb,
			    pvsvpn_transform_done done, bool encrypt)
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
 * pvsvpn_transform_encrypt() - encrypt a packet in place (RFC 4303 section 3.3.2)
 * @sa: outbound SA
 * @skb: linear, from pvsvpn_esp_build(), its length includes the ICV
 * @done: called at the end; takes ownership of @skb
 *
 * Context: RCU read-side critical section with BH disabled.
 */
void pvsvpn_transform_encrypt(struct pvsvpn_sa *sa, struct sk_buff *skb,
			      pvsvpn_transform_done done)
{
	transform_crypt(sa, skb, done, true);
}

/**
 * pvsvpn_transform_decrypt() - verify and decrypt in place (RFC 4303 section 3.4.4)
 * @sa: inbound SA
 * @skb: writable, from pvsvpn_esp_open(), no fragment list, header and IV
 *	linear
 * @done: called at the end; takes ownership of @skb
 *
 * Context: RCU read-side critical section with BH disabled.
 */
void pvsvpn_transform_decrypt(struct pvsvpn_sa *sa, struct sk_buff *skb,
			      pvsvpn_transform_done done)
{
	transform_crypt(sa, skb, done, false);
}

/**
 * pvsvpn_transform_exit() - free the requests; no packet may be in the crypto API
 */
void pvsvpn_transform_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		kfree_sensitive(per_cpu(request_slot, cpu));
}
