import ArgumentParser
import CommandSupport
import Control
import Foundation
import Ledger
import Model
import Planning
import Policy
import Settings
import Telemetry
import Text

/// Questions and orders about a person, over all mailings of a ledger.
struct RecipientCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recipient", abstract: "Find a recipient by a provider's message id, or erase a person, over all mailings.",
        discussion: "flotilla mailing recipient shows one recipient of a mailing, flotilla mailing history all messages to an address.",
        subcommands: [Find.self, Erase.self])

    struct Find: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "find", abstract: "Find the recipients whose message a provider calls by an id, the newest mailing first.",
            discussion: """
                The id is the one that the provider gave in its response, as `mailing recipient` shows it. It is compared as a whole. \
                All results of the ledger are read: with many millions that takes minutes.
                """)
        @OptionGroup var options: LedgerAloneOptions
        @Option(help: "The provider's id of the message.") var messageId: String
        @Option(help: "Only messages through this provider: a name of flotilla.yaml, or a URL, as `mailing recipient` shows it.")
        var provider: String?
        @Option(help: "How many at most.") var limit = 100
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if messageId.isEmpty { throw ValidationError("--message-id is empty") }
            if limit < 1 { throw ValidationError("--limit is 1 or more") }
        }

        func run() async throws {
            let settings = try options.settings()
            let ledger = try options.open(settings)
            let found = try await ledger.recipients(ofMessage: messageId, provider: provider, limit: limit)
            if found.isEmpty, let provider { try await KnownProvider.require(provider, settings, ledger) }
            if output.isJSON {
                for detail in found { StandardOutput.write(json: try ScriptJSON.line(RecipientJSON(detail))) }
                return
            }
            if found.isEmpty {
                let through = provider.map { " through \($0)" } ?? ""
                return StandardOutput.write("no message\(through) has the id '\(messageId)'")
            }
            for detail in found { StandardOutput.write(RecipientText(detail).text) }
        }
    }

    struct Erase: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "erase", abstract: "Take the values of a person out of the ledger: messages, excluded rows, responses, events.",
            discussion: """
                States and numbers stay, and so do ids, unless they hold the address. Whoever is still to be sent to, or waits for a \
                decision, stays as a whole; the command names them, and the exit status is 1. Suppressions stay, so that the person is not \
                sent to again, unless --with-suppressions removes them. Files that mailings read, copies of the ledger, logs, and what \
                providers keep are not touched. On a terminal it asks first; without a terminal it takes --yes. It cannot be undone.
                """)
        @Argument(help: "The address, as it is written anywhere.") var address: String
        @Option(help: "The country of a telephone number without a country code (ISO 3166-1, such as DE).") var country: String?
        @Flag(help: "Remove the suppressions of the address too: it may be sent to again.") var withSuppressions = false
        @Flag(help: "Do not ask.") var yes = false
        @OptionGroup var order: OrderOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            _ = try SuppressedNames.country(country)
            if address.allSatisfy(\.isWhitespace) { throw ValidationError("an empty address names nobody") }
        }

        func run() async throws {
            let session = try order.session(order.settings())
            let forms = AddressForms.of(address, country: country?.uppercased())
            if !yes { try await confirm(forms, session.ledger) }
            let erasure = try await session.give(EraseRecipient(ErasedPerson(forms, withSuppressions: withSuppressions)))
            let text = try await ErasureText(erasure, in: session.ledger, hint: order.ledger.hint)
            if output.isJSON {
                StandardOutput.write(json: try ScriptJSON.text(text.json))
            } else {
                StandardOutput.write(text.done)
            }
            for line in text.left { StandardError.write(line) }
            if !erasure.isWhole { throw ExitCode(.failed) }
        }

        /// Messages that are counted for the question.
        private static let mostCounted = 1000

        private func confirm(_ forms: [String], _ ledger: any OpenLedger) async throws {
            guard isatty(STDIN_FILENO) != 0, isatty(STDERR_FILENO) != 0 else {
                throw CommandError("what the ledger knows of '\(address)' would be erased for good: add --yes")
            }
            var count = 0
            for form in forms { count += try await ledger.history(address: form, limit: Self.mostCounted).count }
            let messages = count >= Self.mostCounted ? "\(grouped(count)) recipients or more" : counted(count, "recipient")
            StandardError.write("Erase '\(LogText.line(address))', \(messages) of mailings? This cannot be undone. [y/N]")
            guard ["y", "yes"].contains(readLine()?.lowercased() ?? "") else { throw CommandError("nothing was erased") }
        }
    }
}
