// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "print.h"
#include "problem.h"

static const char * const names[PROBLEM_MAX] = {
	[PROBLEM_DEVICE_DOWN] = "device-down",
	[PROBLEM_NO_OUTBOUND_SA] = "no-outbound-sa",
	[PROBLEM_OUTBOUND_SA_EXPIRED] = "outbound-sa-expired",
	[PROBLEM_NO_LINK] = "no-link",
	[PROBLEM_NO_ROUTE] = "no-route",
	[PROBLEM_ROUTE_LOOP] = "route-loop",
	[PROBLEM_NO_INBOUND_SA] = "no-inbound-sa",
	[PROBLEM_INBOUND_SA_EXPIRED] = "inbound-sa-expired",
	[PROBLEM_DEAD] = "dead-peer",
	[PROBLEM_NOTHING_RECEIVED] = "nothing-received",
};

const char *problem_name(enum problem problem)
{
	return names[problem];
}

/* The newest SA of a direction, which is the last; NULL if there is none. */
static const struct sa *newest_sa(const struct peer *peer, uint8_t dir)
{
	for (size_t i = peer->sa_count; i-- > 0;)
		if (peer->sas[i].dir == dir)
			return &peer->sas[i];
	return NULL;
}

static bool has_usable_sa(const struct peer *peer, uint8_t dir)
{
	for (size_t i = 0; i < peer->sa_count; i++)
		if (peer->sas[i].dir == dir && !peer->sas[i].expired)
			return true;
	return false;
}

static bool has_only_expired_sas(const struct peer *peer, uint8_t dir)
{
	return newest_sa(peer, dir) && !has_usable_sa(peer, dir);
}

bool peer_has_problem(const struct device *dev, const struct peer *peer,
		      enum problem problem)
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

static void expired_text(char *text, const struct sa *sa)
{
	char reason[sizeof(sa->expired_reason)];

	strcpy(reason, sa->expired_reason);
	snprintf(text, PROBLEM_TEXT_MAX,
		 "%sbound SA 0x%08x expired (%s; pvsvpnctl sa add)",
		 dir_name(sa->dir), sa->spi, clean_text(reason));
}

/* The name comes from the kernel and may hold any characters. */
static const char *link_name(char *name, const struct peer *peer)
{
	strcpy(name, peer->link);
	return clean_text(name);
}

/* Adds the words that make "ip route get" do the kernel's lookup. */
static void no_route_text(char *text, const struct device *dev,
			  const struct peer *peer)
{
	char remote[FORMAT_MAX], from[FORMAT_MAX + 8] = "", mark[24] = "";
	char local[FORMAT_MAX], name[sizeof(peer->link)], oif[sizeof(name) + 8] = "";

	if (peer->local.len)
		snprintf(from, sizeof(from), " from %s",
			 format_addr(local, &peer->local));
	if (dev->setting[SETTING_FWMARK])
		snprintf(mark, sizeof(mark), " mark 0x%x",
			 dev->setting[SETTING_FWMARK]);
	if (*peer->link)
		snprintf(oif, sizeof(oif), " oif %s", link_name(name, peer));
	snprintf(text, PROBLEM_TEXT_MAX,
		 "no route to remote (ip route get %s%s%s%s)",
		 format_addr(remote, &peer->remote), from, oif, mark);
}

const char *problem_text(char *text, const struct device *dev,
			 const struct peer *peer, enum problem problem)
{
	const struct sa *out = newest_sa(peer, PVSVPN_DIRECTION_OUT);
	const struct sa *in = newest_sa(peer, PVSVPN_DIRECTION_IN);
	char addr[FORMAT_MAX], name[sizeof(peer->link)];

	*text = '\0';
	switch (problem) {
	case PROBLEM_DEVICE_DOWN:
		snprintf(text, PROBLEM_TEXT_MAX,
			 "device is down (ip link set %s up)", dev->ifname);
		break;
	case PROBLEM_NO_OUTBOUND_SA:
		strcpy(text, "no outbound SA (pvsvpnctl sa add ... dir out)");
		break;
	case PROBLEM_OUTBOUND_SA_EXPIRED:
		if (out)
			expired_text(text, out);
		break;
	case PROBLEM_NO_LINK:
		snprintf(text, PROBLEM_TEXT_MAX,
			 "interface %s is not there (ip link; peer set ... dev)",
			 link_name(name, peer));
		break;
	case PROBLEM_NO_ROUTE:
		no_route_text(text, dev, peer);
		break;
	case PROBLEM_ROUTE_LOOP:
		snprintf(text, PROBLEM_TEXT_MAX,
			 "route to remote leads back into %s (ip route add %s ...)",
			 dev->ifname, format_addr(addr, &peer->remote));
		break;
	case PROBLEM_NO_INBOUND_SA:
		strcpy(text, "no inbound SA (pvsvpnctl sa add ... dir in)");
		break;
	case PROBLEM_INBOUND_SA_EXPIRED:
		if (in)
			expired_text(text, in);
		break;
	case PROBLEM_DEAD:
		snprintf(text, PROBLEM_TEXT_MAX, "dead for %s (see pvsvpnctl show at the other end)",
			 format_age(addr, peer->dead_ms));
		break;
	case PROBLEM_NOTHING_RECEIVED:
		strcpy(text, "nothing received yet");
		break;
	case PROBLEM_MAX:
		break;
	}
	return text;
}
