// SPDX-License-Identifier: GPL-2.0
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "memory.h"

void memory_protect(void)
{
	const struct rlimit none = { 0, 0 };

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* A core_pattern with a pipe gets one of any size, but none of what is not dumpable. */
	setrlimit(RLIMIT_CORE, &none);
}

void memory_lock(void *at, size_t len)
{
	/* No is a good answer. */
	if (mlock(at, len))
		return;
}
