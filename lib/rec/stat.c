/* stat: a figure about data or about the tools themselves.
 *
 * What it counts differs from stat to stat, so `by` and `values` are objects
 * and stay whole.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rec/type.h"

static const char *const stats[] = { "stats", "count", "movers", "correlation",
				     "lag",   "topic", "quota",  "source",
				     "holes", "store", "market", NULL };

static const struct fl_field fields[] = {
	FL_FIELD_TYPE,
	FL_FIELD_TS,
	FL_FIELD_PROVIDER_SHOWN(10),
	{ .path = "stat",
	  .column = "stat",
	  .kind = FL_STRING,
	  .required = true,
	  .merge = FL_MERGE_KEY,
	  .words = stats,
	  .since = 1,
	  .doc = "which figure",
	  .width = 12 },
	{ .path = "subject",
	  .column = "subject",
	  .kind = FL_STRING,
	  .form = FL_FORM_LABEL,
	  .merge = FL_MERGE_KEY,
	  .absent = "",
	  .since = 1,
	  .doc = "what it is about: symbol, topic, provider",
	  .width = 16 },
	{ .path = "window",
	  .column = "window",
	  .kind = FL_STRING,
	  .form = FL_FORM_LABEL,
	  .since = 1,
	  .doc = "over which time: 1h",
	  .width = 6 },
	{ .path = "by",
	  .column = "by",
	  .kind = FL_OBJECT,
	  .since = 1,
	  .doc = "what was grouped by: name and value",
	  .width = 30 },
	{ .path = "values",
	  .column = "values",
	  .kind = FL_OBJECT,
	  .since = 1,
	  .doc = "the figures: name and number",
	  .width = 40 },
	FL_FIELD_TS_RECV,
	{ .path = NULL },
};

const struct fl_type fl_type_stat = {
	.id = FL_TYPE_stat,
	.name = "stat",
	.summary = "a figure about data or about the tools",
	.fields = fields,
	.key = { "ts", "provider", "stat", "subject" },
	.series = { "provider", "stat", "subject" },
	.topic = "stats",
	.topic_key = "subject",
};
