/* SPDX-License-Identifier: GPL-2.0 */
/* State in the kernel: devices, their peers, and the SAs of the peers. */
#ifndef PVSVPNCTL_STATE_H
#define PVSVPNCTL_STATE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <libmnl/libmnl.h>

#include <linux/pvsvpn.h>
#include "drop.h"

#include "parse.h"
#include "setting.h"

struct nl;

/* A drop reason that this tool does not know yet. */
struct new_drop {
	char name[32];
	uint64_t value;
};

/* Drop counters of one object; @value by enum pvsvpn_drop. */
struct drops {
	uint64_t total;
	uint64_t value[PVSVPN_DROP_MAX];
	size_t next;		/* the expected reason, while reading */
	size_t new_count;
	struct new_drop *new;
};

/* How many drop reasons an object has, from the first of enum pvsvpn_drop */
enum drop_scope {
	DROP_SCOPE_SA = PVSVPN_DROP_SA_MAX,
	DROP_SCOPE_PEER = PVSVPN_DROP_PEER_MAX,
	DROP_SCOPE_DEVICE = PVSVPN_DROP_MAX,
};

struct drop_reason {
	const char *name;
	const char *text;
};

extern const struct drop_reason drop_reasons[PVSVPN_DROP_MAX];

#define NEVER UINT64_MAX

struct traffic {
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t tx_packets;
	uint64_t tx_bytes;
};

struct sa {
	uint32_t ifindex;
	char peer[PVSVPN_PEER_NAME_MAX + 1];
	size_t order;		/* as the kernel gave it: oldest first */
	uint8_t dir;
	uint32_t spi;
	uint16_t encryption;
	uint16_t attr_bits;
	uint16_t integrity;
	uint32_t replay_window;
	bool esn;
	uint64_t seq;
	struct limits {
		uint64_t packets;
		uint64_t bytes;
		uint64_t seconds;
		uint64_t use_seconds;
	} soft, hard;		/* 0 for none */
	uint8_t origin;		/* enum pvsvpn_origin */
	bool current;
	bool expired;
	char expired_reason[32];
	char driver[128];
	uint64_t age_ms;
	uint64_t use_age_ms;	/* or NEVER */
	uint64_t packets;
	uint64_t bytes;
	struct drops drops;
};

struct peer {
	uint32_t ifindex;
	char name[PVSVPN_PEER_NAME_MAX + 1];
	uint32_t id;
	struct addr local;
	struct addr remote;
	char link[IFNAMSIZ];
	uint8_t encap;
	uint16_t sport;
	uint16_t dport;
	uint32_t nat_keepalive;
	bool pin;
	uint32_t keepalive;
	uint32_t dead_after;
	uint32_t tfc;
	uint64_t dead_ms;	/* or NEVER */
	struct subnet_list subnets;
	struct subnet_list local_subnets;
	uint32_t replay_window;
	uint8_t origin;		/* enum pvsvpn_origin */
	bool up;
	uint32_t tx_spi;	/* 0 if none */
	uint32_t path_mtu;
	uint32_t inner_mtu;
	struct overhead {
		uint32_t ip;
		uint32_t udp;
		uint32_t esp;
		uint32_t icv;
		uint32_t trailer;
	} overhead;		/* ip is 0 if unknown */
	uint8_t route;		/* enum pvsvpn_route */
	uint64_t last_rx_ms;	/* or NEVER */
	struct traffic traffic;
	struct drops drops;
	struct sa *sas;		/* in state.sas */
	size_t sa_count;
};

struct device {
	uint32_t ifindex;
	char ifname[IFNAMSIZ];
	uint32_t mtu;
	bool mtu_auto;
	uint32_t setting[SETTINGS];
	bool up;
	bool carrier;
	bool hidden;		/* created where we lack permission: no peers, SAs, marks */
	struct traffic traffic;
	struct drops drops;
	struct peer *peers;	/* in state.peers */
	size_t peer_count;
};

struct state {
	struct device *devices;
	size_t device_count;
	struct peer *peers;
	size_t peer_count;
	struct sa *sas;
	size_t sa_count;
};

/**
 * state_load() - read the whole state from the kernel
 * @nl: the socket
 * @ifname: only this device, or NULL for all
 * @counters: read each drop reason, too
 * @state: to be freed with state_free()
 *
 * Return: CTL_OK, or CTL_FAILED after saying why.
 */
int state_load(struct nl *nl, const char *ifname, bool counters, struct state *state);
void state_free(struct state *state);

/* Callbacks that add the object of a message; @data is the struct state. */
int state_add_device(const struct nlmsghdr *nlh, void *data);
int state_add_peer(const struct nlmsghdr *nlh, void *data);
int state_add_sa(const struct nlmsghdr *nlh, void *data);

/*
 * Sorts all objects, and links peers to their device and SAs to their peer. The dumps are from
 * different moments: objects without an owner are left out.
 */
void state_link(struct state *state);

#endif /* PVSVPNCTL_STATE_H */
