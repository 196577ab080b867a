package import Model

/// Whether Redis has lost a single key, asked of thousands of lanes and mailings with a few commands.
extension BatchQueue {
    /// Checks that lanes are whole, and repairs what it can: a lane's name among the lanes, and the registration of workers that have
    /// batches in it.
    /// - Parameter lease: of the workers.
    /// - Returns: a lane that was lost, with which the epoch has ended; nil for none.
    package func inspect(_ lanes: [Lane], lease: Duration) async throws(RedisError) -> Lane? {
        guard !lanes.isEmpty else { return nil }
        let workers = (try await broker.redis.send(["HKEYS", .text(broker.keys.workers)]).array ?? []).compactMap(\.text)
        let replies = try await broker.redis.run(Scripts.inspect, on: lanes) { lanes in
            var keys = [broker.keys.epoch, broker.keys.workers, broker.keys.lanes]
            keys += workers.map(broker.keys.workerLanes)
            keys += lanes.map(broker.keys.lane)
            var arguments: [RedisArgument] = [.serverRun, .text(Keys.workers), RedisArgument(workers.count)]
            arguments += workers.map { .text($0) }
            arguments += lanes.map { .text("\($0)") }
            return (keys, arguments)
        }
        var unregistered: [(lane: Lane, worker: String)] = []
        for (slice, reply) in zip(lanes.slices, replies) {
            guard let words = reply.array, let lost = words.first else { throw .unexpected("inspect: \(reply)") }
            if let lane = slice.element(at: lost.count) { return lane }
            for place in stride(from: 1, to: words.count - 1, by: 2) {
                if let lane = slice.element(at: words[place].count), let worker = words[place + 1].text {
                    unregistered.append((lane, worker))
                }
            }
        }
        try await adopt(unregistered, lease: lease)
        return nil
    }

    private func adopt(_ holders: [(lane: Lane, worker: String)], lease: Duration) async throws(RedisError) {
        let replies = try await broker.redis.run(
            Scripts.adopt,
            calls: holders.map { lane, worker in
                (
                    [broker.keys.workers, broker.keys.lane(lane), broker.keys.workerLanes(worker)],
                    [.text(Keys.workers), .text(worker), .text("\(lane)"), RedisArgument(lease.nanoseconds / 1_000_000)]
                )
            })
        for case .error(let text) in replies { throw .command(text) }
    }

    /// The mailings among some of which Redis knows fewer batches than there should be.
    /// - Parameter least: how many there should be at least, by mailing.
    package func lacking(_ least: [(mailing: MailingID, count: Int)]) async throws(RedisError) -> [MailingID] {
        let replies = try await broker.redis.run(Scripts.lacking, on: least) { least in
            (least.map { broker.keys.dispatched($0.mailing) }, least.map { RedisArgument($0.count) })
        }
        return zip(least.slices, replies).flatMap { slice, reply in
            (reply.array ?? []).compactMap { slice.element(at: $0.count)?.mailing }
        }
    }
}

extension RedisClient {
    /// Runs a script for many things, in slices: a script keeps all others from Redis while it runs.
    /// - Parameter call: keys and arguments for a slice.
    /// - Returns: the reply for each slice.
    /// - Throws: also where one of the replies is an error.
    func run<Element>(
        _ script: RedisScript, on all: [Element], _ call: (ArraySlice<Element>) -> (keys: [String], arguments: [RedisArgument])
    ) async throws(RedisError) -> [RESPValue] {
        let replies = try await run(script, calls: all.slices.map(call))
        for case .error(let text) in replies { throw .command(text) }
        return replies
    }
}

extension Array {
    /// Parts of it for one call of a script each.
    var slices: [ArraySlice<Element>] {
        stride(from: 0, to: count, by: 250).map { self[$0..<Swift.min($0 + 250, count)] }
    }
}

extension ArraySlice {
    /// The element at a place as scripts count, from 1; nil where there is none.
    func element(at place: Int) -> Element? { place >= 1 && place <= count ? self[startIndex + place - 1] : nil }
}
