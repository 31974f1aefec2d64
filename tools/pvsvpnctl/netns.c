// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "netns.h"

/* iproute2 keeps namespaces that have a name here. */
#define NETNS_DIR "/run/netns"

static char current[NETNS_NAME_MAX];
static int first = -1;

static int path_of(char *path, size_t size, const char *name)
{
	if (*name && !strchr(name, '/') && strlen(name) < NETNS_NAME_MAX &&
	    snprintf(path, size, NETNS_DIR "/%s", name) < (int)size)
		return CTL_OK;
	return ctl_error(CTL_USAGE, "netns", name, "see ip netns list",
			 "no name of a network namespace");
}

static int enter(int fd, const char *name)
{
	if (!setns(fd, CLONE_NEWNET)) {
		strcpy(current, name);
		return CTL_OK;
	}
	return ctl_error(errno == EPERM ? CTL_DENIED : CTL_FAILED, "netns", name,
			 "run it as root", "cannot enter: %s", strerror(errno));
}

int netns_enter(const char *name)
{
	char path[512];
	int fd, ret;

	if (!strcmp(name, current) && *name)
		return CTL_OK;
	if (!*name)
		return *current ? enter(first, name) : CTL_OK;
	ret = path_of(path, sizeof(path), name);
	if (ret)
		return ret;
	/* To return later */
	if (first < 0)
		first = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ctl_error(CTL_FAILED, "netns", name,
				 "ip netns list shows what there is", "%s: %s",
				 path, strerror(errno));
	ret = enter(fd, name);
	close(fd);
	return ret;
}

const char *netns_name(void)
{
	return current;
}
