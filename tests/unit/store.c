/* store: what every kind of place must do, asked of each that is registered. A
 * new one is tested unasked.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include "base/mem.h"
#include "base/time.h"
#include "places.h"
#include "rec/bar.h"
#include "tap.h"

static bool is_partial(const char *line)
{
	return strstr(line, "\"partial\":true") != NULL;
}

/* Parts of bars come back as bars: test_parts. */
static void drop_parts(struct lines *lines)
{
	size_t left = 0;

	for (size_t i = 0; i < lines->count; i++) {
		if (is_partial(lines->items[i]))
			free(lines->items[i]);
		else
			lines->items[left++] = lines->items[i];
	}
	lines->count = left;
}

/* The natural key, whatever the spelling of what is in it. */
static void key_of(const struct fl_record *rec, struct fl_buf *out)
{
	for (size_t i = 0; i < FL_KEY_MAX && rec->type->key[i]; i++) {
		const char *path = rec->type->key[i];
		int field = fl_type_field(rec->type, path, strlen(path));

		if (strcmp(path, "tick_id") == 0)
			fl_buf_printf(out, "%lld",
				      (long long)fl_record_tick_id(rec));
		else if (rec->at[field])
			fl_record_print(rec, field, out);
		else
			fl_buf_printf(out, "\"%s\"",
				      rec->type->fields[field].absent);
		fl_buf_putc(out, '|');
	}
}

static int count_keys(const struct lines *in)
{
	struct fl_json json = FL_JSON_INIT;
	struct lines all = { 0 }, keys = { 0 };
	int count;

	canonical(&all, in);
	for (size_t i = 0; i < all.count; i++) {
		struct fl_record rec = parse(all.items[i], &json);
		struct fl_buf key = FL_BUF_INIT;

		key_of(&rec, &key);
		if (!holds(&keys, fl_buf_text(&key)))
			add(&keys, fl_buf_text(&key), key.len);
		fl_buf_release(&key);
	}
	fl_json_release(&json);
	count = (int)keys.count;
	release(&all);
	release(&keys);
	return count;
}

/* --- records in and out -------------------------------------------------- */

static void test_type(struct fl_store *store, const struct fl_type *type)
{
	const char *types[] = { type->name, NULL };
	struct lines in = { 0 }, want = { 0 }, out = { 0 }, again = { 0 };
	struct fl_query query = everything();
	struct tally tally;
	int unknown = 0;
	char path[200];

	query.types = types;
	snprintf(path, sizeof(path), "tests/data/rec/%s.ndjson", type->name);
	read_lines(&in, path);
	drop_parts(&in);
	ok(in.count > 0, "%s: there are records to try", type->name);
	canonical(&want, &in);
	ok(load(store, &in, &tally), "%s: loaded", type->name);
	is_int(tally.refused, 0, "%s: nothing is refused", type->name);
	ok(ask(store, &query, &out), "%s: read", type->name);
	is_int(out.count, tally.added ? count_keys(&in) : tally.fresh,
	       "%s: a row for each key", type->name);
	is_int(tally.fresh + tally.replaced + tally.refused + tally.added,
	       (int)in.count, "%s: each record has an outcome", type->name);
	for (size_t i = 0; i < out.count; i++) {
		if (holds(&want, out.items[i]))
			continue;
		if (!unknown++)
			note("%.500s", out.items[i]);
	}
	is_int(unknown, 0, "%s: records come back equal to the byte",
	       type->name);

	ok(load(store, &in, &tally), "%s: loaded again", type->name);
	is_int(tally.fresh, 0, "%s: nothing is new the second time",
	       type->name);
	ok(ask(store, &query, &again) && equal(&again, &out),
	   "%s: loading twice gives the same", type->name);
	release(&in);
	release(&want);
	release(&out);
	release(&again);
}

static void test_types(const struct fl_store_ops *ops)
{
	struct fl_store *store = open_place(place_of(ops), FL_STORE_WRITE);
	struct fl_query query = everything();
	struct lines all = { 0 }, one = { 0 };
	size_t count = 0;

	ok(store != NULL, "%s: a new place opens", ops->name);
	for (size_t i = 0; fl_types[i]; i++)
		test_type(store, fl_types[i]);
	ok(ask(store, &query, &all), "all types in the order of time");
	for (size_t i = 0; fl_types[i]; i++) {
		const char *types[] = { fl_types[i]->name, NULL };

		query.types = types;
		ask(store, &query, &one);
		count += one.count;
		release(&one);
	}
	is_int(all.count, count, "all types together are all of each");
	release(&all);
	fl_store_close(&store);
	ok(store == NULL, "closing sets NULL");
}

