/* sim: a seeded market of invented symbols, to try, test and measure with.
 *
 * Prices are geometric Brownian motion in Euler steps, S += S × r, where r is
 * the symbol's share of one market factor plus a shock of its own, both a step
 * for each trade; trades arrive as a Poisson process whose rate is U-shaped
 * over the session. Everything is computed in integers (fixed point; even the
 * logarithm of the waiting times and the square root of the volatilities), so
 * that the same seed gives the same bytes on every machine, compiler and libm.
 * Nothing looks at the clock but --speed, which only waits.
 *
 * The dirt (repeats, disorder, damage) is decided by random streams of its own:
 * the clean records are the same with and without it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/time.h"
#include "io/io.h"
#include "source/source.h"

#define FIRST_DAY       20455             /* 2026-01-02, a Friday */
#define OPENS_MS        INT64_C(52200000) /* 14:30 UTC */
#define SESSION_MINUTES 390               /* to 21:00 */
#define SESSION_MS      (SESSION_MINUTES * INT64_C(60000))
#define DAY_MS          INT64_C(86400000)
#define LAST_DAY        (FIRST_DAY + 200 * 365) /* int64 nanoseconds end 2262 */

#define GAP_BITS 20 /* waiting times: milliseconds in Q20 */
#define EXP_SIZE 1024
#define EXP_BITS 16

#define PRICE_BITS 12 /* prices: cents in Q12 */
#define PRICE_MIN  ((int64_t)1 << PRICE_BITS)
#define PRICE_MAX  ((int64_t)100000000 << PRICE_BITS) /* a million */
#define R_BITS     31                                 /* returns in Q31 */
#define R_MAX      ((int64_t)1 << (R_BITS - 3))

#define RECENT       64 /* a repeat is of one of that many last records */
#define MAX_UNIVERSE 100000
#define MAX_RATE     1000000
#define MAX_HELD     4000000 /* records that --disorder may hold back */
#define SYMBOL_MAX   8
#define LINE_MAX_SIM 256

static struct {
	uint64_t universe, rate, seed, count;
	double speed, duplicates, bad;
	int64_t disorder;
	bool count_given;
} option = { .universe = 5, .rate = 10, .seed = 1 };

static int take_count(void *target, const char *value, struct fl_error *err)
{
	char *end;

	(void)target;
	option.count = strtoull(value, &end, 10);
	if (*value < '0' || *value > '9' || *end)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--count takes a whole number, not '%s'",
				    value);
	option.count_given = true;
	return 0;
}

static const struct fl_option options[] = {
	FL_OPT_U64(0, "universe", "N", &option.universe,
		   "how many symbols: ZZZA, ZZZB, ... [5]"),
	FL_OPT_U64(0, "rate", "N", &option.rate,
		   "records a second of market time, on average [10]"),
	FL_OPT_REAL(0, "speed", "X", &option.speed,
		    "run at X times market time, closed hours left out "
		    "[as fast as possible]"),
	FL_OPT_U64(0, "seed", "N", &option.seed,
		   "same seed and options, same bytes [1]"),
	FL_OPT_CALL('n', "count", "N", take_count, NULL,
		    "end after N lines [one session; no end with --speed]"),
	FL_OPT_REAL(0, "duplicates", "SHARE", &option.duplicates,
		    "share of lines that repeat one of the last 64 [0]"),
	FL_OPT_DURATION(0, "disorder", "DUR", &option.disorder,
			"let every fourth record come up to DUR late [0s]"),
	FL_OPT_REAL(0, "bad", "SHARE", &option.bad,
		    "share of lines that are damaged records [0]"),
	FL_OPT_END,
};

/* One record before it is text. */
struct tick {
	int64_t ts_ms;
	int64_t due_ms; /* when it arrives: ts_ms unless it comes late */
	uint64_t seq;
	uint32_t symbol, cents, size;
};

