/* poll-out: see poll-out.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/poll-out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"

enum {
	SAID_MAX = 120, /* bytes of an answer in a message */
};

struct fl_buf *fl_poll_text(struct fl_poll_out *out)
{
	return &out->text;
}

static struct fl_poll_entry *add_entry(struct fl_poll_out *out)
{
	struct fl_poll_entry *entry;
	size_t at = 0;

	if (out->count)
		at = out->entries[out->count - 1].at +
		     out->entries[out->count - 1].len;
	if (out->count == out->cap) {
		out->cap = out->cap ? 2 * out->cap : 64;
		out->entries = fl_realloc(out->entries, out->cap,
					  sizeof(*out->entries));
	}
	entry = &out->entries[out->count++];
	*entry = (struct fl_poll_entry){ .at = at, .len = out->text.len - at };
	return entry;
}

void fl_poll_record(struct fl_poll_out *out, int64_t ts_ns, bool rounded)
{
	struct fl_poll_entry *entry = add_entry(out);

	entry->ts_ns = ts_ns;
	entry->rounded = rounded;
}

void fl_poll_reject(struct fl_poll_out *out, enum fl_reason reason,
		    const struct fl_note *note)
{
	struct fl_poll_entry *entry = add_entry(out);

	entry->reason = reason;
	entry->note = fl_alloc(sizeof(*note));
	*entry->note = *note;
}

void fl_poll_failed(struct fl_poll_out *out, const char *symbol,
		    const struct fl_poll_fault *fault, unsigned status)
{
	struct fl_poll_entry *entry = add_entry(out);

	entry->reason = fault->reason;
	entry->failed = fl_zalloc(sizeof(*entry->failed));
	snprintf(entry->failed->symbol, sizeof(entry->failed->symbol), "%s",
		 symbol);
	entry->failed->fault = *fault;
	entry->failed->status = status;
}

void fl_poll_move(struct fl_poll_out *to, struct fl_poll_out *from)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct fl_poll_entry *old = &from->entries[i];
		struct fl_poll_entry *entry;

		fl_buf_append(&to->text, from->text.data + old->at, old->len);
		entry = add_entry(to);
		entry->ts_ns = old->ts_ns;
		entry->rounded = old->rounded;
		entry->reason = old->reason;
		entry->note = old->note;
		entry->failed = old->failed;
	}
	from->count = 0;
	fl_poll_release(from);
}

void fl_poll_release(struct fl_poll_out *out)
{
	for (size_t i = 0; i < out->count; i++) {
		free(out->entries[i].note);
		free(out->entries[i].failed);
	}
	free(out->entries);
	fl_buf_release(&out->text);
	*out = (struct fl_poll_out){ .count = 0 };
}

const char *fl_poll_said(const struct fl_http_answer *answer)
{
	const char *body = answer->body, *title = strcasestr(body, "<title>");
	size_t len;

	while (*body && strchr(" \t\r\n", *body))
		body++;
	if (title)
		body = title + 7;
	len = strcspn(body, title ? "<\r\n" : "\r\n");
	return len ? fl_show(body, len, SAID_MAX) : "an empty answer";
}

void fl_poll_transport(const struct fl_http_answer *answer,
		       const char *provider, struct fl_poll_fault *fault)
{
	static const enum fl_reason reasons[] = {
		[FL_HTTP_NETWORK] = FL_REASON_network,
		[FL_HTTP_CUT] = FL_REASON_truncated,
		[FL_HTTP_TLS] = FL_REASON_network,
		[FL_HTTP_REDIRECTS] = FL_REASON_http_status,
		[FL_HTTP_TOO_LARGE] = FL_REASON_provider_error,
		[FL_HTTP_QUOTA] = FL_REASON_quota_exceeded,
	};

	fault->reason = reasons[answer->fault];
	fault->retryable = fl_http_retryable(answer);
	if (answer->fault == FL_HTTP_QUOTA) {
		snprintf(fault->text, sizeof(fault->text), "%s, or --wait",
			 answer->why);
		return;
	}
	snprintf(fault->text, sizeof(fault->text),
		 "%s (%s, %u %s in %lld.%lld s)", answer->why, provider,
		 answer->tries, answer->tries == 1 ? "try" : "tries",
		 (long long)(answer->took_ns / FL_SECOND),
		 (long long)(answer->took_ns % FL_SECOND / (FL_SECOND / 10)));
}
