// SPDX-License-Identifier: GPL-2.0
/*
 * A hub sends a packet from one spoke to another through the device it came from. On a wire, the
 * kernel would tell the sender to contact its neighbour directly (ICMP redirect), but spokes are
 * no neighbours. The setting send_redirects belongs to the operator, and IPv6 has none. The
 * kernel sends no redirect for a packet with a secpath; packets of stock IPsec have one too.
 *
 * A secpath must not be empty: XFRM reads its last state. Each namespace has a state for this
 * purpose. It is in no table and in transport mode: XFRM lets such a packet pass without a policy,
 * and no template fits it. A state points to its namespace, which must be that of the packet.
 */
#include <linux/skbuff.h>
#include <net/netns/generic.h>
#include <net/xfrm.h>

#include "secpath.h"

/**
 * struct secpath_net - per network namespace
 * @x: the state for the secpath of packets; each packet holds its own reference
 */
struct secpath_net {
	struct xfrm_state *x;
};

static unsigned int secpath_net_id __read_mostly;

/**
 * pvsvpn_secpath_set() - prevent redirects to the sender of a packet
 * @skb: inner packet, without secpath, its device set; unchanged if there is no memory
 *
 * Context: any, while the device exists.
 */
void pvsvpn_secpath_set(struct sk_buff *skb)
{
	struct secpath_net *in = net_generic(dev_net(skb->dev), secpath_net_id);
	struct sec_path *sp = secpath_set(skb);

	if (unlikely(!sp))
		return;
	xfrm_state_hold(in->x);
	sp->xvec[sp->len++] = in->x;
}

static int __net_init secpath_net_init(struct net *net)
{
	struct secpath_net *in = net_generic(net, secpath_net_id);

	in->x = xfrm_state_alloc(net);
	if (!in->x)
		return -ENOMEM;
	in->x->props.mode = XFRM_MODE_TRANSPORT;
	/* A dead state can be freed without being deleted first. */
	in->x->km.state = XFRM_STATE_DEAD;
	return 0;
}

/* No device is left. A namespace outlives the packets that are still queued in it. */
static void __net_exit secpath_net_exit(struct net *net)
{
	struct secpath_net *in = net_generic(net, secpath_net_id);

	xfrm_state_put(in->x);
}

struct pernet_operations pvsvpn_secpath_net_ops = {
	.init = secpath_net_init,
	.exit = secpath_net_exit,
	.id = &secpath_net_id,
	.size = sizeof(struct secpath_net),
};
