/// What a process of a fleet reports of itself every few seconds. Times are milliseconds since 1970.
package struct Heartbeat: Sendable, Codable, Equatable {
    package enum Role: String, Sendable, Codable, CaseIterable {
        case planner, worker, collector, tracker, webhooks, bounces
        /// All of them in one process.
        case all
    }

    /// What a worker has of one mailing.
    package struct Share: Sendable, Codable, Equatable {
        /// Messages that wait for their moments under a limit.
        package var waiting: Int
        /// The narrowest scope of that limit, or the one that is paused; nil where there is none.
        package var scope: LimitScope?
        /// Seconds between two starts in that scope, for the whole fleet.
        package var interval: Double
        /// Seconds for which its provider still asks to wait (Retry-After).
        package var pause: Double
        /// The circuit breaker of the provider is open.
        package var isDown: Bool
        /// Messages wait for a connection to the provider: the setting that says how many there are, as `connections=20`; else empty.
        package var exhausted = ""

        package init(waiting: Int = 0, scope: LimitScope? = nil, interval: Double = 0, pause: Double = 0, isDown: Bool = false) {
            self.waiting = waiting
            self.scope = scope
            self.interval = interval
            self.pause = pause
            self.isDown = isDown
        }

        /// Absent in heartbeats of an older release.
        package init(from decoder: any Decoder) throws {
            let words = try decoder.container(keyedBy: CodingKeys.self)
            waiting = try words.decodeIfPresent(Int.self, forKey: .waiting) ?? 0
            scope = try words.decodeIfPresent(String.self, forKey: .scope).flatMap { LimitScope($0) }
            interval = try words.decodeIfPresent(Double.self, forKey: .interval) ?? 0
            pause = try words.decodeIfPresent(Double.self, forKey: .pause) ?? 0
            isDown = try words.decodeIfPresent(Bool.self, forKey: .isDown) ?? false
            exhausted = try words.decodeIfPresent(String.self, forKey: .exhausted) ?? ""
        }
    }

    package var role: Role
    package var version: String
    package var host: String
    /// The process's number on its host.
    package var process: Int32
    package var started: Int64
    /// CPU seconds that the process has used.
    package var cpu: Double
    /// Resident memory in bytes.
    package var memory: Int
    /// A worker: channels that it serves.
    package var channels: [Channel] = []
    /// A worker: messages that were answered since it started.
    package var answered = 0
    /// A worker: messages in flight, and batches that it has leased.
    package var inFlight = 0
    package var batches = 0
    /// A worker: its mailings. Only heartbeats of an older release have them encoded here: others have a `revision`.
    package var mailings: [String: Share] = [:]
    /// Names the state of `mailings`, which stands under a key of its own; nil where there are none.
    package var revision: Int?

    package init(
        role: Role, version: String, host: String, process: Int32, started: Int64, cpu: Double, memory: Int
    ) {
        self.role = role
        self.version = version
        self.host = host
        self.process = process
        self.started = started
        self.cpu = cpu
        self.memory = memory
    }

    /// Refuses numbers that cannot be: others write to Redis too, and the numbers are added up.
    package func check() throws(WireError) {
        let numbers =
            [started] + [memory, answered, inFlight, batches, revision ?? 0].map { Int64($0) } + mailings.values.map { Int64($0.waiting) }
        let spans = [cpu] + mailings.values.flatMap { [$0.interval, $0.pause] }
        guard numbers.allSatisfy(WireLimit.time.contains), spans.allSatisfy({ (0...1e12).contains($0) }) else {
            throw WireError("a number of its heartbeat is out of range")
        }
    }

    /// It delivers messages of a channel.
    package func serves(_ channel: Channel) -> Bool { channels.contains(channel) }
}
