/* logs_aws_waf: AWS WAF's log, a JSON object a line.
 *
 * source  AWS WAF developer guide, "Log fields for protection pack traffic"
 * SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "source/log/access.h"
#include "source/log/parser.h"
#include "source/log/work.h"

static struct fl_logs_text text_of(const struct fl_json *json, uint32_t object,
				   const char *key)
{
	uint32_t at = object == UINT32_MAX
			      ? 0
			      : fl_json_find(json, object, key, strlen(key));

	if (!at || (json->toks[at].kind != FL_JSON_STRING &&
		    json->toks[at].kind != FL_JSON_NUMBER))
		return (struct fl_logs_text){ "", 0 };
	return (struct fl_logs_text){ json->toks[at].text, json->toks[at].len };
}

static void put(struct fl_logs_work *w, enum fl_logs_field field,
		struct fl_logs_text text)
{
	fl_logs_put(w, field, text.at, text.len);
}

/* headers[{name,value}] */
static void put_headers(struct fl_logs_work *w, const struct fl_json *json,
			uint32_t request)
{
	uint32_t at = fl_json_find(json, request, "headers", 7);

	if (!at || json->toks[at].kind != FL_JSON_ARRAY)
		return;
	for (uint32_t i = at + 1; i < json->toks[at].next;
	     i = json->toks[i].next) {
		struct fl_logs_text name;

		if (json->toks[i].kind != FL_JSON_OBJECT)
			continue;
		name = text_of(json, i, "name");
		if (name.len == 10 &&
		    strncasecmp(name.at, "user-agent", 10) == 0)
			put(w, FL_LOGS_USER_AGENT, text_of(json, i, "value"));
		else if (name.len == 7 &&
			 strncasecmp(name.at, "referer", 7) == 0)
			put(w, FL_LOGS_HTTP_REFERRER,
			    text_of(json, i, "value"));
	}
}

static void put_url(struct fl_logs_work *w, struct fl_logs_text uri,
		    struct fl_logs_text args)
{
	char *whole;

	if (!args.len) {
		put(w, FL_LOGS_URL_ORIGINAL, uri);
		return;
	}
	whole = fl_arena_alloc(&w->arena, uri.len + 1 + args.len);
	memcpy(whole, uri.at, uri.len);
	whole[uri.len] = '?';
	memcpy(whole + uri.len + 1, args.at, args.len);
	fl_logs_put(w, FL_LOGS_URL_ORIGINAL, whole, uri.len + 1 + args.len);
}

static void put_request(struct fl_logs_work *w, const struct fl_json *json,
			uint32_t request)
{
	struct fl_logs_text text = text_of(json, request, "clientIp");

	fl_logs_host(w, FL_LOGS_SOURCE_IP, text.at, text.len);
	text = text_of(json, request, "country");
	if (text.len == 2)
		put(w, FL_LOGS_SOURCE_COUNTRY, text);
	text = text_of(json, request, "httpMethod");
	fl_logs_label(w, FL_LOGS_HTTP_METHOD, text.at, text.len);
	text = text_of(json, request, "httpVersion");
	fl_logs_version(w, text.at, text.len);
	put_url(w, text_of(json, request, "uri"),
		text_of(json, request, "args"));
	put_headers(w, json, request);
}

static enum fl_logs_got parse(struct fl_logs_work *w)
{
	struct fl_json *json = &w->parser->json;
	size_t len = (size_t)(w->end - w->at);
	struct fl_logs_text text;
	enum fl_reason reason;
	uint32_t request;
	int64_t ms;

	if (!len || *w->at != '{' || !memmem(w->at, len, "\"webaclId\"", 10))
		return FL_LOGS_NOT_MINE;
	reason = fl_json_parse(json, w->at, len, w->note);
	if (reason != FL_REASON_NONE) {
		w->reason = reason;
		return FL_LOGS_REFUSED;
	}
	text = text_of(json, 0, "timestamp");
	if (json->toks[0].kind != FL_JSON_OBJECT ||
	    !fl_logs_number(text.at, text.len, &ms) ||
	    ms > FL_TIME_MAX / 1000000)
		return FL_LOGS_NOT_MINE;
	w->ts_ns = ms * 1000000;
	text = text_of(json, 0, "action");
	fl_logs_act(w, text.at, text.len, true);
	put(w, FL_LOGS_RULE_ID, text_of(json, 0, "terminatingRuleId"));
	put(w, FL_LOGS_RULE_RULESET, text_of(json, 0, "webaclId"));
	put(w, FL_LOGS_OBSERVER_HOSTNAME, text_of(json, 0, "httpSourceId"));
	request = fl_json_find(json, 0, "httpRequest", 11);
	if (request && json->toks[request].kind == FL_JSON_OBJECT)
		put_request(w, json, request);
	fl_logs_say(w, FL_LOGS_OBSERVER_VENDOR, "AWS");
	fl_logs_say(w, FL_LOGS_OBSERVER_PRODUCT, "WAF");
	fl_logs_say(w, FL_LOGS_OBSERVER_TYPE, "waf");
	return FL_LOGS_RECORD;
}

const struct fl_logs_format fl_logs_format_aws_waf = {
	.name = "aws_waf",
	.category = "[\"web\"]",
	.access = "access",
	.parse = parse,
};
