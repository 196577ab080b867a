#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Which file a path leads to: it stays the same while the file is written, and is another one after the file was moved, removed or
/// replaced.
package struct FileIdentity: Sendable, Hashable {
    private let device: UInt64
    private let file: UInt64

    /// - Returns: nil where there is no file.
    package init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        file = UInt64(status.st_ino)
    }
}
