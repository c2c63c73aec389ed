/* session: the cookie and the crumb that some of Yahoo's services ask for.
 *
 * Both are had by visiting, as a browser does, and kept in the state folder, so
 * that the next run need not visit again. They are secrets: nothing here puts
 * them into a message.
 *
 * source  sources.md, 1.2
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_YAHOO_SESSION_H
#define FL_SOURCE_YAHOO_SESSION_H

#include "source/source.h"

struct fl_yahoo_session;

/* Take up what the last run kept, if anything; asks nobody. */
void fl_yahoo_session_open(struct fl_yahoo_session **session,
			   const struct fl_ask *ask);
/* Have a crumb, if one can be had: asks the network where there is none yet.
 * After both ways have failed they are left alone for a quarter of an hour. */
void fl_yahoo_session_ready(struct fl_yahoo_session *session);
/* NULL: none can be had. Both are borrowed until the next call of ready(). */
const char *fl_yahoo_session_crumb(const struct fl_yahoo_session *session);
/* As it stands in no URL. */
const char *fl_yahoo_session_secret(const struct fl_yahoo_session *session);
const char *fl_yahoo_session_cookie(const struct fl_yahoo_session *session);
/* Why there is none, in words. */
const char *fl_yahoo_session_why(const struct fl_yahoo_session *session);
/* The crumb was refused: ready() gets another, by the other way. Nothing when
 * that has happened already. */
void fl_yahoo_session_refused(struct fl_yahoo_session *session,
			      const char *crumb);
/* It was taken. */
void fl_yahoo_session_good(struct fl_yahoo_session *session);
/* Tell the user once, and again after it went well in between: "…: why". */
void fl_yahoo_session_tell(struct fl_yahoo_session *session, const char *what);
void fl_yahoo_session_close(struct fl_yahoo_session **session); /* NULL is
								 * fine */

#endif
