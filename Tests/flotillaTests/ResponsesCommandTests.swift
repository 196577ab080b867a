import Foundation
import TestServers
import Testing

/// `flotilla responses`: the table in effect, and what one response means.
@Suite(.timeLimit(.minutes(5)))
struct ResponsesCommandTests {
    private func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try Data("worker: {responses: \(folder.path("responses.yaml"))}\n".utf8).write(
            to: folder.url.appending(path: "flotilla.yaml"))
        try Data(
            "- {protocol: smtp, text: using*spamhaus, class: misconfigured, because: our address is listed}\n".utf8
        )
        .write(to: folder.url.appending(path: "responses.yaml"))
        return folder
    }

    @Test func theTableIsShownWithTheOperatorsRulesMarked() async throws {
        let folder = try folder()
        let outcome = try await Program.run(["responses", "--config", folder.path("flotilla.yaml")])
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = outcome.output.split(separator: "\n")
        #expect(
            lines[1].hasPrefix("1 * ") && lines[1].contains("our address is listed")
                && lines[1].contains("responses.yaml:1"))
        #expect(lines[2].hasPrefix("2 ") && lines[2].contains("accepted"))
        #expect(lines.contains { $0.hasPrefix("HTTP") } && outcome.output.contains("too many requests"))
    }

    @Test(arguments: [
        (
            ["smtp", "550", "5.7.1 blocked using zen.spamhaus.org"],
            ["reason set_up", "action pause_mailing", "rule   1 of smtp", "paused"]
        ),
        (
            ["smtp", "550", "5.1.1 no such user", "--stage", "response"],
            ["reason unknown_user", "action fail", "stage  response", "failed at once"]
        ),
        (
            ["http", "503", "--retry-after"],
            ["reason rate", "action slow_down", "built in", "with Retry-After", "no attempt is spent"]
        ),
        (["http", "503"], ["reason system", "action retry", "an attempt is spent"]),
        (["http", "204"], ["reason accepted", "sent"]),
    ])
    func aResponseIsClassified(_ response: [String], _ words: [String]) async throws {
        let folder = try folder()
        let outcome = try await Program.run(["responses", "--config", folder.path("flotilla.yaml"), "--test"] + response)
        #expect(outcome.status == 0, "\(outcome.errors)")
        for word in words { #expect(outcome.output.contains(word), "\(outcome.output)") }
    }

    @Test(arguments: [
        ["--test", "smtp"], ["--test", "ftp", "550"], ["--test", "smtp", "x"], ["--stage", "rcpt"],
        ["--test", "http", "503", "--stage", "rcpt"], ["--test", "smtp", "450", "--retry-after"],
        ["--test", "smtp", "450", "--stage", "body"],
    ])
    func whatCannotBeClassifiedIsRefused(_ arguments: [String]) async throws {
        let outcome = try await Program.run(["responses"] + arguments)
        #expect(outcome.status == 64 && outcome.errors.contains("--"), "\(outcome.errors)")
    }

    @Test func theOldNamesWorkWithOneWarningEach() async throws {
        let folder = try folder()
        try Data("worker: {answers: \(folder.path("responses.yaml"))}\n".utf8).write(to: folder.url.appending(path: "flotilla.yaml"))
        let outcome = try await Program.run(["answers", "--config", folder.path("flotilla.yaml")])
        #expect(outcome.status == 0 && outcome.output.contains("our address is listed"))
        #expect(outcome.errors.split(separator: "\n").count == 3, "\(outcome.errors)")
        #expect(outcome.errors.contains("warning: flotilla answers is deprecated; write flotilla responses\n"))
        #expect(outcome.errors.contains("class misconfigured is deprecated; write reason: set_up, action: pause_mailing"))
        #expect(outcome.errors.contains(":1: worker.answers is deprecated; write worker.responses\n"))
    }

    @Test func aBrokenFileEndsAWorkerAtItsStart() async throws {
        let folder = try folder()
        try Data("- {protocol: smtp, code: 550, class: acepted}\n".utf8).write(
            to: folder.url.appending(path: "responses.yaml"))
        let outcome = try await Program.run(
            ["worker", "--config", folder.path("flotilla.yaml"), "--redis", "redis://127.0.0.1:1"])
        #expect(
            outcome.status == 1 && outcome.errors.contains("responses.yaml:1: class: 'acepted' is not allowed"),
            "\(outcome.errors)")
    }
}
