import Model

/// What in a Redis is to be believed: a name that the dispatcher gives to one start of one server, for one ledger. What was put
/// there before, or comes back from a disk or a replica, belongs to another epoch and is void.
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

/// The dispatcher's leadership over a ledger's mailings, as Redis knows it: of several feeders the one with the highest number has it.
package struct FencingToken: Sendable, Equatable {
    package let ledger: String
    package let number: Int64

    package init(ledger: String, number: Int64) {
        self.ledger = ledger
        self.number = number
    }

    var text: String { "\(ledger) \(number)" }
}

/// Whether this Redis can be believed, and by whose word.
package struct EpochStore: Sendable {
    private let broker: Broker

    package init(_ broker: Broker) { self.broker = broker }

    package enum Leadership: Sendable, Equatable {
        case held
        /// A later dispatcher of the same ledger has it.
        case lost
        /// Another ledger's dispatcher works with this Redis and prefix.
        case foreign
    }

    /// Takes or keeps the dispatcher's leadership here, and tells the epoch that Redis believes in, and the server's run id. The
    /// leadership is free again when this is not called for `time`.
    package func hold(
        _ fencingToken: FencingToken, time: Duration
    ) async throws(RedisError) -> (leadership: Leadership, epoch: Epoch?, run: String) {
        let reply = try await broker.redis.run(
            Scripts.guardDuty, keys: [broker.keys.fencingToken, broker.keys.epoch],
            arguments: [
                .text(fencingToken.ledger), RedisArgument(fencingToken.number), RedisArgument(time.nanoseconds / 1_000_000), .serverRun,
            ])
        guard let values = reply.array, values.count == 3, let epoch = values[1].text, let run = values[2].text else {
            throw .unexpected("guard: \(reply)")
        }
        let leadership: Leadership =
            switch values[0].int {
            case 1: .held
            case -1: .foreign
            default: .lost
            }
        return (leadership, epoch.isEmpty ? nil : Epoch(text: epoch), run)
    }

    /// The ledger whose mailings this Redis carries; nil while no planner has said so.
    package func ledger() async throws(RedisError) -> String? {
        let replies = try await broker.redis.pipeline([["GET", .text(broker.keys.fencingToken)], ["GET", .text(broker.keys.epoch)]])
        for case .error(let text) in replies { throw .command(text) }
        if let fencingToken = replies[0].text { return fencingToken.split(separator: " ").first.map(String.init) }
        let epoch = replies[1].text?.split(separator: ":").map(String.init) ?? []
        return epoch.count == 3 ? epoch[1] : nil
    }

    /// Begins an epoch: all batches that were ready or in work are gone from Redis, results and limits stay.
    /// - Parameter old: the epoch found before.
    /// - Returns: the new one; nil when something changed meanwhile: look again.
    package func establish(after old: Epoch?, run: String, fencingToken: FencingToken) async throws(RedisError) -> Epoch? {
        let epoch = Epoch(run: run, ledger: fencingToken.ledger)
        try await removeRemains(fencingToken)
        let reply = try await broker.redis.run(
            Scripts.establish,
            keys: [broker.keys.epoch, broker.keys.fencingToken] + Channel.allCases.map(broker.keys.ready),
            arguments: [.text(old?.text ?? ""), .text(epoch.text), .serverRun, .text(fencingToken.text)])
        return reply.int == 1 ? epoch : nil
    }

    /// Removes what was known of feedings before: their numbers will not come again.
    private func removeRemains(_ fencingToken: FencingToken) async throws(RedisError) {
        for pattern in ["noted", "fed:*", "marks:*", "groups:*", "mailing:*"] {
            var cursor = "0"
            repeat {
                let reply = try await broker.redis.send([
                    "SCAN", .text(cursor), "MATCH", .text("\(broker.keys.prefix):\(pattern)"), "COUNT", "1000",
                ])
                guard let parts = reply.array, parts.count == 2, let next = parts[0].text, let keys = parts[1].array else {
                    throw .unexpected("SCAN: \(reply)")
                }
                cursor = next
                if !keys.isEmpty { try await broker.remove(keys.compactMap(\.text), fencingToken: fencingToken) }
            } while cursor != "0"
        }
    }
}
