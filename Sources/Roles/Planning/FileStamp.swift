#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// By what a file is known again: its size in bytes and its time of modification in milliseconds since 1970.
package struct FileStamp: Equatable, Sendable {
    package let size: Int64
    package let modified: Int64

    /// - Throws: `InputError` when there is no such file.
    package init(path: String) throws(InputError) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw InputError(file: path, problem: "cannot be read: \(String(cString: strerror(errno)))")
        }
        size = Int64(status.st_size)
        modified = Int64(status.st_mtim.tv_sec) * 1000 + Int64(status.st_mtim.tv_nsec) / 1_000_000
    }
}
