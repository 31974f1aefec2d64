// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connection/ini.h"
#include "connection/private_file.h"
#include "error.h"

/* Room for a line and its continuation lines; the library's own buffer has 200 bytes. */
#define LINE_MAX_BYTES (INI_FILE_MAX + 2)

#define UTF8_BOM "\xef\xbb\xbf"

/**
 * struct reader - the library's input, and its results
 * @file: receives sections and keys
 * @rest: text that is not read yet
 * @line: number of the line that was read last
 * @joined: how many of the lines after it were joined to it
 * @failed: an error was printed; the rest is skipped
 */
struct reader {
	struct ini_file *file;
	const char *rest;
	unsigned int line;
	unsigned int joined;
	bool failed;
};

const char *ini_at(const struct ini_file *file, unsigned int line)
{
	static char text[PATH_MAX + 16];

	snprintf(text, sizeof(text), "%s:%u", file->path, line);
	return text;
}

const struct ini_key *ini_find(const struct ini_section *section, const char *key)
{
	for (size_t i = 0; i < section->key_count; i++)
		if (!strcmp(section->keys[i].key, key))
			return &section->keys[i];
	return NULL;
}

static char *copy(const char *text, size_t len)
{
	char *new = ctl_alloc(NULL, len + 1);

	memcpy(new, text, len);
	new[len] = '\0';
	return new;
}

static void refuse(struct reader *reader, const char *todo, const char *why)
{
	reader->failed = true;
	ctl_error(CTL_FAILED, reader->file->what, ini_at(reader->file, reader->line), todo, "%s",
		  why);
}

/* @text is "[Type Name]", perhaps with a comment. */
static void add_section(struct reader *reader, const char *text, size_t len)
{
	const char *end = memchr(text, ']', len);
	struct ini_file *file = reader->file;
	struct ini_section new = { .file = file, .line = reader->line };
	size_t type;

	if (!end) {
		refuse(reader, "close it with ]", "the section has no end");
		return;
	}
	if (end + 1 < text + len) {
		refuse(reader, "put what stands behind ] on a line of its own",
		       "a section stands alone in its line");
		return;
	}
	text++;
	while (end > text && end[-1] == ' ')
		end--;
	while (text < end && *text == ' ')
		text++;
	for (type = 0; text + type < end && text[type] != ' '; type++)
		;
	new.type = copy(text, type);
	text += type;
	while (text < end && *text == ' ')
		text++;
	new.name = copy(text, end - text);
	for (size_t i = 0; i < file->section_count; i++)
		if (!reader->failed && !strcmp(file->sections[i].type, new.type) &&
		    !strcmp(file->sections[i].name, new.name))
			refuse(reader, "make one section of the two",
			       "this section was there before");
	file->sections = ctl_alloc(file->sections, (file->section_count + 1) * sizeof(new));
	file->sections[file->section_count++] = new;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The library knows "; comment" behind a value, but not "# comment". */
static size_t before_comment(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (strchr("#;", line[i]) && (!i || is_blank(line[i - 1])))
			return i;
	return len;
}

/*
 * Takes a line off @text. Removes leading white space: to the library, an indented line would
 * continue the line before.
 *
 * Return: its length, without comment and white space around it.
 */
static size_t next_line(const char **text, const char **line)
{
	size_t len = strcspn(*text, "\n");

	*line = *text;
	*text += len + ((*text)[len] == '\n');
	for (; len && is_blank(**line); len--)
		(*line)++;
	len = before_comment(*line, len);
	while (len && is_blank((*line)[len - 1]))
		len--;
	return len;
}

/*
 * A list that ends in a comma continues in the next line that is not empty, unless that line is a
 * key or a section.
 */
static bool next_of_list(struct reader *reader, const char **line, size_t *len)
{
	const char *text = reader->rest;
	unsigned int count = 0;

	*len = 0;
	while (*text && !*len) {
		*len = next_line(&text, line);
		count++;
	}
	if (!*len || **line == '[' || memchr(*line, '=', *len))
		return false;
	reader->rest = text;
	reader->joined += count;
	return true;
}

/*
 * The library gets one line at a time, so that its number is known. It gets empty lines for joined
 * ones.
 */
static char *read_line(char *text, int size, void *stream)
{
	struct reader *reader = stream;
	const char *line;
	size_t len, used = 0;

	if (reader->failed || (!*reader->rest && !reader->joined))
		return NULL;
	reader->line++;
	if (reader->joined) {
		reader->joined--;
		return strcpy(text, "\n");
	}
	len = next_line(&reader->rest, &line);
	if (len && *line == '[')
		add_section(reader, line, len);
	/* The buffer has room for the whole file. */
	do {
		memcpy(text + used, line, len);
		used += len;
	} while (used && text[used - 1] == ',' && next_of_list(reader, &line, &len));
	strcpy(text + used, "\n");
	(void)size;
	return text;
}

static int add_key(void *user, const char *name_of_section, const char *name, const char *value)
{
	struct reader *reader = user;
	struct ini_file *file = reader->file;
	struct ini_section *section;

	(void)name_of_section;
	if (reader->failed)
		return 1;
	if (!file->section_count) {
		refuse(reader, "put a line such as [Connection] above it",
		       "the key is in no section");
		return 1;
	}
	section = &file->sections[file->section_count - 1];
	section->keys = ctl_alloc(section->keys, (section->key_count + 1) * sizeof(*section->keys));
	section->keys[section->key_count++] = (struct ini_key){
		.key = copy(name, strlen(name)), .value = copy(value, strlen(value)),
		.line = reader->line,
	};
	return 1;
}

int ini_read_text(struct ini_file *file, const char *text)
{
	struct reader reader = { .file = file, .rest = text };
	int line;

	ini_use_stack = false;
	ini_max_line = LINE_MAX_BYTES;
	ini_initial_alloc = LINE_MAX_BYTES;
	if (!strncmp(text, UTF8_BOM, strlen(UTF8_BOM)))
		reader.rest += strlen(UTF8_BOM);
	line = ini_parse_stream(read_line, &reader, add_key, &reader);
	if (reader.failed)
		return CTL_FAILED;
	if (line > 0)
		return ctl_error(CTL_FAILED, file->what, ini_at(file, line),
				 "write [Section], key = value, or # comment",
				 "not a line of an INI file");
	if (line < 0)
		return ctl_error(CTL_FAILED, file->what, file->path, "free some", "out of memory");
	return CTL_OK;
}

static bool is_utf16(const char *text, size_t len)
{
	return len > 1 && (!memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2));
}

