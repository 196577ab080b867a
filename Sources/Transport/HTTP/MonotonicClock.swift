// CCurl too: its headers may be where the compiler first meets C's own types.
import CCurl
import Glibc

/// Time that only goes forward, in nanoseconds.
enum MonotonicClock {
    static func nanoseconds(_ seconds: Double) -> Int64 { Int64(min(max(seconds, 0), 1e9) * 1e9) }

    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
