/* fuzz-json: what is parsed and printed again parses to the same tokens.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "io/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_equal(const struct fl_json *a, const struct fl_json *b)
{
	assert(a->count == b->count);
	for (uint32_t i = 0; i < a->count; i++) {
		const struct fl_json_tok *x = &a->toks[i], *y = &b->toks[i];

		assert(x->kind == y->kind && x->next == y->next);
		assert(x->len == y->len);
		if (x->kind != FL_JSON_STRING && x->kind != FL_JSON_NUMBER)
			continue;
		assert(memcmp(x->text, y->text, x->len) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fl_json again_parsed = FL_JSON_INIT, parsed = FL_JSON_INIT;
	struct fl_buf again = FL_BUF_INIT;
	struct fl_note note;
	/* A copy of just this size: reading past it is found out. */
	char *text = malloc(size ? size : 1);
	enum fl_reason reason;

	if (size)
		memcpy(text, data, size);
	reason = fl_json_parse(&parsed, text, size, &note);
	if (reason == FL_REASON_NONE) {
		fl_json_print(&parsed, 0, &again);
		assert(fl_json_parse(&again_parsed, again.data, again.len,
				     &note) == FL_REASON_NONE);
		must_equal(&again_parsed, &parsed);
	}
	fl_buf_release(&again);
	fl_json_release(&again_parsed);
	fl_json_release(&parsed);
	free(text);
	return 0;
}
