import ArgumentParser
import CommandSupport
import Foundation
import Model
import Planning
import Settings
import Telemetry
import Templates

extension MailingCommand {
    struct Preview: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "preview", abstract: "Show the message that a recipient would get; nothing is sent.",
            discussion: """
                Control characters are shown as escapes; --write puts the message into a file byte for byte, as it goes to a provider. \
                Links to the tracker are signed by a key of their own, and are not valid.
                """)

        enum Form: String, ExpressibleByArgument, CaseIterable {
            case text, html, source
        }

        @OptionGroup var options: MailingFileOptions
        @Option(help: "The configuration file; ./flotilla.yaml where it exists.") var config: String?
        @Option(help: "An address of the list, or a value of its id column; the first recipient by itself.") var recipient: String?
        @Option(name: .customLong("as"), help: "Of an e-mail the text, the HTML, or the whole message (source); of others the source.")
        var form: Form?
        @Option(help: "Write it to this file.", completion: .file()) var write: String?

        func validate() throws {
            if recipient?.isEmpty == true { throw ValidationError("--recipient '' names nobody") }
        }

        func run() throws {
            let settings = try Settings.loadWithWarnings(file: config)
            if let write {
                try OutputFile.check(write, option: "--write", example: "message.eml")
                try OutputFile.requireFree(write, option: "--write", remedy: "name another file")
            }
            let job = try options.prepare(settings)
            let example = try MessageExample(job, options.find(recipient, in: job), settings)
            let bytes = try shown(example)
            if let write {
                let file = try NewFile(write)
                do {
                    try file.write(bytes)
                    try file.finish()
                } catch {
                    file.abandon()
                    throw error
                }
            } else {
                var text = String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "\n")
                if text.last == "\n" { text.removeLast() }
                StandardOutput.write(text)
            }
        }

        private func shown(_ example: MessageExample) throws -> [UInt8] {
            let form = form ?? (example.mailing.channel == .email ? .text : .source)
            guard let readable = MessageForm(rawValue: form.rawValue) else { return example.source }
            if let bytes = example.reading(readable) { return bytes }
            throw CommandError("its messages have no \(form == .html ? "HTML" : "text"); --as source shows all that they have")
        }
    }
}
