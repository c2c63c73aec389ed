/* market: which markets are open now.
 *
 * source  sources.md, 2.3: MARKET_STATUS
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "source/av/av.h"

static void put_market(struct fl_av_job *job, uint32_t at)
{
	static const char *const by[][2] = {
		{ "market_type", "market type" },
		{ "region", "region" },
		{ "exchanges", "primary exchanges" },
		{ "local_open", "local open" },
		{ "local_close", "local close" },
		{ "status", "current status" },
		{ "notes", "notes" },
	};
	const struct fl_json *json = &job->json;
	struct fl_av_value region = fl_av_member(json, at, "region");
	struct fl_av_value type = fl_av_member(json, at, "market type");
	struct fl_av_value status = fl_av_member(json, at, "current status");
	struct fl_buf *out, subject = FL_BUF_INIT;
	size_t inside;

	job->item_start = job->text.len;
	if (!region.text || !type.text || !status.text ||
	    region.len + type.len > 198) {
		struct fl_buf raw = FL_BUF_INIT;

		fl_json_print(json, at, &raw);
		fl_av_item_refuse(job, FL_REASON_missing_field, raw.data,
				  raw.len, "subject",
				  "the market has no region, type or status");
		fl_buf_release(&raw);
		return;
	}
	fl_buf_append(&subject, region.text, region.len);
	fl_buf_putc(&subject, ' ');
	fl_buf_append(&subject, type.text, type.len);
	for (size_t i = 0; i < subject.len; i++)
		if ((unsigned char)subject.data[i] < ' ' ||
		    subject.data[i] == 0x7f)
			subject.data[i] = ' ';
	out = fl_av_item_begin(job, "stat", job->answered_ns, false);
	fl_buf_puts(out, ",\"stat\":\"market\"");
	fl_av_put_label(out, "subject", fl_av_value(subject.data, subject.len));
	fl_buf_puts(out, ",\"by\":{");
	inside = out->len;
	for (size_t i = 0; i < sizeof(by) / sizeof(*by); i++)
		fl_av_put_text(out, by[i][0], fl_av_member(json, at, by[i][1]));
	/* The first comma is one too many. */
	memmove(out->data + inside, out->data + inside + 1,
		out->len - inside - 1);
	out->len--;
	fl_buf_printf(out, "},\"values\":{\"open\":%d}",
		      status.len == 4 && memcmp(status.text, "open", 4) == 0);
	fl_av_item_end(job, job->answered_ns, false);
	fl_buf_release(&subject);
}

int fl_av_take_markets(struct fl_av_job *job,
		       const struct fl_http_answer *answer, bool csv,
		       struct fl_poll_fault *fault)
{
	const struct fl_json *json = &job->json;
	uint32_t markets = csv ? 0 : fl_av_find(json, 0, "markets");

	if (!markets || json->toks[markets].kind != FL_JSON_ARRAY)
		return fl_av_malformed(fault, answer, "no list of markets");
	for (uint32_t at = markets + 1; at < json->toks[markets].next;
	     at = json->toks[at].next)
		put_market(job, at);
	return 0;
}
