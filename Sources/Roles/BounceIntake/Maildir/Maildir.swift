import Foundation
import Transport

/// A folder of mails, a file each (maildir(5)): a mail that is whole is in `new`, and in `cur` once it was seen.
package struct Maildir: Sendable {
    package let path: String
    /// Where mails go that were read.
    let done: String

    /// - Parameter done: nil for the Maildir's `cur`.
    /// - Throws: `MaildirError` where a folder is missing, or mails cannot be moved.
    package init(_ path: String, done: String? = nil) throws(MaildirError) {
        self.path = path
        self.done = done ?? path + "/cur"
        for folder in [arrivals, self.done] {
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
                throw MaildirError(description: "\(folder) is not a folder: make it, or correct bounces.maildir and bounces.done")
            }
            guard access(folder, R_OK | W_OK | X_OK) == 0 else {
                throw MaildirError(description: "\(folder) cannot be written to: its mails are moved, so give this user the right to")
            }
        }
    }

    /// Where mails arrive.
    var arrivals: String { path + "/new" }

    /// The mails that have arrived, the oldest names first.
    /// - Parameters:
    ///   - some: those that are not wanted.
    ///   - limit: how many at most.
    func arrived(besides some: Set<String>, limit: Int) throws(MaildirError) -> [String] {
        do {
            let names = try FileManager.default.contentsOfDirectory(atPath: arrivals)
            return Array(names.filter { !$0.hasPrefix(".") && !some.contains($0) }.sorted().prefix(limit))
        } catch { throw MaildirError(description: "\(arrivals) cannot be listed: \(error.localizedDescription)") }
    }

    /// The beginning of a mail.
    /// - Returns: nil for one that another program has moved, and for what is no file.
    func read(_ name: String) throws(MaildirError) -> IncomingMail? {
        let file = open("\(arrivals)/\(name)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw failure(name, "cannot be read")
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw failure(name, "is not a plain file", errno: 0) }
        var head: [UInt8] = []
        let most = min(IncomingMail.headBytes, max(0, Int(status.st_size)))
        while head.count < most {
            let wanted = most - head.count
            let bytes = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
                count = max(0, Glibc.read(file, buffer.baseAddress, wanted))
            }
            guard !bytes.isEmpty else { break }
            head += bytes
        }
        let size = Int(status.st_size)
        return IncomingMail(recipients: [], head: head, size: size, isWhole: head.count == size)
    }

    /// Moves a mail that was read out of the way, as seen.
    func finish(_ name: String) throws(MaildirError) {
        let seen = name.contains(":2,") ? name : name + ":2,S"
        guard rename("\(arrivals)/\(name)", "\(done)/\(seen)") == 0 || errno == ENOENT else {
            throw failure(name, "cannot be moved to \(done)")
        }
    }

    private func failure(_ name: String, _ what: String, errno number: Int32 = errno) -> MaildirError {
        let why = number == 0 ? "" : " (\(String(cString: strerror(number))))"
        return MaildirError(description: "\(arrivals)/\(name.prefix(200)) \(what)\(why)")
    }
}

/// A Maildir cannot be used.
package struct MaildirError: Error, Equatable, CustomStringConvertible {
    package let description: String
}