struct symbol {
	int64_t price;       /* cents, Q12 */
	int64_t market_seen; /* market return already in the price */
	int64_t step;        /* own volatility of one trade, Q31 */
	int64_t night;       /* a night's, in steps */
	int64_t beta;        /* share of the market's return, Q8 */
	int32_t session;     /* the last one it traded in */
	unsigned text_len;
	char text[56]; /* from after the time to the price */
};

struct rng {
	uint64_t s[4];
};

struct sim {
	const struct fl_ask *ask;

	/* The market. */
	struct rng rng;
	struct symbol *symbols;
	uint64_t *gaps;    /* mean wait by minute of the session */
	uint32_t *waits;   /* -ln of a uniform number, Q16, EXP_SIZE */
	int64_t market;    /* sum of the market's returns, Q31 */
	int64_t step;      /* the market's volatility of one trade, Q31 */
	uint64_t clock;    /* of the session, milliseconds in Q20 */
	int64_t opened_ms; /* when the session began */
	int32_t session;   /* from 1 */
	uint64_t seq;
	bool closed; /* the only session is over, or time is */
	bool one_session;

	/* The dirt. */
	struct rng order_rng, dirt_rng;
	int64_t disorder_ms;
	uint64_t duplicate_below, bad_below; /* of 2^32 */
	struct tick *heap; /* held-back records, by (due, seq) */
	size_t held, heap_cap;
	struct tick recent[RECENT];
	uint64_t recent_count;

	/* The output. */
	char *origin;
	uint64_t count; /* UINT64_MAX: no end */
	uint64_t pos;   /* records given so far */
	uint64_t live_from;
	int64_t newest_ms, warm_from_ms;
	bool warming; /* the warm-up's first record was found */
	int64_t paced_from_ns, paced_ms; /* wall clock and market time */
	struct tick waiting;             /* --speed: not due yet */
	uint64_t waiting_damage;
	bool has_waiting, told_waiting;
	int64_t minute; /* whose text stands in `stamp` */
	char stamp[24]; /* 2026-01-02T14:30: */
	char line[LINE_MAX_SIM];
};

/* --- random numbers ------------------------------------------------------- */

/* xoshiro256** 1.0 and splitmix64 by Blackman and Vigna, public domain,
 * prng.di.unimi.it. */
