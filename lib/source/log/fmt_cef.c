/* logs_cef: ArcSight's Common Event Format, version 0 or 1.
 *
 * source  Micro Focus, "Implementing ArcSight Common Event Format"; in bytes
 *         are those that the source sent, as Elastic's CEF module reads it
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
	SIGNATURE,
	NAME,
	SEVERITY,
	CELLS,
	CUSTOM = 6, /* cs1 to cs6 */
};

static void put_direction(struct fl_logs_work *w, enum fl_logs_field field,
			  const char *text, size_t len)
{
	if (len == 1 && (*text == '0' || *text == '1'))
		fl_logs_say(w, field, *text == '0' ? "inbound" : "outbound");
}

static const struct fl_logs_key keys[] = {
	{ "src", fl_logs_host, FL_LOGS_SOURCE_IP },
	{ "dst", fl_logs_host, FL_LOGS_DESTINATION_IP },
	{ "spt", fl_logs_port, FL_LOGS_SOURCE_PORT },
	{ "dpt", fl_logs_port, FL_LOGS_DESTINATION_PORT },
	{ "proto", fl_logs_put_protocol, FL_LOGS_NETWORK_TRANSPORT },
	{ "act", fl_logs_put_act, FL_LOGS_EVENT_ACTION },
	{ "app", fl_logs_lower, FL_LOGS_NETWORK_APPLICATION },
	{ "suser", fl_logs_put, FL_LOGS_SOURCE_USER },
	{ "duser", fl_logs_put, FL_LOGS_DESTINATION_USER },
	{ "shost", fl_logs_put, FL_LOGS_SOURCE_ADDRESS },
	{ "dhost", fl_logs_put, FL_LOGS_DESTINATION_ADDRESS },
	{ "smac", fl_logs_mac, FL_LOGS_SOURCE_MAC },
	{ "dmac", fl_logs_mac, FL_LOGS_DESTINATION_MAC },
	{ "dvchost", fl_logs_put, FL_LOGS_OBSERVER_HOSTNAME },
	{ "in", fl_logs_count, FL_LOGS_SOURCE_BYTES },
	{ "out", fl_logs_count, FL_LOGS_DESTINATION_BYTES },
	{ "request", fl_logs_put, FL_LOGS_URL_ORIGINAL },
	{ "requestMethod", fl_logs_label, FL_LOGS_HTTP_METHOD },
	{ "requestClientApplication", fl_logs_put, FL_LOGS_USER_AGENT },
	{ "msg", fl_logs_put, FL_LOGS_MESSAGE },
	{ "outcome", fl_logs_put_outcome, FL_LOGS_EVENT_OUTCOME },
	{ "reason", fl_logs_put, FL_LOGS_EVENT_REASON },
	{ "deviceInboundInterface", fl_logs_put, FL_LOGS_OBSERVER_INGRESS },
	{ "deviceOutboundInterface", fl_logs_put, FL_LOGS_OBSERVER_EGRESS },
	{ "deviceDirection", put_direction, FL_LOGS_NETWORK_DIRECTION },
	{ "sourceTranslatedAddress", fl_logs_nat, FL_LOGS_SOURCE_NAT_IP },
	{ "sourceTranslatedPort", fl_logs_port, FL_LOGS_SOURCE_NAT_PORT },
	{ "destinationTranslatedAddress", fl_logs_nat,
	  FL_LOGS_DESTINATION_NAT_IP },
	{ "destinationTranslatedPort", fl_logs_port,
	  FL_LOGS_DESTINATION_NAT_PORT },
	{ NULL, NULL, 0 },
};

/* What the extension says beyond its single keys. */
struct extension {
	int64_t rt, start, end;
	struct fl_logs_text custom[CUSTOM], labels[CUSTOM];
};

static void take_time(struct fl_logs_work *w, struct fl_logs_text value,
		      int64_t *ns)
{
	if (!fl_logs_stamp_cef(&w->parser->times, value.at,
			       value.at + value.len, ns))
		*ns = FL_TIME_NONE;
}

