import Foundation
import TestServers
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Links of text messages, from a gateway that we did not write to the report.
@Suite(.timeLimit(.minutes(5))) struct ShortLinkRunTests {
    private let folder: TemporaryFolder
    private let gateway: Int
    private let port: Int
    private let nginx: ServerProcess
    private let environment: [String: String]

    init() async throws {
        folder = try TemporaryFolder()
        (gateway, port) = (try freePort(), try freePort())
        let conf = try folder.write(
            """
            worker_processes 1; daemon off; pid \(folder.path("pid")); error_log \(folder.path("error.log"));
            events { worker_connections 256; }
            http {
              log_format all escape=json '{"body":"$request_body"}';
              access_log \(folder.path("access.log")) all;
              client_body_temp_path \(folder.path("bodies")); client_body_in_single_buffer on;
              server {
                listen 127.0.0.1:\(gateway);
                location /sms { proxy_pass http://127.0.0.1:\(gateway)/done; }
                location /done { access_log off; return 200 '{"id":"ok"}'; }
                location /shop { access_log off; return 200 'shop'; }
              }
            }
            """, to: "nginx.conf")
        nginx = try ServerProcess(
            "nginx", ["-c", conf, "-e", folder.path("error.log")], package: "nginx-light", output: folder.path("out"))
        let gateway = gateway
        try await eventually("nginx listens") { canConnect(gateway) }
        environment = [
            "FLOTILLA_LEDGER_PATH": folder.path("flotilla.sqlite"), "FLOTILLA_TRACKER_URL": "http://127.0.0.1:\(port)",
            "FLOTILLA_TRACKER_LISTEN": "127.0.0.1:\(port)",
        ]
    }

    private func run(_ arguments: String...) async throws -> Program.Outcome { try await Program.run(arguments, environment: environment) }

    /// The texts that the gateway got, by the recipient's number.
    private func texts() throws -> [String: String] {
        let lines = try String(contentsOfFile: folder.path("access.log"), encoding: .utf8).split(separator: "\n")
        let bodies = try lines.map { line in
            let logged = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String] ?? [:]
            return try JSONSerialization.jsonObject(with: Data((logged["body"] ?? "").utf8)) as? [String: String] ?? [:]
        }
        return Dictionary(bodies.map { ($0["to"] ?? "", $0["text"] ?? "") }) { $1 }
    }

    /// Follows a link to its end.
    private func follow(_ link: String) async throws -> (status: Int, url: String) {
        let (_, response) = try await URLSession.shared.data(from: try #require(URL(string: link)))
        let answer = try #require(response as? HTTPURLResponse)
        return (answer.statusCode, answer.url?.absoluteString ?? "")
    }

    private func tracking(_ id: String) async throws -> Report.Tracking? {
        let report = try await run("mailing", "report", id, "--output", "json")
        return try JSONDecoder().decode(Report.self, from: Data(report.output.utf8)).tracking
    }

    private struct Report: Decodable {
        struct Count: Decodable, Equatable { var total, unique: Int }
        struct Counts: Decodable { var all: Count }
        struct Tracking: Decodable { var clicked: Counts }
        var tracking: Tracking?
    }

    @Test func aShortLinkLeadsToItsTargetAndIsCounted() async throws {
        _ = try folder.write(
            "id,phone,code,private\n1,+491701234567,A1,\n2,+447700900123,B2,no\n3,+447700900124,C3,1\n", to: "people.csv")
        let file = try folder.write(
            """
            name: Text
            channel: sms
            from: Shop
            text: "Sale http://127.0.0.1:\(gateway)/shop?c={{code}}. All: http://127.0.0.1:\(gateway)/shop"
            tracking: {unless: private}
            utm: {source: sms}
            recipients: {file: people.csv, id: id, address: phone}
            provider: http://127.0.0.1:\(gateway)/sms
            """, to: "sms.yaml")
        let up = try RunningProgram(["up"], environment: environment)
        try await eventually("the tracker listens: \(up.errors)") { canConnect(port) || !up.process.isRunning }
        let added = try await run("mailing", "add", file)
        #expect(added.status == 0, "\(added)")
        let id = added.output.trimmingCharacters(in: .whitespacesAndNewlines)
        try await eventually("it is sent: \(up.errors)", within: 60) {
            try await run("mailing", "show", id, "--output", "json").output.contains(#""state" : "sent""#)
        }
        let texts = try texts()
        let link = try Regex("http://127\\.0\\.0\\.1:\(port)/[A-Za-z0-9_-]{27}")
        #expect(texts["+447700900124"] == "Sale http://127.0.0.1:\(gateway)/shop?c=C3. All: http://127.0.0.1:\(gateway)/shop")
        for (number, code) in [("+491701234567", "A1"), ("+447700900123", "B2")] {
            let text = try #require(texts[number])
            let links = text.matches(of: link).map { String(text[$0.range]) }
            #expect(text.replacing(link, with: "@") == "Sale @. All: @" && links.count == 2)
            let first = try await follow(links[0])
            #expect(
                first.status == 200 && first.url == "http://127.0.0.1:\(gateway)/shop?c=\(code)&utm_source=sms", "\(first) \(up.errors)")
            // What a phone takes for a part of the link.
            #expect(try await follow(links[1] + ".").url == "http://127.0.0.1:\(gateway)/shop?utm_source=sms")
            for bad in [String(links[0].dropLast()), links[0] + "A", String(links[0].dropLast()) + "~"] {
                #expect(try await follow(bad).status == 404, "\(bad)")
            }
        }
        try await eventually("the clicks are counted: \(up.errors)", within: 60) {
            try await tracking(id)?.clicked.all == .init(total: 4, unique: 2)
        }
        up.signal(SIGTERM)
        #expect(try await up.end() == 0, "\(up.errors)")
        nginx.stop(SIGQUIT)
    }
}
