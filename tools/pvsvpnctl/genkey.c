// SPDX-License-Identifier: GPL-2.0
/* genkey: random key material for a transform. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "error.h"
#include "key.h"
#include "memory.h"

void list_transforms(void)
{
	puts("\nTransforms, and hex digits of their key material:");
	for (size_t i = 0; i < transform_count; i++)
		printf("  %-16s  %3zu%s\n", transforms[i].name,
		       transform_key_bytes(&transforms[i]) * 2,
		       transforms[i].legacy ? "  legacy" : "");
}

/* Only warns: the shell has created the file already. */
static void warn_if_open(void)
{
	struct stat st;

	if (!fstat(STDOUT_FILENO, &st) && S_ISREG(st.st_mode) && st.st_mode & (S_IRWXG | S_IRWXO))
		ctl_error(CTL_OK, "genkey", "standard output",
			  "chmod 600 it, and umask 077 next time",
			  "the file is open to group or others (mode %03o)",
			  st.st_mode & 0777);
}

/* stdio would keep a copy of the key, hence write(2). */
static int write_all(const char *text, size_t len)
{
	while (len) {
		ssize_t done = write(STDOUT_FILENO, text, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return ctl_error(CTL_FAILED, "genkey",
					 "standard output",
					 "check where it goes", "%s",
					 strerror(errno));
		text += done;
		len -= done;
	}
	return CTL_OK;
}

static int write_key(const struct key *key)
{
	static const char digit[] = "0123456789abcdef";
	char text[PVSVPN_KEY_MAX * 2 + 1];
	int ret;

	memory_lock(text, sizeof(text));
	for (size_t i = 0; i < key->len; i++) {
		text[i * 2] = digit[key->byte[i] >> 4];
		text[i * 2 + 1] = digit[key->byte[i] & 0xf];
	}
	text[key->len * 2] = '\n';
	ret = write_all(text, key->len * 2 + 1);
	explicit_bzero(text, sizeof(text));
	return ret;
}

static int generate(const struct transform *t)
{
	struct key key = { .len = transform_key_bytes(t) };
	int ret;

	memory_lock(&key, sizeof(key));
	if (getrandom(key.byte, key.len, 0) != (ssize_t)key.len)
		return ctl_error(CTL_FAILED, "genkey", t->name, "try again",
				 "getrandom: %s", strerror(errno));
	warn_if_open();
	ret = write_key(&key);
	key_wipe(&key);
	return ret;
}

static int run_genkey(const struct options *options, int argc, char **argv)
{
	const struct transform *t = argc == 1 ? transform_by_name(argv[0]) : NULL;

	(void)options;
	if (t)
		return generate(t);
	return ctl_error(CTL_USAGE, "genkey", argc == 1 ? argv[0] : NULL,
			 "pvsvpnctl genkey --help lists them",
			 argc == 1 ? "no such transform" : "give one transform");
}

const struct command command_genkey = {
	.name = "genkey",
	.args = "TRANSFORM",
	.help = "Writes random key material for a transform to standard output: one line of hex\n"
		"digits, the key and its salt or integrity key. Use umask 077 when it goes to a file.\n",
	.more_help = list_transforms,
	.run = run_genkey,
};
