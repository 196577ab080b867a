import Foundation
import Text

/// A note beside a ledger of how many commits it has, `LEDGER.commits`. A private Redis that ends in good order leaves nothing behind, so
/// that only this file tells an older copy, which somebody has put in the ledger's place, from the ledger.
package struct CommitFile: Sendable {
    /// Bytes of the note at most.
    private static let longest = 200

    package let path: String

    /// - Parameter ledger: the ledger's path.
    package init(ledger: String) { path = RealPath.of(ledger) + ".commits" }

    /// The number that was noted last; nil where the file is another ledger's, cannot be read, or is not there.
    /// - Parameter identity: the ledger's own.
    package func commits(of identity: String) -> Int64? {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        guard let bytes = try? file.read(upToCount: Self.longest) else { return nil }
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        guard words.count == 2, words[0] == identity, let commits = Int64(words[1].filter { $0 != "\n" }), commits >= 0 else { return nil }
        return commits
    }

    /// Replaces the note as a whole. Only the owner may read it.
    /// - Returns: why it cannot be written, for people; nil when it was.
    package func note(_ commits: Int64, of identity: String) -> String? {
        let partial = "\(path).partial-\(getpid())"
        unlink(partial)
        guard PrivateFile.create(partial) else { return "\(partial): " + String(cString: strerror(errno)) }
        var error = PrivateFile.write(Array("\(identity) \(commits)\n".utf8), to: partial) ?? Self.flush(partial)
        if error == nil { error = rename(partial, path) == 0 ? Self.flush((path as NSString).deletingLastPathComponent) : errno }
        guard let error else { return nil }
        unlink(partial)
        return "\(path): " + String(cString: strerror(error))
    }

    /// The file of the private Redis is removed behind the note: after a power failure one of them must be there.
    private static func flush(_ path: String) -> Int32? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        return fsync(descriptor) == 0 ? nil : errno
    }
}
