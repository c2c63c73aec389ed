/* reject: what was refused, kept whole with the reason.
 *
 * Detail and position are there whenever they are known; an answer of the
 * network has no line. Only `reason` and the original text must be.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rec/record.h"
#include "rec/type.h"

static const char *const reasons[] = {
#define X(name, doc) #name,
	FL_REASONS(X)
#undef X
		NULL
};

/* Fields that check() looks at. */
enum {
	RAW = 10,
	RAW_B64 = 11,
};

static const struct fl_field fields[] = {
	FL_FIELD_TYPE,
	FL_FIELD_TS,
	FL_FIELD_PROVIDER_SHOWN(10),
	{ .path = "id",
	  .column = "id",
	  .kind = FL_STRING,
	  .required = true,
	  .form = FL_FORM_LABEL,
	  .merge = FL_MERGE_KEY,
	  .since = 1,
	  .doc = "128 bits of SHA-256 of command, reason, raw and position" },
	{ .path = "reason",
	  .column = "reason",
	  .kind = FL_STRING,
	  .required = true,
	  .words = reasons,
	  .since = 1,
	  .doc = "code; see REJECTS",
	  .width = 15 },
	{ .path = "detail",
	  .column = "detail",
	  .kind = FL_STRING,
	  .since = 1,
	  .doc = "the reason in words",
	  .width = 50 },
	{ .path = "input",
	  .column = "input",
	  .kind = FL_STRING,
	  .since = 1,
	  .doc = "file, topic or address it came from; - is standard input",
	  .width = 20 },
	{ .path = "line",
	  .column = "line",
	  .kind = FL_INTEGER,
	  .range = FL_NON_NEGATIVE,
	  .since = 1,
	  .doc = "in that input, from 1",
	  .width = 8 },
	{ .path = "partition",
	  .column = "partition",
	  .kind = FL_INTEGER,
	  .range = FL_NON_NEGATIVE,
	  .since = 1,
	  .doc = "of the topic" },
	{ .path = "offset",
	  .column = "offset",
	  .kind = FL_INTEGER,
	  .range = FL_NON_NEGATIVE,
	  .since = 1,
	  .doc = "in the partition" },
	[RAW] = { .path = "raw",
		  .column = "raw",
		  .kind = FL_STRING,
		  .since = 1,
		  .doc = "the original text, at most 64 KiB" },
	[RAW_B64] = { .path = "raw_b64",
		      .column = "raw_b64",
		      .kind = FL_STRING,
		      .since = 1,
		      .doc = "the same in base64, when it is not UTF-8" },
	{ .path = "truncated",
	  .column = "truncated",
	  .kind = FL_BOOLEAN,
	  .since = 1,
	  .doc = "true: raw is cut" },
	{ .path = "raw_bytes",
	  .column = "raw_bytes",
	  .kind = FL_INTEGER,
	  .range = FL_NON_NEGATIVE,
	  .unit = FL_UNIT_BYTES,
	  .since = 1,
	  .doc = "length before the cut" },
	{ .path = "field",
	  .column = "field",
	  .kind = FL_STRING,
	  .since = 1,
	  .doc = "path of the field at fault" },
	{ .path = "http_status",
	  .column = "http_status",
	  .kind = FL_INTEGER,
	  .range = FL_NON_NEGATIVE,
	  .since = 1,
	  .doc = "status of the answer" },
	{ .path = "provider_code",
	  .column = "provider_code",
	  .kind = FL_STRING,
	  .since = 1,
	  .doc = "the provider's own code" },
	{ .path = "retryable",
	  .column = "retryable",
	  .kind = FL_BOOLEAN,
	  .since = 1,
	  .doc = "true: the same request may work later" },
	FL_FIELD_TS_RECV,
	{ .path = NULL },
};

static enum fl_reason check(const struct fl_record *rec, struct fl_note *note)
{
	if (rec->at[RAW] || rec->at[RAW_B64])
		return FL_REASON_NONE;
	fl_note_set(note, fields[RAW].path,
		    "'raw' is missing, and so is 'raw_b64'");
	return FL_REASON_missing_field;
}

const struct fl_type fl_type_reject = {
	.id = FL_TYPE_reject,
	.name = "reject",
	.summary = "what was refused, and why",
	.fields = fields,
	.key = { "ts", "id" },
	.series = { "provider" },
	.topic = "rejects",
	.topic_key = "id",
	.check = check,
};
