import Model

/// Recipients who are tried again so soon that the worker waits for it. Each has a result all the same, should the worker be stopped.
struct Again: Sendable {
    /// What is due within that time waits here, in milliseconds; the rest goes through the ledger, so that Redis stays small.
    private static let soon: Int64 = 2_000
    /// A group is kept by its retries no longer than that, in milliseconds.
    private static let patience: Int64 = 4_000

    private(set) var results: [RecipientResult] = []
    /// The last answer of whoever has waited here, by place in the batch.
    private(set) var answers: [Int: Answer] = [:]
    private let until: Int64

    /// - Parameter now: milliseconds since 1970.
    init(now: Int64) { until = now + Self.patience }

    var isEmpty: Bool { results.isEmpty }

    func takes(_ result: RecipientResult, now: Int64) -> Bool {
        result.state == .deferred && result.due - now <= Self.soon && result.due <= until
    }

    mutating func add(_ more: [RecipientResult]) {
        results += more
        for result in more { answers[result.index] = result.answer }
    }

    /// Waits until all are due.
    /// - Returns: false when `condition` has become true before.
    func wait(unless condition: () -> Bool) async -> Bool {
        let due = results.reduce(0) { max($0, $1.due) }
        while !condition() {
            let left = due - Clock.milliseconds()
            // A clock that was set back must not hold anybody for long.
            if left <= 0 || left > 2 * Self.soon { return true }
            do { try await Task.sleep(for: .milliseconds(min(left, 100))) } catch { return false }
        }
        return false
    }

    mutating func take() -> [OpenRecipient] {
        defer { results = [] }
        return results.map { OpenRecipient(index: $0.index, attempts: $0.attempts) }
    }
}
