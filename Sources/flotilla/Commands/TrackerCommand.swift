import ArgumentParser
import Broker
import CommandSupport
import Model
import ServiceLifecycle
import Settings
import Telemetry
import Tracking

struct TrackerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tracker", abstract: "Answer the links of messages: opens, clicks, unsubscribes. Run any number of trackers.",
        discussion: """
            It serves strangers at tracker.listen, behind a proxy that ends TLS, and brings what they did to Redis: docs/tracking.md. It
            needs no ledger. Links are answered while Redis is unavailable, too.
            Without a subcommand it serves, with the options of `flotilla tracker serve`.
            """,
        subcommands: [Serve.self, TrackerKeyCommand.self], defaultSubcommand: Serve.self)
}

extension TrackerCommand {
    /// What `flotilla tracker` does. Options of its own would take those of the other subcommands.
    struct Serve: RoleCommand {
        static let configuration = CommandConfiguration(commandName: "serve", abstract: "Answer the links.")
        @OptionGroup var options: RunOptions

        func run() async throws {
            let runtime = try prepare()
            guard runtime.settings.tracker.url != nil, let keys = try runtime.settings.trackerKeys(makes: false) else {
                throw CommandError("tracker.url is not set: it is the public address to which links of messages lead (docs/tracking.md)")
            }
            let broker = try await runtime.openBroker("tracker", isPatient: true)
            try await runtime.run(
                "tracker",
                runtime.metricsServer(.tracker)
                    + [
                        HealthMonitor(broker: broker, ledger: nil, readiness: runtime.readiness, logger: runtime.logger),
                        runtime.heartbeat(.tracker, broker),
                    ]
                    + runtime.tracker(
                        broker, keys: keys, spool: runtime.settings.trackerSpool(), connections: TrackerServer.possibleConnections))
            await broker.close()
        }
    }
}
