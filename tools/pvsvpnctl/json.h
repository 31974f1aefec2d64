/* SPDX-License-Identifier: GPL-2.0 */
/* JSON for programs, by json-c. If memory runs out, the program ends with an error line. */
#ifndef PVSVPNCTL_JSON_H
#define PVSVPNCTL_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "parse.h"
#include "state.h"

struct json_object;

struct json_object *json_new(void);
struct json_object *json_list(void);

/* Adds a member to @json, which takes ownership of @value; NULL is null. */
void json_add(struct json_object *json, const char *key, struct json_object *value);
/* Control characters and invalid UTF-8 become '?'. */
void json_add_text(struct json_object *json, const char *key, const char *value);
/* A text of several lines, which may have tabs. It must be safe to print. */
void json_add_lines(struct json_object *json, const char *key, const char *value);
/* As json_add_text(), but null if the text is empty. */
void json_add_text_or_null(struct json_object *json, const char *key, const char *value);
void json_add_uint(struct json_object *json, const char *key, uint64_t value);
/* The same, but null if the value is @none. */
void json_add_uint_or_null(struct json_object *json, const char *key, uint64_t value,
			   uint64_t none);
void json_add_bool(struct json_object *json, const char *key, bool value);
/* Null if there is no address. */
void json_add_addr(struct json_object *json, const char *key, const struct addr *addr);

/* Appends to @list, which takes ownership of @value. */
void json_append(struct json_object *list, struct json_object *value);
void json_append_text(struct json_object *list, const char *value);

void json_add_traffic(struct json_object *json, const struct traffic *traffic);

/**
 * json_add_drops() - add the member "drops", an object of name and value
 * @json: the object
 * @drops: the counters
 * @scope: the reasons that apply to the object
 * @zero: include counters that are 0
 */
void json_add_drops(struct json_object *json, const struct drops *drops,
		    enum drop_scope scope, bool zero);

/* Frees what was not printed; may be NULL. */
void json_free(struct json_object *json);

/* All print to stdout and free what they print. json_print_list() prints an object of one list. */
void json_print(struct json_object *json);
void json_print_list(const char *key, struct json_object *list);
void json_print_line(struct json_object *json);

#endif /* PVSVPNCTL_JSON_H */
