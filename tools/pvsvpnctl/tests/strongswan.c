// SPDX-License-Identifier: GPL-2.0
/* Tests the reader of strongSwan's answers, events and log. */
#include <string.h>

#include "connection/news.h"
#include "connection/strongswan.h"
#include "parse.h"
#include "tests/tap.h"

/* Pairs of a key and a value, NULL at the end */
static void add_values(struct vici_message *m, const char * const *pairs)
{
	for (; *pairs; pairs += 2)
		vici_value(m, pairs[0], "%s", pairs[1]);
}

static void add_list(struct vici_message *m, const char *key, const char *item)
{
	vici_list(m, key);
	vici_item(m, item);
	vici_list_end(m);
}

/* Reads one event. */
static void read_event(struct vici_message *m, struct negotiated *n)
{
	struct vici_reader reader;

	vici_reader_init(&reader, m->data, m->len);
	strongswan_read_sa(&reader, n);
	vici_message_free(m);
}

static const char * const ike[] = {
	"uniqueid", "3", "version", "2", "state", "ESTABLISHED", "local-host", "192.0.2.1",
	"remote-host", "192.0.2.2", "remote-port", "4501", "remote-id", "far} state=X",
	"nat-remote", "yes", "nat-any", "yes", "established", "12", "rekey-time", "25000", NULL
};
static const char * const old_child[] = {
	"name", "site-b", "state", "REKEYED", "spi-in", "00000001", "bytes-in", "7",
	"life-time", "5", NULL
};
static const char * const new_child[] = {
	"name", "site-b", "state", "INSTALLED", "spi-in", "c0000001", "spi-out", "ffffffff",
	"bytes-in", "84", "packets-in", "1", "bytes-out", "168", "packets-out", "2",
	"rekey-time", "3000", "life-time", "3600", "install-time", "2", NULL
};

/* Two child SAs, as in the middle of a rekey */
static void test_established(void)
{
	struct vici_message m = { 0 };
	struct negotiated n = { 0 };

	vici_section(&m, "site-b");
	add_values(&m, ike);
	add_list(&m, "tasks-active", "IKE_DPD");
	vici_section(&m, "child-sas");
	vici_section(&m, "site-b-2");
	add_values(&m, new_child);
	add_list(&m, "local-ts", "10.1.0.0/24");
	vici_section_end(&m);
	vici_section(&m, "site-b-1");
	add_values(&m, old_child);
	vici_section_end(&m);
	vici_section_end(&m);
	vici_section_end(&m);
	read_event(&m, &n);
	ok(!strcmp(n.ike_state, "ESTABLISHED"), "state of the IKE SA");
	ok(n.ike_version == 2 && n.ike_age == 12 && n.ike_rekey == 25000, "its ages");
	ok(!strcmp(n.remote, "192.0.2.2") && n.remote_port == 4501, "where the peer is");
	ok(n.nat_there && !n.nat_here, "where a NAT is");
	ok(n.probing, "dead peer detection asks");
	ok(!strcmp(n.child_state, "INSTALLED") && n.spi_in == 0xc0000001 &&
	   n.spi_out == 0xffffffff, "of two child SAs the one in use");
	ok(n.bytes_in == 84 && n.bytes_out == 168 && n.packets_in == 1 && n.packets_out == 2,
	   "its counters");
	ok(n.child_age == 2 && n.child_rekey == 3000 && n.child_left == 3600, "its ages");
}

static void one_ike(struct negotiated *n, const char *state, const char *child)
{
	struct vici_message m = { 0 };

	vici_section(&m, "x");
	vici_value(&m, "state", "%s", state);
	vici_section(&m, "child-sas");
	if (child) {
		vici_section(&m, "x-1");
		vici_value(&m, "state", "%s", child);
		vici_section_end(&m);
	}
	vici_section_end(&m);
	vici_section_end(&m);
	read_event(&m, n);
}

/* Several IKE SAs, in any order */
static void test_several(void)
{
	struct negotiated n = { 0 };

	one_ike(&n, "CONNECTING", NULL);
	ok(!strcmp(n.ike_state, "CONNECTING") && !*n.child_state, "not there yet");
	one_ike(&n, "ESTABLISHED", "INSTALLED");
	ok(!strcmp(n.ike_state, "ESTABLISHED") && *n.child_state, "the second one is in use");
	one_ike(&n, "CONNECTING", NULL);
	ok(!strcmp(n.ike_state, "ESTABLISHED") && *n.child_state, "not the one that begins");
	one_ike(&n, "ESTABLISHED", NULL);
	ok(!strcmp(n.child_state, "INSTALLED"), "not the one without a child SA");
}

