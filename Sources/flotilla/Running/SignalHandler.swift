import Delivery
import Foundation
import Logging
import ServiceLifecycle
import Synchronization
import UnixSignals

/// Handles SIGTERM, Ctrl-C and the end of the terminal (SIGHUP). Before the services run, a signal ends the process at once. Then the first
/// asks them for a graceful stop, and one that comes later ends that early.
final class SignalHandler: Sendable {
    private struct State {
        var services: ServiceGroup?
        var worker: Worker?
        /// The name of the first signal since the services run.
        var received: String?
    }

    private let state = Mutex(State())
    private let status: ExitStatus
    private let logger: Logger

    /// The first signal that came while services ran, by its name; nil for none.
    var received: String? { state.withLock { $0.received } }

    /// - Parameter status: with which the process ends before its services run.
    init(status: ExitStatus, logger: Logger) {
        self.status = status
        self.logger = logger
        // Until the task below has trapped them, which may take a moment, a signal does what it would do then.
        let signals = Self.endAtOnce(status: status)
        Task { await watch(signals) }
    }

    /// From now on a signal ends the process at once: with `done`, or with `interrupted` for any other status.
    /// - Returns: the signals.
    @discardableResult
    static func endAtOnce(status: ExitStatus) -> [UnixSignal] {
        let signals = signals
        for one in signals {
            // A handler of C captures nothing.
            if status == .done {
                signal(one.rawValue) { _ in _exit(ExitStatus.done.rawValue) }
            } else {
                signal(one.rawValue) { _ in _exit(ExitStatus.interrupted.rawValue) }
            }
        }
        return signals
    }

    /// Of these SIGHUP only where it is not ignored: nohup(1) asks for that.
    private static var signals: [UnixSignal] {
        let before = signal(SIGHUP, SIG_DFL)
        let isIgnored = unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
        if isIgnored { signal(SIGHUP, SIG_IGN) }
        return [.sigterm, .sigint] + (isIgnored ? [] : [.sighup])
    }

    /// From now on the first signal stops services.
    /// - Parameter worker: the worker whose graceful stop a second signal ends early.
    func begin(_ services: ServiceGroup, worker: Worker?) {
        state.withLock { $0 = State(services: services, worker: worker) }
    }

    /// Signals that come together are one order: a service manager sends SIGHUP behind SIGTERM, and Ctrl-C reaches a program both from
    /// the terminal and from whoever started it.
    private static let oneOrder = Duration.seconds(1)

    private func watch(_ signals: [UnixSignal]) async {
        var first: ContinuousClock.Instant?
        for await signal in await UnixSignalsSequence(trapping: signals) {
            let now = state.withLock { $0 }
            guard let services = now.services else {
                logger.info("ends before its start: \(signal)", metadata: ["reason": "\(signal)"])
                exit(status.rawValue)
            }
            guard let begun = first else {
                first = .now
                state.withLock { $0.received = "\(signal)" }
                await services.triggerGracefulShutdown()
                continue
            }
            if .now - begun < Self.oneOrder { continue }
            logger.warning("a second signal ends the graceful stop early")
            await now.worker?.cut()
            // The last results need a moment to reach Redis. Then the process ends, whatever still hangs.
            try? await Task.sleep(for: .seconds(3))
            logger.critical("the process ends now; messages in flight are uncertain, and other workers take over its batches")
            exit(ExitStatus.lostResults.rawValue)
        }
    }
}
