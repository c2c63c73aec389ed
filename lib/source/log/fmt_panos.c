/* logs_panos: TRAFFIC and THREAT logs of Palo Alto Networks' firewalls.
 *
 * One line is one row of CSV; a row of the io/csv kind, which knows files,
 * would be opened for each. Cells are counted from 1, as the maker's pages do;
 * later versions of PAN-OS only add to the end.
 *
 * source  PAN-OS, "Traffic Log Fields", "Threat Log Fields"
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/log/parser.h"
#include "source/log/stamp.h"
#include "source/log/work.h"

enum {
	CELLS = 128,
	RECEIVED = 2,
	TYPE = 4,
	SUBTYPE = 5,
	GENERATED = 7,
	ACTION = 31,
	NEEDED = 31,
	MISC = 32, /* of THREAT: URL or file */
	THREAT_ID = 33,
	SEVERITY = 35,
	SOURCE_COUNTRY = 42, /* of TRAFFIC */
};

enum how {
	TEXT,
	HOST,
	NAT,
	PORT,
	COUNT,
	PROTOCOL,
};

struct column {
	unsigned char cell;
	unsigned char how;
	unsigned char field;
};

static const struct column both[] = {
	{ 3, TEXT, FL_LOGS_OBSERVER_SERIAL },
	{ 8, HOST, FL_LOGS_SOURCE_IP },
	{ 9, HOST, FL_LOGS_DESTINATION_IP },
	{ 10, NAT, FL_LOGS_SOURCE_NAT_IP },
	{ 11, NAT, FL_LOGS_DESTINATION_NAT_IP },
	{ 12, TEXT, FL_LOGS_RULE_NAME },
	{ 13, TEXT, FL_LOGS_SOURCE_USER },
	{ 14, TEXT, FL_LOGS_DESTINATION_USER },
	{ 15, TEXT, FL_LOGS_NETWORK_APPLICATION },
	{ 17, TEXT, FL_LOGS_OBSERVER_INGRESS_ZONE },
	{ 18, TEXT, FL_LOGS_OBSERVER_EGRESS_ZONE },
	{ 19, TEXT, FL_LOGS_OBSERVER_INGRESS },
	{ 20, TEXT, FL_LOGS_OBSERVER_EGRESS },
	{ 25, PORT, FL_LOGS_SOURCE_PORT },
	{ 26, PORT, FL_LOGS_DESTINATION_PORT },
	{ 27, PORT, FL_LOGS_SOURCE_NAT_PORT },
	{ 28, PORT, FL_LOGS_DESTINATION_NAT_PORT },
	{ 30, PROTOCOL, 0 },
	{ 0, 0, 0 },
};

static const struct column traffic[] = {
	{ 32, COUNT, FL_LOGS_NETWORK_BYTES },
	{ 33, COUNT, FL_LOGS_SOURCE_BYTES },
	{ 34, COUNT, FL_LOGS_DESTINATION_BYTES },
	{ 35, COUNT, FL_LOGS_NETWORK_PACKETS },
	{ 45, COUNT, FL_LOGS_SOURCE_PACKETS },
	{ 46, COUNT, FL_LOGS_DESTINATION_PACKETS },
	{ 47, TEXT, FL_LOGS_EVENT_REASON },
	{ 53, TEXT, FL_LOGS_OBSERVER_HOSTNAME },
	{ 0, 0, 0 },
};

struct row {
	struct fl_logs_text cells[CELLS];
	size_t count;
};

static struct fl_logs_text cell(const struct row *row, unsigned number)
{
	return number <= row->count ? row->cells[number - 1]
				    : (struct fl_logs_text){ "", 0 };
}

static bool is(const struct row *row, unsigned number, const char *word)
{
	struct fl_logs_text text = cell(row, number);

	return fl_logs_is(text.at, text.len, word);
}

