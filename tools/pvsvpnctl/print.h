/* SPDX-License-Identifier: GPL-2.0 */
/* From values to text, tables and JSON; libsmartcols does the last two. */
#ifndef PVSVPNCTL_PRINT_H
#define PVSVPNCTL_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

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
 * clean_text() - make text from elsewhere safe to print
 * @text: changed in place: control characters and what is not UTF-8 become '?'
 *
 * Return: @text.
 */
char *clean_text(char *text);

/**
 * struct json - a JSON object, being put together
 *
 * A libsmartcols table of one line, whose columns are the members.
 */
struct json;

struct json *json_new(void);
void json_text(struct json *json, const char *key, const char *value);
void json_uint(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);
void json_addr(struct json *json, const char *key, const struct addr *addr);
void json_traffic(struct json *json, const struct traffic *traffic);
/* @value is valid JSON; freed here. */
void json_raw(struct json *json, const char *key, char *value);
/* Frees @json. Return: its text, to be freed. */
char *json_end(struct json *json);
/* Puts the text of an object on one line. Return: @text. */
char *json_one_line(char *text);

/* A JSON array, being put together. */
struct json_array {
	FILE *out;
	char *text;
	size_t size;
	size_t count;
};

void json_array_begin(struct json_array *array);
/* @value is valid JSON; freed here. */
void json_array_add(struct json_array *array, char *value);
/* Return: the text, to be freed. */
char *json_array_end(struct json_array *array);

/**
 * json_drops() - add the member "drops", an object of name and value
 * @json: the object
 * @drops: the counters
 * @scope: which reasons the object has
 * @zero: those too that are 0
 */
void json_drops(struct json *json, const struct drops *drops,
		enum drop_scope scope, bool zero);

/* Writes {"devices": @devices} to stdout; frees @devices. */
void json_print_devices(char *devices);

/**
 * print_sas() - a table of SAs, indented
 * @sas: the SAs
 * @count: how many, not 0
 */
void print_sas(const struct sa *sas, size_t count);

#endif /* PVSVPNCTL_PRINT_H */