/* Values at the edges of what a record may hold. */
static void test_limits(const struct fl_store_ops *ops)
{
	static const char *const lines[] = {
		/* the first and the last instant, and before 1970 */
		"{\"type\":\"quote\",\"ts\":\"1678-01-01T00:00:00.000Z\","
		"\"provider\":\"a\",\"symbol\":\"X\",\"price\":1}",
		"{\"type\":\"quote\",\"ts\":\"1900-02-03T04:05:06.000000007Z\","
		"\"provider\":\"a\",\"symbol\":\"X\",\"price\":1}",
		"{\"type\":\"quote\",\"ts\":\"1969-12-31T23:59:59.999Z\","
		"\"provider\":\"a\",\"symbol\":\"X\",\"price\":1}",
		"{\"type\":\"quote\",\"ts\":\"2261-12-31T23:59:59.999999Z\","
		"\"provider\":\"a\",\"symbol\":\"X\",\"price\":1}",
		/* digits that no double holds, the largest, the smallest */
		"{\"type\":\"quote\",\"ts\":\"2020-01-01T00:00:00.000Z\","
		"\"provider\":\"a\",\"symbol\":\"N\","
		"\"price\":123456789012.345678,"
		"\"size\":999999999999999999000000000000000000,"
		"\"seq\":-9223372036854775807,\"bid\":0.000000000000000001}",
		"{\"type\":\"quote\",\"ts\":\"2020-01-01T00:00:00.000Z\","
		"\"provider\":\"a\",\"symbol\":\"N\",\"price\":1,"
		"\"seq\":9223372036854775807}",
		"{\"type\":\"bar\",\"ts\":\"2020-01-01T00:00:00.000Z\","
		"\"provider\":\"a\",\"symbol\":\"B\",\"interval\":\"1m\","
		"\"open\":1,\"high\":1,\"low\":1,\"close\":1,\"adj\":\"none\","
		"\"volume\":12345678901234567890123456789.123456789}",
		/* a key that says nothing, and one that says the same */
		"{\"type\":\"bar\",\"ts\":\"2020-01-01T00:01:00.000Z\","
		"\"provider\":\"a\",\"symbol\":\"B\",\"interval\":\"1m\","
		"\"open\":1,\"high\":1,\"low\":1,\"close\":1,\"adj\":\"none\"}",
		"{\"type\":\"bar\",\"ts\":\"2020-01-01T00:02:00.000Z\","
		"\"provider\":\"a\",\"symbol\":\"B\",\"interval\":\"1m\","
		"\"open\":1,\"high\":1,\"low\":1,\"close\":1,\"adj\":\"none\","
		"\"session\":\"regular\"}",
		"{\"type\":\"bar\",\"ts\":\"2020-01-01T00:03:00.000Z\","
		"\"provider\":\"a\",\"symbol\":\"B\",\"interval\":\"1m\","
		"\"open\":1,\"high\":1,\"low\":1,\"close\":1,\"adj\":\"none\","
		"\"session\":\"pre\"}",
		/* texts that must be escaped, fields that nobody knows */
		"{\"type\":\"instrument\",\"ts\":\"2020-01-01T00:00:00.000Z\","
		"\"provider\":\"a\",\"symbol\":\"Q\",\"name\":\"\\\"\\\\\\n"
		"\\u0001\xc3\xa9\xf0\x9f\x93\x88\",\"a b\":[1,{\"c\":null}],"
		"\"it's\":{},\"x\":\"\"}",
	};
	struct fl_store *store = open_place(place_of(ops), FL_STORE_WRITE);
	struct fl_query query = everything();
	struct lines in = { 0 }, want = { 0 }, out = { 0 };
	size_t size = 899000;
	char *name = fl_alloc(size + 1), *text;
	struct tally tally;
	int lost = 0;

	memset(name, 'n', size);
	name[size] = '\0';
	text = fl_sprintf("{\"type\":\"instrument\","
			  "\"ts\":\"2020-01-01T00:00:00.000Z\","
			  "\"provider\":\"a\",\"symbol\":\"LONG\","
			  "\"name\":\"%s\"}",
			  name);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		add(&in, lines[i], strlen(lines[i]));
	add(&in, text, strlen(text));
	/* numbers of 18 and 38 digits, clocks that are changed, all planes of
	 * Unicode, what is empty, deep, or would be an escape elsewhere */
	read_lines(&in, "tests/data/store/edges.ndjson");
	canonical(&want, &in);
	ok(equal(&in, &want), "the limits are canonical");
	ok(load(store, &in, &tally), "the limits are loaded");
	is_int(tally.fresh + tally.added, (int)in.count,
	       "each is a row of its own");
	ok(ask(store, &query, &out), "the limits are read");
	for (size_t i = 0; i < in.count; i++) {
		if (holds(&out, in.items[i]))
			continue;
		lost++;
		note("%.300s", in.items[i]);
	}
	is_int(lost, 0, "the limits come back equal to the byte");
	free(name);
	free(text);
	release(&in);
	release(&want);
	release(&out);
	fl_store_close(&store);
}

static void put_one(struct lines *lines, const char *text)
{
	add(lines, text, strlen(text));
}

/* The natural key decides, the later line wins, what is not canonical becomes
 * so. */
static void test_replace(const struct fl_store_ops *ops)
{
	struct fl_store *store = open_place(place_of(ops), FL_STORE_WRITE);
	struct fl_query query = everything();
	struct lines in = { 0 }, out = { 0 }, want = { 0 };
	struct tally tally;

	put_one(&in, "{\"type\":\"bar\",\"ts\":\"2020-01-02T00:00:00.000Z\","
		     "\"provider\":\"a\",\"symbol\":\"B\","
		     "\"interval\":\"1d\",\"open\":1,\"high\":1,\"low\":1,"
		     "\"close\":1,\"adj\":\"none\",\"date\":\"2020-01-02\","
		     "\"volume\":5,\"mine\":1}");
	put_one(&in, "{ \"symbol\": \"b\", \"type\": \"bar\", \"adj\": "
		     "\"none\", \"ts\": \"2020-01-02T01:00:00+01:00\", "
		     "\"provider\": \"a\", \"session\": \"regular\", "
		     "\"interval\": \"24h\", \"open\": 1.50, \"high\": 2e0, "
		     "\"low\": 1, \"close\": 2.0, \"date\": \"2020-01-02\"}");
	put_one(&want,
		"{\"type\":\"bar\",\"ts\":\"2020-01-02T00:00:00.000Z\","
		"\"provider\":\"a\",\"symbol\":\"B\",\"interval\":\"1d\","
		"\"open\":1.5,\"high\":2,\"low\":1,\"close\":2,"
		"\"adj\":\"none\",\"date\":\"2020-01-02\","
		"\"session\":\"regular\"}");
	ok(load(store, &in, &tally), "a bar twice, the second in other words");
	is_int(tally.fresh + tally.added / 2, 1, "the first is new");
	is_int(tally.replaced + tally.added / 2, 1, "the second replaces it");
	ok(ask(store, &query, &out) && equal(&out, &want),
	   "the later line wins, whole and in canonical form");
	release(&in);
	release(&out);
	release(&want);
	fl_store_close(&store);
}

