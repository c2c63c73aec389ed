/* bar-merge: see bar.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <string.h>

#include "base/time.h"
#include "rec/bar.h"

bool fl_ohlcv_merge(struct fl_ohlcv *a, const struct fl_ohlcv *b)
{
	struct fl_sum volume = a->volume, turnover = a->turnover;
	int64_t trades;

	if (!fl_sum_add_sum(&volume, b->volume) ||
	    !fl_sum_add_sum(&turnover, b->turnover) ||
	    __builtin_add_overflow(a->trades, b->trades, &trades))
		return false;
	a->volume = volume;
	a->turnover = turnover;
	a->trades = trades;
	a->has_volume |= b->has_volume;
	a->has_turnover |= b->has_turnover;
	a->has_trades |= b->has_trades;
	if (fl_decimal_cmp(b->high, a->high) > 0)
		a->high = b->high;
	if (fl_decimal_cmp(b->low, a->low) < 0)
		a->low = b->low;
	if (b->first_ts < a->first_ts) {
		a->first_ts = b->first_ts;
		a->open = b->open;
	}
	if (b->last_ts >= a->last_ts) {
		a->last_ts = b->last_ts;
		a->close = b->close;
	}
	return true;
}

/* --- reading ------------------------------------------------------------- */

static struct fl_part text_of(const struct fl_record *rec, int field)
{
	const struct fl_json_tok *tok = &rec->json->toks[rec->at[field]];

	if (!rec->at[field])
		return (struct fl_part){ NULL, 0 };
	return (struct fl_part){ tok->text, tok->len };
}

static bool is_true(const struct fl_record *rec, int field)
{
	return rec->at[field] &&
	       rec->json->toks[rec->at[field]].kind == FL_JSON_TRUE;
}

static bool read_sum(const struct fl_record *rec, int field, struct fl_sum *sum)
{
	const struct fl_json_tok *tok = &rec->json->toks[rec->at[field]];

	sum->nano = 0;
	return rec->at[field] && fl_sum_parse(tok->text, tok->len, sum) >= 0;
}

void fl_bar_read(const struct fl_record *rec, struct fl_bar *bar)
{
	const struct fl_json_tok *trades =
		&rec->json->toks[rec->at[FL_BAR_TRADES]];
	struct fl_ohlcv *v = &bar->v;

	*bar = (struct fl_bar){
		.ts_ns = rec->ts_ns,
		.ts_end_ns = FL_TIME_NONE,
		.provider = text_of(rec, FL_BAR_PROVIDER),
		.symbol = text_of(rec, FL_BAR_SYMBOL),
		.interval = text_of(rec, FL_BAR_INTERVAL),
		.adj = text_of(rec, FL_BAR_ADJ),
		.date = text_of(rec, FL_BAR_DATE),
		.tz = text_of(rec, FL_BAR_TZ),
		.session = text_of(rec, FL_BAR_SESSION),
		.currency = text_of(rec, FL_BAR_CURRENCY),
		.currency_src = text_of(rec, FL_BAR_CURRENCY_SRC),
		.price_scale = text_of(rec, FL_BAR_PRICE_SCALE),
		.mic = text_of(rec, FL_BAR_MIC),
		.exchange = text_of(rec, FL_BAR_EXCHANGE),
		.partial = is_true(rec, FL_BAR_PARTIAL),
		.gap = is_true(rec, FL_BAR_GAP),
	};
	fl_record_number(rec, FL_BAR_OPEN, &v->open);
	fl_record_number(rec, FL_BAR_HIGH, &v->high);
	fl_record_number(rec, FL_BAR_LOW, &v->low);
	fl_record_number(rec, FL_BAR_CLOSE, &v->close);
	v->has_volume = read_sum(rec, FL_BAR_VOLUME, &v->volume);
	v->has_turnover = read_sum(rec, FL_BAR_TURNOVER, &v->turnover);
	v->has_trades = rec->at[FL_BAR_TRADES] &&
			fl_integer_parse(trades->text, trades->len, &v->trades);
	/* A bar that does not say when its first and last tick came stands at
	 * its beginning: bars of a series do not overlap, so that orders them.
	 */
	if (!fl_record_time(rec, FL_BAR_FIRST_TS, &v->first_ts))
		v->first_ts = rec->ts_ns;
	if (!fl_record_time(rec, FL_BAR_LAST_TS, &v->last_ts))
		v->last_ts = v->first_ts;
	fl_record_time(rec, FL_BAR_TS_END, &bar->ts_end_ns);
}

/* --- printing ------------------------------------------------------------ */

/* Bars are printed by the hundred thousand: room for all of one is made at
 * once, and `p` is where the next byte goes. */
enum {
	FIXED = 1400, /* names, numbers and times at their longest */
	ESCAPE = 6,   /* a byte as \u001f */
};

#define LEAD(text) text, sizeof(text) - 1

