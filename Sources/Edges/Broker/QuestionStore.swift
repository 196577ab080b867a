package import Model

/// The way of questions from trackers to the collector, and of answers back. Nothing depends on it: a question or an answer that is lost
/// is asked again by whoever still wants to know.
package struct QuestionStore: Sendable {
    package struct Entry: Sendable {
        /// Nil where it cannot be read, or was asked too long ago.
        package let batch: QuestionBatch?
        /// Why it cannot be read; nil where it can.
        package let problem: String?
        /// How long ago it was asked, by Redis's clock.
        package let age: Duration
        let id: String
    }

    /// How long a question is worth an answer: its visitor waits no longer.
    package static let patience = Duration.seconds(2)

    /// Entries in the stream at most, about; each has up to `QuestionBatch.most` questions.
    private static let length = 1000

    /// What a tracker that does not take its answers leaves at most, and for how long.
    private static let answers = 10_000
    private static let answerBytes = 32 << 20
    private static let lifetime = Duration.seconds(10)

    private let broker: Broker
    /// A connection of its own, which reads may block.
    private let reader: RedisClient

    package init(_ broker: Broker) {
        self.broker = broker
        reader = broker.redis.forBlocking("questions")
    }

    package func close() async { await reader.close() }

    // MARK: A tracker's side

    package func ask(_ batch: QuestionBatch) async throws(RedisError) {
        guard !batch.questions.isEmpty else { return }
        do throws(RedisError) { try await add(batch) } catch {
            guard case .command(let text) = error, Broker.isExhausted(text) else { throw error }
            // Who waits for older ones asks again.
            _ = try await broker.redis.send(["DEL", .text(broker.keys.questions)])
            try await add(batch)
        }
    }

    private func add(_ batch: QuestionBatch) async throws(RedisError) {
        _ = try await broker.redis.send([
            "XADD", .text(broker.keys.questions), "MAXLEN", "~", RedisArgument(Self.length), "*", "v", RedisArgument(WireVersion.current),
            "d", .bytes(batch.encoded()),
        ])
    }

    /// Takes answers to an asker's questions off their list, waiting for the first at most `block`. What cannot be read is passed over:
    /// its question gets no answer.
    package func answers(to asker: UInt64, atMost block: Duration) async throws(RedisError) -> [NumberedAnswer] {
        let key = broker.keys.answers(asker)
        let seconds = Double(max(1, block.nanoseconds / 1_000_000)) / 1000
        let first = try await reader.send(["BLPOP", .text(key), .text("\(seconds)")], blocking: block)
        guard let wire = first.array?.last?.bytes else { return [] }
        // Few at a time: each can have a megabyte.
        let more = try await reader.send(["LPOP", .text(key), "16"]).array ?? []
        return ([wire] + more.compactMap(\.bytes)).compactMap { try? NumberedAnswer(decoding: $0) }
    }

    // MARK: A collector's side

    /// Reads what was asked, waiting for the first at most `block`. Several collectors may read at a time: each entry goes to one of them,
    /// and with it if it ends.
    package func read(consumer: String, count: Int, block: Duration) async throws(RedisError) -> [Entry] {
        do throws(RedisError) { return try await readGroup(consumer, count, block) } catch {
            // UNBLOCKED: the stream went while we waited for it.
            guard case .command(let text) = error, text.hasPrefix("NOGROUP") || text.hasPrefix("UNBLOCKED") else { throw error }
            try await ConsumerGroup.make(broker.keys.questions, Keys.collectors, on: broker.redis)
            return try await readGroup(consumer, count, block)
        }
    }

    private func readGroup(_ consumer: String, _ count: Int, _ block: Duration) async throws(RedisError) -> [Entry] {
        let replies = try await reader.pipeline(
            [
                [
                    "XREADGROUP", "GROUP", .text(Keys.collectors), .text(consumer), "COUNT", RedisArgument(count), "BLOCK",
                    RedisArgument(max(1, block.nanoseconds / 1_000_000)), "NOACK", "STREAMS", .text(broker.keys.questions), ">",
                ], ["TIME"],
            ], blocking: block)
        if case .error(let text) = replies[0] { throw .command(text) }
        guard let now = replies[1].time else { throw .unexpected("TIME: \(replies[1])") }
        return try StreamEntry.list(replies[0]).map { Self.entry($0, now: now / 1000) }
    }

    /// - Parameter now: milliseconds since 1970 by Redis's clock.
    private static func entry(_ entry: StreamEntry, now: Int64) -> Entry {
        let asked = entry.id.split(separator: "-").first.flatMap { Int64($0) } ?? 0
        let age = Duration.milliseconds(min(max(0, now - min(asked, now)), WireLimit.time.upperBound))
        guard age < patience else { return Entry(batch: nil, problem: nil, age: age, id: entry.id) }
        do throws(WireError) {
            try WireVersion.check(entry.text("v"))
            return Entry(batch: try QuestionBatch(decoding: entry.fields["d"] ?? []), problem: nil, age: age, id: entry.id)
        } catch {
            return Entry(batch: nil, problem: "\(error)", age: age, id: entry.id)
        }
    }

    /// Gives answers to their askers, and takes the entries off the stream.
    /// - Returns: how many answers were given: a tracker that does not take its own gets no more.
    @discardableResult
    package func answer(_ answers: [UInt64: [NumberedAnswer]], _ entries: [Entry]) async throws(RedisError) -> Int {
        let calls = answers.filter { !$0.value.isEmpty }.map { asker, all in
            (
                keys: [broker.keys.answers(asker)],
                arguments: [
                    RedisArgument(Self.answers), RedisArgument(Self.answerBytes), RedisArgument(Self.lifetime.nanoseconds / 1_000_000),
                ] + all.map { .bytes($0.encoded()) }
            )
        }
        let drop: [RedisArgument] = ["XDEL", .text(broker.keys.questions)] + entries.map { .text($0.id) }
        guard !calls.isEmpty else {
            if !entries.isEmpty { _ = try await broker.redis.send(drop) }
            return 0
        }
        let replies = try await broker.redis.run(Scripts.answer, calls: calls, then: entries.isEmpty ? [] : [drop])
        for case .error(let text) in replies { throw .command(text) }
        return replies.reduce(0) { $0 + $1.count }
    }

    /// How many entries no collector has answered.
    package func unanswered() async throws(RedisError) -> Int {
        try await broker.redis.send(["XLEN", .text(broker.keys.questions)]).count
    }
}