static void test_nothing(void)
{
	struct vici_message m = { 0 };
	struct negotiated n = { 0 };

	read_event(&m, &n);
	ok(!*n.ike_state && !*n.child_state, "an empty event");
	vici_section(&m, "x");
	vici_value(&m, "state", "ESTABLISHED");
	read_event(&m, &n);
	ok(!*n.child_state, "an event without an end");
}

/* An alert about a named or an unnamed attempt, from an address */
static struct news alert(const char *type, const char *name, const char *remote)
{
	struct connection c = { .name = "site-b", .ike.version = 2 };
	struct vici_message m = { 0 };
	struct news news = { 0 };
	struct vici_reader reader;

	parse_addr("192.0.2.2", &c.peer_gateway.addr);
	vici_value(&m, "type", "%s", type);
	vici_section(&m, "ike-sa");
	vici_section(&m, name);
	vici_value(&m, "remote-host", "%s", remote);
	vici_section_end(&m);
	vici_section_end(&m);
	vici_reader_init(&reader, m.data, m.len);
	news_take("alert", &reader, &c, &news);
	vici_message_free(&m);
	return news;
}

static void test_alerts(void)
{
	struct news news = alert("peer-auth-failed", "site-b", "192.0.2.2");

	ok(news.concerned && news.reason == REASON_CANNOT_AUTHENTICATE, "an alert of ours");
	news = alert("ts-mismatch", "site-b", "198.51.100.1");
	ok(news.reason == REASON_IKE_V2_CIDR_MISMATCH, "from wherever it comes");
	news = alert("proposal-mismatch-ike", "(unnamed)", "192.0.2.2");
	ok(news.concerned && news.reason == REASON_IKE_POLICY_MISMATCH, "of our peer's attempt");
	news = alert("proposal-mismatch-ike", "(unnamed)", "192.0.2.3");
	ok(!news.concerned && !news.reason, "of another peer's attempt");
	news = alert("proposal-mismatch-ike", "site-c", "192.0.2.2");
	ok(!news.concerned && !news.reason, "of another connection");
	news = alert("invalid-ike-spi", "site-b", "192.0.2.2");
	ok(news.concerned && !news.reason, "an alert that is no reason");
}

static void test_updown(void)
{
	const struct connection c = { .name = "site-b" }, other = { .name = "site-c" };
	struct vici_message m = { 0 };
	struct vici_reader reader;
	struct news news = { 0 };

	vici_value(&m, "up", "yes");
	vici_section(&m, "site-b");
	add_values(&m, ike);
	vici_section(&m, "child-sas");
	vici_section(&m, "site-c");
	add_values(&m, new_child);
	vici_section_end(&m);
	vici_section_end(&m);
	vici_section_end(&m);
	vici_reader_init(&reader, m.data, m.len);
	news_take("child-updown", &reader, &other, &news);
	ok(!news.concerned, "an event of another connection");
	vici_reader_init(&reader, m.data, m.len);
	news_take("child-updown", &reader, &c, &news);
	ok(news.concerned && !news.reason, "an event of ours");
	vici_message_free(&m);
}

static void test_reasons(void)
{
	static const struct {
		const char *line;
		bool established;
		bool v1;
		enum reason reason;
	} tests[] = {
		{ "received NO_PROPOSAL_CHOSEN notify error", false, false,
		  REASON_IKE_POLICY_MISMATCH },
		{ "received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built", true, false,
		  REASON_IPSEC_POLICY_MISMATCH },
		{ "received AUTHENTICATION_FAILED notify error", false, false,
		  REASON_CANNOT_AUTHENTICATE },
		{ "constraint check failed: peer not authenticated by CA 'CN=ca'", false, false,
		  REASON_CANNOT_AUTHENTICATE },
		{ "no trusted ECDSA public key found for 'far.example'", false, false,
		  REASON_CANNOT_AUTHENTICATE },
		{ "received TS_UNACCEPTABLE notify, no CHILD_SA built", true, false,
		  REASON_IKE_V2_CIDR_MISMATCH },
		{ "received INVALID_ID_INFORMATION error notify", true, true,
		  REASON_IKE_V1_CIDR_MISMATCH },
		{ "received INVALID_MAJOR_VERSION notify error", false, false,
		  REASON_IKE_VERSION },
		{ "giving up after 5 retransmits", false, false,
		  REASON_PEER_NOT_RESPONDING },
		{ "initiating IKE_SA site-b[1] to 192.0.2.2", false, false, REASON_NONE },
	};

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		ok(strongswan_reason(tests[i].line, tests[i].established, tests[i].v1) ==
		   tests[i].reason, tests[i].line);
}

int main(void)
{
	test_established();
	test_several();
	test_nothing();
	test_alerts();
	test_updown();
	test_reasons();
	return tap_end();
}
