import Model

/// Names the time in which the contents of Redis can be trusted: one run of one server, for one ledger. Entries from before that, or
/// back from a disk or a replica, belong to another epoch and take no effect.
package struct Epoch: Sendable, Hashable {
    /// `RUN:LEDGER:RANDOM`.
    package let text: String

    package init(text: String) { self.text = text }

    /// - Parameters:
    ///   - run: the server's run id.
    ///   - ledger: the ledger's identity.
    package init(run: String, ledger: String) {
        text = "\(run):\(ledger):\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
    }

    /// Whether it is of this run of the server and this ledger.
    package func isOf(run: String, ledger: String) -> Bool { text.hasPrefix("\(run):\(ledger):") }
}

/// Proves that a dispatcher leads for a ledger: the highest number leads, and Redis refuses the commands of all others.
package struct FencingToken: Sendable, Equatable {
    package let ledger: String
    package let number: Int64

    package init(ledger: String, number: Int64) {
        self.ledger = ledger
        self.number = number
    }

    var text: String { "\(ledger) \(number)" }
}
