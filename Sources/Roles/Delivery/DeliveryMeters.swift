import Metrics
import Model
import Synchronization

/// The counters of one channel and provider; added to once a group, not once a message.
struct DeliveryMeters: Sendable {
    private let outcomes: [RecipientState: Counter]
    private let retries: [ResponseReason: Counter]
    private let delivery: Metrics.Timer

    init(channel: Channel, provider: String) {
        let labels = [("channel", channel.rawValue), ("provider", provider)]
        outcomes = Dictionary(
            uniqueKeysWithValues: RecipientState.afterAttempts.map {
                ($0, Counter(label: "flotilla_messages_total", dimensions: labels + [("outcome", $0.name)]))
            })
        retries = Dictionary(
            uniqueKeysWithValues: ResponseReason.allCases.filter { $0 != .accepted }.map {
                (
                    $0,
                    Counter(label: "flotilla_retries_total", dimensions: labels + [("reason", $0.rawValue), ("class", $0.deprecatedClass)])
                )
            })
        delivery = Metrics.Timer(label: "flotilla_delivery_seconds", dimensions: labels)
    }

    func delivered(_ results: [RecipientResult], seconds: Duration) {
        guard !results.isEmpty else { return }
        count(results)
        delivery.recordNanoseconds(seconds.nanoseconds)
    }

    private func count(_ results: [RecipientResult]) {
        let sent = results.count { $0.state == .sent }
        if sent > 0 { outcomes[.sent]?.increment(by: sent) }
        if sent < results.count {
            for result in results where result.state != .sent {
                outcomes[result.state]?.increment()
                if result.state == .deferred, let reason = result.response?.reason { retries[reason]?.increment() }
            }
        }
    }
}

extension ResponseReason {
    /// The value of the deprecated label `class`: what it was most often before there were reasons.
    fileprivate var deprecatedClass: String {
        switch self {
        case .rate: "throttled"
        case .network: "unreachable"
        case .setUp: "misconfigured"
        default: "temporary"
        }
    }
}

/// The meters of each channel and provider, made once.
final class DeliveryMetersTable: Sendable {
    private struct Key: Hashable {
        var channel: Channel
        var provider: String
    }

    private let table = Mutex<[Key: DeliveryMeters]>([:])
    private let queueWaits = Dictionary(
        uniqueKeysWithValues: Channel.allCases.map {
            ($0, Metrics.Timer(label: "flotilla_queue_wait_seconds", dimensions: [("channel", $0.rawValue)]))
        })

    /// - Parameter milliseconds: how long a batch waited in its lane.
    func queueWait(_ channel: Channel, milliseconds: Int64) { queueWaits[channel]?.recordMilliseconds(milliseconds) }

    func meters(channel: Channel, provider: String) -> DeliveryMeters {
        table.withLock { table in
            let key = Key(channel: channel, provider: provider)
            if let known = table[key] { return known }
            let made = DeliveryMeters(channel: channel, provider: provider)
            table[key] = made
            return made
        }
    }
}
