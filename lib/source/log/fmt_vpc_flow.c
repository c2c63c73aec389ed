/* logs_vpc_flow: AWS VPC flow logs, of version 2 or with a first line that
 * names the columns.
 *
 * source  Amazon VPC user guide, "Flow log records"
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/log/parser.h"
#include "source/log/work.h"

enum {
	WORDS = FL_LOGS_COLUMNS,
	INTERFACE_ID = 2,
	HEADER_MIN = 3,
};

static const char default_names[] =
	"version account-id interface-id srcaddr dstaddr srcport dstport "
	"protocol packets bytes start end action log-status";

static bool has_word(const struct fl_logs_text *words, size_t count,
		     const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (fl_logs_is(words[i].at, words[i].len, word))
			return true;
	return false;
}

/* Names alone, and those that every format has one of. */
static bool is_header(const struct fl_logs_text *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!words[i].len || *words[i].at < 'a' || *words[i].at > 'z')
			return false;
		for (size_t k = 0; k < words[i].len; k++)
			if ((words[i].at[k] < 'a' || words[i].at[k] > 'z') &&
			    words[i].at[k] != '-' && words[i].at[k] != '_')
				return false;
	}
	return count >= HEADER_MIN && (has_word(words, count, "srcaddr") ||
				       has_word(words, count, "pkt-srcaddr") ||
				       has_word(words, count, "interface-id"));
}

static void put_time(struct fl_logs_work *w, const struct fl_logs_text *word)
{
	int64_t seconds;

	if (w->ts_ns == FL_TIME_NONE &&
	    fl_logs_number(word->at, word->len, &seconds) &&
	    seconds <= FL_TIME_MAX / FL_SECOND)
		w->ts_ns = seconds * FL_SECOND;
}

static void put_word(struct fl_logs_work *w, const char *name,
		     const struct fl_logs_text *word)
{
	static const struct {
		const char *name;
		void (*put)(struct fl_logs_work *w, enum fl_logs_field field,
			    const char *text, size_t len);
		enum fl_logs_field field;
	} columns[] = {
		{ "account-id", fl_logs_put, FL_LOGS_CLOUD_ACCOUNT },
		{ "interface-id", fl_logs_put, FL_LOGS_OBSERVER_INGRESS },
		{ "srcaddr", fl_logs_host, FL_LOGS_SOURCE_IP },
		{ "dstaddr", fl_logs_host, FL_LOGS_DESTINATION_IP },
		{ "srcport", fl_logs_port, FL_LOGS_SOURCE_PORT },
		{ "dstport", fl_logs_port, FL_LOGS_DESTINATION_PORT },
		{ "packets", fl_logs_count, FL_LOGS_NETWORK_PACKETS },
		{ "bytes", fl_logs_count, FL_LOGS_NETWORK_BYTES },
	};

	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
		if (strcmp(columns[i].name, name) == 0)
			columns[i].put(w, columns[i].field, word->at,
				       word->len);
	if (strcmp(name, "protocol") == 0)
		fl_logs_protocol(w, word->at, word->len);
	else if (strcmp(name, "start") == 0 || strcmp(name, "end") == 0)
		put_time(w, word);
	else if (strcmp(name, "action") == 0 && word->len && *word->at != '-')
		fl_logs_act(w, word->at, word->len, false);
	else if (strcmp(name, "log-status") == 0 &&
		 !fl_logs_is(word->at, word->len, "OK")) {
		/* Nothing flowed, or nobody looked: no connection. */
		fl_logs_say(w, FL_LOGS_EVENT_TYPE, "[\"info\"]");
		fl_logs_put(w, FL_LOGS_EVENT_REASON, word->at, word->len);
	}
}

/* What only this spelling of a field says. */
static void put_rest(struct fl_logs_work *w, const char *name,
		     const struct fl_logs_text *word)
{
	if (strcmp(name, "pkt-srcaddr") == 0 &&
	    !fl_logs_has(w, FL_LOGS_SOURCE_IP))
		fl_logs_host(w, FL_LOGS_SOURCE_IP, word->at, word->len);
	else if (strcmp(name, "pkt-dstaddr") == 0 &&
		 !fl_logs_has(w, FL_LOGS_DESTINATION_IP))
		fl_logs_host(w, FL_LOGS_DESTINATION_IP, word->at, word->len);
	else if (strcmp(name, "flow-direction") == 0 && word->len > 1)
		fl_logs_say(w, FL_LOGS_NETWORK_DIRECTION,
			    *word->at == 'i' ? "inbound" : "outbound");
}

static enum fl_logs_got parse(struct fl_logs_work *w)
{
	struct fl_logs_columns *columns = &w->parser->columns;
	struct fl_logs_text words[WORDS];
	size_t count;
	bool mine;

	if (w->head.found || w->at == w->end || *w->at == '"')
		return FL_LOGS_NOT_MINE;
	count = fl_logs_split(w, w->at, w->end, ' ', words, WORDS);
	if (count < HEADER_MIN || count > WORDS)
		return FL_LOGS_NOT_MINE;
	if (is_header(words, count)) {
		fl_logs_columns_set(columns, &fl_logs_format_vpc_flow, w->at,
				    w->end);
		return FL_LOGS_NOTHING;
	}
	mine = columns->of == &fl_logs_format_vpc_flow;
	if (!mine && fl_logs_is(words[0].at, words[0].len, "2") &&
	    fl_logs_starts(words[INTERFACE_ID].at, w->end, "eni-")) {
		fl_logs_columns_set(columns, &fl_logs_format_vpc_flow,
				    default_names,
				    default_names + sizeof(default_names) - 1);
		mine = true;
	}
	if (!mine || count != columns->count)
		return FL_LOGS_NOT_MINE;
	for (size_t i = 0; i < count; i++)
		put_word(w, fl_logs_column(columns, i), &words[i]);
	for (size_t i = 0; i < count; i++)
		put_rest(w, fl_logs_column(columns, i), &words[i]);
	fl_logs_say(w, FL_LOGS_OBSERVER_VENDOR, "AWS");
	fl_logs_say(w, FL_LOGS_OBSERVER_PRODUCT, "VPC");
	return FL_LOGS_RECORD;
}

const struct fl_logs_format fl_logs_format_vpc_flow = {
	.name = "vpc_flow",
	.category = "[\"network\"]",
	.access = "connection",
	.parse = parse,
};
