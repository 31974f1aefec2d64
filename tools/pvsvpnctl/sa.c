// SPDX-License-Identifier: GPL-2.0
/* sa add, del: the security associations of a peer. */
#include <stdio.h>

#include "command.h"
#include "error.h"
#include "key.h"
#include "nl.h"

struct sa_values {
	uint8_t dir;
	uint32_t spi;
	const struct transform *transform;
	const char *key_file;
	bool legacy;
	uint32_t replay_window;
	bool esn;
	uint64_t seq;
	uint64_t soft_packets, hard_packets;
	uint64_t soft_bytes, hard_bytes;
	uint64_t soft_seconds, hard_seconds;
	uint64_t soft_use_seconds, hard_use_seconds;
};

#define AT(member)	offsetof(struct sa_values, member)

/* The first two name an SA; "sa add" needs the first four. */
enum { DIR, SPI, TRANSFORM, KEY_FILE, PARAMS = 16 };

static const struct param table[PARAMS] = {
	[DIR] = { "dir", "in|out", parse_dir, AT(dir), PVSVPN_A_SA_DIR, 1,
	  "packets that arrive from the peer, or packets that leave for it" },
	[SPI] = { "spi", "0xNNNNNNNN", parse_u32, AT(spi), PVSVPN_A_SA_SPI, 4,
	  "Security Parameters Index, 0x100 or higher" },
	[TRANSFORM] = { "transform", "NAME", parse_transform, AT(transform),
	  PVSVPN_A_SA_TRANSFORM, 0,
	  "cipher suite, see below" },
	[KEY_FILE] = { "key-file", "FILE|-", parse_text, AT(key_file), PVSVPN_A_SA_KEY, 0,
	  "hex digits: the key, then its salt or the integrity key;\n"
	  "- reads standard input.\n"
	  "A file must not be open to group or others (chmod 600)" },
	{ "legacy", NULL, parse_word, AT(legacy), PVSVPN_A_SA_LEGACY, 0,
	  "allows SHA-1 and 3DES, for a peer that has nothing better" },
	{ "replay-window", "N", parse_u32, AT(replay_window), PVSVPN_A_SA_REPLAY_WINDOW, 4,
	  "anti-replay window in packets, 32 to 4096 (dir in)" },
	{ "esn", NULL, parse_word, AT(esn), PVSVPN_A_SA_ESN, 1,
	  "sequence numbers of 64 bits, if the peer has them too" },
	{ "seq", "N", parse_u64, AT(seq), PVSVPN_A_SA_SEQ, 8,
	  "takes an SA over: last number sent, or highest accepted" },
	{ "soft-packets", "N", parse_u64, AT(soft_packets), PVSVPN_A_SA_SOFT_PACKETS, 8,
	  "sends an event after so many packets" },
	{ "hard-packets", "N", parse_u64, AT(hard_packets), PVSVPN_A_SA_HARD_PACKETS, 8,
	  "ends the SA after so many packets" },
	{ "soft-bytes", "N", parse_u64, AT(soft_bytes), PVSVPN_A_SA_SOFT_BYTES, 8,
	  "sends an event after so many bytes of inner packets" },
	{ "hard-bytes", "N", parse_u64, AT(hard_bytes), PVSVPN_A_SA_HARD_BYTES, 8,
	  "ends the SA after so many bytes of inner packets" },
	{ "soft-seconds", "N", parse_u64, AT(soft_seconds), PVSVPN_A_SA_SOFT_SECONDS, 8,
	  "sends an event so long after the SA was added" },
	{ "hard-seconds", "N", parse_u64, AT(hard_seconds), PVSVPN_A_SA_HARD_SECONDS, 8,
	  "ends the SA so long after it was added" },
	{ "soft-use-seconds", "N", parse_u64, AT(soft_use_seconds), PVSVPN_A_SA_SOFT_USE_SECONDS, 8,
	  "sends an event so long after its first packet" },
	{ "hard-use-seconds", "N", parse_u64, AT(hard_use_seconds), PVSVPN_A_SA_HARD_USE_SECONDS, 8,
	  "ends the SA so long after its first packet" },
};

static const struct params add_params = { table, PARAMS, KEY_FILE + 1 };
static const struct params del_params = { table, SPI + 1, SPI + 1 };

static void put_new(struct nl *nl, const struct sa_values *values, const struct key *key)
{
	struct nlattr *nest = nl_nest(nl, PVSVPN_A_SA_TRANSFORM);

	nl_put_u16(nl, PVSVPN_A_TRANSFORM_ENCRYPTION, values->transform->encryption);
	nl_put_u16(nl, PVSVPN_A_TRANSFORM_KEY_LENGTH, values->transform->attr_bits);
	nl_put_u16(nl, PVSVPN_A_TRANSFORM_INTEGRITY, values->transform->integrity);
	nl_nest_end(nl, nest);
	if (values->legacy)
		nl_put(nl, PVSVPN_A_SA_LEGACY, 0, NULL);
	nl_lock(nl);
	nl_put(nl, PVSVPN_A_SA_KEY, key->len, key->byte);
}

/* argv[0] is the device, argv[1] the peer; @key is NULL to delete. */
static int call(const char *what, uint8_t cmd, char **argv,
		const struct sa_values *values, uint32_t seen,
		const struct key *key)
{
	struct nl *nl = nl_open(what);
	char where[128];

	if (!nl)
		return CTL_FAILED;
	nl_msg(nl, cmd, NLM_F_ACK);
	nl_put_text(nl, PVSVPN_A_SA_IFNAME, argv[0]);
	nl_put_text(nl, PVSVPN_A_SA_PEER, argv[1]);
	nl_put_params(nl, &add_params, values, seen);
	if (key)
		put_new(nl, values, key);
	snprintf(where, sizeof(where), "%s %s spi 0x%08x", argv[0], argv[1], values->spi);
	return nl_finish(nl, where, &add_params);
}

static int run_add(const struct options *options, int argc, char **argv)
{
	struct sa_values values = {};
	struct key key;
	uint32_t seen;
	int ret = parse_params("sa add", argc, argv, 2, &add_params, &values, &seen);

	(void)options;
	if (!ret)
		ret = key_read("sa add", values.key_file, values.transform, &key);
	if (ret)
		return ret;
	ret = call("sa add", PVSVPN_CMD_SA_NEW, argv, &values, seen, &key);
	key_wipe(&key);
	return ret;
}

static int run_del(const struct options *options, int argc, char **argv)
{
	struct sa_values values = {};
	uint32_t seen;
	int ret = parse_params("sa del", argc, argv, 2, &del_params, &values, &seen);

	(void)options;
	return ret ?: call("sa del", PVSVPN_CMD_SA_DEL, argv, &values, seen, NULL);
}

const struct command command_sa_add = {
	.name = "sa add",
	.args = "DEV PEER",
	.params = &add_params,
	.help = "Adds an SA to a peer. A new outbound SA becomes the current one.\n",
	.more_help = list_transforms,
	.run = run_add,
};

const struct command command_sa_del = {
	.name = "sa del",
	.args = "DEV PEER",
	.params = &del_params,
	.help = "Removes an SA. If it was the current outbound one, the newest of the others takes over.\n",
	.run = run_del,
};
