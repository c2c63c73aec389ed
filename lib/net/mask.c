/* mask: see mask.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/mask.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

/* Does the name of a parameter hold one of the words? */
static bool is_secret(const char *name, size_t len)
{
	static const char *const words[] = { "key",      "token",  "secret",
					     "password", "crumb",  "signature",
					     "auth",     "session" };
	static const char harmless[] = "keywords"; /* of a search */

	if (len == sizeof(harmless) - 1 &&
	    strncasecmp(name, harmless, len) == 0)
		return false;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t n = strlen(words[i]);

		for (size_t at = 0; at + n <= len; at++) {
			if (strncasecmp(name + at, words[i], n) == 0)
				return true;
		}
	}
	return false;
}

static void put(struct fl_buf *out, const char *text, size_t len)
{
	fl_buf_puts(out, fl_show(text, len, 2000));
}

/* The authority: the password in user:PASS@host. Returns what follows. */
static const char *put_host(const char *url, struct fl_buf *out)
{
	const char *start = strstr(url, "://"), *at, *colon;
	size_t len;

	if (!start)
		return url;
	start += 3;
	put(out, url, (size_t)(start - url));
	len = strcspn(start, "/?#");
	at = memrchr(start, '@', len);
	if (!at)
		return start;
	colon = memchr(start, ':', (size_t)(at - start));
	if (colon) {
		put(out, start, (size_t)(colon - start));
		fl_buf_puts(out, ":***");
	} else {
		put(out, start, (size_t)(at - start));
	}
	return at;
}

void fl_url_mask(const char *url, struct fl_buf *out)
{
	size_t len, name;

	url = put_host(url, out);
	len = strcspn(url, "?");
	if (url[len])
		len++;
	put(out, url, len);
	for (url += len; *url; url += len) {
		len = strcspn(url, "&");
		name = strcspn(url, "=&");
		if (url[name] == '=' && is_secret(url, name)) {
			put(out, url, name + 1);
			fl_buf_puts(out, "***");
		} else {
			put(out, url, len);
		}
		if (url[len] == '&') {
			fl_buf_putc(out, '&');
			len++;
		}
	}
}
