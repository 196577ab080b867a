import Foundation
import Model
import TestServers
import Testing
import Text

@testable import Planning

/// The recipients' file is changed while it is read, or between two lives of the planner.
@Suite struct ChangedFileTests {
    private let folder: TemporaryFolder
    private var path: String { folder.path("r.csv") }
    private static let rows = 20_000

    init() throws { folder = try TemporaryFolder() }

    private func text(_ rows: Range<Int>, domain: String = "example.com") -> String {
        "id,email\n" + rows.map { "\($0 + 100_000),p\($0 + 100_000)@\(domain)\n" }.joined()
    }

    private func planner(after rows: Int = 0, expecting: UInt64? = nil) throws -> RecipientPlanner {
        try RecipientPlanner(
            source: RecipientSource(file: path, format: .csv, id: "id", address: "email"), channel: .email,
            after: .init(rows, checksum: expecting))
    }

    /// Plans to the end; the file is changed after some batches.
    private func plan(changing change: () throws -> Void) throws -> Int {
        var planner = try planner()
        var chunk = planner.makeChunk()
        for _ in 0..<3 { _ = try planner.next(&chunk) }
        try change()
        while try planner.next(&chunk) {}
        return planner.rows
    }

    private func change(_ body: (FileHandle) throws -> Void) throws {
        let file = try FileHandle(forUpdating: URL(filePath: path))
        try body(file)
        try file.close()
    }

    private func expectChanged(_ body: () throws -> some Any, sourceLocation: SourceLocation = #_sourceLocation) {
        let error = #expect(throws: InputError.self, sourceLocation: sourceLocation) { _ = try body() }
        #expect(error.map { "\($0)".contains("has changed") } == true, "\(error.map { "\($0)" } ?? "")", sourceLocation: sourceLocation)
    }

    /// Sets the file's times back to what they were.
    private func keepingTimes(_ body: () throws -> Void) throws {
        let before = try #require(FileStatus(path: path)).modified
        try body()
        let date = Date(timeIntervalSince1970: (Double(before) + 0.5) / 1000)
        try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path)
        #expect(FileStatus(path: path)?.modified == before)
    }

    @Test func aFileThatIsCutShortWhileItIsReadFails() throws {
        try folder.write(text(0..<Self.rows), to: "r.csv")
        expectChanged { try plan { try change { try $0.truncate(atOffset: 400_000) } } }
    }

    @Test func aFileThatGrowsWhileItIsReadFails() throws {
        try folder.write(text(0..<Self.rows), to: "r.csv")
        expectChanged {
            try plan {
                try change {
                    try $0.seekToEnd()
                    try $0.write(contentsOf: Data("1,late@example.com\n".utf8))
                }
            }
        }
    }

    @Test func aFileThatIsOverwrittenInPlaceFailsAlsoAtTheSameTime() throws {
        try folder.write(text(0..<Self.rows), to: "r.csv")
        expectChanged {
            try plan { try keepingTimes { try change { try $0.write(contentsOf: Data(text(0..<Self.rows, domain: "example.net").utf8)) } } }
        }
    }

    @Test func anotherFileInItsPlaceFails() throws {
        try folder.write(text(0..<Self.rows), to: "r.csv")
        try folder.write(text(0..<Self.rows, domain: "example.net"), to: "new")
        expectChanged { try plan { #expect(rename(folder.path("new"), path) == 0) } }
    }

    @Test func aFileThatIsOnlyTouchedIsTheSame() throws {
        try folder.write(text(0..<Self.rows), to: "r.csv")
        let rows = try plan { #expect(utimensat(AT_FDCWD, path, nil, 0) == 0 && chmod(path, 0o640) == 0) }
        #expect(rows == Self.rows)
    }

    @Test func aPlanningIsTakenUpOnlyWithTheRowsThatWereRead() throws {
        try folder.write(text(0..<2_000), to: "r.csv")
        var first = try planner()
        var chunk = first.makeChunk()
        for _ in 0..<2 { _ = try first.next(&chunk) }
        #expect(first.rows == 1_000)
        let checksum = first.rowsChecksum

        var second = try planner(after: 1_000, expecting: checksum)
        var recipients = 0
        while try second.next(&chunk) { recipients += chunk.recipients.count }
        #expect(recipients == 1_000 && second.rows == 2_000)

        // One letter of a row that was read, at the same size.
        try folder.write(text(0..<2_000).replacing("p100700@", with: "q100700@"), to: "r.csv")
        expectChanged {
            var third = try planner(after: 1_000, expecting: checksum)
            while try third.next(&chunk) { #expect(chunk.recipients.count == 0) }
        }
        // Two rows that change places.
        var lines = text(0..<2_000).split(separator: "\n")
        lines.swapAt(10, 11)
        try folder.write(lines.joined(separator: "\n") + "\n", to: "r.csv")
        expectChanged {
            var third = try planner(after: 1_000, expecting: checksum)
            while try third.next(&chunk) {}
        }
        // Fewer rows than were read.
        try folder.write(text(0..<700), to: "r.csv")
        expectChanged {
            var third = try planner(after: 1_000, expecting: checksum)
            while try third.next(&chunk) {}
        }
    }
}
