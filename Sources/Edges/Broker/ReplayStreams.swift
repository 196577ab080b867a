import Model

/// Says of which ledger, and on which server, entries were written that a collector confirms, so that copies of them stay in Redis for a
/// while. A standby that takes the server's place may lack what was committed last: then they are put back, and written again. Results
/// are told apart by their numbers, and so are events, so that what the ledger has changes nothing.
package struct Replay: Sendable, Equatable {
    /// Bytes of the copies of one stream at most, about; beyond that the oldest go.
    static let bytes = 32 << 20

    package let ledger: String
    /// Another text for each server, and after each fail-over.
    package let standing: String
    /// How long copies are kept.
    package let time: Duration

    /// Nil where nothing is kept: for a ledger in a file, or one whose name is not known yet.
    package init?(ledger: String?, standing: String?, time: Duration) {
        guard let ledger, let standing, time > .zero else { return nil }
        (self.ledger, self.standing, self.time) = (ledger, standing, time)
    }

    var arguments: [RedisArgument] {
        [.text(ledger), .text(standing), RedisArgument(time.nanoseconds / 1_000_000), RedisArgument(Self.bytes)]
    }

    /// Nothing is kept.
    static let none: [RedisArgument] = ["", "", "0", "0"]
}

/// The copies of what collectors have confirmed.
package struct ReplayStreams: Sendable {
    private let broker: Broker

    package init(_ broker: Broker) { self.broker = broker }

    /// Puts the copies back that were made while the ledger stood elsewhere. Collectors do that by themselves when they confirm
    /// something; this is for a ledger to which nothing new is reported.
    /// - Returns: how many were put back.
    package func putBack(ledger: String, standing: String) async throws(RedisError) -> Int {
        let keys = broker.keys
        let streams =
            (0..<broker.partitions).map(keys.status) + (0..<EventStreams.count).map(keys.events) + [keys.receipts]
        let replies = try await broker.redis.run(
            Scripts.replay,
            calls: streams.map { ([$0, keys.replay($0), keys.replayStanding($0)], [.text(ledger), .text(standing)]) })
        for case .error(let text) in replies { throw .command(text) }
        return replies.reduce(0) { $0 + $1.count }
    }
}
