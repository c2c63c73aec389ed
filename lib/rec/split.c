/* split: one share becomes several, or several one.
 *
 * Numerator and denominator need not be whole: spin-offs are told as 1281 for
 * 1000 by one provider and as 1.281 for 1 by another.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rec/type.h"

static const struct fl_field fields[] = {
	FL_FIELD_TYPE,
	FL_FIELD_TS,
	{ .path = "date",
	  .column = "date",
	  .kind = FL_DATE,
	  .required = true,
	  .since = 1,
	  .doc = "first trading day with the new shares",
	  .width = 10 },
	FL_FIELD_PROVIDER,
	FL_FIELD_SYMBOL(true),
	{ .path = "numerator",
	  .column = "numerator",
	  .kind = FL_NUMBER,
	  .required = true,
	  .range = FL_POSITIVE,
	  .unit = FL_UNIT_RATIO,
	  .since = 1,
	  .doc = "shares after: 4 of four for one",
	  .width = 10 },
	{ .path = "denominator",
	  .column = "denominator",
	  .kind = FL_NUMBER,
	  .required = true,
	  .range = FL_POSITIVE,
	  .unit = FL_UNIT_RATIO,
	  .since = 1,
	  .doc = "shares before: 1 of four for one",
	  .width = 11 },
	FL_FIELD_SYMBOL_SRC,
	FL_FIELD_TS_RECV,
	{ .path = NULL },
};

const struct fl_type fl_type_split = {
	.id = FL_TYPE_split,
	.name = "split",
	.summary = "one share becomes several, or several one",
	.fields = fields,
	.key = { "symbol", "provider", "date" },
	.series = { "symbol", "provider" },
	.topic = "events",
	.topic_key = "provider,symbol",
};
