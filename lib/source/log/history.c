/* logs_history: see history.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/log/history.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/time.h"
#include "io/stream.h"
#include "source/origin.h"

enum {
	WHY_MAX = 120,
	PARTS_MAX = 1000,
};

/* Decoded, so that a log that is compressed later stays what it was. */
static int read_head(const char *path, struct fl_origin_head *head,
		     struct fl_error *err)
{
	struct fl_stream *stream = NULL;
	ssize_t got = 1;

	head->len = 0;
	if (fl_stream_open(&stream, path, err) < 0)
		return -1;
	while (head->len < FL_ORIGIN_HEAD && got > 0) {
		got = fl_stream_read(stream, head->bytes + head->len,
				     FL_ORIGIN_HEAD - head->len, err);
		if (got > 0)
			head->len += (size_t)got;
	}
	fl_stream_close(&stream);
	return got < 0 ? -1 : 0;
}

/* Any file begins as an empty one. */
static bool begins_so(const struct fl_origin_head *head, const char *mark)
{
	size_t len;

	return fl_origin_same(head, mark, &len) && len;
}

int fl_logs_origin(const char *real, const char *path, char **origin,
		   struct fl_error *err)
{
	struct fl_origin_head head;

	if (read_head(path, &head, err) < 0)
		return -1;
	*origin = fl_origin_make(real, &head);
	return 0;
}

bool fl_logs_same(const char *path, const char *origin)
{
	struct fl_error err = { .code = FL_OK };
	const char *mark = strrchr(origin, '#');
	struct fl_origin_head head;

	return read_head(path, &head, &err) == 0 && begins_so(&head, mark);
}

/* --- parts --- */

void fl_logs_parts_release(struct fl_logs_parts *parts)
{
	for (size_t i = 0; i < parts->count; i++) {
		free(parts->items[i].path);
		free(parts->items[i].origin);
	}
	free(parts->items);
	*parts = (struct fl_logs_parts){ 0 };
}

static int64_t changed(const struct stat *st)
{
	return st->st_mtim.tv_sec * FL_SECOND + st->st_mtim.tv_nsec;
}

static void add(struct fl_logs_parts *parts, const char *path,
		const struct stat *st, bool rotated)
{
	parts->items = fl_realloc(parts->items, parts->count + 1,
				  sizeof(*parts->items));
	parts->items[parts->count++] = (struct fl_logs_part){
		.path = fl_strdup(path),
		.record_time = FL_TIME_NONE,
		.changed_ns = changed(st),
		.rotated = rotated,
	};
}

static int by_time(const void *a, const void *b)
{
	const struct fl_logs_part *left = a, *right = b;

	if (left->rotated != right->rotated)
		return left->rotated ? -1 : 1;
	if (left->changed_ns != right->changed_ns)
		return left->changed_ns < right->changed_ns ? -1 : 1;
	return strcmp(right->path, left->path); /* log.2 before log.1 */
}

/* What logrotate and its like put behind a name: .1, -20260305, .1.gz, .old;
 * others' copies (.bak, .swp) are none of ours. */
static bool is_rotated(const char *rest)
{
	size_t len;

	if (strcmp(rest, ".old") == 0)
		return true;
	if ((*rest != '.' && *rest != '-') || rest[1] < '0' || rest[1] > '9')
		return false;
	len = 1 + strspn(rest + 1, "0123456789-_:T");
	rest += len;
	return !*rest || strcmp(rest, ".gz") == 0 || strcmp(rest, ".zst") == 0;
}

/* app.log.1, app.log-20260305.gz beside app.log. */
static void add_rotated(struct fl_logs_parts *parts, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t folder_len = slash ? (size_t)(slash - path) + 1 : 0;
	const char *name = path + folder_len;
	char *folder =
		folder_len ? fl_strndup(path, folder_len) : fl_strdup(".");
	DIR *dir = opendir(folder);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)) && parts->count < PARTS_MAX) {
		size_t len = strlen(name);
		struct stat st;
		char *full;

		if (strncmp(entry->d_name, name, len) != 0 ||
		    !is_rotated(entry->d_name + len))
			continue;
		full = fl_sprintf("%.*s%s", (int)folder_len, path,
				  entry->d_name);
		if (stat(full, &st) == 0 && S_ISREG(st.st_mode))
			add(parts, full, &st, true);
		free(full);
	}
	if (dir)
		closedir(dir);
	free(folder);
}

/* Which start is the part's? */
static const struct fl_start *find_start(const char *real,
					 const struct fl_logs_part *part,
					 const struct fl_start *starts,
					 size_t count)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_origin_head head;

	if (read_head(part->path, &head, &err) < 0)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const char *mark = fl_origin_mark(starts[i].origin, real);

		if (mark && begins_so(&head, mark))
			return &starts[i];
	}
	return NULL;
}

static void drop_first(struct fl_logs_parts *parts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(parts->items[i].path);
		free(parts->items[i].origin);
	}
	memmove(parts->items, parts->items + count,
		(parts->count - count) * sizeof(*parts->items));
	parts->count -= count;
}

int fl_logs_history(const char *real, const struct fl_start *starts,
		    size_t count, struct fl_logs_parts *parts,
		    const struct fl_start **lost, char *why,
		    struct fl_error *err)
{
	const struct fl_start *start = NULL, *other = NULL;
	struct stat st;
	size_t at;

	*parts = (struct fl_logs_parts){ 0 };
	*lost = NULL;
	if (stat(real, &st) < 0)
		return fl_error_set(err, FL_ERR_IO, "cannot open '%s': %s",
				    fl_show(real, strlen(real), 200),
				    strerror(errno));
	for (size_t i = 0; i < count; i++)
		if (fl_origin_mark(starts[i].origin, real))
			other = &starts[i];
	if (other)
		add_rotated(parts, real);
	add(parts, real, &st, false);
	if (!other)
		return 0;
	qsort(parts->items, parts->count, sizeof(*parts->items), by_time);
	/* The newest that is known was at work last. */
	for (at = parts->count; at > 0 && !start; at--)
		start = find_start(real, &parts->items[at - 1], starts, count);
	if (!start) {
		drop_first(parts, parts->count - 1);
		*lost = other;
		snprintf(why, WHY_MAX,
			 "neither the file nor one beside it, rotated away, "
			 "begins as that one did");
		return 0;
	}
	drop_first(parts, at);
	parts->items[0].origin = fl_strdup(start->origin);
	parts->items[0].start = strtoull(start->pos, NULL, 10);
	parts->items[0].record_time = start->record_time;
	return 0;
}
