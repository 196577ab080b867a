import Model

/// What in a Redis is to be believed: a name that the dispatcher gives to one run of one server, for one ledger. What was put
/// there before, or comes back from a disk or a replica, belongs to another epoch and takes no effect.
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

/// What proves that a dispatcher leads for a ledger's mailings: of several dispatchers the one with the highest number does, and what
/// another one asks of Redis is refused.
package struct FencingToken: Sendable, Equatable {
    package let ledger: String
    package let number: Int64

    package init(ledger: String, number: Int64) {
        self.ledger = ledger
        self.number = number
    }

    var text: String { "\(ledger) \(number)" }
}
