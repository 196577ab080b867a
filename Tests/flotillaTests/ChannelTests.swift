import Foundation
import TestServers
import Testing

/// What goes onto the wire, looked at by servers and libraries that we did not write.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ChannelTests {
    /// aiosmtpd takes the mail, Python's email package reads it, a JSON line a message tells.
    private static let reader = """
        import asyncio, email, email.policy, json, sys
        from aiosmtpd.controller import Controller

        class Handler:
            async def handle_DATA(self, server, session, envelope):
                mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
                parts = {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}
                print(json.dumps({
                    'from': envelope.mail_from, 'to': envelope.rcpt_tos, 'headers': {k: str(v) for k, v in mail.items()},
                    'names': [k for k, v in mail.items()], 'type': mail.get_content_type(), 'parts': parts,
                    'defects': [str(d) for d in mail.defects]}), flush=True)
                return '250 2.0.0 Ok: queued as TEST1'

        controller = Controller(Handler(), hostname='127.0.0.1', port=int(sys.argv[1]), decode_data=False)
        controller.start()
        asyncio.new_event_loop().run_forever()
        """

    @Test func aMailIsWhatItsTemplateSays() async throws {
        guard let python = ProcessInfo.processInfo.environment["FLOTILLA_TEST_PYTHON"] else {
            throw MissingServer(program: "FLOTILLA_TEST_PYTHON (a python with aiosmtpd; deploy/test makes one)", package: "python3-venv")
        }
        let folder = try TemporaryFolder()
        let port = try freePort()
        let script = try folder.write(Self.reader, to: "reader.py")
        let server = try ServerProcess(
            python, ["-u", script, "\(port)"], package: "python3", output: folder.path("mails"), errors: folder.path("errors"))
        try await eventually("aiosmtpd listens") { canConnect(port) }
        let mailing = try MailingFolder(
            provider: "smtp://127.0.0.1:\(port)",
            recipients: "id,email,first_name,code\n1,zoe@example.com,\"Zoë \r\nBcc: victim@example.com\",<b>&\n2,x@example.com,名前,.dot\n",
            html: "<p>Hello {{first_name}}</p>\n<p>{{{code}}} {{code}}</p>\n\(String(repeating: "<p>é</p>", count: 300))\n")
        let outcome = try await mailing.send()
        #expect(outcome.status == 0, "\(outcome.errors)")
        server.stop()
        let lines = try String(contentsOfFile: folder.path("mails"), encoding: .utf8).split(separator: "\n")
        let mails = try lines.map {
            try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
        }.sorted { ($0["to"] as? [String])?.first ?? "" > ($1["to"] as? [String])?.first ?? "" }
        try #require(mails.count == 2)
        #expect(mails[0]["to"] as? [String] == ["zoe@example.com"] && mails[0]["from"] as? String == "news@example.com")
        let headers = try #require(mails[0]["headers"] as? [String: String])
        #expect(headers["From"] == "Example Shop <news@example.com>" && headers["Reply-To"] == "help@example.com")
        #expect(headers["Bcc"] == nil && headers["To"] == "zoe@example.com")
        #expect(headers["Subject"]?.hasPrefix("Zoë") == true && headers["Subject"]?.hasSuffix("20 % off") == true)
        let id = try await mailing.id()
        #expect(headers["Message-ID"] == "<\(id).0.0@example.com>")
        #expect(headers["Date"] != nil && headers["MIME-Version"] == "1.0")
        #expect(mails[0]["type"] as? String == "multipart/alternative")
        let parts = try #require(mails[0]["parts"] as? [String: String])
        #expect(parts["text/html"]?.contains("<p><b>& &lt;b&gt;&amp;</p>") == true)
        // Of a value that is HTML itself the text has the words.
        #expect(parts["text/plain"]?.contains("\n& <b>&") == true)
        #expect((mails[1]["parts"] as? [String: String])?["text/plain"]?.contains("\n.dot .dot") == true)
        #expect((mails[1]["headers"] as? [String: String])?["Subject"] == "名前, 20 % off")
        for mail in mails { #expect(mail["defects"] as? [String] == []) }
        let shown = try await Program.run(["mailing", "recipient", id, "zoe@example.com", "--ledger", mailing.ledger])
        #expect(shown.output.contains("TEST1"))
    }

    @Test func aWebhookReachesNginxWithItsBodyAndKey() async throws {
        let folder = try TemporaryFolder()
        let port = try freePort()
        let conf = try folder.write(
            """
            worker_processes 1; daemon off; pid \(folder.path("pid")); error_log \(folder.path("error.log"));
            events { worker_connections 256; }
            http {
              log_format all escape=json '{"key":"$http_idempotency_key","type":"$content_type","body":"$request_body"}';
              access_log \(folder.path("access.log")) all;
              client_body_temp_path \(folder.path("bodies")); client_body_in_single_buffer on;
              server {
                listen 127.0.0.1:\(port);
                location /hook { proxy_pass http://127.0.0.1:\(port)/done; }
                location /done { access_log off; return 200 '{"id":"ok"}'; }
              }
            }
            """, to: "nginx.conf")
        let nginx = try ServerProcess(
            "nginx", ["-c", conf, "-e", folder.path("error.log")], package: "nginx-light", output: folder.path("out"))
        try await eventually("nginx listens") { canConnect(port) }
        let mailing = try MailingFolder(
            provider: "http://127.0.0.1:\(port)/hook", recipients: MailingFolder.recipients(300),
            body: #"{"to":"{{email}}","name":"{{first_name}}","code":"{{code}}"}"#)
        let outcome = try await mailing.send()
        #expect(outcome.status == 0, "\(outcome.errors)")
        nginx.stop(SIGQUIT)
        let lines = try String(contentsOfFile: folder.path("access.log"), encoding: .utf8).split(separator: "\n")
        let requests = try lines.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: String] ?? [:] }
        #expect(requests.count == 300)
        let id = try await mailing.id()
        #expect(Set(requests.compactMap { $0["key"] }) == Set((0..<300).map { "\(id).0.\($0)" }))
        #expect(requests.allSatisfy { $0["type"] == "application/json" })
        let bodies = try requests.map { try JSONSerialization.jsonObject(with: Data(($0["body"] ?? "").utf8)) as? [String: String] ?? [:] }
        #expect(Set(bodies.compactMap { $0["to"] }).count == 300)
        #expect(bodies.contains(["to": "person7@example.com", "name": "Zoë 7", "code": "C7"]))
    }

    @Test func anSMSGoesToItsGatewayInInternationalForm() async throws {
        let sink = try await RunningSink("http", ["--fail", "429=0.1;retry-after=1s"])
        let folder = try TemporaryFolder()
        _ = try folder.write(
            "id,phone,first_name\n1,0170 1234567,Ada\n2,+44 7700 900123,\"Al \"\"x\"\"\"\n3,12,Bad\n4,0170/1234567,Twice\n",
            to: "people.csv")
        let file = try folder.write(
            """
            name: Text
            channel: sms
            from: Shop
            text: "Hello {{first_name}}, it is spring."
            recipients: {file: people.csv, id: id, address: phone, country: DE}
            provider: \(sink.url)/sms
            """, to: "sms.yaml")
        let outcome = try await Program.run(["send", file, "--ledger", folder.path("ledger.sqlite")])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("invalid_address") && outcome.output.contains("duplicate"))
        try await sink.stop()
        #expect(Set(try sink.arrived()) == ["+491701234567", "+447700900123"])
        #expect(try sink.lines().allSatisfy { $0[2] == "sms" })
    }

    @Test func aMessengersTextGoesToItsGateway() async throws {
        let sink = try await RunningSink("http")
        let folder = try TemporaryFolder()
        _ = try folder.write("id,chat,first_name\n1,4711,Ada\n2,@al,\"Al \"\"x\"\"\"\n3,,None\n", to: "people.csv")
        let file = try folder.write(
            """
            name: Text
            channel: messenger
            text: "Hello {{first_name}}"
            recipients: {file: people.csv, id: id, address: chat}
            provider: \(sink.url)/messenger
            """, to: "messenger.yaml")
        let outcome = try await Program.run(["send", file, "--ledger", folder.path("ledger.sqlite")])
        #expect(outcome.status == 0, "\(outcome.errors)")
        try await sink.stop()
        #expect(Set(try sink.arrived()) == ["4711", "@al"])
        #expect(try sink.lines().allSatisfy { $0[2] == "messenger" })
    }
}
