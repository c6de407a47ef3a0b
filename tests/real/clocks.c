/* Preloaded into one process, this moves its wall clock and its boot clock; the monotonic clock stays.
 *
 * CLOCKS_FILE names a file of two 64-bit numbers, nanoseconds to add: the wall clock's, the boot clock's.
 * It is mapped, so that whoever writes it moves the clocks of the running process.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

static const volatile int64_t *moved;

__attribute__((constructor)) static void map(void)
{
	const char *path = getenv("CLOCKS_FILE");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *mapped = fd < 0 ? MAP_FAILED : mmap(NULL, 2 * sizeof *moved, PROT_READ, MAP_SHARED, fd, 0);

	if (mapped == MAP_FAILED)
		_exit(99); /* a test whose clocks do not move would prove nothing */
	moved = mapped;
	close(fd);
}

static int64_t offset(clockid_t clock)
{
	if (!moved)
		return 0; /* somebody asked before the constructor ran */
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
		return moved[0];
	case CLOCK_BOOTTIME:
		return moved[1];
	default:
		return 0;
	}
}

/* By the system call: the C library's own function is hidden by this one. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
	const int64_t added = offset(clock);
	int64_t sum;

	if (syscall(SYS_clock_gettime, clock, now))
		return -1;
	sum = now->tv_nsec + added % SECOND;
	now->tv_sec += added / SECOND + (sum >= SECOND) - (sum < 0);
	now->tv_nsec = (sum + SECOND) % SECOND;
	return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec fine;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &fine);
	now->tv_sec = fine.tv_sec;
	now->tv_usec = fine.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *into)
{
	struct timespec fine;

	clock_gettime(CLOCK_REALTIME, &fine);
	if (into)
		*into = fine.tv_sec;
	return fine.tv_sec;
}
