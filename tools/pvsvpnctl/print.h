/* SPDX-License-Identifier: GPL-2.0 */
/* Conversion of values to text, and tables by libsmartcols. JSON is in json.h. */
#ifndef PVSVPNCTL_PRINT_H
#define PVSVPNCTL_PRINT_H

#include <stddef.h>
#include <stdint.h>

#include "parse.h"
#include "state.h"

/* Longest text of format_*(), the terminating NUL included. */
#define FORMAT_MAX 64

/* Each writes into @text, of FORMAT_MAX bytes, and returns it. */
const char *format_addr(char *text, const struct addr *addr);
const char *format_subnet(char *text, const struct subnet *subnet);
const char *format_bytes(char *text, uint64_t bytes);	/* 1.50 KiB */
const char *format_age(char *text, uint64_t ms);	/* 2d 3h, 4m 5s, 0.6s */
const char *format_transform(char *text, const struct sa *sa);

const char *format_tfc(char *text, uint32_t tfc);	/* off, mtu, 128 */

const char *dir_name(uint8_t dir);
const char *encap_name(uint8_t encap);
const char *origin_name(uint8_t origin);

/**
 * clean_text() - make text from other programs safe to print
 * @text: changed in place: control characters and invalid UTF-8 become '?'
 *
 * Return: @text.
 */
char *clean_text(char *text);

/* Copies @text, which must fit, to @copy and makes the copy safe to print. Return: @copy. */
char *clean_copy(char *copy, const char *text);

/* Prints an indented line of totals. */
void print_totals(const struct traffic *traffic, const struct drops *drops);

/**
 * print_sas() - print an indented table of SAs
 * @sas: the SAs
 * @count: how many, not 0
 */
void print_sas(const struct sa *sas, size_t count);

#endif /* PVSVPNCTL_PRINT_H */
