import Foundation

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Follows a sink's record while it is written: each line is read once, as soon as it is whole.
struct RecordTail {
    let path: String
    let sink: String
    private var offset: off_t = 0
    /// The beginning of a line whose end was not there yet.
    private var rest: [UInt8] = []
    /// Lines that do not have the form of a record's.
    private(set) var broken = 0
    private static let chunk = 4 << 20

    init(path: String, sink: String) {
        self.path = path
        self.sink = sink
    }

    /// Whether the record ends in the middle of a line: its sink was killed while it wrote.
    var hasRest: Bool { !rest.isEmpty }

    /// Takes what was appended since the last time.
    /// - Throws: `RunFailure` when the record cannot be read; one that is not there yet is empty.
    mutating func read(into arrivals: inout Arrivals) throws(RunFailure) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return }
            throw RunFailure("the record \(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: Self.chunk)
        while true {
            let count = pread(descriptor, &buffer, buffer.count, offset)
            guard count >= 0 else {
                throw RunFailure("the record \(path) cannot be read: \(String(cString: strerror(errno)))")
            }
            if count == 0 { return }
            offset += off_t(count)
            rest.append(contentsOf: buffer[..<count])
            take(into: &arrivals)
        }
    }

    private mutating func take(into arrivals: inout Arrivals) {
        let consumed = rest.withUnsafeBufferPointer { bytes -> Int in
            var start = 0
            while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
                if let line = RecordScan(bytes[start..<end]) {
                    arrivals.note(line, of: sink)
                } else if end > start {
                    broken += 1
                }
                start = end + 1
            }
            return start
        }
        rest.removeFirst(consumed)
    }
}
