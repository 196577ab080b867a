package import Broker
package import Ledger
package import Logging
package import Model

/// The one way in which persons change what a fleet does: commands, and later the API and the console, give orders and hold no rules.
package struct Control: Sendable {
    package typealias Store = MailingStore & DispatchStore & ReportStore & UncertainStore & LimitStore & AuditStore & RepeatStore
        & LeadershipStore & DeadLetterStore & EpochNoteStore & RetentionStore & SuppressionStore & ErasureStore & WebhookStore
        & CustomerStore & CustomerHistoryStore & SegmentStore & RoundStore & EventStore

    private let ledger: any Store
    private let announcer: OrderAnnouncer
    private let logger: Logger
    private let clocks: Clocks

    /// - Parameter broker: the Redis of the fleet, through which workers hear of orders though no planner is at work; nil where it is not
    ///   known.
    package init(ledger: any Store, broker: Broker?, logger: Logger, clocks: Clocks = .system) {
        self.ledger = ledger
        self.logger = logger
        self.clocks = clocks
        announcer = OrderAnnouncer(ledger: ledger, broker: broker, clocks: clocks)
    }

    /// Carries an order out, and logs it.
    /// - Throws: `OrderError`, with nothing changed.
    package func carryOut<Given: Order>(_ order: Given, by actor: OrderActor) async throws(OrderError) -> Given.Outcome {
        let context = OrderContext(
            ledger: ledger, announcer: announcer, actor: actor, note: AuditNote(order.kind, actor: actor.description),
            now: clocks.milliseconds)
        let fields: Logger.Metadata = ["order": "\(order.kind.rawValue)", "object": "\(order.object)", "actor": "\(actor)"]
        do throws(OrderError) {
            let outcome = try await order.carryOut(context)
            let obstacle = order.obstacle(outcome)
            logger.notice("\(obstacle?.description ?? "order carried out")", metadata: fields)
            return outcome
        } catch {
            logger.notice("order refused: \(error)", metadata: fields)
            throw error
        }
    }
}
