/* positions: see positions.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/positions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"
#include "io/stream.h"

#define PIPELINE "state" /* nobody asks for it; a mark has one */
#define FILE_MAX ((size_t)64 << 20)

struct position {
	char *pos;
	int64_t rt;
};

struct fl_positions {
	char *path;
	struct fl_map origins; /* of struct position */
	bool moved, whole;
	int64_t saved_ns; /* monotonic */
};

static void free_position(void *value)
{
	struct position *position = value;

	free(position->pos);
	free(position);
}

static struct position *at(struct fl_positions *positions, const char *origin)
{
	void **slot = fl_map_at(&positions->origins, origin, strlen(origin));

	if (!*slot)
		*slot = fl_zalloc(sizeof(struct position));
	return *slot;
}

/* returns 1, 0 there is none, -1 */
static int read_text(const char *path, struct fl_buf *text,
		     struct fl_error *err)
{
	struct fl_stream *in = NULL;
	char bytes[8192];
	ssize_t got;

	text->max = FILE_MAX;
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	if (fl_stream_open(&in, path, err) < 0)
		return -1;
	while ((got = fl_stream_read(in, bytes, sizeof(bytes), err)) > 0)
		fl_buf_append(text, bytes, (size_t)got);
	fl_stream_close(&in);
	return got < 0 ? -1 : 1;
}

int fl_positions_open(struct fl_positions **out, const char *path,
		      struct fl_mark *held, struct fl_error *err)
{
	struct fl_positions *positions = fl_zalloc(sizeof(*positions));
	struct fl_buf text = FL_BUF_INIT;
	int got;

	*out = positions;
	positions->path = fl_strdup(path);
	positions->saved_ns = fl_monotonic_ns();
	*held = (struct fl_mark)FL_MARK_INIT;
	got = read_text(path, &text, err);
	if (got == 1) {
		const char *line = fl_buf_text(&text);
		size_t len = strcspn(line, "\n");

		if (!fl_mark_is(line, len) ||
		    fl_mark_parse(held, line, len, err) < 0) {
			fl_error_clear(err);
			got = fl_error_set(
				err, FL_ERR_DATA,
				"--state: '%s' holds no positions; without it "
				"all is fetched",
				fl_show(path, strlen(path), 300));
		}
	}
	for (size_t i = 0; got == 1 && i < held->count; i++) {
		struct position *position = at(positions, held->at[i].origin);

		free(position->pos);
		position->pos = fl_strdup(held->at[i].to);
		position->rt = held->at[i].rt;
	}
	fl_buf_release(&text);
	return got < 0 ? -1 : 0;
}

void fl_positions_move(struct fl_positions *positions,
		       const struct fl_item *item)
{
	struct position *position;

	if (!item->origin || item->warm)
		return;
	position = at(positions, item->origin);
	free(position->pos);
	position->pos = fl_sprintf("%llu", (unsigned long long)item->pos);
	if (item->bytes || item->whole)
		position->rt = item->ts_ns;
	positions->moved = true;
	positions->whole |= item->whole;
}

bool fl_positions_due(const struct fl_positions *positions)
{
	return positions->moved &&
	       (positions->whole ||
		fl_monotonic_ns() - positions->saved_ns >= FL_SECOND);
}

int fl_positions_save(struct fl_positions *positions, struct fl_error *err)
{
	struct fl_mark mark = FL_MARK_INIT;
	struct fl_stream *out = NULL;
	struct fl_buf line = FL_BUF_INIT;
	int result;

	if (!positions->moved)
		return 0;
	mark.pipeline = PIPELINE;
	for (size_t i = 0; i < positions->origins.count; i++) {
		const struct fl_map_entry *entry =
			&positions->origins.entries[i];
		const struct position *position = entry->value;

		fl_mark_set(&mark, entry->key, position->pos, position->pos,
			    FL_TIME_NONE, position->rt);
	}
	fl_mark_print(&mark, &line);
	fl_buf_putc(&line, '\n');
	result = fl_stream_create(&out, positions->path, err);
	if (result == 0)
		result = fl_stream_write(out, line.data, line.len, err);
	if (result == 0)
		result = fl_stream_finish(out, err);
	fl_stream_close(&out);
	fl_mark_release(&mark);
	fl_buf_release(&line);
	positions->moved = positions->whole = false;
	positions->saved_ns = fl_monotonic_ns();
	return result < 0 ? fl_error_wrap(err, "--state") : 0;
}

void fl_positions_close(struct fl_positions **positions)
{
	struct fl_positions *old = *positions;

	*positions = NULL;
	if (!old)
		return;
	fl_map_release(&old->origins, free_position);
	free(old->path);
	free(old);
}
