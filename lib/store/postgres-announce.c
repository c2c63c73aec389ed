/* postgres-announce: whoever listens on the channel fl is told of each commit
 * that has brought rows: LISTEN fl.
 *
 *   {"pipeline":"etl","types":{"quote":9998,"reject":2}}
 *
 * A notification is part of the transaction, so it comes when the rows are to
 * be seen, and not at all when they are not. It says no more than what to look
 * for: one that is too long is "*", which may be anything, and so may be what a
 * listener has missed while it was away.
 *
 * Commits that notify wait for each other, in all databases of a server, until
 * the disk has them. Four loads at once in batches of 500 rows, 800 commits,
 * took as long with it as without; where a disk takes its time and many loads
 * commit often, fl.notify=off in the place ends it.
 *
 * source  PostgreSQL documentation: "NOTIFY"
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/postgres.h"

#ifndef FL_WITHOUT_PG
#include <stdio.h>
#include <string.h>

enum {
	LONGEST = 7000, /* bytes; PostgreSQL takes 7999 */
};

static uint64_t count_rows(const struct fl_server_table *table)
{
	uint64_t live = 0;

	for (size_t i = 0; i < table->row_count; i++)
		live += !table->rows[i].dead;
	return live;
}

/* Nothing where no row was written. */
static void put_payload(struct fl_buf *out, const struct fl_server *s)
{
	const char *before = "\"types\":{";

	fl_buf_putc(out, '{');
	if (s->pipeline) {
		fl_buf_puts(out, "\"pipeline\":");
		fl_buf_json_string(out, s->pipeline, strlen(s->pipeline));
		fl_buf_putc(out, ',');
	}
	for (size_t i = 0; i < FL_TYPE_COUNT; i++) {
		uint64_t rows = s->tables[i] ? count_rows(s->tables[i]) : 0;

		if (rows == 0)
			continue;
		fl_buf_printf(out, "%s\"%s\":%llu", before,
			      s->tables[i]->type->name,
			      (unsigned long long)rows);
		before = ",";
	}
	fl_buf_puts(out, "}}");
	if (*before != ',')
		fl_buf_reset(out);
	else if (out->len > LONGEST)
		out->len = (size_t)snprintf(out->data, out->cap, "*");
}

int fl_pg_announce(struct fl_server *s, struct fl_error *err)
{
	struct fl_buf payload = FL_BUF_INIT;
	const char *text;
	int got = 0;

	put_payload(&payload, s);
	text = payload.data;
	if (payload.len)
		got = fl_db_ask(s->db,
				"SELECT pg_notify('fl', $1) WHERE "
				"current_setting('fl.notify', true) IS "
				"DISTINCT FROM 'off'",
				&text, 1, "write to", NULL, err);
	fl_buf_release(&payload);
	return got;
}

#endif
