// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "connection/connection.h"
#include "connection/private_file.h"
#include "error.h"
#include "memory.h"

void secret_wipe(struct secret *secret)
{
	explicit_bzero(secret, sizeof(*secret));
}

static const char *why_not(const struct secret *secret)
{
	if (secret->len < SECRET_MIN || secret->len > SECRET_MAX)
		return "a secret has 6 to 128 characters";
	if (secret->text[0] == '0' && strchr("xXsS", secret->text[1]))
		return "a secret does not begin with 0x or 0s: gateways take that for another notation";
	/* A signed char above 0x7f would be less than a blank. */
	for (size_t i = 0; i < secret->len; i++)
		if ((unsigned char)secret->text[i] < ' ' || (unsigned char)secret->text[i] > '~')
			return "a secret is one line of printable ASCII characters";
	if (secret->text[0] == ' ' || secret->text[secret->len - 1] == ' ')
		return "a secret with a blank at its begin or end is hardly what the peer has";
	return NULL;
}

int secret_parse(const char *what, const char *path, const char *text, size_t len,
		 struct secret *secret)
{
	const char *why;

	memset(secret, 0, sizeof(*secret));
	while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	secret->len = len;
	if (len <= SECRET_MAX)
		memcpy(secret->text, text, len);
	why = why_not(secret);
	if (!why)
		return CTL_OK;
	secret_wipe(secret);
	return ctl_error(CTL_FAILED, what, path, "agree on another with the peer", "%s", why);
}

static int read_secret(const char *what, const char *path, int fd,
		       struct secret *secret)
{
	/* One byte more to detect a longer secret, and two for the end of the line */
	char text[SECRET_MAX + 3];
	ssize_t len;
	int ret;

	memory_lock(text, sizeof(text));
	len = read(fd, text, sizeof(text));
	if (len < 0)
		ret = ctl_error(CTL_FAILED, what, path,
				"give a file that can be read", "%s",
				strerror(errno));
	else
		ret = secret_parse(what, path, text, len, secret);
	explicit_bzero(text, sizeof(text));
	return ret;
}

int secret_load(const char *what, const struct connection *c,
		struct secret *secret)
{
	int fd, ret;

	memory_lock(secret, sizeof(*secret));
	memset(secret, 0, sizeof(*secret));
	ret = private_file_open(what, c->secret_file, "secret", &fd);
	if (ret)
		return ret;
	ret = read_secret(what, c->secret_file, fd, secret);
	close(fd);
	if (ret)
		secret_wipe(secret);
	return ret;
}
