/* symbol: between Yahoo's form of symbols and the provider's.
 *
 * EURUSD=X is a pair of currencies, BTC-USD one with a coin: a class of shares
 * has one letter behind the dash (BRK-B), a currency three.
 *
 * source  sources.md, 2.4
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "source/av/av.h"

static const struct {
	const char *yahoo, *ours, *mic;
} suffixes[] = {
	{ ".L", ".LON", "XLON" },  { ".TO", ".TRT", "XTSE" },
	{ ".V", ".TRV", "XTSX" },  { ".DE", ".DEX", "XETR" },
	{ ".BO", ".BSE", "XBOM" }, { ".SS", ".SHH", "XSHG" },
	{ ".SZ", ".SHZ", "XSHE" },
};
#define SUFFIXES (sizeof(suffixes) / sizeof(*suffixes))

static bool ends(const char *text, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len > n && memcmp(text + len - n, suffix, n) == 0;
}

static bool letters(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] < 'A' || text[i] > 'Z')
			return false;
	return true;
}

void fl_av_symbol(const char *name, struct fl_av_symbol *symbol)
{
	size_t len = strlen(name);

	*symbol = (struct fl_av_symbol){ .market = FL_AV_EQUITY };
	if (len == 8 && ends(name, len, "=X") && letters(name, 6)) {
		symbol->market = FL_AV_FX;
		memcpy(symbol->code, name, 3);
		memcpy(symbol->against, name + 3, 3);
		return;
	}
	if (len > 4 && name[len - 4] == '-' && letters(name + len - 3, 3)) {
		symbol->market = FL_AV_CRYPTO;
		memcpy(symbol->code, name, len - 4);
		memcpy(symbol->against, name + len - 3, 3);
		return;
	}
	snprintf(symbol->code, sizeof(symbol->code), "%.65s", name);
	symbol->home = !strchr(name, '.');
	for (size_t i = 0; i < SUFFIXES; i++) {
		if (ends(name, len, suffixes[i].yahoo))
			strcpy(symbol->code + len - strlen(suffixes[i].yahoo),
			       suffixes[i].ours);
		else if (!ends(name, len, suffixes[i].ours))
			continue;
		symbol->mic = suffixes[i].mic;
	}
}

void fl_av_yahoo(const char *code, size_t len, char *name, size_t size)
{
	static const char crypto[] = "CRYPTO:";

	if (len > sizeof(crypto) - 1 &&
	    memcmp(code, crypto, sizeof(crypto) - 1) == 0) {
		snprintf(name, size, "%.*s-USD", (int)(len - 7), code + 7);
	} else {
		snprintf(name, size, "%.*s", (int)len, code);
		len = strlen(name);
		for (size_t i = 0; i < SUFFIXES; i++)
			if (ends(name, len, suffixes[i].ours))
				strcpy(name + len - strlen(suffixes[i].ours),
				       suffixes[i].yahoo);
	}
	for (; *name; name++)
		if (*name >= 'a' && *name <= 'z')
			*name = (char)(*name - 'a' + 'A');
}
