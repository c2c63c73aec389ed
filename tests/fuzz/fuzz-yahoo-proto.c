/* fuzz-yahoo-proto: a protobuf message of Yahoo's stream, as any bytes.
 *
 * Whatever they are, they are read to their end or refused for one of three
 * reasons, in words; no text reaches beyond them, and reading them twice gives
 * the same.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/utf8.h"
#include "source/yahoo/proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct fl_yahoo_pricing once, twice;
	struct fl_note note = { "", "" };
	struct fl_proto proto = { bytes, bytes + size };
	struct fl_proto_field field;
	enum fl_reason reason, low = FL_REASON_NONE;
	size_t count = 0;
	int got;

	reason = fl_yahoo_pricing_read(bytes, size, &once, &note);
	assert(reason == FL_REASON_NONE || note.detail[0]);
	assert(reason == FL_REASON_NONE || reason == FL_REASON_truncated ||
	       reason == FL_REASON_unknown_format ||
	       reason == FL_REASON_bad_utf8);
	for (unsigned i = 1; i < FL_PRICING_COUNT; i++) {
		if (!(once.has >> i & 1) ||
		    fl_yahoo_pricing_kind(i) != FL_PRICING_STRING)
			continue;
		assert(once.at[i].text >= bytes);
		assert(once.at[i].text + once.at[i].len <= bytes + size);
		assert(fl_utf8_valid(once.at[i].text, once.at[i].len));
	}
	assert(fl_yahoo_pricing_read(bytes, size, &twice, &note) == reason);
	assert(once.has == twice.has);
	for (unsigned i = 0; i < FL_PRICING_COUNT; i++)
		assert(once.at[i].integer == twice.at[i].integer);

	while ((got = fl_proto_next(&proto, &field, &low, &note)) > 0) {
		assert(++count <= size && field.number);
		assert(proto.at <= bytes + size);
		assert(field.wire != FL_PROTO_BYTES ||
		       field.bytes + field.len == proto.at);
	}
	assert((got < 0) == (low != FL_REASON_NONE));
	/* All that is wrong below is wrong above. */
	assert(got == 0 || reason);
	return 0;
}
