import Metrics
import Model
import NIOCore
import Synchronization

/// What the connections of a server of mail share.
final class MailServerState: Sendable {
    /// A complete message, and what is to be called with what became of it.
    struct Job: Sendable {
        let mail: IncomingMail
        let reply: @Sendable (MailVerdict) -> Void
    }

    private struct State {
        var channels: [ObjectIdentifier: any NIOCore.Channel] = [:]
        var isStopping = false
    }

    let hostname: String
    let bounds: MailServer.Bounds
    let memory: MemoryBudget
    let meters = MailServerMeters()
    /// No more of them than there are connections.
    let jobs: AsyncStream<Job>
    private let submitting: AsyncStream<Job>.Continuation
    private let state = Mutex(State())
    private let clocks: Clocks

    init(hostname: String, bounds: MailServer.Bounds, clocks: Clocks) {
        (self.hostname, self.bounds, self.clocks) = (hostname, bounds, clocks)
        memory = MemoryBudget(bounds.memory)
        (jobs, submitting) = AsyncStream.makeStream()
    }

    /// Milliseconds, for deadlines.
    var now: Int64 { clocks.monotonic / 1_000_000 }

    var isStopping: Bool { state.withLock { $0.isStopping } }

    /// - Returns: false where there are as many connections as may be.
    func open(_ channel: any NIOCore.Channel) -> Bool {
        let count = state.withLock { state -> Int? in
            guard state.channels.count < bounds.connections, !state.isStopping else { return nil }
            state.channels[ObjectIdentifier(channel)] = channel
            return state.channels.count
        }
        guard let count else {
            meters.refused("connections")
            return false
        }
        meters.connections.record(count)
        return true
    }

    func close(_ channel: any NIOCore.Channel) {
        let (count, isOver) = state.withLock { state in
            state.channels[ObjectIdentifier(channel)] = nil
            return (state.channels.count, state.isStopping && state.channels.isEmpty)
        }
        meters.connections.record(count)
        if isOver { submitting.finish() }
    }

    func submit(_ mail: IncomingMail, reply: @escaping @Sendable (MailVerdict) -> Void) { submitting.yield(Job(mail: mail, reply: reply)) }

    /// Takes no further messages. Connections that have begun one may end it.
    func stop() {
        let channels = state.withLock { state in
            state.isStopping = true
            return Array(state.channels.values)
        }
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(MailServerStopping()) }
        if channels.isEmpty { submitting.finish() }
    }

    func closeAll() {
        for channel in state.withLock({ Array($0.channels.values) }) { channel.close(promise: nil) }
        submitting.finish()
    }
}

/// Counts what a server of mail refuses, and its connections.
struct MailServerMeters: Sendable {
    let connections = Gauge(label: "flotilla_bounces_connections")

    func refused(_ reason: String) { Counter(label: "flotilla_bounces_refused_total", dimensions: [("reason", reason)]).increment() }
}
