import ArgumentParser
import Bounces
import CommandSupport
import Foundation
import Model
import Telemetry
import Text
import Transport

/// Shows what `flotilla bounces` makes of mails that came back.
struct BouncesReadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read", abstract: "Show what is made of mails that came back; nothing is changed.",
        discussion: """
            For each mail: what it is, and for each recipient the reason, whether the address is no good for good (hard), and whether \
            it would be suppressed. Whose message it is, is not asked.
            """)
    @OptionGroup var output: OutputOptions

    @Argument(help: ArgumentHelp("Mails, each in a file; - for one from standard input.", valueName: "file"))
    var files: [String]

    private struct Line: Encodable {
        struct Recipient: Encodable {
            let address: String
            let kind: String
            let reason: String
            let hard: Bool
            let suppresses: Bool
            let status: String
            let code: Int
            let text: String

            init(_ one: ReturnedRecipient) {
                (address, kind, reason, hard) = (one.address, one.kind.rawValue, one.reason.rawValue, one.isHard)
                (suppresses, status, code, text) = (one.suppresses, one.status, one.code, one.text)
            }
        }

        let file: String
        let kind: String
        let messages: [String]
        let recipients: [Recipient]
    }

    func run() throws {
        output.warnOfOldOption()
        for file in files {
            let parts = MailParts(try read(file))
            let path = parts.header["return-path"].filter { $0 != " " }
            let mail = ReturnedMail(parts, isNull: path == "<>")
            let line = Line(
                file: file, kind: mail.kind.rawValue, messages: mail.messageIDs, recipients: mail.recipients.map { Line.Recipient($0) })
            if output.isJSON {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                StandardOutput.write(String(decoding: try encoder.encode(line), as: UTF8.self))
            } else {
                StandardOutput.write(Self.text(line))
            }
        }
    }

    private func read(_ file: String) throws -> [UInt8] {
        if file == "-" { return Array(try FileHandle.standardInput.read(upToCount: IncomingMail.headBytes) ?? Data()) }
        guard let handle = FileHandle(forReadingAtPath: file) else {
            throw CommandError("\(LogText.line(file)) cannot be read: check the path, and that you may read it")
        }
        defer { try? handle.close() }
        do { return Array(try handle.read(upToCount: IncomingMail.headBytes) ?? Data()) } catch {
            throw CommandError("\(LogText.line(file)) cannot be read: name a file with one mail")
        }
    }

    private static func text(_ line: Line) -> String {
        let rows = line.recipients.map { one in
            let address = one.address.isEmpty ? "(no recipient is named)" : LogText.line(one.address)
            let facts = [
                one.reason, one.hard ? "hard" : nil, one.suppresses ? "would be suppressed" : nil, one.status.isEmpty ? nil : one.status,
            ]
            return "  \(address)  \(facts.compactMap(\.self).joined(separator: ", "))"
                + (one.text.isEmpty ? "" : "\n    \(LogText.line(one.text))")
        }
        return ([LogText.line(line.file) + ": " + line.kind] + rows).joined(separator: "\n")
    }
}
