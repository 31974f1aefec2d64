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
	char path[sizeof(NETNS_DIR) + NETNS_NAME_MAX];
	int fd, ret;

	if (!strcmp(name, current) && *name)
		return CTL_OK;
	if (!*name)
		return *current ? enter(first, name) : CTL_OK;
	if (strchr(name, '/') || strlen(name) >= NETNS_NAME_MAX)
		return ctl_error(CTL_USAGE, "netns", name, "see ip netns list",
				 "no name of a network namespace");
	snprintf(path, sizeof(path), NETNS_DIR "/%s", name);
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
