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
/// The columns are the keys of the first object. Later objects may lack some; further keys are counted and ignored.
package struct NDJSONReader {
    /// A key that later objects have and the first has not.
    package struct IgnoredKey: Sendable, Equatable {
        package let name: String
        /// The row where it was met first.
        package let row: Int
        package fileprivate(set) var count: Int
    }

    package let columns: [String]
    /// Keys that were ignored, in the order in which they were met; the first 20 by name.
    package private(set) var ignored: [IgnoredKey] = []
    private let keys: [[UInt8]]
    private let input: InputFile
    private var rows = 0

    /// Opens the file and reads the first object's keys.
    package init(path: String) throws(InputError) {
        input = try InputFile(path: path)
        try input.start()
        guard let line = try Self.line(input, row: 1) else {
            throw InputError(file: path, problem: "has only blank lines; it needs a JSON object a line")
        }
        var row = InputRow()
        row.number = 1
        row.line = input.line
        var parser = JSONObjectParser(line.text, isFirst: true)
        let fault = parser.parse(into: &row)
        if let fault { throw Self.error(fault, path: path, row: row) }
        keys = parser.keys
        columns = keys.map { String(decoding: $0, as: UTF8.self) }
        guard !columns.isEmpty, columns.count <= InputLimit.columns else {
            throw InputError(
                file: path, line: row.line, row: 1,
                problem:
                    "has \(columns.count) keys; the first object names the columns, from 1 to \(InputLimit.columns)")
        }
    }

    /// Reads the next object; false at the end of the file.
    package mutating func next(_ row: inout InputRow) throws(InputError) -> Bool {
        row.number = rows + 1
        guard let line = try Self.line(input, row: row.number) else { return false }
        rows += 1
        row.line = input.line
        var parser = JSONObjectParser(line.text, keys: keys)
        if let fault = parser.parse(into: &row) { throw Self.error(fault, path: input.path, row: row) }
        if !parser.ignored.isEmpty { ignore(parser.ignored, row: row.number) }
        input.position = line.next
        input.line += 1
        return true
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

    /// The next line that is not blank, at the buffer's position, and where the one after it starts; nil at the end of the file.
    private static func line(
        _ input: InputFile, row: Int
    ) throws(InputError) -> (text: UnsafeBufferPointer<UInt8>, next: Int)? {
        while true {
            let start: UnsafeMutablePointer<UInt8> = input.bytes + input.position
            let count = input.end - input.position
            var length = count
            var next = input.end
            if let found = memchr(start, Int32(UInt8(ascii: "\n")), count) {
                length = found.assumingMemoryBound(to: UInt8.self) - start
                next = input.position + length + 1
            } else if !input.isAtEnd {
                guard count <= InputLimit.row else {
                    throw InputError(
                        file: input.path, line: input.line, row: row,
                        problem:
                            "is longer than \(InputLimit.row >> 20) MB; each object must stand on a line of its own")
                }
                try input.more()
                continue
            } else if count == 0 {
                return nil
            }
            let text = UnsafeBufferPointer(start: UnsafePointer(start), count: length).trimmed
            if !text.isEmpty { return (text, next) }
            input.position = next
            input.line += 1
        }
    }

    private static func error(_ fault: JSONObjectError, path: String, row: InputRow) -> InputError {
        let column = fault.key.map { String(decoding: $0.prefix(200), as: UTF8.self) }
        return InputError(file: path, line: row.line, row: row.number, column: column, problem: fault.problem)
    }
}
