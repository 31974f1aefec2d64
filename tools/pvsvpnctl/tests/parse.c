// SPDX-License-Identifier: GPL-2.0
/* Tests what the parsers accept and what they refuse. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/pvsvpn.h>

#include "batch.h"
#include "error.h"
#include "key.h"
#include "parse.h"
#include "tap.h"

static void test_numbers(void)
{
	static const char * const bad[] = {
		"", "-1", "+1", " 1", "1 ", "1x", "0x", "010", "00", "4294967296", "abc"
	};
	uint32_t u32;
	uint64_t u64;

	ok(!parse_u32("0xffffffff", &u32) && u32 == UINT32_MAX, "u32 hex");
	ok(!parse_u32("256", &u32) && u32 == 256, "u32 decimal");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(parse_u32(bad[i], &u32), "u32 refuses what is none");
	ok(!parse_u64("18446744073709551615", &u64) && u64 == UINT64_MAX, "u64 largest");
	ok(parse_u64("18446744073709551616", &u64), "u64 one more");
	ok(!parse_mtu("auto", &u32) && !u32, "mtu auto");
	ok(!parse_mtu("1400", &u32) && u32 == 1400, "mtu number");
	ok(parse_mtu("0", &u32), "mtu 0 is not auto");
	ok(!parse_tfc("off", &u32) && !u32, "tfc off");
	ok(!parse_tfc("mtu", &u32) && u32 == PVSVPN_TFC_MTU, "tfc mtu");
	ok(!parse_tfc("256", &u32) && u32 == 256, "tfc number");
	ok(parse_tfc("0", &u32), "tfc 0 is not off");
	ok(parse_tfc("4294967295", &u32), "tfc of no number is mtu");
	ok(parse_tfc("on", &u32), "tfc refuses other words");
}

static void test_addresses(void)
{
	static const char * const bad[] = {
		"", "1.2.3", "1.2.3.4.5", "256.0.0.1", "::g", "host", "1.2.3.4/8"
	};
	struct addr addr;

	ok(!parse_addr("192.0.2.1", &addr) && addr.len == 4 &&
	   !memcmp(addr.byte, "\xc0\0\2\1", 4), "IPv4 address");
	ok(!parse_addr("2001:db8::1", &addr) && addr.len == 16 &&
	   addr.byte[0] == 0x20 && addr.byte[15] == 1, "IPv6 address");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(parse_addr(bad[i], &addr), "address refuses what is none");
}

static void test_subnets(void)
{
	static const char * const bad[] = {
		"", ",", "10.0.0.0/8,", ",10.0.0.0/8", "10.0.0.0/33", "fd00::/129",
		"10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8 fd00::/8", "10/8"
	};
	struct subnet_list list = { .count = 0 };

	ok(!parse_subnets("10.1.0.0/16,fd00::/64,192.0.2.1,::/0,10.0.0.1/8",
			  &list) && list.count == 5, "subnets of both families");
	ok(list.subnet[0].prefix == 16 && list.subnet[0].addr.len == 4, "IPv4 prefix");
	ok(list.subnet[1].prefix == 64 && list.subnet[1].addr.len == 16, "IPv6 prefix");
	ok(list.subnet[2].prefix == 32, "address alone is a host");
	ok(list.subnet[3].prefix == 0, "prefix of length 0");
	ok(list.subnet[4].addr.byte[3] == 1, "host bits are left for the kernel to refuse");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(parse_subnets(bad[i], &list), "subnets refuse what is none");
	free(list.subnet);
}

static void test_words(void)
{
	const struct transform *t;
	uint8_t byte;

	ok(!parse_dir("in", &byte) && byte == PVSVPN_DIRECTION_IN, "dir in");
	ok(!parse_dir("out", &byte) && byte == PVSVPN_DIRECTION_OUT, "dir out");
	ok(parse_dir("both", &byte), "dir refuses other words");
	ok(!parse_encap("none", &byte) && byte == PVSVPN_ENCAP_NONE, "encap none");
	ok(!parse_encap("udp", &byte) && byte == PVSVPN_ENCAP_UDP, "encap udp");
	ok(parse_encap("gre", &byte), "encap refuses other words");
	ok(!parse_switch("on", &byte) && byte == 1, "switched on");
	ok(!parse_switch("off", &byte) && byte == 0, "switched off");
	ok(parse_switch("1", &byte), "a switch refuses numbers");
	ok(!parse_transform("aes256gcm16", &t) &&
	   transform_key_bytes(t) == 36, "transform and its key's size");
	ok(transform_by_id(28, 0, 0) == transform_by_name("chacha20poly1305"),
	   "transform by IANA numbers");
	ok(parse_transform("rot13", &t), "transform refuses other words");
}

/* Splits @text into words, which stay valid until the next call. */
static int split(const char *text, char **argv)
{
	static char copy[128];

	snprintf(copy, sizeof(copy), "%s", text);
	return batch_split(copy, argv, 8);
}

