/* proto: see proto.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/yahoo/proto.h"

#include <string.h>

#include "base/utf8.h"

#define NUMBER_MAX ((UINT64_C(1) << 29) - 1)

/* --- fields of any message --- */

/* returns false: cut short, or longer than 64 bits; *cut says which */
static bool read_varint(struct fl_proto *proto, uint64_t *value, bool *cut)
{
	const char *at = proto->at;

	*value = 0;
	*cut = false;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint64_t byte;

		if (at == proto->end) {
			*cut = true;
			return false;
		}
		byte = (unsigned char)*at++;
		/* Of the tenth byte, one bit is left. */
		if (shift == 63 && byte > 1)
			return false;
		*value |= (byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			proto->at = at;
			return true;
		}
	}
	return false;
}

static int refuse(enum fl_reason *reason, struct fl_note *note, bool cut,
		  const char *what)
{
	*reason = cut ? FL_REASON_truncated : FL_REASON_unknown_format;
	fl_note_set(note, "", cut ? "the message ends within %s" : "%s", what);
	return -1;
}

/* Little-endian, as on the wire. */
static bool read_fixed(struct fl_proto *proto, size_t size, uint64_t *value)
{
	if ((size_t)(proto->end - proto->at) < size)
		return false;
	*value = 0;
	for (size_t i = 0; i < size; i++)
		*value |= (uint64_t)(unsigned char)proto->at[i] << 8 * i;
	proto->at += size;
	return true;
}

int fl_proto_next(struct fl_proto *proto, struct fl_proto_field *field,
		  enum fl_reason *reason, struct fl_note *note)
{
	uint64_t tag, size;
	bool cut;

	if (proto->at == proto->end)
		return 0;
	if (!read_varint(proto, &tag, &cut))
		return refuse(reason, note, cut,
			      cut ? "a tag" : "a tag of more than 64 bits");
	*field = (struct fl_proto_field){ .number = (uint32_t)(tag >> 3),
					  .bytes = "" };
	if (tag >> 3 == 0 || tag >> 3 > NUMBER_MAX)
		return refuse(reason, note, false, "a field without a number");
	switch (tag & 7) {
	case FL_PROTO_VARINT:
		field->wire = FL_PROTO_VARINT;
		if (!read_varint(proto, &field->value, &cut))
			return refuse(reason, note, cut,
				      cut ? "a number"
					  : "a number of more than 64 bits");
		return 1;
	case FL_PROTO_FIXED64:
		field->wire = FL_PROTO_FIXED64;
		if (!read_fixed(proto, 8, &field->value))
			return refuse(reason, note, true, "eight bytes");
		return 1;
	case FL_PROTO_FIXED32:
		field->wire = FL_PROTO_FIXED32;
		if (!read_fixed(proto, 4, &field->value))
			return refuse(reason, note, true, "four bytes");
		return 1;
	case FL_PROTO_BYTES:
		field->wire = FL_PROTO_BYTES;
		if (!read_varint(proto, &size, &cut))
			return refuse(reason, note, cut,
				      cut ? "a length"
					  : "a length of more than 64 bits");
		if (size > (uint64_t)(proto->end - proto->at))
			return refuse(reason, note, true, "a text");
		field->bytes = proto->at;
		field->len = (size_t)size;
		proto->at += size;
		return 1;
	default:
		return refuse(reason, note, false,
			      "a wire type that proto3 has not");
	}
}

/* --- PricingData --- */

