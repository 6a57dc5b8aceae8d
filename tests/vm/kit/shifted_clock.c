// Preloaded into a program of a VM, it gives it a wall clock of its own: the machine's, shifted by
// as many seconds as /etc/synapsex-test-clock, or the file that SYNAPSEX_TEST_CLOCK names, says at
// that moment. The monotonic clock, sleeping and waiting stay as they are (libfaketime 0.9.10
// breaks them).

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t shift(void) {
    static time_t last;
    const int kept = errno;
    char text[32];
    const char* named = getenv("SYNAPSEX_TEST_CLOCK");
    const int file = open(named ? named : "/etc/synapsex-test-clock", O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        const ssize_t size = read(file, text, sizeof text - 1);
        close(file);
        if (size > 0) {  // else it is being written
            text[size] = 0;
            last = strtol(text, NULL, 10);
        }
    }
    errno = kept;
    return last;
}

int clock_gettime(clockid_t clock, struct timespec* now) {
    const int done = syscall(SYS_clock_gettime, clock, now);
    if (done == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += shift();
    return done;
}

int timespec_get(struct timespec* now, int base) {
    return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, now) == 0 ? base : 0;
}

int gettimeofday(struct timeval* restrict now, void* restrict zone) {
    (void)zone;
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t* also) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (also) *also = now.tv_sec;
    return now.tv_sec;
}
