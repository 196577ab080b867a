#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

import Text

/// A file read from start to end through one buffer, which grows only as far as a single row demands. UTF-16 becomes UTF-8 on the way.
final class InputFile {
    let path: String
    /// The buffer; what is to be read lies at `position ..< end`.
    private(set) var bytes: UnsafeMutablePointer<UInt8>
    private(set) var end = 0
    /// Nothing follows in the file after `end`.
    private(set) var isAtEnd = false
    /// Where the next row starts.
    var position = 0
    /// The line of the file at `position`, from 1.
    var line = 1

    private static let pieceBytes = 256 << 10
    private var capacity = pieceBytes
    private let descriptor: Int32
    private let isStopping: () -> Bool
    /// The offset in the file of the next byte to read.
    private var offset: off_t = 0
    /// Set where the file is in UTF-16.
    private var transcoder: UTF16Transcoder?

    /// Opens a regular file; planning reads it again after a restart, so a pipe will not do.
    /// - Parameter isStopping: asked before each piece that is read; reading ends where it says so.
    init(path: String, isStopping: @escaping () -> Bool = { false }) throws(InputError) {
        self.path = path
        self.isStopping = isStopping
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let cause = errno == ENOENT ? "no such file" : "cannot be opened: \(String(cString: strerror(errno)))"
            throw InputError(file: path, problem: "\(cause); check the path and its permissions", isUnavailable: true)
        }
        let kind = FileStatus(descriptor: descriptor)?.kind
        guard kind == .regular else {
            let isDirectory = kind == .directory
            close(descriptor)
            throw InputError(
                file: path,
                problem: isDirectory
                    ? "is a directory; name a file in it"
                    : "is no regular file; write its rows into a file first, since they are read more than once"
            )
        }
        self.descriptor = descriptor
        bytes = .allocate(capacity: capacity)
    }

    deinit {
        close(descriptor)
        bytes.deallocate()
    }

    /// Reads on, keeping what lies from `position`; moves `bytes`, `position` and `end`.
    func more() throws(InputError) {
        try requireGoingOn()
        if position > 0 {
            (bytes).update(from: bytes + position, count: end - position)
            end -= position
            position = 0
        }
        if capacity - end < (transcoder == nil ? 1 : 64) { grow() }
        // A unit of UTF-16 takes three bytes of UTF-8 at most.
        let room = transcoder == nil ? capacity - end : max((capacity - end) / 3, 1)
        let count = try read(bytes + end, room, at: offset)
        if count > 0 {
            offset += off_t(count)
            end += transcoder?.decode(bytes + end, count: count) ?? count
            return
        }
        isAtEnd = true
        // What DOS and programs that fill their blocks leave behind the text.
        while end > position, bytes[end - 1] == 0x1a || bytes[end - 1] == 0 { end -= 1 }
    }

    private func read(_ buffer: UnsafeMutablePointer<UInt8>, _ room: Int, at offset: off_t) throws(InputError) -> Int {
        while true {
            let count = pread(descriptor, buffer, room, offset)
            if count >= 0 { return count }
            guard errno == EINTR else {
                let cause = String(cString: strerror(errno))
                throw InputError(file: path, line: line, problem: "cannot be read: \(cause)", isUnavailable: true)
            }
        }
    }

    /// Reads on through the file as it is, whatever its text is; empty at its end. Not to be mixed with `more`.
    func nextBytes() throws(InputError) -> [UInt8] {
        let count = try read(bytes, Self.pieceBytes, at: offset)
        offset += off_t(count)
        return Array(UnsafeBufferPointer(start: bytes, count: count))
    }

    /// Shows what follows `position` piece by piece, through a small buffer of its own, and consumes nothing of it.
    /// - Parameters:
    ///   - limit: bytes after which it stops.
    ///   - take: looks at a piece; false where that is enough.
    /// - Returns: whether the file ended first.
    func lookAhead(_ limit: Int, _ take: (UnsafeBufferPointer<UInt8>) -> Bool) throws(InputError) -> Bool {
        guard take(UnsafeBufferPointer(start: bytes + position, count: end - position)) else { return false }
        var seen = end - position
        var offset = offset
        var transcoder = transcoder
        let piece = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 3 * Self.pieceBytes + 64)
        defer { piece.deallocate() }
        guard let start = piece.baseAddress else { return false }
        while seen < limit {
            try requireGoingOn()
            let count = try read(start, Self.pieceBytes, at: offset)
            guard count > 0 else { return true }
            offset += off_t(count)
            let text = transcoder?.decode(start, count: count) ?? count
            seen += text
            guard take(UnsafeBufferPointer(start: start, count: text)) else { return false }
        }
        return false
    }

    /// Makes sure that the line at `position` has an end before anybody reads on for minutes.
    /// - Throws: where it is longer than any line of a text.
    func requireLineEnd() throws(InputError) {
        var hasEnd = false
        let isWhole = try lookAhead(InputLimit.lookAhead) { piece in
            hasEnd = piece.lineEnd() != nil
            return !hasEnd
        }
        guard hasEnd || isWhole else {
            throw InputError(
                file: path, line: line,
                problem: "is longer than \(InputLimit.lookAhead >> 20) MB; is it a text file, with each recipient on a line of its own?")
        }
    }

    private func requireGoingOn() throws(InputError) {
        if isStopping() { throw InputError(file: path, line: line, problem: "was not read to its end", isInterrupted: true) }
    }

    /// Moves on by so many bytes, or to the end of the file.
    func pass(_ count: Int) throws(InputError) {
        var left = count
        while left > end - position, !isAtEnd {
            left -= end - position
            position = end
            try more()
        }
        position += min(left, end - position)
    }

    private func grow() {
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity * 2)
        larger.update(from: bytes, count: end)
        bytes.deallocate()
        bytes = larger
        capacity *= 2
    }

    /// Moves to the start of the next line, or to the end of the file.
    func skipLine() throws(InputError) {
        while true {
            if let found = UnsafeBufferPointer(start: bytes + position, count: end - position).lineEnd() {
                let index = position + found
                guard bytes[index] == 0x0d else { return pass(to: index + 1) }
                if index + 1 < end || isAtEnd { return pass(to: index + 1 < end && bytes[index + 1] == 0x0a ? index + 2 : index + 1) }
            }
            if isAtEnd {
                position = end
                return
            }
            // A carriage return at the end of the buffer waits for its line feed.
            position = end > position && bytes[end - 1] == 0x0d ? end - 1 : end
            try more()
        }
    }

    private func pass(to start: Int) {
        position = start
        line += 1
    }

    /// Drops a byte order mark, and refuses what is certainly no text.
    func start() throws(InputError) {
        while end - position < 4, !isAtEnd { try more() }
        guard end > position else {
            throw InputError(
                file: path, problem: "is empty; it needs a header with the columns' names, and rows")
        }
        let head = UnsafeBufferPointer(start: bytes + position, count: end - position)
        if head.starts(with: [0xef, 0xbb, 0xbf]) {
            position += 3
        } else if head.starts(with: [0xff, 0xfe]) || head.starts(with: [0xfe, 0xff]) {
            transcoder = UTF16Transcoder(isBigEndian: head[0] == 0xfe)
            grow()
            end = transcoder?.decode(bytes, count: end) ?? end
            // The mark itself has become three bytes.
            position = 3
        } else if head.starts(with: [0x50, 0x4b, 0x03, 0x04]) {
            throw InputError(file: path, line: 1, problem: "is a spreadsheet or an archive; export it as CSV, in UTF-8")
        } else if head.starts(with: [0x1f, 0x8b]) {
            throw InputError(file: path, line: 1, problem: "is compressed; unpack it with gunzip")
        }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// The place of the first line feed or carriage return.
    fileprivate func lineEnd() -> Int? {
        guard let start = baseAddress else { return nil }
        func place(of byte: Int32, before end: Int) -> Int? {
            guard let found = memchr(start, byte, end) else { return nil }
            return UnsafeRawPointer(found) - UnsafeRawPointer(start)
        }
        let feed = place(of: 0x0a, before: count)
        return place(of: 0x0d, before: feed ?? count) ?? feed
    }
}
