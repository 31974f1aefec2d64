// SPDX-License-Identifier: GPL-2.0
/*
 * Limits on the peers and SAs of a namespace, including adopted ones.
 * The owner of a user namespace can create any number of objects in it. Most of their
 * memory is charged to that user, but not memory that the crypto API allocates, or that a
 * worker allocates for XFRM's states. The limits bound all of it.
 */
#include <linux/capability.h>
#include <linux/rtnetlink.h>
#include <linux/sysctl.h>
#include <linux/user_namespace.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "quota.h"

static const struct {
	const char *what;
	const char *sysctl;
	unsigned int usual;
	unsigned int in_user_ns;
} limits[PVSVPN_LIMITS] = {
	/* One SA for each direction, and the same again during a rekey */
	[PVSVPN_LIMIT_PEERS] = { "peers", "max_peers", 65536, 1024 },
	[PVSVPN_LIMIT_SAS] = { "SAs", "max_sas", 262144, 4096 },
};

/**
 * struct limits_net - per network namespace
 * @max: the limits; written by sysctl
 * @count: current numbers of objects; RTNL
 * @table: the sysctls, with an empty entry at the end
 * @header: their registration, NULL without CONFIG_SYSCTL
 */
struct limits_net {
	unsigned int max[PVSVPN_LIMITS];
	unsigned int count[PVSVPN_LIMITS];
	struct ctl_table table[PVSVPN_LIMITS + 1];
	struct ctl_table_header *header;
};

static unsigned int limits_net_id __read_mostly;

/**
 * pvsvpn_quota_check() - check whether one more object is allowed
 * @net: namespace in which the device was created
 * @what: kind of object
 * @extack: receives the error message, or NULL
 *
 * Context: process, RTNL held.
 * Return: 0 or -ENOSPC.
 */
int pvsvpn_quota_check(struct net *net, enum pvsvpn_limit what, struct netlink_ext_ack *extack)
{
	struct limits_net *ln = net_generic(net, limits_net_id);
	unsigned int max = READ_ONCE(ln->max[what]);

	ASSERT_RTNL();
	if (ln->count[what] < max)
		return 0;
	NL_SET_ERR_MSG_FMT(extack,
			   "the limit is %u %s; raise sysctl net.pvsvpn.%s",
			   max, limits[what].what, limits[what].sysctl);
	return -ENOSPC;
}

/**
 * pvsvpn_quota_take() - count one more object, if the limit allows it
 * @net: namespace in which the device was created
 * @what: kind of object
 * @extack: receives the error message, or NULL
 *
 * Context: process, RTNL held.
 * Return: 0, to be undone with pvsvpn_quota_put(); or -ENOSPC.
 */
int pvsvpn_quota_take(struct net *net, enum pvsvpn_limit what, struct netlink_ext_ack *extack)
{
	struct limits_net *ln = net_generic(net, limits_net_id);
	int err = pvsvpn_quota_check(net, what, extack);

	if (!err)
		ln->count[what]++;
	return err;
}

/**
 * pvsvpn_quota_put() - count one object less
 * @net: namespace in which its device was created
 * @what: kind of object
 *
 * Context: process, RTNL held.
 */
void pvsvpn_quota_put(struct net *net, enum pvsvpn_limit what)
{
	struct limits_net *ln = net_generic(net, limits_net_id);

	ASSERT_RTNL();
	ln->count[what]--;
}

/* The owner of a user namespace must not raise its limits: only the host may write them. */
static int limits_sysctl(pvsvpn_compat_ctl_table *table, int write,
			 void *buffer, size_t *len, loff_t *pos)
{
	if (write && !capable(CAP_NET_ADMIN))
		return -EPERM;
	return proc_douintvec(table, write, buffer, len, pos);
}

static int __net_init limits_net_init(struct net *net)
{
	struct limits_net *ln = net_generic(net, limits_net_id);
	bool in_user_ns = net->user_ns != &init_user_ns;
	unsigned int i;

	for (i = 0; i < PVSVPN_LIMITS; i++) {
		ln->max[i] = in_user_ns ? limits[i].in_user_ns :
					  limits[i].usual;
		ln->table[i] = (struct ctl_table){
			.procname = limits[i].sysctl,
			.data = &ln->max[i],
			.maxlen = sizeof(ln->max[i]),
			.mode = 0644,
			.proc_handler = limits_sysctl,
		};
	}
	ln->header = register_net_sysctl_sz(net, "net/pvsvpn", ln->table, PVSVPN_LIMITS);
	return ln->header || !IS_ENABLED(CONFIG_SYSCTL) ? 0 : -ENOMEM;
}

static void __net_exit limits_net_exit(struct net *net)
{
	struct limits_net *ln = net_generic(net, limits_net_id);
	unsigned int i;

	if (ln->header)
		unregister_net_sysctl_table(ln->header);
	for (i = 0; i < PVSVPN_LIMITS; i++)
		WARN_ON_ONCE(ln->count[i]);
}

struct pernet_operations pvsvpn_quota_net_ops = {
	.init = limits_net_init,
	.exit = limits_net_exit,
	.id = &limits_net_id,
	.size = sizeof(struct limits_net),
};
