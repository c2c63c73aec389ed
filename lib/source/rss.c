/* rss: see rss.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/rss.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/time.h"
#include "io/xml.h"

/* --- dates --- */

static const char *skip_blanks(const char *at)
{
	while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')
		at++;
	return at;
}

/* Up to `most` digits; NULL: there are none, or more. */
static const char *read_digits(const char *at, int most, int *value)
{
	int count = 0;

	for (*value = 0; *at >= '0' && *at <= '9'; at++, count++) {
		if (count == most)
			return NULL;
		*value = 10 * *value + (*at - '0');
	}
	return count ? at : NULL;
}

static bool read_month(const char *at, int *month)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++) {
		if (strncasecmp(at, names + (size_t)i * 3, 3) == 0) {
			*month = i + 1;
			return true;
		}
	}
	return false;
}

/* Minutes east of UTC; false: no zone that RFC 822 knows. */
static bool read_zone(const char *at, int *minutes)
{
	static const struct {
		const char *name;
		int hours;
	} names[] = {
		{ "GMT", 0 },  { "UTC", 0 },  { "UT", 0 },   { "Z", 0 },
		{ "EST", -5 }, { "EDT", -4 }, { "CST", -6 }, { "CDT", -5 },
		{ "MST", -7 }, { "MDT", -6 }, { "PST", -8 }, { "PDT", -7 },
	};
	size_t len = strcspn(at, " \t\r\n");
	int digits;

	if ((*at == '+' || *at == '-') && len == 5 &&
	    read_digits(at + 1, 4, &digits) == at + 5) {
		*minutes = digits / 100 * 60 + digits % 100;
		if (*at == '-')
			*minutes = -*minutes;
		return digits % 100 < 60 && digits < 2400;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strlen(names[i].name) == len &&
		    strncasecmp(at, names[i].name, len) == 0) {
			*minutes = names[i].hours * 60;
			return true;
		}
	}
	return false;
}

int64_t fl_rss_time(const char *text)
{
	struct fl_civil civil = { .year = 0 };
	const char *at = skip_blanks(text), *from;
	int64_t ns;
	int zone;

	if (*at < '0' || *at > '9') { /* "Fri," */
		at = strchr(at, ',');
		if (!at || at - text > 20)
			return FL_TIME_NONE;
		at = skip_blanks(at + 1);
	}
	at = read_digits(at, 2, &civil.day);
	if (!at || !read_month(at = skip_blanks(at), &civil.month))
		return FL_TIME_NONE;
	from = at = skip_blanks(at + 3);
	at = read_digits(at, 4, &civil.year);
	if (!at || at - from == 1)
		return FL_TIME_NONE;
	if (at - from < 4)
		civil.year += at - from == 2 && civil.year < 50 ? 2000 : 1900;
	at = read_digits(skip_blanks(at), 2, &civil.hour);
	if (!at || *at != ':')
		return FL_TIME_NONE;
	at = read_digits(at + 1, 2, &civil.minute);
	if (at && *at == ':')
		at = read_digits(at + 1, 2, &civil.second);
	if (!at || !read_zone(skip_blanks(at), &zone))
		return FL_TIME_NONE;
	ns = fl_time_from_civil(&civil);
	if (ns == FL_TIME_NONE)
		return FL_TIME_NONE;
	ns -= zone * FL_MINUTE;
	return ns < FL_TIME_MIN || ns > FL_TIME_MAX ? FL_TIME_NONE : ns;
}

/* --- feeds --- */

enum {
	DEPTH_MAX = 32,
	TEXT_MAX = 64 * 1024, /* of one element */
	FEED_MAX = 8 << 20,
};

enum part {
	ID,
	TITLE,
	URL,
	SUMMARY,
	PUBLISHER,
	DATE,
	PARTS,
};

static const char *const part_names[PARTS] = { "guid",   "title",
					       "link",   "description",
					       "source", "pubDate" };

struct reader {
	void (*each)(void *arg, const struct fl_rss_item *item);
	void *arg;
	unsigned item_depth; /* 0: outside an item */
	int part;            /* the text of which comes; -1 */
	struct fl_buf parts[PARTS];
};

static void take_start(struct fl_xml *xml, void *arg, const char *name)
{
	unsigned depth = fl_xml_depth(xml);
	struct reader *r = arg;

	if (depth == 1) {
		if (strcmp(name, "rss") != 0 && strcmp(name, "rdf:RDF") != 0)
			fl_xml_refuse(xml, "it is no RSS");
		return;
	}
	r->part = -1;
	if (!r->item_depth && strcmp(name, "item") == 0) {
		r->item_depth = depth;
		for (int i = 0; i < PARTS; i++)
			fl_buf_reset(&r->parts[i]);
		return;
	}
	if (!r->item_depth || depth != r->item_depth + 1)
		return;
	for (int i = 0; i < PARTS; i++)
		if (strcmp(part_names[i], name) == 0 && !r->parts[i].len)
			r->part = i;
}

static void give(struct reader *r)
{
	r->each(r->arg,
		&(struct fl_rss_item){
			.id = fl_buf_text(&r->parts[ID]),
			.title = fl_buf_text(&r->parts[TITLE]),
			.url = fl_buf_text(&r->parts[URL]),
			.summary = fl_buf_text(&r->parts[SUMMARY]),
			.publisher = fl_buf_text(&r->parts[PUBLISHER]),
			.ts_ns = fl_rss_time(fl_buf_text(&r->parts[DATE])) });
}

static void take_end(struct fl_xml *xml, void *arg, const char *name)
{
	unsigned depth = fl_xml_depth(xml);
	struct reader *r = arg;

	(void)name;
	if (r->item_depth && depth == r->item_depth) {
		give(r);
		r->item_depth = 0;
	}
	if (depth == r->item_depth + 1)
		r->part = -1;
}

static void take_text(struct fl_xml *xml, void *arg, const char *text,
		      size_t len)
{
	struct reader *r = arg;

	if (r->part < 0)
		return;
	fl_buf_append(&r->parts[r->part], text, len);
	if (r->parts[r->part].over)
		fl_xml_refuse(xml, "an element of it is too long");
}

int fl_rss_read(const char *text, size_t len,
		void (*each)(void *arg, const struct fl_rss_item *item),
		void *arg, struct fl_error *err)
{
	static const struct fl_xml_reader reader = {
		.depth = DEPTH_MAX,
		.doctype = "it has a document type, which no feed needs",
		.start = take_start,
		.end = take_end,
		.text = take_text,
	};
	struct reader r = { .each = each, .arg = arg, .part = -1 };
	int result;

	if (len > FEED_MAX)
		return fl_error_set(err, FL_ERR_DATA, "it is too long");
	for (int i = 0; i < PARTS; i++)
		r.parts[i].max = TEXT_MAX;
	result = fl_xml_read(text, len, &reader, &r, FL_ERR_DATA, err);
	for (int i = 0; i < PARTS; i++)
		fl_buf_release(&r.parts[i]);
	return result;
}