static void test_remote(void)
{
	static const char * const bad[] = {
		"", "%", "192.0.2", "fe80::1%", "%eth0", "fe80::1%interface0123456",
	};
	struct remote remote;
	uint16_t port;

	ok(!parse_remote("192.0.2.1", &remote) && remote.addr.len == 4 &&
	   !remote.link[0], "remote of IPv4");
	ok(!parse_remote("fe80::1%eth0", &remote) && remote.addr.len == 16 &&
	   !strcmp(remote.link, "eth0"), "remote on a link");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(parse_remote(bad[i], &remote), "remote refuses what is none");
	ok(!parse_port("4500", &port) && port == 4500, "port");
	ok(parse_port("0", &port) && parse_port("65536", &port), "port refuses what is none");
}

struct test_values {
	uint32_t number;
	uint8_t dir;
	bool word;
};

static const struct param table[] = {
	{ .key = "n", .arg = "N", .parse = parse_u32,
	  .offset = offsetof(struct test_values, number) },
	{ .key = "dir", .arg = "in|out", .parse = parse_dir,
	  .offset = offsetof(struct test_values, dir) },
	{ .key = "esn", .parse = parse_word,
	  .offset = offsetof(struct test_values, word) },
};

/* The first @needed keywords must be given. */
static int params_of(const char *text, size_t needed, struct test_values *values, uint32_t *seen)
{
	const struct params params = { table, 3, needed };
	char *argv[8];
	int argc = split(text, argv);

	return parse_params("test", argc, argv, 0, &params, values, seen);
}

static int names_of(const char *text)
{
	char *argv[8];
	int argc = split(text, argv);

	return parse_params("test", argc, argv, 2, NULL, NULL, NULL);
}

static void test_params(void)
{
	struct test_values values = { .dir = 9 };
	uint32_t seen = 0;

	ok(params_of("dir out n 7", 0, &values, &seen) == CTL_OK &&
	   values.number == 7 && values.dir == PVSVPN_DIRECTION_OUT &&
	   seen == 3, "keywords in any order");
	ok(params_of("n 1 n 2", 0, &values, &seen) == CTL_USAGE && seen == 3,
	   "keyword given twice");
	ok(params_of("m 1", 0, &values, &seen) == CTL_USAGE, "unknown keyword");
	ok(params_of("esn n 8", 0, &values, &seen) == CTL_OK && values.word &&
	   values.number == 8 && seen == 5, "keyword that stands alone");
	ok(params_of("dir", 0, &values, &seen) == CTL_USAGE, "keyword without its value");
	ok(params_of("n 1", 2, &values, &seen) == CTL_USAGE &&
	   params_of("dir in n 1", 2, &values, &seen) == CTL_OK,
	   "keyword that is needed");
	ok(names_of("pvs0 site-b") == CTL_OK, "device and peer");
	ok(names_of("pvs0") == CTL_USAGE, "peer missing");
	ok(names_of("pvs0 123456789-123456789-123456789-123456789-1234567") ==
	   CTL_OK, "name of 47 bytes");
	ok(names_of("pvs0 123456789-123456789-123456789-123456789-12345678") ==
	   CTL_USAGE, "name of 48 bytes");
}

static int note_command(const struct options *options, int argc, char **argv)
{
	(void)options;
	return argc == 2 && !strcmp(argv[0], "a") ? CTL_OK : CTL_FAILED;
}