static char *put_escape(char *p, char c)
{
	struct fl_buf escaped = FL_BUF_INIT;

	fl_buf_json_string(&escaped, &c, 1);
	memcpy(p, escaped.data + 1, escaped.len - 2);
	p += escaped.len - 2;
	fl_buf_release(&escaped);
	return p;
}

static char *put_string(char *p, const char *lead, size_t len,
			struct fl_part text)
{
	const char *bytes = text.bytes;

	if (!bytes)
		return p;
	memcpy(p, lead, len);
	p += len;
	*p++ = '"';
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c < ' ' || c == '"' || c == '\\')
			p = put_escape(p, bytes[i]);
		else
			*p++ = bytes[i];
	}
	*p++ = '"';
	return p;
}

static char *put_number(char *p, const char *lead, size_t len,
			struct fl_decimal value)
{
	memcpy(p, lead, len);
	return p + len + fl_decimal_print(value, p + len);
}

static char *put_sum(char *p, const char *lead, size_t len, struct fl_sum value)
{
	memcpy(p, lead, len);
	return p + len + fl_sum_print(value, p + len);
}

static char *put_time(char *p, const char *lead, size_t len, int64_t ns)
{
	memcpy(p, lead, len);
	p += len;
	*p++ = '"';
	p += fl_time_print(ns, p);
	*p++ = '"';
	return p;
}

static char *put_raw(char *p, const char *text, size_t len)
{
	memcpy(p, text, len);
	return p + len;
}

static char *put_figures(char *p, const struct fl_bar *bar)
{
	const struct fl_ohlcv *v = &bar->v;
	struct fl_decimal vwap;

	if (v->has_volume)
		p = put_sum(p, LEAD(",\"volume\":"), v->volume);
	if (v->has_turnover)
		p = put_sum(p, LEAD(",\"turnover\":"), v->turnover);
	if (!bar->partial && v->has_volume && v->has_turnover &&
	    fl_sum_ratio(v->turnover, v->volume, &vwap))
		p = put_number(p, LEAD(",\"vwap\":"), vwap);
	if (v->has_trades) {
		struct fl_sum trades = { (fl_int128)v->trades * 1000000000 };

		p = put_sum(p, LEAD(",\"trades\":"), trades);
	}
	/* A filled gap has no tick inside. */
	if (!bar->gap) {
		p = put_time(p, LEAD(",\"first_ts\":"), v->first_ts);
		p = put_time(p, LEAD(",\"last_ts\":"), v->last_ts);
	}
	return p;
}

static size_t room_for(const struct fl_bar *bar)
{
	const struct fl_part *const texts[] = {
		&bar->provider, &bar->symbol,   &bar->interval,
		&bar->adj,      &bar->date,     &bar->tz,
		&bar->session,  &bar->currency, &bar->currency_src,
		&bar->mic,      &bar->exchange, &bar->price_scale,
	};
	size_t len = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		len += texts[i]->len;
	return FIXED + ESCAPE * len;
}

void fl_bar_print(const struct fl_bar *bar, struct fl_buf *out)
{
	const struct fl_ohlcv *v = &bar->v;
	char *p;

	if (!fl_buf_reserve(out, room_for(bar)))
		return;
	p = out->data + out->len;
	p = put_time(p, LEAD("{\"type\":\"bar\",\"ts\":"), bar->ts_ns);
	p = put_string(p, LEAD(",\"provider\":"), bar->provider);
	p = put_string(p, LEAD(",\"symbol\":"), bar->symbol);
	p = put_string(p, LEAD(",\"interval\":"), bar->interval);
	p = put_number(p, LEAD(",\"open\":"), v->open);
	p = put_number(p, LEAD(",\"high\":"), v->high);
	p = put_number(p, LEAD(",\"low\":"), v->low);
	p = put_number(p, LEAD(",\"close\":"), v->close);
	p = put_string(p, LEAD(",\"adj\":"), bar->adj);
	p = put_string(p, LEAD(",\"date\":"), bar->date);
	if (bar->ts_end_ns != FL_TIME_NONE)
		p = put_time(p, LEAD(",\"ts_end\":"), bar->ts_end_ns);
	p = put_string(p, LEAD(",\"tz\":"), bar->tz);
	p = put_figures(p, bar);
	p = put_string(p, LEAD(",\"session\":"), bar->session);
	if (bar->open_yet)
		p = put_raw(p, LEAD(",\"final\":false"));
	if (bar->partial)
		p = put_raw(p, LEAD(",\"partial\":true"));
	if (bar->gap)
		p = put_raw(p, LEAD(",\"gap\":true"));
	p = put_string(p, LEAD(",\"currency\":"), bar->currency);
	p = put_string(p, LEAD(",\"currency_src\":"), bar->currency_src);
	if (bar->price_scale.bytes) {
		p = put_raw(p, LEAD(",\"price_scale\":"));
		p = put_raw(p, bar->price_scale.bytes, bar->price_scale.len);
	}
	p = put_string(p, LEAD(",\"mic\":"), bar->mic);
	p = put_string(p, LEAD(",\"exchange\":"), bar->exchange);
	*p++ = '}';
	*p = '\0';
	out->len = (size_t)(p - out->data);
}

