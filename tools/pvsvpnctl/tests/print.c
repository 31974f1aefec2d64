// SPDX-License-Identifier: GPL-2.0
/*
 * Tests the output: units, ages, and whole listings of a state that is built from messages as the
 * kernel sends them.
 */
#include <json-c/json_tokener.h>
#include <stdlib.h>
#include <unistd.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#include "json.h"
#include "print.h"
#include "show.h"
#include "state.h"
#include "tap.h"

#define PEERS 1000

static void test_units(void)
{
	char text[FORMAT_MAX];

	is(format_bytes(text, 0), "0 B", "no bytes");
	is(format_bytes(text, 1023), "1023 B", "bytes");
	is(format_bytes(text, 1536), "1.50 KiB", "KiB");
	is(format_bytes(text, (1 << 20) - 1), "1.00 MiB", "rounds up a unit");
	is(format_bytes(text, UINT64_MAX), "16.00 EiB", "most bytes");
	is(format_age(text, 640), "0.6s", "parts of a second");
	is(format_age(text, 59999), "59.9s", "seconds");
	is(format_age(text, 192000), "3m 12s", "minutes");
	is(format_age(text, 7260000), "2h 1m", "hours");
	is(format_age(text, 90000000), "1d 1h", "days");
}

static void test_clean(void)
{
	char plain[] = "site-b \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80";
	char escape[] = "a\x1b[2J\x0a\x7f\xc2\x85z";
	char broken[] = "\xff \xc3 \xc0\x80 \xed\xa0\x80 \xe2\x82";

	is(clean_text(plain), "site-b \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "UTF-8 stays");
	is(clean_text(escape), "a?[2J????z", "control characters go");
	is(clean_text(broken), "? ? ?? ??? ??", "what is not UTF-8 goes");
}

static bool is_json(const char *text)
{
	enum json_tokener_error error;
	struct json_object *json = json_tokener_parse_verbose(text, &error);

	json_object_put(json);
	return error == json_tokener_success;
}

static char buffer[8192];

static struct nlmsghdr *message(void)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct genlmsghdr));
	return nlh;
}

static void put_drop(struct nlmsghdr *nlh, uint16_t type, const char *name, uint64_t value)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);

	mnl_attr_put_strz(nlh, PVSVPN_A_COUNTER_NAME, name);
	mnl_attr_put_u64(nlh, PVSVPN_A_COUNTER_VALUE, value);
	mnl_attr_nest_end(nlh, nest);
}

static void add_device(struct state *state)
{
	struct nlmsghdr *nlh = message();

	mnl_attr_put_u32(nlh, PVSVPN_A_DEVICE_IFINDEX, 3);
	mnl_attr_put_strz(nlh, PVSVPN_A_DEVICE_IFNAME, "pvs0");
	mnl_attr_put_u32(nlh, PVSVPN_A_DEVICE_MTU, 1438);
	mnl_attr_put_u8(nlh, PVSVPN_A_DEVICE_MTU_AUTO, 1);
	mnl_attr_put_u8(nlh, PVSVPN_A_DEVICE_UP, 1);
	mnl_attr_put_u8(nlh, PVSVPN_A_DEVICE_CARRIER, 1);
	mnl_attr_put_u64(nlh, PVSVPN_A_DEVICE_DROPS, 11);
	for (int i = PVSVPN_DROP_MAX - 1; i >= 0; i--)
		put_drop(nlh, PVSVPN_A_DEVICE_DROP, drop_reasons[i].name,
			 i == PVSVPN_DROP_RX_ICV ? 7 : 0);
	put_drop(nlh, PVSVPN_A_DEVICE_DROP, "rx_of_tomorrow", 4);
	state_add_device(nlh, state);
}

/* This peer has all settings on that others have off. */
#define DEAD 2

static void put_liveness(struct nlmsghdr *nlh)
{
	mnl_attr_put_u32(nlh, PVSVPN_A_PEER_KEEPALIVE, 10);
	mnl_attr_put_u32(nlh, PVSVPN_A_PEER_DEAD_AFTER, 30);
	mnl_attr_put_u32(nlh, PVSVPN_A_PEER_TFC, PVSVPN_TFC_MTU);
	mnl_attr_put_u64(nlh, PVSVPN_A_PEER_DEAD, 61000);
}

