/* polled: see polled.h.
 *
 * As many symbols are on their way as --parallel says, counted from the one
 * that is to be given next: so the order is that of the list, and what waits
 * for its turn is bounded.
 *
 * Whoever cannot reach a provider at all, or is told to slow down, does not go
 * on with a thousand more symbols: the rest is refused unasked.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/polled.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "io/stream.h"
#include "net/mask.h"
#include "source/every.h"
#include "source/poll-options.h"
#include "source/resume.h"

enum {
	BASES = 2,
	WAIT_MS = 100,
};

struct slot {
	const char *symbol;
	void *job;
	struct fl_buf path; /* asked for last */
	unsigned tries;     /* of it, as parse sees them */
	bool done, failed;
	struct fl_poll_fault fault;
	unsigned status; /* of the answer that failed */
	char *raw;       /* its body; NULL */
	size_t raw_len;
	struct fl_poll_out out;
	size_t given; /* of out.entries */
	/* --resume, --state */
	const char *origin;    /* NULL: not wanted */
	struct fl_reach reach; /* held before, then with what came */
	struct fl_holes missing;
	bool whole; /* all is asked for anew */
};

struct polled {
	const struct fl_ask *ask;
	const struct fl_poll_options *option;
	const struct fl_polled *polled;
	const void *plan;
	struct fl_http *http;
	struct fl_limit *limit;
	char *agent;
	char *bases[BASES];     /* the second NULL: one host */
	char **symbols;         /* or batches of them */
	struct fl_holes *holes; /* of each symbol; NULL: no --fill */
	struct fl_holes_ask series;
	char **origins; /* of each symbol; NULL: no positions are wanted */
	struct fl_reach *reaches;
	size_t count, started, given;
	size_t symbol_count, failed;
	bool answered; /* some host gave some answer */
	bool broken;   /* the rest is not asked */
	struct fl_poll_fault why;
	size_t unasked;
	bool retryable; /* a symbol that failed may be had later */
	bool waited;    /* next said 2 */
	bool spent;     /* the day's requests are used up */
	/* --every */
	struct fl_every every;
	int64_t due_ns; /* the next round; 0: one is under way */
	bool gave;      /* some record */
	bool ailing;    /* some symbol failed in the round before */
	char first[600];
	struct slot slots[FL_HTTP_PARALLEL];
};

/* --- asking --- */

static struct slot *slot_of(struct polled *p, size_t i)
{
	return &p->slots[i % p->option->parallel];
}

static void end_job(struct polled *p, struct slot *slot)
{
	if (slot->job)
		p->polled->end(slot->job);
	slot->job = NULL;
	slot->done = true;
}

static void ask(struct polled *p, struct slot *slot, int64_t wait_ns)
{
	const char *path = fl_buf_text(&slot->path);
	bool whole = *path == 'h';
	char *urls[BASES] = { NULL };

	for (int i = 0; i < BASES && p->bases[i] && !(whole && i); i++)
		urls[i] = fl_sprintf("%s%s", whole ? "" : p->bases[i], path);
	fl_http_ask(p->http,
		    &(struct fl_http_request){
			    .url = urls[0],
			    .other_url = urls[1],
			    .arg = slot,
			    .wait_ns = wait_ns,
			    .cookie = p->polled->cookie
					      ? p->polled->cookie(slot->job)
					      : NULL });
	for (int i = 0; i < BASES; i++)
		free(urls[i]);
}

static void ask_next(struct polled *p, struct slot *slot);

/* A new split has changed every price that is held: once more, the whole. */
static void ask_whole(struct polled *p, struct slot *slot)
{
	fl_log("'%s': a split since: the whole series is asked for",
	       slot->symbol);
	slot->whole = true;
	p->polled->end(slot->job);
	fl_holes_release(&slot->missing);
	fl_reach_missing(&slot->reach, &p->series, p->ask->now_ns, true,
			 &slot->missing);
	slot->job = p->polled->begin(p->plan, slot->symbol, &slot->missing);
	ask_next(p, slot);
}

/* What to call in the answers that a symbol was brought so far. */
static char *reached_name(const struct polled *p, const struct slot *slot)
{
	return fl_sprintf("reached://%s/%s/%llu",
			  p->ask->pipeline ? p->ask->pipeline : "",
			  slot->origin,
			  (unsigned long long)fl_reach_print(&slot->reach));
}

