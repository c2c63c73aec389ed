/* fill: see fill.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/fill.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int fl_fill_find(struct fl_holes **out, const char *place, char *const *symbols,
		 const struct fl_holes_ask *series, struct fl_error *err)
{
	const struct fl_calendars *calendars = NULL;
	struct fl_store *store = NULL;
	size_t count = 0;
	int result;

	while (symbols[count])
		count++;
	*out = fl_zalloc((count + 1) * sizeof(**out));
	result = fl_store_open(&store, place, FL_STORE_READ, err);
	if (result == 0)
		result = fl_calendars_open(&calendars, NULL, err);
	for (size_t i = 0; result == 0 && i < count; i++) {
		struct fl_holes_ask ask = *series;

		ask.symbol = symbols[i];
		ask.calendars = calendars;
		result = fl_holes_find(&(*out)[i], store, &ask, err);
	}
	fl_calendars_close(&calendars);
	fl_store_close(&store);
	return result;
}

void fl_fill_release(struct fl_holes **holes, char *const *symbols)
{
	for (size_t i = 0; *holes && symbols && symbols[i]; i++)
		fl_holes_release(&(*holes)[i]);
	free(*holes);
	*holes = NULL;
}

static void put_text(struct fl_buf *line, const char *lead, const char *text)
{
	fl_buf_puts(line, lead);
	fl_buf_json_string(line, text, strlen(text));
}

static void put_time(struct fl_buf *line, const char *lead, int64_t ns)
{
	char text[FL_TIME_TEXT];

	fl_time_print(ns, text);
	put_text(line, lead, text);
}

/* As `fl-fetch store --list` tells what is there. */
static void put_hole(struct fl_buf *line, const struct fl_hole *hole,
		     const char *symbol, const struct fl_holes_ask *series)
{
	bool dated = series->interval->dated;
	char *subject = fl_sprintf("bar/%s/%s/%s", series->provider, symbol,
				   series->interval->text);
	int64_t first = dated ? hole->from_day * FL_DAY : hole->from_ns;
	int64_t last = dated ? (hole->to_day - 1) * FL_DAY
			     : hole->to_ns - series->interval->ns;

	fl_buf_reset(line);
	put_time(line, "{\"type\":\"stat\",\"ts\":", first);
	put_text(line,
		 ",\"provider\":\"fl-fetch\",\"stat\":\"holes\","
		 "\"subject\":",
		 subject);
	put_text(line,
		 ",\"by\":{\"type\":\"bar\",\"provider\":", series->provider);
	put_text(line, ",\"symbol\":", symbol);
	put_text(line, ",\"interval\":", series->interval->text);
	fl_buf_printf(line, "},\"values\":{\"count\":%llu",
		      (unsigned long long)hole->missing);
	put_time(line, ",\"first\":", first);
	put_time(line, ",\"last\":", last < first ? first : last);
	fl_buf_puts(line, "}}");
	free(subject);
}

int fl_fill_list(const struct fl_holes *holes, char *const *symbols,
		 const struct fl_holes_ask *series,
		 int (*each)(void *arg, const char *bytes, size_t len,
			     struct fl_error *err),
		 void *arg, struct fl_error *err)
{
	struct fl_buf line = FL_BUF_INIT;
	int result = 0;

	for (size_t i = 0; symbols[i]; i++) {
		for (size_t j = 0; result == 0 && j < holes[i].count; j++) {
			put_hole(&line, &holes[i].items[j], symbols[i], series);
			result = each(arg, line.data, line.len, err);
		}
	}
	fl_buf_release(&line);
	return result;
}

bool fl_fill_has_day(const struct fl_holes *holes, int64_t day)
{
	for (size_t i = 0; i < holes->count; i++) {
		if (day >= holes->items[i].from_day &&
		    day < holes->items[i].to_day)
			return true;
	}
	return false;
}

bool fl_fill_has(const struct fl_holes *holes, int64_t ns)
{
	for (size_t i = 0; i < holes->count; i++) {
		if (ns >= holes->items[i].from_ns && ns < holes->items[i].to_ns)
			return true;
	}
	return false;
}