static void add_peer(struct state *state, uint32_t ifindex, int number)
{
	struct nlmsghdr *nlh = message();
	struct nlattr *nest;
	char name[16];

	snprintf(name, sizeof(name), "site%d", number);
	mnl_attr_put_u32(nlh, PVSVPN_A_PEER_IFINDEX, ifindex);
	mnl_attr_put_strz(nlh, PVSVPN_A_PEER_NAME, name);
	mnl_attr_put_u32(nlh, PVSVPN_A_PEER_ID, number);
	mnl_attr_put(nlh, PVSVPN_A_PEER_REMOTE, 4, "\xc0\0\2\1");
	nest = mnl_attr_nest_start(nlh, PVSVPN_A_PEER_SUBNET);
	mnl_attr_put(nlh, PVSVPN_A_SUBNET_ADDRESS, 4, "\x0a\1\0\0");
	mnl_attr_put_u8(nlh, PVSVPN_A_SUBNET_PREFIX_LENGTH, 16);
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_put_u8(nlh, PVSVPN_A_PEER_UP, number != DEAD);
	mnl_attr_put_u32(nlh, PVSVPN_A_PEER_TX_SPI, 0x1000 + number);
	if (number == DEAD)
		put_liveness(nlh);
	state_add_peer(nlh, state);
}

static void add_sa(struct state *state, int number, uint8_t dir)
{
	struct nlmsghdr *nlh = message();
	struct nlattr *nest;
	char name[16];

	snprintf(name, sizeof(name), "site%d", number);
	mnl_attr_put_u32(nlh, PVSVPN_A_SA_IFINDEX, 3);
	mnl_attr_put_strz(nlh, PVSVPN_A_SA_PEER, name);
	mnl_attr_put_u8(nlh, PVSVPN_A_SA_DIR, dir);
	mnl_attr_put_u32(nlh, PVSVPN_A_SA_SPI, 0x1000 + number);
	nest = mnl_attr_nest_start(nlh, PVSVPN_A_SA_TRANSFORM);
	mnl_attr_put_u16(nlh, PVSVPN_A_TRANSFORM_ENCRYPTION, 20);
	mnl_attr_put_u16(nlh, PVSVPN_A_TRANSFORM_KEY_LENGTH, 256);
	mnl_attr_put_u16(nlh, PVSVPN_A_TRANSFORM_INTEGRITY, 0);
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_put_u64(nlh, PVSVPN_A_SA_SEQ, 4294967295ULL);
	mnl_attr_put_strz(nlh, PVSVPN_A_SA_DRIVER, "rfc4106-gcm-aesni");
	put_drop(nlh, PVSVPN_A_SA_DROP, "rx_replayed", number);
	state_add_sa(nlh, state);
}

static void fill(struct state *state)
{
	memset(state, 0, sizeof(*state));
	add_device(state);
	add_peer(state, 4, 1);	/* its device came after the dump */
	/* Backwards, so that only sorting brings them into order */
	for (int i = PEERS; i > 0; i--) {
		add_peer(state, 3, i);
		add_sa(state, i, PVSVPN_DIRECTION_IN);
		add_sa(state, i, PVSVPN_DIRECTION_OUT);
	}
	add_sa(state, PEERS + 1, PVSVPN_DIRECTION_IN);	/* so did its peer */
	state_link(state);
}

static void test_state(const struct state *state)
{
	const struct device *dev = &state->devices[0];
	bool good = dev->peer_count == PEERS;

	ok(good, "the device has its peers, and no other's");
	for (int i = 0; good && i < PEERS; i++) {
		const struct peer *peer = &dev->peers[i];

		good = peer->id == (uint32_t)i + 1 && peer->sa_count == 2 &&
			peer->sas[0].dir == PVSVPN_DIRECTION_OUT &&
			peer->sas[1].spi == 0x1000 + peer->id &&
			peer->sas[1].drops.value[PVSVPN_DROP_RX_REPLAYED] ==
			peer->id;
	}
	ok(good, "peers in natural order, each with its SAs");
	ok(dev->drops.value[PVSVPN_DROP_RX_ICV] == 7 &&
	   dev->drops.total == 11, "drops by name, in whatever order");
	ok(dev->drops.new_count == 1 &&
	   !strcmp(dev->drops.new[0].name, "rx_of_tomorrow"),
	   "a reason that is not in the list is kept");
}