static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static uint64_t draw(struct rng *rng)
{
	uint64_t *s = rng->s, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

static void seed_rng(struct rng *rng, uint64_t seed, uint64_t stream)
{
	uint64_t x = seed * UINT64_C(0xd1342543de82ef95) + stream;

	for (int i = 0; i < 4; i++) {
		uint64_t z = x += UINT64_C(0x9e3779b97f4a7c15);

		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		rng->s[i] = z ^ z >> 31;
	}
}

/* A uniform number below n, from the high 32 bits of one draw. */
static uint64_t below(uint64_t bits, uint64_t n)
{
	return (bits >> 32) * n >> 32;
}

/* Normal with mean 0 and variance 1, in Q8, as the sum of eight bytes: the
 * tails end at 4.9, which no chart shows. The bytes' sum has mean 1020 and
 * variance 8 × (2^16 - 1) / 12, deviation 209.02. */
static int64_t normal(uint64_t bits)
{
	const uint64_t low = UINT64_C(0x00ff00ff00ff00ff);
	uint64_t pairs = (bits & low) + (bits >> 8 & low);
	int64_t sum = (int64_t)(pairs * UINT64_C(0x0001000100010001) >> 48);

	return (sum - 1020) * 256 * 256 / 53509; /* 209.02 × 256 */
}

/* ln(2^bits / x) in Q16, by squaring: exact integers, no libm. */
static uint32_t wait_of(uint64_t x, unsigned bits)
{
	uint64_t log2 = 0;
	unsigned top = 63u - (unsigned)__builtin_clzll(x);
	uint64_t m = x << (31 - top); /* 1 to 2 in Q31 */

	for (int i = 0; i < 20; i++) {
		m = m * m >> 31;
		log2 <<= 1;
		if (m >> 32) {
			log2 |= 1;
			m >>= 1;
		}
	}
	log2 |= (uint64_t)top << 20;
	/* 0.693147 in Q20 is 726817. */
	return (uint32_t)((((uint64_t)bits << 20) - log2) * 726817 >> 24);
}

static uint64_t root(uint64_t x)
{
	uint64_t r = 0;

	for (uint64_t bit = UINT64_C(1) << 62; bit; bit >>= 2) {
		if (x >= r + bit) {
			x -= r + bit;
			r = (r >> 1) + bit;
		} else {
			r >>= 1;
		}
	}
	return r;
}

/* --- the market ----------------------------------------------------------- */

static void name_symbol(uint64_t i, char *text)
{
	char digits[SYMBOL_MAX];
	int n = 0;

	/* A … Z, AA … : as the columns of a spreadsheet. */
	for (i++; i; i = (i - 1) / 26)
		digits[n++] = (char)('A' + (i - 1) % 26);
	memcpy(text, "ZZZ", 3);
	text += 3;
	while (n)
		*text++ = digits[--n];
	*text = 0;
}

/* Volatility of one trade in Q31, of a year's in percent: a year has 252
 * sessions of `trades` trades. */
static int64_t step_of(uint64_t percent, uint64_t trades)
{
	/* percent / 100 / √(252 × trades), the root in Q8. */
	uint64_t r = root(252 * (trades ? trades : 1) << 16);

	return (int64_t)((percent << (R_BITS + 8)) / 100 / r);
}

static void make_symbols(struct sim *sim)
{
	uint64_t n = option.universe;
	uint64_t a_day = option.rate * (SESSION_MS / 1000);
	struct rng rng;

	sim->symbols = fl_realloc(NULL, n, sizeof(*sim->symbols));
	seed_rng(&rng, option.seed, 2);
	for (uint64_t i = 0; i < n; i++) {
		struct symbol *s = &sim->symbols[i];
		uint64_t bits = draw(&rng);
		char name[SYMBOL_MAX + 4];
		/* A trade goes to number n × u² (u uniform): the first symbols
		 * trade most. Its share in Q20. */
		uint64_t share =
			root(((i + 1) << 40) / n) - root((i << 40) / n);

		*s = (struct symbol){ .session = 1 };
		s->price = (int64_t)(1000 + below(bits, 49000)) << PRICE_BITS;
		s->step = step_of(15 + (bits & 31), a_day * share >> 20);
		s->night = 1 + (int64_t)root(a_day * share >> 22);
		s->beta = (int64_t)(128 + (bits >> 8 & 255)); /* 0.5 to 1.5 */
		name_symbol(i, name);
		s->text_len = (unsigned)snprintf(
			s->text, sizeof(s->text),
			"Z\",\"provider\":\"sim\",\"symbol\":\"%s\",\"price\":",
			name);
	}
	sim->step = step_of(16, a_day);
}

static void make_tables(struct sim *sim)
{
	sim->gaps = fl_realloc(NULL, SESSION_MINUTES, sizeof(*sim->gaps));
	sim->waits = fl_realloc(NULL, EXP_SIZE, sizeof(*sim->waits));
	for (int m = 0; m < SESSION_MINUTES; m++) {
		/* Activity 1/2 + 6 (x - 1/2)² at x = (m + 1/2) / 390 of the
		 * session: 2 at both ends, 1/2 at noon, 1 on average. */
		uint64_t off = (uint64_t)abs(2 * m + 1 - SESSION_MINUTES);
		uint64_t unit = UINT64_C(4) * SESSION_MINUTES * SESSION_MINUTES;

		sim->gaps[m] = ((UINT64_C(1000) << GAP_BITS) * unit) /
			       (option.rate * (unit / 2 + 6 * off * off));
	}
	for (unsigned i = 0; i < EXP_SIZE; i++)
		sim->waits[i] = wait_of(2 * i + 1, 11);
}

static void restart(struct sim *sim)
{
	seed_rng(&sim->rng, option.seed, 1);
	seed_rng(&sim->order_rng, option.seed, 3);
	seed_rng(&sim->dirt_rng, option.seed, 4);
	free(sim->symbols);
	make_symbols(sim);
	sim->market = 0;
	sim->clock = 0;
	sim->opened_ms = FIRST_DAY * DAY_MS + OPENS_MS;
	sim->session = 1;
	sim->seq = 0;
	sim->closed = false;
	sim->held = 0;
	sim->recent_count = 0;
	sim->pos = 0;
	sim->newest_ms = INT64_MIN;
}

/* The next session, two calendar days later after a Friday. The night moves
 * the market as a quarter of a session does. */
static void next_session(struct sim *sim)
{
	int64_t day = sim->opened_ms / DAY_MS;
	uint64_t night = root(option.rate * (SESSION_MS / 1000) / 4);

	if (sim->one_session || day >= LAST_DAY) {
		sim->closed = true;
		return;
	}
	/* 1970-01-01, day 0, was a Thursday. */
	sim->opened_ms += (day % 7 == 1 ? 3 : 1) * DAY_MS;
	sim->session++;
	sim->clock = 0;
	sim->market +=
		sim->step * (int64_t)night * normal(draw(&sim->rng)) / 256;
}

/* The price's step: the market since the symbol's last trade, and its own. */
static void move_price(struct sim *sim, struct symbol *s, int64_t shock)
{
	int64_t r = (sim->market - s->market_seen) * s->beta / 256;

	if (s->session != sim->session) {
		/* Its own news of the night, on its first trade. */
		shock *= s->night;
		s->session = sim->session;
	}
	r += s->step * shock / 256;
	s->market_seen = sim->market;
	r = r > R_MAX ? R_MAX : r < -R_MAX ? -R_MAX : r;
	/* price < 2^39 and r < 2^28 by now: the product would pass 63 bits,
	 * so the price gives its lowest bits. */
	s->price += (s->price >> 8) * r / ((int64_t)1 << (R_BITS - 8));
	if (s->price < PRICE_MIN)
		s->price = 2 * PRICE_MIN;
	if (s->price > PRICE_MAX)
		s->price = PRICE_MAX;
}

/* The next trade of the market; false when there is none. */
static bool trade(struct sim *sim, struct tick *tick)
{
	uint64_t bits = draw(&sim->rng), more, at, u;
	struct symbol *s;

	while (!sim->closed) {
		uint64_t minute = (sim->clock >> GAP_BITS) / 60000;

		/* A mean of at most 2^31 and a wait of at most 2^19. */
		sim->clock +=
			sim->gaps[minute] * sim->waits[bits & (EXP_SIZE - 1)] >>
			EXP_BITS;
		if (sim->clock >> GAP_BITS < (uint64_t)SESSION_MS)
			break;
		next_session(sim);
		bits = draw(&sim->rng);
	}
	if (sim->closed)
		return false;

	u = bits >> 32;
	at = (u * u >> 32) * option.universe >> 32;
	s = &sim->symbols[at];
	more = draw(&sim->rng);
	sim->market += sim->step * normal(more) / 256;
	move_price(sim, s, normal(draw(&sim->rng)));

	tick->ts_ms = sim->opened_ms + (int64_t)(sim->clock >> GAP_BITS);
	tick->due_ms = tick->ts_ms;
	tick->seq = ++sim->seq;
	tick->symbol = (uint32_t)at;
	tick->cents = (uint32_t)(s->price >> PRICE_BITS);
	/* One to sixteen lots, few of them large; every eighth an odd lot. */
	tick->size = (uint32_t)(100 * (1 + (bits >> 10 & bits >> 14 & 15)));
	if ((bits >> 18 & 7) == 0)
		tick->size = (uint32_t)(1 + (bits >> 21 & 1023) % 99);
	return true;
}

/* --- the dirt ------------------------------------------------------------- */

static bool before(const struct tick *a, const struct tick *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->seq < b->seq;
}

static void hold(struct sim *sim, const struct tick *tick)
{
	size_t at = sim->held++;

	if (sim->held > sim->heap_cap) {
		sim->heap_cap = sim->heap_cap ? 2 * sim->heap_cap : 64;
		sim->heap = fl_realloc(sim->heap, sim->heap_cap,
				       sizeof(*sim->heap));
	}
	for (; at && before(tick, &sim->heap[(at - 1) / 2]); at = (at - 1) / 2)
		sim->heap[at] = sim->heap[(at - 1) / 2];
	sim->heap[at] = *tick;
}

static void release(struct sim *sim, struct tick *tick)
{
	struct tick last = sim->heap[--sim->held];
	size_t at = 0, child;

	*tick = sim->heap[0];
	while ((child = 2 * at + 1) < sim->held) {
		if (child + 1 < sim->held &&
		    before(&sim->heap[child + 1], &sim->heap[child]))
			child++;
		if (!before(&sim->heap[child], &last))
			break;
		sim->heap[at] = sim->heap[child];
		at = child;
	}
	sim->heap[at] = last;
}

/* The next record in the order in which they arrive. */
static bool arrive(struct sim *sim, struct tick *tick)
{
	if (!sim->disorder_ms)
		return trade(sim, tick);
	/* What is made from now on is due no earlier than now. */
	while (!sim->held ||
	       sim->heap[0].due_ms >
		       sim->opened_ms + (int64_t)(sim->clock >> GAP_BITS)) {
		uint64_t bits;

		if (!trade(sim, tick))
			break;
		bits = draw(&sim->order_rng);
		if ((bits & 3) == 0)
			tick->due_ms += (int64_t)below(
				bits, (uint64_t)sim->disorder_ms + 1);
		hold(sim, tick);
	}
	if (!sim->held)
		return false;
	release(sim, tick);
	return true;
}

/* The next line. *damage: 0 none, else which. */
static bool line_of(struct sim *sim, struct tick *tick, uint64_t *damage)
{
	*damage = 0;
	if (sim->pos >= sim->count)
		return false;
	if (sim->duplicate_below | sim->bad_below) {
		uint64_t bits = draw(&sim->dirt_rng);
		uint64_t have =
			sim->recent_count < RECENT ? sim->recent_count : RECENT;

		if ((bits & UINT32_MAX) < sim->duplicate_below && have) {
			*tick = sim->recent[below(draw(&sim->dirt_rng), have)];
			goto found;
		}
		if (bits >> 32 < sim->bad_below)
			*damage = draw(&sim->dirt_rng) | 1;
	}
	if (!arrive(sim, tick))
		return false;
	if (!*damage && sim->duplicate_below)
		sim->recent[sim->recent_count++ % RECENT] = *tick;
found:
	sim->pos++;
	if (tick->ts_ms > sim->newest_ms)
		sim->newest_ms = tick->ts_ms;
	return true;
}

/* --- the text ------------------------------------------------------------- */

static char *put_u64(char *at, uint64_t value)
{
	char digits[20];
	int n = 0;

	do
		digits[n++] = (char)('0' + value % 10);
	while (value /= 10);
	while (n)
		*at++ = digits[--n];
	return at;
}

static char *put_two(char *at, unsigned value)
{
	*at++ = (char)('0' + value / 10);
	*at++ = (char)('0' + value % 10);
	return at;
}

static char *put(char *at, const char *text, size_t len)
{
	memcpy(at, text, len);
	return at + len;
}

#define PUT(at, literal) put(at, literal, sizeof(literal) - 1)

static char *put_time(struct sim *sim, char *at, int64_t ms)
{
	int64_t minute = ms / 60000;
	unsigned rest = (unsigned)(ms % 60000);

	if (minute != sim->minute) {
		char text[FL_TIME_TEXT];

		fl_time_print(minute * FL_MINUTE, text);
		memcpy(sim->stamp, text, 17);
		sim->minute = minute;
	}
	at = put(at, sim->stamp, 17);
	at = put_two(at, rest / 1000);
	*at++ = '.';
	*at++ = (char)('0' + rest / 100 % 10);
	return put_two(at, rest % 100);
}

static char *put_price(char *at, uint32_t cents)
{
	unsigned rest = cents % 100;

	at = put_u64(at, cents / 100);
	if (!rest)
		return at;
	*at++ = '.';
	*at++ = (char)('0' + rest / 10);
	if (rest % 10)
		*at++ = (char)('0' + rest % 10);
	return at;
}

static size_t print_tick(struct sim *sim, const struct tick *tick)
{
	const struct symbol *s = &sim->symbols[tick->symbol];
	char *at = PUT(sim->line, "{\"type\":\"quote\",\"ts\":\"");

	at = put_time(sim, at, tick->ts_ms);
	at = put(at, s->text, s->text_len);
	at = put_price(at, tick->cents);
	at = PUT(at, ",\"size\":");
	at = put_u64(at, tick->size);
	at = PUT(at, ",\"seq\":");
	at = put_u64(at, tick->seq);
	at = PUT(at, ",\"currency\":\"USD\"}");
	return (size_t)(at - sim->line);
}

/* Change the one place `from` of the line to `to`. */
static size_t alter(struct sim *sim, size_t len, const char *from,
		    const char *to)
{
	size_t old = strlen(from), new = strlen(to);
	char *at = memmem(sim->line, len, from, old);

	memmove(at + new, at + old, len - (size_t)(at - sim->line) - old);
	memcpy(at, to, new);
	return len - old + new;
}

/* Damage as it is met: each kind is another reason to reject the line. */
static size_t spoil(struct sim *sim, size_t len, uint64_t how)
{
	static const char *const kinds[][2] = {
		{ "\"price\":", "\"price\":NaN,\"was\":" }, /* bad_number */
		{ "\"price\":", "\"price\":-" },            /* out_of_range */
		{ "\"price\":", "\"prize\":" },             /* missing_field */
		{ ",\"size\":", ",\"size\":\"many\",\"was\":" }, /* bad_type */
		{ "T1", "T7" },                                  /* bad_time */
		{ "T2", "T7" },                                  /* bad_time */
		{ "\"quote\"", "\"qoute\"" },           /* unknown_type */
		{ ",\"seq\":", ",\"seq\":1,\"seq\":" }, /* duplicate_key */
		{ "USD", "US\xff" },                    /* bad_utf8 */
	};
	unsigned n = sizeof(kinds) / sizeof(*kinds);
	unsigned kind = (unsigned)below(how, n + 1);

	if (kind == n) /* bad_json: cut short */
		return 20 + (how >> 8 & 0xffff) % (len - 20);
	if (!memmem(sim->line, len, kinds[kind][0], strlen(kinds[kind][0])))
		kind = kind == 4 ? 5 : 4; /* the other half of the day */
	return alter(sim, len, kinds[kind][0], kinds[kind][1]);
}

/* --- the source ----------------------------------------------------------- */

static int check_options(struct fl_error *err)
{
	if (option.universe < 1 || option.universe > MAX_UNIVERSE)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--universe is 1 to %d symbols, not %llu",
				    MAX_UNIVERSE,
				    (unsigned long long)option.universe);
	if (option.rate < 1 || option.rate > MAX_RATE)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--rate is 1 to %d records a second, not "
				    "%llu",
				    MAX_RATE, (unsigned long long)option.rate);
	if (!(option.speed >= 0 && option.speed <= 1e9))
		return fl_error_set(err, FL_ERR_USAGE,
				    "--speed is a multiple of market time "
				    "above 0, such as 60");
	if (!(option.duplicates >= 0 && option.duplicates <= 0.5))
		return fl_error_set(err, FL_ERR_USAGE,
				    "--duplicates is a share of 0 to 0.5");
	if (!(option.bad >= 0 && option.bad <= 0.5))
		return fl_error_set(err, FL_ERR_USAGE,
				    "--bad is a share of 0 to 0.5");
	/* A night is longer: no record comes after the next session began. */
	if (option.disorder < 0 || option.disorder > 12 * FL_HOUR)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--disorder is 0s to 12h");
	if ((uint64_t)(option.disorder / FL_SECOND) * option.rate > MAX_HELD)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--disorder of that length would hold back "
				    "more than %d records; lower it, or --rate",
				    MAX_HELD);
	return 0;
}

