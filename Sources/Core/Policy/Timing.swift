/// The times that the roles of a fleet must agree on, or that depend on one another. What an operator may want to change is a setting.
package enum Timing {
    /// How often a worker renews its lease, and a dispatcher its leadership, at most; a fifth of a lease that is shorter than that.
    package static let renewal = Duration.seconds(1)
    /// The longest lease that the settings allow.
    package static let longestLease = Duration.seconds(300)
    /// A worker goes by a lease this much shorter than the one that Redis holds: their clocks may run at different speeds.
    package static let leaseMargin = 0.1
    /// How long a role may take to come back after an outage of Redis: the longest wait of `Backoff` between two tries, and a little.
    package static let longestReturn = Duration.seconds(6)
    /// How much longer the dispatcher waits for workers than they need for that.
    package static let returnMargin = Duration.seconds(2)
    /// How long a worker that is there may take to finish its messages in flight after a loss of Redis.
    package static let finishing = Duration.seconds(30)
    /// How long the leadership is kept in Redis without a word of the dispatcher.
    package static let leadership = Duration.seconds(30)
    /// How long entries that a collector read must have waited before another one takes them over.
    package static let abandoned = Duration.seconds(10)
    /// How often whoever waits for an event looks without one: events may get lost with a connection.
    package static let fallback = Duration.seconds(2)
    /// How often whoever has nothing to do looks without an event, and how often what is only shown is read.
    package static let idlePoll = Duration.seconds(6)
    /// How often a process looks at Redis for its metrics and its health: less often with many lanes, as each of them is counted.
    package static func healthPoll(lanes: Int) -> Duration { idlePoll + .milliseconds(14) * min(lanes, 1_000) }
    /// How often a dispatcher with mailings in work looks without an event: less often with many, as it reads something of each.
    package static func workPoll(mailings: Int) -> Duration { fallback + .milliseconds(12) * min(mailings, 1_000) }
    /// How often a dispatcher searches Redis for keys that are lost: less often with many mailings, and soon enough that what a lost key
    /// blocks continues within seconds.
    package static func inspection(mailings: Int) -> Duration { fallback + .milliseconds(12) * min(mailings, 1_000) }
    /// How often a worker without a lane looks at all lanes: it may have missed a wake-up.
    package static let lanePoll = Duration.seconds(10)
    /// The same for a worker that knows lanes: less often with many, as it reads the names of all.
    package static func lanePoll(lanes: Int) -> Duration { lanePoll + .milliseconds(20) * min(lanes, 1_000) }
    /// How often a worker without messages in flight looks at what was published, of which it may have missed a wake-up: less often with
    /// many mailings, as it reads something of each. Redis itself decides what may start.
    package static func publishedPoll(mailings: Int) -> Duration { lanePoll + .milliseconds(50) * min(mailings, 1_000) }
    /// How often a worker looks at what its mailings wait for, where nothing that it knows of has changed: people are shown that.
    package static let longestShares = Duration.seconds(60)
    /// A worker takes what a provider's connections use in that time.
    package static let prefetch = Duration.milliseconds(500)
    /// How often a worker with messages in flight exchanges what its providers ask for with the fleet.
    package static let rateExchange = Duration.milliseconds(250)
    /// How soon a retry must be due to wait in the worker; all others go through the ledger, so that Redis stays small.
    package static let localRetry = Duration.seconds(2)
    /// How long a group is kept in a worker by its retries.
    package static let localRetries = Duration.seconds(4)
    /// How much work the dispatcher keeps ready in a lane.
    package static let window = Duration.seconds(2)
}
