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

    private var capacity = 256 << 10
    private let descriptor: Int32
    /// Set where the file is in UTF-16.
    private var transcoder: UTF16Transcoder?

    /// Opens a regular file; planning reads it again after a restart, so a pipe will not do.
    init(path: String) throws(InputError) {
        self.path = path
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let cause = errno == ENOENT ? "no such file" : "cannot be opened: \(String(cString: strerror(errno)))"
            throw InputError(file: path, problem: "\(cause); check the path and its permissions")
        }
        let kind = FileStatus(descriptor: descriptor)?.kind
        guard kind == .regular else {
            let isDirectory = kind == .directory
            close(descriptor)
            throw InputError(
                file: path,
                problem: isDirectory
                    ? "is a directory; name the file of recipients in it"
                    : "is no regular file; write the recipients into a file first, since it is read again after a restart"
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
        if position > 0 {
            (bytes).update(from: bytes + position, count: end - position)
            end -= position
            position = 0
        }
        if capacity - end < (transcoder == nil ? 1 : 64) { grow() }
        // A unit of UTF-16 takes three bytes of UTF-8 at most.
        let room = transcoder == nil ? capacity - end : max((capacity - end) / 3, 1)
        while true {
            let count = read(descriptor, bytes + end, room)
            if count > 0 {
                end += transcoder?.decode(bytes + end, count: count) ?? count
                return
            }
            if count == 0 {
                isAtEnd = true
                // What DOS and programs that fill their blocks leave behind the text.
                while end > position, bytes[end - 1] == 0x1a || bytes[end - 1] == 0 { end -= 1 }
                return
            }
            guard errno == EINTR else {
                throw InputError(file: path, line: line, problem: "cannot be read: \(String(cString: strerror(errno)))")
            }
        }
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
            for index in position..<end where bytes[index] == 0x0a || bytes[index] == 0x0d {
                guard bytes[index] == 0x0d else { return pass(to: index + 1) }
                guard index + 1 < end || isAtEnd else { break }
                return pass(to: index + 1 < end && bytes[index + 1] == 0x0a ? index + 2 : index + 1)
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
                file: path, problem: "is empty; it needs a header with the columns' names and a row a recipient")
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
