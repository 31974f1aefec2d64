// SPDX-License-Identifier: GPL-2.0
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "memory.h"

void memory_protect(void)
{
	const struct rlimit none = { 0, 0 };

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* A core_pattern with a pipe ignores this limit, but needs a dumpable process. */
	setrlimit(RLIMIT_CORE, &none);
}

void memory_lock(void *at, size_t len)
{
	/* A failure is no error. */
	if (mlock(at, len))
		return;
}
