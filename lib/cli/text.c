/* text: see text.h and the last lines of run.h.
 *
 * Masking errs on the side of hiding: whatever may be a secret is one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/time.h"
#include "base/utf8.h"
#include "cli/run.h"

enum {
	COLUMNS = 80,
};

const char *fl_grouped(uint64_t value, char *text)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu",
			   (unsigned long long)value);
	char *p = text;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*p++ = ',';
		*p++ = digits[i];
	}
	*p = '\0';
	return text;
}

const char *fl_bytes_text(double bytes, char *text)
{
	static const char *const units[] = { "B",  "kB", "MB", "GB",
					     "TB", "PB", "EB" };
	size_t unit = 0;

	/* 999.5 would be shown as 1000. */
	while (bytes >= 999.5 && unit + 1 < sizeof(units) / sizeof(*units)) {
		bytes /= 1000;
		unit++;
	}
	snprintf(text, 32, unit && bytes < 9.95 ? "%.1f %s" : "%.0f %s", bytes,
		 units[unit]);
	return text;
}

const char *fl_seconds_text(int64_t ns, char *text)
{
	double seconds = (double)ns / FL_SECOND;
	int64_t whole = ns / FL_SECOND;

	if (seconds < 0.01)
		snprintf(text, 32, "%.1f ms", seconds * 1000);
	else if (seconds < 0.995)
		snprintf(text, 32, "%.2f s", seconds);
	else if (seconds < 99.95)
		snprintf(text, 32, "%.1f s", seconds);
	else if (seconds < 600)
		snprintf(text, 32, "%.0f s", seconds);
	else if (whole < 3 * 3600)
		snprintf(text, 32, "%d min %d s", (int)(whole / 60),
			 (int)(whole % 60));
	else
		snprintf(text, 32, "%lld h %d min", (long long)(whole / 3600),
			 (int)(whole / 60 % 60));
	return text;
}

static const char *const secret_words[] = { "password", "passwd", "passphrase",
					    "pwd",      "secret", "token",
					    "key",      NULL };

bool fl_mask_name(const char *name, size_t len)
{
	/* --key and --tls-key take names of fields and files. */
	for (size_t i = 0; strcmp(secret_words[i], "key") != 0; i++) {
		size_t n = strlen(secret_words[i]);

		if (len >= n &&
		    strncasecmp(name + len - n, secret_words[i], n) == 0)
			return true;
	}
	return false;
}

/* Bytes from the start of `text` to behind a secret's "=", 0 when none. */
static size_t find_assignment(const char *text)
{
	for (const char *eq = strchr(text, '='); eq; eq = strchr(eq + 1, '=')) {
		for (size_t i = 0; secret_words[i]; i++) {
			size_t n = strlen(secret_words[i]);

			if ((size_t)(eq - text) >= n &&
			    strncasecmp(eq - n, secret_words[i], n) == 0)
				return (size_t)(eq - text) + 1;
		}
	}
	return 0;
}

/* The password of user:PASS@ in a word of len bytes: from where to where. */
static bool find_userinfo(const char *word, size_t len, size_t *from,
			  size_t *to)
{
	const char *at = memrchr(word, '@', len);
	const char *start = memmem(word, len, "://", 3);
	const char *colon;

	if (!at)
		return false;
	if (start && start < at) {
		start += 3;
	} else {
		start = word;
		/* No URL: DIR/A:B@C is a path. */
		if (memchr(word, '/', (size_t)(at - word)))
			return false;
	}
	colon = memchr(start, ':', (size_t)(at - start));
	if (!colon)
		return false;
	*from = (size_t)(colon - word) + 1;
	*to = (size_t)(at - word);
	return true;
}

static void append_utf8(struct fl_buf *out, const char *text, size_t len)
{
	while (len) {
		size_t good = 0;
		unsigned n;

		while (good < len &&
		       (n = fl_utf8_length(text + good, len - good)))
			good += n;
		fl_buf_append(out, text, good);
		text += good;
		len -= good;
		if (len) {
			fl_buf_puts(out, "\xef\xbf\xbd");
			text++;
			len--;
		}
	}
}

void fl_mask(const char *text, struct fl_buf *out)
{
	size_t secret = find_assignment(text);
	size_t len = secret ? secret : strlen(text);

	while (len) {
		size_t word = strcspn(text, " \t\n"), from, to;

		if (word > len)
			word = len;
		if (word && find_userinfo(text, word, &from, &to)) {
			append_utf8(out, text, from);
			fl_buf_puts(out, "***");
			append_utf8(out, text + to, word - to);
		} else {
			append_utf8(out, text, word);
		}
		text += word;
		len -= word;
		if (len) {
			append_utf8(out, text, 1);
			text++;
			len--;
		}
	}
	if (secret)
		fl_buf_puts(out, "***");
}

void fl_mask_argument(char *const *argv, int i, struct fl_buf *out)
{
	const char *before = i > 1 ? argv[i - 1] : "";

	if (strncmp(before, "--", 2) == 0 &&
	    fl_mask_name(before + 2, strlen(before + 2)))
		fl_buf_puts(out, "***");
	else
		fl_mask(argv[i], out);
}

static void quote_word(const char *word, struct fl_buf *out)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789_@%+=:,./*^-";

	if (*word && !word[strspn(word, plain)]) {
		fl_buf_puts(out, word);
		return;
	}
	fl_buf_putc(out, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			fl_buf_puts(out, "'\\''");
		else
			fl_buf_putc(out, *word);
	}
	fl_buf_putc(out, '\'');
}

void fl_mask_command(const char *name, char *const *argv, size_t max,
		     struct fl_buf *out)
{
	struct fl_buf word = FL_BUF_INIT;
	size_t start = out->len;

	quote_word(name, out);
	for (int i = 1; argv[0] && argv[i]; i++) {
		fl_buf_reset(&word);
		fl_mask_argument(argv, i, &word);
		if (out->len - start + word.len > max) {
			int left = 0;

			while (argv[i + left])
				left++;
			fl_buf_printf(out, " (%d more)", left);
			break;
		}
		fl_buf_putc(out, ' ');
		quote_word(fl_buf_text(&word), out);
	}
	fl_buf_release(&word);
}

void fl_wrap(const char *text, size_t column, size_t indent, struct fl_buf *out)
{
	while (*text) {
		size_t len = strcspn(text, " ");
		/* A word that begins with '-' keeps to the one before it. */
		const char *next = text + len;
		size_t columns;

		while (next[0] == ' ' && next[1] == '-') {
			len += 1 + strcspn(next + 1, " ");
			next = text + len;
		}
		columns = fl_utf8_columns(text, len);
		if (column > indent && column + 1 + columns > COLUMNS) {
			fl_buf_printf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			fl_buf_putc(out, ' ');
			column++;
		}
		fl_buf_append(out, text, len);
		column += columns;
		text = next + strspn(next, " ");
	}
}
