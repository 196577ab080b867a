import Model

/// Recipients who are tried again so soon that the worker waits for it. Each has a result all the same, should the worker be stopped.
struct LocalRetryQueue: Sendable {
    /// What is due within that time waits here, in milliseconds; the rest goes through the ledger, so that Redis stays small.
    private static let soon: Int64 = 2_000
    /// A group is kept by its retries no longer than that, in milliseconds.
    private static let backoff: Int64 = 4_000

    private(set) var results: [RecipientResult] = []
    /// The last response of whoever has waited here, by place in the batch.
    private(set) var responses: [Int: ProviderResponse] = [:]
    /// Those who were let go on, and have no newer result yet.
    private var taken: [Int: RecipientResult] = [:]
    private let until: Int64

    /// - Parameter now: milliseconds since 1970.
    init(now: Int64) { until = now + Self.backoff }

    var isEmpty: Bool { results.isEmpty }

    /// What is to be told of all who have no newer result, when work on them ends.
    var unsettled: [RecipientResult] { results + taken.values }

    /// These have newer results now.
    mutating func settle(_ indexes: some Sequence<Int>) { for index in indexes { taken[index] = nil } }

    func takes(_ result: RecipientResult, now: Int64) -> Bool {
        result.state == .deferred && result.due - now <= Self.soon && result.due <= until
    }

    mutating func add(_ more: [RecipientResult]) {
        results += more
        for result in more { responses[result.index] = result.response }
    }

    /// Waits until all are due.
    /// - Returns: false when `condition` has become true before.
    /// - Parameter now: milliseconds since 1970.
    func wait(now: Int64, unless condition: () -> Bool) async -> Bool {
        let due = results.reduce(0) { max($0, $1.due) }
        let end = ContinuousClock.now + .milliseconds(due - now)
        while !condition() {
            let left = end - ContinuousClock.now
            if left <= .zero { return true }
            do { try await Task.sleep(for: min(left, .milliseconds(100))) } catch { return false }
        }
        return false
    }

    mutating func take() -> [OpenRecipient] {
        defer {
            for result in results { taken[result.index] = result }
            results = []
        }
        return results.map { OpenRecipient(index: $0.index, attempts: $0.attempts) }
    }
}
