// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "connection/connection.h"
#include "connection/identity.h"
#include "connection/write.h"
#include "print.h"
#include "setting.h"

void write_text(FILE *out, const void *value)
{
	fputs(value, out);
}

void write_path(FILE *out, const void *value)
{
	const char *path = *(char * const *)value;

	/* The directory of the connections may be a relative path, which no file may have. */
	if (*path == '/')
		fputs(path, out);
}

void write_number(FILE *out, const void *value)
{
	uint32_t number = *(const uint32_t *)value;

	if (number)
		fprintf(out, "%u", number);
}

static void write_either(FILE *out, const void *value, const char *yes, const char *no)
{
	fputs(*(const bool *)value ? yes : no, out);
}

void write_bool(FILE *out, const void *value)
{
	write_either(out, value, "yes", "no");
}

void write_addr(FILE *out, const void *value)
{
	const struct addr *addr = value;
	char text[FORMAT_MAX];

	if (addr->len)
		fputs(format_addr(text, addr), out);
}

void write_gateway(FILE *out, const void *value)
{
	const struct gateway *gateway = value;

	if (*gateway->host)
		fputs(gateway->host, out);
	else
		write_addr(out, &gateway->addr);
}

void write_identity_type(FILE *out, const void *value)
{
	const struct identity_type *type = *(const struct identity_type * const *)value;

	if (type)
		fputs(type->word, out);
}

void write_prefixes(FILE *out, const void *value)
{
	const struct subnet_list *list = value;
	char text[FORMAT_MAX];

	for (size_t i = 0; i < list->count; i++)
		fprintf(out, "%s%s", i ? ", " : "", format_subnet(text, &list->subnet[i]));
}

void write_sources(FILE *out, const void *value)
{
	const struct addr *sources = value;

	write_addr(out, &sources[0]);
	if (sources[0].len && sources[1].len)
		fputs(", ", out);
	write_addr(out, &sources[1]);
}

/* There is no other. */
void write_mode(FILE *out, const void *value)
{
	(void)value;
	fputs("route", out);
}

void write_proof(FILE *out, const void *value)
{
	write_either(out, value, "certificate", "secret");
}

void write_encapsulation(FILE *out, const void *value)
{
	write_either(out, value, "udp", "auto");
}

void write_action(FILE *out, const void *value)
{
	write_either(out, value, "restart", "clear");
}

void write_mtu(FILE *out, const void *value)
{
	uint32_t mtu = *(const uint32_t *)value;

	if (mtu)
		fprintf(out, "%u", mtu);
	else
		fputs("auto", out);
}

void write_mss(FILE *out, const void *value)
{
	char text[FORMAT_MAX];

	fputs(format_setting(text, &settings[SETTING_MSS_CLAMP], *(const uint32_t *)value), out);
}

void write_table(FILE *out, const void *value)
{
	if (*(const uint32_t *)value == TABLE_MAIN)
		fputs("main", out);
	else
		write_number(out, value);
}

void write_algorithms(FILE *out, const void *value)
{
	const struct algorithm_list *list = value;

	for (size_t i = 0; i < list->count; i++)
		fprintf(out, "%s%s", i ? ", " : "", list->one[i]->word);
}