/* A run that is cut off now is started anew: then nothing is missing here. */
static void keep_reached(const struct polled *p, const struct slot *slot)
{
	const struct fl_exchange done = { .status = 200,
					  .asked_ns = fl_now_ns(),
					  .date_ns = FL_TIME_NONE };
	struct fl_error unkept = { .code = FL_OK };
	struct fl_tape *answers = fl_poll_answers();
	char *name;

	if (!answers || slot->reach.held_ns == FL_TIME_NONE)
		return;
	name = reached_name(p, slot);
	(void)fl_tape_put(answers, "REACHED", name, &done, &unkept);
	free(name);
}

static bool is_reached(const struct polled *p, const struct slot *slot)
{
	struct fl_exchange done = FL_EXCHANGE_INIT;
	struct fl_error unread = { .code = FL_OK };
	struct fl_tape *answers = fl_poll_answers();
	char *name;
	bool found;

	/* What lies before the first bar was never asked for. */
	if (!answers || slot->missing.items[0].from_day < slot->reach.first_day)
		return false;
	name = reached_name(p, slot);
	found = fl_tape_get(answers, "REACHED", name, &done, &unread) == 1;
	fl_exchange_release(&done);
	free(name);
	return found;
}

/* All answers about a symbol are there. */
static void take_records(struct polled *p, struct slot *slot)
{
	int64_t event = slot->origin && p->polled->changed
				? p->polled->changed(slot->job)
				: INT64_MIN;

	if (slot->missing.count && !slot->whole &&
	    event > slot->reach.event_day) {
		ask_whole(p, slot);
		return;
	}
	p->polled->records(slot->job, &slot->out);
	if (slot->origin) {
		fl_reach_extend(&slot->reach, &p->series, &slot->out, event);
		keep_reached(p, slot);
	}
	end_job(p, slot);
}

/* The next request of the symbol, or its end. */
static void ask_next(struct polled *p, struct slot *slot)
{
	fl_buf_reset(&slot->path);
	slot->tries = 1;
	if (p->polled->ready)
		p->polled->ready(slot->job);
	if (p->polled->request(slot->job, &slot->path) == 0) {
		take_records(p, slot);
	} else {
		ask(p, slot, 0);
	}
}

/* The same request once more. returns false: it was asked often enough */
static bool ask_again(struct polled *p, struct slot *slot)
{
	int64_t wait = p->option->retry_ns;

	if (slot->tries >= p->option->tries)
		return false;
	for (unsigned i = 1; i < slot->tries && wait < FL_HOUR; i++)
		wait *= 2;
	wait *= slot->fault.pause;
	fl_log("'%s': %s; asking again in %lld ms", slot->symbol,
	       slot->fault.text, (long long)(wait / 1000000));
	slot->tries++;
	slot->fault = (struct fl_poll_fault){ .reason = FL_REASON_NONE };
	ask(p, slot, wait);
	return true;
}

/* What of a symbol is wanted; NULL: all. */
static const struct fl_holes *holes_of(const struct polled *p, size_t i,
				       struct slot *slot)
{
	if (p->origins) {
		slot->origin = p->origins[i];
		slot->reach = p->reaches[i];
		if (slot->reach.held_ns == FL_TIME_NONE)
			return NULL;
		fl_reach_missing(&slot->reach, &p->series, p->ask->now_ns,
				 false, &slot->missing);
		return &slot->missing;
	}
	return p->holes && p->holes[i].stored ? &p->holes[i] : NULL;
}

/* How many symbols stand in what is asked about at once. */
static size_t symbols_of(const char *batch, const struct polled *p)
{
	size_t count = 1;

	for (; p->polled->batch && *batch; batch++)
		count += *batch == ',';
	return count;
}

/* What is asked about at once, for a message; lives as fl_show()'s. */
static const char *name_of(const char *batch, const struct polled *p)
{
	size_t more = symbols_of(batch, p) - 1;
	size_t len = more ? strcspn(batch, ",") : strlen(batch);
	char text[200];

	snprintf(text, sizeof(text), "'%.*s'", (int)len, batch);
	if (more)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 " and %zu more", more);
	return fl_show(text, strlen(text), sizeof(text));
}

