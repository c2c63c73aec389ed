/* fuzz-record: the check of a line, and what may be said of what passed it.
 *
 * Canonical form is a fixed point, normalising leaves nothing to mend, and
 * neither changes the content.
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fl_json json = FL_JSON_INIT, json2 = FL_JSON_INIT;
	struct fl_buf once = FL_BUF_INIT, twice = FL_BUF_INIT;
	struct fl_record rec = { .input = "-" }, rec2 = { .input = "-" };
	char *text = malloc(size ? size : 1);
	struct fl_hash128 content, content2;

	if (size)
		memcpy(text, data, size);
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
