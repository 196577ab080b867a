#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

import Text

/// What identifies the state of a file: its size in bytes and its modification time in milliseconds since 1970; and while it is read,
/// what cannot be set back: the inode, and the time of the last change of file or properties, in nanoseconds.
package struct FileStamp: Equatable, Sendable {
    package let size: Int64
    package let modified: Int64
    private let file: FileStatus.Identity
    private let changed: Int64

    /// - Throws: `InputError` when there is no such file.
    package init(path: String) throws(InputError) {
        guard let status = FileStatus(path: path) else {
            let cause = errno == ENOENT ? "no such file" : "cannot be read: \(String(cString: strerror(errno)))"
            throw InputError(file: path, problem: cause, isUnavailable: true)
        }
        size = status.size
        modified = status.modified
        file = status.identity
        changed = status.changed
    }
}
