import ArgumentParser
import Control
import Foundation
import Ledger
import Model
import Policy
import Telemetry

extension MailingCommand {
    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "pause", abstract: "Pause a mailing until: flotilla mailing resume.")
        @OptionGroup var order: OrderOptions
        @Option(help: "Why, for those who see it later.") var reason = ""
        @OptionGroup var mailing: MailingArgument

        func run() async throws {
            let session = try order.session(order.settings())
            let id = try await mailing.find(in: session.ledger).id
            let reach = try await session.give(PauseMailing(id, reason: reason))
            StandardOutput.write("\(id): paused")
            reach.warnUnlessFollowed()
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "resume", abstract: "Resume a paused mailing; one whose start has passed begins now.")
        @OptionGroup var order: OrderOptions
        @OptionGroup var mailing: MailingArgument

        func run() async throws {
            let session = try order.session(order.settings())
            let id = try await mailing.find(in: session.ledger).id
            let outcome = try await session.give(ResumeMailing(id))
            StandardOutput.write("\(id): \(outcome.state.rawValue)")
            outcome.reach.warnWithoutPlanner("it continues")
            if outcome.reach.planner != nil { outcome.reach.warnUnlessFollowed() }
        }
    }

    struct Speed: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "speed", abstract: "Change a mailing's limit while it is sent.")
        @OptionGroup var order: OrderOptions
        @OptionGroup var mailing: MailingArgument
        @Argument(help: "The new limit, as 500/s or 6000/min,burst=50; 'own' restores that of the mailing file.") var speed: String

        func validate() throws {
            do { _ = try limit() } catch { throw ValidationError("\(error)") }
        }

        /// Nil for that of the mailing file.
        private func limit() throws(RateLimitError) -> RateLimit? { speed == "own" ? nil : try RateLimit(speed) }

        func run() async throws {
            let session = try order.session(order.settings())
            let id = try await mailing.find(in: session.ledger).id
            let limit = try limit()
            let outcome = try await session.give(SetSpeed(id, limit))
            let inForce = outcome.speed ?? "no limit of its own"
            StandardOutput.write(
                "\(id): \(inForce)\(limit == nil ? ", as its file says" : "")\(outcome.isChanged ? "" : "; it was so already")")
            outcome.reach.warnUnlessFollowed()
        }
    }
}
