import ArgumentParser
import Broker
import CommandSupport
import Logging
import Model
import ServiceLifecycle
import Settings
import Telemetry

struct BouncesCommand: RoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "bounces", abstract: "Take mail that comes back: bounces, complaints, unsubscribes. Run any number of them.",
        discussion: """
            It takes mail by SMTP and LMTP at bounces.listen, behind a mail server, and from bounces.maildir, and brings what it says to
            Redis: docs/bounces.md. It needs no ledger. While Redis is unavailable mail waits where it is.
            """, subcommands: [BouncesReadCommand.self])
    @OptionGroup var options: RunOptions

    func run() async throws {
        let runtime = try prepare()
        let settings = runtime.settings
        guard settings.bounces.listen != nil || settings.bounces.maildir != nil else {
            throw CommandError("bounces.listen is off, and bounces.maildir is not set: there is no mail to take (docs/bounces.md)")
        }
        let keys = try settings.trackerKeys(makes: false)
        if settings.email.returnPath == nil {
            runtime.logger.notice("email.return_path is not set: bounces are known by the Message-ID and the recipient alone")
        }
        let broker = try await runtime.openBroker("bounces", isPatient: true)
        try await runtime.run(
            "bounces",
            runtime.metricsServer(.bounces)
                + [
                    HealthMonitor(broker: broker, ledger: nil, readiness: runtime.readiness, logger: runtime.logger),
                    runtime.heartbeat(.bounces, broker),
                ] + runtime.bounces(broker, keys: keys, connections: runtime.possibleMailConnections))
        await broker.close()
    }
}
