/// The id of a stream's entry, `MILLISECONDS-COUNTER` of the time at which Redis took it.
package struct StreamID: Sendable, Comparable {
    package let milliseconds: UInt64
    let counter: UInt64

    init(milliseconds: UInt64, counter: UInt64) {
        self.milliseconds = milliseconds
        self.counter = counter
    }

    init?(_ text: String) {
        let parts = text.split(separator: "-")
        guard parts.count == 2, let milliseconds = UInt64(parts[0]), let counter = UInt64(parts[1]) else { return nil }
        self.milliseconds = milliseconds
        self.counter = counter
    }

    package static func < (left: StreamID, right: StreamID) -> Bool {
        (left.milliseconds, left.counter) < (right.milliseconds, right.counter)
    }
}

/// Where reported results lie until a collector has confirmed them, and the results themselves, to be offered again.
package struct Receipt: Sendable {
    package let partition: Int
    package let id: StreamID
    /// The fields of the entry.
    let fields: [RedisArgument]
}