/* --- queries ------------------------------------------------------------- */

static const char *text_of(const struct fl_record *rec, const char *path)
{
	static char texts[4][100];
	static int turn;
	const struct fl_json_tok *tok = fl_record_value(rec, path);
	char *text = texts[turn++ % 4];

	if (!tok || tok->kind != FL_JSON_STRING)
		return NULL;
	snprintf(text, 100, "%.*s", (int)tok->len, tok->text);
	return text;
}

static bool listed(const char *const *list, const char *text)
{
	for (; text && list && *list; list++) {
		if (strcmp(*list, text) == 0)
			return true;
	}
	return !list;
}

static bool about(const struct fl_record *rec, const char *const *symbols)
{
	int field = fl_type_field(rec->type, "symbols", 7);

	if (!symbols || text_of(rec, "symbol"))
		return listed(symbols, text_of(rec, "symbol"));
	if (field < 0 || !rec->at[field])
		return false;
	for (uint32_t i = rec->at[field] + 1;
	     i < rec->json->toks[rec->at[field]].next; i++) {
		char text[100];

		snprintf(text, sizeof(text), "%.*s",
			 (int)rec->json->toks[i].len, rec->json->toks[i].text);
		if (listed(symbols, text))
			return true;
	}
	return false;
}

static bool between(int64_t ns, int64_t from, int64_t to)
{
	return (from == FL_TIME_NONE || ns >= from) &&
	       (to == FL_TIME_NONE || ns < to);
}

/* Does the query select it, `last` aside? */
static bool selected(const struct fl_record *rec, const struct fl_query *query)
{
	bool dated = text_of(rec, "date") && rec->ts_ns % FL_DAY == 0;

	return listed(query->types, rec->type->name) &&
	       about(rec, query->symbols) &&
	       listed(query->providers, text_of(rec, "provider")) &&
	       (!query->interval ||
		(text_of(rec, "interval") &&
		 strcmp(text_of(rec, "interval"), query->interval) == 0)) &&
	       (!query->adj ||
		(text_of(rec, "adj") &&
		 strcmp(text_of(rec, "adj"), query->adj) == 0)) &&
	       (dated ? between(rec->ts_ns, query->date_from, query->date_to)
		      : between(rec->ts_ns, query->from, query->to));
}

/* What tells one series from another; "newest N" counts in each. */
static void series_of(const struct fl_record *rec, char *text, size_t size)
{
	snprintf(text, size, "%s", rec->type->name);
	for (size_t i = 0; i < FL_KEY_MAX && rec->type->key[i]; i++) {
		const char *key = rec->type->key[i], *value;
		int field = fl_type_field(rec->type, key, strlen(key));

		if (strcmp(key, "ts") == 0 || strcmp(key, "date") == 0 ||
		    strcmp(key, "id") == 0 || strcmp(key, "tick_id") == 0)
			continue;
		value = text_of(rec, key);
		if (!value)
			value = rec->type->fields[field].absent;
		snprintf(text + strlen(text), size - strlen(text), "|%s",
			 value ? value : "");
	}
}

/* The same answer the slow way, from all rows in the order of time. */
static void filter(const struct lines *all, const struct fl_query *query,
		   struct lines *out)
{
	struct fl_json json = FL_JSON_INIT, other = FL_JSON_INIT;

	for (size_t i = 0; i < all->count; i++) {
		struct fl_record rec = parse(all->items[i], &json);
		char series[300], next[300];
		uint64_t newer = 0;

		if (!selected(&rec, query))
			continue;
		series_of(&rec, series, sizeof(series));
		for (size_t j = i + 1; query->last && j < all->count; j++) {
			struct fl_record later = parse(all->items[j], &other);

			series_of(&later, next, sizeof(next));
			newer += selected(&later, query) &&
				 strcmp(series, next) == 0;
		}
		if (!query->last || newer < query->last)
			add(out, all->items[i], strlen(all->items[i]));
	}
	fl_json_release(&json);
	fl_json_release(&other);
}

