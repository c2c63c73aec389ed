/* csv_symbol: the symbol in a file's name; see csv_file.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "source/csv/file.h"

/* A word of a file's name that tells the period and not the symbol. */
static bool is_period(const char *word, size_t len)
{
	static const char *const words[] = { "daily",    "weekly",   "monthly",
					     "yearly",   "hourly",   "intraday",
					     "adjusted", "quarterly" };
	size_t digits = strspn(word, "0123456789");

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strlen(words[i]) == len &&
		    strncasecmp(word, words[i], len) == 0)
			return true;
	}
	if (digits == 0 || digits >= len)
		return false;
	word += digits;
	len -= digits;
	return (len == 3 && strncasecmp(word, "min", 3) == 0) ||
	       (len == 2 && (strncasecmp(word, "wk", 2) == 0 ||
			     strncasecmp(word, "mo", 2) == 0)) ||
	       (len == 1 && strchr("smhdSMHD", *word));
}

/* Drop .csv.gz and the like. */
static size_t without_endings(const char *name, size_t len)
{
	static const char *const endings[] = { ".csv", ".txt", ".tsv",
					       ".gz",  ".zst", ".zstd" };
	bool again;

	do {
		again = false;
		for (size_t i = 0; i < sizeof(endings) / sizeof(*endings);
		     i++) {
			size_t ending = strlen(endings[i]);

			if (len <= ending ||
			    strncasecmp(name + len - ending, endings[i],
					ending) != 0)
				continue;
			len -= ending;
			again = true;
		}
	} while (again);
	return len;
}

char *fl_csv_symbol_from_name(const char *path)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	size_t len = without_endings(name, strlen(name)), word, first;

	if (len > 3 && strncasecmp(name + len - 3, ".us", 3) == 0)
		len -= 3; /* Stooq's aapl.us.txt */
	first = strcspn(name, "_ (");
	while (len) {
		word = strcspn(name, "_ (");
		if (word > len)
			word = len;
		if (word && !is_period(name, word))
			return fl_strndup(name, word);
		if (word == len)
			break;
		name += word + 1;
		len -= word + 1;
	}
	return fl_strndup(name, first < len ? first : len);
}
