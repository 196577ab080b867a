import ArgumentParser
import CommandSupport
import Foundation
import Model
import Policy
import Settings
import Telemetry

/// Shows the table that classifies providers' responses, and classifies one response.
struct ResponsesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "responses",
        abstract: "Show how providers' responses are classified, or classify one: docs/responses.md.",
        discussion: """
            The rules of the file that worker.responses names come before the built-in ones; the first rule that matches decides. \
            To classify one response:

              flotilla responses --test smtp 550 "5.7.1 blocked using spamhaus" --stage rcpt
              flotilla responses --test http 503 --retry-after
            """)

    @Option(help: "The configuration file; ./flotilla.yaml where it exists.")
    var config: String?

    @Option(
        parsing: .upToNextOption,
        help: "Classify this response: smtp or http, its code, and its text, which begins with the enhanced code.")
    var test: [String] = []

    @Option(
        help:
            "The stage of the SMTP response: greeting, tls, auth, mail, rcpt, data, or response for the final dot (rcpt)."
    )
    var stage: DeliveryStage?

    @Flag(help: "The HTTP response has a Retry-After.")
    var retryAfter = false

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard !test.isEmpty else {
            if stage != nil || retryAfter { throw ValidationError("--stage and --retry-after need --test") }
            return
        }
        let response = try tested()
        if response.proto == .http, stage != nil { throw ValidationError("--stage needs an SMTP response") }
        if response.proto == .smtp, retryAfter { throw ValidationError("--retry-after needs an HTTP response") }
        if stage == .connect || stage == .body {
            throw ValidationError(
                "--stage is a stage at which a server responds: greeting, tls, auth, mail, rcpt, data, response")
        }
    }

    func run() throws {
        output.warnOfOldOption()
        let table = try Settings.loadWithWarnings(file: config).worker.responses
        guard !test.isEmpty else {
            if !output.isJSON { return StandardOutput.write(ResponseTableText(table).text) }
            for rule in ResponseRuleJSON.all(table) { StandardOutput.write(json: try ScriptJSON.line(rule)) }
            return
        }
        let response = try tested()
        let stage = response.proto == .http ? .response : stage ?? .rcpt
        let decision = table.decide(
            response.proto, ResponseFacts(code: response.code, stage: stage, text: response.text, hasRetryAfter: retryAfter))
        if output.isJSON {
            return StandardOutput.write(
                json: try ScriptJSON.text(ResponseDecisionJSON(decision, of: response.proto, in: table, stage: stage)))
        }
        StandardOutput.write(ResponseDecisionText(decision, of: response.proto, in: table, stage: stage).text)
    }

    private func tested() throws -> (proto: ResponseProtocol, code: Int, text: String) {
        guard test.count >= 2, let proto = ResponseProtocol(rawValue: test[0].lowercased()), let code = Int(test[1]),
            100...999 ~= code
        else {
            throw ValidationError(
                "--test takes smtp or http, a code of three digits, and a text: --test smtp 550 \"5.7.1 blocked\"")
        }
        return (proto, code, test[2...].joined(separator: " "))
    }
}

extension DeliveryStage: ExpressibleByArgument {}
