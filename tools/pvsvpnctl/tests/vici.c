// SPDX-License-Identifier: GPL-2.0
/* Tests VICI messages: writing, reading, printing, and messages that are not valid. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection/vici_message.h"
#include "tests/tap.h"

/* A message as text: "NAME{", "}", "NAME=VALUE", "NAME[", "VALUE", "]", or "!" if it is bad */
static const char *read_all(const void *data, size_t len)
{
	static const char * const forms[] = {
		[VICI_SECTION] = "%s{ ", [VICI_SECTION_END] = "} ",
		[VICI_VALUE] = "%s=%.*s ",
		[VICI_LIST] = "%s[ ", [VICI_ITEM] = "%.0s%.*s ", [VICI_LIST_END] = "] ",
	};
	static char text[512];
	struct vici_reader reader;
	struct vici_element e;
	size_t at = 0;
	int ret;

	vici_reader_init(&reader, data, len);
	while ((ret = vici_read(&reader, &e)) > 0)
		at += snprintf(text + at, sizeof(text) - at, forms[e.type], e.name, (int)e.len,
			       e.value);
	snprintf(text + at, sizeof(text) - at, ret ? "!" : ".");
	return text;
}

/* Compares the bytes with those of the protocol. */
static void test_bytes(void)
{
	static const uint8_t wanted[] = {
		3, 1, 'a', 0, 2, 'b', 'c',
		1, 1, 's', 4, 1, 'l', 5, 0, 1, 'x', 5, 0, 0, 6, 2,
	};
	struct vici_message m = { 0 };

	vici_value(&m, "a", "b%c", 'c');
	vici_section(&m, "s");
	vici_list(&m, "l");
	vici_item(&m, "x");
	vici_item(&m, "");
	vici_list_end(&m);
	vici_section_end(&m);
	ok(m.len == sizeof(wanted) && !memcmp(m.data, wanted, m.len), "a message in bytes");
	is(read_all(m.data, m.len), "a=bc s{ l[ x  ] } .", "and read again");
	vici_message_free(&m);
	ok(!m.data && !m.len, "nothing is left of it");
}

static void test_long(void)
{
	struct vici_message m = { 0 };
	struct vici_reader reader;
	struct vici_element e;
	char *text = malloc(VICI_VALUE_MAX + 1), name[VICI_NAME_MAX + 2];

	memset(text, 'v', VICI_VALUE_MAX);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	vici_bytes(&m, name, text, VICI_VALUE_MAX);
	vici_bytes(&m, "z", "\0\xff", 2);
	vici_reader_init(&reader, m.data, m.len);
	ok(vici_read(&reader, &e) == 1 && e.len == VICI_VALUE_MAX &&
	   !memcmp(e.value, text, e.len), "the longest value");
	ok(strlen(e.name) == VICI_NAME_MAX, "a name is cut");
	ok(vici_read(&reader, &e) == 1 && e.len == 2 && !memcmp(e.value, "\0\xff", 2), "any bytes");
	ok(!vici_read(&reader, &e), "the end");
	vici_message_free(&m);
	free(text);
}

static void test_text(void)
{
	struct vici_element e = { .value = (const uint8_t *)"ab\x1b[2Jc", .len = 7 };
	char text[16];

	is(vici_element_text(&e, text, sizeof(text)), "ab?[2Jc", "no control characters");
	is(vici_element_text(&e, text, 3), "ab", "cut");
	e.value = NULL;
	e.len = 0;
	is(vici_element_text(&e, text, sizeof(text)), "", "empty");
}

#define BAD(bytes, name) \
	ok(strchr(read_all(bytes, sizeof(bytes) - 1), '!'), name)

static void test_not_valid(void)
{
	BAD("\x02", "an end of no section");
	BAD("\x01\x01s", "a section without an end");
	BAD("\x04\x01l", "a list without an end");
	BAD("\x05\x00\x01x", "an item in no list");
	BAD("\x06", "an end of no list");
	BAD("\x04\x01l\x03\x01n\x00\x00\x06", "a value in a list");
	BAD("\x04\x01l\x04\x01m\x06\x06", "a list in a list");
	BAD("\x01\x01s\x04\x01l\x02\x06", "a section that ends before its list");
	BAD("\x03", "no name");
	BAD("\x03\x05mn", "a name that is too short");
	BAD("\x03\x01n", "no length");
	BAD("\x03\x01n\x00", "half a length");
	BAD("\x03\x01n\xff\xffx", "a value that is too short");
	BAD("\x03\x02n\0\x00\x00", "a name with a NUL");
	BAD("\x00", "no such element");
	BAD("\x07", "no such element");
}

/* Reads each message that differs in one byte, or is cut: none may do harm. */
static void test_changed(void)
{
	struct vici_message m = { 0 };
	size_t lines = 0;

	vici_section(&m, "s");
	vici_value(&m, "a", "value");
	vici_list(&m, "l");
	vici_item(&m, "item");
	vici_list_end(&m);
	vici_section_end(&m);
	for (size_t len = 0; len <= m.len; len++) {
		/* In memory of its own, so that a sanitizer sees a read past its end. */
		uint8_t *copy = malloc(len ? len : 1);

		memcpy(copy, m.data, len);
		lines += strlen(read_all(copy, len));
		for (size_t i = 0; i < len; i++) {
			for (int byte = 0; byte < 256; byte++) {
				copy[i] = byte;
				lines += strlen(read_all(copy, len)) > 0;
			}
			copy[i] = m.data[i];
		}
		free(copy);
	}
	ok(lines > m.len * m.len, "changed and cut messages");
	vici_message_free(&m);
}

static void test_print(void)
{
	struct vici_message m = { 0 };
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	vici_section(&m, "site-b");
	vici_value(&m, "version", "2");
	vici_value(&m, "id", "far # site");
	vici_list(&m, "local_ts");
	vici_item(&m, "10.1.0.0/24");
	vici_item(&m, "fd00:1::/64");
	vici_list_end(&m);
	vici_section_end(&m);
	vici_print(out, &m, 1);
	fclose(out);
	is(text, "\tsite-b {\n\t\tversion = 2\n\t\tid = \"far # site\"\n"
	   "\t\tlocal_ts = 10.1.0.0/24,fd00:1::/64\n\t}\n", "as swanctl.conf has it");
	free(text);
	vici_message_free(&m);
}

int main(void)
{
	test_bytes();
	test_long();
	test_text();
	test_not_valid();
	test_changed();
	test_print();
	return tap_end();
}