/* A small market: two providers, three symbols, all that has a series. */
static void make_market(struct lines *lines)
{
	static const char *const symbols[] = { "AA", "B", "C-USD" };
	static const char *const providers[] = { "a", "b" };
	static const char *const intervals[] = { "1m", "5m" };
	unsigned seed = 7;

	for (unsigned i = 0; i < 240; i++) {
		const char *symbol = symbols[roll(&seed, 3)];
		const char *provider = providers[roll(&seed, 2)];
		unsigned minute = roll(&seed, 30), day = 1 + roll(&seed, 9);
		char *text;

		switch (roll(&seed, 6)) {
		case 0:
		case 1:
			text = fl_sprintf(
				"{\"type\":\"quote\",\"ts\":\"2020-01-01T00:%02"
				"u:00.000Z\",\"provider\":\"%s\",\"symbol\":"
				"\"%s\",\"price\":%u}",
				minute, provider, symbol, i + 1);
			break;
		case 2:
			text = fl_sprintf(
				"{\"type\":\"bar\",\"ts\":\"2020-01-01T00:%02u:"
				"00.000Z\",\"provider\":\"%s\",\"symbol\":"
				"\"%s\",\"interval\":\"%s\",\"open\":1,"
				"\"high\":1,\"low\":1,\"close\":1,\"adj\":"
				"\"%s\"}",
				minute, provider, symbol,
				intervals[roll(&seed, 2)],
				roll(&seed, 2) ? "none" : "split");
			break;
		case 3:
			text = fl_sprintf(
				"{\"type\":\"bar\",\"ts\":\"2020-01-%02uT00:00:"
				"00.000Z\",\"provider\":\"%s\",\"symbol\":"
				"\"%s\",\"interval\":\"1d\",\"open\":1,"
				"\"high\":1,\"low\":1,\"close\":1,\"adj\":"
				"\"split\",\"date\":\"2020-01-%02u\"}",
				day, provider, symbol, day);
			break;
		case 4:
			text = fl_sprintf(
				"{\"type\":\"news\",\"ts\":\"2020-01-01T00:%02"
				"u:00.000Z\",\"provider\":\"%s\",\"id\":\"%u\","
				"\"title\":\"t\",\"url\":\"x:y\",\"symbols\":"
				"[\"%s\",\"Z\"]}",
				minute, provider, i, symbol);
			break;
		default:
			text = fl_sprintf(
				"{\"type\":\"dividend\",\"ts\":\"2020-01-%02uT0"
				"0:00:00.000Z\",\"date\":\"2020-01-%02u\","
				"\"provider\":\"%s\",\"symbol\":\"%s\","
				"\"amount\":1}",
				day, day, provider, symbol);
			break;
		}
		add(lines, text, strlen(text));
		free(text);
	}
}

static void test_queries(const struct fl_store_ops *ops)
{
	static const char *const types[] = { "quote", NULL };
	static const char *const two_types[] = { "bar", "news", NULL };
	static const char *const symbols[] = { "B", "AA", "B", NULL };
	static const char *const one[] = { "C-USD", NULL };
	static const char *const nobody[] = { "NOPE", NULL };
	static const char *const providers[] = { "b", NULL };
	const int64_t midnight = INT64_C(1577836800) * FL_SECOND;
	struct fl_store *store = open_place(place_of(ops), FL_STORE_WRITE);
	struct lines in = { 0 }, all = { 0 }, out = { 0 }, want = { 0 };
	struct fl_query query = everything();
	struct tally tally;
	unsigned seed = 3;
	int wrong = 0, empty = 0, tries = 600;

	make_market(&in);
	ok(load(store, &in, &tally) && ask(store, &query, &all),
	   "a market of %zu records", in.count);
	for (int i = 0; i < tries; i++) {
		unsigned t = roll(&seed, 4), s = roll(&seed, 5);
		bool good;

		query = everything();
		query.types = t == 0 ? types : t == 1 ? two_types : NULL;
		query.symbols = s == 0                          ? symbols
				: s == 1                        ? one
				: s == 2 && roll(&seed, 4) == 0 ? nobody
								: NULL;
		query.providers = roll(&seed, 3) ? NULL : providers;
		query.interval = roll(&seed, 5) ? NULL : "5m";
		query.adj = roll(&seed, 5) ? NULL : "split";
		query.last = roll(&seed, 2) ? 0 : 1 + roll(&seed, 4);
		if (roll(&seed, 2))
			query.from = midnight + roll(&seed, 40) * FL_MINUTE;
		if (roll(&seed, 2))
			query.to = midnight + roll(&seed, 40) * FL_MINUTE;
		query.date_from = query.from;
		query.date_to = query.to;
		if (roll(&seed, 3) == 0) { /* as five hours west would ask */
			if (query.from != FL_TIME_NONE)
				query.date_from -= 5 * FL_HOUR;
			if (query.to != FL_TIME_NONE)
				query.date_to -= 5 * FL_HOUR;
		}
		filter(&all, &query, &want);
		good = ask(store, &query, &out);
		if (!good || !equal(&out, &want)) {
			if (!wrong++)
				note("query %d", i);
		}
		empty += want.count == 0;
		release(&out);
		release(&want);
	}
	is_int(wrong, 0, "%d queries give what a filter over all rows gives",
	       tries);
	ok(empty < tries / 2, "most of them select something (%d do not)",
	   empty);
	release(&in);
	release(&all);
	fl_store_close(&store);
}

/* Records of all shapes, many of the same key, in transactions of all sizes: of
 * each key the last one stays, whole, and what was there is counted. */
