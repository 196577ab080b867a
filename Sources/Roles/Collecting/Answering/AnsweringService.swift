package import Broker
package import Ledger
package import Logging
import Metrics
package import Model
import Policy
import ServiceLifecycle
package import Signing
import Synchronization

/// Answers what trackers ask of the ledger, beside the collectors of results and events, which never wait for it. Any number may run: each
/// question goes to one of them. A question that is lost with its collector is asked again by its visitor.
package final class AnsweringService: Service {
    package typealias Store = AnswerStore & MailingStore & LeadershipStore & CopyStore

    private let store: QuestionStore
    private let answers: QuestionAnswers
    private let ownership: LedgerOwnership
    private let name: String
    private let meters = AnswerMeters()
    private let line = Mutex(RepeatedLine())
    private let stopping = Atomic<Bool>(false)
    private let clocks: Clocks
    private let logger: Logger

    /// Entries of a read at most; each has up to `QuestionBatch.most` questions.
    private static let entries = 8
    /// How long a read waits.
    private static let block = Duration.seconds(2)
    /// How often it is looked whose mailings Redis carries.
    private static let ownerInterval = Duration.seconds(1)

    /// - Parameters:
    ///   - url: the tracker's public address, which links in shown messages lead to; nil where there is none.
    ///   - domains: those of mailings by the domain of their sender.
    ///   - keys: sign these links; without them no message is shown.
    ///   - name: names the collector in Redis; unique to the process.
    package init(
        broker: Broker, ledger: any Store, url: String?, domains: [String: String] = [:], keys: SigningKeys?, name: String,
        clocks: Clocks = .system, logger: Logger
    ) {
        store = QuestionStore(broker)
        var signer: AskedMailings.Signer?
        if let url, let keys { signer = .init(addresses: TrackerAddresses(url: url, domains: domains), keys: keys) }
        answers = QuestionAnswers(ledger, signer, clocks: clocks, logger: logger)
        ownership = LedgerOwnership(identity: LedgerIdentity(clocks: clocks, logger: logger), epochs: EpochStore(broker), ledger: ledger)
        (self.name, self.clocks, self.logger) = (name, clocks, logger)
    }

    /// Answers until a graceful shutdown.
    package func run() async throws {
        let (stop, end) = (WakeSignal(), WakeSignal())
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                // A read that blocks is ended by closing its connection.
                group.addTask {
                    await stop.wait(atMost: nil)
                    await self.store.close()
                }
                // Visitors wait: other work of the process does not come first.
                group.addTask(priority: .high) {
                    await self.answer(until: end)
                    stop.notify()
                }
            }
        } onGracefulShutdown: {
            self.stopping.store(true, ordering: .relaxed)
            stop.notify()
            end.notify()
        }
    }

    /// - Parameter end: notified at the graceful shutdown.
    private func answer(until end: WakeSignal) async {
        var backoff = Backoff()
        var nextLook = clocks.now
        while !isStopping {
            do throws(RedisError) {
                if clocks.now >= nextLook {
                    guard try await ownership.owner() == .ours else {
                        await end.wait(atMost: Self.ownerInterval)
                        continue
                    }
                    nextLook = clocks.now + Self.ownerInterval
                }
                let entries = try await store.read(consumer: name, count: Self.entries, block: Self.block)
                if clocks.now >= nextLook, try await ownership.owner() != .ours { continue }
                try await answer(entries)
                backoff = Backoff()
            } catch {
                if isStopping { return }
                if line.withLock({ $0.add(at: clocks.monotonic) }) != nil {
                    logger.warning("visitors' questions have no answer: \(error)")
                }
                nextLook = clocks.now
                guard await backoff.wait() else { return }
            }
        }
    }

    private var isStopping: Bool { stopping.load(ordering: .relaxed) || Task.isCancelled }

    /// Answers one kind after the other, the dearest last, and each as soon as it is known.
    private func answer(_ entries: [QuestionStore.Entry]) async throws(RedisError) {
        guard !entries.isEmpty else { return }
        meters.note(entries)
        if let problem = entries.lazy.compactMap(\.problem).first, line.withLock({ $0.add(at: clocks.monotonic) }) != nil {
            logger.warning("a question of a tracker cannot be read: \(problem)")
        }
        var asked: [Question.Kind: [Question: [(asker: UInt64, number: UInt64)]]] = [:]
        for batch in entries.compactMap(\.batch) {
            for one in batch.questions {
                asked[one.question.kind, default: [:]][one.question, default: []].append((batch.asker, one.number))
            }
        }
        for kind in [Question.Kind.link, .preferences, .view] {
            let questions = Array((asked[kind] ?? [:]).keys)
            for start in stride(from: 0, to: questions.count, by: QuestionAnswers.most(kind)) {
                let some = Array(questions[start..<min(start + QuestionAnswers.most(kind), questions.count)])
                let found = await answers.answers(to: some, kind, now: clocks.milliseconds)
                var replies: [UInt64: [NumberedAnswer]] = [:]
                for (question, answer) in zip(some, found) {
                    meters.note(kind, answer)
                    for one in asked[kind]?[question] ?? [] { replies[one.asker, default: []].append(NumberedAnswer(one.number, answer)) }
                }
                try await store.answer(replies, [])
            }
        }
        try await store.answer([:], entries)
    }
}

/// What is told of answers in metrics.
private struct AnswerMeters: Sendable {
    private let answered: [Question.Kind: [String: Counter]]
    private let expired = Counter(label: "flotilla_questions_expired_total")
    private let waited = Metrics.Timer(label: "flotilla_question_wait_seconds")

    init() {
        answered = Dictionary(
            uniqueKeysWithValues: Question.Kind.allCases.map { kind in
                let counters = ["found", "gone", "unable"].map {
                    ($0, Counter(label: "flotilla_questions_answered_total", dimensions: [("kind", "\(kind)"), ("answer", $0)]))
                }
                return (kind, Dictionary(uniqueKeysWithValues: counters))
            })
    }

    func note(_ entries: [QuestionStore.Entry]) {
        for entry in entries {
            if entry.batch == nil { expired.increment() }
            waited.recordNanoseconds(entry.age.nanoseconds)
        }
    }

    func note(_ kind: Question.Kind, _ answer: Answer) {
        let name =
            switch answer {
            case .gone: "gone"
            case .unable, .tooLarge: "unable"
            case .preferences, .page, .target: "found"
            }
        answered[kind]?[name]?.increment()
    }
}
