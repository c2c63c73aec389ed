/* store-parts: what is put into a place bit by bit, asked of each that is
 * registered: parts of bars, 10,000 of them in random transactions, are what
 * fl_bar_merge makes of them; and a stream with marks leaves the same, however
 * many of them are joined.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/sink.h"

#include "base/time.h"
#include "places.h"
#include "rec/bar.h"

enum {
	SYMBOLS = 6,
	MINUTES = 12,
	BARS = SYMBOLS * MINUTES,
};

#define NEW_YEAR (INT64_C(1577836800) * FL_SECOND) /* 2020 */

static unsigned seed;

/* Below `sides`, whatever its size. */
static uint64_t die(uint64_t sides)
{
	uint64_t value = 0;

	for (int i = 0; i < 5; i++)
		value = value << 13 | roll(&seed, 1 << 13);
	return value % sides;
}

/* --- random parts --------------------------------------------------------- */

static uint64_t power(unsigned exponent)
{
	uint64_t value = 1;

	while (exponent--)
		value *= 10;
	return value;
}

/* Append digits as a number with as many decimals; bars have its canonical
 * form. */
static void put_number(struct fl_buf *out, const char *name, bool negative,
		       uint64_t digits, unsigned decimals)
{
	const struct fl_decimal value = {
		.mant = negative ? -(int64_t)digits : (int64_t)digits,
		.scale = (int8_t)decimals,
	};
	char text[FL_DECIMAL_TEXT];

	fl_buf_printf(out, ",\"%s\":", name);
	fl_buf_append(out, text, fl_decimal_print(value, text));
}

/* open, high, low and close of 1 to 18 digits, 0 to 18 of them decimals. */
static void put_prices(struct fl_buf *out)
{
	static const char *const names[] = { "open", "high", "low", "close" };
	unsigned digits = 1 + (unsigned)die(18), decimals = (unsigned)die(19);
	int64_t values[4], high = INT64_MIN, low = INT64_MAX;

	for (int i = 0; i < 4; i++) {
		values[i] = (int64_t)(1 + die(power(digits) - 1));
		if (die(9) == 0) /* oil, in April 2020 */
			values[i] = -values[i];
		high = values[i] > high ? values[i] : high;
		low = values[i] < low ? values[i] : low;
	}
	values[1] = high;
	values[2] = low;
	for (int i = 0; i < 4; i++)
		put_number(out, names[i], values[i] < 0,
			   (uint64_t)(values[i] < 0 ? -values[i] : values[i]),
			   decimals);
}

/* A sum of up to 24 digits, nine of them decimals. */
static void put_sum(struct fl_buf *out, const char *name)
{
	unsigned long long whole = die(power(1 + (unsigned)die(15)));
	unsigned long long most = die(power(8)), last = 1 + die(9);

	fl_buf_printf(out, ",\"%s\":%llu", name, whole);
	if (die(2))
		fl_buf_printf(out, ".%08llu%llu", most, last);
}

static void put_time(struct fl_buf *out, const char *name, int64_t ns)
{
	char text[FL_TIME_TEXT];

	fl_buf_printf(out, ",\"%s\":\"", name);
	fl_buf_append(out, text, fl_time_print(ns, text));
	fl_buf_putc(out, '"');
}

/* A part of bar number `bar`. Few instants, so that some tie. */
static char *make_part(unsigned bar)
{
	int64_t start = NEW_YEAR + bar / SYMBOLS * FL_MINUTE;
	uint64_t instants = die(2) ? 20 : FL_MINUTE;
	int64_t scale = FL_MINUTE / (int64_t)instants;
	int64_t a = start + (int64_t)die(instants) * scale;
	int64_t b = start + (int64_t)die(instants) * scale;
	struct fl_buf out = FL_BUF_INIT;

	fl_buf_puts(&out, "{\"type\":\"bar\"");
	put_time(&out, "ts", start);
	fl_buf_printf(&out,
		      ",\"provider\":\"p\",\"symbol\":\"S%u=F\","
		      "\"interval\":\"1m\"",
		      bar % SYMBOLS);
	put_prices(&out);
	fl_buf_puts(&out, ",\"adj\":\"none\"");
	put_time(&out, "ts_end", start + FL_MINUTE);
	if (die(8))
		put_sum(&out, "volume");
	if (die(8))
		put_sum(&out, "turnover");
	if (die(8))
		fl_buf_printf(&out, ",\"trades\":%u", (unsigned)die(1000));
	put_time(&out, "first_ts", a < b ? a : b);
	put_time(&out, "last_ts", a < b ? b : a);
	fl_buf_puts(&out, ",\"partial\":true}");
	return fl_buf_take(&out);
}

/* --- what they make --------------------------------------------------------
 */

struct model {
	char *bars[BARS]; /* merged so far; NULL: nothing */
	char *then[BARS]; /* the same at the last commit */
};