static void test_replacing(const struct fl_store_ops *ops)
{
	enum {
		KEYS = 150,
	};
	struct fl_store *store = open_place(place_of(ops), FL_STORE_WRITE);
	struct fl_query query = everything();
	struct lines in = { 0 }, want = { 0 }, out = { 0 };
	char last[KEYS][200] = { "" };
	unsigned seed = 11;
	int rounds = 60, wrong = 0;

	for (int i = 0; i < rounds; i++) {
		struct tally tally;
		int fresh = 0, count = 1 + (int)roll(&seed, i % 3 ? 20 : 240);

		for (int j = 0; j < count; j++) {
			/* The second half of the keys comes late. */
			unsigned key = roll(&seed, i < 30 ? KEYS / 2 : KEYS);

			fresh += !*last[key];
			snprintf(last[key], sizeof(last[key]),
				 "{\"type\":\"quote\",\"ts\":\"2020-01-01T00:"
				 "00:00.%03uZ\",\"provider\":\"p\",\"symbol\":"
				 "\"S\",\"price\":%d%s%s%s%s}",
				 key, i * 1000 + j + 1,
				 roll(&seed, 3) ? "" : ",\"size\":2.5",
				 ",\"seq\":8",
				 roll(&seed, 5) ? "" : ",\"mic\":\"XNYS\"",
				 i < 10 || roll(&seed, 40)
					 ? ""
					 : ",\"mine\":\"a\\n\"");
			put_one(&in, last[key]);
		}
		/* Some stores find that out only when they read. */
		if (!load(store, &in, &tally) ||
		    (tally.added ? tally.added != count
				 : tally.fresh != fresh ||
					   tally.replaced != count - fresh))
			wrong++;
		release(&in);
	}
	is_int(wrong, 0, "%d transactions: new and replaced are told apart",
	       rounds);
	for (int i = 0; i < KEYS; i++) {
		if (*last[i])
			put_one(&want, last[i]);
	}
	ok(ask(store, &query, &out) && equal(&out, &want),
	   "of each of %zu keys the last record stays, whole", want.count);
	release(&want);
	release(&out);
	fl_store_close(&store);
}

static int note_summary(void *arg, const struct fl_summary *row,
			struct fl_error *err)
{
	struct lines *lines = arg;
	char *text = fl_sprintf("%s %s %s %s %llu %lld %lld", row->type,
				row->provider ? row->provider : "-",
				row->symbol ? row->symbol : "-",
				row->interval ? row->interval : "-",
				(unsigned long long)row->count,
				(long long)(row->first / FL_SECOND),
				(long long)(row->last / FL_SECOND));

	(void)err;
	add(lines, text, strlen(text));
	free(text);
	return 0;
}

static void test_list(const struct fl_store_ops *ops)
{
	static const char *const records[] = {
		"{\"type\":\"quote\",\"ts\":\"1970-01-01T00:00:05.000Z\","
		"\"provider\":\"a\",\"symbol\":\"B\",\"price\":1}",
		"{\"type\":\"quote\",\"ts\":\"1970-01-01T00:00:02.000Z\","
		"\"provider\":\"a\",\"symbol\":\"B\",\"price\":1}",
		"{\"type\":\"quote\",\"ts\":\"1970-01-01T00:00:09.000Z\","
		"\"provider\":\"b\",\"symbol\":\"A\",\"price\":1}",
		"{\"type\":\"bar\",\"ts\":\"1970-01-01T00:01:00.000Z\","
		"\"provider\":\"a\",\"symbol\":\"B\",\"interval\":\"1m\","
		"\"open\":1,\"high\":1,\"low\":1,\"close\":1,\"adj\":\"none\"}",
		"{\"type\":\"news\",\"ts\":\"1970-01-01T00:00:09.000Z\","
		"\"provider\":\"b\",\"id\":\"1\",\"title\":\"t\","
		"\"url\":\"x:y\"}",
	};
	static const char *const rows[] = {
		"quote b A - 1 9 9",
		"quote a B - 2 2 5",
		"bar a B 1m 1 60 60",
		"news b - - 1 9 9",
	};
	static const char *const symbols[] = { "B", NULL };
	struct fl_store *store = open_place(place_of(ops), FL_STORE_WRITE);
	struct fl_query query = everything();
	struct fl_error err = { .code = FL_OK };
	struct lines in = { 0 }, out = { 0 }, want = { 0 };
	struct tally tally;

	ok(store->ops->list(store, &query, note_summary, &out, &err) == 0 &&
		   out.count == 0,
	   "an empty place lists nothing");
	for (size_t i = 0; i < sizeof(records) / sizeof(*records); i++)
		put_one(&in, records[i]);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		put_one(&want, rows[i]);
	load(store, &in, &tally);
	ok(store->ops->list(store, &query, note_summary, &out, &err) == 0 &&
		   equal(&out, &want),
	   "what there is, by type, symbol, provider and interval");
	release(&out);
	query.symbols = symbols;
	store->ops->list(store, &query, note_summary, &out, &err);
	is_int(out.count, 2, "the selectors hold for the list as well");
	release(&in);
	release(&out);
	release(&want);
	fl_store_close(&store);
}

/* --- transactions and positions ------------------------------------------ */

static bool move(struct fl_store *store, const char *pipeline,
		 const char *origin, const char *from, const char *to,
		 const char **held)
{
	const struct fl_mark_at at = {
		.origin = origin,
		.from = from,
		.to = to,
		.wm = FL_TIME_NONE,
		.rt = 1000,
	};
	struct fl_error err = { .code = FL_OK };
	bool moved = false;

	if (store->ops->move(store, pipeline, &at, "[\"x\"]", &moved, held,
			     &err) < 0)
		note("%s", err.text);
	return moved;
}

static int note_position(void *arg, const struct fl_position *row,
			 struct fl_error *err)
{
	char *text = fl_sprintf(
		"%s %s %s %lld %lld %s", row->pipeline, row->origin, row->pos,
		(long long)row->record_time, (long long)row->wm, row->via);

