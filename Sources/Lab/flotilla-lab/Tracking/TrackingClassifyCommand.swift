import ArgumentParser
import CommandSupport
import Model
import Policy
import Settings
import Synthetic
import Telemetry

/// `flotilla-lab tracking classify`: a made-up trace, and how well people and machines in it are told apart.
struct TrackingClassifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "classify", abstract: "Make up visits of people and scanners, and see who is taken for whom.",
        discussion: """
            The trace is the same for the same seed: docs/tracking.md has its parameters, and where they are from. The exit status is 1 \
            where fewer than 99 % of the scanners' bursts, or of the visits of gateways that look for a whole domain, are marked, or more \
            than 0.1 % of the people are taken for a machine.

              flotilla-lab tracking classify --messages 1000000 --seed 1
            """)

    @Option(help: "Messages with visits or without, to make up.") var messages = 1_000_000
    @Option(help: "The number from which everything follows.") var seed: UInt64 = 1
    @Option(help: ArgumentHelp("A file as tracker.visitors names one.", valueName: "file"), completion: .file(extensions: ["yaml"]))
    var visitors: String?
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard 1...1_000_000_000 ~= messages else { throw ValidationError("--messages is a number from 1 to 1000000000") }
    }

    func run() throws {
        let rules = try visitors.map { try Settings.load(environment: ["FLOTILLA_TRACKER_VISITORS": $0]).visitors } ?? .builtIn
        var trace = SyntheticVisits(seed: seed)
        let clock = ContinuousClock()
        let start = clock.now
        let measure = ClassificationMeasure(messages, of: &trace, by: EventClassifier(rules))
        let seconds = (clock.now - start) / .seconds(1)
        let domains = DomainMeasure(max(100, messages / 100), seed: seed, by: EventClassifier(rules))
        let isGood =
            [measure.markedShare, domains.markedShare].allSatisfy { $0 >= 0.99 }
            && [measure.mistakenShare, domains.mistakenShare].allSatisfy { $0 <= 0.001 }
        StandardOutput.write(output.isJSON ? json(measure, domains, seconds, isGood) : text(measure, domains, seconds, isGood))
        if !isGood { throw ExitCode(1) }
    }

    private func text(_ measure: ClassificationMeasure, _ domains: DomainMeasure, _ seconds: Double, _ isGood: Bool) -> String {
        """
        bursts of scanners  \(measure.bursts), \(percent(measure.markedShare)) marked (at least 99 %)
        people              \(measure.people), \(percent(measure.mistakenShare)) taken for a machine (at most 0.1 %)
        prefetches          \(measure.prefetches), \(measure.markedPrefetches) marked
        lone scanners       \(measure.lone) visits, \(measure.markedLone) marked: those that say who they are
        gateways            \(domains.gateways) with \(domains.visits) visits, \(percent(domains.markedShare)) marked (at least 99 %)
        people beside them  \(domains.people) visits, \(percent(domains.mistakenShare)) taken for a gateway's (at most 0.1 %)
        visits              \(measure.visits) in \(Int(seconds * 1000)) ms, with making them up
        \(isGood ? "PASSED" : "FAILED")
        """
    }

    private func percent(_ share: Double) -> String { "\((share * 1_000_000).rounded() / 10_000) %" }

    private func json(_ measure: ClassificationMeasure, _ domains: DomainMeasure, _ seconds: Double, _ isGood: Bool) -> String {
        """
        {"bursts": \(measure.bursts), "marked": \(measure.marked), "people": \(measure.people), "mistaken": \(measure.mistaken), \
        "prefetches": \(measure.prefetches), "marked_prefetches": \(measure.markedPrefetches), "lone": \(measure.lone), \
        "marked_lone": \(measure.markedLone), "gateways": \(domains.gateways), "gateway_visits": \(domains.visits), \
        "marked_gateway_visits": \(domains.marked), "mistaken_by_domain": \(domains.mistaken), \
        "visits": \(measure.visits), "seconds": \(seconds), "good": \(isGood)}
        """
    }
}
