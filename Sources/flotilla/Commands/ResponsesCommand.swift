import ArgumentParser
import Foundation
import Model
import Policy
import Settings

/// The table by which providers' responses are understood: shown, and tried.
struct ResponsesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "answers",
        abstract: "Show what providers' answers mean, and try one: docs/answers.md.",
        discussion: """
            The rules of the file that worker.answers names stand before the built-in ones; the first that fits decides. To try \
            an answer:

              flotilla answers --test smtp 550 "5.7.1 blocked using spamhaus" --stage rcpt
              flotilla answers --test http 503 --retry-after
            """)

    @Option(help: "The configuration file; ./flotilla.yaml where it exists.")
    var config: String?

    @Option(
        parsing: .upToNextOption,
        help: "Say what this answer means: smtp or http, its code, and its text with the enhanced code in front.")
    var test: [String] = []

    @Option(
        help:
            "Where the SMTP server gave the answer: greeting, tls, auth, mail, rcpt, data, or response for the final dot (rcpt)."
    )
    var stage: DeliveryStage?

    @Flag(help: "The HTTP answer names a wait (Retry-After).")
    var retryAfter = false

    func validate() throws {
        guard !test.isEmpty else {
            if stage != nil || retryAfter { throw ValidationError("--stage and --retry-after are of --test") }
            return
        }
        let response = try tested()
        if response.proto == .http, stage != nil { throw ValidationError("--stage is of SMTP answers") }
        if response.proto == .smtp, retryAfter { throw ValidationError("--retry-after is of HTTP answers") }
        if stage == .connect || stage == .body {
            throw ValidationError(
                "--stage is one at which a server answers: greeting, tls, auth, mail, rcpt, data, response")
        }
    }

    func run() throws {
        let settings = try Settings.load(file: config, environment: ProcessInfo.processInfo.environment)
        let table = settings.worker.responses
        guard !test.isEmpty else { return print(ResponseTableText(table).text) }
        let response = try tested()
        let stage = response.proto == .http ? .response : stage ?? .rcpt
        let decision = table.decide(
            response.proto, code: response.code, stage: stage, text: response.text, hasRetryAfter: retryAfter)
        print(ResponseDecisionText(decision, of: response.proto, in: table, stage: stage).text)
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