/* A share in millionths: what the origin says and the generator uses. */
static uint64_t millionths(double share)
{
	return (uint64_t)(share * 1e6 + 0.5);
}

static void add_share(struct fl_buf *text, const char *name, uint64_t ppm)
{
	unsigned digits = 6;

	if (!ppm)
		return;
	for (; ppm % 10 == 0; ppm /= 10)
		digits--;
	fl_buf_printf(text, "/%s=0.%0*llu", name, (int)digits,
		      (unsigned long long)ppm);
}

/* Whatever changes the bytes is part of the name. */
static char *name_origin(void)
{
	struct fl_buf text = FL_BUF_INIT;
	char duration[FL_TIME_TEXT];

	fl_buf_printf(&text, "sim:%llu/%llu", (unsigned long long)option.seed,
		      (unsigned long long)option.universe);
	if (option.rate != 10)
		fl_buf_printf(&text, "/rate=%llu",
			      (unsigned long long)option.rate);
	add_share(&text, "duplicates", millionths(option.duplicates));
	if (option.disorder) {
		fl_duration_print(option.disorder, duration);
		fl_buf_printf(&text, "/disorder=%s", duration);
	}
	add_share(&text, "bad", millionths(option.bad));
	return fl_buf_take(&text);
}

/* Go back to the position: make all the records up to it again, see that the
 * last is the one the store knows, then once more up to where the warm-up
 * begins. Twice, because what is warm-up is known only at the end, and memory
 * stays constant. */
