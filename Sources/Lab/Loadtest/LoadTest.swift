/// A load test: a scenario, run once or once for each of its steps.
package struct LoadTest: Sendable {
    private let scenario: Scenario
    private let options: LoadTest.Options
    private let onChange: @Sendable (LiveState) -> Void

    /// - Parameter onChange: told where the run stands, once a second and whenever something happens.
    package init(_ scenario: Scenario, options: LoadTest.Options, onChange: @escaping @Sendable (LiveState) -> Void) {
        self.scenario = scenario
        self.options = options
        self.onChange = onChange
    }

    /// Runs it; all that was started has ended when this returns, and also when it throws.
    /// - Throws: `RunFailure` when it could not be run to an end; `CancellationError` when its task was cancelled.
    package func run() async throws -> RunResult {
        var outcomes: [RunOutcome] = []
        for workers in scenario.steps?.workers ?? [scenario.fleet.workers] {
            var step = scenario
            step.fleet.workers = workers
            var options = options
            if scenario.steps != nil {
                step.name += ", \(workers) workers"
                options.records = options.records.map { "\($0)/\(workers)" }
            }
            let outcome = try await LoadRun(step, options: options, onChange: onChange).run()
            outcomes.append(outcome)
            guard outcome.isWhole else { break }
        }
        return ResultBuilder(scenario: scenario, version: options.version, outcomes: outcomes).result
    }
}
