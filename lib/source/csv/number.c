/* csv_number: numbers as people write them, to numbers as JSON has them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/csv/number.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A cell without what stands around its digits. */
struct digits {
	const char *text; /* digits, points, commas */
	size_t len;
	bool negative;
	const char *exponent; /* behind the e; NULL: none */
	size_t exponent_len;
	char suffix; /* % K M B T, or 0 */
};

enum reading {
	READ_EITHER, /* no comma that matters */
	READ_POINT,  /* the point is the decimals', surely */
	READ_COMMA,  /* the comma is */
	READ_OPEN,   /* 1,234 */
	READ_NONE,
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool fl_csv_absent(const char *text, size_t len)
{
	static const char *const words[] = { "-",    "--",   ".",    "null",
					     "none", "nan",  "na",   "n/a",
					     "n/d",  "n.a.", "#n/a", "nil" };

	if (len == 0)
		return true;
	if (len > 4 || is_digit(*text))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strlen(words[i]) == len &&
		    strncasecmp(words[i], text, len) == 0)
			return true;
	}
	return false;
}

/* A blank, an unbreakable one (U+00A0), or a currency's sign at `text`: its
 * length in bytes, 0 when it is none. */
static size_t ornament(const char *text, size_t len)
{
	static const char *const signs[] = {
		" ",        "\t",      "\xc2\xa0", "$", "\xe2\x82\xac",
		"\xc2\xa3", "\xc2\xa5"
	};

	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
		size_t sign = strlen(signs[i]);

		if (len >= sign && memcmp(text, signs[i], sign) == 0)
			return sign;
	}
	return 0;
}

/* Drop signs, blanks and suffix; false when no digits are left. */
static bool strip(const char *text, size_t len, struct digits *d)
{
	bool sign = false;
	size_t skip;

	memset(d, 0, sizeof(*d));
	while (len) {
		if (!sign && (*text == '-' || *text == '+')) {
			sign = true;
			d->negative = *text == '-';
			skip = 1;
		} else {
			skip = ornament(text, len);
		}
		if (!skip)
			break;
		text += skip;
		len -= skip;
	}
	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	while (len >= 2 && memcmp(text + len - 2, "\xc2\xa0", 2) == 0)
		len -= 2;
	if (len && text[len - 1] && strchr("%kKmMbBtT", text[len - 1])) {
		d->suffix = text[--len];
		if (d->suffix != '%')
			d->suffix &= ~' ';
	}
	while (len && text[len - 1] == ' ')
		len--;
	d->text = text;
	for (d->len = 0; d->len < len; d->len++) {
		char c = text[d->len];

		if (!is_digit(c) && c != '.' && c != ',')
			break;
	}
	if (d->len == len)
		return len > 0;
	if ((text[d->len] | ' ') != 'e')
		return false;
	d->exponent = text + d->len + 1;
	d->exponent_len = len - d->len - 1;
	return d->len > 0;
}

/* Groups of digits with `separator` between them, 1 to 3 digits in the first,
 * 3 in the last, 2 or 3 between (India). */
static bool grouped(const char *text, size_t len, char separator)
{
	size_t group = 0, groups = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i < len && is_digit(text[i])) {
			group++;
			continue;
		}
		if (i < len && text[i] != separator)
			return false;
		if (group < 1 || group > 3 || (i == len && group != 3) ||
		    (i < len && groups > 0 && group < 2))
			return false;
		group = 0;
		groups++;
	}
	return groups > 1;
}

static const char *find(const char *text, size_t len, char c, size_t *count)
{
	const char *first = NULL;

	*count = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] != c)
			continue;
		if (!first)
			first = text + i;
		(*count)++;
	}
	return first;
}

static enum reading look(const struct digits *d)
{
	size_t commas, points;
	const char *comma = find(d->text, d->len, ',', &commas);
	const char *point = find(d->text, d->len, '.', &points);

	if (!commas && points <= 1)
		return READ_EITHER;
	if (commas == 1 && !points) {
		size_t before = (size_t)(comma - d->text);

		if (!grouped(d->text, d->len, ',') ||
		    (before == 1 && d->text[0] == '0'))
			return READ_COMMA;
		return READ_OPEN;
	}
	if (points <= 1 &&
	    grouped(d->text, points ? (size_t)(point - d->text) : d->len, ','))
		return READ_POINT;
	if (commas <= 1 &&
	    grouped(d->text, commas ? (size_t)(comma - d->text) : d->len, '.'))
		return READ_COMMA;
	return READ_NONE;
}

