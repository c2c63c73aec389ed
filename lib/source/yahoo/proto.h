/* proto: protobuf as Yahoo's stream sends it.
 *
 * Two layers: fields of any message, one after the other, which never reads
 * past its end; and PricingData, a table of which number has which type. No
 * library: four wire types are all that there is to it.
 *
 * source  sources.md, 1.5; https://protobuf.dev/programming-guides/encoding/
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_YAHOO_PROTO_H
#define FL_SOURCE_YAHOO_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/reject.h"

enum fl_proto_wire {
	FL_PROTO_VARINT = 0,
	FL_PROTO_FIXED64 = 1,
	FL_PROTO_BYTES = 2,
	FL_PROTO_FIXED32 = 5,
};

struct fl_proto_field {
	uint32_t number; /* 1 to 2^29 - 1 */
	enum fl_proto_wire wire;
	uint64_t value;    /* of all but BYTES, as it is on the wire */
	const char *bytes; /* borrowed from the message */
	size_t len;
};

/* What is left to read of a message. */
struct fl_proto {
	const char *at, *end;
};

/* returns 1 a field; 0 the end; -1 with the reason: truncated, or
 *         unknown_format for what is no protobuf (groups included, which
 *         proto3 has not) */
int fl_proto_next(struct fl_proto *proto, struct fl_proto_field *field,
		  enum fl_reason *reason, struct fl_note *note);

/* The numbers of PricingData. */
enum fl_yahoo_pricing_field {
	FL_PRICING_ID = 1,
	FL_PRICING_PRICE,
	FL_PRICING_TIME,
	FL_PRICING_CURRENCY,
	FL_PRICING_EXCHANGE,
	FL_PRICING_QUOTE_TYPE,
	FL_PRICING_MARKET_HOURS,
	FL_PRICING_CHANGE_PERCENT,
	FL_PRICING_DAY_VOLUME,
	FL_PRICING_DAY_HIGH,
	FL_PRICING_DAY_LOW,
	FL_PRICING_CHANGE,
	FL_PRICING_SHORT_NAME,
	FL_PRICING_EXPIRE_DATE,
	FL_PRICING_OPEN_PRICE,
	FL_PRICING_PREVIOUS_CLOSE,
	FL_PRICING_STRIKE_PRICE,
	FL_PRICING_UNDERLYING_SYMBOL,
	FL_PRICING_OPEN_INTEREST,
	FL_PRICING_OPTIONS_TYPE,
	FL_PRICING_MINI_OPTION,
	FL_PRICING_LAST_SIZE,
	FL_PRICING_BID,
	FL_PRICING_BID_SIZE,
	FL_PRICING_ASK,
	FL_PRICING_ASK_SIZE,
	FL_PRICING_PRICE_HINT,
	FL_PRICING_VOL_24HR,
	FL_PRICING_VOL_ALL_CURRENCIES,
	FL_PRICING_FROM_CURRENCY,
	FL_PRICING_LAST_MARKET,
	FL_PRICING_CIRCULATING_SUPPLY,
	FL_PRICING_MARKET_CAP,
	FL_PRICING_COUNT,
};

enum fl_yahoo_pricing_kind {
	FL_PRICING_NONE, /* number 0 */
	FL_PRICING_STRING,
	FL_PRICING_FLOAT,
	FL_PRICING_DOUBLE,
	FL_PRICING_SINT64, /* zig-zag */
	FL_PRICING_INT32,
};

/* One message. What did not come is proto3's default: 0 or "". */
struct fl_yahoo_pricing {
	uint64_t has; /* bit N: field N came */
	union {
		int64_t integer; /* SINT64, INT32 */
		float single;
		double wide;
		struct {
			const char *text; /* borrowed from the message; UTF-8
					   * without NUL */
			size_t len;
		};
	} at[FL_PRICING_COUNT];
};

enum fl_yahoo_pricing_kind fl_yahoo_pricing_kind(unsigned number);
/* The name in Yahoo's own schema: "short_name". */
const char *fl_yahoo_pricing_name(unsigned number);

/* Read a message. Of a field that comes twice the last one counts; unknown
 * fields, and known ones of another wire type, are skipped.
 * returns FL_REASON_NONE, or why not: as fl_proto_next; bad_utf8 */
enum fl_reason fl_yahoo_pricing_read(const char *bytes, size_t len,
				     struct fl_yahoo_pricing *out,
				     struct fl_note *note);

#endif