/* Return: what @print writes to stdout, to be freed */
static char *capture(void (*print)(const struct state *state, bool json),
		     const struct state *state, bool json)
{
	int saved = dup(STDOUT_FILENO);
	FILE *file = tmpfile();
	char *text;
	long size;

	fflush(stdout);
	dup2(fileno(file), STDOUT_FILENO);
	print(state, json);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	rewind(file);
	text = calloc(1, size + 1);
	if (fread(text, 1, size, file) != (size_t)size)
		text[0] = '\0';
	fclose(file);
	return text;
}

/* Passes text and JSON of a state to a test. */
static void capture_both(void (*print)(const struct state *state, bool json),
			 const struct state *state, void (*test)(char *text, char *json))
{
	char *text = capture(print, state, false), *json = capture(print, state, true);

	test(text, json);
	free(text);
	free(json);
}

/* Removes white space between tokens. No text here has a newline. */
static char *one_line(char *text)
{
	char *to = text;

	for (const char *from = text; *from;) {
		*to = *from++;
		if (*to == '\n')
			from += strspn(from, " ");
		else
			to++;
	}
	*to = '\0';
	return text;
}

static void print_object(const struct state *state, bool yes)
{
	struct json_object *json = json_new(), *list = json_list();

	(void)state;
	json_append(list, json_new());
	json_append_text(list, "/");
	json_add_text(json, "text", "a \"quote\" \\ and \x1b");
	json_add_uint(json, "most", UINT64_MAX);
	json_add_bool(json, "yes", yes);
	json_add_bool(json, "no", false);
	json_add(json, "none", NULL);
	json_add_text_or_null(json, "empty", "");
	json_add(json, "list", list);
	json_print_line(json);
}

static void test_json(void)
{
	char *text = capture(print_object, NULL, true);

	ok(is_json(text) && strchr(text, '\n') == text + strlen(text) - 1,
	   "object is JSON on one line");
	ok(strstr(text, "\"text\": \"a \\\"quote\\\" \\\\ and ?\""), "text is escaped");
	ok(strstr(text, "18446744073709551615"), "largest number is whole");
	ok(strstr(text, "\"/\"") && strstr(text, "\"empty\": null"), "slash, and no text");
	ok(!is_json("{\"a\": }") && !is_json("[1 2]") && !is_json("{\"a\":1"),
	   "the check itself sees what is no JSON");
	free(text);
}

static size_t count(const char *text, const char *word)
{
	size_t n = 0;

	while ((text = strstr(text, word))) {
		text += strlen(word);
		n++;
	}
	return n;
}

static void test_show(char *text, char *json)
{
	ok(strstr(text, "device: pvs0\n  mtu: 1438 (auto)  carrier: up\n"), "show: device");
	ok(strstr(text, "peer: site10\n  remote: 192.0.2.1  local: any  encap: none\n"
			"  subnets: 10.1.0.0/16\n"
			"  state: up, sending with spi 0x0000100a, nothing received yet\n"),
	   "show: peer");
	ok(strstr(text, "  keepalive: 10 s  dead after: 30 s  tfc: mtu\n"
			"  subnets: 10.1.0.0/16\n"
			"  state: down: dead for 1m 1s (see pvsvpnctl show at the other end), sending with spi 0x00001002, ") &&
	   count(text, "keepalive") == 1 && count(text, "dead for") == 1,
	   "show: dead peer");
	ok(count(json, "\"dead_ms\"") == PEERS &&
	   count(json, "61000") == 1, "show --json: dead peer");
	ok(count(text, "aes256gcm16 4294967295") == 2 * PEERS, "show: SAs");
	ok(is_json(json), "show --json is JSON");
	ok(count(json, "\"transform\"") == 2 * PEERS, "show --json: SAs");
	ok(strstr(json, "\"rx_icv\": 7") || strstr(json, "\"rx_icv\":7"),
	   "show --json: drops by name");
	ok(!strstr(json, "rx_dummy"), "show --json: none that is 0");
}

static void test_stats(char *text, char *json)
{
	ok(!strncmp(text, "pvs0 rx_packets 0\n", 18), "stats: device");
	ok(strstr(text, "\npvs0 rx_icv 7  integrity check failed"), "stats: reason with its text");
	ok(strstr(text, "\npvs0 peer site2 dir in spi 0x00001002 rx_replayed 2  "),
	   "stats: reason of an SA");
	ok(!strstr(text, " rx_dummy "), "stats: no reason that is 0");
	ok(is_json(json), "stats --json is JSON");
	/* One for the device, for each peer and for each SA. */
	ok(count(json, "\"rx_dummy\"") == 1 + PEERS + 2 * PEERS &&
	   count(json, "\"tx_no_sa\"") == 1 + PEERS &&
	   count(json, "\"tx_no_peer\"") == 1,
	   "stats --json: each reason in its scope");
}

