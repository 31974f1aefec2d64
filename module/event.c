// SPDX-License-Identifier: GPL-2.0
#include <linux/rtnetlink.h>

#include "device.h"
#include "event.h"
#include "netlink-gen.h"
#include "peer.h"
#include "sa.h"
#include "trace.h"

/* The family that events belong to, from pvsvpn_event_init(). */
static const struct genl_family *event_family __ro_after_init;

/* Attributes that belong to the namespace where the device was created. */
static int event_put_inside(struct sk_buff *msg, const struct pvsvpn_event *event)
{
	if (event->peer && nla_put_string(msg, PVSVPN_A_EVENT_PEER, event->peer->name))
		return -EMSGSIZE;
	if (event->remote &&
	    ((event->port &&
	      nla_put_u16(msg, PVSVPN_A_EVENT_PORT, ntohs(event->port))) ||
	     nla_put(msg, PVSVPN_A_EVENT_REMOTE,
		     event->family == AF_INET ? sizeof(struct in_addr) :
						sizeof(struct in6_addr),
		     event->remote)))
		return -EMSGSIZE;
	if (event->spi &&
	    (nla_put_u8(msg, PVSVPN_A_EVENT_DIR, event->dir) ||
	     nla_put_u32(msg, PVSVPN_A_EVENT_SPI, be32_to_cpu(event->spi))))
		return -EMSGSIZE;
	return 0;
}

static int event_put(struct sk_buff *msg, const struct pvsvpn_event *event, bool inside)
{
	const struct net_device *dev = event->pvs->dev;

	if (nla_put_u8(msg, PVSVPN_A_EVENT_TYPE, event->type) ||
	    nla_put_u32(msg, PVSVPN_A_EVENT_IFINDEX, dev->ifindex) ||
	    nla_put_string(msg, PVSVPN_A_EVENT_IFNAME, dev->name) ||
	    (inside && event_put_inside(msg, event)) ||
	    nla_put_string(msg, PVSVPN_A_EVENT_REASON, event->reason))
		return -EMSGSIZE;
	return 0;
}

static struct sk_buff *event_message(const struct pvsvpn_event *event, bool inside)
{
	struct sk_buff *msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!msg)
		return NULL;
	hdr = genlmsg_put(msg, 0, 0, event_family, 0, PVSVPN_CMD_EVENT);
	if (!hdr || event_put(msg, event, inside)) {
		nlmsg_free(msg);
		return NULL;
	}
	genlmsg_end(msg, hdr);
	return msg;
}

/*
 * A listener has CAP_NET_ADMIN in the namespace @net, where the device is now. This
 * capability is valid in descendant user namespaces too, but in no other.
 */
static bool listeners_may(const struct net *net, const struct net *birth)
{
	const struct user_namespace *user_ns = birth->user_ns;

	while (user_ns && user_ns != net->user_ns)
		user_ns = user_ns->parent;
	return user_ns;
}

/**
 * pvsvpn_event_send() - send an event to user space
 * @event: the event
 *
 * The event goes to the namespace where the device is now. If listeners there may
 * lack rights in the namespace where the device was created, the event omits the
 * attributes that belong to the latter. A listener that misses an event, also on
 * -ENOMEM, finds the state in a dump.
 *
 * Context: process, RTNL held.
 */
void pvsvpn_event_send(const struct pvsvpn_event *event)
{
	struct net *net = dev_net(event->pvs->dev);
	struct sk_buff *msg;

	ASSERT_RTNL();
	trace_pvsvpn_event(event);
	if (!genl_has_listeners(event_family, net, PVSVPN_NLGRP_EVENTS))
		return;
	msg = event_message(event, listeners_may(net, event->pvs->net));
	if (msg)
		genlmsg_multicast_netns(event_family, net, msg, 0, PVSVPN_NLGRP_EVENTS, GFP_KERNEL);
}

static struct pvsvpn_event event_of(const struct pvsvpn_peer *peer,
				    enum pvsvpn_event_type type,
				    const char *reason)
{
	const struct pvsvpn_endpoint *endpoint = pvsvpn_peer_endpoint(peer);

	return (struct pvsvpn_event){
		.type = type,
		.reason = reason,
		.pvs = peer->pvs,
		.peer = peer,
		.family = endpoint->family,
		.remote = &endpoint->remote,
		.port = endpoint->dport,
	};
}

/**
 * pvsvpn_event_peer() - send an event about a peer to user space
 * @peer: the peer, still with its endpoint
 * @type: type of the event
 * @reason: reason of the event, words joined by hyphens
 *
 * Context: process, RTNL held.
 */
void pvsvpn_event_peer(const struct pvsvpn_peer *peer,
		       enum pvsvpn_event_type type, const char *reason)
{
	struct pvsvpn_event event = event_of(peer, type, reason);

	pvsvpn_event_send(&event);
}

/**
 * pvsvpn_event_sa() - send an event about an SA to user space
 * @sa: the SA; its peer still has its endpoint
 * @type: type of the event
 * @reason: reason of the event, words joined by hyphens
 *
 * Context: process, RTNL held.
 */
void pvsvpn_event_sa(const struct pvsvpn_sa *sa, enum pvsvpn_event_type type, const char *reason)
{
	struct pvsvpn_event event = event_of(sa->peer, type, reason);

	event.dir = sa->dir;
	event.spi = sa->spi;
	pvsvpn_event_send(&event);
}

/**
 * pvsvpn_event_init() - name the netlink family of events
 * @family: the family; events are sent once it is registered
 *
 * Context: process, before the first event.
 */
void __init pvsvpn_event_init(const struct genl_family *family)
{
	event_family = family;
}
