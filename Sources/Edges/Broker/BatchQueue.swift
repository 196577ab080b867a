package import Model

/// The way of batches: from the dispatcher through a stream for each channel to a worker.
package struct BatchQueue: Sendable {
    let broker: Broker
    /// A connection of its own for reads that block.
    let reader: RedisClient

    package init(_ broker: Broker) {
        self.broker = broker
        reader = broker.redis.forBlocking("batches")
    }

    package func close() async { await reader.close() }

    /// Makes batches ready. Dispatch a dispatchNumber that is in Redis, or one before it, changes nothing.
    /// - Returns: how many were new.
    /// - Throws: `RedisError.void` when the epoch is over, or the dispatcher has not the leadership any more: nothing of what follows
    ///   was fed.
    package func feed(
        _ batches: [DispatchedBatch], channel: Channel, epoch: Epoch, fencingToken: FencingToken
    ) async throws(RedisError) -> Int {
        guard !batches.isEmpty else { return 0 }
        let stream = broker.keys.ready(channel)
        let replies = try await broker.redis.run(
            Scripts.feed,
            calls: batches.map { batch in
                (
                    [stream, broker.keys.fed(batch.id.mailing), broker.keys.epoch, broker.keys.fencingToken],
                    [
                        RedisArgument(batch.id.number), RedisArgument(batch.dispatchNumber), .text(epoch.text), .serverRun,
                        .text(fencingToken.text),
                    ] + batch.words(epoch)
                )
            })
        var new = 0
        for reply in replies {
            if case .error(let text) = reply { throw .command(text) }
            if reply.int == -1 { throw .void }
            new += Int(reply.int ?? 0)
        }
        return new
    }

    /// Batches of a channel that are ready or in work.
    package func depth(_ channel: Channel) async throws(RedisError) -> Int {
        Int(try await broker.redis.send(["XLEN", .text(broker.keys.ready(channel))]).int ?? 0)
    }

    /// Batches of a channel that a worker has taken and not closed.
    package func inWork(_ channel: Channel) async throws(RedisError) -> Int {
        do throws(RedisError) {
            let reply = try await broker.redis.send(["XPENDING", .text(broker.keys.ready(channel)), .text(Keys.workers)])
            return Int(reply.array?.first?.int ?? 0)
        } catch {
            guard case .command(let text) = error, text.hasPrefix("NOGROUP") else { throw error }
            return 0
        }
    }

    /// How full the stream of each channel is: batches that are ready, and that a worker has taken and not closed.
    package func fills() async throws(RedisError) -> [(channel: Channel, fill: StreamDepth)] {
        let fills = try await broker.redis.fills(Channel.allCases.map(broker.keys.ready), group: Keys.workers)
        return Array(zip(Channel.allCases, fills))
    }

    /// The batches of a mailing that Redis knows of, each with its dispatchNumber.
    /// - Throws: `RedisError.void` when the epoch is over.
    package func fed(_ mailing: MailingID, epoch: Epoch) async throws(RedisError) -> [Int: Int] {
        let reply = try await broker.redis.run(
            Scripts.known, keys: [broker.keys.epoch, broker.keys.fed(mailing)], arguments: [.text(epoch.text), .serverRun])
        guard let words = reply.array else { throw .void }
        var known: [Int: Int] = [:]
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            if let batch = words[index].int, let dispatchNumber = words[index + 1].int { known[Int(batch)] = Int(dispatchNumber) }
        }
        return known
    }

    /// Makes sure that a dispatch that did not reach Redis will not reach it any more.
    /// - Returns: false when it has by now.
    /// - Throws: `RedisError.void` when the epoch is over, or the dispatcher has not the leadership any more.
    package func void(_ dispatch: Dispatch, epoch: Epoch, fencingToken: FencingToken) async throws(RedisError) -> Bool {
        let reply = try await broker.redis.run(
            Scripts.void, keys: [broker.keys.epoch, broker.keys.fencingToken, broker.keys.fed(dispatch.batch.mailing)],
            arguments: [
                .text(epoch.text), .serverRun, .text(fencingToken.text), RedisArgument(dispatch.batch.number),
                RedisArgument(dispatch.dispatchNumber),
            ])
        if reply.int == -1 { throw .void }
        return reply.int == 1
    }

    /// How many batches of a mailing Redis knows of.
    package func fedCount(_ mailing: MailingID) async throws(RedisError) -> Int {
        Int(try await broker.redis.send(["HLEN", .text(broker.keys.fed(mailing))]).int ?? 0)
    }
}
