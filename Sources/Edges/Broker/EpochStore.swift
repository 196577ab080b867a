import Logging
package import Model

/// The epoch of this Redis, and the dispatcher that leads.
package struct EpochStore: Sendable {
    private let broker: Broker

    package init(_ broker: Broker) { self.broker = broker }

    /// Whether a dispatcher leads, as Redis knows it.
    package enum Leadership: Sendable, Equatable {
        case held
        /// A later dispatcher of the same ledger leads.
        case lost
        /// Another ledger's dispatcher works with this Redis and prefix.
        case foreign
        /// It is new, or has lost its data: it is not known whose it was.
        case unknown
    }

    /// The state of leadership and epoch, as a dispatcher that leads or wants to finds it.
    package struct Snapshot: Sendable, Equatable {
        package var leadership: Leadership
        /// The epoch that Redis holds, of whatever run of the server; nil for none.
        package var epoch: Epoch?
        /// The server's run id.
        package var run: String
        /// The other ledger that used this Redis last, where none of its dispatchers leads now; nil where one does.
        package var absent: String?
    }

    /// Takes or keeps the leadership. It is free again when this is not called for `time`, but for dispatchers of another ledger only once
    /// that has nothing here any more.
    /// - Parameters:
    ///   - left: a ledger that `hasWork` has found to have nothing here.
    ///   - takesUnknown: it is taken also where it is not known whose it was.
    package func hold(
        _ fencingToken: FencingToken, time: Duration, after left: String? = nil, takesUnknown: Bool = true
    ) async throws(RedisError) -> Snapshot {
        let reply = try await broker.redis.run(
            Scripts.lead, keys: [broker.keys.leader, broker.keys.epoch, broker.keys.commits],
            arguments: [
                .text(fencingToken.ledger), RedisArgument(fencingToken.number), RedisArgument(time.nanoseconds / 1_000_000), .serverRun,
                .text(left ?? ""), takesUnknown ? "1" : "0",
            ])
        guard let values = reply.array, values.count == 4, let epoch = values[1].text, let run = values[2].text else {
            throw .unexpected("lead: \(reply)")
        }
        let leadership: Leadership =
            switch values[0].int {
            case 1: .held
            case -1: .foreign
            case -2: .unknown
            default: .lost
            }
        if let left, leadership == .held {
            broker.logger.notice(
                """
                this Redis was used by another ledger (\(left)), of which no planner leads and nothing waits here: it is taken over. Give \
                each fleet a Redis, or a redis.prefix, of its own
                """)
        }
        return Snapshot(
            leadership: leadership, epoch: epoch.isEmpty ? nil : Epoch(text: epoch), run: run,
            absent: values[3].text.flatMap { $0.isEmpty ? nil : $0 })
    }

    /// Whether batches are dispatched here, or results wait for a collector.
    package func hasWork() async throws(RedisError) -> Bool {
        for keys in try await broker.redis.scan("\(broker.keys.tag):dispatched:*") where !keys.isEmpty { return true }
        let replies = try await broker.redis.pipeline((0..<broker.partitions).map { ["XLEN", .text(broker.keys.status($0))] })
        for case .error(let text) in replies { throw .command(text) }
        return replies.contains { ($0.int ?? 0) > 0 }
    }

    /// The ledger whose mailings this Redis holds; nil while no planner has said so.
    package func ledger() async throws(RedisError) -> String? {
        let replies = try await broker.redis.pipeline([["GET", .text(broker.keys.leader)], ["GET", .text(broker.keys.epoch)]])
        for case .error(let text) in replies { throw .command(text) }
        if let leader = replies[0].text { return leader.split(separator: " ").first.map(String.init) }
        let epoch = replies[1].text?.split(separator: ":").map(String.init) ?? []
        return epoch.count == 3 ? epoch[1] : nil
    }

    /// Begins an epoch: all batches that were ready or in flight are gone from Redis, results and limits stay.
    /// - Parameters:
    ///   - found: what `hold` returned.
    ///   - epoch: the epoch, of the run that was found; nil for one with a random name.
    /// - Returns: the new epoch; nil when something changed meanwhile: look again.
    package func establish(after found: Snapshot, as epoch: Epoch? = nil, fencingToken: FencingToken) async throws(RedisError) -> Epoch? {
        let epoch = epoch ?? Epoch(run: found.run, ledger: fencingToken.ledger)
        for pattern in ["admitted", "dispatched:*", "marks:*", "groups:*", "mailing:*", "worker-lanes:*", "claims:*"] {
            try await removeAll("\(broker.keys.tag):\(pattern)", fencingToken)
        }
        // Only this dispatcher makes lanes, so that none is added meanwhile.
        let lanes = try await BatchQueue(broker).lanes()
        let reply = try await broker.redis.run(
            Scripts.establish,
            keys: [broker.keys.epoch, broker.keys.leader, broker.keys.partitions, broker.keys.lanes, broker.keys.wake]
                + [broker.keys.deadLetters] + (0..<broker.partitions).map(broker.keys.status) + lanes.map(broker.keys.lane),
            arguments: [
                .text(found.epoch?.text ?? ""), .text(epoch.text), .serverRun, .text(fencingToken.text), RedisArgument(broker.partitions),
                .text(Keys.collectors),
            ])
        return reply.int == 1 ? epoch : nil
    }

    /// Ends the epoch, because the contents of this Redis cannot be trusted: workers finish their messages in flight, and report again what
    /// no collector has confirmed.
    /// - Parameter ledger: nothing happens where the epoch is another's.
    /// - Returns: whether there was an epoch.
    @discardableResult
    package func distrust(ledger: String) async throws(RedisError) -> Bool {
        try await broker.redis.run(
            Scripts.distrust, keys: [broker.keys.epoch, broker.keys.workers], arguments: [.text(ledger)]
        ).int == 1
    }

    /// Removes all registrations: each worker finds its lease lost.
    package func forgetWorkers(_ fencingToken: FencingToken) async throws(RedisError) {
        try await broker.remove([broker.keys.workers], fencingToken: fencingToken)
    }

    /// Gives the leadership back.
    package func release(_ fencingToken: FencingToken) async throws(RedisError) {
        _ = try await broker.redis.run(
            Scripts.remove, keys: [broker.keys.leader, broker.keys.leader], arguments: [.text(fencingToken.text)])
    }

    /// Notes that a ledger has made a commit, so that an older copy of it is known as one.
    /// - Returns: the last commit that is known of it. A ledger that has not come so far, when it is read again now, is an older copy.
    package func note(commits: Int64, of ledger: String) async throws(RedisError) -> Int64 {
        do throws(RedisError) {
            return try await broker.redis.run(
                Scripts.commit, keys: [broker.keys.commits], arguments: [.text(ledger), RedisArgument(commits)]
            ).int ?? commits
        } catch {
            // A Redis without memory is told later: first the results are taken off its streams, which frees some.
            guard case .command(let text) = error, UnfitServer.isOverloaded(text) else { throw error }
            return commits
        }
    }

    /// The last commit of a ledger that was noted; nil where nothing is known of it.
    package func commits(of ledger: String) async throws(RedisError) -> Int64? {
        let known = try await broker.redis.send(["GET", .text(broker.keys.commits)]).text?.split(separator: " ") ?? []
        return known.count == 2 && known[0] == ledger ? Int64(known[1]) : nil
    }

    /// The highest batch of each mailing that was ever dispatched, of mailings that have not ended.
    package func reached(_ mailings: [MailingID]) async throws(RedisError) -> [MailingID: Int] {
        let replies = try await broker.redis.pipeline(mailings.map { ["GET", .text(broker.keys.reached($0))] })
        for case .error(let text) in replies { throw .command(text) }
        return Dictionary(zip(mailings, replies).compactMap { id, reply in reply.int.map { (id, Int($0)) } }) { $1 }
    }

    /// Notes the highest batch of mailings that was ever dispatched, where nothing is known of them.
    package func remember(reached: [MailingID: Int]) async throws(RedisError) {
        let replies = try await broker.redis.pipeline(
            reached.map { ["SET", .text(broker.keys.reached($0.key)), RedisArgument($0.value), "NX"] })
        for case .error(let text) in replies { throw .command(text) }
    }

    /// Forgets the highest batch of mailings that was ever dispatched.
    package func forgetReached(_ mailings: [MailingID], _ fencingToken: FencingToken) async throws(RedisError) {
        guard !mailings.isEmpty else { return }
        try await broker.remove(mailings.map(broker.keys.reached), fencingToken: fencingToken)
    }

    private func removeAll(_ pattern: String, _ fencingToken: FencingToken) async throws(RedisError) {
        for keys in try await broker.redis.scan(pattern) where !keys.isEmpty {
            try await broker.remove(keys, fencingToken: fencingToken)
        }
    }
}
