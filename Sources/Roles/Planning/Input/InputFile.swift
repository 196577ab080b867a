#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file read from start to end through one buffer, which grows only as far as a single row demands.
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

    /// Opens a regular file; planning reads it again after a restart, so a pipe will not do.
    init(path: String) throws(InputError) {
        self.path = path
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let cause = errno == ENOENT ? "no such file" : "cannot be opened: \(String(cString: strerror(errno)))"
            throw InputError(file: path, problem: "\(cause); check the path and its permissions")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            let isDirectory = status.st_mode & S_IFMT == S_IFDIR
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
        if end == capacity {
            let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity * 2)
            larger.update(from: bytes, count: end)
            bytes.deallocate()
            bytes = larger
            capacity *= 2
        }
        while true {
            let count = read(descriptor, bytes + end, capacity - end)
            if count > 0 {
                end += count
                return
            }
            if count == 0 {
                isAtEnd = true
                return
            }
            guard errno == EINTR else {
                throw InputError(file: path, line: line, problem: "cannot be read: \(String(cString: strerror(errno)))")
            }
        }
    }

    /// Drops a byte order mark, and refuses what is certainly no UTF-8 text.
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
            throw InputError(file: path, line: 1, problem: "is UTF-16; save it as UTF-8")
        } else if head.starts(with: [0x50, 0x4b, 0x03, 0x04]) {
            throw InputError(file: path, line: 1, problem: "is a spreadsheet or an archive; export it as CSV, in UTF-8")
        } else if head.starts(with: [0x1f, 0x8b]) {
            throw InputError(file: path, line: 1, problem: "is compressed; unpack it with gunzip")
        }
    }
}