static void take_pair(struct fl_logs_work *w, struct extension *ext,
		      const char *key, size_t key_len,
		      struct fl_logs_text value)
{
	if (fl_logs_put_key(w, keys, key, key_len, value.at, value.len))
		return;
	if (fl_logs_is(key, key_len, "rt"))
		take_time(w, value, &ext->rt);
	else if (fl_logs_is(key, key_len, "start"))
		take_time(w, value, &ext->start);
	else if (fl_logs_is(key, key_len, "end"))
		take_time(w, value, &ext->end);
	else if (key_len >= 3 && memcmp(key, "cs", 2) == 0 && key[2] >= '1' &&
		 key[2] <= '6') {
		if (key_len == 3)
			ext->custom[key[2] - '1'] = value;
		else if (fl_logs_is(key + 3, key_len - 3, "Label"))
			ext->labels[key[2] - '1'] = value;
	}
}

static bool key_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       fl_logs_digit(c) || memchr("_.-[]", c, 5);
}

/* The next key: `at` at its first byte, *equals at its sign; false: none. A
 * blank stands before it. */
static bool find_key(const char **at, const char *end, const char **equals)
{
	const char *first = *at;

	for (const char *p = *at; p < end; p++) {
		if (*p == '\\' && p + 1 < end) {
			p++;
			first = NULL;
		} else if (*p == ' ') {
			first = p + 1;
		} else if (*p == '=' && first && p > first) {
			*at = first;
			*equals = p;
			return true;
		} else if (!key_byte(*p)) {
			first = NULL;
		}
	}
	return false;
}

static void take_extension(struct fl_logs_work *w, struct extension *ext,
			   const char *at)
{
	const char *equals, *next_equals;
	bool more = find_key(&at, w->end, &equals);

	while (more) {
		const char *value = equals + 1, *next = value, *to;

		/* At `value` itself no key begins: key=a=b has one. */
		while (next < w->end && *next != ' ')
			next++;
		more = find_key(&next, w->end, &next_equals);
		to = more ? next - 1 : w->end;
		while (to > value && to[-1] == ' ')
			to--;
		take_pair(w, ext, at, (size_t)(equals - at),
			  fl_logs_unescape(w, value, (size_t)(to - value)));
		at = next;
		equals = more ? next_equals : equals;
	}
}

/* A custom string that is said to be a rule or policy. */
static void put_custom(struct fl_logs_work *w, const struct extension *ext)
{
	for (int i = 0; i < CUSTOM; i++) {
		const struct fl_logs_text *label = &ext->labels[i];

		if (!label->len)
			continue;
		if (memmem(label->at, label->len, "ule", 3) ||
		    memmem(label->at, label->len, "olicy", 5))
			fl_logs_put(w, FL_LOGS_RULE_NAME, ext->custom[i].at,
				    ext->custom[i].len);
	}
}

static enum fl_logs_got parse(struct fl_logs_work *w)
{
	struct fl_logs_text cells[CELLS];
	struct extension ext = { .rt = FL_TIME_NONE,
				 .start = FL_TIME_NONE,
				 .end = FL_TIME_NONE };
	const char *at = w->at;

	if (!fl_logs_starts(at, w->end, "CEF:0|") &&
	    !fl_logs_starts(at, w->end, "CEF:1|"))
		return FL_LOGS_NOT_MINE;
	at += 6;
	if (fl_logs_bars(w, &at, cells, CELLS) != CELLS)
		return FL_LOGS_NOT_MINE;
	take_extension(w, &ext, at);
	w->ts_ns = ext.rt != FL_TIME_NONE      ? ext.rt
		   : ext.start != FL_TIME_NONE ? ext.start
					       : ext.end;
	put_custom(w, &ext);
	fl_logs_put(w, FL_LOGS_OBSERVER_VENDOR, cells[VENDOR].at,
		    cells[VENDOR].len);
	fl_logs_put(w, FL_LOGS_OBSERVER_PRODUCT, cells[PRODUCT].at,
		    cells[PRODUCT].len);
	fl_logs_label(w, FL_LOGS_EVENT_CODE, cells[SIGNATURE].at,
		      cells[SIGNATURE].len);
	fl_logs_put_severity(w, FL_LOGS_EVENT_SEVERITY, cells[SEVERITY].at,
			     cells[SEVERITY].len);
	if (!fl_logs_has(w, FL_LOGS_MESSAGE))
		fl_logs_put(w, FL_LOGS_MESSAGE, cells[NAME].at,
			    cells[NAME].len);
	fl_logs_put_kind(w);
	return FL_LOGS_RECORD;
}

const struct fl_logs_format fl_logs_format_cef = {
	.name = "cef",
	.parse = parse,
};
