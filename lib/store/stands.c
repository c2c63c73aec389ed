/* stands: see stands.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/stands.h"

#include <string.h>
#include <unistd.h>

#include "io/stream.h"

static void end_mark(struct fl_stands *stands)
{
	if (!stands->mark.pipeline)
		return;
	fl_mark_print(&stands->mark, &stands->text);
	fl_buf_putc(&stands->text, '\n');
	stands->mark.pipeline = NULL;
}

void fl_stands_begin(struct fl_stands *stands, const char *pipeline)
{
	end_mark(stands);
	fl_mark_reset(&stands->mark);
	stands->mark.pipeline = fl_arena_strndup(&stands->mark.arena, pipeline,
						 strlen(pipeline));
}

int fl_stands_add(void *arg, const struct fl_position *row,
		  struct fl_error *err)
{
	struct fl_stands *stands = arg;

	(void)err;
	if (!stands->mark.pipeline ||
	    strcmp(stands->mark.pipeline, row->pipeline) != 0)
		fl_stands_begin(stands, row->pipeline);
	stands->pipelines += stands->mark.count == 0;
	stands->positions++;
	fl_mark_set(&stands->mark, row->origin, row->pos, row->pos, row->wm,
		    row->record_time);
	return 0;
}

int fl_stands_print(struct fl_stands *stands, const char *place,
		    struct fl_buf *told, struct fl_error *err)
{
	end_mark(stands);
	fl_buf_printf(told, "'%s' holds %llu position%s of %llu pipeline%s",
		      place, (unsigned long long)stands->positions,
		      stands->positions == 1 ? "" : "s",
		      (unsigned long long)stands->pipelines,
		      stands->pipelines == 1 ? "" : "s");
	return fl_write_all(STDOUT_FILENO, stands->text.data, stands->text.len,
			    "standard output", err);
}

void fl_stands_release(struct fl_stands *stands)
{
	fl_mark_release(&stands->mark);
	fl_buf_release(&stands->text);
}
