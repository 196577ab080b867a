import Foundation
import GRDB
import Logging

/// The loop of a `CommitWatcher`'s thread: waits for events of the file and its log, and confirms each by `PRAGMA data_version`.
///
/// The kernel tells of the write to the log. SQLite makes the commit visible only later, when the log is on the disk, and no event tells of
/// that. So the file is looked at several times after an event, also when the first look finds a commit: it may be an earlier one.
struct CommitWatch {
    /// The pause after a check, in milliseconds. It doubles, up to the longest, while others write all the time.
    private static let pause: Int32 = 2
    private static let longestPause: Int32 = 64
    /// How often the file is looked at where there are no events, in milliseconds.
    private static let fallback: Int32 = 2000

    private let path: String
    private let stop: Int32
    private let logger: Logger
    private let onCommit: @Sendable () -> Void
    private var folder: FolderWatch?
    private var connection: DatabaseQueue?
    private var version: Int?
    private var looks = RepeatedLooks()
    private var pause = pause

    init(path: String, stop: Int32, logger: Logger, onCommit: @escaping @Sendable () -> Void) {
        // SQLite puts its log beside the file that a link leads to.
        let file = URL(fileURLWithPath: path).resolvingSymlinksInPath()
        self.path = file.path
        self.stop = stop
        self.logger = logger
        self.onCommit = onCommit
        do {
            folder = try FolderWatch(
                folder: file.deletingLastPathComponent().path, names: [file.lastPathComponent, file.lastPathComponent + "-wal"])
        } catch {
            Self.warn(logger, "\(error)")
        }
        version = currentVersion()
        // What was written before the watch began may become visible now.
        looks.begin()
    }

    /// Watches until `stop`, the end of a pipe, can be read from.
    mutating func run() {
        while !wait() {
            look()
            guard Self.poll([stop], pause).isEmpty else { return }
        }
    }

    mutating func close() {
        try? connection?.close()
        connection = nil
    }

    /// Waits for events, or for the time of the next look.
    /// - Returns: whether the watch is to end.
    private mutating func wait() -> Bool {
        let delay = looks.next()
        guard let folder else { return Self.poll([stop], delay ?? Self.fallback).contains(stop) }
        let ready = Self.poll([stop, folder.descriptor], delay ?? -1)
        if ready.contains(stop) { return true }
        guard ready.contains(folder.descriptor) else {
            pause = Self.pause
            return false
        }
        take(folder.events())
        pause = min(Self.longestPause, pause * 2)
        return false
    }

    private mutating func take(_ events: FolderWatch.Events) {
        if events.isOver {
            folder = nil
            Self.warn(logger, "its folder was moved or removed")
        }
        if events.arrived.contains((path as NSString).lastPathComponent) || events.isOver {
            // Another file may have the name now: what its version was before is not known.
            close()
            version = nil
            looks.begin()
        } else if events.isIncomplete || events.isModified || !events.arrived.isEmpty {
            looks.begin()
        }
    }

    /// Tells of a commit where there was one since the last look, and of a file that cannot be read, which may hide one.
    private mutating func look() {
        let current = currentVersion()
        guard current != version || current == nil else { return }
        version = current
        onCommit()
    }

    /// A number that changes with each commit of another connection; nil where the file cannot be read.
    private mutating func currentVersion() -> Int? {
        do {
            if connection == nil {
                var configuration = Configuration()
                configuration.label = "ledger changes"
                configuration.readonly = true
                connection = try DatabaseQueue(path: path, configuration: configuration)
            }
            return try connection?.inDatabase { try Int.fetchOne($0.cachedStatement(sql: "PRAGMA data_version")) }
        } catch {
            connection = nil
            return nil
        }
    }

    /// Waits until one of the descriptors is readable.
    /// - Parameter timeout: in milliseconds; below 0 for no end.
    private static func poll(_ descriptors: [Int32], _ timeout: Int32) -> [Int32] {
        var entries = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        guard Glibc.poll(&entries, nfds_t(entries.count), timeout) > 0 else { return [] }
        return entries.filter { $0.revents != 0 }.map(\.fd)
    }

    private static func warn(_ logger: Logger, _ reason: String) {
        logger.warning("changes of the ledger are looked for every \(fallback / 1000) s: its folder cannot be watched (\(reason))")
    }
}

/// When the file is checked after an event: at once, and then at growing intervals until a commit must be visible.
struct RepeatedLooks {
    private static let second: Int32 = 4
    private static let last: Int32 = 512

    private var delay: Int32?

    /// Begins again, as after an event.
    mutating func begin() { delay = 0 }

    /// The wait until the next look, in milliseconds; nil when none is needed.
    mutating func next() -> Int32? {
        guard let delay else { return nil }
        self.delay = delay >= Self.last ? nil : max(Self.second, delay * 2)
        return delay
    }
}
