// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/genetlink.h>

#include "error.h"
#include "memory.h"
#include "nl.h"

/* Room for events that arrive while the terminal is slow. */
#define NL_EVENT_ROOM (4 << 20)

static struct nlmsghdr *request(struct nl *nl)
{
	return (struct nlmsghdr *)nl->tx;
}

void *nl_route_msg(struct nl *nl, uint16_t type, uint16_t flags, size_t head)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(nl->tx);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++nl->seq;
	nl->head = head;
	nl->bad = 0;
	nl->why[0] = '\0';
	return mnl_nlmsg_put_extra_header(nlh, head);
}

static void begin(struct nl *nl, uint16_t family, uint8_t cmd, uint8_t version, uint16_t flags)
{
	struct genlmsghdr *genl = nl_route_msg(nl, family, flags, sizeof(*genl));

	genl->cmd = cmd;
	genl->version = version;
}

void nl_msg(struct nl *nl, uint8_t cmd, uint16_t flags)
{
	begin(nl, nl->family, cmd, PVSVPN_FAMILY_VERSION, flags);
}

void nl_lock(struct nl *nl)
{
	memory_lock(nl->tx, sizeof(nl->tx));
}

void nl_put(struct nl *nl, uint16_t type, size_t len, const void *data)
{
	if (!mnl_attr_put_check(request(nl), NL_BUFFER, type, len, data))
		snprintf(nl->why, sizeof(nl->why), "request too long");
}

void nl_put_u8(struct nl *nl, uint16_t type, uint8_t value)
{
	nl_put(nl, type, sizeof(value), &value);
}

void nl_put_u16(struct nl *nl, uint16_t type, uint16_t value)
{
	nl_put(nl, type, sizeof(value), &value);
}

void nl_put_u32(struct nl *nl, uint16_t type, uint32_t value)
{
	nl_put(nl, type, sizeof(value), &value);
}

void nl_put_text(struct nl *nl, uint16_t type, const char *value)
{
	nl_put(nl, type, strlen(value) + 1, value);
}

void nl_put_addr(struct nl *nl, uint16_t type, const struct addr *addr)
{
	nl_put(nl, type, addr->len, addr->byte);
}

void nl_put_params(struct nl *nl, const struct params *params, const void *values, uint32_t seen)
{
	for (size_t i = 0; i < params->count; i++) {
		const struct param *param = &params->table[i];

		if (seen & 1U << i && param->size)
			nl_put(nl, param->attr, param->size, (const char *)values + param->offset);
	}
}

struct nlattr *nl_nest(struct nl *nl, uint16_t type)
{
	struct nlattr *nest;

	nest = mnl_attr_nest_start_check(request(nl), NL_BUFFER, type);
	if (!nest)
		snprintf(nl->why, sizeof(nl->why), "request too long");
	return nest;
}

void nl_nest_end(struct nl *nl, struct nlattr *nest)
{
	if (nest)
		mnl_attr_nest_end(request(nl), nest);
}

void nl_get_bool(const struct nlattr *attr, void *value, size_t size)
{
	(void)size;
	if (mnl_attr_get_payload_len(attr))
		*(bool *)value = mnl_attr_get_u8(attr);
}

void nl_get_int(const struct nlattr *attr, void *value, size_t size)
{
	if (mnl_attr_get_payload_len(attr) == size)
		memcpy(value, mnl_attr_get_payload(attr), size);
}

void nl_get_text(const struct nlattr *attr, void *value, size_t size)
{
	snprintf(value, size, "%.*s", (int)mnl_attr_get_payload_len(attr), mnl_attr_get_str(attr));
}

void nl_get_addr(const struct nlattr *attr, void *value, size_t size)
{
	uint16_t len = mnl_attr_get_payload_len(attr);
	struct addr *addr = value;

	(void)size;
	if (len != 4 && len != 16)
		return;
	addr->len = len;
	memcpy(addr->byte, mnl_attr_get_payload(attr), len);
}

static void read_field(const struct nlattr *attr, const struct nl_field *fields, size_t count,
		       void *object)
{
	uint16_t type = mnl_attr_get_type(attr);

	if (type < count && fields[type].get)
		fields[type].get(attr, (char *)object + fields[type].offset, fields[type].size);
}

void nl_read_nest(const struct nlattr *nest, const struct nl_field *fields, size_t count,
		  void *object)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
		read_field(attr, fields, count, object);
}

void nl_read(const struct nlmsghdr *nlh, const struct nl_field *fields, size_t count, void *object)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		read_field(attr, fields, count, object);
}

/* The attribute of the request that holds the byte at @offset. */
static uint16_t attr_at(const struct nlmsghdr *nlh, size_t head, uint32_t offset)
{
	const char *byte = (const char *)nlh + offset;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, head) {
		const char *start = (const char *)attr;

		if (byte >= start && byte < start + attr->nla_len)
			return mnl_attr_get_type(attr);
	}
	return 0;
}

