/* dividend: cash paid out, on the day from which the price is without it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rec/type.h"

static const char *const kinds[] = { "cash", "special", "capital_gain", NULL };

static const struct fl_field fields[] = {
	FL_FIELD_TYPE,
	FL_FIELD_TS,
	{ .path = "date",
	  .column = "date",
	  .kind = FL_DATE,
	  .required = true,
	  .since = 1,
	  .doc = "ex-date at the exchange",
	  .width = 10 },
	FL_FIELD_PROVIDER,
	FL_FIELD_SYMBOL(true),
	{ .path = "amount",
	  .column = "amount",
	  .kind = FL_NUMBER,
	  .required = true,
	  .range = FL_POSITIVE,
	  .unit = FL_UNIT_PRICE,
	  .since = 1,
	  .doc = "per share",
	  .width = 12 },
	FL_FIELD_CURRENCY,
	FL_FIELD_CURRENCY_SRC,
	FL_FIELD_PRICE_SCALE,
	{ .path = "kind",
	  .column = "kind",
	  .kind = FL_STRING,
	  .words = kinds,
	  .since = 1,
	  .doc = "what is paid",
	  .width = 12 },
	{ .path = "adj",
	  .column = "adj",
	  .kind = FL_STRING,
	  .words = fl_words_adj,
	  .since = 1,
	  .doc = "what the amount is adjusted for" },
	FL_FIELD_SYMBOL_SRC,
	FL_FIELD_TS_RECV,
	{ .path = NULL },
};

const struct fl_type fl_type_dividend = {
	.id = FL_TYPE_dividend,
	.name = "dividend",
	.summary = "cash paid out per share",
	.fields = fields,
	.key = { "symbol", "provider", "date" },
	.series = { "symbol", "provider" },
	.topic = "events",
	.topic_key = "provider,symbol",
};
