import Policy
import Text

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Reads a file of JSON objects, one a line (NDJSON, JSON Lines; RFC 8259), in bounded memory. Texts are taken without their
/// escapes, numbers, `true` and `false` as they are written, `null` and a missing key as empty, nested values as their JSON text.
///
/// The columns are the keys of the first thousand objects. Others may lack some; further keys are counted and ignored. A line that is no
/// object is given out with its fault, and reading continues.
package struct NDJSONReader {
    /// A key that only objects behind the first thousand have.
    package struct IgnoredKey: Sendable, Equatable {
        package let name: String
        /// The row where it was met first.
        package let row: Int
        package fileprivate(set) var count: Int
    }

    /// What is read to find the columns, at most.
    static let sample = (rows: 1000, bytes: 1 << 20)

    package let columns: [String]
    /// Keys that were ignored, in the order in which they were met; the first 20 by name.
    package private(set) var ignored: [IgnoredKey] = []
    private let keys: JSONColumns
    private let input: InputFile
    private var rows = 0

    /// Opens the file and finds its columns.
    /// - Parameter isStopping: asked again and again; reading ends by an error that is `isInterrupted` where it says so.
    package init(path: String, isStopping: @escaping () -> Bool = { false }) throws(InputError) {
        keys = try Self.keys(path: path, isStopping)
        columns = keys.names.map { String(decoding: $0, as: UTF8.self) }
        input = try InputFile(path: path, isStopping: isStopping)
        try input.start()
    }

    /// Reads the next object, which may have a fault; false at the end of the file.
    package mutating func next(_ row: inout InputRow) throws(InputError) -> Bool {
        var keys = keys
        var ignored: [[UInt8]] = []
        guard try Self.read(input, into: &row, keys: &keys, ignored: &ignored) else { return false }
        rows += 1
        row.number = rows
        if !ignored.isEmpty { ignore(ignored, row: rows) }
        return true
    }

    /// The keys of the first objects, in the order in which they come.
    private static func keys(path: String, _ isStopping: @escaping () -> Bool) throws(InputError) -> JSONColumns {
        let input = try InputFile(path: path, isStopping: isStopping)
        try input.start()
        var keys = JSONColumns()
        var row = InputRow()
        var count = (objects: 0, bytes: 0)
        var fault: RowFault?
        var none: [[UInt8]] = []
        while count.objects < sample.rows, count.bytes < sample.bytes,
            try read(input, into: &row, keys: &keys, isFirst: true, ignored: &none)
        {
            count.bytes += row.bytes.count
            if let found = row.fault { fault = fault ?? found } else { count.objects += 1 }
        }
        if count.objects == 0, let fault { throw fault.inputError(path) }
        guard count.objects > 0 else { throw InputError(file: path, problem: "has only blank lines; it needs a JSON object a line") }
        guard keys.count > 0, keys.count <= InputLimit.columns else {
            throw InputError(
                file: path, problem: "has \(keys.count) keys; the first objects name the columns, from 1 to \(InputLimit.columns)")
        }
        return keys
    }

    private mutating func ignore(_ names: [[UInt8]], row: Int) {
        for bytes in names {
            let name = String(decoding: bytes.prefix(200), as: UTF8.self)
            if let index = ignored.firstIndex(where: { $0.name == name }) {
                ignored[index].count += 1
            } else if ignored.count < 20 {
                ignored.append(IgnoredKey(name: name, row: row, count: 1))
            }
        }
    }

    /// Reads the object of the next line that is not blank, which may have a fault; false at the end of the file.
    /// - Parameter isFirst: adds the object's keys to `keys`.
    private static func read(
        _ input: InputFile, into row: inout InputRow, keys: inout JSONColumns, isFirst: Bool = false, ignored: inout [[UInt8]]
    ) throws(InputError) -> Bool {
        guard let line = try line(input) else { return false }
        row.line = input.line
        guard let text = line.text else {
            row.removeAll()
            row.fault = RowFault(
                line: row.line, problem: "is longer than \(InputLimit.row >> 20) MB; each object must stand on a line of its own")
            try input.requireLineEnd()
            try input.skipLine()
            return true
        }
        var parser = JSONObjectParser(text, keys: keys, isFirst: isFirst)
        if let fault = parser.parse(into: &row) {
            let column = fault.key.map { String(decoding: $0.prefix(200), as: UTF8.self) }
            row.fault = RowFault(line: row.line, column: column, problem: fault.problem)
        } else {
            if isFirst { keys = parser.keys }
            ignored = parser.ignored
        }
        input.position = line.next
        input.line += 1
        return true
    }

    /// The next line that is not blank, at the buffer's position, and where the one after it starts; no text for a line that is too long;
    /// nil at the end of the file.
    private static func line(_ input: InputFile) throws(InputError) -> (text: UnsafeBufferPointer<UInt8>?, next: Int)? {
        while true {
            let start: UnsafeMutablePointer<UInt8> = input.bytes + input.position
            let count = input.end - input.position
            var length = count
            var next = input.end
            if let found = memchr(start, Int32(UInt8(ascii: "\n")), count) {
                length = found.assumingMemoryBound(to: UInt8.self) - start
                next = input.position + length + 1
            } else if !input.isAtEnd {
                guard count <= InputLimit.row else { return (nil, next) }
                try input.more()
                continue
            } else if count == 0 {
                return nil
            }
            let text = UnsafeBufferPointer(start: UnsafePointer(start), count: length).trimmed
            if !text.allSatisfy({ $0 == 0 }) { return (text, next) }
            input.position = next
            input.line += 1
        }
    }
}
