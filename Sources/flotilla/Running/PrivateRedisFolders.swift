import Foundation
import Model
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
    var unreadable: String { data + "/unreadable" }
    var isSocketWithData: Bool { socket == data }
    private var file: String { data + "/appendonlydir" }
    /// Says where the socket is, for commands beside the process.
    private var address: String { Self.address(data) }
    /// Says whose work the file holds.
    private var owner: String { data + "/ledger" }
    /// Seconds after which an empty folder has no owner: a start fills its folder sooner.
    private static let abandoned: Int64 = 60
    private static let prefix = "flotilla-redis-"

    /// Makes the folders, readable by their owner alone.
    /// - Throws: `PrivateRedis.Failure`, which says what to do.
    init(ledger: String, temporary: String? = ProcessInfo.processInfo.environment["TMPDIR"]) throws {
        data = Self.data(of: ledger)
        if let why = Self.makeFolder(data) {
            throw PrivateRedis.Failure(
                description: "\(data), where the private Redis keeps its file, \(why): make room for it, or move it to another folder")
        }
        let name = Self.prefix + UUID().uuidString.prefix(8).lowercased()
        var refused: [String] = []
        for (title, base) in [("TMPDIR ", temporary ?? ""), ("", "/tmp"), ("", data)] where !base.isEmpty {
            let path = base == data ? data : URL(fileURLWithPath: base).appending(path: name).path
            if "\(path)/redis.sock".utf8.count > Self.longestPath {
                refused.append("\(title)\(base) is too long for the path of a socket")
            } else if let why = base == data ? nil : Self.makeFolder(path) {
                refused.append("\(title)\(base) \(why)")
            } else {
                if base != data { Self.removeAbandoned(in: base) }
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

    private static func data(of ledger: String) -> String { URL(fileURLWithPath: ledger).resolvingSymlinksInPath().path + ".redis" }
    private static func address(_ data: String) -> String { data + "/socket" }

    /// Lets commands find the server, once it is ready.
    func publishSocket() { _ = PrivateFile.write(Array(socketPath.utf8), to: address) }

    /// The socket of the private Redis that runs for a ledger now; nil where none answers.
    static func running(ledger: String) -> String? {
        guard let text = try? String(contentsOfFile: address(data(of: ledger)), encoding: .utf8), text.hasPrefix("/"),
            text.utf8.count <= longestPath, let found = FileStatus(path: text, followsLinks: false), found.isOurs, UnixPing.answers(text)
        else { return nil }
        return text
    }

    /// Removes the empty folders of processes that were killed.
    private static func removeAbandoned(in base: String) {
        let now = Clock.milliseconds() / 1000
        for name in (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? [] where name.hasPrefix(prefix) {
            guard let found = FileStatus(path: "\(base)/\(name)", followsLinks: false), found.kind == .directory, found.isOurs,
                now - found.modified / 1000 > abandoned
            else { continue }
            // One that holds anything stays.
            _ = rmdir("\(base)/\(name)")
        }
    }

    /// Ties the folder to a ledger: the file counts for that ledger only, and not for a new one at the same path.
    /// - Returns: where a file of another ledger was moved; nil where there is none.
    func tie(to ledger: String) -> String? {
        let before = (try? String(contentsOfFile: owner, encoding: .utf8))?.filter { $0.isASCII && ($0.isLetter || $0.isNumber) } ?? ""
        var moved: String?
        if hasFile, !before.isEmpty, before != ledger {
            let place = "\(data)-\(before.prefix(32))"
            try? FileManager.default.removeItem(atPath: place)
            if (try? FileManager.default.moveItem(atPath: file, toPath: place)) != nil { moved = place }
        }
        _ = PrivateFile.write(Array(ledger.utf8), to: owner)
        return moved
    }

    /// Makes the folders again, should somebody have removed them.
    /// - Throws: `PrivateRedis.Failure`.
    func make() throws {
        for path in [data, socket] {
            if let why = Self.makeFolder(path) { throw PrivateRedis.Failure(description: "\(path), where the private Redis lives, \(why)") }
        }
    }

    /// The folder that takes no more bytes; nil where both do. A full disk ends a server with few words, or none.
    var full: String? {
        let bytes = [UInt8](repeating: 0, count: 64 << 10)
        return [data, socket].first { folder in
            let probe = folder + "/probe"
            defer { unlink(probe) }
            return [ENOSPC, EDQUOT].contains(PrivateFile.write(bytes, to: probe) ?? 0)
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

    /// Sets the file aside, in place of one that was moved before.
    /// - Returns: false where there is none.
    func setFileAside() -> Bool {
        guard hasFile else { return false }
        try? FileManager.default.removeItem(atPath: unreadable)
        return (try? FileManager.default.moveItem(atPath: file, toPath: unreadable)) != nil
    }

    var hasFile: Bool { FileManager.default.fileExists(atPath: file) }

    func removeData() { try? FileManager.default.removeItem(atPath: data) }
}
