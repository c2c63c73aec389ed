/* fuzz-rss: any bytes as a feed, and as a date of one.
 *
 * What is read is valid UTF-8; a feed that is refused says why, and one with a
 * document type always is.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "base/utf8.h"
#include "io/xml.h"
#include "source/rss.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(void *arg, const struct fl_rss_item *item)
{
	const char *const texts[] = { item->id, item->title, item->url,
				      item->summary, item->publisher };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert(fl_utf8_valid(texts[i], strlen(texts[i])));
	assert(item->ts_ns == FL_TIME_NONE ||
	       (item->ts_ns >= FL_TIME_MIN && item->ts_ns <= FL_TIME_MAX));
	++*(size_t *)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fl_error err = { .code = FL_OK };
	char *text = fl_strndup((const char *)data, size);
	size_t count = 0;

	if (fl_xml_works() && fl_rss_read(text, size, take, &count, &err) < 0)
		assert(err.code == FL_ERR_DATA && err.text[0]);
	(void)fl_rss_time(text);
	free(text);
	return 0;
}