	(void)err;
	put_one(arg, text);
	free(text);
	return 0;
}

static void test_positions(const struct fl_store_ops *ops)
{
	struct fl_store *store = open_place(place_of(ops), FL_STORE_WRITE);
	struct fl_mark_at at = { "o", "5", "9", 77, FL_TIME_NONE };
	struct fl_error err = { .code = FL_OK };
	struct lines out = { 0 }, want = { 0 };
	const char *held = "?";
	uint64_t rows = 0;
	bool moved;

	store->ops->begin(store, &err);
	ok(move(store, "p", "o", NULL, "5", &held), "null to 5");
	ok(move(store, "p", "o2", NULL, "x", &held), "another origin");
	ok(move(store, "q", "o", NULL, "1", &held), "another pipeline");
	ok(store->ops->commit(store, &err) == 0, "committed");

	store->ops->begin(store, &err);
	ok(!move(store, "p", "o", NULL, "7", &held), "null again is refused");
	is_str(held, "5", "and told what is held");
	ok(!move(store, "p", "o", "4", "7", &held), "another FROM is refused");
	is_str(held, "5", "and told what is held");
	ok(!move(store, "p", "none", "4", "7", &held),
	   "FROM of an origin that is not there is refused");
	is_str(held, NULL, "and told that nothing is held");
	ok(store->ops->move(store, "p", &at, "[\"y\"]", &moved, &held, &err) ==
			   0 &&
		   moved,
	   "5 to 9");
	ok(!move(store, "p", "o", "5", "7", &held), "5 is gone by then");
	store->ops->rollback(store);

	put_one(&want, "p o 5 1000 -9223372036854775808 [\"x\"]");
	put_one(&want, "p o2 x 1000 -9223372036854775808 [\"x\"]");
	put_one(&want, "q o 1 1000 -9223372036854775808 [\"x\"]");
	store->ops->positions(store, NULL, note_position, &out, &err);
	ok(equal(&out, &want), "rolled back: as it was before");
	release(&out);

	store->ops->begin(store, &err);
	store->ops->move(store, "p", &at, "[\"y\"]", &moved, &held, &err);
	store->ops->commit(store, &err);
	at = (struct fl_mark_at){ "o", "9", "9", FL_TIME_NONE, 5 };
	store->ops->begin(store, &err);
	store->ops->move(store, "p", &at, "[\"z\"]", &moved, &held, &err);
	store->ops->commit(store, &err);
	store->ops->positions(store, "p", note_position, &out, &err);
	is_str(out.count ? out.items[0] : NULL, "p o 9 5 77 [\"z\"]",
	       "a watermark stays until there is a newer one, the record time "
	       "is of the position");
	is_int(out.count, 2, "positions of one pipeline");
	release(&out);

	ok(store->ops->forget(store, "p", &rows, &err) == 0, "forget p");
	is_int(rows, 2, "both its origins");
	store->ops->positions(store, NULL, note_position, &out, &err);
	is_str(out.count == 1 ? out.items[0] : NULL, want.items[2],
	       "the other pipeline stays");
	store->ops->forget(store, "p", &rows, &err);
	is_int(rows, 0, "nothing more to forget");
	release(&out);
	release(&want);
	fl_store_close(&store);
}

static void test_transactions(const struct fl_store_ops *ops)
{
	char *place = fl_strdup(place_of(ops));
	struct fl_store *store = open_place(place, FL_STORE_WRITE), *reader;
	struct fl_query query = everything();
	struct fl_error err = { .code = FL_OK };
	struct fl_json json = FL_JSON_INIT;
	struct lines in = { 0 }, out = { 0 };
	struct fl_cursor *cursor = NULL;
	const char *held, *bytes;
	enum fl_put outcome;
	struct fl_note why;
	struct tally tally;
	int64_t ts;
	size_t len;
	int rows = 0;

	make_market(&in);
	store->ops->begin(store, &err);
	move(store, "p", "o", NULL, "1", &held);
	for (size_t i = 0; i < in.count; i++) {
		struct fl_record rec = parse(in.items[i], &json);

		store->ops->put(store, &rec, &outcome, &why, &err);
	}
	store->ops->rollback(store);
	ok(ask(store, &query, &out) && out.count == 0,
	   "rolled back: no row is there");
	store->ops->positions(store, NULL, note_position, &out, &err);
	is_int(out.count, 0, "rolled back: no position is there");

	load(store, &in, &tally);
	reader = open_place(place, FL_STORE_READ);
	ok(reader->ops->query(reader, &query, &cursor, &err) == 0 &&
		   reader->ops->next(cursor, &bytes, &len, &ts, &err) == 1,
	   "a reader begins");
	for (rows = 1;
	     cursor && reader->ops->next(cursor, &bytes, &len, &ts, &err) == 1;
	     rows++) {
		static const char more[] =
			"{\"type\":\"quote\",\"ts\":\"2020-02-01T00:00:00.000Z\""
			",\"provider\":\"a\",\"symbol\":\"NEW\",\"price\":1}";
		struct lines one = { 0 };

		if (rows != 10)
			continue;
		put_one(&one, more);
		ok(load(store, &one, &tally), "somebody writes meanwhile");
		release(&one);
	}
	is_int(tally.fresh + tally.added, 1, "its row is new");
	reader->ops->end(cursor);
	release(&out);
	ask(reader, &query, &out);
	is_int(out.count, rows + 1, "the reader saw one moment of the store");
	release(&in);
	release(&out);
	fl_json_release(&json);
	fl_store_close(&reader);
	fl_store_close(&store);
	free(place);
}