static void put_columns(struct fl_logs_work *w, const struct row *row,
			const struct column *columns)
{
	for (; columns->cell; columns++) {
		struct fl_logs_text text = cell(row, columns->cell);
		enum fl_logs_field field = columns->field;

		switch ((enum how)columns->how) {
		case TEXT:
			fl_logs_put(w, field, text.at, text.len);
			break;
		case HOST:
			fl_logs_host(w, field, text.at, text.len);
			break;
		case NAT:
			fl_logs_nat(w, field, text.at, text.len);
			break;
		case PORT:
			fl_logs_port(w, field, text.at, text.len);
			break;
		case COUNT:
			fl_logs_count(w, field, text.at, text.len);
			break;
		case PROTOCOL:
			fl_logs_protocol(w, text.at, text.len);
			break;
		}
	}
}

static void put_threat(struct fl_logs_work *w, const struct row *row)
{
	static const char *const severities[] = { "informational", "low",
						  "medium", "high",
						  "critical" };
	struct fl_logs_text text = cell(row, THREAT_ID);

	fl_logs_say(w, FL_LOGS_EVENT_KIND, "alert");
	fl_logs_label(w, FL_LOGS_EVENT_CODE, text.at, text.len);
	for (int i = 0; i < 5; i++)
		if (is(row, SEVERITY, severities[i]))
			fl_logs_integer(w, FL_LOGS_EVENT_SEVERITY, i + 1);
	text = cell(row, MISC);
	if (is(row, SUBTYPE, "url"))
		fl_logs_put(w, FL_LOGS_URL_ORIGINAL, text.at, text.len);
}

/* Untranslated ports are written as 0. */
static void drop_no_nat(struct fl_logs_work *w)
{
	if (!fl_logs_has(w, FL_LOGS_SOURCE_NAT_IP))
		w->set &= ~(UINT64_C(1) << FL_LOGS_SOURCE_NAT_PORT);
	if (!fl_logs_has(w, FL_LOGS_DESTINATION_NAT_IP))
		w->set &= ~(UINT64_C(1) << FL_LOGS_DESTINATION_NAT_PORT);
}

static enum fl_logs_clock time_of(struct fl_logs_work *w, const struct row *row,
				  unsigned number)
{
	struct fl_logs_text text = cell(row, number);
	const char *at = text.at;

	return fl_logs_stamp_wall(w->parser->times.zone, &at,
				  text.at + text.len, &w->ts_ns);
}

static enum fl_logs_got parse(struct fl_logs_work *w)
{
	struct fl_logs_text text;
	enum fl_logs_clock clock;
	struct row row;
	bool threat;

	/* 1,2026/03/05 … */
	if (w->end - w->at < 40 || !memchr(w->at, ',', 8))
		return FL_LOGS_NOT_MINE;
	row.count = fl_logs_split(w, w->at, w->end, ',', row.cells, CELLS);
	if (row.count > CELLS)
		row.count = CELLS;
	threat = is(&row, TYPE, "THREAT");
	if (row.count < NEEDED || (!threat && !is(&row, TYPE, "TRAFFIC")))
		return FL_LOGS_NOT_MINE;
	clock = time_of(w, &row, GENERATED);
	if (clock == FL_LOGS_NO_STAMP)
		clock = time_of(w, &row, RECEIVED);
	if (clock == FL_LOGS_NO_STAMP)
		return FL_LOGS_NOT_MINE;
	if (clock != FL_LOGS_STAMP)
		return fl_logs_refuse(w, FL_REASON_bad_time, "ts",
				      "no such day or time");
	put_columns(w, &row, both);
	if (threat)
		put_threat(w, &row);
	else
		put_columns(w, &row, traffic);
	drop_no_nat(w);
	text = cell(&row, SOURCE_COUNTRY);
	if (!threat && text.len == 2)
		fl_logs_put(w, FL_LOGS_SOURCE_COUNTRY, text.at, text.len);
	text = cell(&row, ACTION);
	fl_logs_act(w, text.at, text.len, false);
	fl_logs_say(w, FL_LOGS_OBSERVER_VENDOR, "Palo Alto Networks");
	fl_logs_say(w, FL_LOGS_OBSERVER_PRODUCT, "PAN-OS");
	fl_logs_say(w, FL_LOGS_OBSERVER_TYPE, "firewall");
	return FL_LOGS_RECORD;
}

const struct fl_logs_format fl_logs_format_panos = {
	.name = "panos",
	.category = "[\"network\"]",
	.access = "connection",
	.parse = parse,
};
