/* symbols: the list of what a polled source is to ask; see polled.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "io/stream.h"
#include "source/polled.h"

#define SYMBOL_MAX 64 /* as fl-records(5) has it */
#define FILE_MAX   ((size_t)16 << 20)

/* Upper case; each symbol once, where it first stands. */
static int add(struct fl_map *seen, const char *word, size_t len,
	       struct fl_error *err)
{
	char symbol[SYMBOL_MAX];
	bool good = len > 0 && len <= SYMBOL_MAX;

	for (size_t i = 0; good && i < len; i++) {
		char c = word[i];

		good = c > ' ' && c < 0x7f;
		symbol[i] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
	}
	if (!good)
		return fl_error_set(err, FL_ERR_USAGE,
				    "'%s' is no symbol: 1 to 64 letters, "
				    "digits and signs, as in AAPL, ^GSPC, "
				    "EURUSD=X, BRK-B",
				    fl_show(word, len, 80));
	fl_map_at(seen, symbol, len);
	return 0;
}

/* Words by blank, comma or line; '#' begins a comment. */
static int add_text(struct fl_map *seen, const char *text, size_t len,
		    struct fl_error *err)
{
	const char *end = text + len;

	while (text < end) {
		const char *from = text;

		if (*text == '#') {
			while (text < end && *text != '\n')
				text++;
			continue;
		}
		while (text < end && *text && !strchr(" \t\r\n,", *text))
			text++;
		if (text > from &&
		    add(seen, from, (size_t)(text - from), err) < 0)
			return -1;
		if (text < end)
			text++;
	}
	return 0;
}

static int add_file(struct fl_map *seen, const char *path, struct fl_error *err)
{
	struct fl_buf text = { .max = FILE_MAX };
	struct fl_stream *in = NULL;
	char bytes[8192];
	ssize_t got;
	int result = -1;

	if (fl_stream_open(&in, path, err) < 0)
		return -1;
	while ((got = fl_stream_read(in, bytes, sizeof(bytes), err)) > 0)
		fl_buf_append(&text, bytes, (size_t)got);
	if (text.over)
		fl_error_set(err, FL_ERR_DATA, "'%s' is too long a list",
			     fl_show(path, strlen(path), 200));
	else if (got == 0)
		result = add_text(seen, fl_buf_text(&text), text.len, err);
	if (result < 0)
		fl_error_wrap(err, "--symbols-from");
	fl_stream_close(&in);
	fl_buf_release(&text);
	return result;
}

int fl_symbols_read(const struct fl_ask *ask, const char *provider,
		    const char *from_file, char ***symbols,
		    struct fl_error *err)
{
	struct fl_map seen = FL_MAP_INIT;
	int result = 0;

	*symbols = NULL;
	for (char **at = ask->operands; at && *at && result == 0; at++)
		result = add(&seen, *at, strlen(*at), err);
	for (const char *const *at = ask->symbols; at && *at && result == 0;
	     at++)
		result = add(&seen, *at, strlen(*at), err);
	if (result == 0 && from_file)
		result = add_file(&seen, from_file, err);
	if (result == 0 && !seen.count)
		result = fl_error_set(err, FL_ERR_USAGE,
				      "%s: no symbol named: fl-fetch %s "
				      "SYMBOL..., or --symbols-from FILE",
				      provider, provider);
	if (result == 0) {
		*symbols = fl_zalloc((seen.count + 1) * sizeof(**symbols));
		for (size_t i = 0; i < seen.count; i++)
			(*symbols)[i] = fl_strdup(seen.entries[i].key);
	}
	fl_map_release(&seen, NULL);
	return result;
}

void fl_symbols_free(char **symbols)
{
	for (char **at = symbols; at && *at; at++)
		free(*at);
	free(symbols);
}