/* --- merging ------------------------------------------------------------- */

/* What both parts are expected to say alike: the earlier one's word, or else
 * the other's. */
static void keep_first(struct fl_part *a, struct fl_part b, bool b_first)
{
	if (!a->bytes || (b_first && b.bytes))
		*a = b;
}

static bool differ(struct fl_part a, struct fl_part b)
{
	return a.bytes && b.bytes &&
	       (a.len != b.len || memcmp(a.bytes, b.bytes, a.len) != 0);
}

enum fl_reason fl_bar_join(struct fl_bar *a, const struct fl_bar *b,
			   struct fl_note *note)
{
	bool b_first = b->v.first_ts < a->v.first_ts;

	if (differ(a->currency, b->currency)) {
		fl_note_set(note, "currency", "'currency' is %s in a bar in %s",
			    fl_show(b->currency.bytes, b->currency.len, 20),
			    fl_show(a->currency.bytes, a->currency.len, 20));
		return FL_REASON_mixed_currency;
	}
	if (!fl_ohlcv_merge(&a->v, &b->v)) {
		fl_note_set(note, "volume",
			    "the bar's sums would need more than 38 digits");
		return FL_REASON_out_of_range;
	}
	keep_first(&a->date, b->date, b_first);
	keep_first(&a->tz, b->tz, b_first);
	keep_first(&a->session, b->session, b_first);
	keep_first(&a->currency, b->currency, b_first);
	keep_first(&a->currency_src, b->currency_src, b_first);
	keep_first(&a->price_scale, b->price_scale, b_first);
	keep_first(&a->mic, b->mic, b_first);
	keep_first(&a->exchange, b->exchange, b_first);
	if (a->ts_end_ns == FL_TIME_NONE ||
	    (b_first && b->ts_end_ns != FL_TIME_NONE))
		a->ts_end_ns = b->ts_end_ns;
	a->partial |= b->partial;
	a->gap &= b->gap;
	return FL_REASON_NONE;
}

bool fl_bar_is_partial(const struct fl_record *rec)
{
	return rec->type == &fl_type_bar && is_true(rec, FL_BAR_PARTIAL);
}

bool fl_bar_may_meet_parts(const struct fl_record *rec)
{
	const char *text;
	size_t len;

	if (rec->type != &fl_type_bar)
		return false;
	return is_true(rec, FL_BAR_PARTIAL) ||
	       (fl_record_string(rec, FL_BAR_PROVIDER, &text, &len) &&
		len > 4 && fl_short_equal(text, "agg:", 4));
}

enum fl_reason fl_bar_merge(const struct fl_record *a,
			    const struct fl_record *b, struct fl_buf *out,
			    struct fl_note *note)
{
	struct fl_bar into, from;
	enum fl_reason reason;

	if (!fl_bar_is_partial(a) || !fl_bar_is_partial(b)) {
		fl_note_set(note, "partial",
			    fl_bar_is_partial(b)
				    ? "a part of a bar meets a whole one"
				    : "a whole bar meets one made of parts");
		return FL_REASON_merge_conflict;
	}
	fl_bar_read(a, &into);
	fl_bar_read(b, &from);
	reason = fl_bar_join(&into, &from, note);
	if (reason == FL_REASON_NONE)
		fl_bar_print(&into, out);
	return reason;
}

bool fl_bar_is_open(const struct fl_bar *bar, int64_t newest_ns,
		    const struct fl_exchange *ex)
{
	if (newest_ns == FL_TIME_NONE || bar->ts_end_ns == FL_TIME_NONE ||
	    bar->ts_end_ns <= newest_ns)
		return false;
	return !ex || fl_exchange_trades(ex, newest_ns, bar->ts_end_ns, NULL);
}

static const struct fl_calendars *calendars;

static void open_calendars(void)
{
	struct fl_error err = { .code = FL_OK };

	/* Without time zones on this system no exchange is known. */
	fl_calendars_open(&calendars, NULL, &err);
}

static const struct fl_exchange *exchange_of(const struct fl_bar *bar)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const struct fl_part codes[] = { bar->mic, bar->exchange };
	const struct fl_exchange *ex = NULL;

	if (!bar->mic.bytes && !bar->exchange.bytes)
		return NULL;
	pthread_once(&once, open_calendars);
	for (size_t i = 0; calendars && !ex && i < 2; i++) {
		if (codes[i].bytes)
			ex = fl_exchange_find(calendars, codes[i].bytes,
					      codes[i].len);
	}
	return ex;
}

void fl_bar_finish(const struct fl_record *merged, int64_t newest_ns,
		   struct fl_buf *out)
{
	struct fl_bar bar;

	fl_bar_read(merged, &bar);
	bar.partial = false;
	bar.open_yet = fl_bar_is_open(&bar, newest_ns, exchange_of(&bar));
	fl_bar_print(&bar, out);
}
