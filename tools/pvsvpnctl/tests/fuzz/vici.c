// SPDX-License-Identifier: GPL-2.0
/* A message of the daemon. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection/news.h"
#include "connection/strongswan.h"
#include "tests/fuzz/fuzz.h"

/* Writes a valid message again: the result must be the same. */
static void write_again(const uint8_t *data, size_t size)
{
	struct vici_message copy = { 0 };
	struct vici_element e;
	struct vici_reader r;
	int ret;

	vici_reader_init(&r, data, size);
	while ((ret = vici_read(&r, &e)) > 0) {
		char *text = strndup((const char *)(e.value ?: data), e.len);

		if (e.type == VICI_SECTION)
			vici_section(&copy, e.name);
		if (e.type == VICI_SECTION_END)
			vici_section_end(&copy);
		if (e.type == VICI_VALUE)
			vici_bytes(&copy, e.name, e.value, e.len);
		if (e.type == VICI_LIST)
			vici_list(&copy, e.name);
		if (e.type == VICI_ITEM && strlen(text) == e.len)
			vici_item(&copy, text);
		if (e.type == VICI_ITEM && strlen(text) != e.len)
			ret = -1;
		if (e.type == VICI_LIST_END)
			vici_list_end(&copy);
		free(text);
		if (ret < 0)
			break;
	}
	if (!ret && (copy.len != size || (size && memcmp(copy.data, data, size))))
		abort();
	vici_message_free(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *nowhere;
	const struct vici_message message = { .data = (uint8_t *)data, .len = size };
	const struct connection c = { .name = "x" };
	struct negotiated n = { 0 };
	struct news news = { 0 };
	struct vici_reader r;

	if (!nowhere)
		nowhere = fopen("/dev/null", "we");
	vici_reader_init(&r, data, size);
	strongswan_read_sa(&r, &n);
	vici_reader_init(&r, data, size);
	news_take(size % 2 ? "alert" : "ike-updown", &r, &c, &news);
	vici_print(nowhere, &message, 0);
	write_again(data, size);
	return 0;
}
