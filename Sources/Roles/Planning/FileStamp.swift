#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// By what a file is known again: its size in bytes and its time of modification in milliseconds since 1970; and as long as it is read, by
/// what cannot be set back: which file it is, and when it or its properties were changed, in nanoseconds.
package struct FileStamp: Equatable, Sendable {
    package let size: Int64
    package let modified: Int64
    private let file: UInt64
    private let changed: Int64

    /// - Throws: `InputError` when there is no such file.
    package init(path: String) throws(InputError) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw InputError(file: path, problem: "cannot be read: \(String(cString: strerror(errno)))")
        }
        size = Int64(status.st_size)
        modified = Int64(status.st_mtim.tv_sec) * 1000 + Int64(status.st_mtim.tv_nsec) / 1_000_000
        file = UInt64(status.st_ino)
        changed = Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec)
    }
}
