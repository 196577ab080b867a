package import Model

/// What a dispatcher needs when it ends, or when Redis was lost.
extension BatchQueue {
    /// Takes the batches of mailings off their lanes that no worker has taken. The dispatches have ended then: none of their messages was
    /// started, and none will be.
    /// - Throws: `RedisError.epochEnded` when the epoch has ended or another dispatcher leads.
    package func recall(_ mailings: Set<MailingID>, epoch: Epoch, fencingToken: FencingToken) async throws(RedisError) -> [Dispatch] {
        let lanes = try await lanes()
        let replies = try await broker.redis.run(Scripts.ready, calls: lanes.map { ([broker.keys.lane($0)], [.text(Keys.workers)]) })
        var ready: [(dispatch: Dispatch, lane: Lane, entry: String)] = []
        for (lane, reply) in zip(lanes, replies) {
            if case .error(let text) = reply { throw .command(text) }
            let words = reply.array ?? []
            for start in stride(from: 0, to: words.count - 3, by: 4) {
                // An entry that cannot be read is no batch of ours.
                guard let entry = words[start].text, let mailing = words[start + 1].text.flatMap(MailingID.init),
                    mailings.contains(mailing),
                    let batch = words[start + 2].int, let number = words[start + 3].int
                else { continue }
                let id = BatchID(mailing: mailing, number: Int(batch))
                ready.append((Dispatch(batch: id, dispatchNumber: Int(number)), lane, entry))
            }
        }
        let recalls = try await broker.redis.run(
            Scripts.recall,
            calls: ready.map { dispatch, lane, entry in
                (
                    [
                        broker.keys.lane(lane), broker.keys.dispatched(dispatch.batch.mailing), broker.keys.epoch, broker.keys.leader,
                        broker.keys.lanes, broker.keys.marks(dispatch.batch, dispatch.dispatchNumber),
                    ],
                    [
                        .text(entry), RedisArgument(dispatch.batch.number), RedisArgument(dispatch.dispatchNumber), .text(epoch.text),
                        .serverRun, .text(fencingToken.text), .text(Keys.workers), .text("\(lane)"),
                    ]
                )
            })
        var recalled: [Dispatch] = []
        for (one, reply) in zip(ready, recalls) {
            if case .error(let text) = reply { throw .command(text) }
            if reply.int == -1 { throw .epochEnded }
            if reply.int == 1 { recalled.append(one.dispatch) }
        }
        return recalled
    }

    /// The recipients of dispatches whose messages were started, by their index, as the marks say that Redis holds.
    package func started(_ dispatches: [Dispatch]) async throws(RedisError) -> [Dispatch: Set<Int>] {
        let replies = try await broker.redis.pipeline(
            dispatches.map { ["GET", .text(broker.keys.marks($0.batch, $0.dispatchNumber))] })
        var started: [Dispatch: Set<Int>] = [:]
        for (dispatch, reply) in zip(dispatches, replies) {
            if case .error(let text) = reply { throw .command(text) }
            let marks = Marks(bytes: reply.bytes ?? [])
            started[dispatch] = Set(marks.bytes.indices.filter { marks[$0] != .notStarted })
        }
        return started
    }
}
