package import Model

/// After a loss of Redis each worker tells the batches that it alone has had: of these no other worker need be asked.
extension WorkerRegistry {
    /// How long a claim is kept: no planner may run for as long.
    private static let claimLifetime = "86400"

    /// Reports the dispatches that a worker had when Redis was lost. It has reported, or offers again, all results of their messages.
    package func claim(_ dispatches: Set<Dispatch>, by worker: String) async throws(RedisError) {
        let text = dispatches.map { "\($0.batch)/\($0.dispatchNumber)" }.sorted().joined(separator: " ")
        _ = try await broker.redis.send(["SET", .text(broker.keys.claims(worker)), .text(text), "EX", .text(Self.claimLifetime)])
    }

    /// What some workers have claimed.
    package func claims(of workers: [String]) async throws(RedisError) -> Set<Dispatch> {
        let replies = try await broker.redis.pipeline(workers.map { ["GET", .text(broker.keys.claims($0))] })
        var claims: Set<Dispatch> = []
        for reply in replies {
            if case .error(let text) = reply { throw .command(text) }
            for word in (reply.text ?? "").split(separator: " ") {
                let parts = word.split(separator: "/")
                guard parts.count == 3, let mailing = MailingID(String(parts[0])), let batch = Int(parts[1]), let number = Int(parts[2])
                else { continue }
                claims.insert(Dispatch(batch: BatchID(mailing: mailing, number: batch), dispatchNumber: number))
            }
        }
        return claims
    }
}
