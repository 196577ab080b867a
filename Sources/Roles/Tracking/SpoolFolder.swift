import Foundation

/// The folder of the spool, which belongs to one tracker at a time: another would send the same events.
package final class SpoolFolder: Sendable {
    package let path: String
    private let lock: Int32

    /// Makes the folder where it is missing, for its owner alone, and takes it.
    /// - Throws: `SpoolFolderError`.
    package init(_ path: String) throws(SpoolFolderError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch { throw SpoolFolderError(path: path, why: "cannot be made") }
        let file = open("\(path)/lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw SpoolFolderError(path: path, why: "cannot be written to (\(String(cString: strerror(errno))))") }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            throw SpoolFolderError(path: path, why: "is that of another tracker that runs")
        }
        self.path = path
        lock = file
    }

    deinit { close(lock) }
}

/// The folder in which events wait while Redis is unavailable cannot be used.
package struct SpoolFolderError: Error, Equatable, CustomStringConvertible {
    let path: String
    let why: String

    package var description: String {
        "the folder \(path), where events wait while Redis is unavailable, \(why): name another in tracker.spool"
    }
}
