#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Files that hold addresses and values of recipients: only their owner may read and write them, whatever the umask is.
package enum PrivateFile {
    private static let mode: mode_t = 0o600

    /// Makes a file where there is none.
    /// - Returns: false where there is one, or it cannot be made; who opens it finds out why.
    @discardableResult
    package static func create(_ path: String) -> Bool {
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { return false }
        _ = close(descriptor)
        return true
    }

    /// Takes the rights of others from a file that is there already. A file of another owner, and what is no file, stay as they are.
    /// - Returns: the rights that it had, where they were changed.
    package static func tighten(_ path: String) -> UInt32? {
        guard let before = FileStatus(path: path).flatMap(rightsOfOthers), chmod(path, mode) == 0 else { return nil }
        return before
    }

    /// Takes the rights of others from an open file.
    package static func tighten(_ descriptor: Int32) -> UInt32? {
        guard let before = FileStatus(descriptor: descriptor).flatMap(rightsOfOthers), fchmod(descriptor, mode) == 0 else { return nil }
        return before
    }

    /// Opens a file, and makes it where there is none.
    /// - Returns: its descriptor, or -1 with `errno`; and the rights that were taken from a file that was there.
    package static func openOrCreate(_ path: String, flags: Int32) -> (descriptor: Int32, tightened: UInt32?) {
        let descriptor = open(path, flags | O_CREAT | O_CLOEXEC, mode)
        return (descriptor, descriptor < 0 ? nil : tighten(descriptor))
    }

    /// Replaces the content of a file, or makes it. Pipes and devices are written to as they are.
    /// - Returns: the error number; nil when all was written.
    package static func write(_ bytes: [UInt8], to path: String) -> Int32? {
        let descriptor = openOrCreate(path, flags: O_WRONLY | O_TRUNC).descriptor
        guard descriptor >= 0 else { return errno }
        defer { _ = close(descriptor) }
        return write(bytes, to: descriptor)
    }

    /// Puts a file in the place of another as a whole, once it is on the disk. A link at that place is replaced, and not followed.
    /// - Returns: the error number; nil when that is done.
    package static func replace(_ bytes: [UInt8], at path: String) -> Int32? {
        let partial = "\(path).partial-\(getpid())"
        // Of a process with the same number that was killed.
        _ = unlink(partial)
        let descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { return errno }
        var problem = write(bytes, to: descriptor)
        if problem == nil, fsync(descriptor) != 0 { problem = errno }
        _ = close(descriptor)
        if problem == nil, rename(partial, path) != 0 { problem = errno }
        if problem != nil { _ = unlink(partial) }
        return problem ?? flushFolder(of: path)
    }

    /// What was renamed in a folder outlives a power failure from here on.
    private static func flushFolder(of path: String) -> Int32? {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return errno }
        defer { _ = close(descriptor) }
        return fsync(descriptor) == 0 ? nil : errno
    }

    /// Writes to an open file.
    /// - Returns: the error number; nil when all was written.
    package static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { all in
                let rest = UnsafeRawBufferPointer(rebasing: all[written...])
                #if canImport(Glibc)
                    return Glibc.write(descriptor, rest.baseAddress, rest.count)
                #else
                    return Darwin.write(descriptor, rest.baseAddress, rest.count)
                #endif
            }
            if count < 0 {
                guard errno == EINTR else { return errno }
            } else {
                written += count
            }
        }
        return nil
    }

    /// Rights as people write them: `0644`.
    package static func text(_ rights: UInt32) -> String {
        let digits = String(rights, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    /// The rights of a file of ours that others have some of; nil for any other.
    private static func rightsOfOthers(_ file: FileStatus) -> UInt32? {
        file.kind == .regular && file.isOurs && file.rights & 0o077 != 0 ? file.rights : nil
    }
}
