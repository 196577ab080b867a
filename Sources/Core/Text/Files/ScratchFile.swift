#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file without a name, for what does not fit into memory: nobody else can open it, and it is gone with its last user, also after
/// `kill -9`. It lies where `TMPDIR` says, else in `/var/tmp`, which is on a disk (FHS 3.0 section 5.15), else in `/tmp`.
package final class ScratchFile: Sendable {
    /// A call of the system that failed.
    package struct Fault: Error, Equatable, CustomStringConvertible {
        /// The folder, or the folders that were tried.
        package let place: String
        /// As in `errno`; 0 where the file is shorter than it was.
        package let code: Int32

        package var description: String { "\(place): \(code == 0 ? "the file was cut off" : String(cString: strerror(code)))" }
    }

    private let descriptor: Int32
    private let folder: String

    /// A path by which this process, and no other, may open it again (proc(5)).
    package var path: String { "/proc/self/fd/\(descriptor)" }

    /// - Parameter folders: the first in which a file can be made is taken; nil for those that are said above.
    package init(in folders: [String]? = nil) throws(Fault) {
        let folders = folders ?? [getenv("TMPDIR").map { String(cString: $0) } ?? "", "/var/tmp", "/tmp"].filter { !$0.isEmpty }
        var code = ENOENT
        for folder in folders {
            let path = "\(folder)/flotilla-\(UInt64.random(in: 0 ... .max))"
            let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            code = errno
            guard descriptor >= 0 else { continue }
            unlink(path)
            self.descriptor = descriptor
            self.folder = folder
            return
        }
        throw Fault(place: folders.joined(separator: ", "), code: code)
    }

    deinit { _ = close(descriptor) }

    /// Writes bytes behind the last that were written.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Fault(place: folder, code: count < 0 ? errno : ENOSPC) }
            rest = rest.dropFirst(count)
        }
    }

    /// Fills a buffer with what stands at an offset.
    package func read(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(Fault) {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Fault(place: folder, code: count < 0 ? errno : 0) }
            done += count
        }
    }
}