static int resume(struct sim *sim, struct fl_error *err)
{
	const struct fl_ask *ask = sim->ask;
	const struct fl_start *start = fl_ask_start(ask, sim->origin);
	char *end, text[FL_TIME_TEXT], why[120];
	uint64_t pos, damage;
	struct tick tick = { 0 };

	if (!start)
		return 0;
	pos = strtoull(start->pos, &end, 10);
	if (*start->pos < '0' || *start->pos > '9' || *end)
		return fl_ask_moved(ask, start, "it is no record number", err);
	while (sim->pos < pos && !*ask->io->stop)
		if (!line_of(sim, &tick, &damage))
			break;
	if (*ask->io->stop)
		return 0;
	why[0] = 0;
	fl_time_print(tick.ts_ms * 1000000, text);
	if (sim->pos < pos)
		snprintf(why, sizeof(why), "there are %llu records now",
			 (unsigned long long)sim->pos);
	else if (pos && start->record_time != FL_TIME_NONE &&
		 start->record_time != tick.ts_ms * 1000000)
		snprintf(why, sizeof(why), "the one before it is of %s", text);
	if (why[0]) {
		if (fl_ask_moved(ask, start, why, err) < 0)
			return -1;
		pos = 0;
	}
	sim->live_from = pos;
	sim->warm_from_ms =
		sim->newest_ms - (ask->warm_up_ns + 999999) / 1000000;
	restart(sim);
	return 0;
}

