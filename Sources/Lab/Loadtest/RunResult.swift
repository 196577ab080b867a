package import Foundation
package import Model

/// The result of a load test: the verdict, its checks, and the samples; the JSON of it has snake-case keys.
package struct RunResult: Codable, Sendable, Equatable {
    package var scenario: Scenario
    /// Of Flotilla.
    package var version: String
    package var machine: Machine
    /// Milliseconds since 1970; every other moment in here is in seconds from it.
    package var began: Int64
    package var seconds: Double
    /// Whether the run went to its end and every expectation was met.
    package var good: Bool
    package var expectations: [Expectation]
    package var mailings: [Mailing]
    /// The same scenario with another number of workers each; empty where the scenario has no steps.
    package var steps: [Step] = []
    /// In the order of the report.
    package var panels: [Panel]
    /// What the script did, in order of time.
    package var events: [Event] = []
    package var roles: [Role]
    /// Notes for readers: what differed from the scenario, and what could not be measured.
    package var notes: [String] = []

    package struct Scenario: Codable, Sendable, Equatable {
        package var name: String
        /// What it answers, one sentence.
        package var about: String
        package var file: String
    }

    package struct Machine: Codable, Sendable, Equatable {
        package var cores: Int
        package var memoryBytes: Int64
        /// As `uname -sr` says it.
        package var kernel: String
    }

    package struct Expectation: Codable, Sendable, Equatable {
        /// Its name in the scenario, with the mailing's or role's before it where it has one: `small: duration`.
        package var what: String
        /// With units, as in the scenario: `<= 2s`.
        package var wanted: String
        /// With units; `n/a` where it could not be measured, which is never good.
        package var seen: String
        package var good: Bool
        /// Why, where the figures do not say it; else empty.
        package var note: String = ""
    }

    /// A mailing as the sinks saw it.
    package struct Mailing: Codable, Sendable, Equatable {
        package var name: String
        package var id: String
        package var channel: Channel
        /// Planned ones, without excluded rows.
        package var recipients: Int
        /// Recipients whose message a sink took, once or more often.
        package var arrived: Int
        /// Recipients whose message a sink took more than once and who are not on the list of uncertain ones.
        package var twice: Int
        /// Recipients that the ledger has as sent, and whose message no sink saw.
        package var missing: Int
        /// Recipients who ended as failed or expired.
        package var failed: Int
        package var uncertain: Int
        /// From its start to its last recipient's end; nil when it did not end.
        package var seconds: Double?
        /// Messages that arrived, by second of its time.
        package var perSecond: Double
    }

    package struct Step: Codable, Sendable, Equatable {
        package var workers: Int
        /// When it began.
        package var at: Double
        package var seconds: Double
        package var messages: Int
        package var perSecond: Double
        /// `perSecond` by what the first step's rate a worker would give with this many; 1 is linear.
        package var efficiency: Double
        package var cpuPerMessageMicroseconds: Double?
    }

    /// One plot over the time of the run.
    package struct Panel: Codable, Sendable, Equatable {
        package var title: String
        /// `s` (drawn as µs, ms, s or min), `B` (kB, MB, GB) and `%` (0 to 100) are known; any other is written as it is:
        /// `messages/s`, `cores`.
        package var unit: String
        /// What it shows and where the figures come from, one sentence; may be empty.
        package var note: String = ""
        /// Areas on top of one another, whose sum is the whole; else lines.
        package var isStacked: Bool = false
        package var lines: [Line]
        /// Drawn dashed; each value holds until the next point, the last to the end.
        package var limit: [Point]?
    }

    package struct Line: Codable, Sendable, Equatable {
        package var label: String
        /// In order of time.
        package var points: [Point]
    }

    /// A sample, as `[seconds, value]` in JSON.
    package struct Point: Sendable, Equatable {
        package var at: Double
        /// nil where there was nothing to measure: the line has a gap there.
        package var value: Double?
    }

    package struct Event: Codable, Sendable, Equatable {
        package var at: Double
        /// For people: `2 workers added`.
        package var what: String
    }

    /// A process, or those that followed one another under its name.
    package struct Role: Codable, Sendable, Equatable {
        /// `worker-3`.
        package var name: String
        /// `worker`, `planner`, `collector`, `redis`, `sink`.
        package var kind: String
        package var cpuSeconds: Double
        /// nil where it has no messages to divide by.
        package var cpuPerMessageMicroseconds: Double?
        /// Resident; nil where it could not be read.
        package var peakMemoryBytes: Int64?
        /// How each of its processes ended, in order: `asked to at 40 s, code 0`.
        package var exits: [String] = []
    }
}

extension RunResult.Point: Codable {
    package init(from decoder: any Decoder) throws {
        var values = try decoder.unkeyedContainer()
        at = try values.decode(Double.self)
        value = try values.decodeIfPresent(Double.self)
    }

    /// A value that JSON cannot hold (not a number, infinite) is written as a gap.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.unkeyedContainer()
        try values.encode(at)
        try values.encode(value.flatMap { $0.isFinite ? $0 : nil })
    }
}

extension RunResult {
    /// The result as one JSON object, its keys in order.
    /// - Throws: `EncodingError` when a figure other than a sample's is not a finite number.
    package func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }

    /// Reads what `json()` wrote.
    package init(json: Data) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(RunResult.self, from: json)
    }
}
