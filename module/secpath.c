// SPDX-License-Identifier: GPL-2.0
/*
 * A hub sends the packet of one spoke to another through the device that it came from. On a wire,
 * the kernel would tell the sender to ask its neighbour itself (ICMP redirect), but spokes are no
 * neighbours. The setting send_redirects is the operator's, and IPv6 has none. The kernel tells
 * nothing to the sender of a packet that has a secpath, as those of stock IPsec have it.
 *
 * A secpath must not be empty: XFRM reads its last state. So each namespace has a state for that,
 * which no table has and which is in transport mode: XFRM lets such a packet pass without a policy,
 * and no template fits it. A state points to its namespace, so it has to be that of the packet.
 */
#include <linux/skbuff.h>
#include <net/netns/generic.h>
#include <net/xfrm.h>

#include "secpath.h"

/**
 * struct secpath_net - of a namespace
 * @x: the state that packets get; each of them holds a reference of its own
 */
struct secpath_net {
	struct xfrm_state *x;
};

static unsigned int secpath_net_id __read_mostly;

/**
 * pvsvpn_secpath_set() - let nobody redirect the sender of a packet
 * @skb: inner packet, without secpath, its device set; without memory, it stays so
 *
 * Context: any, as long as the device is there.
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
	/* So it may end at any time. */
	in->x->km.state = XFRM_STATE_DEAD;
	return 0;
}

/* No device is left. Packets that wait somewhere end before their namespace does. */
static void __net_exit secpath_net_exit(struct net *net)
{
	struct secpath_net *in = net_generic(net, secpath_net_id);

	xfrm_state_put(in->x);
}

static struct pernet_operations secpath_net_ops = {
	.init = secpath_net_init,
	.exit = secpath_net_exit,
	.id = &secpath_net_id,
	.size = sizeof(struct secpath_net),
};

/**
 * pvsvpn_secpath_init() - set up what pvsvpn_secpath_set() takes, before there is a device
 *
 * Return: 0 or a negative errno.
 */
int __init pvsvpn_secpath_init(void)
{
	return register_pernet_subsys(&secpath_net_ops);
}

/**
 * pvsvpn_secpath_exit() - no device is left; packets may still have the states
 */
void pvsvpn_secpath_exit(void)
{
	unregister_pernet_subsys(&secpath_net_ops);
}
