import Model

/// Time that only goes forward, in nanoseconds.
enum MonotonicClock {
    static func now() -> Int64 {
        Clock.monotonic()
    }
}