static void sim_close(void *state)
{
	struct sim *sim = state;

	if (!sim)
		return;
	free(sim->symbols);
	free(sim->gaps);
	free(sim->waits);
	free(sim->heap);
	free(sim->origin);
	free(sim);
}

static int sim_open(void **state, const struct fl_ask *ask,
		    struct fl_error *err)
{
	struct sim *sim;

	*state = NULL;
	if (ask->operands && *ask->operands)
		return fl_error_set(
			err, FL_ERR_USAGE,
			"sim takes no operand '%s': its symbols "
			"are ZZZA, ZZZB, ...; --universe N says how "
			"many",
			fl_show(*ask->operands, strlen(*ask->operands), 60));
	if (check_options(err) < 0)
		return -1;
	*state = sim = fl_zalloc(sizeof(*sim));
	sim->ask = ask;
	sim->count = option.count_given ? option.count : UINT64_MAX;
	sim->one_session = !option.count_given && option.speed == 0;
	sim->disorder_ms = option.disorder / 1000000;
	sim->duplicate_below = (millionths(option.duplicates) << 32) / 1000000;
	sim->bad_below = (millionths(option.bad) << 32) / 1000000;
	sim->minute = INT64_MIN;
	sim->origin = name_origin();
	make_tables(sim);
	restart(sim);
	return ask->marked ? resume(sim, err) : 0;
}

