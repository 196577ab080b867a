import ArgumentParser
import CommandSupport
import Control
import Foundation
import Ledger
import Logging
import Model
import Signing
import Telemetry
import Text

/// Where a secret comes from.
struct WebhookSecretOption: ParsableArguments {
    @Option(help: "A file with the secret: whsec_ and 24 to 64 bytes in base64. Without it a secret is made, and shown this once.")
    var secretFile: String?

    /// - Returns: also whether it is new, and so is to be shown.
    func secret() throws -> (text: Secret, isNew: Bool) {
        guard let secretFile else { return (WebhookSecret.random().text, true) }
        guard let text = try? String(contentsOfFile: secretFile, encoding: .utf8) else {
            throw CommandError("the file \(LogText.line(secretFile)) cannot be read")
        }
        do { return (try WebhookSecret(Secret(text)).text, false) } catch {
            throw CommandError("what is in \(LogText.line(secretFile)) \(error)")
        }
    }
}

extension WebhooksCommand {
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Have another system be told of what happens from now on.",
            discussion: """
                Its messages are signed: the receiver verifies them by the secret, which is shown once. A role tells it: flotilla \
                webhooks, or flotilla up.
                """)
        @Argument(help: "Where its messages go; - reads that from standard input, so that a password in it is in no list of processes.")
        var url: String
        @Option(
            help: """
                The event types, with commas: recipient.sent, 'recipient.*', 'mailing.*', and so on; by default all. Write what has a * in \
                quotation marks: else the shell looks for files of that name.
                """)
        var types = "*"
        @Flag(help: "The messages have the recipients' addresses.") var addresses = false
        @Flag(help: "A URL without TLS that leads to another machine is wanted.") var insecure = false
        @Option(help: "Messages at once at most: 1 to 64. Those of one recipient come one after the other.") var connections = 8
        @OptionGroup var secret: WebhookSecretOption
        @OptionGroup var order: OrderOptions

        private func wanted() throws -> WebhookTypes {
            let names = types.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            do { return try WebhookTypes(names) } catch {
                throw ValidationError(
                    "--types: \(error). Write a pattern in quotation marks ('recipient.*'): the shell replaces it by files")
            }
        }

        func validate() throws {
            _ = try wanted()
            guard 1...WebhookSubscription.mostParts ~= connections else {
                throw ValidationError("--connections is 1 to \(WebhookSubscription.mostParts)")
            }
            if url != "-", let parsed = try? ParsedURL(url), parsed.password != nil {
                throw ValidationError("the URL shows its password to everyone who lists processes; write - and give it by standard input")
            }
        }

        func run() async throws {
            let place = url == "-" ? (readLine() ?? "").trimmingCharacters(in: .whitespaces) : url
            let (text, isNew) = try secret.secret()
            let id = "wh_" + String(UInt64.random(in: 0 ... .max), radix: 36)
            var one = WebhookSubscription(
                id: id, url: Secret(place), types: try wanted(), parts: connections, secret: text, now: Clock.milliseconds())
            (one.addresses, one.insecure) = (addresses, insecure)
            try await order.session(order.settings()).give(AddWebhook(one))
            StandardOutput.write("\(id)  \(one.shownURL)" + (isNew ? "\nsecret (shown once): \(text.exposed)" : ""))
        }
    }

    struct SecretGroup: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "secret", abstract: "Change the secret of a subscription.", subcommands: [RotateSecret.self])
    }

    struct RotateSecret: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate", abstract: "Give a subscription a new secret. For a day its messages are signed by both.")
        @Argument(help: "Its id.") var id: String
        @Flag(help: "Also where its secret was changed less than a day ago: the one before that signs no more.") var endOld = false
        @OptionGroup var secret: WebhookSecretOption
        @OptionGroup var order: OrderOptions

        func run() async throws {
            let (text, isNew) = try secret.secret()
            try await order.session(order.settings()).give(RotateWebhookSecret(id, to: text, endsOld: endOld))
            StandardOutput.write("rotated: \(LogText.line(id))" + (isNew ? "\nsecret (shown once): \(text.exposed)" : ""))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the subscriptions, with how they fare.")
        @OptionGroup var options: LedgerOptions
        @OptionGroup var output: OutputOptions

        private struct Line: Encodable {
            let id: String
            let url: String
            let types: [String]
            let addresses: Bool
            let state: String
            let why: String
            let waiting: Int
            let created: String
            let lastSuccess: String?
            let failingSince: String?
            let problem: String
        }

        func run() async throws {
            let all = try await options.open().webhooks()
            if output.isJSON {
                for (one, waiting) in all {
                    let line = Line(
                        id: one.id, url: one.shownURL, types: one.types.names, addresses: one.addresses, state: one.state.rawValue,
                        why: one.why, waiting: waiting, created: Timestamp.text(one.created),
                        lastSuccess: one.lastSuccess.map { Timestamp.text($0) }, failingSince: one.firstFailure.map { Timestamp.text($0) },
                        problem: one.problem)
                    StandardOutput.write(json: try ScriptJSON.line(line))
                }
                return
            }
            guard !all.isEmpty else { return StandardOutput.write("no subscriptions yet: flotilla webhooks add URL") }
            StandardOutput.write(WebhookText(all).lines.joined(separator: "\n"))
        }
    }
}
