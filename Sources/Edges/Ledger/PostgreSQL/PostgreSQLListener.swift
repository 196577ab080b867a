import CPQ
import Foundation
import Logging
import Synchronization

/// Tells of commits by other processes: it listens on a connection of its own, and looks every two seconds, as a notification may be lost
/// with a connection. It sends those of this process, so many at a time that none waits for another.
final class PostgreSQLListener: Sendable {
    /// Commits that follow one another closely are told together.
    private static let pause: UInt32 = 20_000
    private static let poll: Int32 = 2000

    private let url: String
    private let schema: String?
    private let logger: Logger
    private let notify: @Sendable () -> Void
    /// A byte wakes the thread.
    private let reader: Int32
    private let writer: Int32
    private struct State {
        var isEnding = false
        var hasNews = false
    }
    private let state = Mutex(State())

    /// - Parameter schema: where the ledger's tables are; nil for where they are found.
    init(url: String, schema: String?, logger: Logger, notify: @escaping @Sendable () -> Void) {
        (self.url, self.schema, self.logger, self.notify) = (url, schema, logger, notify)
        var ends: [Int32] = [-1, -1]
        if pipe(&ends) != 0 { ends = [-1, -1] }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (reader, writer) = (ends[0], ends[1])
        let thread = Thread { [self] in run() }
        thread.name = "ledger-listener"
        thread.start()
    }

    /// Has others told that this process has changed something.
    func tell() {
        let isFirst = state.withLock { state in
            defer { state.hasNews = true }
            return !state.hasNews
        }
        if isFirst { wake() }
    }

    /// Ends the thread, soon.
    func end() {
        state.withLock { $0.isEnding = true }
        wake()
    }

    private func wake() {
        var byte: UInt8 = 1
        _ = write(writer, &byte, 1)
    }

    private func run() {
        var connection: PostgreSQLConnection?
        var seen: Int64?
        var isTold = false
        while !state.withLock({ $0.isEnding }) {
            do {
                let open = try connection ?? Self.open(url, schema)
                connection = open
                if state.withLock({ state in
                    defer { state.hasNews = false }
                    return state.hasNews
                }) {
                    try open.run("NOTIFY flotilla_ledger")
                }
                let now = try open.run(Self.count).integer(0, 0)
                // The first time, too: what was written before it listened was told to nobody.
                if now != seen { notify() }
                seen = now
                if isTold { logger.notice("changes of the ledger by others are told again") }
                isTold = false
                try wait(open)
                usleep(Self.pause)
            } catch {
                (connection, seen) = (nil, nil)
                if !isTold { logger.warning("changes of the ledger by others are not told at the moment: \(error)") }
                isTold = true
                // Whoever waits looks for themselves.
                notify()
                var item = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
                _ = Foundation.poll(&item, 1, Self.poll)
                drain()
            }
        }
    }

    /// Not when the thread ends: whoever writes to the ledger then wakes it still.
    deinit {
        close(reader)
        close(writer)
    }

    private static let count = PostgreSQLStatement(name: "changes", sql: "SELECT coalesce(sum(changes), 0) FROM writer")

    private static func open(_ url: String, _ schema: String?) throws -> PostgreSQLConnection {
        let connection = try PostgreSQLConnection(url: url)
        try connection.prepareSession(schema: schema)
        try connection.run("LISTEN flotilla_ledger")
        return connection
    }

    /// Until a notification comes, this process has news, or two seconds have passed.
    private func wait(_ connection: PostgreSQLConnection) throws(PostgreSQLError) {
        var items = [
            pollfd(fd: connection.socket, events: Int16(POLLIN), revents: 0), pollfd(fd: reader, events: Int16(POLLIN), revents: 0),
        ]
        _ = Foundation.poll(&items, 2, Self.poll)
        drain()
        try connection.takeNotifications()
    }

    private func drain() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(reader, &bytes, bytes.count) > 0 {}
    }
}

extension PostgreSQLConnection {
    var socket: Int32 { PQsocket(connection) }

    /// Forgets the notifications that have come: that there were some is all that they say.
    func takeNotifications() throws(PostgreSQLError) {
        guard PQconsumeInput(connection) == 1 else { throw lost() }
        while let notification = PQnotifies(connection) { PQfreemem(notification) }
    }
}
