/* consent: see consent.h.
 *
 * The page is HTML that people's browsers mend, so it is not parsed: every
 * <input …> is looked at for its three attributes, quoted in either way or not
 * at all, in any order.
 *
 * source  sources.md, 1.2, EU consent flow
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/yahoo/consent.h"

#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "net/http.h"

enum {
	INPUTS = 64, /* hidden ones; a form has five */
	VALUE = 4096,
};

bool fl_yahoo_is_consent(const char *place)
{
	const char *host = strstr(place, "://");
	static const char ours[] = "consent.yahoo.com";
	size_t len;

	if (!host)
		return false;
	host += 3;
	len = strcspn(host, "/:?#");
	if (len >= sizeof(ours) - 1 &&
	    strncasecmp(host + len - (sizeof(ours) - 1), ours,
			sizeof(ours) - 1) == 0)
		return true;
	return strstr(host + len, "/collectConsent") != NULL;
}

/* --- HTML --- */

static void put_utf8(uint32_t code, struct fl_buf *out)
{
	if (code < 0x80) {
		fl_buf_putc(out, (char)code);
	} else if (code < 0x800) {
		fl_buf_putc(out, (char)(0xc0 | code >> 6));
		fl_buf_putc(out, (char)(0x80 | (code & 0x3f)));
	} else if (code < 0x10000) {
		fl_buf_putc(out, (char)(0xe0 | code >> 12));
		fl_buf_putc(out, (char)(0x80 | (code >> 6 & 0x3f)));
		fl_buf_putc(out, (char)(0x80 | (code & 0x3f)));
	} else {
		fl_buf_putc(out, (char)(0xf0 | code >> 18));
		fl_buf_putc(out, (char)(0x80 | (code >> 12 & 0x3f)));
		fl_buf_putc(out, (char)(0x80 | (code >> 6 & 0x3f)));
		fl_buf_putc(out, (char)(0x80 | (code & 0x3f)));
	}
}

/* &#x2F; &#47;: the code; 0: none that is a character. */
static uint32_t read_code(const char *text, size_t len)
{
	bool hex = len > 1 && (*text == 'x' || *text == 'X');
	uint32_t code = 0;

	for (size_t i = hex; i < len; i++) {
		char c = text[i];
		uint32_t digit =
			c >= '0' && c <= '9'          ? (uint32_t)(c - '0')
			: hex && c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
			: hex && c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
						      : 99;

		if (digit == 99 || code > 0x10ffff)
			return 0;
		code = code * (hex ? 16 : 10) + digit;
	}
	return code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : code;
}

/* The value with its entities undone. */
static void put_value(const char *text, size_t len, struct fl_buf *out)
{
	static const struct {
		const char *name;
		char is;
	} names[] = {
		{ "amp", '&' },  { "lt", '<' },    { "gt", '>' },
		{ "quot", '"' }, { "apos", '\'' }, { "sol", '/' },
	};
	const char *end = text + len;

	for (; text < end; text++) {
		const char *stop =
			*text == '&' ? memchr(text, ';', (size_t)(end - text))
				     : NULL;
		size_t n = stop ? (size_t)(stop - text - 1) : 0;
		uint32_t code = 0;

		if (n > 1 && n < 10 && text[1] == '#')
			code = read_code(text + 2, n - 1);
		for (size_t i = 0;
		     n && !code && i < sizeof(names) / sizeof(*names); i++) {
			if (strlen(names[i].name) == n &&
			    memcmp(text + 1, names[i].name, n) == 0)
				code = (unsigned char)names[i].is;
		}
		if (code) {
			put_utf8(code, out);
			text = stop;
		} else {
			fl_buf_putc(out, *text);
		}
	}
}

/* The value of an attribute of the tag, which ends at `end`; *len its length;
 * NULL: it has none. */
