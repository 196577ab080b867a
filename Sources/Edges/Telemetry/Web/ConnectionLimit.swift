import DequeModule
package import NIOCore
package import NIOHTTPTypes
import Synchronization

/// Bounds the connections of a server, so that clients which only connect, or begin requests and do not end them, take nothing from
/// anybody: a new connection beyond the limit takes the place of the one that has waited longest without a whole request, and where none
/// waits it is refused. A connection on which no request comes in time is closed.
package final class ConnectionLimit: Sendable {
    /// Bounds of a server.
    package struct Configuration: Sendable {
        /// Connections at once.
        package var connections: Int
        /// How long a new connection may take for its first request, and each for its next one.
        package var timeout: TimeAmount

        package init(connections: Int, timeout: TimeAmount = .seconds(15)) {
            self.connections = connections
            self.timeout = timeout
        }
    }

    private struct State {
        var next = 0
        /// All connections, by number.
        var all: [Int: any Channel] = [:]
        /// Those that wait for a whole request, with the place at which they began to.
        var waiting: [Int: Int] = [:]
        /// The same in the order of their places, and some that wait no more or have another place now.
        var order: Deque<(number: Int, place: Int)> = []

        /// A connection begins to wait.
        mutating func wait(_ number: Int) {
            next += 1
            waiting[number] = next
            order.append((number, next))
            guard order.count > 2 * waiting.count + 64 else { return }
            let waiting = waiting
            order.removeAll { waiting[$0.number] != $0.place }
        }

        /// Takes out the connection that has waited longest; nil where none waits.
        mutating func takeOldest() -> (any Channel)? {
            while let first = order.popFirst() {
                guard waiting[first.number] == first.place else { continue }
                waiting[first.number] = nil
                return all.removeValue(forKey: first.number)
            }
            return nil
        }
    }

    let configuration: Configuration
    private let state = Mutex(State())

    package init(_ configuration: Configuration) { self.configuration = configuration }

    /// Connections now.
    package var count: Int { state.withLock { $0.all.count } }

    /// What keeps one connection within the limit. It stands behind the decoder of requests.
    package func handler() -> ConnectionLimitHandler { ConnectionLimitHandler(self) }

    /// Takes in a connection.
    /// - Returns: its number; nil when it is refused.
    fileprivate func enter(_ channel: any Channel) -> Int? {
        let (number, evicted) = state.withLock { state -> (Int?, (any Channel)?) in
            var evicted: (any Channel)?
            if state.all.count >= configuration.connections {
                evicted = state.takeOldest()
                guard evicted != nil else { return (nil, nil) }
            }
            state.next += 1
            let number = state.next
            state.all[number] = channel
            state.wait(number)
            return (number, evicted)
        }
        evicted?.close(promise: nil)
        return number
    }

    fileprivate func note(_ number: Int, isWaiting: Bool) {
        state.withLock { state in
            guard state.all[number] != nil else { return }
            if isWaiting { state.wait(number) } else { state.waiting[number] = nil }
        }
    }

    fileprivate func leave(_ number: Int) {
        state.withLock { state in
            state.all[number] = nil
            state.waiting[number] = nil
        }
    }
}

/// One connection under a `ConnectionLimit`.
package final class ConnectionLimitHandler: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = HTTPRequestPart
    package typealias OutboundIn = Never

    private let limit: ConnectionLimit
    private var number: Int?
    private var deadline: Scheduled<Void>?

    fileprivate init(_ limit: ConnectionLimit) { self.limit = limit }

    /// Bytes that are read of a connection before others have their turn: requests that came together are answered in one go.
    private static let readBytes = 4096

    package func handlerAdded(context: ChannelHandlerContext) {
        // A channel without these options reads as it does.
        let options = context.channel.syncOptions
        try? options?.setOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.readBytes))
        try? options?.setOption(.maxMessagesPerRead, value: 1)
        number = limit.enter(context.channel)
        if number == nil { context.close(promise: nil) } else { wait(context) }
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        deadline?.cancel()
        if case .end = unwrapInboundIn(data), let number { limit.note(number, isWaiting: false) }
        context.fireChannelRead(data)
    }

    package func flush(context: ChannelHandlerContext) {
        context.flush()
        wait(context)
    }

    package func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    package func handlerRemoved(context: ChannelHandlerContext) { leave() }

    private func wait(_ context: ChannelHandlerContext) {
        deadline?.cancel()
        if let number { limit.note(number, isWaiting: true) }
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: limit.configuration.timeout) { context.close(promise: nil) }
    }

    private func leave() {
        deadline?.cancel()
        deadline = nil
        if let number { limit.leave(number) }
        number = nil
    }
}