static void start(struct polled *p)
{
	while (p->started < p->count &&
	       p->started < p->given + p->option->parallel) {
		struct slot *slot = slot_of(p, p->started);
		const struct fl_holes *holes;

		*slot = (struct slot){ .symbol = p->symbols[p->started++] };
		if (p->broken) {
			slot->done = slot->failed = true;
			slot->fault = p->why;
			p->unasked += symbols_of(slot->symbol, p);
			continue;
		}
		holes = holes_of(p, p->started - 1, slot);
		if (slot->missing.count && is_reached(p, slot)) {
			fl_log("'%s': brought up to now a moment ago",
			       slot->symbol);
			slot->origin = NULL;
			slot->done = true;
			continue;
		}
		slot->job = p->polled->begin(p->plan, slot->symbol, holes);
		ask_next(p, slot);
	}
}

/* Stars for the secret, wherever it stands in text[len]. */
static void hide(const struct polled *p, char *text, size_t len)
{
	const char *secret =
		p->polled->secret ? p->polled->secret(p->plan) : NULL;
	size_t size = secret ? strlen(secret) : 0;
	char *at = text;

	while (size &&
	       (at = memmem(at, (size_t)(text + len - at), secret, size)))
		memset(at, '*', size);
}

static void fail(struct polled *p, struct slot *slot,
		 const struct fl_http_answer *answer)
{
	enum fl_reason reason = slot->fault.reason;
	struct fl_error err = { .code = FL_OK };

	slot->failed = true;
	slot->status = answer->status;
	slot->raw_len = answer->len ? answer->len : strlen(answer->url);
	slot->raw = fl_strndup(answer->len ? answer->body : answer->url,
			       slot->raw_len);
	hide(p, slot->raw, slot->raw_len);
	end_job(p, slot);
	/* The provider counts better than we do: others were not told of. */
	if (reason == FL_REASON_quota_exceeded && !answer->fault && p->limit &&
	    fl_limit_exhaust(p->limit, &err) < 0)
		fl_log("%s", err.text);
	if (p->broken ||
	    !((reason == FL_REASON_network && !p->answered) ||
	      reason == FL_REASON_rate_limited ||
	      reason == FL_REASON_quota_exceeded || reason == FL_REASON_auth))
		return;
	p->broken = true;
	p->spent = answer->fault == FL_HTTP_QUOTA;
	p->why = slot->fault;
	if (p->spent) /* the words say who and why */
		return;
	snprintf(p->why.text, sizeof(p->why.text), "not asked, for %s: %.300s",
		 name_of(slot->symbol, p), slot->fault.text);
}

/* returns 0, -1 the run cannot go on */
static int take_answer(struct polled *p, const struct fl_http_answer *answer,
		       struct fl_error *err)
{
	struct slot *slot = answer->arg;
	int got = -1;

	p->ask->io->counts.bytes_in += answer->len;
	p->answered |= answer->status != 0;
	if (answer->fault) {
		fl_poll_transport(answer, p->polled->provider, &slot->fault);
		if (p->polled->lost)
			got = p->polled->lost(slot->job, &slot->fault);
	} else
		got = p->polled->parse(slot->job, answer, &slot->fault);
	hide(p, slot->fault.text, strlen(slot->fault.text));
	if (got == 0)
		ask_next(p, slot);
	if (got == 0 || (got == 1 && ask_again(p, slot)))
		return 0;
	if (slot->fault.fatal)
		return fl_error_set(err, slot->fault.fatal, "'%s': %s",
				    slot->symbol, slot->fault.text);
	fail(p, slot, answer);
	return 0;
}

/* --- giving --- */

/* A fault that has befallen `count` symbols; `name` is what to call them. */
static void tell_fault(struct polled *p, const struct fl_poll_fault *fault,
		       const char *name, size_t count, bool asked)
{
	char text[600];

	snprintf(text, sizeof(text), "%s: %s", name, fault->text);
	if (!p->failed)
		snprintf(p->first, sizeof(p->first), "%s", text);
	p->failed += count;
	p->retryable |= fault->retryable;
	/* What fails alone is the error of the run; what fails again and again
	 * is told once. */
	if (asked && !p->ask->missed && p->symbol_count > count && !p->ailing &&
	    !p->spent && p->ask->tell)
		p->ask->tell(p->ask->tell_arg, text);
}

