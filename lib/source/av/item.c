/* item: records that are made while an answer is read.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "source/av/av.h"

struct fl_buf *fl_av_item_begin(struct fl_av_job *job, const char *type,
				int64_t ts_ns, bool dated)
{
	char ts[FL_TIME_TEXT];

	job->item_start = job->text.len;
	fl_buf_printf(&job->text, "{\"type\":\"%s\",\"ts\":\"", type);
	fl_buf_append(&job->text, ts, fl_time_print(ts_ns, ts));
	if (dated)
		fl_buf_printf(&job->text, "\",\"date\":\"%.10s", ts);
	fl_buf_puts(&job->text, "\",\"provider\":\"" FL_AV "\"");
	return &job->text;
}

static struct fl_av_item *add(struct fl_av_job *job, int64_t ts_ns)
{
	struct fl_av_item *item;

	if (job->item_count == job->item_cap) {
		job->item_cap = job->item_cap ? 2 * job->item_cap : 16;
		job->items = fl_realloc(job->items, job->item_cap,
					sizeof(*job->items));
	}
	item = &job->items[job->item_count++];
	*item = (struct fl_av_item){ .at = job->item_start,
				     .len = job->text.len - job->item_start,
				     .ts_ns = ts_ns };
	return item;
}

void fl_av_item_end(struct fl_av_job *job, int64_t ts_ns, bool rounded)
{
	fl_buf_putc(&job->text, '}');
	add(job, ts_ns)->rounded = rounded;
}

void fl_av_item_refuse(struct fl_av_job *job, enum fl_reason reason,
		       const char *raw, size_t len, const char *field,
		       const char *format, ...)
{
	struct fl_note note = { "", "" };
	char detail[sizeof(note.detail)];
	struct fl_av_item *item;
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	fl_note_set(&note, field, "%s", detail);
	job->text.len = job->item_start;
	fl_buf_append(&job->text, raw, len);
	item = add(job, 0);
	item->reason = reason;
	item->note = fl_alloc(sizeof(note));
	*item->note = note;
}
