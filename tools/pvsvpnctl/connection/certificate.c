// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "connection/certificate.h"
#include "connection/identity.h"
#include "connection/private_file.h"
#include "error.h"
#include "memory.h"

/* Limit for a PEM file: bytes */
#define PEM_MAX (64 * 1024)

/* ---- memory ---- */

/* OpenSSL does not wipe all memory in which it keeps the key. */
static void wipe_free(void *at, const char *file, int line)
{
	(void)file;
	(void)line;
	if (at)
		explicit_bzero(at, malloc_usable_size(at));
	free(at);
}

/* While OpenSSL has a private key, its memory must not go to swap space. */
static bool locking;

static void *lock_malloc(size_t size, const char *file, int line)
{
	void *at = malloc(size);

	(void)file;
	(void)line;
	if (at && locking)
		memory_lock(at, size);
	return at;
}

static void *wipe_realloc(void *at, size_t size, const char *file, int line)
{
	size_t before = at ? malloc_usable_size(at) : 0;
	void *to = lock_malloc(size, file, line);

	if (to && at)
		memcpy(to, at, before < size ? before : size);
	if (to || !size)
		wipe_free(at, file, line);
	return to;
}

/* The caller must call this before OpenSSL allocates anything. */
static int use_library(const char *what)
{
	static bool used;

	if (!used && !CRYPTO_set_mem_functions(lock_malloc, wipe_realloc, wipe_free))
		return ctl_error(CTL_FAILED, what, "OpenSSL", "tell the makers of pvsvpnctl",
				 "it was in use before its memory could be guarded");
	used = true;
	return CTL_OK;
}

/* ---- files ---- */

static int no_password(char *buf, int size, int writing, void *data)
{
	(void)buf;
	(void)size;
	(void)writing;
	*(bool *)data = true;
	return -1;
}

/* Reads the file into @text, which has PEM_MAX bytes. */
static int read_pem(const char *what, const char *path, bool private, char *text, size_t *len)
{
	int fd, ret = trusted_file_open(what, path, private ? "private key" : "certificate",
					private, &fd);
	ssize_t got = 0;

	if (ret)
		return ret;
	for (*len = 0; *len < PEM_MAX; *len += got) {
		got = read(fd, text + *len, PEM_MAX - *len);
		if (got <= 0)
			break;
	}
	if (got < 0)
		ret = ctl_error(CTL_FAILED, what, path, "give a file that can be read", "%s",
				strerror(errno));
	else if (*len == PEM_MAX)
		ret = ctl_error(CTL_FAILED, what, path, "give one in PEM", "too long");
	close(fd);
	return ret;
}

static int parse_key(const char *what, const char *path, const char *text, size_t len,
		     EVP_PKEY **key)
{
	BIO *bio = BIO_new_mem_buf(text, len);
	bool asked = false;

	*key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, &asked) : NULL;
	BIO_free(bio);
	ERR_clear_error();
	if (*key)
		return CTL_OK;
	if (asked)
		return ctl_error(CTL_FAILED, what, path,
				 "take the password off (openssl pkey), and protect the file by its mode",
				 "the private key has a password");
	return ctl_error(CTL_FAILED, what, path, "give one in PEM, as openssl genpkey writes it",
			 "there is no private key in it");
}

static int parse_cert(const char *what, const char *path, const char *text, size_t len, X509 **cert)
{
	BIO *bio = BIO_new_mem_buf(text, len);
	X509 *more = NULL;
	int ret = CTL_OK;

	*cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	if (*cert)
		more = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	if (!*cert)
		ret = ctl_error(CTL_FAILED, what, path, "give one in PEM",
				"there is no certificate in it");
	else if (more)
		ret = ctl_error(CTL_FAILED, what, path,
				"leave one; any between that and the CA have to be at the other end",
				"there are several certificates in it");
	X509_free(more);
	BIO_free(bio);
	ERR_clear_error();
	return ret;
}

static int load_key(const char *what, const char *path, EVP_PKEY **key)
{
	char *text = ctl_alloc(NULL, PEM_MAX);
	size_t len;
	int ret;

	memory_lock(text, PEM_MAX);
	ret = read_pem(what, path, true, text, &len) ?: parse_key(what, path, text, len, key);
	explicit_bzero(text, PEM_MAX);
	free(text);
	return ret;
}

static int check_dates(const char *what, const char *path, const X509 *cert)
{
	/* X509_cmp_current_time() returns 0 if the time is invalid. */
	if (X509_cmp_current_time(X509_get0_notBefore(cert)) >= 0)
		return ctl_error(CTL_FAILED, what, path, "see openssl x509 -noout -dates -in",
				 "the certificate is not valid yet");
	if (X509_cmp_current_time(X509_get0_notAfter(cert)) <= 0)
		return ctl_error(CTL_FAILED, what, path, "have a new one issued",
				 "the certificate has expired");
	return CTL_OK;
}

