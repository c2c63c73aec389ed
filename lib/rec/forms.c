/* forms: see forms.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rec/forms.h"

#include <string.h>

#include "base/time.h"
#include "rec/subunit.h"

bool fl_form_in_words(const char *const *words, const struct fl_json_tok *tok)
{
	for (; *words; words++) {
		if (fl_json_is(tok, *words, strlen(*words)))
			return true;
	}
	return false;
}

/* Kinds of bytes; a form allows some of them. */
enum {
	BYTE_UPPER = 1,
	BYTE_LOWER = 2,
	BYTE_DIGIT = 4,
	BYTE_ZONE = 8,   /* / _ + - */
	BYTE_PRINT = 16, /* the rest of printable ASCII */
	BYTE_BLANK = 32,
	BYTE_HIGH = 64, /* of a UTF-8 sequence */
	BYTE_CONTROL = 128,
};

#define ROW8(k)  k, k, k, k, k, k, k, k
#define ROW16(k) ROW8(k), ROW8(k)
#define ROW64(k) ROW16(k), ROW16(k), ROW16(k), ROW16(k)
#define UP       BYTE_UPPER
#define LO       BYTE_LOWER
#define PR       BYTE_PRINT
#define ZO       BYTE_ZONE

static const unsigned char kinds[256] = {
	ROW16(BYTE_CONTROL), ROW16(BYTE_CONTROL),
	/* ' ' to '/' */
	BYTE_BLANK, PR, PR, PR, PR, PR, PR, PR, PR, PR, PR, ZO, PR, ZO, PR, ZO,
	/* '0' to '?' */
	ROW8(BYTE_DIGIT), BYTE_DIGIT, BYTE_DIGIT, PR, PR, PR, PR, PR, PR,
	/* '@' to '_' */
	PR, UP, UP, UP, UP, UP, UP, UP, ROW8(UP), ROW8(UP), UP, UP, UP, PR, PR,
	PR, PR, ZO,
	/* '`' to DEL */
	PR, LO, LO, LO, LO, LO, LO, LO, ROW8(LO), ROW8(LO), LO, LO, LO, PR, PR,
	PR, PR, BYTE_CONTROL, ROW64(BYTE_HIGH), ROW64(BYTE_HIGH)
};

#undef UP
#undef LO
#undef PR
#undef ZO

/* The kinds of bytes that the string holds. */
static inline unsigned kinds_of(const struct fl_json_tok *tok)
{
	unsigned any = 0;

	for (uint32_t i = 0; i < tok->len; i++)
		any |= kinds[(unsigned char)tok->text[i]];
	return any;
}

bool fl_record_interval(const struct fl_json_tok *tok,
			struct fl_interval *interval)
{
	struct fl_error err = { .code = FL_OK };
	char text[16];

	if (tok->len >= sizeof(text))
		return false;
	memcpy(text, tok->text, tok->len);
	text[tok->len] = '\0';
	return fl_interval_parse(text, interval, &err) == 0;
}

static const char *check_interval(const struct fl_json_tok *tok,
				  unsigned *fixes)
{
	struct fl_interval interval;

	if (!fl_record_interval(tok, &interval))
		return "an interval such as 1m, 1h, 1d";
	if (!fl_json_is(tok, interval.text, strlen(interval.text)))
		*fixes |= FL_FIX_INTERVAL;
	return NULL;
}

const char *fl_form_check(enum fl_form form, const struct fl_json_tok *tok,
			  unsigned *fixes)
{
	const unsigned word = BYTE_UPPER | BYTE_LOWER | BYTE_DIGIT;
	unsigned has;

	if (tok->len == 0)
		return "a text: leave the field out";
	if (form == FL_FORM_INTERVAL)
		return check_interval(tok, fixes);
	if (form == FL_FORM_URL)
		return memchr(tok->text, ':', tok->len)
			       ? NULL
			       : "a URL with its scheme";
	has = kinds_of(tok);
	switch (form) {
	case FL_FORM_SYMBOL:
		if (has & (BYTE_BLANK | BYTE_HIGH | BYTE_CONTROL))
			return "a symbol of printable ASCII";
		if (has & BYTE_LOWER)
			*fixes |= FL_FIX_SYMBOL;
		return tok->len <= 64 ? NULL : "a symbol of at most 64 bytes";
	case FL_FORM_CURRENCY:
		if (fl_subunit_find(tok->text, tok->len)) {
			*fixes |= FL_FIX_SUBUNIT;
			return NULL;
		}
		return tok->len == 3 && has == BYTE_UPPER ? NULL
							  : "an ISO 4217 code";
	case FL_FORM_MIC:
		return tok->len == 4 && !(has &
					  ~(unsigned)(BYTE_UPPER | BYTE_DIGIT))
			       ? NULL
			       : "an ISO 10383 code";
	case FL_FORM_ZONE:
		return tok->len <= 64 && !(has & ~(word | (unsigned)BYTE_ZONE))
			       ? NULL
			       : "an IANA time zone";
	case FL_FORM_COUNTRY:
		return tok->len == 2 && has == BYTE_UPPER
			       ? NULL
			       : "an ISO 3166-1 alpha-2 code";
	case FL_FORM_LABEL:
		if (has & BYTE_CONTROL)
			return "free of control characters";
		return tok->len <= 200 ? NULL : "at most 200 bytes";
	default:
		return NULL;
	}
}

bool fl_form_is_plain(enum fl_form form, const struct fl_json_tok *tok)
{
	unsigned fixes = 0;

	/* The forms of every tick, without the words for what is wrong. */
	switch (form) {
	case FL_FORM_LABEL:
		return tok->len - 1 < 200;
	case FL_FORM_SYMBOL:
		return tok->len - 1 < 64 &&
		       !(kinds_of(tok) &
			 (BYTE_BLANK | BYTE_HIGH | BYTE_LOWER | BYTE_CONTROL));
	case FL_FORM_CURRENCY:
		return tok->len == 3 && kinds_of(tok) == BYTE_UPPER &&
		       !fl_subunit_find(tok->text, tok->len);
	case FL_FORM_INTERVAL:
		if (tok->len == 2 && tok->text[0] == '1' &&
		    memchr("smhdy", tok->text[1], 5))
			return true;
		return !fl_form_check(form, tok, &fixes) && !fixes;
	default:
		return !fl_form_check(form, tok, &fixes) && !fixes;
	}
}