/* The extended acknowledgement: attributes after @skip bytes of payload. */
static void read_extack(struct nl *nl, const struct nlmsghdr *nlh, size_t skip)
{
	const struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) || mnl_nlmsg_get_payload_len(nlh) < skip)
		return;
	mnl_attr_for_each(attr, nlh, skip) {
		uint16_t len = mnl_attr_get_payload_len(attr);

		switch (mnl_attr_get_type(attr)) {
		case NLMSGERR_ATTR_MSG:
			snprintf(nl->why, sizeof(nl->why), "%.*s", len, mnl_attr_get_str(attr));
			break;
		case NLMSGERR_ATTR_OFFS:
			if (len == sizeof(uint32_t))
				nl->bad = attr_at(request(nl), nl->head, mnl_attr_get_u32(attr));
			break;
		}
	}
}

/* NLMSG_ERROR: the acknowledgement, or the refusal, of a request. */
static int read_error(struct nl *nl, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*err);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err))
		return -EBADMSG;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += mnl_nlmsg_get_payload_len(&err->msg);
	read_extack(nl, nlh, skip);
	return err->error;
}

/* NLMSG_DONE: the end of a dump, perhaps with an error. */
static int read_done(struct nl *nl, const struct nlmsghdr *nlh)
{
	int err;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(err))
		return 0;
	memcpy(&err, mnl_nlmsg_get_payload(nlh), sizeof(err));
	read_extack(nl, nlh, sizeof(err));
	return err;
}

/*
 * mnl_cb_run() stops at the first sign of an interrupted dump and leaves its rest in the socket;
 * this reads on, so that the dump can be requested again.
 *
 * Return: 1 to read on, 0 at the end, or a negative errno.
 */
static int read_buffer(struct nl *nl, int len, mnl_cb_t cb, void *data)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)nl->rx;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		if (nlh->nlmsg_seq != nl->seq)
			continue;
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			nl->interrupted = true;
		if (nlh->nlmsg_type == NLMSG_ERROR)
			return read_error(nl, nlh);
		if (nlh->nlmsg_type == NLMSG_DONE)
			return read_done(nl, nlh);
		if (cb && nlh->nlmsg_type >= NLMSG_MIN_TYPE)
			cb(nlh, data);
	}
	return 1;
}

int nl_call(struct nl *nl, mnl_cb_t cb, void *data)
{
	struct nlmsghdr *nlh = request(nl);
	ssize_t len;
	int ret = 1;

	nl->interrupted = false;
	if (nl->why[0])
		ret = -E2BIG;
	else if (mnl_socket_sendto(nl->sock, nlh, nlh->nlmsg_len) < 0)
		ret = -errno;
	while (ret > 0) {
		len = mnl_socket_recvfrom(nl->sock, nl->rx, sizeof(nl->rx));
		ret = len < 0 ? -errno : read_buffer(nl, len, cb, data);
	}
	explicit_bzero(nlh, nlh->nlmsg_len);
	nl->denied = ret == -EPERM;
	return ret;
}

static const char *remedy(const struct nl *nl, int err)
{
	/* The attribute of the device has the same number in the requests of all objects. */
	if (nl->bad == PVSVPN_A_DEVICE_IFNAME)
		return "ip link show type pvsvpn lists the devices";
	/* If there is a text, the kernel knows the request but refuses it. */
	if (err == -EOPNOTSUPP && nl->why[0])
		return "see pvsvpnctl(8)";

	switch (-err) {
	case EPERM:
	case EACCES:
		return "run it as root (CAP_NET_ADMIN where the device lives)";
	case ENODEV:
		return "ip link show type pvsvpn lists the devices";
	case ENOENT:
	case ESRCH:
		return "pvsvpnctl show lists what there is";
	case EEXIST:
	case EBUSY:
	case EADDRINUSE:
		return "pvsvpnctl show lists what there is; remove or change the old one first";
	case ENOMEM:
	case ENOBUFS:
		return "free memory and try again";
	case EOPNOTSUPP:
		return "module and pvsvpnctl must be of the same release";
	default:
		return "see pvsvpnctl(8)";
	}
}

/* The first words of a command are attributes, too; all sets have them in the same place. */
static const char *bad_name(uint16_t attr, const struct params *params)
{
	if (!attr || !params)
		return NULL;
	for (size_t i = 0; i < params->count; i++)
		if (params->table[i].attr == attr)
			return params->table[i].key;
	if (attr == PVSVPN_A_PEER_IFNAME)
		return "device";
	return attr == PVSVPN_A_PEER_NAME ? "peer" : NULL;
}

