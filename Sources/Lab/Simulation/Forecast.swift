/// The forecast of a plan. Times are seconds from the beginning, rates messages a second.
package struct Forecast: Sendable, Encodable {
    /// Until the last recipient has a final state.
    package var seconds = 0.0
    /// Why it does not come to an end; nil where it does.
    package var unfinished: String?
    package var mailings: [Mailing] = []
    /// Messages that began, over time: each holds until the next.
    package var rate: [Point] = []
    /// The bottlenecks over time, each of the mailing with the most left to do.
    package var phases: [Phase] = []
    package var providers: [Provider] = []
    /// Of the planner, the workers together, the collector and Redis.
    package var cpu: [Role] = []
    package var redis = Redis()
    /// Bytes that the ledger grows by.
    package var ledgerBytes = 0.0
    /// The planner's set that finds duplicates, in bytes (docs/performance.md: 32 MB a million, of the largest mailing).
    package var plannerBytes = 0.0
    /// Attempts that began.
    package var attempts = 0

    package struct Mailing: Sendable, Encodable {
        package var name: String
        package var recipients: Int
        /// When it was added, when its first message began, and when the last recipient had a final state.
        package var at: Double
        package var begins: Double?
        package var ends: Double?
        /// When 99 of 100 had.
        package var mostEnd: Double?
        package var sent = 0
        package var failed = 0
        package var expired = 0
        /// Recipients who may have the message and wait for a person to decide (`uncertain: hold`).
        package var held = 0
        /// Attempts without a response that tells whether the message has arrived.
        package var uncertain = 0
        /// Of all attempts, those that ended with each class of response.
        package var responses: [String: Int] = [:]
        /// Seconds of each bottleneck, the longest first.
        package var bottlenecks: [Delay] = []

        package var seconds: Double? { ends.map { $0 - at } }
    }

    /// How long a bottleneck held a mailing back.
    package struct Delay: Sendable, Encodable {
        package var by: Bottleneck
        package var seconds: Double
    }

    package struct Phase: Sendable, Encodable {
        package var from: Double
        package var to: Double
        package var bottleneck: Bottleneck
        /// Messages that began, a second on average.
        package var rate: Double
    }

    package struct Point: Sendable, Encodable, Equatable {
        package var at: Double
        package var rate: Double
    }

    package struct Provider: Sendable, Encodable {
        package var name: String
        /// Most that began in a second, on average over a step.
        package var peakRate = 0.0
        /// Connections that are busy at that rate: rate x time of a message (Little, "A proof for the queuing formula
        /// L = lambda W", 1961).
        package var busyConnections = 0.0
        /// What limits allow, and connections that keep it full; nil where nothing limits it.
        package var limit: Double?
        package var neededConnections: Int?
        /// Of all workers, at most.
        package var connections = 0
        package var secondsUnavailable = 0.0
        /// From its return until all workers send again.
        package var secondsToReturn = 0.0
        /// Messages that were in flight when the provider became unavailable: they are listed as uncertain.
        package var uncertain = 0
    }

    package struct Role: Sendable, Encodable {
        package var name: String
        /// Processes.
        package var count: Int
        package var cpuSeconds = 0.0
        /// Cores that were busy, all of its processes together.
        package var peakCores = 0.0
        package var microsecondsAMessage = 0.0
    }

    package struct Redis: Sendable, Encodable {
        package var peakBytes = 0.0
        /// The time from the collector's stop until nothing more is dispatched.
        package var worstBytes = 0.0
        /// Commands and scripts, a second.
        package var peakCommands = 0.0
    }
}
