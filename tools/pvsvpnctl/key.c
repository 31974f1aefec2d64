// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "key.h"
#include "memory.h"

/* Room for the longest key with each digit on its own line, and more */
#define KEY_TEXT_MAX (PVSVPN_KEY_MAX * 8)

void key_wipe(struct key *key)
{
	explicit_bzero(key, sizeof(*key));
}

ssize_t key_parse_hex(const char *text, size_t len, uint8_t *byte, size_t max)
{
	size_t digits = 0, i = 0;
	int digit;

	while (i < len && isspace((unsigned char)text[i]))
		i++;
	if (len - i >= 2 && text[i] == '0' && (text[i + 1] | 0x20) == 'x')
		i += 2;
	for (; i < len; i++) {
		if (isspace((unsigned char)text[i]))
			continue;
		digit = OPENSSL_hexchar2int(text[i]);
		if (digit < 0)
			return -1;
		if (digits / 2 < max)
			byte[digits / 2] = digits & 1 ?
				byte[digits / 2] | digit : digit << 4;
		digits++;
	}
	return digits;
}

/* stdio would keep copies in buffers that are not wiped, hence read(2). */
static ssize_t read_all(int fd, char *text, size_t max)
{
	size_t len = 0;
	ssize_t got;

	while (len < max) {
		got = read(fd, text + len, max - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (!got)
			break;
		len += got;
	}
	return len;
}

/* A key that others can read or replace protects nothing. */
static int check_mode(const char *what, const char *file, int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return ctl_error(CTL_FAILED, what, file, "check the path", "%s", strerror(errno));
	if (S_ISREG(st.st_mode) && st.st_mode & (S_IRWXG | S_IRWXO))
		return ctl_error(CTL_FAILED, what, file, NULL,
				 "key file is open to group or others (mode %03o); chmod 600 %s",
				 st.st_mode & 0777, file);
	return CTL_OK;
}

static int decode(const char *what, const char *file,
		  const struct transform *t, const char *text, size_t len,
		  struct key *key)
{
	size_t want = transform_key_bytes(t);
	ssize_t digits = key_parse_hex(text, len, key->byte, sizeof(key->byte));
	char todo[96];

	snprintf(todo, sizeof(todo), "make one with pvsvpnctl genkey %s", t->name);
	if (digits < 0 || len == KEY_TEXT_MAX)
		return ctl_error(CTL_FAILED, what, file, todo,
				 "no hex key, %s wants %zu hex digits", t->name,
				 want * 2);
	if ((size_t)digits != want * 2)
		return ctl_error(CTL_FAILED, what, file, todo,
				 "key has %zd hex digits, %s wants %zu (%u for the key, %u for the %s)",
				 digits, t->name, want * 2, t->key_bits / 4,
				 t->extra * 2,
				 t->integrity ? "integrity key" : "salt");
	key->len = want;
	return CTL_OK;
}

static int read_fd(const char *what, const char *file,
		   const struct transform *t, int fd, struct key *key)
{
	char text[KEY_TEXT_MAX];
	ssize_t len;
	int ret;

	memory_lock(text, sizeof(text));
	memory_lock(key, sizeof(*key));
	len = read_all(fd, text, sizeof(text));
	if (len < 0)
		ret = ctl_error(CTL_FAILED, what, file,
				"give a file that can be read", "%s",
				strerror(errno));
	else
		ret = decode(what, file, t, text, len, key);
	explicit_bzero(text, sizeof(text));
	if (ret)
		key_wipe(key);
	return ret;
}

int key_read(const char *what, const char *file, const struct transform *t, struct key *key)
{
	int fd, ret;

	if (!strcmp(file, "-"))
		return read_fd(what, "standard input", t, STDIN_FILENO, key);

	fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return ctl_error(CTL_FAILED, what, file,
				 "check key-file's path", "%s",
				 strerror(errno));
	ret = check_mode(what, file, fd);
	if (!ret)
		ret = read_fd(what, file, t, fd, key);
	close(fd);
	return ret;
}
