import Foundation
import Testing

/// Everything that the programs print goes through one place, which escapes what a terminal would obey.
@Suite struct PrintingTests {
    @Test(arguments: ["Sources/flotilla", "Sources/Lab/flotilla-lab"]) func nothingIsPrintedPastIt(_ folder: String) throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let files = try #require(FileManager.default.enumerator(at: root.appending(path: folder), includingPropertiesForKeys: nil))
        var count = 0
        for case let file as URL in files where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            count += 1
            for pattern in [
                #/(?:^|[^.\w])(?:debugPrint|print|putchar|puts|fputs|printf|fprintf|vprintf|dump)\(/#,
                #/FileHandle\.standard(?:Output|Error)/#,
                #/STD(?:OUT|ERR)_FILENO, (?:bytes|text)/#, #/StreamLogHandler/#,
            ] {
                #expect(text.firstMatch(of: pattern) == nil, "\(file.lastPathComponent): write StandardOutput or StandardError")
            }
        }
        #expect(count > 5)
    }

    /// Recipients, columns, names, keys and arguments that hold escape sequences, as somebody may plant them.
    @Test func noControlSequenceReachesTheTerminal() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "printing-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let bad = "\u{1b}[2J\u{9b}31m\u{202e}\u{7f}\u{2066}"
        func write(_ name: String, _ text: String) throws -> String {
            let path = folder.appending(path: name).path
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            return path
        }
        let recipients = try write("r.csv", "id,address,na\(bad)me\n1\(bad),\(bad),x\n")
        let mailing = try write(
            "m.yaml",
            """
            {name: "n\(bad.replacing("\u{1b}", with: #"\e"#).replacing("\u{7f}", with: #"\x7f"#))", channel: webhook,
             body: '{"n":"{{nothing}}"}', recipients: {file: \(recipients), id: id, address: address}, provider: "http://127.0.0.1:9/x"}
            """)
        let keys = try write("k.yaml", "\"na\(#"\e[2J\u009b"#)me\": x\n")
        let ledger = folder.appending(path: "l.sqlite").path
        for arguments in [
            ["send", mailing, "--ledger", ledger], ["send", keys, "--ledger", ledger], ["send", bad], ["mailing", "list", "--ledger", bad],
            ["responses", "--test", "smtp", "550", bad], ["mailing", "add", mailing, "--provider", bad], [bad], ["--\(bad)"],
        ] {
            let outcome = try await Program.run(arguments)
            let shown = (outcome.output + outcome.errors).unicodeScalars
            #expect(
                !shown.contains {
                    $0 != "\n" && ($0.value < 0x20 || 0x7f...0x9f ~= $0.value || 0x202a...0x202e ~= $0.value || 0x2066...0x2069 ~= $0.value)
                },
                "\(arguments.first ?? ""): \(outcome.output)\(outcome.errors)")
        }
    }
}