static void test_empty(char *text, char *json)
{
	is(text, "", "show: nothing of nothing");
	ok(is_json(json) && strstr(one_line(json), "\"devices\": []"), "show --json: an empty list");
}

static void add_down_device(struct state *state)
{
	struct nlmsghdr *nlh = message();

	mnl_attr_put_u32(nlh, PVSVPN_A_DEVICE_IFINDEX, 7);
	mnl_attr_put_strz(nlh, PVSVPN_A_DEVICE_IFNAME, "a\"b\\c");
	mnl_attr_put_u8(nlh, PVSVPN_A_DEVICE_UP, 0);
	state_add_device(nlh, state);
}

static void add_peer_with(struct state *state, uint32_t ifindex,
			  const char *name, uint8_t route, bool path)
{
	static uint32_t id;
	struct nlmsghdr *nlh = message();
	struct nlattr *nest;

	mnl_attr_put_u32(nlh, PVSVPN_A_PEER_IFINDEX, ifindex);
	mnl_attr_put_strz(nlh, PVSVPN_A_PEER_NAME, name);
	mnl_attr_put_u32(nlh, PVSVPN_A_PEER_ID, ++id);
	mnl_attr_put(nlh, PVSVPN_A_PEER_REMOTE, 4, "\xc0\0\2\1");
	mnl_attr_put_u8(nlh, PVSVPN_A_PEER_ROUTE, route);
	mnl_attr_put_u32(nlh, PVSVPN_A_PEER_INNER_MTU, 1438);
	if (path) {
		mnl_attr_put_u64(nlh, PVSVPN_A_PEER_LAST_RX, 1250);
		mnl_attr_put_u32(nlh, PVSVPN_A_PEER_PATH_MTU, 1500);
		nest = mnl_attr_nest_start(nlh, PVSVPN_A_PEER_OVERHEAD);
		mnl_attr_put_u32(nlh, PVSVPN_A_OVERHEAD_IP, 20);
		mnl_attr_put_u32(nlh, PVSVPN_A_OVERHEAD_UDP, 8);
		mnl_attr_put_u32(nlh, PVSVPN_A_OVERHEAD_ESP, 16);
		mnl_attr_put_u32(nlh, PVSVPN_A_OVERHEAD_ICV, 16);
		mnl_attr_put_u32(nlh, PVSVPN_A_OVERHEAD_TRAILER, 2);
		mnl_attr_nest_end(nlh, nest);
	}
	state_add_peer(nlh, state);
}

/* As the kernel sends a peer that does not fit one message. */
/* A device may be called so, and a newer module may have any reason. */
static void test_names(void)
{
	struct state state = {};
	struct nlmsghdr *nlh = message();

	mnl_attr_put_strz(nlh, PVSVPN_A_DEVICE_IFNAME, "\x1b[31mred");
	put_drop(nlh, PVSVPN_A_DEVICE_DROP, "rx_\x1b[2J", 4);
	state_add_device(nlh, &state);
	state_link(&state);
	is(state.devices[0].ifname, "?[31mred", "name of a device");
	is(state.devices[0].drops.new[0].name, "rx_?[2J", "name of a new reason");
	state_free(&state);
}

static void test_peer_in_parts(void)
{
	struct state state = { .device_count = 0 };
	struct nlmsghdr *nlh;
	struct nlattr *nest;

	add_device(&state);
	add_peer(&state, 3, 1);
	for (int i = 0; i < 3; i++) {
		nlh = message();
		mnl_attr_put_u32(nlh, PVSVPN_A_PEER_IFINDEX, 3);
		mnl_attr_put_strz(nlh, PVSVPN_A_PEER_NAME, "site1");
		mnl_attr_put_u32(nlh, PVSVPN_A_PEER_ID, 1);
		nest = mnl_attr_nest_start(nlh, PVSVPN_A_PEER_SUBNET);
		mnl_attr_put(nlh, PVSVPN_A_SUBNET_ADDRESS, 4, "\x0a\2\0\0");
		mnl_attr_put_u8(nlh, PVSVPN_A_SUBNET_PREFIX_LENGTH, 17);
		mnl_attr_nest_end(nlh, nest);
		state_add_peer(nlh, &state);
	}
	add_peer(&state, 4, 1);
	state_link(&state);
	ok(state.peer_count == 2 && state.devices[0].peer_count == 1 &&
	   state.peers[0].up && state.peers[0].subnets.count == 4 &&
	   state.peers[1].subnets.count == 1,
	   "a peer that comes in several messages is one");
	state_free(&state);
}

