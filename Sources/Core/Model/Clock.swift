#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The time as the system tells it.
package enum Clock {
    /// Nanoseconds of a clock that only goes forward, CLOCK_MONOTONIC.
    package static func monotonic() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Milliseconds since 1970-01-01 UTC.
    package static func milliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