/* One transaction of a pipeline: from → to, with one line. */
static enum fl_put put_between(struct fl_store *store, const char *from,
			       const char *to, int64_t wm, const char *line)
{
	const struct fl_mark_at at = { "o", from, to, wm, FL_TIME_NONE };
	struct fl_error err = { .code = FL_OK };
	struct fl_json json = FL_JSON_INIT;
	struct fl_record rec = parse(line, &json);
	enum fl_put outcome = FL_PUT_REFUSED;
	struct fl_note why = { "", "" };
	const char *held;
	bool moved = false;

	if (store->ops->begin(store, &err) < 0 ||
	    store->ops->move(store, "p", &at, "[]", &moved, &held, &err) < 0 ||
	    store->ops->put(store, &rec, &outcome, &why, &err) < 0 ||
	    store->ops->commit(store, &err) < 0)
		note("%s", err.text);
	fl_json_release(&json);
	return moved ? outcome : FL_PUT_REFUSED;
}

/* What readers get for parts of a bar, in their order. */
static char *merged(const char *const *parts, size_t count, int64_t wm)
{
	struct fl_json left = FL_JSON_INIT, right = FL_JSON_INIT;
	char *whole = fl_strdup(parts[0]);
	struct fl_buf out = FL_BUF_INIT;
	struct fl_record a;

	for (size_t i = 1; i < count; i++) {
		struct fl_record b = parse(parts[i], &right);
		struct fl_note why;

		a = parse(whole, &left);
		ok(fl_bar_merge(&a, &b, &out, &why) == FL_REASON_NONE,
		   "part %zu merges", i + 1);
		free(whole);
		whole = fl_buf_take(&out);
	}
	a = parse(whole, &left);
	fl_bar_finish(&a, wm, &out);
	free(whole);
	fl_json_release(&left);
	fl_json_release(&right);
	return fl_buf_take(&out);
}

/* Parts of a bar, in several transactions, are one bar to readers. */
static void test_parts(const struct fl_store_ops *ops)
{
#define PART(open, high, close, volume, first, last)                           \
	"{\"type\":\"bar\",\"ts\":\"2020-01-01T00:00:00.000Z\","               \
	"\"provider\":\"a\",\"symbol\":\"B\",\"interval\":\"1m\","             \
	"\"open\":" #open ",\"high\":" #high ",\"low\":1,"                     \
	"\"close\":" #close ",\"adj\":\"none\","                               \
	"\"ts_end\":\"2020-01-01T00:01:00.000Z\",\"volume\":" #volume          \
	",\"trades\":1,\"first_ts\":\"2020-01-01T00:00:" #first                \
	".000Z\",\"last_ts\":\"2020-01-01T00:00:" #last                        \
	".000Z\",\"partial\":true}"
	static const char *const parts[] = {
		PART(2, 5, 3, 10, 11, 20), PART(3, 7, 4, 20, 21, 30),
		PART(1, 4, 2, 5, 10, 15), /* late */
	};
	static const char *const positions[] = { NULL, "1", "2", "3" };
	const int64_t minute = INT64_C(1577836800) * FL_SECOND;
	struct fl_store *store = open_place(place_of(ops), FL_STORE_WRITE);
	struct fl_query query = everything();
	struct lines out = { 0 };

	if (put_between(store, NULL, "1", minute, parts[0]) == FL_PUT_REFUSED) {
		note("%s takes no parts of bars", ops->name);
		fl_store_close(&store);
		return;
	}
	for (size_t i = 1; i <= 3; i++) {
		int64_t wm = minute + (int64_t)(i - 1) * FL_MINUTE;
		char *want = merged(parts, i, wm);

		if (i > 1)
			ok(put_between(store, positions[i - 1], positions[i],
				       wm, parts[i - 1]) != FL_PUT_REFUSED,
			   "part %zu is taken", i);
		ok(ask(store, &query, &out), "the bar is read");
		is_int(out.count, 1, "%zu parts are one bar", i);
		is_str(out.count ? out.items[0] : NULL, want,
		       "which is all of them, final when its time is over");
		free(want);
		release(&out);
	}
	fl_store_close(&store);
}

/* --- places -------------------------------------------------------------- */

/* What is not there is an error to a reader, and nothing to who peeks; either
 * way it is not there afterwards. */
static void test_modes(const struct fl_store_ops *ops)
{
	char *place = fl_strdup(place_of(ops));
	struct fl_query query = everything();
	struct fl_store *store = NULL;
	struct lines out = { 0 };

	for (int i = 0; i < 2; i++) {
		struct fl_error err = { .code = FL_OK };

		is_int(fl_store_open(&store, place, FL_STORE_READ, &err), -1,
		       "a reader needs what is not there");
		ok(err.code != FL_OK && !store, "%s", err.text);
		store = open_place(place, FL_STORE_PEEK);
		ok(store != NULL, "who peeks does not");
		fl_error_clear(&err);
		ok(store->ops->positions(store, NULL, note_position, &out,
					 &err) == 0 &&
			   ask(store, &query, &out) &&
			   store->ops->list(store, &query, note_summary, &out,
					    &err) == 0 &&
			   out.count == 0,
		   "and finds nothing");
		fl_store_close(&store);
	}
	store = open_place(place, FL_STORE_WRITE);
	fl_store_close(&store);
	store = open_place(place, FL_STORE_READ);
	ok(ask(store, &query, &out) && out.count == 0, "made, but empty");
	fl_store_close(&store);
	free(place);
}

