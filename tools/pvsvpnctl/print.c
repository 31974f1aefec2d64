// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "limit.h"
#include "print.h"
#include "table.h"

const char *format_addr(char *text, const struct addr *addr)
{
	if (!addr->len ||
	    !inet_ntop(addr->len == 4 ? AF_INET : AF_INET6, addr->byte, text,
		       FORMAT_MAX))
		strcpy(text, "any");
	return text;
}

const char *format_subnet(char *text, const struct subnet *subnet)
{
	size_t len = strlen(format_addr(text, &subnet->addr));

	snprintf(text + len, FORMAT_MAX - len, "/%u", subnet->prefix);
	return text;
}

const char *format_bytes(char *text, uint64_t bytes)
{
	static const char * const unit[] = {
		"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"
	};
	double value = bytes;
	size_t i = 0;

	/* 1023.995 would be rounded to 1024.00. */
	for (; value >= 1023.995; i++)
		value /= 1024;
	snprintf(text, FORMAT_MAX, i ? "%.2f %s" : "%.0f %s", value, unit[i]);
	return text;
}

const char *format_age(char *text, uint64_t ms)
{
	uint64_t s = ms / 1000, m = s / 60, h = m / 60, d = h / 24;

	if (d)
		snprintf(text, FORMAT_MAX, "%" PRIu64 "d %" PRIu64 "h", d, h % 24);
	else if (h)
		snprintf(text, FORMAT_MAX, "%" PRIu64 "h %" PRIu64 "m", h, m % 60);
	else if (m)
		snprintf(text, FORMAT_MAX, "%" PRIu64 "m %" PRIu64 "s", m, s % 60);
	else
		snprintf(text, FORMAT_MAX, "%" PRIu64 ".%" PRIu64 "s", s, ms % 1000 / 100);
	return text;
}

const char *format_transform(char *text, const struct sa *sa)
{
	const struct transform *t = transform_by_id(sa->encryption, sa->attr_bits, sa->integrity);

	if (t)
		snprintf(text, FORMAT_MAX, "%s", t->name);
	else
		snprintf(text, FORMAT_MAX, "%u/%u/%u", sa->encryption,
			 sa->attr_bits, sa->integrity);
	return text;
}

const char *format_tfc(char *text, uint32_t tfc)
{
	if (!tfc)
		strcpy(text, "off");
	else if (tfc == PVSVPN_TFC_MTU)
		strcpy(text, "mtu");
	else
		snprintf(text, FORMAT_MAX, "%u", tfc);
	return text;
}

const char *dir_name(uint8_t dir)
{
	return dir == PVSVPN_DIRECTION_OUT ? "out" : "in";
}

const char *origin_name(uint8_t origin)
{
	switch (origin) {
	case PVSVPN_ORIGIN_OPERATOR:
		return "operator";
	case PVSVPN_ORIGIN_XFRM:
		return "xfrm";
	}
	return "unknown";
}

const char *encap_name(uint8_t encap)
{
	switch (encap) {
	case PVSVPN_ENCAP_NONE:
		return "none";
	case PVSVPN_ENCAP_UDP:
		return "udp";
	}
	return "unknown";
}

