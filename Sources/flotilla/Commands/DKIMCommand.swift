import ArgumentParser
import CommandSupport
import Foundation
import Settings
import Signing
import Telemetry
import Text

/// The keys that sign e-mail.
struct DKIMCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dkim", abstract: "Make the keys that sign e-mail (DKIM), and print their records for DNS.",
        discussion: """
            The keys lie in the folder that email.dkim names, as DOMAIN/SELECTOR.pem. Workers read it when they start. \
            Private keys are never shown.
            To change a key: generate one with a new selector, publish its record, wait until DNS has it everywhere, copy the folder to \
            the workers and restart them. Keep the old record for as long as mail may be on its way, a week.
            """,
        subcommands: [Generate.self, List.self], defaultSubcommand: List.self)

    struct Options: ParsableArguments {
        @Option(help: "The configuration file; ./flotilla.yaml where it exists.")
        var config: String?

        @Option(help: "The folder of the keys, in place of email.dkim.")
        var folder: String?

        func path() throws -> String {
            let settings = try Settings.loadWithWarnings(file: config)
            guard let path = folder ?? settings.email.dkim else {
                throw ValidationError("there is no folder for keys: set email.dkim in flotilla.yaml, or give --folder")
            }
            return path
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the keys with their records for DNS.")
        @OptionGroup var options: Options

        func run() throws {
            let folder = try DKIMFolder(reading: options.path())
            for warning in folder.warnings { StandardError.write("warning: \(warning)") }
            StandardOutput.write(folder.keys.map(\.dnsLine).joined(separator: "\n"))
        }
    }

    struct Generate: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "generate", abstract: "Make an RSA and an Ed25519 key for a domain; each message gets a signature by both.")
        @OptionGroup var options: Options

        @Argument(help: "The domain of the sender, as in From: example.com.")
        var domain: String

        @Option(help: "What the selectors begin with; the date of today by itself. The kind of the key follows.")
        var selector: String?

        func run() throws {
            let path = try options.path()
            // Whether the domain is one is judged with the key.
            let ascii = EmailAddress.asciiForm(of: "x@\(domain)").map { String($0.dropFirst(2)) } ?? domain
            let begin =
                selector ?? "s" + Date.now.formatted(Date.ISO8601FormatStyle(timeZone: .gmt).year().month().day().dateSeparator(.omitted))
            let keys = try DKIMKey.Algorithm.allCases.map { algorithm in
                try DKIMFolder.generate(
                    algorithm, domain: ascii, selector: "\(begin)-\(algorithm == .rsa ? "rsa" : "ed")", in: path)
            }
            let last = try DKIMFolder(reading: path).keys.filter { $0.domain == ascii.lowercased() }
            for key in keys where last.contains(where: { $0.algorithm == key.algorithm && $0.selector > key.selector }) {
                StandardError.write(
                    "warning: \(key.selector) does not sign, as another \(key.algorithm.keyType) key of \(ascii) has a selector that sorts "
                        + "behind it: give --selector")
            }
            StandardError.write("the keys are in \(path)/\(ascii). Publish these records, and restart the workers once DNS has them:")
            StandardOutput.write(keys.map(\.dnsLine).joined(separator: "\n"))
        }
    }
}

extension DKIMKey {
    /// The record as a line of a zone: a text of DNS has 255 bytes at most (RFC 1035 section 3.3.14), and a verifier joins several.
    fileprivate var dnsLine: String {
        var texts: [Substring] = []
        var rest = record[...]
        while !rest.isEmpty {
            texts.append(rest.prefix(255))
            rest = rest.dropFirst(255)
        }
        return "\(selector)._domainkey.\(domain). IN TXT (" + texts.map { " \"\($0)\"" }.joined() + " )"
    }
}
