/* prediction: what a model expects, and later what came.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rec/record.h"
#include "rec/type.h"

static const char *const targets[] = { "close", "return", "direction",
				       "volatility", NULL };

/* Fields that check() looks at. */
enum {
	LOWER = 10,
	UPPER = 11,
	LEVEL = 12,
	PROBA = 13,
};

static const struct fl_field fields[] = {
	FL_FIELD_TYPE,
	FL_FIELD_TS,
	FL_FIELD_PROVIDER,
	FL_FIELD_SYMBOL(true),
	{ .path = "model",
	  .column = "model",
	  .kind = FL_STRING,
	  .required = true,
	  .form = FL_FORM_LABEL,
	  .merge = FL_MERGE_KEY,
	  .since = 1,
	  .doc = "name of the model",
	  .width = 12 },
	{ .path = "model_version",
	  .column = "model_version",
	  .kind = FL_STRING,
	  .required = true,
	  .form = FL_FORM_LABEL,
	  .merge = FL_MERGE_KEY,
	  .since = 1,
	  .doc = "its version",
	  .width = 8 },
	{ .path = "horizon",
	  .column = "horizon",
	  .kind = FL_STRING,
	  .required = true,
	  .form = FL_FORM_LABEL,
	  .merge = FL_MERGE_KEY,
	  .since = 1,
	  .doc = "how far ahead: 1d",
	  .width = 7 },
	{ .path = "target_ts",
	  .column = "target_ts",
	  .kind = FL_TIME,
	  .required = true,
	  .since = 1,
	  .doc = "the time that is predicted for; before ts in a late run",
	  .width = 24 },
	{ .path = "target",
	  .column = "target",
	  .kind = FL_STRING,
	  .required = true,
	  .words = targets,
	  .since = 1,
	  .doc = "what is predicted",
	  .width = 10 },
	{ .path = "value",
	  .column = "value",
	  .kind = FL_NUMBER,
	  .required = true,
	  .since = 1,
	  .doc = "the prediction",
	  .width = 12 },
	[LOWER] = { .path = "lower",
		    .column = "lower",
		    .kind = FL_NUMBER,
		    .since = 1,
		    .doc = "lower end of the band" },
	[UPPER] = { .path = "upper",
		    .column = "upper",
		    .kind = FL_NUMBER,
		    .since = 1,
		    .doc = "upper end of the band" },
	[LEVEL] = { .path = "level",
		    .column = "level",
		    .kind = FL_NUMBER,
		    .unit = FL_UNIT_RATIO,
		    .since = 1,
		    .doc = "share of outcomes expected in the band, 0 to 1" },
	[PROBA] = { .path = "proba",
		    .column = "proba",
		    .kind = FL_NUMBER,
		    .unit = FL_UNIT_RATIO,
		    .since = 1,
		    .doc = "probability of the predicted direction, 0 to 1" },
	{ .path = "baseline",
	  .column = "baseline",
	  .kind = FL_NUMBER,
	  .since = 1,
	  .doc = "the naive forecast" },
	{ .path = "actual",
	  .column = "actual",
	  .kind = FL_NUMBER,
	  .since = 1,
	  .doc = "what came; filled in later" },
	FL_FIELD_SYMBOL_SRC,
	FL_FIELD_TS_RECV,
	{ .path = NULL },
};

static enum fl_reason refuse(const struct fl_record *rec, struct fl_note *note,
			     int field, const char *rule)
{
	const struct fl_json_tok *tok = &rec->json->toks[rec->at[field]];
	const char *path = fields[field].path;

	fl_note_set(note, path, "'%s' is %s, %s", path,
		    fl_show(tok->text, tok->len, 40), rule);
	return FL_REASON_out_of_range;
}

static bool is_share(struct fl_decimal value)
{
	return fl_decimal_sign(value) >= 0 &&
	       fl_decimal_cmp(value, fl_decimal_from_i64(1)) <= 0;
}

static enum fl_reason check(const struct fl_record *rec, struct fl_note *note)
{
	struct fl_decimal lower, upper, share;

	if (fl_record_number(rec, LOWER, &lower) &&
	    fl_record_number(rec, UPPER, &upper) &&
	    fl_decimal_cmp(lower, upper) > 0)
		return refuse(rec, note, LOWER, "above 'upper'");
	for (int field = LEVEL; field <= PROBA; field++)
		if (fl_record_number(rec, field, &share) && !is_share(share))
			return refuse(rec, note, field, "not within 0 and 1");
	return FL_REASON_NONE;
}

const struct fl_type fl_type_prediction = {
	.id = FL_TYPE_prediction,
	.name = "prediction",
	.summary = "what a model expects, and later what came",
	.fields = fields,
	.key = { "model", "model_version", "symbol", "horizon", "ts" },
	.series = { "model", "model_version", "symbol", "horizon" },
	.topic = "predictions",
	.topic_key = "provider,symbol",
	.check = check,
};
