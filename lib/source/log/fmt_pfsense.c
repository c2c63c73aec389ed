/* logs_pfsense: filterlog of pfSense and OPNsense.
 *
 * source  pfSense, "Raw Filter Log Format"; cells are counted from 0. In IPv6
 *         the name of the protocol comes before its number.
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/log/work.h"

enum {
	RULE,
	ANCHOR = 2,
	TRACKER,
	INTERFACE,
	REASON,
	ACTION,
	DIRECTION,
	VERSION,
	PROTO_V4 = 16,
	PROTO_V6 = 12,
	LENGTH_V4 = 17,
	LENGTH_V6 = 14,
	CELLS = 64,
};

static void put(struct fl_logs_work *w, enum fl_logs_field field,
		const struct fl_logs_text *cell)
{
	fl_logs_put(w, field, cell->at, cell->len);
}

static void put_rule(struct fl_logs_work *w, const struct fl_logs_text *cells)
{
	bool in = fl_logs_is(cells[DIRECTION].at, cells[DIRECTION].len, "in");
	/* Trackers stay when rules are added; numbers do not. */
	bool tracked = cells[TRACKER].len &&
		       !fl_logs_is(cells[TRACKER].at, cells[TRACKER].len, "0");

	put(w, FL_LOGS_RULE_ID, &cells[tracked ? TRACKER : RULE]);
	put(w, FL_LOGS_RULE_RULESET, &cells[ANCHOR]);
	put(w, in ? FL_LOGS_OBSERVER_INGRESS : FL_LOGS_OBSERVER_EGRESS,
	    &cells[INTERFACE]);
	put(w, FL_LOGS_EVENT_REASON, &cells[REASON]);
	fl_logs_act(w, cells[ACTION].at, cells[ACTION].len, false);
	fl_logs_say(w, FL_LOGS_NETWORK_DIRECTION, in ? "inbound" : "outbound");
}

static enum fl_logs_got parse(struct fl_logs_work *w)
{
	struct fl_logs_text cells[CELLS], *rest, *proto;
	size_t count;
	bool v6;

	if (!fl_logs_is(w->head.app.at, w->head.app.len, "filterlog"))
		return FL_LOGS_NOT_MINE;
	count = fl_logs_split(w, w->at, w->end, ',', cells, CELLS);
	if (count > CELLS)
		count = CELLS;
	if (count <= VERSION)
		return FL_LOGS_NOT_MINE;
	v6 = fl_logs_is(cells[VERSION].at, cells[VERSION].len, "6");
	rest = &cells[v6 ? LENGTH_V6 : LENGTH_V4];
	proto = &cells[v6 ? PROTO_V6 : PROTO_V4];
	if (!v6 && !fl_logs_is(cells[VERSION].at, cells[VERSION].len, "4"))
		return FL_LOGS_NOT_MINE;
	if (count < (size_t)(rest - cells) + 3)
		return FL_LOGS_NOT_MINE;
	put_rule(w, cells);
	fl_logs_protocol(w, proto->at, proto->len);
	fl_logs_count(w, FL_LOGS_NETWORK_BYTES, rest->at, rest->len);
	fl_logs_host(w, FL_LOGS_SOURCE_IP, rest[1].at, rest[1].len);
	fl_logs_host(w, FL_LOGS_DESTINATION_IP, rest[2].at, rest[2].len);
	if (count >= (size_t)(rest - cells) + 5 && proto->len == 3 &&
	    memchr("tTuU", *proto->at, 4)) {
		fl_logs_port(w, FL_LOGS_SOURCE_PORT, rest[3].at, rest[3].len);
		fl_logs_port(w, FL_LOGS_DESTINATION_PORT, rest[4].at,
			     rest[4].len);
	}
	fl_logs_say(w, FL_LOGS_OBSERVER_TYPE, "firewall");
	return FL_LOGS_RECORD;
}

const struct fl_logs_format fl_logs_format_pfsense = {
	.name = "pfsense",
	.category = "[\"network\"]",
	.access = "connection",
	.parse = parse,
};
