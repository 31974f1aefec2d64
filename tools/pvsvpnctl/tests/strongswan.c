// SPDX-License-Identifier: GPL-2.0
/* What is read out of strongSwan's words. */
#include <string.h>

#include "connection/strongswan.h"
#include "tests/tap.h"

/* Two child SAs, as in the middle of a rekey */
static const char rekeying[] = "list-sa event {site-b {uniqueid=3 version=2 state=ESTABLISHED local-host=192.0.2.1 local-port=4500 local-id=near remote-host=192.0.2.2 remote-port=4501 remote-id=far initiator=yes nat-remote=yes nat-any=yes encr-alg=AES_CBC encr-keysize=256 established=12 rekey-time=25000 tasks-active=[IKE_DPD] child-sas {site-b-1 {name=site-b uniqueid=1 state=REKEYED mode=TUNNEL spi-in=00000001 bytes-in=7 life-time=5} site-b-2 {name=site-b uniqueid=2 reqid=1 state=INSTALLED mode=TUNNEL protocol=ESP encap=yes spi-in=c0000001 spi-out=ffffffff bytes-in=84 packets-in=1 bytes-out=168 packets-out=2 rekey-time=3000 life-time=3600 install-time=2 local-ts=[10.1.0.0/24 10.3.0.0/24] remote-ts=[10.2.0.0/24]}}}}\nlist-sas reply {}\n";

static void test_established(void)
{
	struct negotiated n;

	strongswan_parse(rekeying, &n);
	ok(!strcmp(n.ike_state, "ESTABLISHED"), "state of the IKE SA");
	ok(n.ike_version == 2 && n.ike_age == 12 && n.ike_rekey == 25000, "its ages");
	ok(!strcmp(n.remote, "192.0.2.2") && n.remote_port == 4501 && n.nat, "where the peer is");
	ok(n.probing, "dead peer detection asks");
	ok(!strcmp(n.child_state, "INSTALLED") && n.spi_in == 0xc0000001 &&
	   n.spi_out == 0xffffffff, "of two child SAs the one in use");
	ok(n.bytes_in == 84 && n.bytes_out == 168 && n.packets_in == 1 && n.packets_out == 2,
	   "its counters");
	ok(n.child_age == 2 && n.child_rekey == 3000 && n.child_left == 3600, "its ages");
}

static void test_others(void)
{
	static const char * const texts[] = {
		"", "list-sas reply {}", "}}}}{{{{", "a=[b", "list-sa event {x {state=",
		"connecting to 'unix:///var/run/charon.vici' failed: No such file or directory",
	};
	struct negotiated n;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		strongswan_parse(texts[i], &n);
		ok(!*n.ike_state && !*n.child_state, texts[i]);
	}
	strongswan_parse("list-sa event {x {version=1 state=CONNECTING child-sas {}}}", &n);
	ok(!strcmp(n.ike_state, "CONNECTING") && !*n.child_state, "not there yet");
}

static void test_reasons(void)
{
	static const struct {
		const char *line;
		bool established;
		bool v1;
		enum reason reason;
	} tests[] = {
		{ "[IKE] received NO_PROPOSAL_CHOSEN notify error", false, false,
		  REASON_IKE_POLICY_MISMATCH },
		{ "[IKE] received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built", true, false,
		  REASON_IPSEC_POLICY_MISMATCH },
		{ "[IKE] received AUTHENTICATION_FAILED notify error", false, false,
		  REASON_CANNOT_AUTHENTICATE },
		{ "[IKE] received TS_UNACCEPTABLE notify, no CHILD_SA built", true, false,
		  REASON_IKE_V2_CIDR_MISMATCH },
		{ "[IKE] received INVALID_ID_INFORMATION error notify", true, true,
		  REASON_IKE_V1_CIDR_MISMATCH },
		{ "[IKE] giving up after 5 retransmits", false, false,
		  REASON_PEER_NOT_RESPONDING },
		{ "[IKE] initiating IKE_SA site-b[1] to 192.0.2.2", false, false, REASON_NONE },
	};

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		ok(strongswan_reason(tests[i].line, tests[i].established, tests[i].v1) ==
		   tests[i].reason, tests[i].line);
}

int main(void)
{
	test_established();
	test_others();
	test_reasons();
	return tap_end();
}
