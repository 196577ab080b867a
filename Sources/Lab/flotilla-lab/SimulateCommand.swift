import ArgumentParser
import CommandSupport
import Foundation
import Loadtest
import Settings
import Simulation
import Telemetry

/// `flotilla-lab simulate`: the forecast of a scenario.
struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Forecast what a load-test scenario comes to, without sending anything: docs/capacity.md.",
        discussion: """
            The throttle, the retries, the breaker and the dispatcher's fairness run by a virtual clock; costs are those measured in \
            docs/performance.md. Nothing is started, and 50 million recipients take seconds.

              flotilla-lab simulate loadtest/scenarios/sms-throttled.yaml --recipients 50000000 --workers 4
            """)

    @Argument(
        help: "The scenario's file (YAML), as for flotilla-lab loadtest run: docs/loadtest.md.", completion: .file(extensions: ["yaml"]))
    var scenario: String

    @Option(help: "Recipients of the largest mailing; the others in proportion.") var recipients: Int?
    @Option(help: "Workers at the start, in place of the scenario's (and of its steps).") var workers: Int?
    @Option(help: "Cores that all processes share; without it each has one of its own.") var cores: Double?
    @Option(help: ArgumentHelp("From this machine to the provider and back, such as 20ms; on one machine 0.", valueName: "time"))
    var roundTrip: String?
    @Option(help: "Bytes of a recipient's values.") var recipientBytes: Int?
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let recipients, !(1...10_000_000_000).contains(recipients) {
            throw ValidationError("--recipients is a number from 1 to 10000000000")
        }
        if let workers, !(0...10_000).contains(workers) { throw ValidationError("--workers is a number from 0 to 10000") }
        if let cores, !(cores > 0) { throw ValidationError("--cores is a number above 0") }
        if let recipientBytes, !(1...1_000_000).contains(recipientBytes) {
            throw ValidationError("--recipient-bytes is a number from 1 to 1000000")
        }
        if let roundTrip, Duration(settingText: roundTrip) == nil { throw ValidationError("--round-trip is a time such as 20ms") }
    }

    func run() throws {
        output.warnOfOldOption()
        var scenario = try ScenarioFile.read(scenario)
        if let recipients { scenario = scenario.sized(largest: recipients) }
        var results: [ForecastText.Result] = []
        for count in workers.map({ [$0] }) ?? scenario.steps?.workers ?? [scenario.fleet.workers] {
            scenario.fleet.workers = count
            let read = ScenarioPlan(scenario)
            var plan = read.plan
            plan.cores = cores
            if let recipientBytes { plan.recipientBytes = recipientBytes }
            if let trip = roundTrip.flatMap({ Duration(settingText: $0) }) {
                for name in plan.providers.keys { plan.providers[name]?.roundTrip = trip / .seconds(1) }
            }
            results.append(.init(workers: count, plan: plan, forecast: Simulator.forecast(plan), notes: read.notes))
        }
        let text = ForecastText(name: scenario.name, results: results)
        if output.isJSON { StandardOutput.write(json: try text.json) } else { StandardOutput.write(text.text) }
    }
}
