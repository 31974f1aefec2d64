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

static const char *why_not(const char *text, size_t len)
{
	/* char is unsigned on some machines: a byte above 0x7f would be more than a blank there. */
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || (unsigned char)text[i] > '~')
			return "a secret is one line of printable ASCII characters";
	if (len < SECRET_MIN || len > SECRET_MAX)
		return "a secret has 6 to 128 characters";
	if (text[0] == '0' && strchr("xXsS", text[1]))
		return "a secret does not begin with 0x or 0s: gateways take that for another notation";
	if (text[0] == ' ' || text[len - 1] == ' ')
		return "a secret with a blank at its begin or end is hardly what the peer has";
	return NULL;
}

int secret_parse(const char *what, const char *path, const char *text, size_t len,
		 struct secret *secret)
{
	const char *why;

	memset(secret, 0, sizeof(*secret));
	while (len && len <= SECRET_FILE_MAX && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	why = why_not(text, len);
	if (!why) {
		secret->len = len;
		memcpy(secret->text, text, len);
		return CTL_OK;
	}
	return ctl_error(CTL_FAILED, what, path, "agree on another with the peer", "%s", why);
}

static int read_secret(const char *what, const char *path, int fd, struct secret *secret)
{
	/* A file that fills it has more than a secret. */
	char text[SECRET_FILE_MAX + 1];
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

int secret_load(const char *what, const struct connection *c, struct secret *secret)
{
	int fd, ret;

	memory_lock(secret, sizeof(*secret));
	memset(secret, 0, sizeof(*secret));
	ret = trusted_file_open(what, c->secret_file, "secret", true, &fd);
	if (ret)
		return ret;
	ret = read_secret(what, c->secret_file, fd, secret);
	close(fd);
	if (ret)
		secret_wipe(secret);
	return ret;
}
