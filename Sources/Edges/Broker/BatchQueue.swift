package import Model

/// The lanes: batches on their way from the dispatcher to workers. Every step of a batch is one script that checks the epoch and the
/// fencing token, so that nothing of an older state of Redis or of a worker without a lease takes effect.
package struct BatchQueue: Sendable {
    let broker: Broker

    package init(_ broker: Broker) { self.broker = broker }

    /// Makes batches ready in their lanes and wakes the workers. To dispatch a number that is in Redis, or one before it, changes nothing.
    /// - Returns: how many were new.
    /// - Throws: `RedisError.epochEnded` when the epoch has ended or another dispatcher leads: nothing of what follows was dispatched.
    package func dispatch(
        _ batches: [(batch: DispatchedBatch, lane: Lane)], epoch: Epoch, fencingToken: FencingToken
    ) async throws(RedisError) -> Int {
        guard !batches.isEmpty else { return 0 }
        let wakes = Set(batches.map(\.lane)).map { WakeEvent.lane($0).command(broker.keys.wake, atMost: 1000) }
        let replies = try await broker.redis.run(
            Scripts.dispatch,
            calls: batches.map { batch, lane in
                (
                    [
                        broker.keys.lane(lane), broker.keys.dispatched(batch.id.mailing), broker.keys.epoch, broker.keys.leader,
                        broker.keys.lanes, broker.keys.marks(batch.id, batch.dispatchNumber), broker.keys.workers,
                        broker.keys.reached(batch.id.mailing),
                    ],
                    [
                        RedisArgument(batch.id.number), RedisArgument(batch.dispatchNumber), .text(epoch.text), .serverRun,
                        .text(fencingToken.text), .text(Keys.workers), .text("\(lane)"), RedisArgument(max(1, batch.count)),
                    ] + batch.fields(epoch)
                )
            }, then: wakes)
        var new = 0
        for reply in replies {
            if case .error(let text) = reply { throw .command(text) }
            if reply.int == -1 { throw .epochEnded }
            new += reply.count
        }
        return new
    }

    /// The lanes that are not empty.
    package func lanes() async throws(RedisError) -> [Lane] {
        let reply = try await broker.redis.send(["SMEMBERS", .text(broker.keys.lanes)])
        return (reply.array ?? []).compactMap { $0.text.flatMap { Lane($0) } }
    }

    /// The readable dispatches in lanes, ready or in flight.
    package func inside(_ lanes: [Lane]) async throws(RedisError) -> Set<Dispatch> {
        guard !lanes.isEmpty else { return [] }
        let words = try await broker.redis.run(Scripts.inside, keys: lanes.map(broker.keys.lane), arguments: []).array ?? []
        var found: Set<Dispatch> = []
        for place in stride(from: 0, to: words.count - 2, by: 3) {
            guard let mailing = words[place].text.flatMap({ MailingID($0) }), let batch = words[place + 1].int,
                let dispatch = words[place + 2].int, WireLimit.count.contains(batch), WireLimit.count.contains(dispatch)
            else { continue }
            found.insert(Dispatch(batch: BatchID(mailing: mailing, number: Int(batch)), dispatchNumber: Int(dispatch)))
        }
        return found
    }

    /// Batches in lanes, in their order, and how many of them a worker has.
    package func counts(_ lanes: [Lane]) async throws(RedisError) -> [(entries: Int, pending: Int)] {
        guard !lanes.isEmpty else { return [] }
        return try await broker.redis.counts(lanes.map(broker.keys.lane), group: Keys.workers)
    }

    /// How many batches lanes have together, and how many of these a worker has.
    package func fullness(_ lanes: [Lane]) async throws(RedisError) -> (entries: Int, pending: Int) {
        let replies = try await broker.redis.run(Scripts.fullness, on: lanes) { lanes in
            (lanes.map(broker.keys.lane), [.text(Keys.workers)])
        }
        return replies.reduce((0, 0)) { sum, reply in
            (sum.0 + (reply.array?.first?.count ?? 0), sum.1 + (reply.array?.last?.count ?? 0))
        }
    }

    /// How full lanes are, in their order, with the age of their oldest batch; for people.
    package func depths(_ lanes: [Lane]) async throws(RedisError) -> [StreamDepth] {
        try await broker.redis.depths(lanes.map(broker.keys.lane), group: Keys.workers)
    }

    /// The batches of mailings that Redis knows of, by mailing, each with its dispatch number.
    /// - Throws: `RedisError.epochEnded` when it is not the epoch that holds.
    package func dispatched(_ mailings: [MailingID], epoch: Epoch) async throws(RedisError) -> [MailingID: [Int: Int]] {
        let replies = try await broker.redis.run(
            Scripts.dispatched,
            calls: mailings.map { ([broker.keys.epoch, broker.keys.dispatched($0)], [.text(epoch.text), .serverRun]) })
        var known: [MailingID: [Int: Int]] = [:]
        for (mailing, reply) in zip(mailings, replies) {
            if case .error(let text) = reply { throw .command(text) }
            guard let words = reply.array else { throw .epochEnded }
            known[mailing] = [:]
            for index in stride(from: 0, to: words.count - 1, by: 2) {
                if let batch = words[index].int, let number = words[index + 1].int { known[mailing]?[Int(batch)] = Int(number) }
            }
        }
        return known
    }

    /// Batches in lanes altogether.
    package func entries(_ lanes: [Lane]) async throws(RedisError) -> Int {
        try await broker.redis.run(Scripts.entries, on: lanes) { lanes in (lanes.map(broker.keys.lane), []) }.reduce(0) { $0 + $1.count }
    }

    /// How many batches of mailings Redis knows of, in their order.
    package func dispatchedCounts(_ mailings: [MailingID]) async throws(RedisError) -> [Int] {
        let replies = try await broker.redis.pipeline(mailings.map { ["HLEN", .text(broker.keys.dispatched($0))] })
        for case .error(let text) in replies { throw .command(text) }
        return replies.map(\.count)
    }

    /// Makes sure that a dispatch that did not reach Redis never will.
    /// - Returns: false when it has by now.
    /// - Throws: `RedisError.epochEnded` when the epoch has ended or another dispatcher leads.
    package func withdraw(_ dispatch: Dispatch, epoch: Epoch, fencingToken: FencingToken) async throws(RedisError) -> Bool {
        let reply = try await broker.redis.run(
            Scripts.withdraw, keys: [broker.keys.epoch, broker.keys.leader, broker.keys.dispatched(dispatch.batch.mailing)],
            arguments: [
                .text(epoch.text), .serverRun, .text(fencingToken.text), RedisArgument(dispatch.batch.number),
                RedisArgument(dispatch.dispatchNumber),
            ])
        if reply.int == -1 { throw .epochEnded }
        return reply.int == 1
    }
}
