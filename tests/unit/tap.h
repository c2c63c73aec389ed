/* tap: the Test Anything Protocol for tests/unit, in one header.
 *
 *	ok(x > 0, "x is positive");
 *	is_int(f(2), 4, "f doubles %d", 2);
 *	is_str(text, "abc", "the text");
 *	return done_testing();
 *
 * Each check prints one line, ok or not ok, and where it stands when it fails.
 * Each returns whether it held. Loops over many cases count their failures and
 * check the count, so that no test prints a million lines.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_TAP_H
#define FL_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ok(cond, ...) tap_ok(__FILE__, __LINE__, (cond), __VA_ARGS__)
#define is_int(got, want, ...)                                                 \
	tap_is_int(__FILE__, __LINE__, (long long)(got), (long long)(want),    \
		   __VA_ARGS__)
/* NULL equals NULL only. */
#define is_str(got, want, ...)                                                 \
	tap_is_str(__FILE__, __LINE__, (got), (want), __VA_ARGS__)

#define TAP_UNUSED __attribute__((unused))

static int tap_count, tap_failed;

/* A line for whoever reads the output of a failed test. */
TAP_UNUSED __attribute__((format(printf, 1, 2))) static void
note(const char *format, ...)
{
	va_list args;

	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

__attribute__((format(printf, 4, 0))) static bool tap_line(const char *file,
							   int line, bool good,
							   const char *format,
							   va_list args)
{
	tap_count++;
	printf("%sok %d - ", good ? "" : "not ", tap_count);
	vprintf(format, args);
	printf("\n");
	if (!good) {
		tap_failed++;
		note("at %s:%d", file, line);
	}
	fflush(stdout);
	return good;
}

TAP_UNUSED __attribute__((format(printf, 4, 5))) static bool
tap_ok(const char *file, int line, bool good, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tap_line(file, line, good, format, args);
	va_end(args);
	return good;
}

TAP_UNUSED __attribute__((format(printf, 5, 6))) static bool
tap_is_int(const char *file, int line, long long got, long long want,
	   const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tap_line(file, line, got == want, format, args);
	va_end(args);
	if (got != want)
		note("got %lld, wanted %lld", got, want);
	return got == want;
}

TAP_UNUSED __attribute__((format(printf, 5, 6))) static bool
tap_is_str(const char *file, int line, const char *got, const char *want,
	   const char *format, ...)
{
	bool good = got && want ? strcmp(got, want) == 0 : got == want;
	va_list args;

	va_start(args, format);
	tap_line(file, line, good, format, args);
	va_end(args);
	if (!good) {
		note("   got '%s'", got ? got : "(null)");
		note("wanted '%s'", want ? want : "(null)");
	}
	return good;
}

/* Nothing here can run: say why and end well. */
TAP_UNUSED __attribute__((format(printf, 1, 2))) static _Noreturn void
skip_all(const char *format, ...)
{
	va_list args;

	printf("1..0 # SKIP ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	exit(0);
}

/* The plan; returns main's status. */
TAP_UNUSED static int done_testing(void)
{
	printf("1..%d\n", tap_count);
	if (tap_failed)
		note("%d of %d failed", tap_failed, tap_count);
	return tap_failed ? 1 : 0;
}

#endif