static int refuse(struct polled *p, const struct fl_poll_fault *fault,
		  struct fl_reject *reject, struct fl_error *err)
{
	struct fl_note note;

	if (p->ask->missed) {
		p->ask->missed(p->ask->missed_arg, reject->input, fault->reason,
			       fault->retryable, fault->text);
		return 0;
	}
	fl_note_set(&note, "", "%s", fault->text);
	reject->reason = fault->reason;
	reject->note = &note;
	reject->provider_code = fault->code;
	reject->retryable = fault->retryable ? FL_AGAIN_YES : FL_AGAIN_NO;
	return fl_reject(p->ask->io, reject, err);
}

/* One reject for each symbol that was asked about. */
static int refuse_slot(struct polled *p, struct slot *slot,
		       struct fl_error *err)
{
	char *batch = fl_strdup(slot->symbol), *rest = batch, *symbol;
	int result = 0;

	tell_fault(p, &slot->fault, name_of(batch, p), symbols_of(batch, p),
		   slot->raw);
	while (result == 0 && rest) {
		symbol = p->polled->batch ? strsep(&rest, ",") : rest;
		if (symbol == rest)
			rest = NULL;
		result = refuse(p, &slot->fault,
				&(struct fl_reject){
					.input = symbol,
					.raw = slot->raw ? slot->raw : symbol,
					.raw_len = slot->raw ? slot->raw_len
							     : strlen(symbol),
					.http_status = slot->status },
				err);
	}
	free(batch);
	return result;
}

/* A symbol of several. */
static int refuse_failed(struct polled *p, const struct fl_poll_failed *failed,
			 const char *raw, size_t raw_len, struct fl_error *err)
{
	char name[80];

	snprintf(name, sizeof(name), "'%s'", failed->symbol);
	tell_fault(p, &failed->fault, name, 1, true);
	return refuse(
		p, &failed->fault,
		&(struct fl_reject){
			.input = failed->symbol,
			.raw = raw_len ? raw : failed->symbol,
			.raw_len = raw_len ? raw_len : strlen(failed->symbol),
			.http_status = failed->status },
		err);
}

static void release_slot(struct slot *slot)
{
	fl_poll_release(&slot->out);
	fl_holes_release(&slot->missing);
	fl_buf_release(&slot->path);
	free(slot->raw);
	slot->raw = NULL;
}

/* returns 1 an item; 0 none left of the symbol; 3 one was refused; -1 */
static int give(struct polled *p, struct slot *slot, struct fl_item *item,
		struct fl_error *err)
{
	struct fl_poll_out *out = &slot->out;
	const struct fl_poll_entry *entry;

	if (slot->failed) {
		slot->failed = false;
		slot->origin = NULL;
		return refuse_slot(p, slot, err) < 0 ? -1 : 3;
	}
	if (slot->given == out->count) {
		/* Behind the last one stands how far the symbol is held. */
		if (!slot->origin || slot->reach.held_ns == FL_TIME_NONE)
			return 0;
		*item = (struct fl_item){
			.ts_ns = slot->reach.held_ns,
			.origin = slot->origin,
			.pos = fl_reach_print(&slot->reach),
			.whole = true,
		};
		slot->origin = NULL;
		return 1;
	}
	entry = &out->entries[slot->given++];
	if (entry->failed)
		return refuse_failed(p, entry->failed,
				     out->text.data + entry->at, entry->len,
				     err) < 0
			       ? -1
			       : 3;
	if (entry->reason) {
		struct fl_reject reject = {
			.reason = entry->reason,
			.note = entry->note,
			.input = slot->symbol,
			.raw = out->text.data + entry->at,
			.raw_len = entry->len,
		};

		return fl_reject(p->ask->io, &reject, err) < 0 ? -1 : 3;
	}
	p->ask->io->counts.rounded += entry->rounded;
	*item = (struct fl_item){
		.bytes = out->text.data + entry->at,
		.len = entry->len,
		.ts_ns = entry->ts_ns,
	};
	return 1;
}

