import Foundation
import Text

/// Where a private Redis keeps its socket and its file. The file lies beside the ledger that it belongs to. The socket lies in the
/// temporary folder; where that cannot take it, in /tmp or beside the ledger.
struct PrivateRedisFolders: Sendable {
    /// Bytes of a socket's path at most (unix(7), `sun_path`, less the zero byte at its end).
    private static let longestPath = 107

    /// Holds the append-only file.
    let data: String
    /// Holds the socket.
    let socket: String
    /// Why better places for the socket were not taken, a sentence each.
    let refused: [String]

    var socketPath: String { socket + "/redis.sock" }
    var log: String { data + "/redis.log" }
    /// Where a file goes that cannot be read.
    var aside: String { data + "/unreadable" }
    var isSocketWithData: Bool { socket == data }
    private var file: String { data + "/appendonlydir" }

    /// Makes the folders, for the eyes of their owner alone.
    /// - Throws: `PrivateRedis.Failure`, which says what to do.
    init(ledger: String, temporary: String? = ProcessInfo.processInfo.environment["TMPDIR"]) throws {
        data = URL(fileURLWithPath: ledger).resolvingSymlinksInPath().path + ".redis"
        if let why = Self.makeFolder(data) {
            throw PrivateRedis.Failure(
                description: "\(data), where the private Redis keeps its file, \(why): make room for it, or move it away")
        }
        let name = "flotilla-redis-\(UUID().uuidString.prefix(8).lowercased())"
        var refused: [String] = []
        for (title, base) in [("TMPDIR ", temporary ?? ""), ("", "/tmp"), ("", data)] where !base.isEmpty {
            let path = base == data ? data : URL(fileURLWithPath: base).appending(path: name).path
            if "\(path)/redis.sock".utf8.count > Self.longestPath {
                refused.append("\(title)\(base) is too long for the path of a socket")
            } else if let why = base == data ? nil : Self.makeFolder(path) {
                refused.append("\(title)\(base) \(why)")
            } else {
                socket = path
                self.refused = refused
                return
            }
        }
        throw PrivateRedis.Failure(
            description: """
                no folder can take the socket of the private Redis (\(refused.joined(separator: "; "))): set TMPDIR to a folder with a \
                short path that can be written to, or name a running Redis with --redis URL
                """)
    }

    /// Makes the folders again, should somebody have removed them.
    /// - Throws: `PrivateRedis.Failure`.
    func make() throws {
        for path in [data, socket] {
            if let why = Self.makeFolder(path) { throw PrivateRedis.Failure(description: "\(path), where the private Redis lives, \(why)") }
        }
    }

    /// - Returns: why there is no such folder, for people; nil when there is.
    private static func makeFolder(_ path: String) -> String? {
        if mkdir(path, 0o700) == 0 { return nil }
        guard errno == EEXIST else { return "cannot be used: " + String(cString: strerror(errno)) }
        // Not through a link that somebody else may have laid there.
        guard let found = FileStatus(path: path, followsLinks: false), found.kind == .directory, found.isOurs else {
            return "is there and is no folder of ours"
        }
        _ = chmod(path, 0o700)
        return nil
    }

    /// Moves the file away, in place of one that was moved before.
    /// - Returns: false where there is none.
    func setFileAside() -> Bool {
        guard hasFile else { return false }
        try? FileManager.default.removeItem(atPath: aside)
        return (try? FileManager.default.moveItem(atPath: file, toPath: aside)) != nil
    }

    var hasFile: Bool { FileManager.default.fileExists(atPath: file) }

    func removeData() { try? FileManager.default.removeItem(atPath: data) }
}
