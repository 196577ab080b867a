import Broker
import CommandSupport
import Logging
import BounceIntake
import ServiceLifecycle
import Settings
import Signing
import Telemetry
import Transport

extension RoleRuntime {
    /// What takes mail that comes back, by its listener and from its Maildir.
    /// - Parameters:
    ///   - keys: sign return paths; without them bounces are known by the Message-ID alone.
    ///   - connections: of senders at once.
    /// - Throws: `MaildirError`.
    func bounces(_ broker: Broker, keys: SigningKeys?, connections: Int) throws(MaildirError) -> [any Service] {
        let intake = MailIntake(broker, MailMatcher(keys: keys, responses: settings.worker.responses), logger: logger)
        var services: [any Service] = []
        if let address = settings.bounces.listen {
            var bounds = MailServer.Bounds()
            bounds.connections = connections
            services.append(
                MailServer(
                    host: address.host, port: address.port, hostname: settings.email.hostname, bounds: bounds, group: group, logger: logger
                ) { await intake.take($0) })
        }
        if let folder = settings.bounces.maildir {
            services.append(
                MaildirReader(try Maildir(folder, done: settings.bounces.done), logger: logger) { await intake.take($0) })
        }
        return services
    }

    /// The same of a process with all roles: none where no address is set for what comes back.
    func innerBounces(_ broker: Broker, keys: SigningKeys?) throws(MaildirError) -> [any Service] {
        servesMail ? try bounces(broker, keys: keys, connections: fewMailConnections) : []
    }

    /// Connections of senders in such a process.
    var fewMailConnections: Int { OpenFiles.serverConnections(atMost: settings.bounces.connections) }

    /// Connections of senders in a process of its own, as far as its descriptors go.
    var possibleMailConnections: Int { max(2, min(settings.bounces.connections, (OpenFiles.limit - OpenFiles.reserve) / 2)) }
}