static int read_file(const struct ini_file *file, int fd, char *text)
{
	const char *what = file->what, *path = file->path;
	struct stat st;
	size_t len = 0;
	ssize_t got;
	int ret;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return ctl_error(CTL_FAILED, what, path, "give a file", "not a regular file");
	ret = shared_file_check(what, path, &st);
	if (ret)
		return ret;
	if (st.st_size > INI_FILE_MAX)
		return ctl_error(CTL_FAILED, what, path, "check its content",
				 "%jd bytes are too many, %d are the most",
				 (intmax_t)st.st_size, INI_FILE_MAX);
	while ((got = read(fd, text + len, INI_FILE_MAX - len)) > 0)
		len += got;
	if (got < 0)
		return ctl_error(CTL_FAILED, what, path, "give a file that can be read", "%s",
				 strerror(errno));
	text[len] = '\0';
	if (is_utf16(text, len))
		return ctl_error(CTL_FAILED, what, path, "save it as UTF-8", "the text is UTF-16");
	if (strlen(text) != len)
		return ctl_error(CTL_FAILED, what, path, "check its content", "not a text file");
	if (strchr(text, '\r') && !strchr(text, '\n'))
		return ctl_error(CTL_FAILED, what, path, "save it with the line ends of Unix",
				 "its lines end in CR alone");
	return CTL_OK;
}

int ini_load_text(struct ini_file *file, char **text)
{
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), ret;

	*text = NULL;
	if (fd < 0 && errno == EACCES)
		return ctl_error(CTL_DENIED, file->what, file->path, "run it as root", "%s",
				 strerror(errno));
	if (fd < 0)
		return ctl_error(CTL_FAILED, file->what, file->path,
				 errno == ENOENT ? "see pvsvpn.conf(5) for what goes into it" :
				 "give a file that can be read",
				 "%s", strerror(errno));
	*text = ctl_alloc(NULL, INI_FILE_MAX + 1);
	ret = read_file(file, fd, *text);
	close(fd);
	return ret ?: ini_read_text(file, *text);
}

int ini_load(struct ini_file *file)
{
	char *text;
	int ret = ini_load_text(file, &text);

	free(text);
	return ret;
}

void ini_free(struct ini_file *file)
{
	for (size_t i = 0; i < file->section_count; i++) {
		struct ini_section *section = &file->sections[i];

		for (size_t j = 0; j < section->key_count; j++) {
			free(section->keys[j].key);
			free(section->keys[j].value);
		}
		free(section->keys);
		free(section->type);
		free(section->name);
	}
	free(file->sections);
	*file = (struct ini_file){ .what = file->what, .path = file->path };
}
