import ArgumentParser
import Broker
import CommandSupport
import Control
import Ledger
import Logging
import Model
import Policy
import ServiceLifecycle
import Settings
import Telemetry
import Text
import Webhooks

struct WebhooksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhooks", abstract: "Tell other systems of what happens to recipients and mailings.",
        discussion: """
            It sends signed HTTP requests as Standard Webhooks has them: docs/webhooks.md. Of several on one ledger one works.
            Without a subcommand it tells, with the options of `flotilla webhooks serve`.
            """,
        subcommands: [
            Serve.self, List.self, Add.self, Remove.self, Enable.self, Disable.self, Replay.self, Test.self, SecretGroup.self,
        ], defaultSubcommand: Serve.self)

    /// What `flotilla webhooks` does. Options of its own would take those of the other subcommands.
    struct Serve: RoleCommand {
        static let configuration = CommandConfiguration(commandName: "serve", abstract: "Tell all subscriptions.")
        @OptionGroup var options: RunOptions

        func run() async throws {
            let runtime = try prepare()
            let ledger = try await runtime.waitForLedger(makes: false)
            let broker = try await runtime.openBroker("webhooks", isPatient: true)
            try await runtime.run(
                "webhooks",
                runtime.metricsServer(.webhooks)
                    + [
                        HealthMonitor(broker: broker, ledger: ledger, readiness: runtime.readiness, logger: runtime.logger),
                        runtime.heartbeat(.webhooks, broker), runtime.webhooks(ledger),
                    ])
            await broker.close()
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "remove", abstract: "Tell a subscription of nothing more.")
        @Argument(help: "Its id.") var id: String
        @OptionGroup var order: OrderOptions

        func run() async throws {
            try await order.session(order.settings()).give(RemoveWebhook(id))
            StandardOutput.write("removed: \(LogText.line(id))")
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "enable", abstract: "Tell a subscription again, from where it was told last.")
        @Argument(help: "Its id.") var id: String
        @OptionGroup var order: OrderOptions

        func run() async throws {
            let isChanged = try await order.session(order.settings()).give(SwitchWebhook(id, .active))
            StandardOutput.write(isChanged ? "enabled: \(LogText.line(id))" : "it is active already")
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "disable",
            abstract: "Tell a subscription of nothing until it is enabled. What the outbox has for it stays a while.")
        @Argument(help: "Its id.") var id: String
        @OptionGroup var order: OrderOptions

        func run() async throws {
            let isChanged = try await order.session(order.settings()).give(SwitchWebhook(id, .disabled))
            StandardOutput.write(isChanged ? "disabled: \(LogText.line(id))" : "it is disabled already")
        }
    }

    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "replay", abstract: "Tell a subscription again of what was written to the outbox in some time.",
            discussion: "Each event has the webhook-id that it had before. The outbox keeps what was told for three days (webhooks.keep).")
        @Argument(help: "Its id.") var id: String
        @Option(help: "Since then: a time as 2026-12-01T09:00:00Z, or a span back from now as 2d or 3h.") var since: String
        @Option(help: "Until then; by default all.") var until: String?
        @OptionGroup var order: OrderOptions

        func validate() throws {
            _ = try PastTime.milliseconds(since, "--since", now: 0)
            if let until { _ = try PastTime.milliseconds(until, "--until", now: 0) }
        }

        func run() async throws {
            let now = Clock.milliseconds()
            let from = try PastTime.milliseconds(since, "--since", now: now)
            let to = try until.map { try PastTime.milliseconds($0, "--until", now: now) }
            let count = try await order.session(order.settings()).give(ReplayWebhook(id, since: from, until: to))
            StandardOutput.write(
                count > 0 ? "told again: \(grouped(count)) events at most" : "the outbox has nothing of that time that was told already")
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "test", abstract: "Send a message of the type webhook.test to a subscription's receiver, and show the answer.")
        @Argument(help: "Its id.") var id: String
        @OptionGroup var options: LedgerOptions

        func run() async throws {
            let settings = try options.settings()
            let found = try await options.open(settings).webhooks().first { $0.subscription.id == id }?.subscription
            guard let found else {
                throw CommandError("there is no subscription '\(LogText.line(id))'; flotilla webhooks list shows them")
            }
            let sender = try WebhookSender(found, logger: .init(label: "flotilla"))
            let answer = await sender.send(WebhookBody(testOf: found, now: Clock.milliseconds()), now: Clock.milliseconds())
            await sender.close()
            guard answer.isAccepted else { throw CommandError("\(found.shownURL): \(answer.words)") }
            StandardOutput.write("\(found.shownURL): \(answer.words)")
        }
    }
}

/// A time that a person writes, as such or as a span back from now.
enum PastTime {
    /// - Returns: milliseconds since 1970.
    static func milliseconds(_ text: String, _ option: String, now: Int64) throws -> Int64 {
        if let span = try? TimeSpan(text) { return now - Int64(span.seconds) * 1000 }
        do { return try Moment(text).milliseconds } catch {
            throw ValidationError("\(option) '\(text)' is neither a span such as 2d or 3h nor a time such as 2026-12-01T09:00:00Z")
        }
    }
}
