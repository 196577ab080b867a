import Foundation
import Settings
import Signing
import TestServers
import Testing
import Text

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A whole run: a message is sent, and its recipient reads it in a browser and chooses what to get, by tracker, Redis, collector and
/// ledger.
@Suite(.timeLimit(.minutes(10))) struct VisitorPageTests {
    private static let html = """
        <html><body><p>Hello {{first_name}}</p>
        <a href="https://shop.example/?c={{code}}&amp;x=1#top">Shop</a>
        <a href="{{view_url}}">Browser</a> <a href="{{unsubscribe_url}}">No more</a> <a href="{{preferences_url}}">Choose</a>
        </body></html>

        """

    private let mailing: MailingFolder
    private let dump: String
    private let smtp: Int
    private let port: Int
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.url.path)
        (smtp, port) = (try freePort(), try freePort())
        dump = folder.path("dump")
        mailing = try MailingFolder(
            provider: "smtp://127.0.0.1:\(smtp)", recipients: MailingFolder.recipients(1), extra: "category: news\n", html: Self.html)
    }

    private var environment: [String: String] {
        [
            "FLOTILLA_TRACKER_URL": "http://127.0.0.1:\(port)", "FLOTILLA_TRACKER_LISTEN": "127.0.0.1:\(port)",
            "FLOTILLA_LEDGER_PATH": mailing.ledger,
        ]
    }

    /// The HTML of the one message that a server which we did not write took.
    private func send() async throws -> String {
        let user = getuid() == 0 ? ["-u", "nobody"] : []
        let sink = try ServerProcess("smtp-sink", user + ["-D", dump, "127.0.0.1:\(smtp)", "100"], package: "postfix")
        try await eventually("smtp-sink listens") { canConnect(smtp) }
        let outcome = try await mailing.send(environment: environment)
        #expect(outcome.status == 0, "\(outcome.errors)")
        sink.stop(SIGTERM)
        let message = try String(contentsOfFile: dump, encoding: .utf8).replacing("\r\n", with: "\n")
        let html = try #require(message.firstRange(of: "<html>")), end = try #require(message.firstRange(of: "</html>"))
        return String(message[html.lowerBound..<end.upperBound])
    }

    private func ask(
        _ path: String, post body: String? = nil, language: String = "en"
    ) async throws -> (status: Int, text: String, head: HTTPURLResponse) {
        var request = URLRequest(url: try #require(URL(string: "http://127.0.0.1:\(port)\(path)")))
        request.setValue(language, forHTTPHeaderField: "Accept-Language")
        request.timeoutInterval = 20
        request.cachePolicy = .reloadIgnoringLocalCacheData
        if let body {
            request.httpMethod = "POST"
            request.httpBody = Data(body.utf8)
        }
        let (data, response) = try await URLSession.shared.data(for: request)
        let head = try #require(response as? HTTPURLResponse)
        return (head.statusCode, String(decoding: data, as: UTF8.self), head)
    }

    private func path(_ prefix: String, in html: String) throws -> String {
        let pattern = try Regex("http://127\\.0\\.0\\.1:\\d+(/\(prefix)/[A-Za-z0-9_-]{27})\"", as: (Substring, Substring).self)
        return String(try #require(html.firstMatch(of: pattern)).1)
    }

    @Test func aRecipientReadsTheMessageAndChooses() async throws {
        #expect(try await Program.run(["ledger", "init", "--ledger", mailing.ledger]).status == 0)
        let added = try await Program.run(["suppressions", "categories", "add", "news", "offers", "--ledger", mailing.ledger])
        #expect(added.status == 0, "\(added.errors)")
        let sent = try await send()
        let up = try RunningProgram(["up"], environment: environment)
        try await eventually("the tracker listens: \(up.errors)") { canConnect(port) }
        let view = try path("v", in: sent), preferences = try path("p", in: sent)
        try await eventually("the ledger answers: \(up.errors)") { try await ask(view).status == 200 }
        let page = try await ask(view)
        #expect(page.text.hasPrefix(sent.replacing(/<img src="http:\/\/127[^>]*\/o\/[^>]*>/, with: "")))
        #expect(!page.text.contains("/o/") && page.head.value(forHTTPHeaderField: "Cache-Control")?.contains("private") == true)
        let form = try await ask(preferences, language: "de-DE,en;q=0.5")
        #expect(form.text.contains("Ihre Nachrichten") && form.text.contains(#"value="news" checked"#))
        #expect(form.text.contains(#"value="offers" checked"#))
        let saved = try await ask("\(preferences)?save", post: "c=news&w=news&w=offers&m=news")
        #expect(saved.status == 200 && saved.text.contains(#"value="offers">"#))
        let query = "SELECT category || ' ' || reason || ' ' || address FROM suppression"
        try await eventually("it is in the ledger: \(up.errors)") {
            try mailing.query(query) == ["offers unsubscribe person0@example.com"]
        }
        #expect(try mailing.query("SELECT actor FROM audit WHERE kind LIKE '%suppress%'").contains("recipient"))
        _ = try await ask("\(preferences)?all", post: "m=news")
        try await eventually("all is in the ledger: \(up.errors)") { try mailing.query(query).count == 3 }
        #expect(try await ask(preferences).text.contains("You do not get any messages now."))
        _ = try await ask("\(preferences)?save", post: "c=offers&n=news&n=offers&m=news&a=0")
        try await eventually("one is left: \(up.errors)") { try mailing.query(query) == ["news unsubscribe person0@example.com"] }
        up.signal(SIGTERM)
        #expect(try await up.end() == 0, "\(up.errors)")
        // A later process, which remembers nothing, says the same.
        let next = try RunningProgram(["up"], environment: environment)
        try await eventually("the tracker listens: \(next.errors)") { canConnect(port) }
        try await eventually("the ledger answers: \(next.errors)") { try await ask(preferences).text.contains(#"value="offers" checked"#) }
        #expect(try await ask(preferences).text.contains(#"value="news">"#))
        let erased = try await Program.run(["recipient", "erase", "person0@example.com", "--yes", "--ledger", mailing.ledger])
        #expect(erased.status == 0, "\(erased.errors)")
        #expect(try await ask(view).status == 410)
        next.signal(SIGTERM)
        #expect(try await next.end() == 0)
    }
}