void fl_csv_numbers_add(struct fl_csv_numbers *numbers, const char *text,
			size_t len, uint64_t line)
{
	struct digits d;
	enum reading reading;

	if (!memchr(text, ',', len)) {
		const char *point = memchr(text, '.', len);

		/* 99.5 is a decimal point; 1.234 might be thousands. */
		if (!point || !strip(text, len, &d))
			return;
		reading = look(&d);
		if (reading == READ_COMMA)
			numbers->commas++;
		else if (reading == READ_EITHER && !grouped(d.text, d.len, '.'))
			numbers->points++;
		return;
	}
	if (!strip(text, len, &d))
		return;
	reading = look(&d);
	numbers->points += reading == READ_POINT;
	numbers->commas += reading == READ_COMMA;
	if (reading == READ_OPEN && !numbers->open.line) {
		numbers->open.line = line;
		snprintf(numbers->open.text, sizeof(numbers->open.text), "%s",
			 fl_show(text, len, sizeof(numbers->open.text) - 8));
	}
}

int fl_csv_numbers_settle(struct fl_csv_numbers *numbers, char delimiter,
			  const char *name, struct fl_error *err)
{
	numbers->style =
		numbers->commas > numbers->points ? FL_CSV_COMMA : FL_CSV_POINT;
	if (!numbers->open.line || numbers->commas || numbers->points ||
	    delimiter == ',' || delimiter == '|')
		return 0;
	return fl_error_set(err, FL_ERR_USAGE,
			    "'%s': '%s' in line %llu may have thousands or "
			    "decimals behind its comma, and no number of the "
			    "file tells which; write it without the comma",
			    fl_show(name, strlen(name), 200),
			    numbers->open.text,
			    (unsigned long long)numbers->open.line);
}

/* Which of the two separates decimals here? 0: cannot be read. */
static char decimal_sign(enum fl_csv_style style, char delimiter,
			 const struct digits *d)
{
	switch (look(d)) {
	case READ_EITHER:
		/* 1.234 has thousands where 1,5 has decimals. */
		if (style == FL_CSV_COMMA && memchr(d->text, '.', d->len))
			return grouped(d->text, d->len, '.') ? ',' : 0;
		return '.';
	case READ_POINT:
		return style == FL_CSV_COMMA ? 0 : '.';
	case READ_COMMA:
		return style == FL_CSV_POINT ? 0 : ',';
	case READ_OPEN:
		if (style == FL_CSV_EACH)
			return delimiter == ',' || delimiter == '|' ? '.' : 0;
		return style == FL_CSV_COMMA ? ',' : '.';
	case READ_NONE:
		break;
	}
	return 0;
}

static bool exponent_good(const struct digits *d)
{
	size_t i = d->exponent_len &&
		   (d->exponent[0] == '+' || d->exponent[0] == '-');

	if (i == d->exponent_len || d->exponent_len > 6)
		return false;
	for (; i < d->exponent_len; i++) {
		if (!is_digit(d->exponent[i]))
			return false;
	}
	return true;
}

size_t fl_csv_number(enum fl_csv_style style, char delimiter,
		     enum fl_csv_suffix suffix, const char *text, size_t len,
		     char *out)
{
	struct digits d;
	size_t at = 0, whole = 0, decimals = 0, digits = 0;
	bool behind = false;
	char sign;

	/* Zeros in front are dropped, so the digits have the room. */
	if (!strip(text, len, &d) || d.len > FL_CSV_NUMBER_MAX - 24)
		return 0;
	if (d.suffix == '%' ? !(suffix & FL_CSV_PERCENT)
			    : d.suffix && !(suffix & FL_CSV_SCALE))
		return 0;
	if (d.exponent && (d.suffix || !exponent_good(&d)))
		return 0;
	sign = decimal_sign(style, delimiter, &d);
	if (!sign)
		return 0;
	if (d.negative)
		out[at++] = '-';
	for (size_t i = 0; i < d.len; i++) {
		char c = d.text[i];

		digits += is_digit(c);
		if (c == sign) {
			if (!whole++)
				out[at++] = '0'; /* .5 */
			behind = true;
		} else if (is_digit(c) && behind) {
			if (!decimals++)
				out[at++] = '.'; /* not of "5." */
			out[at++] = c;
		} else if (is_digit(c)) {
			if (whole == 1 && out[at - 1] == '0')
				at--, whole--; /* 007 */
			out[at++] = c;
			whole++;
		}
	}
	if (!digits)
		return 0;
	if (d.exponent)
		at += (size_t)snprintf(out + at, FL_CSV_NUMBER_MAX - at,
				       "e%.*s", (int)d.exponent_len,
				       d.exponent);
	else if (d.suffix && d.suffix != '%')
		at += (size_t)snprintf(out + at, FL_CSV_NUMBER_MAX - at, "e%d",
				       d.suffix == 'K'   ? 3
				       : d.suffix == 'M' ? 6
				       : d.suffix == 'B' ? 9
							 : 12);
	out[at] = '\0';
	return at;
}
