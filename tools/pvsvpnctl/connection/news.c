// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "connection/news.h"
#include "error.h"
#include "parse.h"

#define ALERT "alert"

/* The daemon's name for an attempt whose connection it does not know yet */
#define NAMELESS "(unnamed)"

static const char * const events[] = {
	"ike-updown", "child-updown", "ike-rekey", "child-rekey",
};

/* How many events are read at once */
#define EVENTS_MAX 1000

/* Alerts that say why there is no SA */
static const struct {
	const char *type;
	enum reason reason;
} alerts[] = {
	{ "peer-addr-failed", REASON_NAME_NOT_RESOLVED },
	{ "peer-init-unreachable", REASON_PEER_NOT_RESPONDING },
	{ "retransmit-send-timeout", REASON_PEER_NOT_RESPONDING },
	{ "proposal-mismatch-ike", REASON_IKE_POLICY_MISMATCH },
	{ "peer-auth-failed", REASON_CANNOT_AUTHENTICATE },
	{ "local-auth-failed", REASON_CANNOT_AUTHENTICATE },
	{ "proposal-mismatch-child", REASON_IPSEC_POLICY_MISMATCH },
	{ "ts-mismatch", REASON_IKE_V2_CIDR_MISMATCH },
};

struct vici *news_listen(void)
{
	struct vici *vici = vici_open_quietly("up");

	ctl_error_mute(true);
	for (size_t i = 0; vici && i < sizeof(events) / sizeof(events[0]); i++)
		vici_listen(vici, events[i], true);
	ctl_error_mute(false);
	if (vici && vici_broken(vici)) {
		vici_close(vici);
		return NULL;
	}
	return vici;
}

bool news_listen_alerts(struct vici *vici, bool on)
{
	int ret;

	ctl_error_mute(true);
	ret = vici_listen(vici, ALERT, on);
	ctl_error_mute(false);
	return ret != CTL_FAILED;
}

static enum reason alert_reason(const char *type, const struct connection *c)
{
	for (size_t i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++) {
		if (strcmp(type, alerts[i].type))
			continue;
		if (alerts[i].reason == REASON_IKE_V2_CIDR_MISMATCH && c->ike.version == 1)
			return REASON_IKE_V1_CIDR_MISMATCH;
		return alerts[i].reason;
	}
	return REASON_NONE;
}

static bool is_from_peer(const struct connection *c, const char *remote)
{
	struct addr addr;

	return !parse_addr(remote, &addr) &&
	       !memcmp(&addr, &c->peer_gateway.addr, sizeof(addr));
}

void news_take(const char *event, struct vici_reader *message, const struct connection *c,
	       struct news *news)
{
	/* An alert has the section of the IKE SA inside another one. */
	bool alert = !strcmp(event, ALERT), ours;
	char name[VICI_NAME_MAX + 1] = "", type[32] = "", remote[64] = "";
	struct vici_element e;

	while (vici_read(message, &e) > 0) {
		if (e.type == VICI_SECTION && e.depth == alert)
			strcpy(name, e.name);
		if (e.type == VICI_VALUE && !e.depth && !strcmp(e.name, "type"))
			vici_element_text(&e, type, sizeof(type));
		if (e.type == VICI_VALUE && e.depth == alert + 1u && !strcmp(e.name, "remote-host"))
			vici_element_text(&e, remote, sizeof(remote));
	}
	ours = !strcmp(name, c->name) ||
	       (alert && !strcmp(name, NAMELESS) && is_from_peer(c, remote));
	news->concerned |= ours;
	if (ours && alert && alert_reason(type, c))
		news->reason = alert_reason(type, c);
}

bool news_read(struct vici *vici, const struct connection *c, struct news *news)
{
	char event[VICI_NAME_MAX + 1];
	struct vici_reader message;
	int count;

	ctl_error_mute(true);
	for (count = 0; count < EVENTS_MAX && vici_event(vici, event, &message); count++)
		news_take(event, &message, c, news);
	ctl_error_mute(false);
	return count < EVENTS_MAX;
}
