package import ArgumentParser
import Telemetry

/// The form in which a command prints its answer.
package struct OutputOptions: ParsableArguments {
    package enum Form: String, ExpressibleByArgument, CaseIterable, Sendable {
        case text, json
    }

    @Option(help: "The form of the output: text for people, or json for scripts.")
    package var output: Form?

    @Flag(help: .hidden)
    package var json = false

    package init() {}

    package func validate() throws {
        if json, output == .text { throw ValidationError("--json is an old name of --output json; leave it out") }
    }

    /// The output is JSON.
    package var isJSON: Bool { output == .json || json }

    /// Warns of the old option. To be called once, before anything is printed.
    package func warnOfOldOption() {
        if json { StandardError.warn("--json is deprecated here; write --output json") }
    }
}
