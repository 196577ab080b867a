import Bounces
import Foundation
import Synchronization
import Templates

/// What SpamAssassin says of a message: the running spamd by spamc, or else spamassassin, which takes some seconds to start. It asks nobody
/// else (`--local`); spamd does as it is configured.
struct SpamScore: Encodable {
    let score: Double
    /// From this score on SpamAssassin calls a message spam.
    let required: Double
    /// The rules that the message meets, with their scores where they are told.
    let tests: [String]

    /// Seconds that it may take.
    private static let timeout = 90.0

    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    /// - Throws: `Missing` where SpamAssassin is not installed, or does not answer.
    init(of message: [UInt8]) throws(Missing) {
        let local = ["--local", "--cf=add_header all Scores _TESTSSCORES(,)_"]
        let found = [("spamc", ["--max-size=20000000"]), ("spamassassin", local)].lazy.compactMap { program, arguments in
            Self.run(program, arguments, message).flatMap(Self.init(answer:))
        }.first
        guard let found else {
            throw Missing(description: "SpamAssassin gives no score of the first message: apt-get install spamassassin installs it")
        }
        self = found
    }

    /// Reads the header of a message that SpamAssassin has looked at: `No, score=1.2 required=5.0 tests=A,B autolearn=no`.
    init?(answer: [UInt8]) {
        let header = MailParts(Array(answer.prefix(1 << 20))).header
        func value(_ name: String) -> String? {
            let status = header["x-spam-status"]
            guard let start = status.firstRange(of: "\(name)=")?.upperBound else { return nil }
            // Long lists are folded behind their commas.
            return String(status[start...].replacing(", ", with: ",").prefix { $0 != " " })
        }
        guard let score = value("score").flatMap(Double.init), let required = value("required").flatMap(Double.init) else { return nil }
        // Many small scores may make -0.0.
        (self.score, self.required) = (score == 0 ? 0 : score, required)
        let scores = header["x-spam-scores"].filter { $0 != " " }
        let names = scores.isEmpty ? value("tests") ?? "" : scores
        tests = names == "none" ? [] : names.split(separator: ",").map(String.init)
    }

    var text: String { "SpamAssassin: \(score) (spam from \(required))" + (tests.isEmpty ? "" : ": \(tests.joined(separator: ", "))") }

    var finding: MailingFinding? {
        guard score >= required else { return nil }
        return MailingFinding(
            .warning, "spam", "SpamAssassin gives the first message \(score), and calls it spam from \(required)",
            why: "filters that resemble it refuse the message, or hide it",
            do: "change what its rules name: \(tests.joined(separator: ", "))")
    }

    private static func run(_ program: String, _ arguments: [String], _ input: [UInt8]) -> [UInt8]? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        let (standardInput, standardOutput) = (Pipe(), Pipe())
        process.standardInput = standardInput
        process.standardOutput = standardOutput
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let handle = standardInput.fileHandleForWriting
        // It reads all of the message before it answers; whoever ends early ends the writing, too.
        DispatchQueue.global().async {
            try? handle.write(contentsOf: Data(input))
            try? handle.close()
        }
        let isOver = Atomic<Bool>(false)
        DispatchQueue.global().asyncAfter(deadline: .now() + timeout) { if !isOver.load(ordering: .acquiring) { process.terminate() } }
        let output = (try? standardOutput.fileHandleForReading.readToEnd()) ?? nil
        process.waitUntilExit()
        isOver.store(true, ordering: .releasing)
        return process.terminationStatus == 0 ? output.map { Array($0) } : nil
    }
}
