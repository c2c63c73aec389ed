/* fuzz-s3-xml: any bytes as an answer of S3.
 *
 * What is told is valid UTF-8, names have no name space; what is refused says
 * why, and one with a document type always is.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "io/xml.h"
#include "net/s3-xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take(void *arg, const char *within, const char *name,
		const char *value, struct fl_error *err)
{
	const char *const texts[] = { within, name, value };
	size_t *left = arg;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert(fl_utf8_valid(texts[i], strlen(texts[i])));
	assert(!strchr(name, ':') && !strchr(within, ':'));
	if (--*left == 0)
		return fl_error_set(err, FL_ERR_DATA, "enough");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fl_error err = { .code = FL_OK };
	char *text = fl_strndup((const char *)data, size);
	size_t left = size ? data[0] : 1;

	if (left == 0)
		left = 1000;
	if (fl_xml_works() && fl_s3_xml_read(text, size, take, &left, &err) < 0)
		assert((err.code == FL_ERR_AGAIN || left == 0) && err.text[0]);
	free(text);
	return 0;
}
