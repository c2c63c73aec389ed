/* consent: the page on which Yahoo asks visitors from Europe.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_YAHOO_CONSENT_H
#define FL_SOURCE_YAHOO_CONSENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Is a page at that address the one that asks? */
bool fl_yahoo_is_consent(const char *place);
/* The form's hidden inputs as a form to send back, agreed to.
 *
 * also    more of it, "a=b"; ""
 * out     "csrfToken=…&sessionId=…&…&agree=agree&agree=agree"
 * session out: sessionId as it stands in the form
 * returns false: no such form is in the page */
bool fl_yahoo_consent(const char *page, size_t len, const char *also,
		      struct fl_buf *out, struct fl_buf *session);

#endif
