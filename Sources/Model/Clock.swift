#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The time of day as the whole system writes it.
package enum Clock {
    /// Milliseconds since 1970-01-01 UTC.
    package static func milliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
