// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "print.h"
#include "problem.h"

static const struct {
	const char *name;
	const char *text;	/* if it is the same for all peers */
} problems[PROBLEM_MAX] = {
	[PROBLEM_DEVICE_DOWN] = { .name = "device-down" },
	[PROBLEM_NO_OUTBOUND_SA] = { "no-outbound-sa",
				     "no outbound SA (pvsvpnctl sa add ... dir out)" },
	[PROBLEM_OUTBOUND_SA_EXPIRED] = { .name = "outbound-sa-expired" },
	[PROBLEM_NO_LINK] = { .name = "no-link" },
	[PROBLEM_NO_ROUTE] = { .name = "no-route" },
	[PROBLEM_ROUTE_LOOP] = { .name = "route-loop" },
	[PROBLEM_NO_INBOUND_SA] = { "no-inbound-sa",
				    "no inbound SA (pvsvpnctl sa add ... dir in)" },
	[PROBLEM_INBOUND_SA_EXPIRED] = { .name = "inbound-sa-expired" },
	[PROBLEM_DEAD] = { .name = "dead-peer" },
	[PROBLEM_NOTHING_RECEIVED] = { "nothing-received", "nothing received yet" },
};

const char *problem_name(enum problem problem)
{
	return problems[problem].name;
}

/* The newest SA of a direction, which is the last; NULL if there is none. */
static const struct sa *newest_sa(const struct peer *peer, uint8_t dir)
{
	for (size_t i = peer->sa_count; i-- > 0;)
		if (peer->sas[i].dir == dir)
			return &peer->sas[i];
	return NULL;
}

static bool has_only_expired_sas(const struct peer *peer, uint8_t dir)
{
	for (size_t i = 0; i < peer->sa_count; i++)
		if (peer->sas[i].dir == dir && !peer->sas[i].expired)
			return false;
	return newest_sa(peer, dir);
}

bool peer_has_problem(const struct device *dev, const struct peer *peer, enum problem problem)
{
	switch (problem) {
	case PROBLEM_DEVICE_DOWN:
		return !dev->up;
	case PROBLEM_NO_OUTBOUND_SA:
		return !newest_sa(peer, PVSVPN_DIRECTION_OUT);
	case PROBLEM_OUTBOUND_SA_EXPIRED:
		return has_only_expired_sas(peer, PVSVPN_DIRECTION_OUT);
	case PROBLEM_NO_LINK:
		return peer->route == PVSVPN_ROUTE_NO_LINK;
	case PROBLEM_NO_ROUTE:
		return peer->route == PVSVPN_ROUTE_NONE;
	case PROBLEM_ROUTE_LOOP:
		return peer->route == PVSVPN_ROUTE_LOOP;
	case PROBLEM_NO_INBOUND_SA:
		return !newest_sa(peer, PVSVPN_DIRECTION_IN);
	case PROBLEM_INBOUND_SA_EXPIRED:
		return has_only_expired_sas(peer, PVSVPN_DIRECTION_IN);
	case PROBLEM_DEAD:
		return peer->dead_ms != NEVER;
	case PROBLEM_NOTHING_RECEIVED:
		return peer->last_rx_ms == NEVER;
	case PROBLEM_MAX:
		break;
	}
	return false;
}

static void expired_text(char *text, const struct peer *peer, uint8_t dir)
{
	const struct sa *sa = newest_sa(peer, dir);
	char reason[sizeof(sa->expired_reason)];

	if (sa)
		snprintf(text, PROBLEM_TEXT_MAX, "%sbound SA 0x%08x expired (%s; pvsvpnctl sa add)",
			 dir_name(dir), sa->spi, clean_copy(reason, sa->expired_reason));
}

/* Adds the words that make "ip route get" do the kernel's lookup. */
static void no_route_text(char *text, const struct device *dev, const struct peer *peer)
{
	char remote[FORMAT_MAX], from[FORMAT_MAX + 8] = "", mark[24] = "";
	char local[FORMAT_MAX], name[sizeof(peer->link)], oif[sizeof(name) + 8] = "";

	if (peer->local.len)
		snprintf(from, sizeof(from), " from %s", format_addr(local, &peer->local));
	if (dev->setting[SETTING_FWMARK])
		snprintf(mark, sizeof(mark), " mark 0x%x", dev->setting[SETTING_FWMARK]);
	if (*peer->link)
		snprintf(oif, sizeof(oif), " oif %s", clean_copy(name, peer->link));
	snprintf(text, PROBLEM_TEXT_MAX,
		 "no route to remote (ip route get %s%s%s%s)",
		 format_addr(remote, &peer->remote), from, oif, mark);
}

const char *problem_text(char *text, const struct device *dev,
			 const struct peer *peer, enum problem problem)
{
	char addr[FORMAT_MAX], name[sizeof(peer->link)];

	strcpy(text, problems[problem].text ?: "");
	switch (problem) {
	case PROBLEM_DEVICE_DOWN:
		snprintf(text, PROBLEM_TEXT_MAX, "device is down (ip link set %s up)", dev->ifname);
		break;
	case PROBLEM_OUTBOUND_SA_EXPIRED:
		expired_text(text, peer, PVSVPN_DIRECTION_OUT);
		break;
	case PROBLEM_NO_LINK:
		snprintf(text, PROBLEM_TEXT_MAX,
			 "interface %s is not there (ip link; peer set ... dev)",
			 clean_copy(name, peer->link));
		break;
	case PROBLEM_NO_ROUTE:
		no_route_text(text, dev, peer);
		break;
	case PROBLEM_ROUTE_LOOP:
		snprintf(text, PROBLEM_TEXT_MAX,
			 "route to remote leads back into %s (ip route add %s ...)",
			 dev->ifname, format_addr(addr, &peer->remote));
		break;
	case PROBLEM_INBOUND_SA_EXPIRED:
		expired_text(text, peer, PVSVPN_DIRECTION_IN);
		break;
	case PROBLEM_DEAD:
		snprintf(text, PROBLEM_TEXT_MAX, "dead for %s (see pvsvpnctl show at the other end)",
			 format_age(addr, peer->dead_ms));
		break;
	case PROBLEM_NO_OUTBOUND_SA:
	case PROBLEM_NO_INBOUND_SA:
	case PROBLEM_NOTHING_RECEIVED:
	case PROBLEM_MAX:
		break;
	}
	return text;
}
