/* sessions-file: see sessions-file.h.
 *
 * One line is one fact, and each keyword one function in a table. What two
 * lines say together (hours in order, a date twice) is looked at where an
 * exchange ends, with the line at fault in the message.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rec/sessions-file.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "base/utf8.h"
#include "base/zone.h"

struct reader {
	const char *path;
	unsigned line;
	const char *p, *end; /* what is left of the line */
	struct fl_calendars *set;
	struct fl_exchange *ex; /* the one that lines are about */
	struct fl_error *err;
};

struct word {
	const char *p;
	size_t len;
};

enum {
	DAY = 24 * 3600,
	MOST_SHOWN = 60,
	MOST_EXCHANGES = 1000,
};

static int fail_at(struct reader *in, unsigned line, enum fl_code code,
		   const char *text)
{
	return fl_error_set(in->err, code, "'%s' line %u: %s",
			    fl_show(in->path, strlen(in->path), 200), line,
			    text);
}

static int fail(struct reader *in, const char *text)
{
	return fail_at(in, in->line, FL_ERR_DATA, text);
}

static int fail_word(struct reader *in, struct word word, const char *why)
{
	return fl_error_set(in->err, FL_ERR_DATA, "'%s' line %u: '%s' %s",
			    fl_show(in->path, strlen(in->path), 200), in->line,
			    fl_show(word.p, word.len, MOST_SHOWN), why);
}

/* --- words --- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* false at the end of the line. */
static bool next_word(struct reader *in, struct word *word)
{
	while (in->p < in->end && is_blank(*in->p))
		in->p++;
	word->p = in->p;
	while (in->p < in->end && !is_blank(*in->p))
		in->p++;
	word->len = (size_t)(in->p - word->p);
	return word->len > 0;
}

static bool is(struct word word, const char *text)
{
	return word.len == strlen(text) && memcmp(word.p, text, word.len) == 0;
}

static int want_end(struct reader *in)
{
	struct word word;

	if (next_word(in, &word))
		return fail_word(in, word, "is one word too many");
	return 0;
}

static int want_date(struct reader *in, int64_t *day)
{
	struct word word;

	if (!next_word(in, &word))
		return fail(in, "a date is missing: 2026-01-31");
	if (!fl_date_parse(word.p, word.len, day))
		return fail_word(in, word, "is no date: 2026-01-31");
	return 0;
}

/* "09:30", up to "24:00"; seconds of the day. */
static bool read_clock(const char *p, size_t len, int32_t *seconds)
{
	int hour, minute;

	if (len != 5 || p[2] != ':')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (i != 2 && (p[i] < '0' || p[i] > '9'))
			return false;
	}
	hour = (p[0] - '0') * 10 + p[1] - '0';
	minute = (p[3] - '0') * 10 + p[4] - '0';
	*seconds = hour * 3600 + minute * 60;
	return minute < 60 && *seconds <= DAY;
}

static int want_clock(struct reader *in, int32_t *seconds)
{
	struct word word;

	if (!next_word(in, &word))
		return fail(in, "a time is missing: 09:30");
	if (!read_clock(word.p, word.len, seconds))
		return fail_word(in, word, "is no time of day: 09:30");
	return 0;
}

/* "09:30-16:00" */
static bool read_span(struct word word, int32_t *from, int32_t *to)
{
	return word.len == 11 && word.p[5] == '-' &&
	       read_clock(word.p, 5, from) && read_clock(word.p + 6, 5, to);
}

/* One span, or two with a break between; *word is the first one after. */
static int want_spans(struct reader *in, struct fl_hours *hours,
		      struct word *word)
{
	if (!next_word(in, word))
		return fail(in, "hours are missing: 09:30-16:00");
	if (!read_span(*word, &hours->open, &hours->close))
		return fail_word(in, *word, "are no hours: 09:30-16:00");
	/* Not before its close: it opens on the evening before. */
	if (hours->open >= hours->close)
		hours->open -= DAY;
	hours->break_from = hours->break_to = 0;
	if (!next_word(in, word))
		return 0;
	if (read_span(*word, &hours->break_to, &hours->break_from)) {
		int32_t close = hours->break_from;

		hours->break_from = hours->close;
		hours->close = close;
		if (hours->break_from >= hours->break_to ||
		    hours->break_to >= hours->close)
			return fail_word(in, *word,
					 "does not come after the hours before "
					 "it");
		next_word(in, word);
	}
	if (hours->close - hours->open > DAY)
		return fail(in, "from first to last that is more than a day");
	return 0;
}