/* All symbols are through. */
static int finish(struct polled *p, struct fl_error *err)
{
	if (p->ask->missed)
		return 0;
	if (p->unasked && p->unasked < p->count && !p->spent && p->ask->tell) {
		char text[600];

		snprintf(text, sizeof(text), "%zu more symbols %s", p->unasked,
			 p->why.text);
		p->ask->tell(p->ask->tell_arg, text);
	}
	p->unasked = 0;
	/* Whatever came: the rest is for another day. */
	if (p->spent)
		return fl_error_set(err, FL_ERR_AGAIN, "%s", p->why.text);
	if (p->failed < p->symbol_count)
		return 0;
	if (p->symbol_count == 1)
		return fl_error_set(
			err, p->retryable ? FL_ERR_AGAIN : FL_ERR_REFUSED, "%s",
			p->first);
	return fl_error_set(err, p->retryable ? FL_ERR_AGAIN : FL_ERR_REFUSED,
			    "%s gave none of %zu symbols; the first: %s",
			    p->polled->provider, p->symbol_count, p->first);
}

/* --every: the end of a round. Nothing that may pass ends the run.
 * returns 2; -1 */
static int rest(struct polled *p, struct fl_error *err)
{
	struct fl_error why = { .code = FL_OK };

	if (finish(p, &why) < 0) {
		if (!p->gave && !p->retryable) {
			*err = why;
			return -1;
		}
		if (!p->ailing && p->ask->tell)
			p->ask->tell(p->ask->tell_arg, why.text);
	}
	p->ailing = p->failed > 0;
	p->due_ns = fl_every_next(&p->every, fl_monotonic_ns());
	return 2;
}

/* returns 0 the next round may begin; 2 not yet */
static int wait_due(struct polled *p)
{
	int64_t wait = p->due_ns - fl_monotonic_ns();
	const int64_t most = WAIT_MS * INT64_C(1000000);

	if (wait > 0) {
		struct timespec ts = { .tv_nsec = (long)(wait < most ? wait
								     : most) };

		nanosleep(&ts, NULL);
		return 2;
	}
	p->due_ns = 0;
	p->started = p->given = p->failed = 0;
	p->broken = p->retryable = p->spent = false;
	return 0;
}

int fl_polled_next(void *state, struct fl_item *item, struct fl_error *err)
{
	struct polled *p = state;
	struct fl_http_answer answer;
	int got;

	while (!fl_stop_requested(p->ask->io)) {
		struct slot *slot;

		if (p->due_ns && wait_due(p) == 2)
			return 2;
		start(p);
		if (p->given == p->count)
			return p->option->every_ns ? rest(p, err)
						   : finish(p, err);
		slot = slot_of(p, p->given);
		if (slot->done) {
			got = give(p, slot, item, err);
			if (got == 0) {
				release_slot(slot);
				p->given++;
			} else if (got != 3) {
				p->gave |= got == 1;
				return got;
			}
			continue;
		}
		got = fl_http_next(p->http, &answer,
				   p->waited ? WAIT_MS * INT64_C(1000000) : 0,
				   err);
		if (got < 0)
			return -1;
		p->waited = got == 2;
		if (got == 2)
			return 2;
		if (got == 1 && take_answer(p, &answer, err) < 0)
			return -1;
	}
	return 0;
}

/* --- opening --- */

static int take_bases(struct polled *p, const char *bases, struct fl_error *err)
{
	for (int i = 0; i < BASES && *bases; i++) {
		size_t len = strcspn(bases, ",");

		p->bases[i] = fl_strndup(bases, len);
		while (len && p->bases[i][len - 1] == '/')
			p->bases[i][--len] = '\0';
		if (strncmp(p->bases[i], "http://", 7) != 0 &&
		    strncmp(p->bases[i], "https://", 8) != 0)
			return fl_error_set(err, FL_ERR_USAGE,
					    "%s-url '%s': one or two URLs such "
					    "as https://host, with a comma "
					    "between",
					    p->polled->provider,
					    fl_show(bases, strlen(bases), 200));
		bases += strcspn(bases, ",");
		bases += *bases == ',';
	}
	return 0;
}

