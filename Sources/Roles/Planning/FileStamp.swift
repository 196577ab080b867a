#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

import Text

/// By what a file is known again: its size in bytes and its time of modification in milliseconds since 1970; and as long as it is read, by
/// what cannot be set back: which file it is, and when it or its properties were changed, in nanoseconds.
package struct FileStamp: Equatable, Sendable {
    package let size: Int64
    package let modified: Int64
    private let file: FileStatus.Identity
    private let changed: Int64

    /// - Throws: `InputError` when there is no such file.
    package init(path: String) throws(InputError) {
        guard let status = FileStatus(path: path) else {
            throw InputError(file: path, problem: "cannot be read: \(String(cString: strerror(errno)))", isUnavailable: true)
        }
        size = status.size
        modified = status.modified
        file = status.identity
        changed = status.changed
    }
}
