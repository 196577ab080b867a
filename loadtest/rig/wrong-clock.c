// For LD_PRELOAD: a process whose time of day is off by WRONG_CLOCK seconds, and whose other clocks are right.
//
// What a wrong clock does on a real machine is all that it does: a wait until a time of day is turned back into the
// kernel's time, so that it lasts as long as it would there. (libfaketime shifts monotonic timers as well, and a Swift
// program does not find its arguments under it.)
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static int (*right)(clockid_t, struct timespec *);
static time_t off;
static unsigned char of_day[65536];  // by file descriptor: a timer on the time of day

static void begin(void) {
    const char *text = getenv("WRONG_CLOCK");
    off = text ? atol(text) : 0;
    right = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
}

static struct timespec back(const struct timespec *time) {
    return (struct timespec){time->tv_sec - off, time->tv_nsec};
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    if (!right) begin();
    int result = right(clock, time);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI)) time->tv_sec += off;
    return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *time = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex, const struct timespec *restrict until) {
    struct timespec real = back(until);
    return pthread_cond_clockwait(condition, mutex, CLOCK_REALTIME, &real);
}

int pthread_mutex_timedlock(pthread_mutex_t *restrict mutex, const struct timespec *restrict until) {
    struct timespec real = back(until);
    return pthread_mutex_clocklock(mutex, CLOCK_REALTIME, &real);
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until) {
    struct timespec real = back(until);
    return sem_clockwait(semaphore, CLOCK_REALTIME, &real);
}

int timerfd_create(clockid_t clock, int flags) {
    int fd = (int)syscall(SYS_timerfd_create, clock, flags);
    if (fd >= 0 && fd < (int)sizeof of_day) of_day[fd] = clock == CLOCK_REALTIME;
    return fd;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old) {
    struct itimerspec real = *new;
    int armed = new->it_value.tv_sec || new->it_value.tv_nsec;
    if (armed && (flags & TFD_TIMER_ABSTIME) && fd >= 0 && fd < (int)sizeof of_day && of_day[fd]) {
        real.it_value = back(&new->it_value);
        if (real.it_value.tv_sec < 0) real.it_value = (struct timespec){0, 1};
    }
    return (int)syscall(SYS_timerfd_settime, fd, flags, &real, old);
}
