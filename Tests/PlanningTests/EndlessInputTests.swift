import Foundation
import Model
import TestServers
import Testing

@testable import Planning

/// Files that have no end, as far as anybody would wait for it. The rest of these is a hole, and takes no room.
@Suite(.timeLimit(.minutes(1))) struct EndlessInputTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func source(_ format: RecipientSource.Format, _ head: String, megabytes: UInt64) throws -> RecipientSource {
        let path = try folder.write(head, to: "recipients")
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.truncate(atOffset: megabytes << 20)
        try file.close()
        return RecipientSource(file: path, format: format, id: "id", address: "email")
    }

    private func readAll(_ source: RecipientSource) throws -> Int {
        var reader = try RecipientReader(source)
        var row = InputRow()
        while try reader.next(&row) {}
        return row.number
    }

    @Test(arguments: [
        (RecipientSource.Format.csv, "id,email\n1,a@example.com\n", 3), (.csv, "", 1), (.csv, "id,email\n1,\"a", 2),
        (.ndjson, "{\"id\":1,\"email\":\"a@example.com\"}\n", 2), (.ndjson, "{\"id\":", 1),
    ])
    func aLineWithoutAnEndFailsTheFile(_ format: RecipientSource.Format, _ head: String, _ line: Int) throws {
        let source = try source(format, head, megabytes: 4_000)
        #expect {
            try readAll(source)
        } throws: { "\($0)".hasPrefix("\(source.file):\(line): is longer than 64 MB; ") }
    }

    /// One that ends is a row that cannot be read, and costs no other.
    @Test func aLineOfManyMegabytesIsPassed() throws {
        let source = try source(.csv, "id,email\n1,a@example.com\n", megabytes: 10)
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: source.file))
        try file.seekToEnd()
        try file.write(contentsOf: Data("\n2,b@example.com\n".utf8))
        try file.close()
        #expect(try readAll(source) == 3)
    }

    @Test(arguments: [RecipientSource.Format.csv, .ndjson]) func readingEndsWhereItIsAskedTo(_ format: RecipientSource.Format) throws {
        let head = format == .csv ? "id,email\n1,a@example.com\n" : "{\"id\":1,\"email\":\"a@example.com\"}\n"
        let source = try source(format, head + String(repeating: "\n", count: 1 << 20), megabytes: 1)
        var isStopping = false
        var reader = try RecipientReader(source) { isStopping }
        var row = InputRow()
        #expect(try reader.next(&row))
        isStopping = true
        let error = #expect(throws: InputError.self) { try reader.next(&row) }
        #expect(error?.isInterrupted == true && error?.naming("other").isInterrupted == true)
    }
}
