/* quote: the last price of a share, or the rate of a pair.
 *
 * Of a share the day is told, not the time: ts is that day at midnight. Nor is
 * the currency told.
 *
 * source  sources.md, 2.2 and 2.3
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "source/av/av.h"

struct field {
	const char *key;    /* of the record, in its order */
	const char *member; /* of the answer */
	bool money;
};

static bool put_fields(struct fl_av_job *job, uint32_t object,
		       const struct field *fields, const struct fl_subunit *sub,
		       const char **bad, bool *rounded)
{
	for (; fields->key; fields++) {
		struct fl_av_value value =
			fl_av_member(&job->json, object, fields->member);

		if (!fl_av_put_scaled(&job->text, fields->key, value,
				      fields->money ? sub : NULL, rounded)) {
			*bad = fields->key;
			return false;
		}
	}
	return true;
}

/* What came, for a reject. */
static void refuse(struct fl_av_job *job, uint32_t object,
		   enum fl_reason reason, const char *field, const char *why)
{
	struct fl_buf raw = FL_BUF_INIT;

	fl_json_print(&job->json, object, &raw);
	fl_av_item_refuse(job, reason, raw.data, raw.len, field, "'%s' %s",
			  field, why);
	fl_buf_release(&raw);
}

static void take_share(struct fl_av_job *job, uint32_t object, bool delayed)
{
	static const struct field fields[] = {
		{ "price", "price", true },
		{ "volume", "volume", false },
		{ "open", "open", true },
		{ "high", "high", true },
		{ "low", "low", true },
		{ "prev_close", "previous close", true },
		{ "change", "change", true },
		{ "change_pct", "change percent", false },
		{ NULL, NULL, false },
	};
	const char *code = job->symbol.code, *bad = "";
	const char *money = job->symbol.home ? "USD" : job->plan->currency;
	struct fl_av_value currency =
		fl_av_value(money ? money : "", money ? strlen(money) : 0);
	int64_t day = 0;
	bool rounded = false,
	     dated = fl_av_day(
		     fl_av_member(&job->json, object, "latest trading day"),
		     &day);

	fl_av_item_begin(job, "quote", day * FL_DAY, false);
	fl_av_put_text(&job->text, "symbol",
		       fl_av_value(job->name, strlen(job->name)));
	if (!dated) {
		refuse(job, object, FL_REASON_bad_time, "ts",
		       "is not told: no latest trading day");
	} else if (!fl_av_member(&job->json, object, "price").text) {
		refuse(job, object, FL_REASON_missing_field, "price",
		       "is missing");
	} else if (!put_fields(
			   job, object, fields,
			   fl_subunit_find(money ? money : "", currency.len),
			   &bad, &rounded)) {
		refuse(job, object, FL_REASON_bad_number, bad, "is no number");
	} else {
		(void)fl_av_put_currency(&job->text, currency);
		if (job->symbol.mic)
			fl_av_put_text(&job->text, "mic",
				       fl_av_value(job->symbol.mic, 4));
		if (delayed)
			fl_buf_puts(&job->text, ",\"delay_s\":900");
		fl_av_put_source(&job->text, code, strlen(code), job->name);
		fl_av_item_end(job, day * FL_DAY, rounded);
	}
}

static void take_rate(struct fl_av_job *job, uint32_t object)
{
	static const struct field fields[] = {
		{ "price", "exchange rate", true },
		{ "bid", "bid price", true },
		{ "ask", "ask price", true },
		{ NULL, NULL, false },
	};
	struct fl_av_value zone = fl_av_member(&job->json, object, "time zone");
	const char *bad = "";
	bool rounded = false, timed;
	int64_t ns = 0;

	job->zone = fl_av_zone(zone);
	timed = zone.text && job->zone &&
		fl_av_time(fl_av_member(&job->json, object, "last refreshed"),
			   job->zone, &ns);
	fl_av_item_begin(job, "quote", ns, false);
	fl_av_put_text(&job->text, "symbol",
		       fl_av_value(job->name, strlen(job->name)));
	if (!timed) {
		refuse(job, object, FL_REASON_bad_time, "ts",
		       "is not told: no time, or no time zone");
	} else if (!fl_av_member(&job->json, object, "exchange rate").text) {
		refuse(job, object, FL_REASON_missing_field, "price",
		       "is missing");
	} else if (!put_fields(job, object, fields, NULL, &bad, &rounded)) {
		refuse(job, object, FL_REASON_bad_number, bad, "is no number");
	} else {
		fl_av_put_currency(&job->text,
				   fl_av_value(job->symbol.against, 3));
		fl_buf_puts(&job->text, job->symbol.market == FL_AV_FX
						? ",\"asset\":\"fx\""
						: ",\"asset\":\"crypto\"");
		fl_av_item_end(job, ns, rounded);
	}
}

/* The first member whose key begins so: "Global Quote - DATA DELAYED BY 15
 * MINUTES" is one. */
static uint32_t find_begin(const struct fl_json *json, const char *begin,
			   bool *more)
{
	size_t len = strlen(begin);

	for (uint32_t at = 1; at < json->toks[0].next;
	     at = json->toks[at + 1].next) {
		if (json->toks[at].len < len ||
		    memcmp(json->toks[at].text, begin, len) != 0)
			continue;
		*more = memmem(json->toks[at].text, json->toks[at].len,
			       "DELAYED", 7) != NULL;
		return at + 1;
	}
	return 0;
}

int fl_av_take_quote(struct fl_av_job *job, const struct fl_http_answer *answer,
		     bool csv, struct fl_poll_fault *fault)
{
	bool share = job->symbol.market == FL_AV_EQUITY, delayed = false;
	uint32_t object =
		csv ? 0
		    : find_begin(&job->json,
				 share ? "Global Quote"
				       : "Realtime Currency Exchange Rate",
				 &delayed);

	if (!object || job->json.toks[object].kind != FL_JSON_OBJECT)
		return fl_av_malformed(fault, answer, "no quote");
	if (!job->json.toks[object].len)
		return fl_av_unknown(fault, answer);
	if (share)
		take_share(job, object, delayed);
	else
		take_rate(job, object);
	return 0;
}
