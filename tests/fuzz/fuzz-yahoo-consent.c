/* fuzz-yahoo-consent: any bytes as the page that asks for consent.
 *
 * The form that is made of one is ASCII without blanks, agrees twice, and comes
 * out the same again.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "source/yahoo/consent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char agreed[] = "&agree=agree&agree=agree";
	struct fl_buf form = FL_BUF_INIT, again = FL_BUF_INIT;
	struct fl_buf session = FL_BUF_INIT, other = FL_BUF_INIT;
	const char *page = (const char *)data;
	bool good = fl_yahoo_consent(page, size, "", &form, &session);

	assert(good == fl_yahoo_consent(page, size, "a=b", &again, &other));
	if (good) {
		assert(session.len && form.len > sizeof(agreed));
		assert(strcmp(form.data + form.len - (sizeof(agreed) - 1),
			      agreed) == 0);
		assert(again.len == form.len + 4);
	}
	for (size_t i = 0; i < form.len; i++)
		assert(form.data[i] > ' ' && form.data[i] < 0x7f);
	fl_buf_release(&form);
	fl_buf_release(&again);
	fl_buf_release(&session);
	fl_buf_release(&other);
	return 0;
}
