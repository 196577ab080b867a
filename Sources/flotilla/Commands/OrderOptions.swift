import ArgumentParser
import Broker
import Control
import Foundation
import Ledger
import Logging
import Model
import NIOPosix
import Settings
import Telemetry

/// Options of every command that gives an order.
struct OrderOptions: ParsableArguments {
    @OptionGroup var ledger: LedgerOptions

    @Option(help: "Your name as the audit log and others see it; by default your login name.")
    var actor: String?

    @Option(help: .hidden)
    var by: String?

    @OptionGroup var redis: RedisOption

    func validate() throws {
        guard let given = actor ?? by else { return }
        do { _ = try OrderActor(given) } catch { throw ValidationError("--actor: \(error)") }
    }

    func settings() throws -> Settings {
        if by != nil { StandardError.warn("--by is deprecated; write --actor") }
        // Where a person reads it, the answer of the command says as much as the log.
        var settings = try ledger.settings(level: isatty(STDERR_FILENO) == 0 ? .notice : .warning)
        try redis.apply(to: &settings)
        return settings
    }

    /// The given name, or that of the user.
    func giver() throws -> OrderActor {
        try (actor ?? by).map { try OrderActor($0) } ?? .user
    }

    /// Opens the ledger, and names the fleet's Redis where the settings do.
    func session(_ settings: Settings) throws -> OrderSession {
        OrderSession(ledger: try ledger.open(settings), broker: Broker(orders: settings), actor: try giver())
    }

    /// The same for whoever may begin with a ledger: one that is not there is made, unless another is expected.
    /// - Parameters:
    ///   - files: those of the command, in whose folders another ledger may be meant.
    ///   - mailing: the one that is to be sent, unless everybody is to get it again.
    func beginningSession(
        _ settings: Settings, near files: [String] = [], sending mailing: MailingIdentity? = nil
    ) async throws -> OrderSession {
        try await NewLedger(settings, near: files, sending: mailing).requireWanted()
        let store = try OpenLedgers.openOrMake(settings.ledger.place, near: files, logger: Logger(label: "flotilla")) {
            StandardError.warn($0)
        }
        return OrderSession(ledger: store, broker: Broker(orders: settings), actor: try giver())
    }
}

extension OrderActor {
    /// The user of this process. Behind `sudo` it is the one who called it.
    static var user: OrderActor {
        let process = ProcessInfo.processInfo
        return OrderActor(user: process.environment["SUDO_USER"] ?? process.userName, number: getuid())
    }
}

extension Broker {
    /// How long an order waits for Redis at most: it is in the ledger already.
    private static let longestWait = Duration.seconds(2)

    /// The fleet's Redis, for a question or an order in passing. Where the settings name none, it is the private Redis of the `send` or
    /// `up` that runs on the ledger; nil where there is none either.
    init?(orders settings: Settings) {
        let found =
            RedisEndpoint(settings.redis)
            ?? (try? settings.ledger.localPath()).flatMap(PrivateRedisFolders.running).map { RedisEndpoint(place: .unix(path: $0)) }
        guard var endpoint = found else { return nil }
        endpoint.timeout = min(endpoint.timeout, Self.longestWait)
        self.init(
            endpoint: endpoint, prefix: settings.redis.prefix, partitions: settings.collector.partitions, name: "flotilla-order",
            group: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "flotilla") { _ in SwiftLogNoOpLogHandler() })
    }
}

/// What a command gives orders with.
struct OrderSession {
    let ledger: any OpenLedger
    let broker: Broker?
    let actor: OrderActor

    /// Gives an order, and closes the connection to Redis.
    func give<Given: Order>(_ order: Given) async throws -> Given.Outcome {
        do {
            let outcome = try await Control(ledger: ledger, broker: broker, logger: Logger(label: "flotilla"))
                .carryOut(order, by: actor)
            await broker?.close()
            return outcome
        } catch {
            await broker?.close()
            throw error
        }
    }
}

extension OrderReach {
    /// Warns where the workers do not follow a pause, a resume, a stop or a speed at once.
    func warnUnlessFollowed() {
        guard let unreported else { return }
        if let planner {
            // Without the name of a Redis only the planner informs them, which is usual.
            guard isRedisNamed || problem != nil else { return }
            let why = isRedisNamed ? unreported : problem ?? unreported
            return StandardError.warn(
                """
                it is in the ledger, and the workers do not know of it yet (\(why)). The planner \(planner) informs them within a second \
                once it reaches Redis. Until then a worker without Redis starts no message, and one that reaches Redis continues as before
                """)
        }
        StandardError.warn(
            """
            nobody carries this out now: no planner is at work, and the workers could not be informed: \(unreported). They may continue \
            with the batches that they have until a planner starts (flotilla up, or flotilla planner)
            """)
    }

    /// Warns where what was ordered needs a planner, and none is at work.
    func warnWithoutPlanner(_ what: String) {
        guard planner == nil else { return }
        StandardError.warn("no planner is at work: \(what) when one starts (flotilla up, or flotilla planner)")
    }
}
