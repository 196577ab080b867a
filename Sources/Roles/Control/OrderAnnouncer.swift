import Broker
import Ledger
package import Model

/// Who carries out an order that is in the ledger.
package struct OrderReach: Sendable, Equatable {
    /// Why the workers could not be told; nil when they were, or when none of them can have anything of the mailing.
    package var unreported: String?
    /// The planner that leads: it tells the workers within a second, and dispatches. Nil for none.
    package var planner: String?
    /// The command knows which Redis is the fleet's.
    package var isRedisNamed = true
    /// Why that planner reaches nobody by way of Redis, in its own words; nil where it does.
    package var problem: String?

    package init(unreported: String? = nil, planner: String? = nil) {
        self.unreported = unreported
        self.planner = planner
    }
}

/// Tells workers of orders, through Redis, so that a pause or a stop takes effect though no planner is at work.
package struct OrderAnnouncer: Sendable {
    private let ledger: any Control.Store
    private let broker: Broker?
    private let clocks: Clocks

    /// Other persons may give orders at the same time; more often than that nobody does.
    private static let attempts = 10

    init(ledger: any Control.Store, broker: Broker?, clocks: Clocks) {
        self.ledger = ledger
        self.broker = broker
        self.clocks = clocks
    }

    /// Publishes the state and the speed that the ledger has of a mailing, as the dispatcher does.
    package func announce(_ id: MailingID) async -> OrderReach {
        var reach = await planned()
        do {
            guard let broker else { throw NoRedis() }
            try await publish(id, PublishedMailings(broker))
        } catch {
            // No worker has a batch of a mailing of which none is dispatched.
            let dispatched = try? await ledger.progress(id)?.dispatched
            if dispatched != 0 { reach.unreported = "\(error)" }
            reach.isRedisNamed = broker != nil
            reach.problem = try? await ledger.redisProblem()
        }
        return reach
    }

    /// Tells workers of suppressions that are in the ledger, or no more, for the messages that are with them already. Without Redis the
    /// dispatcher alone checks them.
    /// - Returns: whether they were told.
    @discardableResult
    func tell(_ suppressions: [Suppression], lifted: [Suppression.Key] = []) async -> Bool {
        guard let broker else { return false }
        do {
            try await RecentSuppressions(broker).tell(suppressions, lifted: lifted, of: ledger.identity())
            return true
        } catch {
            return false
        }
    }

    private struct NoRedis: Error, CustomStringConvertible {
        let description = "no Redis is named (--redis, redis.url)"
    }

    /// What needs a planner only.
    package func planned() async -> OrderReach {
        let leader = try? await ledger.leader(Leadership.planning)
        return OrderReach(planner: leader.flatMap { $0.until > clocks.milliseconds ? $0.holder : nil })
    }

    /// Publishes until the ledger says afterwards what was published. Whoever publishes last, of several, has then published what holds.
    private func publish(_ id: MailingID, _ published: PublishedMailings) async throws {
        var last: PublishedMailings.Controls?
        for _ in 0..<Self.attempts {
            guard let record = try await ledger.mailing(id), [.sending, .paused, .stopped].contains(record.state) else { return }
            let now = PublishedMailings.Controls(state: record.state, speed: record.speed ?? "")
            guard now != last else { return }
            // A mailing that is not published is with no worker: only a planner can dispatch it.
            guard try await published.order(id, state: now.state, speed: now.speed) else { return }
            last = now
        }
    }
}
