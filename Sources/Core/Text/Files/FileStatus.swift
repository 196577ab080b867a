#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What the system knows of a file at one moment.
///
/// `stat` stands here alone: a module that sees Dispatch too may take it for another's, as the compiler happens to load them, and then
/// does not compile.
package struct FileStatus: Sendable {
    package enum Kind: Sendable {
        case regular, directory, other
    }

    /// The file's device and number on it: no other file has both at the same time.
    package struct Identity: Sendable, Hashable {
        fileprivate let device: UInt64
        fileprivate let number: UInt64
    }

    package let kind: Kind
    package let identity: Identity
    /// Bytes.
    package let size: Int64
    /// The lowest nine bits of its mode.
    package let rights: UInt32
    package let owner: UInt32
    /// Hard links.
    package let links: Int
    /// When its content was changed, in milliseconds since 1970. Whoever owns the file may set it.
    package let modified: Int64
    /// When it or its properties were changed, in nanoseconds since 1970. Nobody can set it.
    package let changed: Int64

    /// Asks for the file that a path leads to.
    /// - Parameter followsLinks: a link at the end of the path is followed, and not asked for itself.
    /// - Returns: nil where there is none, with `errno`.
    package init?(path: String, followsLinks: Bool = true) {
        var found = stat()
        guard (followsLinks ? stat(path, &found) : lstat(path, &found)) == 0 else { return nil }
        self.init(found)
    }

    /// - Returns: nil where the descriptor is none, with `errno`.
    package init?(descriptor: Int32) {
        var found = stat()
        guard fstat(descriptor, &found) == 0 else { return nil }
        self.init(found)
    }

    private init(_ found: stat) {
        kind =
            switch found.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            default: .other
            }
        identity = Identity(device: UInt64(found.st_dev), number: UInt64(found.st_ino))
        size = Int64(found.st_size)
        rights = UInt32(found.st_mode & 0o777)
        owner = found.st_uid
        links = Int(clamping: found.st_nlink)
        // A file may have a time of any year.
        modified = Int64(found.st_mtim.tv_sec) &* 1000 &+ Int64(found.st_mtim.tv_nsec) / 1_000_000
        changed = Int64(found.st_ctim.tv_sec) &* 1_000_000_000 &+ Int64(found.st_ctim.tv_nsec)
    }

    /// It belongs to the user that this process acts as.
    package var isOurs: Bool { owner == geteuid() }
}
