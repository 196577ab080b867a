import Broker
import Logging
import Model
import NIOCore
import Policy
import Synchronization
import Transport

/// The mailings that a worker has made ready, and the connections to their providers.
actor MailingShelf {
    enum Finding {
        case ready(PreparedMailing)
        /// The mailing has ended, or Redis lost it.
        case gone
        /// It cannot be sent by this worker; the text says why.
        case unfit(String)
    }

    private let board: MailingBoard
    private let configuration: WorkerConfiguration
    private let group: any EventLoopGroup
    private let logger: Logger
    private var mailings: [MailingID: PreparedMailing] = [:]
    /// Providers of mailings that are not ready yet.
    private var waiting: [MailingID: String] = [:]
    private var transports: [String: (any DeliveryTransport, Lanes)] = [:]

    init(board: MailingBoard, configuration: WorkerConfiguration, group: any EventLoopGroup, logger: Logger) {
        self.board = board
        self.configuration = configuration
        self.group = group
        self.logger = logger
    }

    /// The mailing, made ready at the first call.
    /// - Throws: `RedisError`, or `TransportError` while its provider cannot be reached.
    func mailing(_ id: MailingID) async throws -> Finding {
        if let known = mailings[id] { return .ready(known) }
        guard let mailing = try await board.definition(id), let speed = try await board.controls(id)?.speed else { return .gone }
        let provider: Provider
        do throws(ProviderURLError) {
            if let named = configuration.providers[mailing.provider] {
                provider = named
            } else {
                provider = try ProviderURL.parse(mailing.provider)
            }
        } catch {
            return .unfit("provider '\(mailing.provider)' is neither a name in this worker's flotilla.yaml nor a URL: \(error)")
        }
        let (transport, lanes) = self.transport(provider, key: mailing.provider)
        waiting[id] = provider.name
        let capabilities = try await transport.prepare()
        waiting[id] = nil
        if let known = mailings[id] { return .ready(known) }
        do {
            let ready = try PreparedMailing(
                id: id, mailing: mailing, speed: speed, provider: provider, hostname: configuration.hostname,
                transport: transport, capabilities: capabilities, lanes: lanes,
                groupSize: GroupSize(least: leastGroup(provider), most: configuration.group))
            mailings[id] = ready
            return .ready(ready)
        } catch {
            return .unfit("\(error)")
        }
    }

    /// - Parameter key: what the mailing calls the provider: two URLs of one host are two.
    private func transport(_ provider: Provider, key: String) -> (any DeliveryTransport, Lanes) {
        if let known = transports[key] { return known }
        let made = TransportMaker.make(
            provider, hostname: configuration.hostname, answers: configuration.answers, group: group, logger: logger)
        // An SMTP connection has a group to itself: more groups than connections would only be begun earlier.
        let places = isSMTP(provider) ? min(configuration.concurrency, provider.connections) : configuration.concurrency
        let lanes = Lanes(places)
        transports[key] = (made, lanes)
        return (made, lanes)
    }

    private func isSMTP(_ provider: Provider) -> Bool { provider.scheme == .smtp || provider.scheme == .smtps }

    /// The requests of an HTTP group are spread over all connections.
    private func leastGroup(_ provider: Provider) -> Int {
        isSMTP(provider) ? 1 : (provider.connections + configuration.concurrency - 1) / configuration.concurrency
    }

    /// Looks at the board, and takes over what operators changed; forgets mailings that are gone.
    /// - Returns: the providers of the mailings that are left.
    func refresh() async throws(RedisError) -> Set<String> {
        for id in waiting.keys where try await board.controls(id)?.state != .sending { waiting[id] = nil }
        for (id, mailing) in mailings {
            guard let (state, speed) = try await board.controls(id) else {
                mailings[id] = nil
                mailing.halt()
                continue
            }
            do {
                try mailing.update(state: state, speed: speed)
            } catch {
                logger.error("mailing \(id): speed '\(speed)' is not understood and left as it was: \(error)")
            }
        }
        return Set(mailings.values.map(\.provider)).union(waiting.values)
    }

    /// What a mailing wants of messages that may have arrived; nil when it has ended.
    func policy(of id: MailingID) async throws(RedisError) -> Mailing.UncertainPolicy? {
        if let known = mailings[id] { return known.mailing.uncertain }
        return try await board.definition(id)?.uncertain
    }

    /// The name of a mailing's provider, once it is known.
    func provider(of id: MailingID) -> String { waiting[id] ?? mailings[id]?.provider ?? "" }

    /// Whether a mailing that is not ready yet is still to be sent, as far as Redis can be asked.
    func isSending(_ id: MailingID) async -> Bool {
        do throws(RedisError) { return try await board.controls(id)?.state == .sending } catch { return true }
    }

    /// Ends all connections at once.
    func abort() {
        for (transport, _) in transports.values { transport.abort() }
    }

    func close() async {
        for (transport, _) in transports.values { await transport.close() }
    }
}