static const struct {
	const char *name;
	enum fl_yahoo_pricing_kind kind;
} table[FL_PRICING_COUNT] = {
	[FL_PRICING_ID] = { "id", FL_PRICING_STRING },
	[FL_PRICING_PRICE] = { "price", FL_PRICING_FLOAT },
	[FL_PRICING_TIME] = { "time", FL_PRICING_SINT64 },
	[FL_PRICING_CURRENCY] = { "currency", FL_PRICING_STRING },
	[FL_PRICING_EXCHANGE] = { "exchange", FL_PRICING_STRING },
	[FL_PRICING_QUOTE_TYPE] = { "quote_type", FL_PRICING_INT32 },
	[FL_PRICING_MARKET_HOURS] = { "market_hours", FL_PRICING_INT32 },
	[FL_PRICING_CHANGE_PERCENT] = { "change_percent", FL_PRICING_FLOAT },
	[FL_PRICING_DAY_VOLUME] = { "day_volume", FL_PRICING_SINT64 },
	[FL_PRICING_DAY_HIGH] = { "day_high", FL_PRICING_FLOAT },
	[FL_PRICING_DAY_LOW] = { "day_low", FL_PRICING_FLOAT },
	[FL_PRICING_CHANGE] = { "change", FL_PRICING_FLOAT },
	[FL_PRICING_SHORT_NAME] = { "short_name", FL_PRICING_STRING },
	[FL_PRICING_EXPIRE_DATE] = { "expire_date", FL_PRICING_SINT64 },
	[FL_PRICING_OPEN_PRICE] = { "open_price", FL_PRICING_FLOAT },
	[FL_PRICING_PREVIOUS_CLOSE] = { "previous_close", FL_PRICING_FLOAT },
	[FL_PRICING_STRIKE_PRICE] = { "strike_price", FL_PRICING_FLOAT },
	[FL_PRICING_UNDERLYING_SYMBOL] = { "underlying_symbol",
					   FL_PRICING_STRING },
	[FL_PRICING_OPEN_INTEREST] = { "open_interest", FL_PRICING_SINT64 },
	[FL_PRICING_OPTIONS_TYPE] = { "options_type", FL_PRICING_SINT64 },
	[FL_PRICING_MINI_OPTION] = { "mini_option", FL_PRICING_SINT64 },
	[FL_PRICING_LAST_SIZE] = { "last_size", FL_PRICING_SINT64 },
	[FL_PRICING_BID] = { "bid", FL_PRICING_FLOAT },
	[FL_PRICING_BID_SIZE] = { "bid_size", FL_PRICING_SINT64 },
	[FL_PRICING_ASK] = { "ask", FL_PRICING_FLOAT },
	[FL_PRICING_ASK_SIZE] = { "ask_size", FL_PRICING_SINT64 },
	[FL_PRICING_PRICE_HINT] = { "price_hint", FL_PRICING_SINT64 },
	[FL_PRICING_VOL_24HR] = { "vol_24hr", FL_PRICING_SINT64 },
	[FL_PRICING_VOL_ALL_CURRENCIES] = { "vol_all_currencies",
					    FL_PRICING_SINT64 },
	[FL_PRICING_FROM_CURRENCY] = { "from_currency", FL_PRICING_STRING },
	[FL_PRICING_LAST_MARKET] = { "last_market", FL_PRICING_STRING },
	[FL_PRICING_CIRCULATING_SUPPLY] = { "circulating_supply",
					    FL_PRICING_DOUBLE },
	[FL_PRICING_MARKET_CAP] = { "market_cap", FL_PRICING_DOUBLE },
};

enum fl_yahoo_pricing_kind fl_yahoo_pricing_kind(unsigned number)
{
	return number < FL_PRICING_COUNT ? table[number].kind : FL_PRICING_NONE;
}

const char *fl_yahoo_pricing_name(unsigned number)
{
	return number < FL_PRICING_COUNT ? table[number].name : NULL;
}

/* How each kind lies on the wire. */
static const enum fl_proto_wire wires[] = {
	[FL_PRICING_NONE] = FL_PROTO_BYTES,
	[FL_PRICING_STRING] = FL_PROTO_BYTES,
	[FL_PRICING_FLOAT] = FL_PROTO_FIXED32,
	[FL_PRICING_DOUBLE] = FL_PROTO_FIXED64,
	[FL_PRICING_SINT64] = FL_PROTO_VARINT,
	[FL_PRICING_INT32] = FL_PROTO_VARINT,
};

/* The value of a known field. */
static enum fl_reason take(const struct fl_proto_field *field,
			   struct fl_yahoo_pricing *out, struct fl_note *note)
{
	unsigned number = field->number;
	uint32_t narrow = (uint32_t)field->value;

	switch (table[number].kind) {
	case FL_PRICING_STRING:
		if (!fl_utf8_valid(field->bytes, field->len) ||
		    memchr(field->bytes, '\0', field->len)) {
			fl_note_set(note, table[number].name,
				    "'%s' is not UTF-8, or holds U+0000",
				    table[number].name);
			return FL_REASON_bad_utf8;
		}
		out->at[number].text = field->bytes;
		out->at[number].len = field->len;
		break;
	case FL_PRICING_FLOAT:
		memcpy(&out->at[number].single, &narrow, sizeof(narrow));
		break;
	case FL_PRICING_DOUBLE:
		memcpy(&out->at[number].wide, &field->value,
		       sizeof(field->value));
		break;
	case FL_PRICING_SINT64:
		out->at[number].integer =
			(int64_t)(field->value >> 1 ^ -(field->value & 1));
		break;
	default:
		out->at[number].integer = (int32_t)narrow;
		break;
	}
	out->has |= UINT64_C(1) << number;
	return FL_REASON_NONE;
}

enum fl_reason fl_yahoo_pricing_read(const char *bytes, size_t len,
				     struct fl_yahoo_pricing *out,
				     struct fl_note *note)
{
	struct fl_proto proto = { bytes, bytes + len };
	struct fl_proto_field field;
	enum fl_reason reason = FL_REASON_NONE;
	int got;

	memset(out, 0, sizeof(*out));
	while ((got = fl_proto_next(&proto, &field, &reason, note)) > 0) {
		if (field.number >= FL_PRICING_COUNT ||
		    wires[table[field.number].kind] != field.wire)
			continue;
		reason = take(&field, out, note);
		if (reason)
			return reason;
	}
	return got < 0 ? reason : FL_REASON_NONE;
}