static void add_sa_with(struct state *state, const char *peer, uint8_t dir, const char *expired)
{
	struct nlmsghdr *nlh = message();

	mnl_attr_put_u32(nlh, PVSVPN_A_SA_IFINDEX, 3);
	mnl_attr_put_strz(nlh, PVSVPN_A_SA_PEER, peer);
	mnl_attr_put_u8(nlh, PVSVPN_A_SA_DIR, dir);
	mnl_attr_put_u32(nlh, PVSVPN_A_SA_SPI, 0x3000);
	mnl_attr_put_u64(nlh, PVSVPN_A_SA_AGE, 1500);
	mnl_attr_put_u64(nlh, PVSVPN_A_SA_USE_AGE, 500);
	mnl_attr_put_u64(nlh, PVSVPN_A_SA_PACKETS, 7);
	mnl_attr_put_u64(nlh, PVSVPN_A_SA_HARD_PACKETS, 10);
	mnl_attr_put_u64(nlh, PVSVPN_A_SA_HARD_SECONDS, 60);
	mnl_attr_put_u64(nlh, PVSVPN_A_SA_HARD_USE_SECONDS, 60);
	mnl_attr_put_u64(nlh, PVSVPN_A_SA_SOFT_PACKETS, 5);
	if (expired) {
		mnl_attr_put_u8(nlh, PVSVPN_A_SA_EXPIRED, 1);
		mnl_attr_put_strz(nlh, PVSVPN_A_SA_EXPIRED_REASON, expired);
	}
	state_add_sa(nlh, state);
}

/* Tunnels with different problems */
static void fill_broken(struct state *state)
{
	memset(state, 0, sizeof(*state));
	add_device(state);
	add_down_device(state);
	add_peer_with(state, 7, "bare", PVSVPN_ROUTE_FOUND, false);
	add_peer_with(state, 3, "expired", PVSVPN_ROUTE_FOUND, true);
	add_sa_with(state, "expired", PVSVPN_DIRECTION_OUT, "packets");
	add_sa_with(state, "expired", PVSVPN_DIRECTION_IN, NULL);
	add_peer_with(state, 3, "lost", PVSVPN_ROUTE_NONE, true);
	add_sa_with(state, "lost", PVSVPN_DIRECTION_OUT, NULL);
	add_sa_with(state, "lost", PVSVPN_DIRECTION_IN, "use-seconds");
	add_peer_with(state, 3, "sender", PVSVPN_ROUTE_FOUND, true);
	add_sa_with(state, "sender", PVSVPN_DIRECTION_OUT, NULL);
	add_peer_with(state, 3, "wound", PVSVPN_ROUTE_LOOP, true);
	state_link(state);
}

static void test_problems(char *text, char *json)
{
	ok(strstr(text, "  state: down: outbound SA 0x00003000 expired (packets; pvsvpnctl sa add), last received 1.2s ago\n"),
	   "show: outbound SA expired, and of what");
	ok(strstr(text, "  state: down: no route to remote (ip route get 192.0.2.1), inbound SA 0x00003000 expired (use-seconds; "),
	   "show: no route, and no inbound SA that is valid");
	ok(strstr(text, "  state: sending only: no inbound SA (pvsvpnctl sa add ... dir in), last"),
	   "show: no inbound SA");
	ok(strstr(text, "route to remote leads back into pvs0"), "show: loop");
	ok(strstr(text, "  device is down (ip link set a\"b\\c up)\n") &&
	   strstr(text, "  state: down: device is down (ip link set a\"b\\c up), no outbound SA (pvsvpnctl sa add ... dir out), no inbound SA"),
	   "show: device is down");
	ok(strstr(text, "  mtu: 1500 path - 20 IPv4 - 8 UDP - 16 ESP and IV - 16 ICV - 2 trailer and padding = 1438 inner  replay"),
	   "show: how the MTU comes about");
	ok(strstr(text, "  mtu: 1438 inner, as long as the path is not known"),
	   "show: MTU of an unknown path");
	ok(strstr(text, " 58.5s, 59.5s of use, 3 packets, soft 0 packets "),
	   "show: what is left of lifetimes");
	ok(strstr(text, " expired: packets "), "show: why an SA is expired");
	one_line(json);
	ok(is_json(json) && strstr(json, "\"problems\": [\"outbound-sa-expired\"]") &&
	   strstr(json, "\"problems\": [\"no-route\",\"inbound-sa-expired\"]") &&
	   strstr(json, "\"problems\": [\"device-down\",\"no-outbound-sa\",\"no-inbound-sa\",\"nothing-received\"]"),
	   "show --json: problems");
	ok(strstr(json, "\"udp\": 8") && strstr(json, "\"overhead\": null") &&
	   strstr(json, "\"path_mtu\": null"), "show --json: overhead");
}

