import Foundation
import TestServers
import Testing

/// `--output json`: a command that answers with one thing prints one object, and a list is one object a line.
@Suite(.timeLimit(.minutes(5)))
struct OutputTests {
    private static let one = [
        "mailing show", "mailing report", "mailing recipient", "dead show", "top", "recipient erase",
    ]
    private static let lists = [
        "mailing list", "mailing history", "mailing uncertain", "limit list", "dead list", "audit", "responses", "recipient find",
        "receipts list",
    ]

    @Test(arguments: one + lists) func everyCommandThatAnswersOffersJSON(command: String) async throws {
        let help = try await Program.run(command.split(separator: " ").map(String.init) + ["--help"])
        #expect(help.status == 0 && help.output.contains("--output <output>"), "\(help.output)")
    }

    private func folder() async throws -> (MailingFolder, id: String) {
        let mailing = try MailingFolder(provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(2), extra: "key: spring\n")
        let added = try await Program.run(["mailing", "add", mailing.mailing, "--ledger", mailing.ledger, "--actor", "ann"])
        try #require(added.status == 0, "\(added.errors)")
        return (mailing, try await mailing.id())
    }

    private func objects(_ command: [String]) async throws -> [[String: Any]] {
        let outcome = try await Program.run(command + ["--output", "json"])
        try #require(outcome.status == 0, "\(command): \(outcome.errors)")
        return try outcome.output.split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
        }
    }

    private func object(_ command: [String]) async throws -> [String: Any] {
        let outcome = try await Program.run(command + ["--output", "json"])
        try #require(outcome.status == 0, "\(command): \(outcome.errors)")
        return try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any], "\(outcome.output)")
    }

    @Test func aMailingIsTheSameInTheListAndByItself() async throws {
        let (mailing, id) = try await folder()
        let listed = try await objects(["mailing", "list", "--ledger", mailing.ledger])
        #expect(listed.count == 1)
        var shown = try await object(["mailing", "show", id, "--ledger", mailing.ledger])
        #expect(shown.removeValue(forKey: "blocking_kind") as? String == "no_planner")
        #expect((shown.removeValue(forKey: "blocking_reason") as? String)?.contains("planner") == true)
        #expect(listed.first.map { NSDictionary(dictionary: $0) } == NSDictionary(dictionary: shown))
        #expect(shown["id"] as? String == id && shown["key"] as? String == "spring" && shown["state"] as? String == "scheduled")
        #expect(shown["planned"] as? Int == 0 && shown["open"] as? Int == 0)
    }

    @Test func listsAreAnObjectALine() async throws {
        let (mailing, _) = try await folder()
        let ledger = ["--ledger", mailing.ledger]
        let scopes = try await objects(["limit", "list"] + ledger).compactMap { $0["scope"] as? String }
        #expect(scopes.contains("channel:email"))
        #expect(try await objects(["audit"] + ledger).map { $0["actor"] as? String } == ["ann"])
        let rules = try await objects(["responses"])
        #expect(rules.count > 100 && rules.allSatisfy { $0["reason"] is String && $0["number"] is Int })
    }

    @Test func anEmptyListPrintsNothing() async throws {
        let (mailing, _) = try await folder()
        for command in [["dead", "list"], ["receipts", "list"], ["mailing", "history", "nobody@example.com"]] {
            let outcome = try await Program.run(command + ["--ledger", mailing.ledger, "--output", "json"])
            #expect(outcome.status == 0 && outcome.output.isEmpty, "\(command): \(outcome)")
        }
    }

    @Test func aTestedResponseIsOneObject() async throws {
        let decision = try await object(["responses", "--test", "smtp", "550", "5.1.1 no such user"])
        #expect(decision["reason"] as? String == "unknown_user" && decision["action"] as? String == "fail")
        #expect((decision["rule"] as? [String: Any])?["protocol"] as? String == "smtp")
    }
}