/* --- codes --- */

bool fl_calendars_key(const char *code, size_t len, char key[FL_CODE_MAX])
{
	if (len == 0 || len > FL_CODE_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		key[i] = (char)(code[i] >= 'a' && code[i] <= 'z'
					? code[i] - ('a' - 'A')
					: code[i]);
	return true;
}

static int add_code(struct reader *in, struct word word)
{
	char key[FL_CODE_MAX];
	void **slot;

	if (!fl_calendars_key(word.p, word.len, key))
		return fail_word(in, word, "is longer than any code is");
	slot = fl_map_at(&in->set->codes, key, word.len);
	if (*slot) {
		const struct fl_exchange *other = *slot;

		return fl_error_set(
			in->err, FL_ERR_DATA,
			"'%s' line %u: '%s' is a name of '%s' (line %u) already",
			fl_show(in->path, strlen(in->path), 200), in->line,
			fl_show(word.p, word.len, MOST_SHOWN),
			fl_show(other->name, strlen(other->name), MOST_SHOWN),
			other->line);
	}
	*slot = in->ex;
	return 0;
}

/* --- facts: one function for each keyword --- */

static int read_also(struct reader *in)
{
	struct word word;

	if (!next_word(in, &word))
		return fail(in, "codes are missing: also XNAS NMS");
	do {
		if (add_code(in, word) < 0)
			return -1;
	} while (next_word(in, &word));
	return 0;
}

static int read_zone(struct reader *in)
{
	struct fl_exchange *ex = in->ex;
	struct word word;

	if (ex->zone_name)
		return fail(in, "the zone was given already");
	if (!next_word(in, &word))
		return fail(in, "a time zone is missing: Europe/Berlin");
	ex->zone_name = fl_arena_strndup(&in->set->arena, word.p, word.len);
	if (fl_zone_open(ex->zone_name, &ex->zone, in->err) < 0)
		return fl_error_wrap(in->err, "'%s' line %u",
				     fl_show(in->path, strlen(in->path), 200),
				     in->line);
	return want_end(in);
}

static int read_weekend(struct reader *in)
{
	static const char *const names[] = { "Mon", "Tue", "Wed", "Thu",
					     "Fri", "Sat", "Sun" };
	struct fl_exchange *ex = in->ex;
	struct word word;

	if (ex->weekend_given)
		return fail(in, "the weekend was given already");
	ex->weekend_given = true;
	if (!next_word(in, &word))
		return fail(in, "days are missing: Sat Sun, or none");
	if (is(word, "none"))
		return want_end(in);
	do {
		unsigned i = 0;

		while (i < 7 && !is(word, names[i]))
			i++;
		if (i == 7)
			return fail_word(in, word,
					 "is no day of the week: Mon Tue Wed "
					 "Thu Fri Sat Sun");
		ex->weekend |= 1U << i;
	} while (next_word(in, &word));
	if (ex->weekend == 0x7f)
		return fail(in, "a weekend of seven days leaves none to trade");
	return 0;
}

static int read_known(struct reader *in)
{
	struct fl_exchange *ex = in->ex;
	struct word word;

	if (ex->known_given)
		return fail(in, "what is known was given already");
	ex->known_given = true;
	if (want_date(in, &ex->known_from) < 0)
		return -1;
	if (!next_word(in, &word) || !is(word, "to"))
		return fail(in, "'to' is missing: known 2000-01-01 to "
				"2030-12-31");
	if (want_date(in, &ex->known_to) < 0)
		return -1;
	if (ex->known_to < ex->known_from)
		return fail(in, "the end is before the beginning");
	return want_end(in);
}

/* What may stand behind the spans: auction, pre, post, from. */
static int read_more_hours(struct reader *in, struct fl_hours *hours,
			   struct word word)
{
	int32_t *clock, pre = -1, auction = -1, post = -1;

	while (word.len) {
		if (is(word, "from")) {
			if (want_date(in, &hours->from) < 0)
				return -1;
			if (want_end(in) < 0)
				return -1;
			break;
		}
		clock = is(word, "pre")       ? &pre
			: is(word, "auction") ? &auction
			: is(word, "post")    ? &post
					      : NULL;
		if (!clock)
			return fail_word(in, word,
					 "is none of: auction pre post from");
		if (*clock >= 0)
			return fail_word(in, word, "stands there twice");
		if (want_clock(in, clock) < 0)
			return -1;
		next_word(in, &word);
	}
	hours->pre = hours->open;
	if (pre >= 0) {
		hours->pre = hours->open < 0 ? pre - DAY : pre;
		if (hours->pre >= hours->open)
			return fail(in, "the pre-market does not begin before "
					"the exchange opens");
	}
	if (auction >= 0) {
		hours->closing = auction - hours->close;
		if (hours->closing <= 0)
			return fail(in, "the closing auction does not end "
					"after the close");
	}
	hours->post = hours->closing;
	if (post >= 0) {
		hours->post = post - hours->close;
		if (hours->post <= hours->closing)
			return fail(in, "the post-market does not end after "
					"the close and its auction");
	}
	if (hours->close + hours->post - hours->pre > DAY)
		return fail(in, "from first to last that is more than a day");
	return 0;
}

static int read_hours(struct reader *in)
{
	struct fl_exchange *ex = in->ex;
	struct fl_hours hours = { .from = INT64_MIN, .line = in->line };
	struct word word;

	if (want_spans(in, &hours, &word) < 0 ||
	    read_more_hours(in, &hours, word) < 0)
		return -1;
	if (!ex->hours_count && hours.from != INT64_MIN)
		return fail(in, "the first hours have no 'from': they hold for "
				"all that is before the next");
	if (ex->hours_count && hours.from == INT64_MIN)
		return fail(in, "hours were given already; later ones say "
				"since when: from 2026-01-31");
	if (ex->hours_count &&
	    hours.from <= ex->hours[ex->hours_count - 1].from)
		return fail(in, "hours stand in the order of their dates");
	ex->hours =
		fl_realloc(ex->hours, ex->hours_count + 1, sizeof(*ex->hours));
	ex->hours[ex->hours_count++] = hours;
	return 0;
}

static void add_special(struct fl_exchange *ex,
			const struct fl_special *special)
{
	size_t n = ex->special_count;

	if ((n & (n - 1)) == 0) /* full at each power of two */
		ex->specials = fl_realloc(ex->specials, n ? n * 2 : 1,
					  sizeof(*ex->specials));
	ex->specials[ex->special_count++] = *special;
}

/* The words behind the date are for people. */
static int read_closed(struct reader *in)
{
	struct fl_special special = { .line = in->line, .closed = true };

	if (want_date(in, &special.day) < 0)
		return -1;
	add_special(in->ex, &special);
	return 0;
}

static int read_on(struct reader *in)
{
	struct fl_special special = { .line = in->line };
	struct fl_hours hours = { 0 };
	struct word word;

	if (want_date(in, &special.day) < 0 ||
	    want_spans(in, &hours, &word) < 0)
		return -1;
	/* Not a word for people: hours with a slip in them. */
	if (word.len && *word.p >= '0' && *word.p <= '9')
		return fail_word(in, word, "are no hours: 09:30-16:00");
	special.open = hours.open;
	special.close = hours.close;
	special.break_from = hours.break_from;
	special.break_to = hours.break_to;
	add_special(in->ex, &special);
	return 0;
}

/* --- exchanges --- */

static int by_day(const void *a, const void *b)
{
	const struct fl_special *x = a, *y = b;

	if (x->day != y->day)
		return x->day < y->day ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

/* An exchange is whole: what its lines say together. */
static int end_exchange(struct reader *in)
{
	struct fl_exchange *ex = in->ex;

	if (!ex)
		return 0;
	if (!ex->zone_name)
		return fail_at(in, ex->line, FL_ERR_DATA,
			       "the exchange has no zone");
	if (!ex->hours_count)
		return fail_at(in, ex->line, FL_ERR_DATA,
			       "the exchange has no hours");
	if (!ex->weekend_given)
		return fail_at(in, ex->line, FL_ERR_DATA,
			       "the exchange has no weekend: Sat Sun, or none");
	if (ex->special_count)
		qsort(ex->specials, ex->special_count, sizeof(*ex->specials),
		      by_day);
	for (size_t i = 1; i < ex->special_count; i++) {
		const struct fl_special *s = &ex->specials[i];

		if (s->day == s[-1].day)
			return fl_error_set(
				in->err, FL_ERR_DATA,
				"'%s' line %u: the date stands in line %u "
				"already",
				fl_show(in->path, strlen(in->path), 200),
				s->line, s[-1].line);
	}
	return 0;
}

/* The words behind the code are for people. */
static int begin_exchange(struct reader *in)
{
	struct fl_calendars *set = in->set;
	struct fl_exchange *ex;
	struct word word;

	if (end_exchange(in) < 0)
		return -1;
	if (!next_word(in, &word))
		return fail(in, "a name is missing: exchange XNYS");
	if (set->count == MOST_EXCHANGES)
		return fail(in, "more exchanges than a file may have (1000)");
	ex = fl_zalloc(sizeof(*ex));
	ex->line = in->line;
	ex->known_from = INT64_MIN;
	ex->known_to = INT64_MAX;
	ex->name = fl_arena_strndup(&set->arena, word.p, word.len);
	set->exchanges = fl_realloc(set->exchanges, set->count + 1,
				    sizeof(*set->exchanges));
	set->exchanges[set->count++] = ex;
	in->ex = ex;
	return add_code(in, word);
}

/* --- lines --- */

static const struct {
	const char *keyword;
	int (*read)(struct reader *in);
} facts[] = {
	{ "closed", read_closed }, { "on", read_on },
	{ "hours", read_hours },   { "also", read_also },
	{ "zone", read_zone },     { "weekend", read_weekend },
	{ "known", read_known },
};

static int read_line(struct reader *in)
{
	struct word word;

	if (!next_word(in, &word))
		return 0;
	if (is(word, "exchange"))
		return begin_exchange(in);
	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
		if (!is(word, facts[i].keyword))
			continue;
		if (!in->ex)
			return fail_word(in, word,
					 "is of no exchange: a line 'exchange "
					 "CODE' comes first");
		return facts[i].read(in);
	}
	return fail_word(in, word,
			 "is no keyword; they are: exchange also zone weekend "
			 "hours known closed on");
}

/* A comment begins the line or stands behind a blank. */
static const char *find_comment(const char *p, const char *end)
{
	for (const char *at = p; at < end; at++) {
		if (*at == '#' && (at == p || is_blank(at[-1])))
			return at;
	}
	return end;
}

static int read_lines(struct reader *in, const char *text, size_t len)
{
	const char *p = text, *end = text + len;

	if (len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		const char *next = lf ? lf : end;

		in->line++;
		if (memchr(p, '\0', (size_t)(next - p)) ||
		    !fl_utf8_valid(p, (size_t)(next - p)))
			return fail(in, "not UTF-8 text");
		in->p = p;
		in->end = find_comment(p, next);
		if (read_line(in) < 0)
			return -1;
		p = lf ? lf + 1 : end;
	}
	if (!in->set->count)
		return fl_error_set(in->err, FL_ERR_DATA,
				    "'%s' holds no calendars: no line "
				    "'exchange CODE'",
				    fl_show(in->path, strlen(in->path), 200));
	return end_exchange(in);
}

int fl_calendars_read(struct fl_calendars *set, const char *path,
		      const char *text, size_t len, struct fl_error *err)
{
	struct reader in = { .path = path, .set = set, .err = err };

	*set = (struct fl_calendars){ 0 };
	if (read_lines(&in, text, len) < 0) {
		fl_calendars_release(set);
		return -1;
	}
	return 0;
}

void fl_calendars_release(struct fl_calendars *set)
{
	for (size_t i = 0; i < set->count; i++) {
		free(set->exchanges[i]->hours);
		free(set->exchanges[i]->specials);
		free(set->exchanges[i]);
	}
	free(set->exchanges);
	fl_map_release(&set->codes, NULL);
	fl_arena_release(&set->arena);
	*set = (struct fl_calendars){ 0 };
}
