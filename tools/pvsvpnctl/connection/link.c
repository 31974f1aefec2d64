// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "connection/link.h"

#define LINK_BUFFER 32768

static void copy_text(char *to, size_t size, const struct nlattr *attr)
{
	snprintf(to, size, "%.*s", (int)mnl_attr_get_payload_len(attr),
		 mnl_attr_get_str(attr));
}

static int read_link(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr, *info;
	struct link *link = data;

	*link = (struct link){ 0 };
	mnl_attr_for_each(attr, nlh, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(attr) == IFLA_IFNAME)
			copy_text(link->name, sizeof(link->name), attr);
		if (mnl_attr_get_type(attr) == IFLA_IFALIAS)
			copy_text(link->alias, sizeof(link->alias), attr);
		if (mnl_attr_get_type(attr) != IFLA_LINKINFO)
			continue;
		mnl_attr_for_each_nested(info, attr)
			if (mnl_attr_get_type(info) == IFLA_INFO_KIND)
				copy_text(link->kind, sizeof(link->kind), info);
	}
	return MNL_CB_OK;
}

/* Of one interface, or of all where @ifname is NULL */
static bool ask(struct mnl_socket *sock, const char *ifname, mnl_cb_t fn, void *data)
{
	char buffer[LINK_BUFFER];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	int more = MNL_CB_OK;

	nlh->nlmsg_type = RTM_GETLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST | (ifname ? NLM_F_ACK : NLM_F_DUMP);
	nlh->nlmsg_seq = 1;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	if (ifname)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, ifname);
	if (mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(sock, nlh, nlh->nlmsg_len) < 0)
		return false;
	while (more > MNL_CB_STOP) {
		ssize_t len = mnl_socket_recvfrom(sock, buffer, sizeof(buffer));

		more = len <= 0 ? MNL_CB_ERROR :
		       mnl_cb_run(buffer, len, 1, mnl_socket_get_portid(sock), fn, data);
	}
	return more == MNL_CB_STOP;
}

static bool ask_kernel(const char *ifname, mnl_cb_t fn, void *data)
{
	struct mnl_socket *sock = mnl_socket_open(NETLINK_ROUTE);
	bool answered;

	if (!sock)
		return false;
	answered = ask(sock, ifname, fn, data);
	mnl_socket_close(sock);
	return answered;
}

bool link_find(const char *ifname, struct link *link)
{
	memset(link, 0, sizeof(*link));
	return ask_kernel(ifname, read_link, link);
}

struct wanted {
	const char *alias;
	char *ifname;
};

static int compare_alias(const struct nlmsghdr *nlh, void *data)
{
	const struct wanted *wanted = data;
	struct link link;

	read_link(nlh, &link);
	if (!*wanted->ifname && !strcmp(link.alias, wanted->alias))
		strcpy(wanted->ifname, link.name);
	return MNL_CB_OK;
}

bool link_find_alias(const char *alias, char *ifname)
{
	struct wanted wanted = { .alias = alias, .ifname = ifname };

	*ifname = '\0';
	return ask_kernel(NULL, compare_alias, &wanted) && *ifname;
}
