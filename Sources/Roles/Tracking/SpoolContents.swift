import Foundation
import Model
import Text

/// The batches of one file of the spool, as far as they are whole. Each has a head before it: its length and its checksum.
struct SpoolContents {
    private(set) var batches: [[UInt8]] = []
    /// The places between the batches where something is damaged, the end among them.
    private var damages: [Int] = []

    static let headBytes = 8

    /// Reads a file. One that somebody removed is damaged as a whole.
    /// - Throws: `UnreadableSpool`; the file may be readable later.
    init(of path: String) throws(UnreadableSpool) {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else {
            let number = errno
            guard number == ENOENT else { throw UnreadableSpool(path: path, number: number) }
            damages = [0]
            return
        }
        defer { close(file) }
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = buffer.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
            let number = errno
            if count < 0, number == EINTR { continue }
            guard count >= 0 else { throw UnreadableSpool(path: path, number: number) }
            guard count > 0 else { break }
            all += buffer[..<count]
        }
        take(all)
    }

    /// A batch that is damaged is passed over. A length that leads behind the end leaves nothing to go on with: the process ended while it
    /// wrote that.
    private mutating func take(_ all: [UInt8]) {
        var rest = all[...]
        while rest.count >= Self.headBytes {
            let length = Int(rest.little())
            let checksum = rest.dropFirst(4).little()
            rest = rest.dropFirst(Self.headBytes)
            guard rest.count >= length else { return damage() }
            let batch = Array(rest.prefix(length))
            if Self.checksum(batch) == checksum { batches.append(batch) } else { damage() }
            rest = rest.dropFirst(length)
        }
        if !rest.isEmpty { damage() }
    }

    private mutating func damage() {
        if damages.last != batches.count { damages.append(batches.count) }
    }

    var isWhole: Bool { damages.isEmpty }

    /// Events that were in the damaged parts, as far as that can be known: one at least for each, and those whose numbers are missing
    /// between two batches of a source.
    var lostEvents: Int { damages.reduce(0) { $0 + max(1, missing(before: $1)) } }

    private func missing(before place: Int) -> Int {
        guard place > 0, place < batches.count, let last = try? EventBatch(decoding: batches[place - 1]),
            let next = try? EventBatch(decoding: batches[place]), last.source == next.source
        else { return 0 }
        let wanted = last.sequence + UInt64(last.events.count)
        return next.sequence > wanted ? Int(clamping: next.sequence - wanted) : 0
    }

    static func checksum(_ bytes: [UInt8]) -> UInt32 { bytes.reduce(FNV.seed32) { FNV.step($0, $1) } }
}

/// A file of the spool that cannot be read now.
struct UnreadableSpool: Error, CustomStringConvertible {
    let path: String
    /// The `errno` of it.
    let number: Int32

    var description: String {
        """
        the events in \(path) wait: it cannot be read (\(String(cString: strerror(number)))). See to its rights, its disk and the open \
        files of this process; it is tried again
        """
    }
}

extension ArraySlice<UInt8> {
    /// The number of its first four bytes, the lowest first.
    fileprivate func little() -> UInt32 { prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) } }
}
