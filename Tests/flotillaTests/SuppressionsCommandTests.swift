import Foundation
import TestServers
import Testing

/// Suppressions as their users meet them: commands, planner, dispatcher, worker, and what arrives at an SMTP server.
@Suite(.serialized) struct SuppressionsCommandTests {
    private func suppressions(_ mailing: MailingFolder, _ arguments: String...) async throws -> Program.Outcome {
        try await Program.run(["suppressions"] + arguments + ["--ledger", mailing.ledger])
    }

    private func suppressions(_ mailing: MailingFolder, arguments: [String]) async throws -> Program.Outcome {
        try await Program.run(["suppressions"] + arguments + ["--ledger", mailing.ledger])
    }

    private func object(_ text: String) throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
    }

    /// A folder whose ledger exists: one mailing was sent to one person.
    private func started(_ sink: RunningSink, recipients: String, extra: String = "") async throws -> MailingFolder {
        let mailing = try MailingFolder(provider: sink.url, recipients: recipients, extra: extra)
        let first = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(1) { _ in "first" })
        let sent = try await Program.run(["send", first.mailing, "--ledger", mailing.ledger])
        try #require(sent.status == 0, "\(sent.errors)")
        let added = try await suppressions(mailing, "categories", "add", "news", "offers")
        try #require(added.output == "added: news, offers\n", "\(added)")
        return mailing
    }

    @Test func whoIsSuppressedGetsNothing() async throws {
        let sink = try await RunningSink()
        let mailing = try await started(sink, recipients: MailingFolder.recipients(8), extra: "category: news\n")
        let table = try mailing.folder.write(
            """
            address,channel,category,reason,date,expiry
            PERSON1@Example.com,email,news,unsubscribe,2026-01-02,
            person2@example.com,email,offers,,,
            person3@example.com,email,all,complaint,2026-01-02,2026-02-01
            person4@example.com,email,,hard_bounce,,

            """, to: "s.csv")
        let imported = try await suppressions(mailing, "import", table, "--actor", "zoe", "--output", "json")
        #expect(imported.status == 0, "\(imported.errors)")
        let counts = try object(imported.output)
        #expect(counts["added"] as? Int == 4 && counts["invalid"] as? Int == 0 && counts["rows"] as? Int == 4)
        let again = try await suppressions(mailing, "import", table)
        #expect(again.output.hasPrefix("0 suppressions added, 4 there already\n1 of them expired"), "\(again)")
        let sent = try await mailing.send()
        try await sink.stop()
        #expect(sent.status == 0, "\(sent.errors)")
        #expect(
            Set(try sink.arrived()) == Set(["first"].map { "\($0)@example.com" } + [0, 2, 3, 5, 6, 7].map { "person\($0)@example.com" }))
        #expect(try mailing.readReport()["excluded"] as? [String: Int] == ["suppressed": 2])
        let id = try await mailing.id()
        let list = try await Program.run(["mailing", "excluded", id, "--ledger", mailing.ledger, "--output", "json"])
        let row = try object(String(list.output.split(separator: "\n").first ?? ""))
        #expect(row["row"] as? Int == 2 && row["reason"] as? String == "suppressed")
        #expect(row["detail"] as? String == "unsubscribe, for news, since 2026-01-02")
        #expect(try await mailing.run("show", "--output", "json").output.contains("\"category\" : \"news\""))
    }

    /// A server's answer says that there is no such mailbox: the next mailing leaves it out, until that is undone.
    @Test func whomAServerRefusesForGoodTheNextMailingLeavesOut() async throws {
        let sink = try await RunningSink()
        let words = ["bounce", "reject", "person"]
        let recipients = MailingFolder.recipients(12) { "\(words[$0 % 3])\($0)" }
        let mailing = try await started(sink, recipients: recipients)
        #expect(try await mailing.send().status == 0)
        #expect(try mailing.states().filter { $0.value > 0 } == ["sent": 4, "failed": 8])
        let id = try await mailing.id()
        let list = try await suppressions(mailing, "list", "--reason", "hard_bounce", "--since", "1h", "--output", "json")
        let rows = try list.output.split(separator: "\n").map { try object(String($0)) }
        #expect(rows.compactMap { $0["address"] as? String } == [0, 3, 6, 9].map { "bounce\($0)@example.com" })
        #expect(rows.allSatisfy { ($0["source"] as? String)?.hasPrefix("\(id).") == true && $0["category"] as? String == "all" })
        let provider = try #require(rows.first?["provider"] as? String)
        let next = try MailingFolder(provider: sink.url, recipients: recipients)
        let again = try await Program.run(["send", next.mailing, "--ledger", mailing.ledger, "--report", next.folder.path("report.json")])
        #expect(again.status == 0, "\(again)")
        #expect(try next.readReport()["excluded"] as? [String: Int] == ["suppressed": 4])
        try await sink.stop()

        let undo = ["undo", "--reason", "hard_bounce", "--provider", provider, "--since", "1h"]
        let none = try await suppressions(mailing, "undo", "--reason", "hard_bounce", "--provider", "nobody", "--yes")
        #expect(none.status == 0 && none.output == "0 suppressions removed\n", "\(none)")
        let dry = try await suppressions(mailing, arguments: undo + ["--dry-run"])
        #expect(dry.output == "4 suppressions would be removed\n", "\(dry)")
        let unasked = try await suppressions(mailing, arguments: undo)
        #expect(unasked.status == 1 && unasked.errors.contains("4 suppressions") && unasked.errors.contains("add --yes"), "\(unasked)")
        let undone = try await suppressions(mailing, arguments: undo + ["--yes", "--actor", "zoe", "--output", "json"])
        #expect(try object(undone.output)["removed"] as? Int == 4, "\(undone)")
        #expect(try await suppressions(mailing, "list").output == "no suppressions\n")
        let audit = try await Program.run(["audit", "--ledger", mailing.ledger])
        #expect(audit.output.contains("zoe  unsuppress suppressions  ") && audit.output.contains(#""suppressions":4"#), "\(audit)")
    }

    /// The window holds two of eight batches while no worker is at work: the other six are dispatched after the orders.
    @Test(.timeLimit(.minutes(3))) func whoIsSuppressedAfterThePlanIsSkipped() async throws {
        let fleet = try await Fleet(
            80, extra: "batch_size: 10\ncategory: news\n", categories: ["news", "offers"], environment: ["FLOTILLA_PLANNER_WINDOW": "2"])
        let watched = try freePort()
        try fleet.start("planner", environment: ["FLOTILLA_METRICS_LISTEN": "127.0.0.1:\(watched)"])
        try await eventually("two batches are dispatched") {
            try fleet.mailing.query("SELECT count(*) FROM progress WHERE dispatched > 0") == ["2"]
        }
        // The fourth batch as a whole, and some of the last.
        let late = (30..<40).map { "person\($0)@example.com" } + ["Person75@example.com"]
        let table = try fleet.mailing.folder.write("address\n" + late.map { $0 + "\n" }.joined(), to: "late.csv")
        let imported = try await fleet.run("suppressions", "import", table, "--channel", "email", "--category", "news")
        #expect(imported.output == "11 suppressions added\n", "\(imported)")
        #expect(try await fleet.run("suppressions", "add", "person76@example.com", "--category", "offers").status == 0)
        try fleet.start("worker", "collector")
        try await fleet.state("sent")
        #expect(
            try await get("http://127.0.0.1:\(watched)/metrics").contains(#"flotilla_recipients_skipped_total{reason="suppressed"} 11"#))
        let skipped = Set(late.map { $0.lowercased() })
        #expect(try fleet.mailing.count("skipped") == 11)
        let report = try object(try await fleet.run("mailing", "report", fleet.id, "--output", "json").output)
        #expect(report["skipped"] as? [String: Int] == ["suppressed": 11] && report["reconciled"] as? Bool == true)
        let list = try await fleet.run("mailing", "excluded", fleet.id, "--skipped", "--output", "json")
        let lines = try list.output.split(separator: "\n").map { try object(String($0)) }
        #expect(Set(lines.compactMap { $0["address"] as? String }) == skipped)
        #expect(lines.allSatisfy { $0["reason"] as? String == "suppressed" })
        let page = try await fleet.run("mailing", "excluded", fleet.id, "--skipped", "--limit", "10", "--reason", "suppressed")
        #expect(page.output.contains("more: flotilla mailing excluded \(fleet.id) --skipped --reason suppressed --after 3.9 --limit 10"))
        let rest = try await fleet.run("mailing", "excluded", fleet.id, "--skipped", "--after", "3.9", "--output", "csv")
        #expect(rest.output.hasPrefix("batch,index,reason,id,address,detail,at\n7,5,suppressed,75,person75@example.com,\"import, for news"))
        #expect(rest.output.split(separator: "\n").count == 2, "\(rest.output)")
        #expect(try await fleet.run("mailing", "excluded", fleet.id, "--skipped", "--after", "3").status == 64)
        let one = try await fleet.run("mailing", "recipient", fleet.id, "person75@example.com")
        #expect(one.output.contains("skipped: suppressed (import, for news, since"), "\(one.output)")
        try await fleet.endAll()
        // The sink's record is whole once it has ended.
        let arrived = try fleet.sink.arrived()
        #expect(arrived.count == 69 && Set(arrived) == Set((0..<80).map { "person\($0)@example.com" }.filter { !skipped.contains($0) }))
    }

    @Test func ordersAreCarriedOutAuditedAndAnswered() async throws {
        let sink = try await RunningSink()
        let mailing = try await started(sink, recipients: MailingFolder.recipients(1))
        try await sink.stop()
        #expect(try await suppressions(mailing, "list").output == "no suppressions\n")
        let added = try await suppressions(mailing, "add", "Ann@Example.com", "--category", "news", "--expiry", "90d", "--actor", "zoe")
        #expect(added.output == "1 suppression added\n", "\(added)")
        #expect(try await suppressions(mailing, "add", "0151 12345678", "--channel", "sms", "--country", "DE").status == 0)
        let check = try object(try await suppressions(mailing, "check", "ANN@example.com", "--output", "json").output)
        let found = try #require((check["suppressions"] as? [[String: Any]])?.first)
        #expect(check["suppressed"] as? Bool == true && found["category"] as? String == "news" && found["reason"] as? String == "manual")
        #expect(try await suppressions(mailing, "check", "ann@example.com", "--category", "offers").output.contains("is not suppressed"))
        #expect(try await suppressions(mailing, "check", "+49 151 12345678").output.contains("sms      +4915112345678"))
        // What is exported is read again, and changes nothing.
        let file = mailing.folder.path("export.csv")
        #expect(try await suppressions(mailing, "export", file).output.hasSuffix("export.csv: 2 suppressions\n"))
        #expect(try await suppressions(mailing, "import", file).output == "0 suppressions added, 2 there already\n")
        #expect(try await suppressions(mailing, "export").output == String(contentsOfFile: file, encoding: .utf8))
        #expect(try await suppressions(mailing, "export", "-").output == String(contentsOfFile: file, encoding: .utf8))
        let kept = try await suppressions(mailing, "export", mailing.mailing)
        #expect(
            kept.status == 1 && kept.errors.contains("there is a file of that name already") && kept.errors.contains("--force"), "\(kept)")
        #expect(try String(contentsOfFile: mailing.mailing, encoding: .utf8).hasPrefix("name: Test"))
        #expect(try await suppressions(mailing, "export", file).status == 1)
        #expect(try await suppressions(mailing, "export", file, "--force").output.hasSuffix("export.csv: 2 suppressions\n"))
        let device = try await suppressions(mailing, "export", "/dev/stdout")
        #expect(device.status == 0 && device.output.contains("ann@example.com"), "\(device)")
        let files = try FileManager.default.contentsOfDirectory(atPath: mailing.folder.path)
        #expect(!files.contains { $0 == "-" || $0.contains("part") }, "\(files)")
        #expect(try await suppressions(mailing, "remove", "ann@example.com", "--category", "all").status == 1)
        #expect(try await suppressions(mailing, "remove", "ann@example.com").output == "1 suppression removed\n")
        let audit = try await Program.run(["audit", "--ledger", mailing.ledger])
        let lines = audit.output.split(separator: "\n").filter { $0.contains("suppress") }
        #expect(lines.count == 3 && lines[2].contains("zoe  suppress suppression:email:a***@example.com"), "\(audit.output)")
    }

    /// A typo never sends: neither of a mailing nor of a suppression.
    @Test func aCategoryThatNobodyHasAddedIsRefused() async throws {
        let sink = try await RunningSink()
        let mailing = try await started(sink, recipients: MailingFolder.recipients(1), extra: "category: nwes\n")
        for command in [["send", mailing.mailing], ["mailing", "add", mailing.mailing]] {
            let refused = try await Program.run(command + ["--ledger", mailing.ledger])
            #expect(refused.status == 1 && refused.output.isEmpty, "\(refused)")
            #expect(refused.errors.contains("mailing.yaml:"), "\(refused)")
            #expect(refused.errors.contains("category: 'nwes' is not a known category (did you mean 'news'?)"), "\(refused)")
            #expect(refused.errors.contains("flotilla suppressions categories add nwes --ledger \(mailing.ledger)"), "\(refused)")
        }
        #expect(try mailing.query("SELECT count(*) FROM mailing") == ["1"])
        let table = try mailing.folder.write("address,category\na@example.com,nwes\n", to: "t.csv")
        for command in [
            ["add", "a@example.com", "--category", "nwes"], ["remove", "a@example.com", "--category", "nwes"],
            ["check", "a@example.com", "--category", "nwes"], ["list", "--category", "nwes"], ["export", "--category", "nwes"],
            ["import", table, "--channel", "email"], ["import", table, "--channel", "email", "--dry-run"],
            ["import", table, "--channel", "email", "--category", "nwes"],
        ] {
            let refused = try await Program.run(["suppressions"] + command + ["--ledger", mailing.ledger])
            #expect(refused.status == 1 && refused.errors.contains("did you mean 'news'?"), "\(command): \(refused)")
        }
        #expect(try await suppressions(mailing, "list").output == "no suppressions\n")
        // Added all the same, it is known; and what is misspelt is forgotten again.
        #expect(try await suppressions(mailing, "categories", "add", "Nwes", "news").output == "added: nwes; 1 there already\n")
        #expect(try await suppressions(mailing, "categories", "remove", "nwes", "--actor", "zoe").output == "removed: nwes\n")
        #expect(try await suppressions(mailing, "categories", "remove", "nwes").status == 1)
        #expect(try await suppressions(mailing, "categories", "add", "Spring News").status == 64)
        let text = try String(contentsOfFile: mailing.mailing, encoding: .utf8)
        try text.replacing("nwes", with: "news").write(toFile: mailing.mailing, atomically: true, encoding: .utf8)
        #expect(try await mailing.send().status == 0)
        let used = try await suppressions(mailing, "categories", "remove", "news")
        #expect(used.status == 1 && used.errors.contains("the category 'news' stays: 1 mailing has it"), "\(used)")
        let list = try await suppressions(mailing, "categories", "list", "--output", "json").output.split(separator: "\n")
        #expect(try object(String(list[0]))["mailings"] as? Int == 1 && list.count == 2)
        let audit = try await Program.run(["audit", "--ledger", mailing.ledger])
        #expect(audit.output.contains("zoe  remove_category category:nwes"), "\(audit.output)")
        try await sink.stop()
    }

    @Test func aMailingWithoutACategoryTellsHowManyUnsubscribedGetIt() async throws {
        let sink = try await RunningSink()
        let mailing = try await started(sink, recipients: MailingFolder.recipients(6))
        let table = try mailing.folder.write(
            """
            address,category,expiry
            Person0@example.com,news,
            person1@example.com,news,
            person1@example.com,offers,
            person2@example.com,offers,
            person2@example.com,all,
            stranger@example.com,news,

            """, to: "s.csv")
        #expect(try await suppressions(mailing, "import", table, "--channel", "email").status == 0)
        let added = try await Program.run(["mailing", "add", mailing.mailing, "--ledger", mailing.ledger])
        #expect(added.status == 0, "\(added)")
        #expect(added.errors.contains("the mailing has no category: it goes to 2 people who have unsubscribed from one"), "\(added.errors)")
        let stopped = try await Program.run(
            ["mailing", "stop", added.output.trimmingCharacters(in: .whitespacesAndNewlines), "--ledger", mailing.ledger])
        #expect(stopped.status == 0, "\(stopped)")
        let sent = try await mailing.send()
        #expect(sent.status == 0 && sent.errors.contains("goes to 2 people"), "\(sent.errors)")
        try await sink.stop()
        // With a category nothing needs to be said.
        let text = try String(contentsOfFile: mailing.mailing, encoding: .utf8)
        try (text + "category: news\n").write(toFile: mailing.mailing, atomically: true, encoding: .utf8)
        let again = try await Program.run(["mailing", "add", mailing.mailing, "--again", "--ledger", mailing.ledger])
        #expect(again.status == 0 && !again.errors.contains("no category"), "\(again.errors)")
    }

    @Test func whatIsMissingExpiredOrLeftOutIsTold() async throws {
        let sink = try await RunningSink()
        let mailing = try await started(sink, recipients: MailingFolder.recipients(1))
        try await sink.stop()
        for expiry in ["2020-01-01", "2020-01-01T00:00:00Z", "soon"] {
            let past = try await suppressions(mailing, "add", "a@example.com", "--expiry", expiry)
            #expect(past.status == 64 && past.errors.contains("--expiry '\(expiry)' is "), "\(past)")
        }
        #expect(try await suppressions(mailing, "add", "a@example.com", "b@example.com", "--category", "News").status == 0)
        let again = try await suppressions(mailing, "add", "a@example.com", "--category", "news")
        #expect(again.status == 0 && again.output == "0 suppressions added, 1 there already\n", "\(again)")
        #expect(again.errors.contains("order changes nothing: all of them are suppressed already"), "\(again)")
        let removed = try await suppressions(mailing, "remove", "a@example.com", "c@example.com", "--category", "news")
        #expect(removed.status == 1 && removed.output == "1 suppression removed\n", "\(removed)")
        #expect(removed.errors.contains("c@example.com: not suppressed by email"), "\(removed)")
        let other = try await suppressions(mailing, "remove", "b@example.com", "--category", "offers", "--output", "json")
        #expect(other.status == 1, "\(other)")
        #expect(try object(other.output)["missing"] as? [String] == ["b@example.com"], "\(other)")
        #expect(other.errors.contains("b@example.com: not suppressed for offers, but for news by email"), "\(other)")
        let table = try mailing.folder.write(
            "address,channel,category,expiry\nx@example.com,EMAIL,All,\ny@example.com,email,,2026-01-01\nnobody,email,,\n", to: "t.csv")
        let dry = try await suppressions(mailing, "import", table, "--skip-invalid", "--dry-run")
        #expect(dry.output.hasPrefix("2 rows can be added; 1 row skipped\n1 of them expired"), "\(dry)")
        let imported = try await suppressions(mailing, "import", table, "--skip-invalid")
        #expect(imported.output.hasPrefix("2 suppressions added; 1 row skipped\n1 of them expired"), "\(imported)")
    }

    /// What others wrote into an address is no formula where a person opens the table, and comes back as it was.
    @Test func anExportIsSafeInASpreadsheetAndIsReadBack() async throws {
        let sink = try await RunningSink()
        let mailing = try await started(sink, recipients: MailingFolder.recipients(1))
        try await sink.stop()
        let table = try mailing.folder.write("address,channel\n=cmd|x,messenger\n+4915112345678,sms\n", to: "t.csv")
        #expect(try await suppressions(mailing, "import", table).status == 0)
        let guarded = try await suppressions(mailing, "export")
        #expect(guarded.output.contains("messenger,\"'=cmd|x\",") && guarded.output.contains("sms,+4915112345678,"), "\(guarded)")
        #expect(try await suppressions(mailing, "export", "--raw").output.contains("messenger,\"=cmd|x\","))
        let file = try mailing.folder.write(guarded.output, to: "export.csv")
        #expect(try await suppressions(mailing, "import", file).output == "0 suppressions added, 2 there already\n")
    }

    @Test func aBadTableAddsNothing() async throws {
        let sink = try await RunningSink()
        let mailing = try await started(sink, recipients: MailingFolder.recipients(1))
        try await sink.stop()
        let table = try mailing.folder.write("address,channel\na@example.com,email\nnobody,email\n", to: "bad.csv")
        let refused = try await suppressions(mailing, "import", table)
        #expect(refused.status == 1 && refused.errors.contains("bad.csv:3: column 'address'"), "\(refused)")
        #expect(refused.errors.contains("nothing was added") && refused.output.isEmpty)
        #expect(try await suppressions(mailing, "list").output == "no suppressions\n")
        #expect(
            try await suppressions(mailing, "import", table, "--skip-invalid", "--dry-run").output == "1 row can be added; 1 row skipped\n"
        )
        #expect(try await suppressions(mailing, "import", table, "--skip-invalid").output == "1 suppression added; 1 row skipped\n")
        #expect(try await suppressions(mailing, "add", "x").status == 64)
        #expect(try await suppressions(mailing, "list", "--category", "Not One").status == 64)
        let nowhere = try await Program.run(["suppressions", "list", "--ledger", mailing.folder.path("none.sqlite")])
        #expect(nowhere.status == 1 && nowhere.errors.contains("no ledger at"))
    }
}
