import Foundation
import Text

/// A file that is written piece by piece beside its place, and takes that as a whole, readable by its owner alone. Pipes and devices are
/// written to as they are.
package struct NewFile {
    private let place: String
    /// Nil for what is no file.
    private let partial: String?
    private let handle: FileHandle

    /// - Throws: `OutputFile.Unusable`.
    package init(_ path: String) throws(OutputFile.Unusable) {
        place = RealPath.of(path)
        if let found = FileStatus(path: path), found.kind != .regular {
            guard let handle = FileHandle(forWritingAtPath: path) else { throw Self.failure(path) }
            (self.handle, partial) = (handle, nil)
            return
        }
        let partial = "\(place).partial-\(getpid())"
        // Of a process with the same number that was killed.
        unlink(partial)
        guard PrivateFile.create(partial), let handle = FileHandle(forWritingAtPath: partial) else { throw Self.failure(partial) }
        (self.handle, self.partial) = (handle, partial)
    }

    /// Whether the file is one, and no pipe or device.
    package var isFile: Bool { partial != nil }

    package func write(_ text: String) throws { try handle.write(contentsOf: Data(text.utf8)) }

    package func write(_ bytes: [UInt8]) throws { try handle.write(contentsOf: Data(bytes)) }

    /// Puts the file in its place, once it is on the disk.
    package func finish() throws {
        if partial != nil { try handle.synchronize() }
        try handle.close()
        guard let partial else { return }
        guard rename(partial, place) == 0 else {
            let failure = Self.failure(place)
            unlink(partial)
            throw failure
        }
    }

    /// Removes what was written.
    package func abandon() {
        try? handle.close()
        if let partial { unlink(partial) }
    }

    private static func failure(_ path: String) -> OutputFile.Unusable {
        OutputFile.Unusable("\(path): \(String(cString: strerror(errno)))")
    }
}
