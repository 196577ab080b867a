import Foundation
import TestServers
import Testing

/// Other systems are told of what happens, whatever becomes of their receivers and of the roles.
@Suite(.serialized, .timeLimit(.minutes(10))) struct WebhookTests {
    /// A receiver that verifies by the package `standardwebhooks`, and notes what it took. Its mode is read from a file for each request.
    private static let receiver = """
        import json, pathlib, sys, threading, time
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
        from standardwebhooks import Webhook
        folder = pathlib.Path(sys.argv[1])
        lock = threading.Lock()
        count = 0
        tried = set()
        class Receiver(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *words): pass
            def answer(self, status, *fields):
                self.send_response(status)
                for name, value in fields: self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()
            def do_POST(self):
                global count
                body = self.rfile.read(int(self.headers["Content-Length"]))
                mode = (folder / "mode").read_text().strip()
                with lock:
                    count += 1
                    number = count
                    # A message fails once at most: the second wait is half a minute.
                    if self.headers["webhook-id"] in tried: number = 1
                    tried.add(self.headers["webhook-id"])
                if mode == "gone": return self.answer(410)
                if mode == "refuse": return self.answer(503, ("Retry-After", "1"))
                if mode == "redirect": return self.answer(302, ("Location", "http://127.0.0.1:1/"))
                if mode == "hang": time.sleep(60)
                if mode == "mixed" and number % 17 == 0: return self.answer(500)
                if mode == "mixed" and number % 23 == 0:
                    self.close_connection = True
                    return
                try: event = Webhook((folder / "secret").read_text().strip()).verify(body, dict(self.headers))
                except Exception as error:
                    with lock, open(folder / "errors", "a") as file: file.write(repr(error) + "\\\\n")
                    return self.answer(400)
                with lock, open(folder / "record", "a") as file:
                    file.write(json.dumps([self.headers["webhook-id"], event["type"], event["data"]]) + "\\\\n")
                self.answer(204)
        server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Receiver)
        server.serve_forever()
        """.replacing("\\\\n", with: "\\n")

    private final class Receiver {
        let folder: TemporaryFolder
        let port: Int
        private let process: ServerProcess

        init(mode: String = "take") async throws {
            guard let python = ProcessInfo.processInfo.environment["FLOTILLA_TEST_PYTHON"] else {
                throw MissingServer(
                    program: "FLOTILLA_TEST_PYTHON (a python with standardwebhooks; deploy/test makes one)", package: "python3-venv")
            }
            folder = try TemporaryFolder()
            port = try freePort()
            let script = try folder.write(WebhookTests.receiver, to: "receiver.py")
            process = try ServerProcess(python, [script, folder.path, "\(port)"], package: "python3", output: folder.path("out"))
            _ = try folder.write(mode, to: "mode")
            try await eventually("the receiver listens: \(folder.text("out") ?? "")") { canConnect(port) }
        }

        var url: String { "http://127.0.0.1:\(port)/hook" }
        func mode(_ mode: String) throws { _ = try folder.write(mode, to: "mode") }

        /// Id, type and data of each message that was taken, in their order.
        func record() throws -> [(id: String, type: String, data: [String: Any])] {
            try (folder.text("record") ?? "").split(separator: "\n").compactMap { line in
                let json = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [Any]
                guard let json, json.count == 3, let id = json[0] as? String, let type = json[1] as? String,
                    let data = json[2] as? [String: Any]
                else { return nil }
                return (id, type, data)
            }
        }

        var errors: String { folder.text("errors") ?? "" }
    }

    private func subscribe(_ fleet: Fleet, _ receiver: Receiver, _ arguments: String...) async throws -> String {
        let added = try await Program.run(
            ["webhooks", "add", receiver.url, "--ledger", fleet.mailing.ledger] + arguments)
        #expect(added.status == 0, "\(added)")
        let secret = try #require(added.output.split(separator: "\n").last?.split(separator: " ").last)
        _ = try receiver.folder.write(String(secret), to: "secret")
        return String(try #require(added.output.split(separator: " ").first))
    }

    /// The last state that was told of each recipient, by its name in the ledger.
    private func states(_ receiver: Receiver) throws -> [String: String] {
        var states: [String: String] = [:]
        for one in try receiver.record() {
            guard let message = one.data["message"] as? String, let state = one.data["state"] as? String else { continue }
            states[message] = state
        }
        return states
    }

    private func expected(_ fleet: Fleet) throws -> [String: String] {
        let rows = try fleet.mailing.query("SELECT mailing || '.' || batch || '.' || idx || ' ' || state FROM delivery")
        return Dictionary(
            uniqueKeysWithValues: rows.compactMap { row in
                let words = row.split(separator: " ").map(String.init)
                return words.count == 2 ? (words[0], words[1]) : nil
            })
    }

    @Test func whatTheReceiverHasIsWhatTheLedgerHas() async throws {
        let fleet = try await Fleet(600, sink: ["--latency", "5ms"], extra: "batch_size: 100\nspeed: 100/s\n")
        let receiver = try await Receiver(mode: "mixed")
        let dead = try await Receiver(mode: "hang")
        let id = try await subscribe(fleet, receiver, "--addresses", "--connections", "16")
        _ = try await subscribe(fleet, dead, "--types", "recipient.*")
        try fleet.start("planner", "worker", "collector", "webhooks")
        try await eventually("some are told: \(fleet.errors("webhooks"))", within: 60) { try receiver.record().count > 50 }
        try await fleet.kill("webhooks")
        try fleet.start("webhooks")
        try await fleet.kill("collector")
        try fleet.start("collector")
        try await fleet.speed("100000/s")
        try await fleet.state("sent")
        try await eventually("all are told: \(fleet.errors("webhooks"))", within: 120) { try states(receiver) == expected(fleet) }
        #expect(receiver.errors == "")
        let record = try receiver.record()
        #expect(record.contains { $0.type == "mailing.sent" })
        let one = try #require(record.first { $0.type == "recipient.sent" })
        #expect((one.data["address"] as? String)?.hasSuffix("@example.com") == true && one.data["channel"] as? String == "email")
        // Each id is one event's, and is told again only where the role was killed or an answer was lost.
        #expect(Set(record.map(\.id)).count >= 601)
        let json = try await fleet.run("webhooks", "list", "--output", "json").output
        #expect(json.contains(id) && !json.contains("whsec_"))
        #expect(!fleet.logs.contains("whsec_"))
        // Told again, with the same ids.
        let ids = Set(record.map(\.id))
        let replayed = try await fleet.run("webhooks", "replay", id, "--since", "1h")
        #expect(replayed.status == 0, "\(replayed)")
        try await eventually("all are told again", within: 120) { try receiver.record().count >= record.count + 600 }
        #expect(Set(try receiver.record().map(\.id)) == ids)
        let check = try await fleet.run("ledger", "check")
        #expect(check.status == 0, "\(check)")
        #expect(try await fleet.end("webhooks", within: 40) == 0)
        try await fleet.endAll()
    }

    @Test func goneAndRefusingReceiversAreDisabled() async throws {
        let fleet = try await Fleet(20, environment: ["FLOTILLA_WEBHOOKS_PATIENCE": "1s"])
        let (gone, refusing) = (try await Receiver(mode: "gone"), try await Receiver(mode: "refuse"))
        let first = try await subscribe(fleet, gone)
        let second = try await subscribe(fleet, refusing)
        try fleet.start("planner", "worker", "collector", "webhooks")
        try await fleet.state("sent")
        try await eventually("both are disabled: \(fleet.errors("webhooks"))", within: 60) {
            try fleet.mailing.query("SELECT count(*) FROM webhook WHERE state = 'disabled'") == ["2"]
        }
        let listed = try await fleet.run("webhooks", "list").output
        #expect(listed.contains("410") && listed.contains("took nothing"))
        #expect(try await fleet.run("audit").output.contains("disable_webhook webhook:\(first)"))
        try refusing.mode("take")
        #expect(try await fleet.run("webhooks", "test", second).status == 0)
        #expect(try await fleet.run("webhooks", "enable", second).status == 0)
        try await eventually("all are told: \(fleet.errors("webhooks"))", within: 60) { try states(refusing) == expected(fleet) }
        #expect(try await fleet.run("webhooks", "test", first).status != 0)
        #expect(try await fleet.run("webhooks", "remove", first).status == 0)
        try await fleet.endAll()
    }

    @Test(arguments: [
        (["http://192.0.2.1/"], "no TLS"), (["ftp://example.com/"], "scheme"), (["https://"], "host"), (["nothing"], "URL"),
        (["https://u:p@example.com/"], "password"), (["https://example.com/", "--types", "recipient.lost"], "recipient.lost"),
        (["https://example.com/", "--connections", "0"], "--connections"),
        (["https://example.com/", "--secret-file", "/nothing"], "/nothing"),
    ])
    func refusesWhatCannotBeTold(arguments: [String], words: String) async throws {
        let folder = try TemporaryFolder()
        #expect(try await Program.run(["ledger", "init", "--ledger", folder.path("l.sqlite")]).status == 0)
        let outcome = try await Program.run(["webhooks", "add"] + arguments + ["--ledger", folder.path("l.sqlite")])
        #expect(outcome.status != 0 && outcome.errors.contains(words), "\(outcome)")
        #expect(!outcome.errors.contains("whsec_"))
    }

    /// A subscription of a mistyped ledger would be told of nothing.
    @Test func aMistypedLedgerIsNotMade() async throws {
        let folder = try TemporaryFolder()
        let outcome = try await Program.run(["webhooks", "add", "https://example.com/", "--ledger", folder.path("l.sqlite")])
        #expect(outcome.status != 0 && outcome.errors.contains("flotilla ledger init"), "\(outcome)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }

    /// What a shell makes of a pattern, and a mistyped command.
    @Test func slipsOfTheCommandLineAreExplained() async throws {
        let files = try await Program.run(["webhooks", "add", "https://example.com/", "--types", "recipient.csv"])
        #expect(files.status == 64 && files.errors.contains("Write a pattern in quotation marks"), "\(files)")
        for (words, meant) in [
            (["webhooks", "lst"], "flotilla webhooks list"), (["webhook"], "flotilla webhooks"),
            (["mailing", "shwo", "1"], "flotilla mailing show"),
            (["webhooks", "secret", "rotat", "x"], "flotilla webhooks secret rotate"),
        ] {
            let outcome = try await Program.run(words)
            #expect(outcome.status == 64 && outcome.errors.contains("; did you mean '\(meant)'?"), "\(outcome)")
        }
        let other = try await Program.run(["webhooks", "nothing-like-it"])
        #expect(other.status == 64 && !other.errors.contains("did you mean"), "\(other)")
    }

    @Test func subscriptionsAreListedInEightyColumns() async throws {
        let folder = try TemporaryFolder()
        let ledger = ["--ledger", folder.path("l.sqlite")]
        #expect(try await Program.run(["ledger", "init"] + ledger).status == 0)
        for types in ["*", "recipient.*", "mailing.sent"] {
            let url = "https://crm.example.com/\(String(repeating: "x", count: 20))"
            #expect(try await Program.run(["webhooks", "add", url, "--types", types] + ledger).status == 0)
        }
        let lines = try await Program.run(["webhooks", "list"] + ledger).output.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 80 } && lines.count { $0.hasPrefix("  to https://crm") } == 3, "\(lines)")
        #expect(lines.first?.split(separator: " ") == ["ID", "STATE", "WAITING", "LAST", "TAKEN"] && lines.contains("  of mailing.sent"))
    }
}
