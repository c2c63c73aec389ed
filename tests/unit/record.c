/* record: every line of tests/data/rec is what its file says: good lines check
 * clean and keep their meaning in canonical form, bad ones give their reason.
 * The files are found by walking the types.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rec/record.h"

#include <limits.h>

#include "base/mem.h"
#include "tap.h"

enum {
	GOOD_LEAST = 8, /* good lines a type */
};

/* A file of lines; the caller frees nothing: the test is short. */
struct lines {
	FILE *file;
	char *line;
	size_t room, len;
};

static bool open_lines(struct lines *in, const char *type, const char *suffix)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "tests/data/rec/%s%s", type, suffix);
	*in = (struct lines){ .file = fopen(path, "r") };
	return ok(in->file, "%s is there", path);
}

static bool next_line(struct lines *in)
{
	ssize_t got = getline(&in->line, &in->room, in->file);

	if (got < 0) {
		free(in->line);
		fclose(in->file);
		return false;
	}
	in->len = (size_t)got - (got > 0 && in->line[got - 1] == '\n');
	return true;
}

struct checked {
	struct fl_record rec;
	struct fl_json json;
	struct fl_note note;
	enum fl_reason reason;
};

static enum fl_reason check(struct checked *c, const char *bytes, size_t len)
{
	c->rec = (struct fl_record){ .bytes = bytes, .len = len };
	c->note = (struct fl_note){ .field = "" };
	c->reason = fl_record_check(&c->rec, &c->json, &c->note);
	return c->reason;
}

/* Complain about a line; returns 1, to be added to a count. */
static int fault(const char *what, const char *bytes, size_t len)
{
	note("%s: %.*s", what, (int)len, bytes);
	return 1;
}

/* Known keys first, in the order of the table. */
static bool is_in_order(const struct fl_record *rec)
{
	const struct fl_json_tok *toks = rec->json->toks;
	int last = -1;

	for (uint32_t i = 1; i < toks[0].next; i = toks[i + 1].next) {
		int field = fl_type_field(rec->type, toks[i].text, toks[i].len);

		if (memchr(toks[i].text, '.', toks[i].len))
			field = -1;
		if (field < 0)
			field = INT_MAX;
		if (field < last)
			return false;
		last = field;
	}
	return true;
}

static bool same_content(const struct fl_record *a, const struct fl_record *b)
{
	struct fl_hash128 left = fl_record_content(a, false, NULL);
	struct fl_hash128 right = fl_record_content(b, false, NULL);

	return left.lo == right.lo && left.hi == right.hi &&
	       fl_record_series(a) == fl_record_series(b);
}

static int test_canonical(const struct checked *c)
{
	/* What is mended otherwise is another value. */
	bool same = !(c->rec.fixes & ~(unsigned)(FL_FIX_TIME | FL_FIX_SYMBOL));
	struct checked again = { .json = FL_JSON_INIT };
	struct fl_buf first = FL_BUF_INIT, second = FL_BUF_INIT;
	int wrong = 0;

	fl_record_canonical(&c->rec, &first);
	if (check(&again, first.data, first.len))
		wrong += fault("canonical form is refused", first.data,
			       first.len);
	else {
		fl_record_canonical(&again.rec, &second);
		if (first.len != second.len ||
		    memcmp(first.data, second.data, first.len) != 0)
			wrong += fault("canonical form is not its own",
				       second.data, second.len);
		if (again.rec.fixes)
			wrong += fault("canonical form must be mended",
				       first.data, first.len);
		if (!is_in_order(&again.rec))
			wrong +=
				fault("canonical order", first.data, first.len);
		if (same && !same_content(&c->rec, &again.rec))
			wrong += fault("canonical form says something else",
				       first.data, first.len);
	}
	fl_buf_release(&first);
	fl_buf_release(&second);
	fl_json_release(&again.json);
	return wrong;
}