/* Where the plan names them, they stand for the symbols. */
static int take_subjects(struct polled *p, struct fl_error *err)
{
	const char *const *subjects =
		p->polled->subjects ? p->polled->subjects(p->plan) : NULL;
	size_t count = 0;

	if (!subjects)
		return 0;
	if ((p->ask->operands && *p->ask->operands) || p->ask->symbols ||
	    p->option->symbols_from || p->option->fill)
		return fl_error_set(err, FL_ERR_USAGE,
				    "%s is asked for '%s' without symbols and "
				    "--fill",
				    p->polled->provider, *subjects);
	while (subjects[count])
		count++;
	p->symbols = fl_zalloc((count + 1) * sizeof(*p->symbols));
	for (size_t i = 0; i < count; i++)
		p->symbols[i] = fl_strdup(subjects[i]);
	return 0;
}

/* Several symbols each become one text, with commas between. */
static void join_batches(struct polled *p)
{
	struct fl_buf text = FL_BUF_INIT;
	size_t count = 0;

	for (size_t i = 0; i < p->count; i++) {
		fl_buf_printf(&text, "%s%s", text.len ? "," : "",
			      p->symbols[i]);
		free(p->symbols[i]);
		p->symbols[i] = NULL;
		if (i + 1 == p->count || (i + 1) % p->polled->batch == 0)
			p->symbols[count++] = fl_buf_take(&text);
	}
	p->count = count;
	fl_buf_release(&text);
}

static int check_every(const struct polled *p, struct fl_error *err)
{
	if (!p->option->every_ns)
		return 0;
	if (p->option->every_ns < FL_SECOND)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--every takes 1s and more");
	if (!p->polled->live)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--every is for quotes: --type quote");
	return 0;
}

/* Where each symbol's series stands, for --resume and --state. */
static int find_reaches(struct polled *p, struct fl_error *err)
{
	int got = 0;

	if (p->option->fill)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--fill goes without --resume and --state: "
				    "both say what is missing");
	if (!p->polled->series || !p->polled->series(p->plan, &p->series))
		return fl_error_set(err, FL_ERR_USAGE,
				    "--resume and --state go on with bars, and "
				    "none are asked for");
	p->origins = fl_zalloc((p->count + 1) * sizeof(*p->origins));
	p->reaches = fl_zalloc((p->count + 1) * sizeof(*p->reaches));
	for (size_t i = 0; i < p->count && got >= 0; i++) {
		p->origins[i] = fl_reach_origin(&p->series, p->symbols[i]);
		got = fl_reach_start(p->ask, p->origins[i], &p->reaches[i],
				     err);
	}
	return got < 0 ? -1 : 0;
}

/* All but the connection to the network. */
static int prepare(struct polled *p, const char *bases, struct fl_error *err)
{
	if (fl_poll_options_check(p->ask, err) < 0 || check_every(p, err) < 0 ||
	    take_bases(p, bases, err) < 0 || take_subjects(p, err) < 0)
		return -1;
	if (!p->symbols && fl_polled_symbols(p->ask, p->polled->provider,
					     &p->symbols, err) < 0)
		return -1;
	while (p->symbols[p->symbol_count])
		p->symbol_count++;
	p->count = p->symbol_count;
	if (p->polled->batch)
		join_batches(p);
	if (p->ask->marked)
		return find_reaches(p, err);
	if (!p->option->fill)
		return 0;
	if (!p->polled->series || !p->polled->series(p->plan, &p->series))
		return fl_error_set(err, FL_ERR_USAGE,
				    "--fill looks for bars, and none are asked "
				    "for");
	return fl_fill_find(&p->holes, p->option->fill, p->symbols, &p->series,
			    err);
}

static struct polled *make(const struct fl_ask *ask,
			   const struct fl_polled *polled, const void *plan)
{
	struct polled *p = fl_zalloc(sizeof(*p));

	p->ask = ask;
	p->option = fl_poll_options();
	p->polled = polled;
	p->plan = plan;
	return p;
}

int fl_polled_open(void **state, const struct fl_ask *ask,
		   const struct fl_polled *polled, const void *plan,
		   const char *bases, struct fl_error *err)
{
	struct polled *p = make(ask, polled, plan);
	struct fl_http_settings settings = FL_HTTP_SETTINGS;

	*state = p;
	if (prepare(p, bases, err) < 0 || fl_poll_tape_open(ask, err) < 0)
		return -1;
	fl_polled_settings(ask, &settings, &p->agent);
	if (fl_polled_limit(&p->limit, ask, polled, &settings, err) < 0)
		return -1;
	p->every = (struct fl_every){ fl_monotonic_ns(), p->option->every_ns };
	return fl_http_open(&p->http, ask->io, &settings, err);
}

