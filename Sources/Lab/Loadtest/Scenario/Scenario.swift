package import Model
package import Policy
package import Settings
package import Sink

/// A load test as it is written down: what is started, what is sent, what happens meanwhile, and what is expected of it.
/// Times are seconds from the moment at which the fleet is up.
package struct Scenario: Sendable {
    package enum Redis: Sendable, Equatable {
        /// One of its own, which keeps nothing and ends with the run.
        case own
        /// The URL of one that runs; the keys of the run are removed after it.
        case given(String)
    }

    /// A provider that the run starts, and that keeps a record.
    package struct SinkPlan: Sendable, Equatable {
        package var name: String
        package var profile: SinkProfile
        /// The profile as a file for `flotilla-lab sink --profile`.
        package var yaml: String
    }

    package struct Fleet: Sendable, Equatable {
        package var workers = 1
        package var planners = 1
        package var collectors = 1
        /// The settings of `flotilla.yaml`. Its providers are the sinks, whose addresses are known once they run.
        package var settings = Settings()
        /// The settings as YAML, without Redis, ledger and addresses.
        package var yaml = "{}"
    }

    package struct MailingPlan: Sendable, Equatable {
        package var name: String
        package var channel: Channel
        /// The name of a sink.
        package var provider: String
        package var recipients: Int
        package var speed: RateLimit?
        /// When it is added.
        package var at: Double = 0
        /// How many of the kind there are; their names are numbered where there are several.
        package var copies = 1
        /// Which share of its recipients has which e-mail domain; all others have the generator's usual ones.
        package var domains: [SyntheticDomainShare] = []
        /// Further keys of a mailing file, as they are written there.
        package var extra: [String: String] = [:]
    }

    /// Runs of the same scenario with other numbers of workers, one after the other.
    package struct Steps: Sendable, Equatable {
        package var workers: [Int]
    }

    /// The file's name without its ending.
    package var name: String
    package var file: String
    /// What it answers, one sentence.
    package var about: String
    package var redis = Redis.own
    package var sinks: [SinkPlan] = []
    package var fleet = Fleet()
    package var mailings: [MailingPlan] = []
    /// In order of time.
    package var script: [ScriptLine] = []
    package var expectations: [ExpectationRule] = []
    package var steps: Steps?
    /// After so many seconds the run is ended and has failed, even if not all is sent.
    package var timeout: Double = 3_600
    /// Two runs with one seed have the same recipients and the same failures.
    package var seed: UInt64 = 1

    /// Recipients of all its mailings.
    package var recipients: Int { mailings.reduce(0) { $0 + $1.recipients * $1.copies } }
}

extension Scenario {
    /// The scenario with recipients fewer or more by a factor, at least one for each mailing.
    package func scaled(by factor: Double) -> Scenario {
        var scenario = self
        for index in mailings.indices {
            scenario.mailings[index].recipients = max(1, Int((Double(mailings[index].recipients) * factor).rounded()))
        }
        return scenario
    }

    /// The scenario with this many recipients in its largest mailing, and as many in the others as keeps the proportion.
    package func sized(largest: Int) -> Scenario {
        guard let most = mailings.map(\.recipients).max(), most > 0 else { return self }
        return scaled(by: Double(largest) / Double(most))
    }
}
