/// How far a ledger's suppressions were told of. Whoever commits one tells of it, but may end in between.
extension RecentSuppressions {
    /// The revision of the ledger's list up to which all were told of; nil where that is not known.
    /// - Parameter ledger: the identity of the ledger.
    package func toldRevision(of ledger: String) async throws(RedisError) -> Int64? {
        try await broker.redis.send(["HGET", .text(broker.keys.told), .text(ledger)]).text.flatMap { Int64($0) }
    }

    /// Notes that all up to a revision were told of.
    package func note(toldRevision revision: Int64, of ledger: String) async throws(RedisError) {
        _ = try await broker.redis.send(["HSET", .text(broker.keys.told), .text(ledger), .text("\(revision)")])
    }
}
