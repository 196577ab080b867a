import Foundation
import Text

/// The file `LEDGER.commits` beside a ledger, which holds a note of each ledger that was at this path lately. It never names a commit that
/// the ledger has not made, so that no process or machine that ends at any moment makes a ledger look older than it is.
package struct LedgerNotes: Sendable {
    /// The file cannot be believed.
    package struct Unreadable: Error, CustomStringConvertible {
        package let description: String
    }

    private struct Content: Codable {
        var version = 1
        /// The ledger that was noted last comes first.
        var ledgers: [LedgerNote]
    }

    /// What is written at most. An earlier release wrote up to 2.4 MB, and refused to read it.
    private static let mostBytes = 1 << 20
    private static let mostBytesRead = 4 << 20
    private static let mostLedgers = 8

    package let path: String

    /// - Parameter ledger: the ledger's path.
    package init(ledger: String) { path = RealPath.of(ledger) + ".commits" }

    /// What is noted of a ledger; nil for nothing.
    /// - Parameter identity: the ledger's.
    package func note(of identity: String) throws(Unreadable) -> LedgerNote? { try all().first { $0.ledger == identity } }

    /// What is noted of the ledger that was here last; nil for nothing.
    func last() throws(Unreadable) -> LedgerNote? { try all().first }

    /// Changes what is noted of a ledger. A file that cannot be read is made anew. Beyond the size limit parts are dropped, the least
    /// important first: names of mailings, other ledgers, the batches that were reached (all may have been then), and of mailings the
    /// oldest.
    /// - Returns: why it cannot be written, for people; nil when it was.
    func change(_ identity: String, _ change: (inout LedgerNote) -> Void) -> String? {
        let all = (try? all()) ?? []
        var note = all.first { $0.ledger == identity } ?? LedgerNote(ledger: identity)
        change(&note)
        var content = Content(ledgers: [note] + all.filter { $0.ledger != identity }.prefix(Self.mostLedgers - 1))
        guard let bytes = Self.bounded(&content) else { return "\(path): it cannot be encoded" }
        return PrivateFile.replace(Array(bytes), at: path).map { "\(path): " + String(cString: strerror($0)) }
    }

    private static func bounded(_ content: inout Content) -> Data? {
        while let bytes = try? JSONEncoder().encode(content) {
            if bytes.count <= mostBytes { return bytes }
            let others = content.ledgers.indices.dropFirst()
            if others.contains(where: { content.ledgers[$0].hasNames }) {
                for place in others { content.ledgers[place].removeNames() }
            } else if content.ledgers[0].hasNames {
                content.ledgers[0].removeNames()
            } else if !others.isEmpty {
                content.ledgers.removeLast()
            } else if !content.ledgers[0].shorten() {
                return nil
            }
        }
        return nil
    }

    /// Removes the file: what it says would be wrong.
    /// - Returns: whether there is none any more.
    func remove() -> Bool { unlink(path) == 0 || errno == ENOENT }

    /// The note as the first release that had one wrote it: the ledger's identity and its commits.
    private static func older(_ bytes: Data) -> LedgerNote? {
        guard bytes.count <= 200 else { return nil }
        let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard words.count == 2, !words[0].contains("{"), let commits = Int64(words[1]), commits >= 0 else { return nil }
        var note = LedgerNote(ledger: String(words[0]))
        note.commits = commits
        return note.isPossible ? note : nil
    }

    private func all() throws(Unreadable) -> [LedgerNote] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return [] }
            throw Unreadable(description: String(cString: strerror(errno)))
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        guard let status = FileStatus(descriptor: descriptor), status.kind == .regular, status.isOurs, status.size <= Self.mostBytesRead
        else {
            throw Unreadable(description: "it is no file of ours")
        }
        let bytes = try? file.read(upToCount: Self.mostBytesRead)
        if let note = bytes.flatMap(Self.older) { return [note] }
        guard let bytes, let content = try? JSONDecoder().decode(Content.self, from: bytes),
            content.version == 1, content.ledgers.count <= Self.mostLedgers, content.ledgers.allSatisfy(\.isPossible)
        else { throw Unreadable(description: "its content cannot be read") }
        return content.ledgers
    }
}
