#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The system's clocks. They are read only here: a module that sees NIO too may take its `timespec` for another's, as the
/// compiler happens to load them.
package enum Clock {
    /// Nanoseconds of a clock that only goes forward, CLOCK_MONOTONIC.
    package static func monotonic() -> Int64 { nanoseconds(CLOCK_MONOTONIC) }

    /// Milliseconds since 1970-01-01 UTC.
    package static func milliseconds() -> Int64 { nanoseconds(CLOCK_REALTIME) / 1_000_000 }

    /// Microseconds since 1970-01-01 UTC.
    package static func microseconds() -> Int64 { nanoseconds(CLOCK_REALTIME) / 1000 }

    /// Nanoseconds of CPU, user and system, that this process has used.
    package static func cpu() -> Int64 { nanoseconds(CLOCK_PROCESS_CPUTIME_ID) }

    private static func nanoseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