static int test_normal(const struct checked *c)
{
	struct checked again = { .json = FL_JSON_INIT };
	struct fl_buf canonical = FL_BUF_INIT, mended = FL_BUF_INIT;
	struct fl_buf both = FL_BUF_INIT;
	int wrong = 0;

	fl_record_normalise(&c->rec, &mended);
	if (!c->rec.fixes &&
	    (mended.len != c->rec.len ||
	     memcmp(mended.data, c->rec.bytes, mended.len) != 0))
		wrong += fault("what is normal was changed", mended.data,
			       mended.len);
	if (check(&again, mended.data, mended.len) || again.rec.fixes) {
		wrong += fault("mended form is not good", mended.data,
			       mended.len);
	} else {
		/* Both ways lead to the same record, but for where the notes
		 * about a subunit stand. */
		fl_record_canonical(&c->rec, &canonical);
		fl_record_canonical(&again.rec, &both);
		if (canonical.len != both.len ||
		    memcmp(canonical.data, both.data, both.len) != 0)
			wrong += fault("mended form says something else",
				       mended.data, mended.len);
	}
	fl_buf_release(&canonical);
	fl_buf_release(&mended);
	fl_buf_release(&both);
	fl_json_release(&again.json);
	return wrong;
}

static void test_good(const struct fl_type *type)
{
	struct checked c = { .json = FL_JSON_INIT };
	bool met[FL_FIELDS_MAX] = { false };
	int refused = 0, canonical = 0, normal = 0, count = 0;
	struct lines in;

	if (!open_lines(&in, type->name, ".ndjson"))
		return;
	for (; next_line(&in); count++) {
		if (check(&c, in.line, in.len)) {
			note("%s, %s", fl_reason_name(c.reason), c.note.detail);
			refused += fault("refused", in.line, in.len);
			continue;
		}
		refused += c.rec.type != type;
		for (int i = 0; type->fields[i].path; i++)
			met[i] |= c.rec.at[i] != 0;
		canonical += test_canonical(&c);
		normal += test_normal(&c);
	}
	fl_json_release(&c.json);
	is_int(refused, 0, "%s: all good lines are good", type->name);
	is_int(canonical, 0, "%s: canonical form is sound", type->name);
	is_int(normal, 0, "%s: normalising is sound", type->name);
	ok(count >= GOOD_LEAST, "%s: %d good lines", type->name, count);
	for (int i = 0; type->fields[i].path; i++)
		if (!met[i])
			ok(false, "%s: a good line has %s", type->name,
			   type->fields[i].path);
}

