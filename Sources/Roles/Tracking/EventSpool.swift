import Foundation
import Text

/// Where events of one kind and stream, or receipts, wait on disk while Redis does not take them: files that are only added to, of bounded
/// size in all, read in order and removed as a whole once Redis has what is in them. What was written survives the end of the process, not
/// that of the machine.
struct EventSpool {
    /// Bytes after which a file is ended.
    private static let fileBytes = 1 << 20

    private let folder: String
    private let name: String
    private let limit: Int
    /// The files by their numbers, the oldest first; the last is written to while `writing` is open.
    private var files: [(number: Int, bytes: Int)] = []
    private var next = 0
    private var writing: Int32?
    /// Why the last could not be written, for the log; empty where it was.
    private(set) var problem = ""

    /// Takes up what an earlier life left.
    /// - Parameters:
    ///   - name: what its files are named by, before their numbers.
    ///   - limit: bytes of all its files at most.
    init(folder: String, name: String, limit: Int) {
        self.folder = folder
        self.name = name
        self.limit = limit
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let numbers = names.compactMap { file -> Int? in
            let parts = file.split(separator: ".")
            guard parts.count == 3, parts[0] == name, parts[2] == "spool" else { return nil }
            // What we did not name so is none of ours, and a number next to the last one is none that we came to.
            guard let number = Int(parts[1]), 0..<Int.max / 2 ~= number, file == Self.file(name, number) else { return nil }
            return number
        }
        files = numbers.sorted().map { ($0, Int(clamping: FileStatus(path: "\(folder)/\(Self.file(name, $0))")?.size ?? 0)) }
        next = (numbers.max() ?? 0) + 1
    }

    var isEmpty: Bool { files.isEmpty }

    /// Bytes of all files.
    var bytes: Int { files.reduce(0) { $0 + $1.bytes } }

    private static func file(_ name: String, _ number: Int) -> String { "\(name).\(number).spool" }

    private func path(_ number: Int) -> String { "\(folder)/\(Self.file(name, number))" }

    /// Adds batches, all or none.
    /// - Returns: false where there is no room, or the disk takes none: `problem` says why.
    mutating func append(_ batches: [[UInt8]]) -> Bool {
        var record: [UInt8] = []
        for batch in batches {
            record.append(little: UInt32(batch.count))
            record.append(little: SpoolContents.checksum(batch))
            record += batch
        }
        guard bytes + record.count <= limit else {
            problem = "\(folder) is full (tracker.spool_limit)"
            return false
        }
        if let last = files.last, last.bytes + record.count > Self.fileBytes { end() }
        guard let file = writing ?? begin() else { return false }
        guard let error = PrivateFile.write(record, to: file) else {
            files[files.count - 1].bytes += record.count
            problem = ""
            return true
        }
        problem = "\(folder): \(String(cString: strerror(error)))"
        // What stands of it is cut off; a file that cannot be cut is ended, and read up to what is whole.
        if ftruncate(file, off_t(files[files.count - 1].bytes)) != 0 { end() }
        return false
    }

    private mutating func begin() -> Int32? {
        let file = open(path(next), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else {
            problem = "\(folder): \(String(cString: strerror(errno)))"
            return nil
        }
        files.append((next, 0))
        next += 1
        writing = file
        return file
    }

    /// Ends the file that is written to.
    mutating func end() {
        if let file = writing { close(file) }
        writing = nil
    }

    /// The oldest file, which nothing is added to any more; nil where there is none.
    mutating func oldest() -> (number: Int, path: String)? {
        guard let first = files.first else { return nil }
        if files.count == 1 { end() }
        return (first.number, path(first.number))
    }

    /// Removes the oldest file.
    mutating func removeOldest() {
        guard let first = files.first else { return }
        unlink(path(first.number))
        files.removeFirst()
    }
}

extension [UInt8] {
    fileprivate mutating func append(little value: UInt32) {
        for shift in stride(from: UInt32(0), to: 32, by: 8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}
