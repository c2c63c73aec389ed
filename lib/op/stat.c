/* stat: see stat.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/stat.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/time.h"
#include "op/shown.h"

enum {
	LABEL_MAX = 200, /* FL_FORM_LABEL */
	HASH_LEN = 17,   /* ~ and 16 digits */
};

/* A label as a JSON string, cut where it must be, but still one for each text:
 * it is part of the natural key. */
static void put_label(struct fl_buf *out, const char *text, size_t len)
{
	char cut[LABEL_MAX + 1];
	size_t keep = LABEL_MAX - HASH_LEN;

	if (len <= LABEL_MAX) {
		fl_buf_json_string(out, text, len);
		return;
	}
	while (((unsigned char)text[keep] & 0xc0) == 0x80)
		keep--;
	snprintf(cut, sizeof(cut), "%.*s~%016llx", (int)keep, text,
		 (unsigned long long)fl_hash64(text, len));
	fl_buf_json_string(out, cut, strlen(cut));
}

void fl_stat_begin(struct fl_stat *stat, int64_t ts_ns, const char *provider,
		   const char *what, const char *subject, const char *window)
{
	struct fl_buf *head = &stat->head, *made = &stat->line;
	char ts[FL_TIME_TEXT];

	fl_buf_reset(head);
	fl_buf_reset(&stat->by);
	fl_buf_reset(&stat->values);
	fl_time_print(ts_ns, ts);
	fl_buf_printf(head,
		      "{\"type\":\"stat\",\"ts\":\"%s\",\"provider\":", ts);
	fl_buf_reset(made);
	if (strncmp(provider, "agg:", 4) != 0)
		fl_buf_puts(made, "agg:");
	fl_buf_puts(made, provider);
	put_label(head, made->data, made->len);
	fl_buf_printf(head, ",\"stat\":\"%s\"", what);
	if (*subject) {
		fl_buf_puts(head, ",\"subject\":");
		put_label(head, subject, strlen(subject));
	}
	if (window) {
		fl_buf_puts(head, ",\"window\":");
		put_label(head, window, strlen(window));
	}
}

static void put_name(struct fl_buf *out, const char *name)
{
	fl_buf_putc(out, out->len ? ',' : '{');
	fl_buf_json_string(out, name, strlen(name));
	fl_buf_putc(out, ':');
}

void fl_stat_by(struct fl_stat *stat, const char *name, const char *text)
{
	put_name(&stat->by, name);
	fl_buf_json_string(&stat->by, text, strlen(text));
}

void fl_stat_real(struct fl_stat *stat, const char *name, double value)
{
	struct fl_decimal decimal;

	if (fl_decimal_from_double(stat->table ? fl_shown(value) : value,
				   &decimal))
		fl_stat_decimal(stat, name, decimal);
}

void fl_stat_decimal(struct fl_stat *stat, const char *name,
		     struct fl_decimal value)
{
	char text[FL_DECIMAL_TEXT];

	put_name(&stat->values, name);
	fl_buf_append(&stat->values, text, fl_decimal_print(value, text));
}

void fl_stat_count(struct fl_stat *stat, const char *name, uint64_t value)
{
	put_name(&stat->values, name);
	fl_buf_u64(&stat->values, value);
}

int fl_stat_write(struct fl_stat *stat, struct fl_writer *out,
		  struct fl_error *err)
{
	struct fl_buf *line = &stat->line;

	fl_buf_reset(line);
	fl_buf_append(line, stat->head.data, stat->head.len);
	if (stat->by.len) {
		fl_buf_puts(line, ",\"by\":");
		fl_buf_append(line, stat->by.data, stat->by.len);
		fl_buf_putc(line, '}');
	}
	if (stat->values.len) {
		fl_buf_puts(line, ",\"values\":");
		fl_buf_append(line, stat->values.data, stat->values.len);
		fl_buf_putc(line, '}');
	}
	fl_buf_putc(line, '}');
	return fl_writer_text(out, line->data, line->len, err);
}

void fl_stat_release(struct fl_stat *stat)
{
	fl_buf_release(&stat->head);
	fl_buf_release(&stat->by);
	fl_buf_release(&stat->values);
	fl_buf_release(&stat->line);
}