/* A note is for people: one line of text that names no field in vain. */
static bool is_sound_note(const struct fl_note *note)
{
	if (!note->detail[0])
		return false;
	for (const char *p = note->detail; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	return true;
}

static const struct fl_json_tok *member(const struct fl_json *json,
					const char *key)
{
	uint32_t at = fl_json_find(json, 0, key, strlen(key));

	return at ? &json->toks[at] : NULL;
}

static void test_bad(const struct fl_type *type, bool met[FL_REASON_COUNT])
{
	struct checked outer = { .json = FL_JSON_INIT };
	struct checked c = { .json = FL_JSON_INIT };
	bool faulted[FL_FIELDS_MAX] = { false };
	int wrong = 0, notes = 0;
	struct lines in;

	if (!open_lines(&in, type->name, ".bad.ndjson"))
		return;
	while (next_line(&in)) {
		const struct fl_json_tok *reason, *line;
		int field;

		if (fl_json_parse(&outer.json, in.line, in.len, &outer.note)) {
			wrong += fault("not JSON", in.line, in.len);
			continue;
		}
		reason = member(&outer.json, "reason");
		line = member(&outer.json, "line");
		check(&c, line->text, line->len);
		if (!fl_json_is(reason, fl_reason_name(c.reason),
				strlen(fl_reason_name(c.reason)))) {
			note("got '%s', %s", fl_reason_name(c.reason),
			     c.note.detail);
			wrong += fault("another reason", in.line, in.len);
			continue;
		}
		if (!is_sound_note(&c.note))
			notes += fault(c.note.detail, in.line, in.len);
		met[c.reason] = true;
		field = fl_type_field(type, c.note.field, strlen(c.note.field));
		if (field >= 0)
			faulted[field] = true;
	}
	fl_json_release(&outer.json);
	fl_json_release(&c.json);
	is_int(wrong, 0, "%s: all bad lines give their reason", type->name);
	is_int(notes, 0, "%s: each with a sound note", type->name);
	for (int i = 0; type->fields[i].path; i++)
		if (!faulted[i])
			ok(false, "%s: a bad line has %s at fault", type->name,
			   type->fields[i].path);
}

/* The reasons that a check can give; the others are for networks, stores and
 * streams. */
static void test_reasons(const bool met[FL_REASON_COUNT])
{
	static const enum fl_reason reasons[] = {
		FL_REASON_bad_json,        FL_REASON_bad_utf8,
		FL_REASON_not_object,      FL_REASON_duplicate_key,
		FL_REASON_unknown_type,    FL_REASON_missing_field,
		FL_REASON_bad_type,        FL_REASON_bad_time,
		FL_REASON_bad_number,      FL_REASON_out_of_range,
		FL_REASON_ohlc_order,      FL_REASON_null_bar,
		FL_REASON_unexpected_mark,
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		ok(met[reasons[i]], "a bad line gives %s",
		   fl_reason_name(reasons[i]));
}

/* Bytes that no JSON string of a data file can hold. */
static void test_bytes(void)
{
	static const char *const bad[] = {
		"\xff",     "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
		"\xe2\x82", "\x80",
	};
	struct checked c = { .json = FL_JSON_INIT };
	char line[200];
	int wrong = 0;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		int len = snprintf(line, sizeof(line),
				   "{\"type\":\"quote\",\"ts\":\"2026-01-02T16:"
				   "00:00.000Z\",\"provider\":\"%s\",\"symbol\""
				   ":\"ZZZT\",\"price\":1}",
				   bad[i]);

		wrong += check(&c, line, (size_t)len) != FL_REASON_bad_utf8;
	}
	is_int(wrong, 0, "bytes that are no UTF-8 are bad_utf8");
	is_int(check(&c, "", 0), FL_REASON_bad_json, "nothing is bad_json");
	is_int(check(&c, "{}\0", 3), FL_REASON_bad_json,
	       "a NUL byte is bad_json");
	fl_json_release(&c.json);
}

#define QUOTE "{\"type\":\"quote\",\"provider\":\"csv\",\"symbol\":\"Z\","

static void test_coerce(void)
{
	static const char line[] = QUOTE "\"ts\":\"2026-01-02T16:00:00.000Z\","
					 "\"price\":\"1.50\",\"seq\":\"7\"}";
	static const char not [] = QUOTE "\"ts\":\"2026-01-02T16:00:00.000Z\","
					 "\"price\":\"1,5\"}";
	static const char low[] = QUOTE "\"ts\":\"2026-01-02T16:00:00.000Z\","
					"\"price\":\"-1\"}";
	struct checked c = { .json = FL_JSON_INIT };
	struct fl_buf out = FL_BUF_INIT;

	is_int(check(&c, line, strlen(line)), FL_REASON_bad_type,
	       "a number in a string is bad_type");
	is_int(fl_record_check_coerce(&c.rec, &c.json, &c.note), FL_REASON_NONE,
	       "unless --coerce says otherwise");
	ok(c.rec.fixes & FL_FIX_COERCE, "which is a thing to mend");
	fl_record_normalise(&c.rec, &out);
	is_str(fl_buf_text(&out),
	       QUOTE "\"ts\":\"2026-01-02T16:00:00.000Z\",\"price\":1.5,"
		     "\"seq\":7}",
	       "and is mended");
	fl_buf_release(&out);
	check(&c, not, strlen(not ));
	is_int(fl_record_check_coerce(&c.rec, &c.json, &c.note),
	       FL_REASON_bad_type, "a text stays bad_type");
	check(&c, low, strlen(low));
	is_int(fl_record_check_coerce(&c.rec, &c.json, &c.note),
	       FL_REASON_out_of_range, "a coerced price is checked as well");
	fl_json_release(&c.json);
}

/* Two records, and whether they say the same. */
static void test_same(const char *a, const char *b, bool same, bool by_seq,
		      const char *what)
{
	struct checked left = { .json = FL_JSON_INIT };
	struct checked right = { .json = FL_JSON_INIT };
	struct fl_hash128 x, y;

	if (!ok(!check(&left, a, strlen(a)) && !check(&right, b, strlen(b)),
		"both are good: %s", what))
		return;
	x = fl_record_content(&left.rec, by_seq, NULL);
	y = fl_record_content(&right.rec, by_seq, NULL);
	ok((x.lo == y.lo && x.hi == y.hi) == same, "%s", what);
	fl_json_release(&left.json);
	fl_json_release(&right.json);
}

#define TS   "\"ts\":\"2026-01-02T16:00:00.000Z\","
#define TICK QUOTE TS "\"price\":1.5,\"size\":100"

static void test_content(void)
{
	test_same(TICK "}", QUOTE TS "\"size\":100,\"price\":1.5}", true, false,
		  "the order of keys does not matter");
	test_same(TICK "}", QUOTE TS "\"price\":1.50,\"size\":1e2}", true,
		  false, "nor does the spelling of numbers");
	test_same(TICK "}", TICK ",\"ts_recv\":\"2026-01-02T16:00:01.000Z\"}",
		  true, false, "nor does the time of arrival");
	test_same(TICK "}", TICK ",\"bid\":null}", true, false,
		  "a known null is absent");
	test_same(TICK "}", TICK ",\"x\":null}", false, false,
		  "an unknown null is not");
	test_same(TICK "}", QUOTE TS "\"price\":100,\"size\":1.5}", false,
		  false, "values belong to their keys");
	test_same(TICK ",\"x\":\"1\"}", TICK ",\"x\":1}", false, false,
		  "a text is no number");
	test_same(TICK ",\"x\":[1,2]}", TICK ",\"x\":[2,1]}", false, false,
		  "the order of an array matters");
	test_same(TICK ",\"x\":{\"a\":1,\"b\":2}}",
		  TICK ",\"x\":{\"b\":2,\"a\":1}}", true, false,
		  "that of an inner object's keys does not");
	test_same(TICK ",\"seq\":1}",
		  QUOTE TS "\"price\":2,\"size\":100,\"seq\":1}", true, true,
		  "by seq, seq alone is compared");
	test_same(TICK ",\"seq\":1}", TICK ",\"seq\":2}", false, true,
		  "and tells equal ticks apart");
}

static void test_tick_id(void)
{
	static const char with[] = TICK ",\"seq\":-5}";
	static const char without[] = TICK "}";
	static const char later[] =
		QUOTE TS "\"size\":1e2,\"price\":1.50,"
			 "\"ts_recv\":\"2026-01-02T16:00:01.000Z\"}";
	struct checked c = { .json = FL_JSON_INIT };
	int64_t id;

	check(&c, with, strlen(with));
	is_int(fl_record_tick_id(&c.rec), -5, "tick_id is seq");
	check(&c, without, strlen(without));
	id = fl_record_tick_id(&c.rec);
	check(&c, later, strlen(later));
	is_int(fl_record_tick_id(&c.rec), id,
	       "else the content's, arrival aside");
	fl_json_release(&c.json);
}

/* What stores keep beside the columns. */
static void test_extra(void)
{
	static const char line[] = QUOTE TS "\"x\":{\"a\": [1.50,null]},"
					    "\"price\":1,\"y\":\"\\u00e9\"}";
	static const char none[] = TICK ",\"bid\":null}";
	struct checked c = { .json = FL_JSON_INIT };
	struct fl_buf out = FL_BUF_INIT;

	check(&c, line, strlen(line));
	fl_record_extra(&c.rec, &out);
	is_str(fl_buf_text(&out),
	       "{\"x\":{\"a\":[1.5,null]},\"y\":\"\xc3\xa9\"}",
	       "extra holds the unknown fields");
	fl_buf_reset(&out);
	check(&c, none, strlen(none));
	fl_record_extra(&c.rec, &out);
	is_str(fl_buf_text(&out), "", "and nothing when there are none");
	fl_buf_release(&out);
	fl_json_release(&c.json);
}

static void test_subunit(void)
{
	static const char line[] =
		QUOTE TS "\"price\":10125,\"size\":5,\"currency\":\"GBp\"}";
	struct checked c = { .json = FL_JSON_INIT };
	struct fl_buf out = FL_BUF_INIT;

	check(&c, line, strlen(line));
	fl_record_canonical(&c.rec, &out);
	is_str(fl_buf_text(&out),
	       "{\"type\":\"quote\"," TS "\"provider\":\"csv\",\"symbol\":"
	       "\"Z\",\"price\":101.25,\"size\":5,\"currency\":\"GBP\","
	       "\"currency_src\":\"GBp\",\"price_scale\":0.01}",
	       "pence become pounds, sizes stay");
	fl_buf_release(&out);
	fl_json_release(&c.json);
}

int main(void)
{
	bool met[FL_REASON_COUNT] = { false };

	for (int t = 0; fl_types[t]; t++) {
		test_good(fl_types[t]);
		test_bad(fl_types[t], met);
	}
	test_reasons(met);
	test_bytes();
	test_coerce();
	test_content();
	test_tick_id();
	test_extra();
	test_subunit();
	return done_testing();
}
