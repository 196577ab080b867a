package import Ledger
import Model

/// Fills an empty ledger with mailings that are planned, dispatched and reported on as roles do it, and measures how long the ledger takes.
/// Reading files, sending and Redis are not part of it.
package struct LedgerLoad: Sendable {
    package struct Figures: Sendable, Codable {
        package var recipients = 0
        package var mailings = 0
        package var plannedPerSecond = 0.0
        package var collectedPerSecond = 0.0
        /// In milliseconds: the middle and the highest of `rounds`.
        package var history = Spread()
        package var report = Spread()
        package var list = Spread()
    }

    package struct Spread: Sendable, Codable {
        package var median = 0.0
        package var highest = 0.0
    }

    private let ledger: any LedgerStore
    private let mailings: Int
    /// Recipients of each mailing.
    private let size: Int
    /// Collectors that write side by side.
    private let collectors: Int

    private static let group = 100
    private static let rounds = 21

    /// - Parameter recipients: of all mailings together.
    package init(_ ledger: any LedgerStore, mailings: Int, recipients: Int, collectors: Int) {
        (self.ledger, self.mailings, self.collectors) = (ledger, max(1, mailings), max(1, collectors))
        size = max(LoadMailing.batch, recipients / max(1, mailings) / LoadMailing.batch * LoadMailing.batch)
    }

    /// - Parameter say: gets words about what it is at.
    package func run(say: (String) -> Void) async throws(LedgerError) -> Figures {
        var figures = Figures(recipients: mailings * size, mailings: mailings)
        var (planning, collecting) = (Duration.zero, Duration.zero)
        var generator = SystemRandomNumberGenerator()
        let begun = Clock.milliseconds() - Int64(mailings)
        for number in 0..<mailings {
            let id = MailingID(milliseconds: begun + Int64(number), using: &generator)
            planning += try await plan(id, number)
            collecting += try await collect(id)
            _ = try await ledger.complete([id], now: Clock.milliseconds())
            if (number + 1).isMultiple(of: max(1, mailings / 10)) { say("\(number + 1) of \(mailings) mailings have ended") }
        }
        figures.plannedPerSecond = Double(figures.recipients) / planning.seconds
        figures.collectedPerSecond = Double(figures.recipients) / collecting.seconds
        try await ask(&figures)
        return figures
    }

    /// A person is in some ten mailings.
    private func address(_ number: Int, _ person: Int) -> String { "person.\(person)@group-\(number % max(1, mailings / 10)).example" }

    private func plan(_ id: MailingID, _ number: Int) async throws(LedgerError) -> Duration {
        var mailing = Mailing(name: "load \(number)", channel: .email, provider: "smtp://127.0.0.1:25", fields: ["id", "email", "name"])
        mailing.lifetime = 86_400
        return try await LoadMailing(id: id, mailing: mailing, recipients: size) { person in
            ["\(person)", address(number, person), "Ann \(person % 97)"]
        }.plan(into: ledger)
    }

    /// - Returns: how long the results took to write; dispatching them comes before and is not in it.
    private func collect(_ id: MailingID) async throws(LedgerError) -> Duration {
        var took = Duration.zero
        while true {
            let taken = try await ledger.dispatchBatches([(id, 20 * collectors)], now: Clock.milliseconds())
            guard !taken.isEmpty else { return took }
            // Each collector has its own status streams, so that it writes the batches of its streams alone.
            let writes = (0..<collectors).map { collector in
                groups(taken.enumerated().filter { $0.offset % collectors == collector }.map(\.element))
            }
            let start = ContinuousClock.now
            do {
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    for groups in writes where !groups.isEmpty {
                        tasks.addTask { [ledger] in _ = try await ledger.write(groups: groups, events: [], now: Clock.milliseconds()) }
                    }
                    try await tasks.waitForAll()
                }
            } catch {
                throw error as? LedgerError ?? .failed(path: "", operation: "results", detail: "\(error)")
            }
            took += ContinuousClock.now - start
        }
    }

    /// Plain results: everybody is sent to at the first attempt.
    private func groups(_ batches: [DispatchedBatch]) -> [ResultGroup] {
        let now = Clock.milliseconds()
        return batches.flatMap { batch in
            let parts = (batch.count + Self.group - 1) / Self.group
            return (0..<parts).map { part in
                let results = (part * Self.group..<min((part + 1) * Self.group, batch.count)).map { index in
                    RecipientResult(
                        index: index, state: .sent, attempts: 1, at: now,
                        response: ProviderResponse(
                            action: .accept, stage: .response, code: 250, text: "2.0.0 Ok: queued as 4F\(index)A\(batch.id.number)",
                            messageID: "4F\(index)A\(batch.id.number)"))
                }
                return ResultGroup(
                    Dispatch(batch: batch.id, dispatchNumber: batch.dispatchNumber), worker: "load", sequence: part,
                    closing: part == parts - 1 ? .done : .open, groups: part == parts - 1 ? parts : 0, results: results)
            }
        }
    }

    private func ask(_ figures: inout Figures) async throws(LedgerError) {
        let newest = try await ledger.mailings(states: nil, limit: 1000).map(\.id)
        guard let first = newest.first else { return }
        figures.history = try await spread { round throws(LedgerError) in
            _ = try await ledger.history(address: address(round, (round * 7919) % size), limit: 100)
        }
        figures.report = try await spread { round throws(LedgerError) in
            _ = try await ledger.report(newest.isEmpty ? first : newest[round % newest.count], now: Clock.milliseconds())
        }
        figures.list = try await spread { _ throws(LedgerError) in _ = try await ledger.statuses(states: nil, limit: 50) }
    }

    private func spread(_ question: (Int) async throws(LedgerError) -> Void) async throws(LedgerError) -> Spread {
        var took: [Double] = []
        for round in 0..<Self.rounds {
            let start = ContinuousClock.now
            try await question(round)
            took.append((ContinuousClock.now - start).seconds * 1000)
        }
        took.sort()
        return Spread(median: took[took.count / 2], highest: took[took.count - 1])
    }
}