static int load_cert(const char *what, const char *path, X509 **cert)
{
	char *text = ctl_alloc(NULL, PEM_MAX);
	size_t len;
	int ret = read_pem(what, path, false, text, &len) ?:
		  parse_cert(what, path, text, len, cert) ?: check_dates(what, path, *cert);

	free(text);
	return ret;
}

/* ---- checks ---- */

/* Only the daemon compares a subject, such as "C=DE, CN=gw". */
static bool has_identity(X509 *cert, const struct identity *identity)
{
	enum identity_kind kind;
	const char *text = identity_name(identity, &kind);
	struct addr addr;

	switch (kind) {
	case KIND_SUBJECT:
		return true;
	case KIND_IPV4:
	case KIND_IPV6:
		return !parse_addr(text, &addr) && X509_check_ip(cert, addr.byte, addr.len, 0) == 1;
	case KIND_EMAIL:
		return X509_check_email(cert, text, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT) == 1;
	case KIND_FQDN:
		/* A leading dot would match any host. */
		return *text != '.' &&
		       X509_check_host(cert, text, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
				       X509_CHECK_FLAG_NO_WILDCARDS, NULL) == 1;
	case KIND_KEY_ID:
		break;
	}
	return false;
}

static int check_own(const char *what, const struct connection *c, X509 *cert, EVP_PKEY *key)
{
	if (X509_check_private_key(cert, key) != 1) {
		ERR_clear_error();
		return ctl_error(CTL_FAILED, what, c->key_file, "give the key that belongs to it",
				 "not the key of the certificate in %s", c->cert_file);
	}
	if (!has_identity(cert, &c->local_identity))
		return ctl_error(CTL_FAILED, what, c->cert_file,
				 "set LocalIdentity to one of its subjectAltName (openssl x509 -noout -ext subjectAltName -in), or to its subject",
				 "the certificate is not of LocalIdentity %s",
				 c->local_identity.text);
	return CTL_OK;
}

static int check_ca(const char *what, const struct connection *c, X509 *ca)
{
	/* 1: basicConstraints says that it is a CA. The daemon accepts no other certificate. */
	if (X509_check_ca(ca) == 1)
		return CTL_OK;
	return ctl_error(CTL_FAILED, what, c->ca_file, "give that of the CA which has issued the peer's",
			 "not the certificate of a CA");
}

/* ---- DER for the daemon ---- */

static bool to_der(struct der *der, int (*write)(const void *, unsigned char **), const void *from)
{
	unsigned char *at;
	int len = write(from, NULL);

	if (len <= 0)
		return false;
	der->bytes = at = ctl_alloc(NULL, len);
	der->len = len;
	memory_lock(der->bytes, der->len);
	return write(from, &at) == len;
}

static int write_cert(const void *from, unsigned char **to) { return i2d_X509(from, to); }
static int write_key(const void *from, unsigned char **to) { return i2d_PrivateKey(from, to); }

static bool name_key(char *id, const X509 *cert)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int len;

	if (!X509_pubkey_digest(cert, EVP_sha1(), sum, &len) || 2 * len != KEY_ID_LEN)
		return false;
	for (unsigned int i = 0; i < len; i++)
		sprintf(id + 2 * i, "%02x", sum[i]);
	return true;
}

static int fill(const char *what, const struct connection *c, struct certificates *certs,
		X509 *own, EVP_PKEY *key, X509 *ca)
{
	if (to_der(&certs->own, write_cert, own) && to_der(&certs->key, write_key, key) &&
	    to_der(&certs->ca, write_cert, ca) && name_key(certs->key_id, own))
		return CTL_OK;
	ERR_clear_error();
	return ctl_error(CTL_FAILED, what, c->cert_file, "give another",
			 "OpenSSL cannot write it in DER");
}

int certificates_load(const char *what, const struct connection *c, struct certificates *certs)
{
	X509 *own = NULL, *ca = NULL;
	EVP_PKEY *key = NULL;
	int ret;

	memset(certs, 0, sizeof(*certs));
	ret = use_library(what);
	if (ret)
		return ret;
	locking = true;
	ret = load_cert(what, c->cert_file, &own) ?: load_key(what, c->key_file, &key) ?:
	      check_own(what, c, own, key) ?: load_cert(what, c->ca_file, &ca) ?:
	      check_ca(what, c, ca) ?: fill(what, c, certs, own, key, ca);
	X509_free(own);
	X509_free(ca);
	EVP_PKEY_free(key);
	locking = false;
	return ret;
}

static void wipe_der(struct der *der)
{
	if (der->bytes)
		explicit_bzero(der->bytes, der->len);
	free(der->bytes);
	*der = (struct der){ 0 };
}

void certificates_wipe(struct certificates *certs)
{
	wipe_der(&certs->own);
	wipe_der(&certs->key);
	wipe_der(&certs->ca);
}
