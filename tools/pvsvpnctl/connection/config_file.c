// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "connection/config_file.h"
#include "connection/connection.h"
#include "connection/private_file.h"
#include "error.h"

/* A change takes milliseconds, unless its process was stopped. */
#define LOCK_SECONDS 10
#define LOCK_PAUSE_MS 50

static int failed(const char *what, const char *path)
{
	bool denied = (errno == EACCES || errno == EPERM) && geteuid();

	return ctl_error(denied ? CTL_DENIED : CTL_FAILED, what, path,
			 denied ? "run it as root" : "check the path and its file system",
			 "%s", strerror(errno));
}

static int check_directory(const char *what)
{
	struct stat st;

	if (stat(connection_dir(), &st))
		return failed(what, connection_dir());
	return shared_file_check(what, connection_dir(), &st);
}

static int wait_for_lock(const char *what, const char *path, int fd)
{
	uint64_t deadline = now_ms() + LOCK_SECONDS * 1000;

	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return failed(what, path);
		if (now_ms() >= deadline)
			return ctl_error(CTL_BUSY, what, path, "try again",
					 "another pvsvpnctl is changing files there");
		sleep_ms(LOCK_PAUSE_MS);
	}
	return CTL_OK;
}

int config_make_dir(const char *what)
{
	if (!mkdir(connection_dir(), 0700) || errno == EEXIST)
		return CTL_OK;
	return failed(what, connection_dir());
}

/* Only its owner can open the lock, so nobody else can hold it. */
int config_lock(const char *what, int *fd)
{
	char path[PATH_MAX];
	int ret = check_directory(what);

	if (ret)
		return ret;
	snprintf(path, sizeof(path), "%s/.lock", connection_dir());
	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*fd < 0)
		return failed(what, path);
	ret = wait_for_lock(what, path, *fd);
	if (ret)
		close(*fd);
	return ret;
}

static bool write_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t done = write(fd, text, left);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return false;
		text += done;
		left -= done;
	}
	return !fsync(fd);
}

/* Makes the new file like the old one, if there is one. */
static bool copy_owner(int fd, const char *path, mode_t mode)
{
	struct stat st;

	if (stat(path, &st))
		return errno == ENOENT && !fchmod(fd, mode);
	return !fchown(fd, st.st_uid, st.st_gid) && !fchmod(fd, st.st_mode & 0777);
}

/* The caller holds the lock, so a file of that name is left from a command that was killed. */
static int replace(const char *what, const char *path, const char *text, mode_t mode)
{
	char *temporary;
	int fd, ret = CTL_OK;

	no_memory_if(asprintf(&temporary, "%s.pvsvpnctl", path) < 0);
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || !copy_owner(fd, path, mode) || !write_all(fd, text) ||
	    rename(temporary, path)) {
		ret = failed(what, path);
		unlink(temporary);
	}
	if (fd >= 0)
		close(fd);
	free(temporary);
	return ret;
}

int config_write(const char *what, const char *path, const char *text, mode_t mode)
{
	char *real = realpath(path, NULL);
	struct stat st;
	int ret;

	if (!real && !lstat(path, &st))
		return failed(what, path);
	ret = replace(what, real ?: path, text, mode);
	free(real);
	return ret;
}
