/* bar-line: see bar-line.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/bar-line.h"

#include "base/short.h"

enum {
	ROOM = 700, /* more than the numbers and keys of a bar take */
};

/* Lines are written where room for a whole one was made before. */
static char *add(char *at, const char *text, size_t len)
{
	fl_short_copy(at, text, len);
	return at + len;
}

#define ADD(at, text) add(at, text, sizeof(text) - 1)

static char *add_number(char *at, struct fl_decimal value)
{
	return at + fl_decimal_print(value, at);
}

static char *add_price(char *at, const struct fl_bar_values *values, unsigned i)
{
	return values->has & 1u << i ? add_number(at, values->prices[i])
				     : ADD(at, "null");
}

void fl_bar_line_begin(struct fl_bar_line *line, unsigned adj, bool dated,
		       bool all_sessions)
{
	static const char *const adjs[] = { "none", "split", "all" };

	*line = (struct fl_bar_line){ .dated = dated,
				      .all_sessions = all_sessions };
	fl_buf_printf(&line->adj, ",\"adj\":\"%s\"%s", adjs[adj],
		      dated ? ",\"date\":\"" : "");
	if (dated)
		fl_buf_putc(&line->zone, '"');
}

void fl_bar_line_put(const struct fl_bar_line *line, const char *ts, size_t len,
		     const struct fl_bar_values *values, struct fl_buf *out)
{
	char *at;

	fl_buf_reserve(out, line->middle.len + line->zone.len + line->tail.len +
				    ROOM);
	at = out->data + out->len;
	at = ADD(at, "{\"type\":\"bar\",\"ts\":\"");
	at = add(at, ts, len);
	at = add(at, line->middle.data, line->middle.len);
	at = add_price(at, values, 0);
	at = add_price(ADD(at, ",\"high\":"), values, 1);
	at = add_price(ADD(at, ",\"low\":"), values, 2);
	at = add_price(ADD(at, ",\"close\":"), values, 3);
	at = add(at, line->adj.data, line->adj.len);
	if (line->dated)
		at = add(at, ts, 10);
	at = add(at, line->zone.data, line->zone.len);
	if (values->volume)
		at = add_number(ADD(at, ",\"volume\":"), *values->volume);
	if (values->adjclose)
		at = add_number(ADD(at, ",\"adj_close\":"), *values->adjclose);
	if (line->all_sessions)
		at = ADD(at, ",\"session\":\"all\"");
	if (values->open)
		at = ADD(at, ",\"final\":false");
	at = add(at, line->tail.data, line->tail.len);
	out->len = (size_t)(at - out->data);
}

void fl_bar_line_release(struct fl_bar_line *line)
{
	fl_buf_release(&line->middle);
	fl_buf_release(&line->adj);
	fl_buf_release(&line->zone);
	fl_buf_release(&line->tail);
}
