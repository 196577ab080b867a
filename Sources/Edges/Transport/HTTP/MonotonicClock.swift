import Model

/// Time that only goes forward, in nanoseconds.
enum MonotonicClock {
    static func nanoseconds(_ seconds: Double) -> Int64 { Int64(min(max(seconds, 0), 1e9) * 1e9) }

    static func now() -> Int64 {
        Clock.monotonic()
    }
}