static int batch_of(const char *text)
{
	char path[] = "/tmp/pvsvpnctl-test-XXXXXX";
	int fd = mkstemp(path), ret;

	dprintf(fd, "%s", text);
	close(fd);
	ret = batch_run(path, note_command, NULL);
	unlink(path);
	return ret;
}

static void test_batch(void)
{
	char *argv[8];

	ok(split(" peer\tadd  pvs0 # b", argv) == 3 &&
	   !strcmp(argv[2], "pvs0") && !argv[3], "words and a comment");
	ok(split("  ", argv) == 0 && split("#a b", argv) == 0, "lines without words");
	ok(split("1 2 3 4 5 6 7", argv) == 7 &&
	   split("1 2 3 4 5 6 7 8", argv) < 0, "too many words");
	ok(batch_of("# head\n\na 1\n\ta 2 # tail\na 3") == CTL_OK, "file of commands");
	ok(batch_of("a 1\nb\na 2\n") == CTL_FAILED, "a command that fails");
	ok(batch_run("/nonexistent", note_command, NULL) == CTL_FAILED, "no such file of commands");
}

static ssize_t hex(const char *text, uint8_t *byte)
{
	return key_parse_hex(text, strlen(text), byte, 4);
}

static void test_hex(void)
{
	uint8_t byte[4];

	ok(hex("0123aBcD", byte) == 8 && !memcmp(byte, "\1\x23\xab\xcd", 4),
	   "hex digits of both cases");
	ok(hex(" 01 2\n3ab\tcd\r\n", byte) == 8 &&
	   !memcmp(byte, "\1\x23\xab\xcd", 4), "white space anywhere");
	ok(hex("0x0123\n", byte) == 4 && byte[1] == 0x23, "0x in front");
	ok(hex("012", byte) == 3, "odd digits are counted");
	ok(hex("0123456789abcdef", byte) == 16, "more than there is room for are counted");
	ok(hex("", byte) == 0, "nothing");
	ok(hex("01:23", byte) < 0 && hex("xyz", byte) < 0 &&
	   hex("010x23", byte) < 0, "other characters");
}

/* Reads a key file of @text with @mode for aes128gcm16, which needs 40 digits. */
static int read_file(const char *text, mode_t mode, struct key *key)
{
	char path[] = "/tmp/pvsvpnctl-test-XXXXXX";
	int fd = mkstemp(path), ret;
	size_t len = strlen(text);

	if (fd < 0 || write(fd, text, len) != (ssize_t)len || fchmod(fd, mode))
		return -1;
	close(fd);
	ret = key_read("test", path, transform_by_name("aes128gcm16"), key);
	unlink(path);
	return ret;
}

#define DIGITS "000102030405060708090a0b0c0d0e0f"

static void test_key_files(void)
{
	struct key key, zero = { .len = 0 };

	ok(read_file(DIGITS "\ndeadbeef\n", 0600, &key) == CTL_OK &&
	   key.len == 20 && key.byte[15] == 15 && key.byte[19] == 0xef,
	   "key file");
	ok(read_file(DIGITS "deadbee", 0600, &key) == CTL_FAILED, "one digit short");
	ok(!memcmp(&key, &zero, sizeof(key)), "refused key is wiped");
	ok(read_file(DIGITS "deadbeef0", 0600, &key) == CTL_FAILED, "one digit too many");
	ok(read_file("no key at all", 0600, &key) == CTL_FAILED, "no hex");
	ok(read_file("", 0600, &key) == CTL_FAILED, "empty file");
	ok(read_file(DIGITS "deadbeef", 0640, &key) == CTL_FAILED, "file open to group");
	ok(read_file(DIGITS "deadbeef", 0604, &key) == CTL_FAILED, "file open to others");
	ok(key_read("test", "/nonexistent/key", &transforms[0], &key) ==
	   CTL_FAILED, "no such file");
	ok(key_read("test", "/", &transforms[0], &key) == CTL_FAILED, "directory");
}

int main(void)
{
	/* Error lines are not tested here. */
	if (!freopen("/dev/null", "w", stderr))
		return 1;
	test_numbers();
	test_addresses();
	test_subnets();
	test_words();
	test_remote();
	test_params();
	test_batch();
	test_hex();
	test_key_files();
	return tap_end();
}
