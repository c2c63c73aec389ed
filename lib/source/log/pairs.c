/* logs_pairs: see pairs.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/log/pairs.h"

#include <strings.h>

bool fl_logs_put_key(struct fl_logs_work *w, const struct fl_logs_key *keys,
		     const char *key, size_t key_len, const char *text,
		     size_t len)
{
	for (; keys->name; keys++) {
		if (!fl_logs_is(key, key_len, keys->name))
			continue;
		keys->put(w, keys->field, text, len);
		return true;
	}
	return false;
}

void fl_logs_put_severity(struct fl_logs_work *w, enum fl_logs_field field,
			  const char *text, size_t len)
{
	static const struct {
		const char *word;
		int value;
	} words[] = { { "low", 3 },
		      { "medium", 6 },
		      { "high", 8 },
		      { "very-high", 10 } };
	int64_t value;

	if (fl_logs_number(text, len, &value) && value <= 100) {
		fl_logs_integer(w, field, value);
		return;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (len == strlen(words[i].word) &&
		    strncasecmp(text, words[i].word, len) == 0)
			fl_logs_integer(w, field, words[i].value);
}

void fl_logs_put_protocol(struct fl_logs_work *w, enum fl_logs_field field,
			  const char *text, size_t len)
{
	(void)field;
	fl_logs_protocol(w, text, len);
}

void fl_logs_put_act(struct fl_logs_work *w, enum fl_logs_field field,
		     const char *text, size_t len)
{
	(void)field;
	fl_logs_act(w, text, len, false);
}

void fl_logs_put_outcome(struct fl_logs_work *w, enum fl_logs_field field,
			 const char *text, size_t len)
{
	static const char *const words[] = { "success", "failure", "unknown" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (len == strlen(words[i]) &&
		    strncasecmp(text, words[i], len) == 0)
			fl_logs_say(w, field, words[i]);
}

size_t fl_logs_bars(struct fl_logs_work *w, const char **at,
		    struct fl_logs_text *cells, size_t max)
{
	size_t count = 0;

	while (count < max) {
		const char *to = *at;

		while (to < w->end && *to != '|')
			to += *to == '\\' && to + 1 < w->end ? 2 : 1;
		if (to >= w->end)
			return count;
		cells[count++] = fl_logs_unescape(w, *at, (size_t)(to - *at));
		*at = to + 1;
	}
	return count;
}

void fl_logs_put_kind(struct fl_logs_work *w)
{
	if (!fl_logs_has(w, FL_LOGS_SOURCE_IP) ||
	    !fl_logs_has(w, FL_LOGS_DESTINATION_IP)) {
		/* An action alone is none on a connection. */
		w->set &= ~(UINT64_C(1) << FL_LOGS_EVENT_TYPE);
		return;
	}
	fl_logs_say(w, FL_LOGS_EVENT_CATEGORY, "[\"network\"]");
	if (!fl_logs_has(w, FL_LOGS_EVENT_TYPE))
		fl_logs_say(w, FL_LOGS_EVENT_TYPE, "[\"connection\"]");
}