/* Whether samples of a metric are together, after its only TYPE line */
static bool metrics_in_blocks(const char *text)
{
	char name[128] = "", line[64];
	size_t len = 0;

	for (; *text; text = strchr(text, '\n') + 1) {
		if (sscanf(text, "# TYPE %127s", name) == 1) {
			len = strlen(name);
			snprintf(line, sizeof(line), "# TYPE %.40s ", name);
			if (strstr(text + 1, line))
				return false;
		} else if (*text != '#' && strncmp(text, name, len)) {
			return false;
		}
	}
	return true;
}

static void test_metrics(char *old, char *text)
{
	size_t len = strlen(text);

	ok(len > 6 && !strcmp(text + len - 6, "# EOF\n"), "metrics: end");
	ok(metrics_in_blocks(text) && metrics_in_blocks(old), "metrics: each in one block");
	ok(strstr(text, "# TYPE pvsvpn_device_dropped_packets counter\n"
			"# UNIT pvsvpn_device_dropped_packets packets\n"
			"# HELP pvsvpn_device_dropped_packets "),
	   "metrics: what is said before the samples");
	ok(strstr(text, "\npvsvpn_device_dropped_packets_total{device=\"pvs0\",reason=\"rx_icv\"} 7\n") &&
	   strstr(text, "reason=\"rx_of_tomorrow\"} 4\n") &&
	   strstr(text, "{device=\"pvs0\",reason=\"rx_dummy\"} 0\n"),
	   "metrics: drops, also unknown ones and those that are 0");
	ok(strstr(text, "\npvsvpn_device_up{device=\"a\\\"b\\\\c\"} 0\n"),
	   "metrics: labels are escaped");
	ok(strstr(text, "\npvsvpn_peer_problem{device=\"pvs0\",peer=\"lost\",pvsvpn_peer_problem=\"no-route\"} 1\n") &&
	   strstr(text, "\npvsvpn_peer_problem{device=\"pvs0\",peer=\"wound\",pvsvpn_peer_problem=\"no-route\"} 0\n"),
	   "metrics: problems");
	ok(strstr(text, "\npvsvpn_peer_last_receive_age_seconds{device=\"pvs0\",peer=\"lost\"} 1.250\n") &&
	   !strstr(text, "receive_age_seconds{device=\"a\\\"b\\\\c\""),
	   "metrics: nothing where there is none");
	ok(strstr(text, "\npvsvpn_sa_lifetime_left_seconds{device=\"pvs0\",peer=\"lost\",dir=\"out\",spi=\"0x00003000\",limit=\"hard\",since=\"first_packet\"} 59.500\n") &&
	   strstr(text, "\npvsvpn_sa_lifetime_left_packets{device=\"pvs0\",peer=\"lost\",dir=\"out\",spi=\"0x00003000\",limit=\"soft\"} 0\n") &&
	   !strstr(text, "pvsvpn_sa_lifetime_left_bytes"),
	   "metrics: what is left of lifetimes");
	ok(!strstr(old, "# EOF") && !strstr(old, "# UNIT") &&
	   strstr(old, "# TYPE pvsvpn_device_dropped_packets_total counter\npvsvpn_device_dropped_packets_total{") &&
	   strstr(old, "# TYPE pvsvpn_sa_info gauge\npvsvpn_sa_info{"),
	   "metrics: Prometheus' text format");
}

int main(void)
{
	struct state state = { .device_count = 0 };

	test_units();
	test_clean();
	test_json();
	state_link(&state);
	capture_both(show_state, &state, test_empty);
	fill(&state);
	test_state(&state);
	capture_both(show_state, &state, test_show);
	capture_both(show_stats, &state, test_stats);
	state_free(&state);
	test_names();
	test_peer_in_parts();
	fill_broken(&state);
	capture_both(show_state, &state, test_problems);
	capture_both(show_metrics, &state, test_metrics);
	state_free(&state);
	return tap_end();
}