int nl_failed(const struct nl *nl, int err, const char *where, const struct params *params)
{
	const char *name = bad_name(nl->bad, params);
	const char *why = nl->why[0] ? nl->why : strerror(-err);
	/* The kernel's texts name the remedy after a semicolon. */
	const char *todo = strchr(why, ';') ? NULL : remedy(nl, err);

	if (name && strstr(why, name))
		name = NULL;
	return ctl_error(CTL_FAILED, nl->what, where, todo, "%s%s%s",
			 name ? name : "", name ? ": " : "", why);
}

static void read_group(struct nl *nl, const struct nlattr *nest)
{
	const struct nlattr *attr;
	const char *name = "";
	uint32_t id = 0;

	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case CTRL_ATTR_MCAST_GRP_NAME:
			name = mnl_attr_get_str(attr);
			break;
		case CTRL_ATTR_MCAST_GRP_ID:
			id = mnl_attr_get_u32(attr);
			break;
		}
	}
	if (!strcmp(name, PVSVPN_MCGRP_EVENTS))
		nl->events = id;
}

static int read_family(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr, *group;
	struct nl *nl = data;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		switch (mnl_attr_get_type(attr)) {
		case CTRL_ATTR_FAMILY_ID:
			nl->family = mnl_attr_get_u16(attr);
			break;
		case CTRL_ATTR_MCAST_GROUPS:
			mnl_attr_for_each_nested(group, attr)
				read_group(nl, group);
			break;
		}
	}
	return MNL_CB_OK;
}

static int find_family(struct nl *nl)
{
	int err;

	begin(nl, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, NLM_F_ACK);
	nl_put_text(nl, CTRL_ATTR_FAMILY_NAME, PVSVPN_FAMILY_NAME);
	err = nl_call(nl, read_family, nl);
	if (err == -ENOENT)
		return ctl_error(CTL_FAILED, nl->what, NULL, "modprobe pvsvpn",
				 "kernel module pvsvpn is not loaded");
	return err ? nl_failed(nl, err, "netlink", NULL) : CTL_OK;
}

static struct nl *open_bus(const char *what, int bus)
{
	/* The struct is large, but calloc() does not touch its pages before they are used. */
	struct nl *nl = calloc(1, sizeof(*nl));
	int on = 1;

	if (!nl) {
		ctl_error(CTL_FAILED, what, NULL, "free some", "out of memory");
		return NULL;
	}
	nl->what = what;
	nl->sock = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!nl->sock || mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		ctl_error(CTL_FAILED, what, "netlink socket", "see netlink(7)",
			  "%s", strerror(errno));
		nl_close(nl);
		return NULL;
	}
	/* Both options only make errors clearer; an old kernel may lack them. */
	mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &on, sizeof(on));
	return nl;
}

struct nl *nl_open(const char *what)
{
	struct nl *nl = open_bus(what, NETLINK_GENERIC);

	if (nl && find_family(nl)) {
		nl_close(nl);
		return NULL;
	}
	return nl;
}

struct nl *nl_open_route(const char *what)
{
	return open_bus(what, NETLINK_ROUTE);
}

int nl_finish(struct nl *nl, const char *where, const struct params *params)
{
	int ret = nl_call(nl, NULL, NULL);

	if (ret)
		ret = nl_failed(nl, ret, where, params);
	nl_close(nl);
	return ret;
}

void nl_close(struct nl *nl)
{
	if (nl->sock)
		mnl_socket_close(nl->sock);
	free(nl);
}

static int listen_failed(const struct nl *nl)
{
	int err = errno;

	return ctl_error(CTL_FAILED, nl->what, "events",
			 err == EPERM ? remedy(nl, -err) : "start it again",
			 "%s", strerror(err));
}

void nl_make_room(struct nl *nl)
{
	int fd = mnl_socket_get_fd(nl->sock), room = NL_EVENT_ROOM;

	/* Only root may exceed net.core.rmem_max; other users get what is allowed. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
}

int nl_listen(struct nl *nl, mnl_cb_t cb, void *data)
{
	uint32_t group = nl->events;
	ssize_t len;

	nl_make_room(nl);
	if (mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return listen_failed(nl);
	for (;;) {
		len = mnl_socket_recvfrom(nl->sock, nl->rx, sizeof(nl->rx));
		if (len < 0 && errno == ENOBUFS)
			ctl_error(CTL_FAILED, nl->what, "events",
				  "pvsvpnctl show tells the present state",
				  "some were lost, they came too fast");
		else if (len < 0 && errno != EINTR)
			return listen_failed(nl);
		else if (len > 0 && mnl_cb_run(nl->rx, len, 0, 0, cb, data) < 0)
			return CTL_FAILED;
	}
}
