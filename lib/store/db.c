/* db: see db.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/db.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/time.h"

enum {
	TRIES = 6, /* to come back, after 0.2, 0.4 … 6.4 s */
};

/* Messages may have several lines, and end in one. */
void fl_db_keep_words(struct fl_db *db, const char *text, const char *detail)
{
	struct fl_buf words = FL_BUF_INIT;

	fl_buf_puts(&words, text ? text : "");
	if (detail && *detail)
		fl_buf_printf(&words, ": %s", detail);
	while (words.len && strchr("\n\t .", words.data[words.len - 1]))
		words.len--;
	for (size_t i = 0; i < words.len; i++) {
		if (words.data[i] == '\n' || words.data[i] == '\t')
			words.data[i] = ' ';
	}
	snprintf(db->words, sizeof(db->words), "%s",
		 fl_show(words.len ? words.data : "", words.len, 500));
	fl_buf_release(&words);
}

int fl_db_reopen(struct fl_db *db, struct fl_error *err)
{
	struct fl_error why = { .code = FL_OK };

	for (int tries = 0; tries < TRIES; tries++) {
		int64_t ns = (FL_SECOND / 5) << tries;
		const struct timespec pause = { .tv_sec = ns / FL_SECOND,
						.tv_nsec = ns % FL_SECOND };

		fl_log("%s: %s; again in %.1f s", db->ops->name, db->words,
		       (double)ns / (double)FL_SECOND);
		nanosleep(&pause, NULL);
		fl_error_clear(&why);
		if (db->ops->connect(db, &why) == 0) {
			fl_error_clear(err);
			return 0;
		}
		if (why.code != FL_ERR_AGAIN)
			break;
	}
	return -1;
}

void fl_db_close(struct fl_db **out)
{
	struct fl_db *db = *out;

	*out = NULL;
	if (db)
		db->ops->close(db);
}
