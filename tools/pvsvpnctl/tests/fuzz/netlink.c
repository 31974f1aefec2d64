// SPDX-License-Identifier: GPL-2.0
/* Answers of the kernel: devices, peers and SAs, one message after the other. */
#include <stdlib.h>
#include <string.h>
#include <linux/genetlink.h>

#include "state.h"
#include "tests/fuzz/fuzz.h"

static int (* const readers[])(const struct nlmsghdr *nlh, void *data) = {
	state_add_device, state_add_peer, state_add_sa
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Aligned, with room up to the next multiple of 4, as the kernel's messages are */
	struct nlmsghdr *first = calloc(1, size ? MNL_ALIGN(size) : 1), *nlh = first;
	struct state state = { 0 };
	int left = size;

	if (!first)
		abort();
	memcpy(first, data, size);
	/* The kernel sends no length above INT_MAX, which the library takes for a negative one. */
	for (; mnl_nlmsg_ok(nlh, left) && nlh->nlmsg_len <= size; nlh = mnl_nlmsg_next(nlh, &left))
		if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(struct genlmsghdr))
			readers[nlh->nlmsg_type % 3](nlh, &state);
	state_link(&state);
	state_free(&state);
	free(first);
	return 0;
}
