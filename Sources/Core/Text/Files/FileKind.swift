#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What an open file is.
///
/// It stands here because a module that sees Dispatch too may take its `stat` for another's, as the compiler happens to load them.
package enum FileKind: Sendable {
    case regular, directory, other

    /// - Returns: nil where the descriptor is none.
    package init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: self = .regular
        case S_IFDIR: self = .directory
        default: self = .other
        }
    }
}