#ifdef FL_WITHOUT_PG
#define FORMS                                                                  \
	"FILE.db, sqlite:FILE, DIR/ (with the slash) or s3://BUCKET/PREFIX"
#else
#define FORMS                                                                  \
	"FILE.db, sqlite:FILE, postgres://..., mysql://..., DIR/ (with the "   \
	"slash) or s3://BUCKET/PREFIX"
#endif

static void test_find(void)
{
	static const struct {
		const char *place, *text;
	} refused[] = {
		{ "lake", "'lake' names no place: " FORMS },
		{ "", "'' names no place: " FORMS },
		{ ".db", "'.db' names no place: " FORMS },
		{ "sqlite:", "'sqlite:' names no place: " FORMS },
		{ "snowflake://me:secret@host/x.db",
		  "'snowflake://me:***@host/x.db' is a Snowflake schema, a place "
		  "that is not built in yet; " FORMS " is" },
		{ "snowflake://me@host/x?sslpassword=secret&a=b",
		  "'snowflake://me@host/x?sslpassword=***&a=b' is a Snowflake "
		  "schema, a place that is not built in yet; " FORMS " is" },
	};
	const struct fl_store_ops *ops;

	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		struct fl_error err = { .code = FL_OK };

		is_int(fl_store_find(refused[i].place, &ops, &err), -1,
		       "'%s' is refused", refused[i].place);
		is_int(err.code, FL_ERR_USAGE, "as misuse");
		is_str(err.text, refused[i].text, "in words");
	}
	for (size_t i = 0; fl_stores[i]; i++)
		ok(fl_stores[i]->name && fl_stores[i]->summary &&
			   fl_stores[i]->forms,
		   "%s tells about itself", fl_stores[i]->name);
}

/* --- many rows in a transaction ------------------------------------------ */

enum {
	SERIES = 3000, /* keys */
};

static uint64_t dice(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* A tick of one of the keys, as it was or not, with a column that most lack;
 * or a reject, which is looked for before it is stored. */
static char *tick(uint64_t *state, size_t *key)
{
	uint64_t throw = dice(state);

	*key = dice(state) % SERIES;
	if (throw % 400 == 0)
		return fl_sprintf(
			"{\"type\":\"reject\",\"ts\":\"2026-01-02T00:00:00.000Z\","
			"\"provider\":\"t\",\"id\":\"%zu\",\"reason\":\"late\","
			"\"detail\":\"d\",\"input\":\"i\",\"line\":%zu,"
			"\"raw\":\"%llu\"}",
			*key, *key, (unsigned long long)(throw >> 32));
	return fl_sprintf(
		"{\"type\":\"quote\",\"ts\":\"2026-01-02T%02zu:%02zu:%02zu"
		".000Z\",\"provider\":\"t\",\"symbol\":\"A\","
		"\"price\":%d,\"seq\":%zu%s}",
		*key / 3600, *key / 60 % 60, *key % 60,
		1 + (int)(throw >> 40) % 2, *key,
		throw % 1000 == 7 ? ",\"bid\":1,\"conditions\":[\"c\"]" : "");
}

/* What is sent while more is put is what would be sent at the end. Rows are
 * replaced by equal ones and by others, of this transaction and of those
 * before it. */
static void test_many(const struct fl_store_ops *ops)
{
	static const size_t sizes[] = { 2000, 3, 700, 4000, 300, 2500 };
	struct fl_store *store = open_place(place_of(ops), FL_STORE_WRITE);
	char **model = fl_zalloc(2 * SERIES * sizeof(*model));
	struct fl_query query = everything();
	struct lines out = { 0 };
	uint64_t state = 88172645463325252;
	size_t held = 0, missing = 0;
	bool counted = true, loaded = true;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct lines in = { 0 };
		struct tally tally;
		int fresh = 0;

		while (in.count < sizes[i]) {
			size_t key;
			char *line = tick(&state, &key);

			if (strstr(line, "reject"))
				key += SERIES;
			add(&in, line, strlen(line));
			fresh += model[key] == NULL;
			free(model[key]);
			model[key] = line;
		}
		held += (size_t)fresh;
		loaded &= load(store, &in, &tally);
		counted &= tally.added ||
			   (tally.fresh == fresh &&
			    tally.fresh + tally.replaced == (int)in.count);
		if (!counted)
			note("%d fresh and %d replaced, wanted %d fresh",
			     tally.fresh, tally.replaced, fresh);
		release(&in);
	}
	ok(loaded, "transactions of %zu rows and fewer are loaded", sizes[3]);
	ok(counted, "what is new in them is told from what is replaced");
	ok(ask(store, &query, &out), "and read back");
	is_int(out.count, held, "a row for each key");
	for (size_t i = 0; i < 2 * SERIES; i++) {
		if (model[i] && !holds(&out, model[i]) && !missing++)
			note("%s", model[i]);
		free(model[i]);
	}
	is_int(missing, 0, "which is the last of its lines");
	release(&out);
	free(model);
	fl_store_close(&store);
}

static void test_store(const struct fl_store_ops *ops)
{
	test_modes(ops);
	test_types(ops);
	test_limits(ops);
	test_replace(ops);
	test_replacing(ops);
	test_queries(ops);
	test_list(ops);
	test_positions(ops);
	test_transactions(ops);
	test_parts(ops);
	test_many(ops);
}

int main(void)
{
	test_find();
	return test_stores(test_store);
}
