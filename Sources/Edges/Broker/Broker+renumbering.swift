/// Streams that take no entry any more.
extension Broker {
    /// Whether XADD failed because an entry with the highest id is in the stream: Redis makes none behind it.
    static func isExhausted(_ error: String) -> Bool { error.contains("exhausted the last possible ID") }

    /// Has such a stream begin anew with its entries. Readers that know a position in it read it from its beginning.
    /// - Parameter anew: the key where that is made.
    func renumber(_ stream: String, by anew: String) async throws(RedisError) {
        _ = try await redis.run(Scripts.renumber, keys: [stream, anew], arguments: [])
    }
}
