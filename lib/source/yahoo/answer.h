/* answer: what all of Yahoo's answers have in common.
 *
 * A status of 200 does not make an answer JSON, nor an error of one without;
 * where it is JSON, an error is told the same way everywhere. Keys come in any
 * order and new ones without notice, so everything is looked up by name.
 *
 * source  sources.md, 1.1 and 1.3
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_YAHOO_ANSWER_H
#define FL_SOURCE_YAHOO_ANSWER_H

#include "base/decimal.h"
#include "io/json.h"
#include "net/http.h"
#include "source/poll-out.h"

/* Read the answer into tokens, which are borrowed from it and from `mended`:
 * bare NaN and Infinity, which are no JSON, are put as null there and added to
 * *words.
 * returns 0; 1 it says, in an error, that there is nothing; -1 with the fault:
 *         it is no JSON, an error, or has another status than 200 */
int fl_yahoo_read(struct fl_json *json, struct fl_buf *mended,
		  const struct fl_http_answer *answer, uint64_t *words,
		  struct fl_poll_fault *fault);
/* Fill the fault; the status is added to the text. returns -1 */
int fl_yahoo_fault(struct fl_poll_fault *fault, enum fl_reason reason,
		   bool retryable, const char *text,
		   const struct fl_http_answer *answer);
/* The same for an answer that is no JSON, or has a status that is no success:
 * its title, or how it begins. returns -1 */
int fl_yahoo_page(const struct fl_http_answer *answer,
		  struct fl_poll_fault *fault);

/* A member of the object; 0: absent or null. */
uint32_t fl_yahoo_find(const struct fl_json *json, uint32_t object,
		       const char *key);
/* The object or array that is such a member; 0: there is none. */
uint32_t fl_yahoo_find_kind(const struct fl_json *json, uint32_t object,
			    const char *key, enum fl_json_kind kind);
/* The first object in {"NAME":{"result":[…]}}; 0: there is none. */
uint32_t fl_yahoo_find_result(const struct fl_json *json, const char *name);
/* A member that is a whole number, of seconds since 1970, also where it came as
 * {"raw":1767387600,"fmt":"4:00PM EST"}. */
bool fl_yahoo_find_seconds(const struct fl_json *json, uint32_t object,
			   const char *key, int64_t *value);
/* A member that is a text without control characters, into text[size]; else it
 * is empty. */
void fl_yahoo_find_text(const struct fl_json *json, uint32_t object,
			const char *key, char *text, size_t size);
/* A member that is a number, also where it came as {"raw":1.5,"fmt":"1.50"}.
 * price  it may be a float, see number.h */
bool fl_yahoo_find_number(const struct fl_json *json, uint32_t object,
			  const char *key, bool price, struct fl_decimal *out,
			  bool *rounded);

/* --- writing --- */

/* ,"key":"text" */
void fl_yahoo_put_text(struct fl_buf *out, const char *key, const char *text);
/* ,"key":"text" of a text of any length, blanks at its ends and control
 * characters taken out; nothing where nothing is left. */
void fl_yahoo_put_words(struct fl_buf *out, const char *key, const char *text,
			size_t len);
/* ,"key":value */
void fl_yahoo_put_number(struct fl_buf *out, const char *key,
			 struct fl_decimal value);
/* The currency's fields; nothing for what is none. Returns the subunit that
 * amounts are to be scaled by, or NULL. */
const struct fl_subunit *fl_yahoo_put_currency(struct fl_buf *out,
					       const char *code);
/* ,"mic":…,"exchange":… of Yahoo's code of an exchange; "" gives nothing. */
void fl_yahoo_put_exchange(struct fl_buf *out, const char *code);

#endif
