/* SPDX-License-Identifier: GPL-2.0 */
/* Generic netlink: find the family, ask, dump, listen. */
#ifndef PVSVPNCTL_NL_H
#define PVSVPNCTL_NL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <libmnl/libmnl.h>

#include <linux/pvsvpn.h>

#include "parse.h"

/* Twice the kernel's size of a dump message; both lists of subnets fit, too. */
#define NL_BUFFER 131072

/**
 * struct nl - a socket to the pvsvpn family and its last answer
 * @sock: the socket
 * @what: the command, for error lines
 * @seq: sequence number of the last request
 * @head: bytes of the header after the netlink header
 * @family: number of the family
 * @events: number of the multicast group of events
 * @interrupted: the dump changed while it was read
 * @denied: the last request was refused for lack of permission
 * @bad: attribute of the request that the kernel rejects, 0 if none
 * @why: the kernel's reason for its refusal, "" if none
 * @tx: the request
 * @rx: the answer
 */
struct nl {
	struct mnl_socket *sock;
	const char *what;
	uint32_t seq;
	size_t head;
	uint16_t family;
	uint32_t events;
	bool interrupted;
	bool denied;
	uint16_t bad;
	char why[256];
	char tx[NL_BUFFER];
	char rx[NL_BUFFER];
};

/**
 * nl_open() - open a socket and find the pvsvpn family
 * @what: the command, for error lines
 *
 * Return: the socket, or NULL after saying why.
 */
struct nl *nl_open(const char *what);

/* The same for links, addresses and routes (rtnetlink). */
struct nl *nl_open_route(const char *what);
void nl_close(struct nl *nl);

/**
 * nl_msg() - begin a request in @nl->tx
 * @nl: the socket
 * @cmd: enum pvsvpn_cmd
 * @flags: NLM_F_DUMP, or NLM_F_ACK
 */
void nl_msg(struct nl *nl, uint8_t cmd, uint16_t flags);

/**
 * nl_route_msg() - begin a request of rtnetlink in @nl->tx
 * @nl: the socket
 * @type: RTM_...
 * @flags: NLM_F_...
 * @head: bytes of the header of that type
 *
 * Return: the header, all zero, to be filled in.
 */
void *nl_route_msg(struct nl *nl, uint16_t type, uint16_t flags, size_t head);

/* Keeps requests out of the swap (memory_lock()). Call it before a request holds a key. */
void nl_lock(struct nl *nl);

/*
 * Add attributes to a request. An attribute that does not fit is left out, and nl_call() then
 * refuses the request.
 */
void nl_put(struct nl *nl, uint16_t type, size_t len, const void *data);
void nl_put_u8(struct nl *nl, uint16_t type, uint8_t value);
void nl_put_u16(struct nl *nl, uint16_t type, uint16_t value);
void nl_put_u32(struct nl *nl, uint16_t type, uint32_t value);
void nl_put_text(struct nl *nl, uint16_t type, const char *value);
void nl_put_addr(struct nl *nl, uint16_t type, const struct addr *addr);
/* The numbers among the @params of a command that were given, @seen, from its @values. */
void nl_put_params(struct nl *nl, const struct params *params, const void *values, uint32_t seen);
struct nlattr *nl_nest(struct nl *nl, uint16_t type);
void nl_nest_end(struct nl *nl, struct nlattr *nest);

/**
 * struct nl_field - how an attribute is read, and where in an object it goes
 * @get: reads the attribute to @value, of @size bytes
 * @offset: of the value in the object
 * @size: bytes of the value
 */
struct nl_field {
	void (*get)(const struct nlattr *attr, void *value, size_t size);
	size_t offset;
	size_t size;
};

#define FIELD(_get, _type, _member) \
	{ _get, offsetof(_type, _member), sizeof(((_type *)0)->_member) }

void nl_get_bool(const struct nlattr *attr, void *value, size_t size);
/* Reads integers. Ignores one of another size, which a newer kernel may send. */
void nl_get_int(const struct nlattr *attr, void *value, size_t size);
void nl_get_text(const struct nlattr *attr, void *value, size_t size);
void nl_get_addr(const struct nlattr *attr, void *value, size_t size);

/* Read attributes, of a message of the family or in a nest; @fields by their type. */
void nl_read(const struct nlmsghdr *nlh, const struct nl_field *fields, size_t count, void *object);
void nl_read_nest(const struct nlattr *nest, const struct nl_field *fields, size_t count,
		  void *object);

/**
 * nl_call() - send the request and read the answer to its end
 * @nl: the socket
 * @cb: called for each message of the answer, may be NULL
 * @data: for @cb
 *
 * Wipes the request, as it may hold a key.
 *
 * Return: 0, or a negative errno; @nl->why and @nl->bad say more.
 */
int nl_call(struct nl *nl, mnl_cb_t cb, void *data);

/**
 * nl_failed() - print why a call was refused
 * @nl: the socket, after nl_call()
 * @err: what nl_call() returned
 * @where: the object
 * @params: the keywords of the command, which name attributes of the request; may be NULL
 *
 * Return: CTL_FAILED.
 */
int nl_failed(const struct nl *nl, int err, const char *where, const struct params *params);

/**
 * nl_finish() - send the request, say why it was refused if so, and close the socket
 * @nl: the socket
 * @where: the object
 * @params: the keywords of the command, as for nl_failed()
 *
 * Return: CTL_OK or CTL_FAILED.
 */
int nl_finish(struct nl *nl, const char *where, const struct params *params);

/* Makes room for many events, as the kernel drops events that do not fit. */
void nl_make_room(struct nl *nl);

/**
 * nl_listen() - pass on every event until something fails
 * @nl: the socket
 * @cb: called for each event; returns MNL_CB_ERROR to stop
 * @data: for @cb
 *
 * Return: CTL_FAILED after saying why.
 */
int nl_listen(struct nl *nl, mnl_cb_t cb, void *data);

#endif /* PVSVPNCTL_NL_H */
