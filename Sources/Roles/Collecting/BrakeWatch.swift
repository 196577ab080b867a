package import Ledger
package import Logging
import Metrics
package import Model
package import Policy
import ServiceLifecycle
import Synchronization

/// The brake: pauses mailings with too many complaints or hard bounces, and warns of them. It runs beside the collectors of its process,
/// which never wait for it: they say of which mailings they have written any, and it asks the ledger what all collectors have written.
package final class BrakeWatch: Service {
    package typealias Store = BrakeStore & MailingStore

    /// What of a mailing is in the ledger already.
    private struct Known {
        var since: Int64
        var keys: Set<BrakeFinding.Key> = []
    }

    private struct State {
        var waiting: Set<MailingID> = []
        var known: [MailingID: Known] = [:]
    }

    /// Mailings at most whose findings are remembered, and that are looked at at the start.
    private static let most = 1_000
    /// The shortest time between two looks, and how many times as long as a look took it is.
    private static let pace = (least: Duration.milliseconds(200), share: 10)

    private let thresholds: BrakeThresholds
    private let ledger: any Store
    private let providers = ProviderNames()
    private let clocks: Clocks
    private let logger: Logger
    private let signal = WakeSignal()
    private let state = Mutex(State())
    private let found: [BrakeFinding.Key: Counter]

    package init(_ thresholds: BrakeThresholds, ledger: any Store, clocks: Clocks = .system, logger: Logger) {
        (self.thresholds, self.ledger, self.clocks, self.logger) = (thresholds, ledger, clocks, logger)
        var found: [BrakeFinding.Key: Counter] = [:]
        for kind in BrakeFinding.Kind.allCases {
            for window in BrakeFinding.Window.allCases {
                for level in BrakeFinding.Level.allCases {
                    found[.init(kind, window, level)] = Counter(
                        label: "flotilla_brake_findings_total",
                        dimensions: [("kind", kind.rawValue), ("window", window.rawValue), ("level", level.rawValue)])
                }
            }
        }
        self.found = found
    }

    /// Has mailings be looked at of which bounces or complaints are in the ledger now.
    package func note(_ mailings: Set<MailingID>) {
        guard !mailings.isEmpty, !thresholds.isOff else { return }
        state.withLock { $0.waiting.formUnion(mailings) }
        signal.notify()
    }

    /// Watches until a graceful shutdown. What was written and not looked at before the last end is looked at first.
    package func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            var line = RepeatedLine()
            var isFirst = true
            while !Task.isCancelled {
                let start = clocks.monotonic
                do throws(LedgerError) {
                    if isFirst { note(Set(try await ledger.mailings(states: [.sending], limit: Self.most).map(\.id))) }
                    isFirst = false
                    try await look()
                } catch {
                    if line.add(at: clocks.monotonic) != nil { logger.warning("the brake does not see what came back: \(error)") }
                }
                let took = Duration.nanoseconds(clocks.monotonic - start)
                try? await Task.sleep(for: max(Self.pace.least, took * Self.pace.share))
                if !isFirst, state.withLock({ $0.waiting.isEmpty }) { await signal.wait(atMost: nil) }
            }
        }
    }

    /// Looks at the mailings that wait for it. Those that could not be looked at wait on.
    func look() async throws(LedgerError) {
        while let id = state.withLock({ $0.waiting.popFirst() }) {
            do throws(LedgerError) { try await look(at: id) } catch {
                state.withLock { _ = $0.waiting.insert(id) }
                throw error
            }
        }
    }

    private func look(at id: MailingID) async throws(LedgerError) {
        let now = clocks.milliseconds
        guard let facts = try await ledger.brakeFacts(id, now: now) else { return }
        let findings = facts.windows.judge(thresholds, at: now)
        let known = state.withLock { state -> Set<BrakeFinding.Key> in
            guard let known = state.known[id], known.since == facts.since else { return [] }
            return known.keys
        }
        let pauses = facts.state == .sending && findings.contains { $0.key.level == .pause }
        guard pauses || findings.contains(where: { !known.contains($0.key) }) else { return }
        let (new, isPaused) = try await ledger.noteBrake(findings, of: id, since: facts.since, now: now)
        state.withLock { state in
            if state.known.count >= Self.most { state.known.removeAll() }
            state.known[id] = Known(since: facts.since, keys: known.union(findings.map(\.key)))
        }
        await tell(new, of: id, isPaused: isPaused)
    }

    private func tell(_ findings: [BrakeFinding], of id: MailingID, isPaused: Bool) async {
        guard isPaused || !findings.isEmpty else { return }
        var fields = await providers.fields(of: id, in: ledger)
        for finding in findings { found[finding.key]?.increment() }
        func log(_ finding: BrakeFinding, _ level: Logger.Level, _ what: String) {
            fields["finding"] = "\(finding.key.kind.rawValue)_\(finding.key.window.rawValue)"
            logger.log(level: level, "mailing \(id)\(what): \(finding.words)", metadata: fields)
        }
        // Of a pause the reason is enough.
        let reason = isPaused ? findings.first { $0.key.level == .pause } : nil
        if let reason { log(reason, .error, " is paused by the brake") }
        for finding in findings where reason == nil || finding.key.level == .warn { log(finding, .warning, "") }
    }
}