void fl_polled_close(void *state)
{
	struct polled *p = state;

	if (!p)
		return;
	fl_http_close(&p->http);
	fl_limit_close(&p->limit);
	if (!p->ask->missed)
		fl_polled_finish();
	for (size_t i = 0; i < FL_HTTP_PARALLEL; i++) {
		end_job(p, &p->slots[i]);
		release_slot(&p->slots[i]);
	}
	for (int i = 0; i < BASES; i++)
		free(p->bases[i]);
	fl_fill_release(&p->holes, p->symbols);
	fl_symbols_free(p->origins);
	free(p->reaches);
	fl_symbols_free(p->symbols);
	free(p->agent);
	free(p);
}

static int put_count(char *text, size_t size, unsigned long long count,
		     const char *what)
{
	return snprintf(text, size, "%llu %s%s", count, what,
			count == 1 ? "" : "s");
}

void fl_polled_tell(void *state, char *text, size_t size)
{
	const struct polled *p = state;
	int len;

	if (!p || !p->http)
		return;
	len = put_count(text, size, p->symbol_count, "symbol");
	len += snprintf(text + len, size - (size_t)len, ", ");
	put_count(text + len, size - (size_t)len, fl_http_requests(p->http),
		  "request");
}

/* A line with the URL, secrets masked. */
static void put_url(const struct polled *p, const struct fl_buf *path,
		    struct fl_buf *out)
{
	const char *text = fl_buf_text(path);
	char *url = fl_sprintf("%s%s", *text == 'h' ? "" : p->bases[0], text);

	fl_url_mask(url, out);
	fl_buf_putc(out, '\n');
	free(url);
}

int fl_polled_dry_run(const struct fl_ask *ask, const struct fl_polled *polled,
		      const void *plan, const char *bases,
		      int (*each)(void *arg, const char *bytes, size_t len,
				  struct fl_error *err),
		      void *arg, struct fl_error *err)
{
	struct polled *p;
	struct fl_buf text = FL_BUF_INIT;
	int result;

	if (!fl_poll_options()->dry_run)
		return 0;
	p = make(ask, polled, plan);
	result = prepare(p, bases, err);
	if (result == 0 && p->holes) {
		result = fl_fill_list(p->holes, p->symbols, &p->series, each,
				      arg, err);
		fl_polled_close(p);
		return result < 0 ? -1 : 1;
	}
	for (size_t i = 0; i < p->count && result == 0; i++) {
		void *job = polled->begin(plan, p->symbols[i], NULL);
		struct fl_buf path = FL_BUF_INIT;

		while (polled->request(job, &path) == 1) {
			put_url(p, &path, &text);
			fl_buf_reset(&path);
			ask->io->counts.out++;
		}
		fl_buf_release(&path);
		polled->end(job);
	}
	if (result == 0)
		result = fl_write_all(STDOUT_FILENO, fl_buf_text(&text),
				      text.len, "standard output", err);
	fl_buf_release(&text);
	fl_polled_close(p);
	return result < 0 ? -1 : 1;
}

int fl_polled_replay(const struct fl_polled *polled, const void *plan,
		     const char *symbol, const struct fl_http_answer *answer,
		     void (*each)(void *arg, const struct fl_item *item,
				  enum fl_reason reason),
		     void *arg, struct fl_poll_fault *fault)
{
	void *job = polled->begin(plan, symbol, NULL);
	struct fl_poll_out out = { 0 };
	struct fl_buf path = FL_BUF_INIT;
	int result = 0;

	while (result == 0 && polled->request(job, &path) == 1) {
		result = polled->parse(job, answer, fault);
		fl_buf_reset(&path);
	}
	if (result == 0)
		polled->records(job, &out);
	for (size_t i = 0; i < out.count; i++) {
		struct fl_item item = {
			.bytes = out.text.data + out.entries[i].at,
			.len = out.entries[i].len,
			.ts_ns = out.entries[i].ts_ns,
		};

		each(arg, &item, out.entries[i].reason);
	}
	fl_poll_release(&out);
	fl_buf_release(&path);
	polled->end(job);
	return result ? -1 : 0;
}
