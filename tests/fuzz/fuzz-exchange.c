/* fuzz-exchange: any bytes as the file of a recorded exchange.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/tape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(what)                                                            \
	do {                                                                   \
		if (!(what))                                                   \
			abort();                                               \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fl_exchange x = FL_EXCHANGE_INIT, again = FL_EXCHANGE_INIT;
	struct fl_buf text = FL_BUF_INIT;

	if (fl_exchange_parse((const char *)data, size, &x)) {
		CHECK(x.head.len + x.body.len <= size && x.status <= 999);
		fl_exchange_print(&x, "GET /", "http://h/", &text);
		CHECK(fl_exchange_parse(text.data, text.len, &again));
		CHECK(again.status == x.status && again.fault == x.fault &&
		      again.date_ns == x.date_ns &&
		      again.asked_ns == x.asked_ns &&
		      again.head.len == x.head.len &&
		      again.body.len == x.body.len &&
		      (!x.body.len ||
		       memcmp(again.body.data, x.body.data, x.body.len) == 0));
	}
	fl_exchange_release(&x);
	fl_exchange_release(&again);
	fl_buf_release(&text);
	return 0;
}
