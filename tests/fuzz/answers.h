/* answers: what the targets of providers' answers share.
 *
 * Whatever the answer, it is a fault with words and nothing else, or records;
 * given twice, it comes out the same. A record is of the time that is told for
 * it; where its type's check finds it good it is canonical to the byte, and
 * fl-clean would have nothing to change.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_TESTS_FUZZ_ANSWERS_H
#define FL_TESTS_FUZZ_ANSWERS_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/time.h"
#include "rec/record.h"
#include "source/polled.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ANSWERS_NOW (INT64_C(1767747600) * FL_SECOND)

/* What came of an answer; sum: of the hashes of all. */
struct outcome {
	uint64_t count, sum;
};

static inline void count_item(struct outcome *outcome,
			      const struct fl_item *item, size_t len,
			      enum fl_reason refused)
{
	outcome->count++;
	outcome->sum += fl_hash64(item->bytes, len) * (refused + 1u);
}

/* Returns what the type's check has against it, for the target to judge. */
static inline enum fl_reason check_item(const struct fl_item *item)
{
	struct fl_record rec = {
		.bytes = item->bytes, .len = item->len, .line = 1, .input = "-"
	};
	struct fl_json json = FL_JSON_INIT;
	struct fl_note note = { "", "" };
	struct fl_buf again = FL_BUF_INIT;
	enum fl_reason reason = fl_record_check(&rec, &json, &note);

	if (!reason) {
		assert(rec.ts_ns == item->ts_ns);
		assert(!rec.fixes);
		fl_record_canonical(&rec, &again);
		assert(again.len == item->len &&
		       memcmp(again.data, item->bytes, again.len) == 0);
	}
	fl_buf_release(&again);
	fl_json_release(&json);
	return reason;
}

/* Take the answer once: fl_polled_replay() with a plan made for it. */
typedef int take_answer(const void *how, const struct fl_http_answer *answer,
			struct outcome *outcome, struct fl_poll_fault *fault);

/* Whose body is data[size]; how: handed on. */
static inline void answer_twice(take_answer *take, const void *how,
				unsigned status, const uint8_t *data,
				size_t size)
{
	struct outcome once = { 0 }, twice = { 0 };
	struct fl_poll_fault fault = { .reason = FL_REASON_NONE };
	struct fl_http_answer answer = { .date_ns = FL_TIME_NONE,
					 .head = "",
					 .status = status,
					 .len = size };
	/* With the NUL that an answer's body has. */
	char *body = malloc(size + 1);
	int result;

	memcpy(body, data, size);
	body[size] = '\0';
	answer.body = body;
	result = take(how, &answer, &once, &fault);
	assert(result == 0 || (fault.reason && fault.text[0] && !once.count));
	take(how, &answer, &twice, &fault);
	assert(once.count == twice.count && once.sum == twice.sum);
	free(body);
}

#endif
