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

	mnl_attr_for_each(attr, nlh, sizeof(struct ifinfomsg)) {
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

static bool ask(struct mnl_socket *sock, const char *ifname, struct link *link)
{
	char buffer[LINK_BUFFER];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	ssize_t len;

	nlh->nlmsg_type = RTM_GETLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	nlh->nlmsg_seq = 1;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, ifname);
	if (mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(sock, nlh, nlh->nlmsg_len) < 0)
		return false;
	len = mnl_socket_recvfrom(sock, buffer, sizeof(buffer));
	return len > 0 && mnl_cb_run(buffer, len, 1, mnl_socket_get_portid(sock),
				     read_link, link) >= 0;
}

bool link_find(const char *ifname, struct link *link)
{
	struct mnl_socket *sock = mnl_socket_open(NETLINK_ROUTE);
	bool found;

	memset(link, 0, sizeof(*link));
	if (!sock)
		return false;
	found = ask(sock, ifname, link);
	mnl_socket_close(sock);
	return found;
}
