// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/pvsvpn.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink-gen.h"

#include <uapi/linux/pvsvpn.h>

/* Common nested types */
const struct nla_policy pvsvpn_subnet_nl_policy[PVSVPN_A_SUBNET_PREFIX_LENGTH + 1] = {
	[PVSVPN_A_SUBNET_ADDRESS] = { .type = NLA_BINARY, },
	[PVSVPN_A_SUBNET_PREFIX_LENGTH] = { .type = NLA_U8, },
};

const struct nla_policy pvsvpn_transform_nl_policy[PVSVPN_A_TRANSFORM_INTEGRITY + 1] = {
	[PVSVPN_A_TRANSFORM_ENCRYPTION] = { .type = NLA_U16, },
	[PVSVPN_A_TRANSFORM_KEY_LENGTH] = { .type = NLA_U16, },
	[PVSVPN_A_TRANSFORM_INTEGRITY] = { .type = NLA_U16, },
};

/* PVSVPN_CMD_DEVICE_GET - do */
const struct nla_policy pvsvpn_device_get_nl_policy[PVSVPN_A_DEVICE_COUNTERS + 1] = {
	[PVSVPN_A_DEVICE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[PVSVPN_A_DEVICE_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
	[PVSVPN_A_DEVICE_COUNTERS] = { .type = NLA_FLAG, },
};

/* PVSVPN_CMD_DEVICE_SET - do */
const struct nla_policy pvsvpn_device_set_nl_policy[PVSVPN_A_DEVICE_INNER_MARK + 1] = {
	[PVSVPN_A_DEVICE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[PVSVPN_A_DEVICE_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
	[PVSVPN_A_DEVICE_MTU] = { .type = NLA_U32, },
	[PVSVPN_A_DEVICE_FWMARK] = { .type = NLA_U32, },
	[PVSVPN_A_DEVICE_TTL] = { .type = NLA_U32, },
	[PVSVPN_A_DEVICE_DSCP] = { .type = NLA_U32, },
	[PVSVPN_A_DEVICE_ECN] = { .type = NLA_U32, },
	[PVSVPN_A_DEVICE_PRIORITY] = { .type = NLA_U32, },
	[PVSVPN_A_DEVICE_PMTUDISC] = { .type = NLA_U32, },
	[PVSVPN_A_DEVICE_FRAGMENT] = { .type = NLA_U32, },
	[PVSVPN_A_DEVICE_MSS_CLAMP] = { .type = NLA_U32, },
	[PVSVPN_A_DEVICE_IF_ID_IN] = { .type = NLA_U32, },
	[PVSVPN_A_DEVICE_IF_ID_OUT] = { .type = NLA_U32, },
	[PVSVPN_A_DEVICE_INNER_MARK] = { .type = NLA_U32, },
};

/* PVSVPN_CMD_PEER_GET - do */
const struct nla_policy pvsvpn_peer_get_nl_policy[PVSVPN_A_PEER_COUNTERS + 1] = {
	[PVSVPN_A_PEER_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[PVSVPN_A_PEER_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
	[PVSVPN_A_PEER_NAME] = { .type = NLA_NUL_STRING, .len = PVSVPN_PEER_NAME_MAX, },
	[PVSVPN_A_PEER_COUNTERS] = { .type = NLA_FLAG, },
};

/* PVSVPN_CMD_PEER_NEW - do */
const struct nla_policy pvsvpn_peer_new_nl_policy[PVSVPN_A_PEER_LOCAL_SUBNET + 1] = {
	[PVSVPN_A_PEER_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[PVSVPN_A_PEER_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
	[PVSVPN_A_PEER_NAME] = { .type = NLA_NUL_STRING, .len = PVSVPN_PEER_NAME_MAX, },
	[PVSVPN_A_PEER_LOCAL] = { .type = NLA_BINARY, },
	[PVSVPN_A_PEER_REMOTE] = { .type = NLA_BINARY, },
	[PVSVPN_A_PEER_LINK] = { .type = NLA_NUL_STRING, .len = 15, },
	[PVSVPN_A_PEER_ENCAP] = { .type = NLA_U8, },
	[PVSVPN_A_PEER_SPORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[PVSVPN_A_PEER_DPORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[PVSVPN_A_PEER_NAT_KEEPALIVE] = NLA_POLICY_MAX(NLA_U32, PVSVPN_NAT_KEEPALIVE_MAX),
	[PVSVPN_A_PEER_PIN] = NLA_POLICY_MAX(NLA_U8, 1),
	[PVSVPN_A_PEER_KEEPALIVE] = { .type = NLA_U32, },
	[PVSVPN_A_PEER_DEAD_AFTER] = { .type = NLA_U32, },
	[PVSVPN_A_PEER_TFC] = { .type = NLA_U32, },
	[PVSVPN_A_PEER_SUBNET] = NLA_POLICY_NESTED(pvsvpn_subnet_nl_policy),
	[PVSVPN_A_PEER_LOCAL_SUBNET] = NLA_POLICY_NESTED(pvsvpn_subnet_nl_policy),
	[PVSVPN_A_PEER_REPLAY_WINDOW] = { .type = NLA_U32, },
};

/* PVSVPN_CMD_PEER_SET - do */
const struct nla_policy pvsvpn_peer_set_nl_policy[PVSVPN_A_PEER_LOCAL_SUBNET + 1] = {
	[PVSVPN_A_PEER_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[PVSVPN_A_PEER_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
	[PVSVPN_A_PEER_NAME] = { .type = NLA_NUL_STRING, .len = PVSVPN_PEER_NAME_MAX, },
	[PVSVPN_A_PEER_LOCAL] = { .type = NLA_BINARY, },
	[PVSVPN_A_PEER_REMOTE] = { .type = NLA_BINARY, },
	[PVSVPN_A_PEER_LINK] = { .type = NLA_NUL_STRING, .len = 15, },
	[PVSVPN_A_PEER_ENCAP] = { .type = NLA_U8, },
	[PVSVPN_A_PEER_SPORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[PVSVPN_A_PEER_DPORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[PVSVPN_A_PEER_NAT_KEEPALIVE] = NLA_POLICY_MAX(NLA_U32, PVSVPN_NAT_KEEPALIVE_MAX),
	[PVSVPN_A_PEER_PIN] = NLA_POLICY_MAX(NLA_U8, 1),
	[PVSVPN_A_PEER_KEEPALIVE] = { .type = NLA_U32, },
	[PVSVPN_A_PEER_DEAD_AFTER] = { .type = NLA_U32, },
	[PVSVPN_A_PEER_TFC] = { .type = NLA_U32, },
	[PVSVPN_A_PEER_SUBNET] = NLA_POLICY_NESTED(pvsvpn_subnet_nl_policy),
	[PVSVPN_A_PEER_LOCAL_SUBNET] = NLA_POLICY_NESTED(pvsvpn_subnet_nl_policy),
	[PVSVPN_A_PEER_REPLAY_WINDOW] = { .type = NLA_U32, },
};

/* PVSVPN_CMD_PEER_DEL - do */
const struct nla_policy pvsvpn_peer_del_nl_policy[PVSVPN_A_PEER_NAME + 1] = {
	[PVSVPN_A_PEER_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[PVSVPN_A_PEER_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
	[PVSVPN_A_PEER_NAME] = { .type = NLA_NUL_STRING, .len = PVSVPN_PEER_NAME_MAX, },
};

/* PVSVPN_CMD_SA_GET - do */
const struct nla_policy pvsvpn_sa_get_nl_policy[PVSVPN_A_SA_COUNTERS + 1] = {
	[PVSVPN_A_SA_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[PVSVPN_A_SA_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
	[PVSVPN_A_SA_PEER] = { .type = NLA_NUL_STRING, .len = PVSVPN_PEER_NAME_MAX, },
	[PVSVPN_A_SA_DIR] = NLA_POLICY_MAX(NLA_U8, 1),
	[PVSVPN_A_SA_SPI] = { .type = NLA_U32, },
	[PVSVPN_A_SA_COUNTERS] = { .type = NLA_FLAG, },
};

/* PVSVPN_CMD_SA_NEW - do */
const struct nla_policy pvsvpn_sa_new_nl_policy[PVSVPN_A_SA_HARD_USE_SECONDS + 1] = {
	[PVSVPN_A_SA_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[PVSVPN_A_SA_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
	[PVSVPN_A_SA_PEER] = { .type = NLA_NUL_STRING, .len = PVSVPN_PEER_NAME_MAX, },
	[PVSVPN_A_SA_DIR] = NLA_POLICY_MAX(NLA_U8, 1),
	[PVSVPN_A_SA_SPI] = { .type = NLA_U32, },
	[PVSVPN_A_SA_TRANSFORM] = NLA_POLICY_NESTED(pvsvpn_transform_nl_policy),
	[PVSVPN_A_SA_LEGACY] = { .type = NLA_FLAG, },
	[PVSVPN_A_SA_KEY] = { .type = NLA_BINARY, },
	[PVSVPN_A_SA_REPLAY_WINDOW] = { .type = NLA_U32, },
	[PVSVPN_A_SA_ESN] = NLA_POLICY_MAX(NLA_U8, 1),
	[PVSVPN_A_SA_SEQ] = { .type = NLA_U64, },
	[PVSVPN_A_SA_SOFT_PACKETS] = { .type = NLA_U64, },
	[PVSVPN_A_SA_HARD_PACKETS] = { .type = NLA_U64, },
	[PVSVPN_A_SA_SOFT_BYTES] = { .type = NLA_U64, },
	[PVSVPN_A_SA_HARD_BYTES] = { .type = NLA_U64, },
	[PVSVPN_A_SA_SOFT_SECONDS] = { .type = NLA_U64, },
	[PVSVPN_A_SA_HARD_SECONDS] = { .type = NLA_U64, },
	[PVSVPN_A_SA_SOFT_USE_SECONDS] = { .type = NLA_U64, },
	[PVSVPN_A_SA_HARD_USE_SECONDS] = { .type = NLA_U64, },
};

/* PVSVPN_CMD_SA_DEL - do */
const struct nla_policy pvsvpn_sa_del_nl_policy[PVSVPN_A_SA_SPI + 1] = {
	[PVSVPN_A_SA_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[PVSVPN_A_SA_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
	[PVSVPN_A_SA_PEER] = { .type = NLA_NUL_STRING, .len = PVSVPN_PEER_NAME_MAX, },
	[PVSVPN_A_SA_DIR] = NLA_POLICY_MAX(NLA_U8, 1),
	[PVSVPN_A_SA_SPI] = { .type = NLA_U32, },
};

/* Ops table for pvsvpn */
const struct genl_ops pvsvpn_nl_ops[9] = {
	{
		.cmd		= PVSVPN_CMD_DEVICE_GET,
		.doit		= pvsvpn_nl_device_get_doit,
		.dumpit		= pvsvpn_nl_device_get_dumpit,
		.policy		= pvsvpn_device_get_nl_policy,
		.maxattr	= PVSVPN_A_DEVICE_COUNTERS,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= PVSVPN_CMD_DEVICE_SET,
		.doit		= pvsvpn_nl_device_set_doit,
		.policy		= pvsvpn_device_set_nl_policy,
		.maxattr	= PVSVPN_A_DEVICE_INNER_MARK,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= PVSVPN_CMD_PEER_GET,
		.doit		= pvsvpn_nl_peer_get_doit,
		.dumpit		= pvsvpn_nl_peer_get_dumpit,
		.policy		= pvsvpn_peer_get_nl_policy,
		.maxattr	= PVSVPN_A_PEER_COUNTERS,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= PVSVPN_CMD_PEER_NEW,
		.doit		= pvsvpn_nl_peer_new_doit,
		.policy		= pvsvpn_peer_new_nl_policy,
		.maxattr	= PVSVPN_A_PEER_LOCAL_SUBNET,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= PVSVPN_CMD_PEER_SET,
		.doit		= pvsvpn_nl_peer_set_doit,
		.policy		= pvsvpn_peer_set_nl_policy,
		.maxattr	= PVSVPN_A_PEER_LOCAL_SUBNET,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= PVSVPN_CMD_PEER_DEL,
		.doit		= pvsvpn_nl_peer_del_doit,
		.policy		= pvsvpn_peer_del_nl_policy,
		.maxattr	= PVSVPN_A_PEER_NAME,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= PVSVPN_CMD_SA_GET,
		.doit		= pvsvpn_nl_sa_get_doit,
		.dumpit		= pvsvpn_nl_sa_get_dumpit,
		.policy		= pvsvpn_sa_get_nl_policy,
		.maxattr	= PVSVPN_A_SA_COUNTERS,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= PVSVPN_CMD_SA_NEW,
		.doit		= pvsvpn_nl_sa_new_doit,
		.policy		= pvsvpn_sa_new_nl_policy,
		.maxattr	= PVSVPN_A_SA_HARD_USE_SECONDS,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= PVSVPN_CMD_SA_DEL,
		.doit		= pvsvpn_nl_sa_del_doit,
		.policy		= pvsvpn_sa_del_nl_policy,
		.maxattr	= PVSVPN_A_SA_SPI,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
};

static const struct genl_multicast_group pvsvpn_nl_mcgrps[] = {
	[PVSVPN_NLGRP_EVENTS] = { "events", },
};
