// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "connection/private_file.h"
#include "error.h"

static int check_private(const char *what, const char *path, const char *content,
			 const struct stat *st)
{
	if (st->st_mode & (S_IRWXG | S_IRWXO))
		return ctl_error(CTL_FAILED, what, path, NULL,
				 "%s is open to group or others (mode %03o); chmod 600 %s",
				 content, st->st_mode & 0777, path);
	if (st->st_uid != geteuid())
		return ctl_error(CTL_FAILED, what, path, NULL,
				 "%s belongs to user %u; chown %u %s", content, st->st_uid,
				 geteuid(), path);
	return CTL_OK;
}

int shared_file_check(const char *what, const char *path, const struct stat *st)
{
	if (st->st_uid && st->st_uid != geteuid())
		return ctl_error(CTL_FAILED, what, path, NULL,
				 "belongs to user %u, who can change it; chown root %s", st->st_uid,
				 path);
	if (st->st_mode & S_IWOTH || (st->st_mode & S_IWGRP && st->st_gid))
		return ctl_error(CTL_FAILED, what, path, NULL,
				 "others can write to it (mode %03o); chmod go-w %s",
				 st->st_mode & 0777, path);
	return CTL_OK;
}

/* O_NONBLOCK: the file may be a FIFO. */
static int open_file(const char *what, const char *path, const char *content, const char *mode,
		     int *fd, struct stat *st)
{
	char todo[64];

	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (*fd < 0 && errno == EACCES)
		return ctl_error(CTL_DENIED, what, path, "run it as root", "%s", strerror(errno));
	snprintf(todo, sizeof(todo), "write the %s into it%s", content, mode);
	if (*fd < 0)
		return ctl_error(CTL_FAILED, what, path, todo, "%s", strerror(errno));
	if (fstat(*fd, st))
		return ctl_error(CTL_FAILED, what, path, "check the path", "%s", strerror(errno));
	if (!S_ISREG(st->st_mode))
		return ctl_error(CTL_FAILED, what, path, "give a file", "not a regular file");
	return CTL_OK;
}

int trusted_file_open(const char *what, const char *path, const char *content, bool private,
		      int *fd)
{
	struct stat st;
	int ret = open_file(what, path, content, private ? ", mode 600" : "", fd, &st);

	if (!ret)
		ret = private ? check_private(what, path, content, &st) :
				shared_file_check(what, path, &st);
	if (ret && *fd >= 0)
		close(*fd);
	return ret;
}
