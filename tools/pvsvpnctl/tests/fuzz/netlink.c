// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of the kernel, one after the other: devices, peers, SAs, addresses, routes, rules, and
 * events of changes.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <linux/fib_rules.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>

#include "connection/interface.h"
#include "connection/rtnl.h"
#include "connection/view.h"
#include "state.h"
#include "tests/fuzz/fuzz.h"

struct all {
	struct state state;
	struct view view;
	struct rule_list rules;
};

static struct subnet everything = { .addr.len = 4 };
static const struct connection connection = {
	.ifname = "pvs0", .routes = true, .peer_subnets = { .count = 1, .subnet = &everything },
};

static const struct reader {
	int (*read)(const struct nlmsghdr *nlh, void *data);
	/* The kernel sends each message with the whole header of its type. */
	size_t head;
	/* Offset in struct all */
	size_t object;
} readers[] = {
	{ state_add_device, sizeof(struct genlmsghdr), offsetof(struct all, state) },
	{ state_add_peer, sizeof(struct genlmsghdr), offsetof(struct all, state) },
	{ state_add_sa, sizeof(struct genlmsghdr), offsetof(struct all, state) },
	{ view_add_address, sizeof(struct ifaddrmsg), offsetof(struct all, view) },
	{ view_add_route, sizeof(struct rtmsg), offsetof(struct all, view) },
	{ rules_add, sizeof(struct fib_rule_hdr), offsetof(struct all, rules) },
};

#define READERS (sizeof(readers) / sizeof(readers[0]))

/* The type selects a reader, or makes the message an event. */
static void read_one(struct nlmsghdr *nlh, struct all *all)
{
	static const uint16_t changes[] = { RTM_NEWLINK, RTM_NEWROUTE, RTM_DELADDR };
	size_t len = mnl_nlmsg_get_payload_len(nlh), which = nlh->nlmsg_type % (READERS + 1);

	if (which < READERS) {
		if (len >= readers[which].head)
			readers[which].read(nlh, (char *)all + readers[which].object);
		return;
	}
	nlh->nlmsg_type = changes[nlh->nlmsg_type / (READERS + 1) % 3];
	if (len >= sizeof(struct ifinfomsg))
		interface_concerned(nlh, &connection);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Aligned, with room up to the next multiple of 4, as the kernel's messages are */
	struct nlmsghdr *first = calloc(1, size ? MNL_ALIGN(size) : 1), *nlh = first;
	struct all all = { .rules.count = 0 };
	int left = size;

	if (!first)
		abort();
	memcpy(first, data, size);
	/* The kernel sends no length above INT_MAX, which the library would take as negative. */
	for (; mnl_nlmsg_ok(nlh, left) && nlh->nlmsg_len <= size; nlh = mnl_nlmsg_next(nlh, &left))
		read_one(nlh, &all);
	state_link(&all.state);
	state_free(&all.state);
	free(all.view.addresses.subnet);
	free(all.view.routes);
	free(all.rules.rule);
	free(first);
	return 0;
}