/* Is the record due at --speed? If not, wait, 100 ms at the most. */
static bool due(struct sim *sim, const struct tick *tick)
{
	int64_t now = fl_monotonic_ns(), wait;
	struct timespec span;

	/* Closed hours pass at once: a new session starts the clock anew. */
	if (tick->due_ms - sim->paced_ms > SESSION_MS || !sim->paced_from_ns) {
		sim->paced_from_ns = now;
		sim->paced_ms = tick->due_ms;
	}
	wait = sim->paced_from_ns +
	       (int64_t)((double)(tick->due_ms - sim->paced_ms) * 1e6 /
			 option.speed) -
	       now;
	if (wait <= 0)
		return true;
	if (!sim->told_waiting) {
		sim->told_waiting = true;
		return false;
	}
	if (wait > 100000000)
		wait = 100000000;
	span.tv_sec = 0;
	span.tv_nsec = (long)wait;
	nanosleep(&span, NULL);
	return false;
}

/* What lies before the warm-up is made and thrown away. */
static bool too_old(struct sim *sim, const struct tick *tick)
{
	if (sim->pos > sim->live_from || sim->warming)
		return false;
	sim->warming = tick->ts_ms >= sim->warm_from_ms;
	return !sim->warming;
}

static int sim_next(void *state, struct fl_item *item, struct fl_error *err)
{
	struct sim *sim = state;
	struct tick tick;
	uint64_t damage;

	(void)err;
	do {
		if (*sim->ask->io->stop)
			return 0;
		if (sim->has_waiting) {
			tick = sim->waiting;
			damage = sim->waiting_damage;
			break;
		}
		if (!line_of(sim, &tick, &damage))
			return 0;
	} while (too_old(sim, &tick));

	item->warm = sim->pos <= sim->live_from;
	if (option.speed > 0 && !item->warm) {
		sim->has_waiting = !due(sim, &tick);
		if (sim->has_waiting) {
			sim->waiting = tick;
			sim->waiting_damage = damage;
			return 2;
		}
		sim->told_waiting = false;
	}
	item->len = print_tick(sim, &tick);
	if (damage)
		item->len = spoil(sim, item->len, damage);
	item->bytes = sim->line;
	if (!item->warm)
		sim->ask->io->counts.bytes_in += item->len + 1;
	item->ts_ns = tick.ts_ms * 1000000;
	item->origin = sim->origin;
	item->pos = sim->pos;
	return 1;
}

const struct fl_source fl_source_sim = {
	.name = "sim",
	.summary = "a simulated market: ticks of invented symbols ZZZA, ZZZB, "
		   "...; same seed, same bytes",
	.types = "quote",
	.operands = "",
	.examples = "fl-fetch sim -n 5\n"
		    "fl-fetch sim --universe 50 --rate 1000 | fl-clean | "
		    "fl-load sim.db\n"
		    "fl-fetch sim --speed 60 | fl-clean\n"
		    "fl-fetch sim --duplicates 0.05 --disorder 10s --bad 0.01 "
		    "| fl-clean --rejects bad.ndjson",
	.options = options,
	.resumes = true,
	.open = sim_open,
	.next = sim_next,
	.close = sim_close,
};
