/* logs_leef: IBM QRadar's Log Event Extended Format, 1.0 and 2.0.
 *
 * source  IBM, "QRadar LEEF guide", components and predefined attributes
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "source/log/pairs.h"
#include "source/log/parser.h"
#include "source/log/stamp.h"
#include "source/log/work.h"

enum {
	VENDOR,
	PRODUCT,
	VERSION,
	EVENT,
	CELLS,
	DELIMITER_MAX = 6,
};

static const struct fl_logs_key keys[] = {
	{ "src", fl_logs_host, FL_LOGS_SOURCE_IP },
	{ "dst", fl_logs_host, FL_LOGS_DESTINATION_IP },
	{ "srcPort", fl_logs_port, FL_LOGS_SOURCE_PORT },
	{ "dstPort", fl_logs_port, FL_LOGS_DESTINATION_PORT },
	{ "srcPostNAT", fl_logs_nat, FL_LOGS_SOURCE_NAT_IP },
	{ "dstPostNAT", fl_logs_nat, FL_LOGS_DESTINATION_NAT_IP },
	{ "srcPostNATPort", fl_logs_port, FL_LOGS_SOURCE_NAT_PORT },
	{ "dstPostNATPort", fl_logs_port, FL_LOGS_DESTINATION_NAT_PORT },
	{ "srcMAC", fl_logs_mac, FL_LOGS_SOURCE_MAC },
	{ "dstMAC", fl_logs_mac, FL_LOGS_DESTINATION_MAC },
	{ "proto", fl_logs_put_protocol, FL_LOGS_NETWORK_TRANSPORT },
	{ "usrName", fl_logs_put, FL_LOGS_SOURCE_USER },
	{ "sev", fl_logs_put_severity, FL_LOGS_EVENT_SEVERITY },
	{ "srcBytes", fl_logs_count, FL_LOGS_SOURCE_BYTES },
	{ "dstBytes", fl_logs_count, FL_LOGS_DESTINATION_BYTES },
	{ "srcPackets", fl_logs_count, FL_LOGS_SOURCE_PACKETS },
	{ "dstPackets", fl_logs_count, FL_LOGS_DESTINATION_PACKETS },
	{ "action", fl_logs_put_act, FL_LOGS_EVENT_ACTION },
	{ "policy", fl_logs_put, FL_LOGS_RULE_NAME },
	{ "url", fl_logs_put, FL_LOGS_URL_ORIGINAL },
	{ "msg", fl_logs_put, FL_LOGS_MESSAGE },
	{ "reason", fl_logs_put, FL_LOGS_EVENT_REASON },
	{ NULL, NULL, 0 },
};

/* ^, x5E or 0x5E; nothing is a tab. false: it is none */
static bool delimiter_of(const char *at, size_t len, char *delimiter)
{
	char copy[DELIMITER_MAX], *end;
	long value;

	*delimiter = '\t';
	if (len <= 1) {
		if (len)
			*delimiter = *at;
		return true;
	}
	if (len >= DELIMITER_MAX)
		return false;
	memcpy(copy, at, len);
	copy[len] = '\0';
	if (copy[0] != 'x' && !(copy[0] == '0' && copy[1] == 'x'))
		return false;
	value = strtol(copy + (copy[0] == 'x' ? 1 : 2), &end, 16);
	if (*end || value < 1 || value > 126)
		return false;
	*delimiter = (char)value;
	return true;
}

static void take_pairs(struct fl_logs_work *w, const char *at, char delimiter)
{
	while (at < w->end) {
		const char *to = fl_logs_until(at, w->end, delimiter);
		const char *equals = fl_logs_until(at, to, '=');
		struct fl_logs_text value;

		if (equals < to) {
			value = fl_logs_unescape(w, equals + 1,
						 (size_t)(to - equals - 1));
			if (!fl_logs_put_key(w, keys, at, (size_t)(equals - at),
					     value.at, value.len) &&
			    fl_logs_is(at, (size_t)(equals - at), "devTime") &&
			    !fl_logs_stamp_cef(&w->parser->times, value.at,
					       value.at + value.len, &w->ts_ns))
				w->ts_ns = FL_TIME_NONE;
		}
		at = to < w->end ? to + 1 : to;
	}
}

static enum fl_logs_got parse(struct fl_logs_work *w)
{
	struct fl_logs_text cells[CELLS], last;
	const char *at = w->at, *back;
	char delimiter = '\t';
	bool second = fl_logs_starts(at, w->end, "LEEF:2.0|");

	if (!second && !fl_logs_starts(at, w->end, "LEEF:1.0|"))
		return FL_LOGS_NOT_MINE;
	at += 9;
	if (fl_logs_bars(w, &at, cells, CELLS) != CELLS)
		return FL_LOGS_NOT_MINE;
	/* Some leave the delimiter of 2.0 out, with its bar. */
	back = at;
	if (second && (fl_logs_bars(w, &at, &last, 1) != 1 ||
		       !delimiter_of(last.at, last.len, &delimiter)))
		at = back;
	take_pairs(w, at, delimiter);
	fl_logs_put(w, FL_LOGS_OBSERVER_VENDOR, cells[VENDOR].at,
		    cells[VENDOR].len);
	fl_logs_put(w, FL_LOGS_OBSERVER_PRODUCT, cells[PRODUCT].at,
		    cells[PRODUCT].len);
	fl_logs_label(w, FL_LOGS_EVENT_CODE, cells[EVENT].at, cells[EVENT].len);
	fl_logs_put_kind(w);
	return FL_LOGS_RECORD;
}

const struct fl_logs_format fl_logs_format_leef = {
	.name = "leef",
	.parse = parse,
};
