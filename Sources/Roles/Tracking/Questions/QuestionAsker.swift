package import Broker
package import Logging
import Metrics
package import Model
import Policy
import ServiceLifecycle
import Synchronization

/// Asks the ledger what visitors want to see, by way of Redis and a collector; the shell of `PendingQuestions`. A visitor waits two seconds
/// at most. Events go their way apart from this.
package final class QuestionAsker: Service {
    private typealias Waiter = CheckedContinuation<Answer?, Never>

    private let store: QuestionStore
    /// Names this life of the tracker in Redis.
    private let asker = UInt64.random(in: 1 ... .max)
    private let state: Mutex<PendingQuestions<Waiter>>
    private let line = Mutex(RepeatedLine())
    private let clocks: Clocks
    private let logger: Logger
    /// Notified when there is something to send, and when there is something to wait for.
    private let sends = WakeSignal()
    private let waits = WakeSignal()
    /// Notified at the graceful shutdown.
    private let closing = WakeSignal()
    private let meters = QuestionMeters()

    /// How often it is looked who has waited long enough.
    private static let step = Duration.milliseconds(50)
    /// How long a read of answers waits.
    private static let block = Duration.seconds(5)

    package convenience init(_ broker: Broker, clocks: Clocks = .system, logger: Logger) {
        self.init(broker, bounds: QuestionBounds(), clocks: clocks, logger: logger)
    }

    init(_ broker: Broker, bounds: QuestionBounds, clocks: Clocks = .system, logger: Logger) {
        store = QuestionStore(broker)
        (self.clocks, self.logger) = (clocks, logger)
        state = Mutex(PendingQuestions(bounds))
    }

    /// The answer to a question; nil where none came in time.
    package func answer(to question: Question) async -> Answer? {
        let start = clocks.now
        let answer: Answer? = await withCheckedContinuation { waiter in
            switch state.withLock({ $0.ask(question, by: waiter, at: now) }) {
            case .known(let answer):
                meters.count(question.kind, .cached)
                waiter.resume(returning: answer)
            case .waits(let isNew):
                guard isNew else { return }
                sends.notify()
                waits.notify()
            case .refused:
                meters.count(question.kind, .refused)
                waiter.resume(returning: nil)
            }
        }
        meters.waited(clocks.now - start)
        return answer
    }

    /// A recipient chose something: the ledger knows it a moment later.
    func note(_ choice: TrackedEvent) { state.withLock { $0.note(choice, at: now) } }

    /// Asks until graceful shutdown: whoever has questions ends before.
    package func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                // As in `EventBuffer`: a flood of requests leaves no turn to tasks of its own priority.
                group.addTask(priority: .high) { await self.send() }
                group.addTask(priority: .high) { await self.expire() }
                await self.receive()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            self.state.withLock { $0.end() }.forEach { $0.waiter.resume(returning: nil) }
            self.closing.notify()
        }
        state.withLock { $0.end() }.forEach { $0.waiter.resume(returning: nil) }
    }

    private func send() async {
        while !Task.isCancelled {
            await sends.wait(atMost: nil)
            while !Task.isCancelled {
                // What comes while these are on their way goes together.
                let batch = state.withLock { $0.takeUnsent() }
                if batch.isEmpty { break }
                do throws(RedisError) { try await store.ask(QuestionBatch(asker: asker, batch)) } catch {
                    say("\(error)")
                    for one in batch { give(nothing: state.withLock { $0.fail(one.number) }) }
                }
            }
        }
    }

    private func receive() async {
        await withDiscardingTaskGroup { group in
            // A read that blocks is ended by closing its connection.
            group.addTask {
                await self.closing.wait(atMost: nil)
                await self.store.close()
            }
            var backoff = Backoff()
            while !Task.isCancelled {
                do throws(RedisError) {
                    for one in try await store.answers(to: asker, atMost: Self.block) { give(one) }
                    backoff = Backoff()
                } catch {
                    if state.withLock({ $0.hasEnded }) { break }
                    say("\(error)")
                    guard await backoff.wait() else { break }
                }
            }
            group.cancelAll()
        }
    }

    private func give(_ one: NumberedAnswer) {
        let (waiters, bytes) = state.withLock { ($0.answered(one, at: now), $0.cache.bytes) }
        meters.cached(bytes)
        for waiter in waiters { waiter.resume(returning: one.answer) }
        meters.answered(waiters.count)
    }

    private func expire() async {
        while !Task.isCancelled {
            await waits.wait(atMost: nil)
            while !Task.isCancelled, !state.withLock({ $0.isEmpty }) {
                try? await clocks.sleep(until: clocks.now + Self.step)
                let late = state.withLock { $0.expired(at: now) }
                if !late.isEmpty { say("no collector answers in time") }
                give(nothing: late)
            }
        }
    }

    private func give(nothing late: [(question: Question, waiter: Waiter)]) {
        for one in late {
            meters.count(one.question.kind, .unanswered)
            one.waiter.resume(returning: nil)
        }
    }

    private func say(_ problem: String) {
        guard let count = line.withLock({ $0.add(at: clocks.monotonic) }) else { return }
        logger.warning("visitors' questions have no answer: \(problem)\(RepeatedLine.text(count))")
    }

    private var now: Int64 { clocks.monotonic / 1_000_000 }
}

/// What is told of questions in metrics.
private struct QuestionMeters: Sendable {
    enum Outcome: String, CaseIterable { case cached, unanswered, refused }

    private let counters: [Question.Kind: [Outcome: Counter]]
    private let answers = Counter(label: "flotilla_tracker_answers_total")
    private let time = Metrics.Timer(label: "flotilla_tracker_question_seconds")
    private let bytes = Gauge(label: "flotilla_tracker_answers_cached_bytes")

    init() {
        counters = Dictionary(
            uniqueKeysWithValues: Question.Kind.allCases.map { kind in
                let counters = Outcome.allCases.map { outcome in
                    let labels = [("kind", "\(kind)"), ("outcome", outcome.rawValue)]
                    return (outcome, Counter(label: "flotilla_tracker_questions_total", dimensions: labels))
                }
                return (kind, Dictionary(uniqueKeysWithValues: counters))
            })
    }

    func count(_ kind: Question.Kind, _ outcome: Outcome) { counters[kind]?[outcome]?.increment() }
    func answered(_ count: Int) { answers.increment(by: count) }
    func waited(_ duration: Duration) { time.recordNanoseconds(duration.nanoseconds) }
    func cached(_ count: Int) { bytes.record(count) }
}
