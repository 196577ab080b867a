package import Model

/// The adaptive rate of scopes whose provider asks to slow down. Redis sums what the workers saw and hands it to one of them to judge.
/// That worker does the arithmetic; Redis keeps its state as text.
package struct AdaptiveRateStore: Sendable {
    /// Milliseconds; longer than recovery takes.
    static let kept: Int64 = 600_000
    /// No provider pauses a scope for longer, in seconds.
    package static let longestPause = 86_400.0

    private let broker: Broker
    private let interval: Int64
    private let backoff: Int64

    /// - Parameters:
    ///   - interval: microseconds from judgement to judgement.
    ///   - backoff: microseconds after which a judge who has not steered is given up.
    package init(_ broker: Broker, interval: Int64 = 500_000, backoff: Int64 = 2_000_000) {
        self.broker = broker
        self.interval = interval
        self.backoff = backoff
    }

    /// The state of a scope, in microseconds; moments are in Redis time.
    package struct Snapshot: Sendable, Equatable {
        package var now: Int64
        /// Nothing starts before; 0 or past where it is not paused.
        package var until: Int64
        /// Between two starts at least; nil where it is not slowed.
        package var interval: Double?
        /// The state that the last judge wrote; empty where there is none.
        package var state: String

        package init(now: Int64, until: Int64, interval: Double?, state: String) {
            self.now = now
            self.until = until
            self.interval = interval
            self.state = state
        }

        /// Seconds that it is still paused.
        package var pause: Double { min(Double(max(0, until - now)) / 1e6, AdaptiveRateStore.longestPause) }
    }

    /// Observations to judge, which only this worker was given.
    package struct Case: Sendable, Equatable {
        let version: Int64
        package let state: String
        package let answered: Int
        package let throttled: Int
        package let started: Int
        /// Since the judgement before, and of these how many it was paused.
        package let seconds: Double
        package let paused: Double
    }

    /// Adds what this worker saw of a scope since its last call.
    /// - Parameters:
    ///   - pause: seconds that the provider asked to wait (Retry-After), the longest; it never shortens a pause, and counts as a
    ///     day at most.
    /// - Returns: the state of the scope, and a case when it is this worker's turn to judge: it then calls `steer` at once.
    package func observe(
        _ scope: LimitScope, answered: Int, throttled: Int, started: Int, pause: Double? = nil
    ) async throws(RedisError) -> (snapshot: Snapshot, case: Case?) {
        let asked = pause ?? 0
        let wait = asked > 0 ? Int64((min(asked, Self.longestPause) * 1e6).rounded(.up)) : 0
        let reply = try await broker.redis.run(
            Scripts.observe, keys: [broker.keys.adaptiveRate(scope)],
            arguments: [
                RedisArgument(answered), RedisArgument(throttled), RedisArgument(started), RedisArgument(wait),
                RedisArgument(self.interval), RedisArgument(backoff), RedisArgument(Self.kept),
            ])
        let words = reply.array ?? []
        guard words.count == 4 || words.count == 10, let now = words[0].int, let until = words[1].int,
            let interval = words[2].text, let state = words[3].text
        else { throw .unexpected("observe: \(reply)") }
        let snapshot = Snapshot(now: Self.moment(now), until: Self.moment(until), interval: Self.interval(interval), state: state)
        guard words.count == 10 else { return (snapshot, nil) }
        let numbers = words[4...].compactMap(\.int).map(Self.moment)
        guard numbers.count == 6 else { throw .unexpected("observe: \(reply)") }
        return (
            snapshot,
            Case(
                version: numbers[0], state: state, answered: Int(numbers[1]), throttled: Int(numbers[2]),
                started: Int(numbers[3]), seconds: Double(numbers[4]) / 1e6, paused: Double(numbers[5]) / 1e6)
        )
    }

    /// Sets what a judge found.
    /// - Parameter interval: microseconds between two starts; nil where the scope is not slowed.
    /// - Returns: false when it came too late and another judges.
    @discardableResult
    package func steer(
        _ scope: LimitScope, _ judged: Case, state: String, interval: Double?
    ) async throws(RedisError) -> Bool {
        try await broker.redis.run(
            Scripts.steer, keys: [broker.keys.adaptiveRate(scope)],
            arguments: [RedisArgument(judged.version), RedisArgument(interval.map { "\($0)" } ?? ""), RedisArgument(state)]
        ).int == 1
    }

    /// The states of scopes, in their order.
    package func snapshots(of scopes: [LimitScope]) async throws(RedisError) -> [Snapshot] {
        guard !scopes.isEmpty else { return [] }
        let replies = try await broker.redis.pipeline(
            [["TIME"]] + scopes.map { ["HMGET", .text(broker.keys.adaptiveRate($0)), "until", "interval", "state", "from"] })
        guard replies.count == scopes.count + 1, let now = replies[0].time else { throw .unexpected("snapshot: \(replies)") }
        var snapshots: [Snapshot] = []
        for reply in replies.dropFirst() {
            guard let words = reply.array, words.count == 4 else { throw .unexpected("snapshot: \(reply)") }
            snapshots.append(
                Snapshot(
                    now: now, until: Self.pause(until: words[0].int ?? 0, from: words[3].int ?? 0, now: now),
                    interval: words[1].text.flatMap(Self.interval), state: words[2].text ?? ""))
        }
        return snapshots
    }

    /// A number of Redis, bounded so that sums cannot overflow: others may write to its keys.
    private static func moment(_ value: Int64) -> Int64 { min(max(0, value), WireLimit.time.upperBound) }

    /// Until when a scope is paused: the same as `pause_of` of the scripts.
    private static func pause(until: Int64, from: Int64, now: Int64) -> Int64 {
        let latest = now + Int64(longestPause * 1e6) + 1_000_000
        return from > now + 1_000_000 || until > latest ? 0 : moment(until)
    }

    /// Microseconds between two starts, a quarter of an hour at most; no rate that is learnt is as slow.
    private static func interval(_ text: String) -> Double? {
        guard let value = Double(text), value > 0, value.isFinite else { return nil }
        return min(value, 1e9)
    }
}
