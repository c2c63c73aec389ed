/* fuzz-mark: marks parse and print to a fixed point.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rec/mark.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fl_mark mark = FL_MARK_INIT;
	struct fl_buf once = FL_BUF_INIT, twice = FL_BUF_INIT;
	struct fl_error err = { .code = FL_OK };
	char *text = malloc(size ? size : 1);

	if (size)
		memcpy(text, data, size);
	(void)fl_mark_is(text, size);
	if (fl_mark_parse(&mark, text, size, &err) == 0) {
		fl_mark_print(&mark, &once);
		assert(fl_mark_is(once.data, once.len));
		assert(fl_mark_parse(&mark, once.data, once.len, &err) == 0);
		fl_mark_print(&mark, &twice);
		assert(once.len == twice.len &&
		       memcmp(once.data, twice.data, once.len) == 0);
	}
	fl_buf_release(&once);
	fl_buf_release(&twice);
	fl_mark_release(&mark);
	free(text);
	return 0;
}
