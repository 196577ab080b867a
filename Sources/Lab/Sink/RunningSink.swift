package import Model
import NIOCore
import NIOPosix
import Synchronization

/// A sink that listens: where, what it has counted, and how to stop it.
package final class RunningSink: Sendable {
    private struct State {
        var listeners: [SinkListener] = []
        var servers: [any NIOCore.Channel] = []
        var connections: [ObjectIdentifier: any NIOCore.Channel] = [:]
        var isStopping = false
    }

    private let shared: SinkContext
    private let group: MultiThreadedEventLoopGroup
    private let state = Mutex(State())
    /// Half of what a kill may lose, so that a late turn of the event loop still stays within 100 ms.
    private static let flushTime = TimeAmount.milliseconds(50)

    init(shared: SinkContext, group: MultiThreadedEventLoopGroup) {
        self.shared = shared
        self.group = group
    }

    /// The addresses that are bound, with their true ports, in the order of the configuration.
    package var listeners: [SinkListener] { state.withLock { $0.listeners } }

    /// The port bound for a scheme; nil when none is.
    package func port(_ scheme: Provider.Scheme) -> Int? {
        listeners.first { $0.scheme == scheme }?.port
    }

    /// What has been done until now.
    package var counts: SinkCounts { shared.counter.snapshot }

    /// Writes the lines gathered so far, so that the record holds all that was counted.
    package func flush() { shared.records?.flush() }

    /// Takes no more connections, gives the responses that are held back, closes, and writes the record's last lines.
    package func stop() async {
        let (servers, connections) = state.withLock { state in
            state.isStopping = true
            defer { state.servers = [] }
            return (state.servers, Array(state.connections.values))
        }
        for server in servers { try? await server.close() }
        for connection in connections { connection.pipeline.fireUserInboundEventTriggered(SinkStopping()) }
        for connection in connections { try? await connection.closeFuture.get() }
        try? await group.shutdownGracefully()
        shared.records?.close()
    }

    func add(_ server: any NIOCore.Channel, for listener: SinkListener) {
        var bound = listener
        bound.port = server.localAddress?.port ?? listener.port
        state.withLock { state in
            state.listeners.append(bound)
            state.servers.append(server)
        }
    }

    /// Remembers a connection until it is closed; false when the sink is stopping.
    func register(_ channel: any NIOCore.Channel) -> Bool {
        let id = ObjectIdentifier(channel)
        let isTaken = state.withLock { state in
            if !state.isStopping { state.connections[id] = channel }
            return !state.isStopping
        }
        if isTaken {
            channel.closeFuture.whenComplete { [weak self] _ in
                self?.state.withLock { state in _ = state.connections.removeValue(forKey: id) }
            }
        }
        return isTaken
    }

    func startFlushing() {
        guard let records = shared.records else { return }
        _ = group.next().scheduleRepeatedTask(initialDelay: Self.flushTime, delay: Self.flushTime) { _ in
            records.flush()
        }
    }
}
