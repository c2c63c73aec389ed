/* fuzz-record: the check of a line, and what may be said of what passed it.
 *
 * Canonical form is a fixed point, normalising leaves nothing to mend, and
 * neither changes the content. The scan of the usual line and the full check
 * (which a tab behind the first brace asks for) say the same of every line.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rec/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum fl_reason check(struct fl_record *rec, struct fl_json *json,
			    const char *bytes, size_t len)
{
	struct fl_note note = { "", "" };

	rec->bytes = bytes;
	rec->len = len;
	return fl_record_check(rec, json, &note);
}

/* The same line by the scan, where that takes it, and by the parser. */
static void must_agree(const char *text, size_t size)
{
	struct fl_json json[2] = { FL_JSON_INIT, FL_JSON_INIT };
	struct fl_record rec[2] = { { .input = "-" }, { .input = "-" } };
	struct fl_buf out[2] = { FL_BUF_INIT, FL_BUF_INIT };
	struct fl_hash128 content[2];
	uint64_t series[2];
	char *tabbed;

	if (size < 2 || text[0] != '{' ||
	    check(&rec[0], &json[0], text, size) != FL_REASON_NONE ||
	    !rec[0].plain)
		goto done;
	tabbed = malloc(size + 1);
	memcpy(tabbed, "{\t", 2);
	memcpy(tabbed + 2, text + 1, size - 1);
	assert(check(&rec[1], &json[1], tabbed, size + 1) == FL_REASON_NONE);
	assert(!rec[1].plain && rec[0].type == rec[1].type);
	assert(rec[0].ts_ns == rec[1].ts_ns && rec[1].fixes == 0);
	for (int i = 0; i < 2; i++) {
		content[i] = fl_record_content(&rec[i], false, &series[i]);
		fl_record_canonical(&rec[i], &out[i]);
	}
	assert(content[0].lo == content[1].lo &&
	       content[0].hi == content[1].hi);
	assert(series[0] == series[1]);
	assert(out[0].len == out[1].len &&
	       memcmp(out[0].data, out[1].data, out[0].len) == 0);
	free(tabbed);
done:
	for (int i = 0; i < 2; i++) {
		fl_json_release(&json[i]);
		fl_buf_release(&out[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fl_json json = FL_JSON_INIT, json2 = FL_JSON_INIT;
	struct fl_buf once = FL_BUF_INIT, twice = FL_BUF_INIT;
	struct fl_record rec = { .input = "-" }, rec2 = { .input = "-" };
	char *text = malloc(size ? size : 1);
	struct fl_hash128 content, content2;

	if (size)
		memcpy(text, data, size);
	must_agree(text, size);
	if (check(&rec, &json, text, size) != FL_REASON_NONE)
		goto done;
	content = fl_record_content(&rec, false, NULL);
	fl_record_normalise(&rec, &once);
	assert(check(&rec2, &json2, once.data, once.len) == FL_REASON_NONE);
	assert(rec2.fixes == 0);
	if (!(rec.fixes & FL_FIX_SUBUNIT)) {
		content2 = fl_record_content(&rec2, false, NULL);
		assert(content.lo == content2.lo && content.hi == content2.hi);
		assert(fl_record_series(&rec) == fl_record_series(&rec2));
	}
	fl_buf_reset(&once);
	fl_record_canonical(&rec, &once);
	assert(check(&rec2, &json2, once.data, once.len) == FL_REASON_NONE);
	assert(rec2.fixes == 0);
	fl_record_canonical(&rec2, &twice);
	assert(once.len == twice.len &&
	       memcmp(once.data, twice.data, once.len) == 0);
done:
	fl_buf_release(&once);
	fl_buf_release(&twice);
	fl_json_release(&json);
	fl_json_release(&json2);
	free(text);
	return 0;
}