static void copy_bars(char **to, char *const *from)
{
	for (unsigned i = 0; i < BARS; i++) {
		free(to[i]);
		to[i] = from[i] ? fl_strdup(from[i]) : NULL;
	}
}

static void free_bars(char **bars)
{
	for (unsigned i = 0; i < BARS; i++)
		free(bars[i]);
}

static bool merge_into(char **whole, const char *part)
{
	struct fl_json left = FL_JSON_INIT, right = FL_JSON_INIT;
	struct fl_buf out = FL_BUF_INIT;
	struct fl_note why = { "", "" };
	struct fl_record a, b;
	bool good = true;

	if (!*whole) {
		*whole = fl_strdup(part);
		return true;
	}
	a = parse(*whole, &left);
	b = parse(part, &right);
	good = fl_bar_merge(&a, &b, &out, &why) == FL_REASON_NONE;
	if (!good)
		note("%s", why.detail);
	free(*whole);
	*whole = fl_buf_take(&out);
	fl_json_release(&left);
	fl_json_release(&right);
	return good;
}

/* Does the place hold what the model does, at watermark `wm`? */
static bool is_model(struct fl_store *store, char *const *bars, int64_t wm)
{
	struct fl_query query = everything();
	struct fl_json json = FL_JSON_INIT;
	struct lines out = { 0 };
	bool same = ask(store, &query, &out);
	size_t count = 0;

	for (unsigned i = 0; i < BARS; i++) {
		struct fl_buf want = FL_BUF_INIT;
		struct fl_record rec;

		if (!bars[i])
			continue;
		count++;
		rec = parse(bars[i], &json);
		fl_bar_finish(&rec, wm, &want);
		if (same && !holds(&out, fl_buf_text(&want))) {
			note("wanted %s", want.data);
			same = false;
		}
		fl_buf_release(&want);
	}
	if (out.count != count)
		note("got %zu bars, wanted %zu", out.count, count);
	same = same && out.count == count;
	fl_json_release(&json);
	release(&out);
	return same;
}

static bool move(struct fl_store *store, unsigned from, unsigned to, int64_t wm)
{
	char texts[2][16];
	const struct fl_mark_at at = {
		.origin = "o",
		.from = from ? texts[0] : NULL,
		.to = texts[1],
		.wm = wm,
		.rt = FL_TIME_NONE,
	};
	struct fl_error err = { .code = FL_OK };
	const char *held;
	bool moved = false;

	snprintf(texts[0], sizeof(texts[0]), "%u", from);
	snprintf(texts[1], sizeof(texts[1]), "%u", to);
	if (store->ops->move(store, "p", &at, "[]", &moved, &held, &err) < 0)
		note("%s", err.text);
	return moved;
}

/* As many parts in one transaction. */
static bool put_parts(struct fl_store *store, unsigned count, char **bars)
{
	struct fl_json json = FL_JSON_INIT;
	bool good = true;

	for (unsigned i = 0; i < count && good; i++) {
		unsigned bar = (unsigned)die(BARS);
		char *part = make_part(bar);
		struct fl_record rec = parse(part, &json);
		enum fl_put outcome = FL_PUT_REFUSED;
		struct fl_note why = { "", "" };
		struct fl_error err = { .code = FL_OK };
		bool known = bars[bar] != NULL;

		good = store->ops->put(store, &rec, &outcome, &why, &err) ==
			       0 &&
		       (outcome == FL_PUT_ADDED ||
			outcome == (known ? FL_PUT_MERGED : FL_PUT_NEW)) &&
		       merge_into(&bars[bar], part);
		if (!good)
			note("%s%s: outcome %d of %s", err.text, why.detail,
			     (int)outcome, part);
		free(part);
	}
	fl_json_release(&json);
	return good;
}

static void test_merges(const struct fl_store_ops *ops)
{
	struct fl_store *store = open_place(place_of(ops), FL_STORE_WRITE);
	const unsigned wanted = 10000;
	struct fl_error err = { .code = FL_OK };
	struct model model = { 0 };
	unsigned done = 0, commits = 0, looks = 0, undone = 0;
	int64_t wm = FL_TIME_NONE;
	bool good = true;

	seed = 20260102;
	while (good && done < wanted) {
		unsigned count =
			1 + (unsigned)die(die(3) ? 20 : 1 + wanted / 10);
		int64_t newest =
			NEW_YEAR + (int64_t)die(MINUTES + 2) * FL_MINUTE;

		if (store->ops->begin(store, &err) < 0 ||
		    !move(store, done, done + count, newest) ||
		    !put_parts(store, count, model.bars)) {
			good = false;
		} else if (die(8) == 0) {
			store->ops->rollback(store);
			copy_bars(model.bars, model.then);
			undone++;
		} else {
			good = store->ops->commit(store, &err) == 0;
			copy_bars(model.then, model.bars);
			done += count;
			wm = newest;
			commits++;
		}
		if (good && die(10) == 0) {
			good = is_model(store, model.then, wm);
			looks++;
		}
	}
	if (err.code != FL_OK)
		note("%s", err.text);
	ok(good && commits > 10 && looks > 1 && undone > 1,
	   "%u parts in %u transactions, and %u that were undone", done,
	   commits, undone);
	ok(is_model(store, model.then, wm), "are %u bars, merged", BARS);
	free_bars(model.bars);
	free_bars(model.then);
	fl_store_close(&store);
}

