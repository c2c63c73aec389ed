/* preload-clock: another time of day for one program, by LD_PRELOAD.
 *
 *	FL_CLOCK=SECONDS LD_PRELOAD=preload-clock.so COMMAND
 *
 * The wall clock begins at SECONDS since 1970 and runs on from there; with a
 * sign it is so much ahead of the true one, the same for many programs. The
 * monotonic one is left alone, so that time-outs last as long as ever.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	static struct timespec first;
	const char *wanted = getenv("FL_CLOCK");
	int result = (int)syscall(SYS_clock_gettime, clock, ts);

	if (result < 0 || clock != CLOCK_REALTIME || !wanted)
		return result;
	if (*wanted == '+' || *wanted == '-') {
		ts->tv_sec += (time_t)atoll(wanted);
		return 0;
	}
	if (!first.tv_sec)
		first = *ts;
	ts->tv_sec -= first.tv_sec;
	ts->tv_nsec -= first.tv_nsec;
	if (ts->tv_nsec < 0) {
		ts->tv_sec--;
		ts->tv_nsec += 1000000000;
	}
	ts->tv_sec += (time_t)atoll(wanted);
	return 0;
}
