package import Ledger
package import Logging
import Metrics
package import Model
import Policy
import ServiceLifecycle
import Synchronization

/// Tells other systems of what the ledger's outbox holds. Of several on one ledger one works, and the others stand by: they take over when
/// it ends, or no longer renews its leadership.
package struct WebhookRole: Service {
    package typealias Store = WebhookStore & LeadershipStore & ChangeSource

    /// The times of the role.
    package struct Durations: Sendable {
        /// How long the leadership lasts without a renewal.
        package var lease = Duration.seconds(10)
        /// How long the outbox keeps what all were told, for replays, and what not all were told.
        package var keep = Duration.seconds(3 * 86_400)
        package var longest = Duration.seconds(7 * 86_400)
        /// How long a receiver may take nothing before it is disabled.
        package var patience = Duration.seconds(86_400)

        package init() {}
    }

    /// How often subscriptions are looked for without an event, and the outbox is pruned.
    private static let poll = Duration.seconds(5)
    private static let pruneInterval = Duration.seconds(600)

    private let ledger: any Store
    private let name: String
    private let durations: Durations
    private let logger: Logger
    private let clocks: Clocks
    private let active = Gauge(label: "flotilla_webhooks_active")

    /// - Parameter name: of the process.
    package init(ledger: any Store, name: String, durations: Durations = Durations(), clocks: Clocks = .system, logger: Logger) {
        (self.ledger, self.name, self.durations, self.clocks, self.logger) = (ledger, name, durations, clocks, logger)
    }

    package func run() async throws {
        let state = Subscriptions()
        await withGracefulShutdownHandler {
            await serve(state)
        } onGracefulShutdown: {
            state.end()
        }
    }

    private func serve(_ state: Subscriptions) async {
        var backoff = Backoff()
        var line = RepeatedLine()
        // The process in whose place this one works once that has ended.
        var former: String?
        while !state.stop.isStopping {
            do throws(LedgerError) {
                active.record(0)
                let asked = clocks.now
                let token = try await ledger.acquireLeadership(
                    Leadership.webhooks, holder: name, for: durations.lease, isHolderGone: false)
                guard let token else {
                    let leader = try await ledger.leader(Leadership.webhooks)?.holder ?? "another process"
                    if former != leader { logger.notice("standing by: \(leader) tells webhooks, and this process takes over when it ends") }
                    former = leader
                    await state.stop.wait(atMost: durations.lease / 5)
                    continue
                }
                logger.notice(former.map { "this process tells webhooks now, in place of \($0)" } ?? "this process tells webhooks")
                former = nil
                backoff = Backoff()
                active.record(1)
                let lease = WebhookLease(fencingToken: token, clocks: clocks)
                lease.renew(for: durations.lease, asked: asked)
                await work(lease, try await ledger.identity(), state)
                active.record(0)
                try await ledger.releaseLeadership(Leadership.webhooks, fencingToken: token)
            } catch {
                if line.add(at: clocks.monotonic) != nil { logger.error("webhooks wait: \(error)") }
                guard await backoff.wait(unless: state.stop) else { return }
            }
        }
    }

    /// Tells all subscriptions until the stop, or until the leadership is lost.
    private func work(_ lease: WebhookLease, _ identity: String, _ state: Subscriptions) async {
        let change = ledger.wake(state.wake)
        defer { change.cancel() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await keep(lease, state) }
            group.addTask { await prune(lease, state) }
            await withDiscardingTaskGroup { runners in
                var line = RepeatedLine()
                while lease.isHeld, !state.stop.isStopping {
                    do throws(LedgerError) {
                        for id in try await ledger.activeWebhooks() where state.begin(id) {
                            runners.addTask { await tell(id, lease, identity, state) }
                        }
                    } catch {
                        if line.add(at: clocks.monotonic) != nil { logger.error("webhooks wait: \(error)") }
                    }
                    // A commit that comes at once is looked at with the next.
                    await state.stop.wait(atMost: .milliseconds(200))
                    if !state.stop.isStopping { await state.wake.wait(atMost: Self.poll) }
                }
                state.wakeAll()
            }
            group.cancelAll()
        }
    }

    /// Tells one subscription until it is not active any more.
    private func tell(_ id: String, _ lease: WebhookLease, _ identity: String, _ state: Subscriptions) async {
        defer { state.finish(id) }
        guard let wake = state.signal(of: id) else { return }
        let change = ledger.wake(wake)
        defer { change.cancel() }
        let runner = WebhookRunner(
            ledger: ledger, identity: identity, lease: lease, stop: state.stop, wake: wake,
            limits: .init(patience: durations.patience.milliseconds), clocks: clocks, logger: logger)
        var backoff = Backoff()
        var line = RepeatedLine()
        while lease.isHeld, !state.stop.isStopping {
            do throws(LedgerError) {
                guard try await ledger.activeWebhook(id) != nil else { return }
                if try await runner.run(id) == .stopped { return }
                backoff = Backoff()
            } catch {
                if line.add(at: clocks.monotonic) != nil { logger.error("webhooks \(id) waits: \(error)") }
                guard await backoff.wait(unless: state.stop) else { return }
            }
        }
    }

    private func keep(_ lease: WebhookLease, _ state: Subscriptions) async {
        var line = RepeatedLine()
        while !Task.isCancelled {
            do { try await clocks.sleep(until: clocks.now + durations.lease / 3) } catch { return }
            let asked = clocks.now
            do throws(LedgerError) {
                let isOurs = try await ledger.renewLeadership(
                    Leadership.webhooks, fencingToken: lease.fencingToken, for: durations.lease)
                guard isOurs else {
                    lease.lose()
                    state.wakeAll()
                    return logger.warning("another process tells webhooks now; this one stands by")
                }
                lease.renew(for: durations.lease, asked: asked)
            } catch {
                if line.add(at: clocks.monotonic) != nil { logger.warning("the leadership of webhooks cannot be renewed: \(error)") }
            }
        }
    }

    private func prune(_ lease: WebhookLease, _ state: Subscriptions) async {
        let janitor = OutboxJanitor(
            ledger: ledger, keep: durations.keep, longest: durations.longest, clock: { clocks.milliseconds }, logger: logger)
        while !Task.isCancelled, lease.isHeld {
            await janitor.prune()
            do { try await clocks.sleep(until: clocks.now + Self.pruneInterval) } catch { return }
        }
    }
}

/// The subscriptions that are told, and how they are woken.
private final class Subscriptions: Sendable {
    let stop = StopRequest()
    /// Wakes whoever looks for subscriptions.
    let wake = WakeSignal()
    private let signals = Mutex<[String: WakeSignal]>([:])

    /// - Returns: false for one that is told already.
    func begin(_ id: String) -> Bool {
        signals.withLock { signals in
            guard signals[id] == nil else { return false }
            signals[id] = WakeSignal()
            return true
        }
    }

    func signal(of id: String) -> WakeSignal? { signals.withLock { $0[id] } }

    func finish(_ id: String) {
        signals.withLock { _ = $0.removeValue(forKey: id) }
        wake.notify()
    }

    func wakeAll() {
        for signal in signals.withLock({ Array($0.values) }) { signal.notify() }
        wake.notify()
    }

    func end() {
        stop.request()
        wakeAll()
    }
}