static const char *attribute(const char *tag, const char *end, const char *name,
			     size_t *len)
{
	size_t n = strlen(name);

	*len = 0;
	while (tag < end) {
		const char *key, *value;
		size_t key_len, value_len;

		while (tag < end && strchr(" \t\r\n/", *tag))
			tag++;
		key = tag;
		while (tag < end && !strchr(" \t\r\n/=", *tag))
			tag++;
		key_len = (size_t)(tag - key);
		while (tag < end && strchr(" \t\r\n", *tag))
			tag++;
		if (tag == end || *tag != '=') {
			if (!key_len && tag < end)
				tag++;
			continue;
		}
		tag++;
		while (tag < end && strchr(" \t\r\n", *tag))
			tag++;
		if (tag < end && (*tag == '"' || *tag == '\'')) {
			char quote = *tag++;

			value = tag;
			while (tag < end && *tag != quote)
				tag++;
			value_len = (size_t)(tag - value);
			tag += tag < end;
		} else {
			value = tag;
			while (tag < end && !strchr(" \t\r\n", *tag))
				tag++;
			value_len = (size_t)(tag - value);
		}
		if (key_len == n && strncasecmp(key, name, n) == 0) {
			*len = value_len;
			return value;
		}
	}
	return NULL;
}

/* Where a tag ends: at a '>' outside quotes. */
static const char *tag_end(const char *tag, const char *end)
{
	char quote = '\0';

	for (; tag < end; tag++) {
		if (quote)
			quote = *tag == quote ? '\0' : quote;
		else if (*tag == '"' || *tag == '\'')
			quote = *tag;
		else if (*tag == '>')
			break;
	}
	return tag;
}

/* --- the form --- */

static void put_pair(struct fl_buf *out, const char *name, const char *value)
{
	if (out->len)
		fl_buf_putc(out, '&');
	fl_url_escape(name, out);
	fl_buf_putc(out, '=');
	fl_url_escape(value, out);
}

/* An input that is hidden and has a name goes into the form. */
static bool take_input(const char *tag, const char *end, struct fl_buf *out,
		       struct fl_buf *session, bool *csrf)
{
	size_t type_len = 0, name_len = 0, value_len = 0;
	const char *type = attribute(tag, end, "type", &type_len);
	const char *name = attribute(tag, end, "name", &name_len);
	const char *value = attribute(tag, end, "value", &value_len);
	struct fl_buf key = FL_BUF_INIT, text = FL_BUF_INIT;

	if (!type || type_len != 6 || strncasecmp(type, "hidden", 6) != 0 ||
	    !name || !name_len || name_len > VALUE || value_len > VALUE)
		return false;
	put_value(name, name_len, &key);
	put_value(value ? value : "", value_len, &text);
	if (strcmp(fl_buf_text(&key), "sessionId") == 0 && !session->len)
		fl_buf_puts(session, fl_buf_text(&text));
	*csrf |= strcmp(fl_buf_text(&key), "csrfToken") == 0 && text.len;
	/* Ours to say. */
	if (strcmp(fl_buf_text(&key), "agree") != 0 &&
	    strcmp(fl_buf_text(&key), "reject") != 0)
		put_pair(out, fl_buf_text(&key), fl_buf_text(&text));
	fl_buf_release(&key);
	fl_buf_release(&text);
	return true;
}

bool fl_yahoo_consent(const char *page, size_t len, const char *also,
		      struct fl_buf *out, struct fl_buf *session)
{
	const char *end = page + len;
	bool csrf = false;
	int inputs = 0;

	while (page < end && inputs < INPUTS) {
		const char *tag = memchr(page, '<', (size_t)(end - page));

		if (!tag)
			break;
		page = tag + 1;
		if (end - page < 6 || strncasecmp(page, "input", 5) != 0 ||
		    !strchr(" \t\r\n/", page[5]))
			continue;
		tag = page + 5;
		page = tag_end(tag, end);
		inputs += take_input(tag, page, out, session, &csrf);
	}
	if (!csrf || !session->len)
		return false;
	if (*also)
		fl_buf_printf(out, "&%s", also);
	fl_buf_puts(out, "&agree=agree&agree=agree");
	return true;
}
