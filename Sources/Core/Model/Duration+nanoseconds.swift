extension Duration {
    /// Whole nanoseconds.
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    /// Whole milliseconds.
    package var milliseconds: Int64 { nanoseconds / 1_000_000 }

    package var seconds: Double { Double(nanoseconds) / 1e9 }
}