/* Bytes of the UTF-8 character at @text, 0 if there is none. */
static size_t utf8_len(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t len;

	if (c[0] < 0x80)
		return c[0] >= 0x20 && c[0] != 0x7f;
	/* c0, c1: overlong; c2 80 to c2 9f: control characters. */
	if (c[0] < 0xc2 || (c[0] == 0xc2 && c[1] < 0xa0) || c[0] > 0xf4)
		return 0;
	/* Overlong, surrogates, beyond U+10FFFF. */
	if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
	    (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
		return 0;
	len = 2 + (c[0] >= 0xe0) + (c[0] >= 0xf0);
	for (size_t i = 1; i < len; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

char *clean_text(char *text)
{
	for (char *c = text; *c;) {
		size_t len = utf8_len(c);

		if (!len)
			*c = '?';
		c += len ? len : 1;
	}
	return text;
}

char *clean_copy(char *copy, const char *text)
{
	return clean_text(strcpy(copy, text));
}

void print_totals(const struct traffic *traffic, const struct drops *drops)
{
	char rx[FORMAT_MAX], tx[FORMAT_MAX];

	printf("  received: %s in %" PRIu64 " packets  sent: %s in %" PRIu64 " packets  dropped: %" PRIu64 "\n",
	       format_bytes(rx, traffic->rx_bytes), traffic->rx_packets,
	       format_bytes(tx, traffic->tx_bytes), traffic->tx_packets,
	       drops->total);
}

static const struct column sa_columns[] = {
	{ "DIR", false },
	{ "SPI", false },
	{ "TRANSFORM", false },
	{ "SEQ", true },
	{ "WINDOW", true },
	{ "STATE", false },
	{ "PACKETS", true },
	{ "BYTES", true },
	{ "DROPS", true },
	{ "AGE", true },
	{ "LEFT", true },
	{ "ORIGIN", false },
	{ "DRIVER", false },
};

/* "expired: packets" */
static const char *format_state(char *text, const struct sa *sa)
{
	char reason[sizeof(sa->expired_reason)];
	const char *state = "valid";

	if (sa->expired)
		state = "expired";
	else if (sa->dir == PVSVPN_DIRECTION_OUT)
		state = sa->current ? "current" : "standby";
	snprintf(text, FORMAT_MAX, "%s%s%s", state, *sa->expired_reason ? ": " : "",
		 clean_copy(reason, sa->expired_reason));
	return text;
}

static const char *format_amount(char *text, const struct limit *limit, const struct sa *sa)
{
	uint64_t left = limit_left(limit, sa);

	if (limit_is_time(limit))
		return format_age(text, left);
	if (limit->unit == LIMIT_BYTES)
		return format_bytes(text, left);
	snprintf(text, FORMAT_MAX, "%" PRIu64 " packets", left);
	return text;
}

/* "1h 59m, 1000 packets, soft 59m 3s" */
static const char *format_left(char *left, size_t size, const struct sa *sa)
{
	char text[FORMAT_MAX];
	size_t len = 0;

	strcpy(left, "-");
	for (size_t i = 0; i < LIMITS; i++) {
		const struct limit *limit = &limits[i];

		if (!limit_of(limit, sa))
			continue;
		len += snprintf(left + len, size - len, "%s%s%s%s",
				len ? ", " : "", limit->hard ? "" : "soft ",
				format_amount(text, limit, sa),
				limit->unit == LIMIT_USE_SECONDS ? " of use" : "");
	}
	return left;
}

static void add_sa_line(struct table *table, const struct sa *sa)
{
	char text[FORMAT_MAX], driver[sizeof(sa->driver)];
	char left[LIMITS * FORMAT_MAX];

	table_cell(table, "%s", dir_name(sa->dir));
	table_cell(table, "0x%08x", sa->spi);
	table_cell(table, "%s%s", format_transform(text, sa), sa->esn ? "-esn" : "");
	table_cell(table, "%" PRIu64, sa->seq);
	if (sa->replay_window)
		table_cell(table, "%u", sa->replay_window);
	else
		table_cell(table, "-");
	table_cell(table, "%s", format_state(text, sa));
	table_cell(table, "%" PRIu64, sa->packets);
	table_cell(table, "%s", format_bytes(text, sa->bytes));
	table_cell(table, "%" PRIu64, sa->drops.total);
	table_cell(table, "%s", format_age(text, sa->age_ms));
	table_cell(table, "%s", format_left(left, sizeof(left), sa));
	table_cell(table, "%s", origin_name(sa->origin));
	table_cell(table, "%s", clean_copy(driver, sa->driver));
}

void print_sas(const struct sa *sas, size_t count)
{
	struct table *table = table_new(sa_columns, sizeof(sa_columns) / sizeof(sa_columns[0]));

	for (size_t i = 0; i < count; i++)
		add_sa_line(table, &sas[i]);
	table_print(table, "  ");
}
