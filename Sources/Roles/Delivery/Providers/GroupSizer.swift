import Model
import Synchronization

/// What a provider's connections can do.
struct Capacity {
    /// Nanoseconds that one of them needs for a message.
    var time: Int64
    var connections: Int

    /// Nanoseconds from one start to the next that they manage together.
    var spacing: Int64 { time / Int64(connections) }
}

/// How many messages start together: as many as take a short time, so that few are uncertain when a worker ends in the middle of them,
/// and a fast provider still gets large groups.
final class GroupSizer: Sendable {
    /// A message that takes so many times as long as others counts as this at most.
    private static let outlier: Int64 = 4
    /// Where it begins: a slow provider is not known to be one.
    static let first = 8

    private let least: Int
    private let most: Int
    /// Time that a group may take.
    let aim: Duration
    private let size: Atomic<Int>
    /// Nanoseconds that a message takes, lately.
    private let time = Atomic<Int64>(0)

    /// - Parameters:
    ///   - least: messages in a group at least, from 1: what keeps all connections busy.
    ///   - most: messages in a group at most.
    ///   - aim: time that a group may take.
    init(least: Int, most: Int, aim: Duration = .milliseconds(200)) {
        self.aim = aim
        self.least = min(least, most)
        self.most = most
        size = Atomic(min(max(Self.first, least), most))
    }

    var now: Int { size.load(ordering: .relaxed) }

    /// The size where Redis, which is asked before each group, takes so long to answer: larger, so that the wait is worth while.
    func size(distance: Duration) -> Int { min(most, Int(Double(now) * (1 + distance / aim))) }

    /// Nanoseconds that a message takes within a group, without its wait for a reservation.
    var service: Int64 { time.load(ordering: .relaxed) }

    /// Notes how long a group took; groups on their way at the same time may overwrite one another's word.
    func note(_ count: Int, took: Duration) {
        let known = service
        var latest = took.nanoseconds / Int64(max(1, count))
        // A few recipients with whom the provider is slow are no sign of what its connections can do.
        if known > 0 { latest = min(latest, Self.outlier * known) }
        time.store(known == 0 ? latest : known + (latest - known) / 8, ordering: .relaxed)
        if took > aim {
            size.store(max(least, min(now, Int(Double(count) * (aim / took)))), ordering: .relaxed)
        } else if count == now, took < aim / 2 {
            size.store(min(most, count * 2), ordering: .relaxed)
        }
    }
}