/* --- marks, joined and not --------------------------------------------------
 */

/* A stream of ticks and parts, with marks of two origins after random counts.
 */
static void make_stream(struct lines *out)
{
	unsigned at[2] = { 0, 0 }, count = 600;

	seed = 7;
	add(out,
	    "{\"type\":\"mark\",\"pipeline\":\"p\",\"at\":{},\"open\":true}",
	    51);
	for (unsigned i = 1; i <= count; i++) {
		char *line;

		if (die(3)) {
			line = make_part((unsigned)die(BARS));
		} else {
			line = fl_sprintf("{\"type\":\"quote\",\"ts\":\""
					  "2020-01-01T00:00:00.%03uZ\","
					  "\"provider\":\"p\",\"symbol\":\"S\","
					  "\"price\":%u,\"seq\":%u}",
					  i % 50, i, i % 50);
		}
		add(out, line, strlen(line));
		free(line);
		if (die(20) == 0 || i == count) {
			unsigned which = (unsigned)die(2);
			char from[16];

			snprintf(from, sizeof(from), "\"%u\"", at[which]);
			line = fl_sprintf(
				"{\"type\":\"mark\",\"pipeline\":\"p\",\"at\":{"
				"\"o%u\":[%s,\"%u\"]}%s}",
				which, at[which] ? from : "null", i,
				i == count ? ",\"end\":true" : "");
			at[which] = i;
			add(out, line, strlen(line));
			free(line);
		}
	}
}

static int note_position(void *arg, const struct fl_position *row,
			 struct fl_error *err)
{
	char *text =
		fl_sprintf("%s %s %s", row->pipeline, row->origin, row->pos);

	(void)err;
	add(arg, text, strlen(text));
	free(text);
	return 0;
}

/* What the place holds of it when it commits after `count` records; returns how
 * many times it did. */
static uint64_t run_stream(const struct fl_store_ops *ops,
			   const struct lines *in, uint64_t count,
			   struct lines *out)
{
	struct fl_store *store = open_place(place_of(ops), FL_STORE_WRITE);
	struct fl_io io = { .command = "test",
			    .max_rejects = UINT64_MAX,
			    .max_reject_share = -1,
			    .reject_fd = -1 };
	const struct fl_sink_config config = {
		.io = &io, .store = store, .pipeline = "p", .count = count
	};
	struct fl_query query = everything();
	struct fl_error err = { .code = FL_OK };
	struct fl_json json = FL_JSON_INIT;
	struct fl_sink *sink = NULL;
	uint64_t commits;
	bool good = fl_sink_open(&sink, &config, &err) == 0;

	for (size_t i = 0; i < in->count && good; i++) {
		const char *line = in->items[i];
		struct fl_record rec;

		if (strncmp(line, "{\"type\":\"mark\"", 14) == 0) {
			good = fl_sink_mark(sink, line, strlen(line), &err) ==
			       0;
			continue;
		}
		rec = parse(line, &json);
		rec.input = "-";
		rec.line = i + 1;
		io.counts.in++;
		good = fl_sink_put(sink, &rec, &err) == 0;
	}
	ok(good && fl_sink_finish(sink, &err) == 0 &&
		   io.counts.used == io.counts.in && !io.counts.uncommitted,
	   "stored, a batch of at least %llu records a time %s",
	   (unsigned long long)count, err.text);
	commits = fl_sink_tally(sink)->commits;
	fl_sink_close(&sink);
	store->ops->positions(store, NULL, note_position, out, &err);
	ok(ask(store, &query, out), "and read");
	fl_json_release(&json);
	fl_store_close(&store);
	return commits;
}

static void test_marks(const struct fl_store_ops *ops)
{
	static const uint64_t counts[] = { 1, 40, 250, 1000000 };
	struct lines in = { 0 }, want = { 0 }, out = { 0 };
	uint64_t commits = UINT64_MAX;

	make_stream(&in);
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		uint64_t made =
			run_stream(ops, &in, counts[i], i ? &out : &want);

		ok(made > 0 && made < commits, "in %llu transactions",
		   (unsigned long long)made);
		commits = made;
		ok(i == 0 || equal(&out, &want),
		   "rows and positions are those of each mark for itself");
		release(&out);
	}
	is_int(commits, 1, "all marks joined are one transaction");
	release(&in);
	release(&want);
}

static void test_store(const struct fl_store_ops *ops)
{
	test_merges(ops);
	test_marks(ops);
}

int main(void)
{
	return test_stores(test_store);
}
