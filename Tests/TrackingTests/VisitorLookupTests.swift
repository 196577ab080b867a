import Broker
import Foundation
import Model
import Signing
import Telemetry
import TestServers
import Testing

@testable import Tracking

/// Pages that need the ledger, from a real server and by way of a real Redis; the test is the collector.
@Suite(.timeLimit(.minutes(5))) struct VisitorLookupTests {
    private static let preferences = RecipientPreferences(
        channel: .email, category: "news", all: .wanted, categories: [.init("news", .wanted), .init("offers", .declined)])

    private func ask(_ port: Int, _ line: String, _ body: String = "", as type: String? = nil) async throws -> (status: Int, text: String) {
        let client = try RawClient(port)
        let length = body.isEmpty ? "" : "\r\nContent-Length: \(body.utf8.count)"
        let type = type.map { "\r\nContent-Type: \($0)" } ?? ""
        try await client.send("\(line) HTTP/1.1\(length)\(type)\r\nHost: localhost\r\nConnection: close\r\n\r\n\(body)")
        let text = try await client.receive().text
        return (Int(text.dropFirst(9).prefix(3)) ?? 0, text)
    }

    /// Answers as a collector would, while `body` works.
    private func answering(
        _ test: TestTracker, _ answer: @escaping @Sendable (Question) -> Answer?, _ body: () async throws -> Void
    ) async throws {
        let store = QuestionStore(TestTracker.broker(test.redis))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                while !Task.isCancelled {
                    guard let entries = try? await store.read(consumer: "c", count: 10, block: .milliseconds(100)) else { continue }
                    var answers: [UInt64: [NumberedAnswer]] = [:]
                    for batch in entries.compactMap(\.batch) {
                        for one in batch.questions {
                            if let found = answer(one.question) { answers[batch.asker, default: []].append(.init(one.number, found)) }
                        }
                    }
                    _ = try? await store.answer(answers, entries)
                }
            }
            let result: Result<Void, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            tasks.cancelAll()
            try await tasks.waitForAll()
            await store.close()
            try result.get()
        }
    }

    /// Who complained, or has no mailbox, cannot take that back; a page that says so would be a lie, and so would the event.
    @Test func whoIsExcludedIsNotToldToBeSubscribedAgain() async throws {
        let test = try await TestTracker()
        let excluded = RecipientPreferences(channel: .email, category: "", all: .excluded, categories: [])
        let declined = RecipientPreferences(channel: .email, category: "news", all: .declined, categories: [.init("news", .declined)])
        try await test.servingWithQuestions { port in
            try await answering(test, { $0.index == 9 ? .preferences(excluded) : .preferences(declined) }) {
                let again = try await ask(port, "POST \(test.path("p", .preferences))?again")
                #expect(again.status == 200 && !again.text.contains("role=\"status\""), "\(again)")
                let other = try await ask(port, "POST \(test.path("p", .preferences, index: 1))?again")
                #expect(other.status == 200 && other.text.contains("You do not get any messages now."), "\(other)")
                #expect(try await test.arrived(1).map(\.action) == [.resubscribe])
            }
        }
    }

    /// Anybody who has a link can send any form.
    @Test func aFormThatThePageDidNotSendIsRefused() async throws {
        let test = try await TestTracker()
        try await test.servingWithQuestions { port in
            func refuse(_ body: String, as type: String? = nil) async throws {
                let page = try await ask(port, "POST \(test.path("p", .preferences))?save", body, as: type)
                #expect(page.status == 400 && page.text.contains("nothing has changed"), "\(body) \(type ?? ""): \(page)")
            }
            // Whether or not the ledger can be asked.
            try await refuse("x=1")
            try await answering(test, { _ in .preferences(Self.preferences) }) {
                for body in ["", "x=1&%%%", "c=", "m", "\u{0}=1"] { try await refuse(body) }
                for type in ["application/json", "multipart/form-data; boundary=x", "text/plain", "application/x-www-form-urlencoded2"] {
                    try await refuse("w=news&m=news", as: type)
                }
                // Of a form that has more, what the page does not show is passed over.
                _ = try await ask(
                    port, "POST \(test.path("p", .preferences))?save", "c=offers&c=forged&n=offers&n=forged&m=news",
                    as: "Application/X-WWW-Form-URLEncoded ; charset=utf-8")
                #expect(try await test.arrived(1).map(\.change) == [PreferenceChange(categories: ["offers": true])])
                // Nobody is kept from declining everything.
                #expect(try await ask(port, "POST \(test.path("p", .preferences))?all", "{}", as: "application/json").status == 200)
                #expect(try await test.arrived(1).first?.action == .unsubscribe)
            }
        }
    }

    @Test func messagesAndPreferencesAreShownAndSaved() async throws {
        let test = try await TestTracker()
        let message = Array("<html><body>Hello <b>Zoë</b></body></html>".utf8)
        try await test.servingWithQuestions { port in
            try await answering(test, { $0.kind == .view ? .page(message) : .preferences(Self.preferences) }) {
                let view = try await ask(port, "GET \(test.path("v", .view))")
                #expect(view.status == 200 && view.text.contains("Hello <b>Zoë</b>") && view.text.contains("Cache-Control: private"))
                #expect(view.text.contains("script-src 'none'") && view.text.contains("X-Robots-Tag: noindex"))
                #expect(view.text.contains("Referrer-Policy: no-referrer"))
                #expect(try await ask(port, "POST \(test.path("v", .view))", "x=1").status == 405)
                let page = try await ask(port, "GET \(test.path("p", .preferences))")
                #expect(page.status == 200 && page.text.contains(#"value="news" checked"#) && page.text.contains(#"value="offers">"#))
                let saved = try await ask(
                    port, "POST \(test.path("p", .preferences))?save", "c=offers&w=news&n=offers&m=news")
                #expect(saved.status == 200 && saved.text.contains("role=\"status\"") && saved.text.contains(#"value="offers" checked"#))
                // It is seen at once, though the ledger still says what it said.
                let again = try await ask(port, "GET \(test.path("p", .preferences))")
                #expect(again.text.contains(#"value="offers" checked"#) && again.text.contains(#"value="news">"#))
                let events = try await test.arrived(3)
                #expect(events.map(\.action).sorted { $0.rawValue < $1.rawValue } == [.unsubscribe, .view, .preferences])
                #expect(events.first { $0.action == .preferences }?.change == PreferenceChange(categories: ["offers": true]))
                let all = try await ask(port, "POST \(test.path("p", .preferences))?all", "m=news")
                #expect(all.status == 200 && all.text.contains("You do not get any messages now."))
                let last = try await test.arrived(2)
                #expect(Set(last.map(\.action)) == [.unsubscribe, .preferences])
                #expect(last.first { $0.action == .preferences }?.change == PreferenceChange(all: false))
            }
        }
    }

    @Test func whatIsGoneOrTooLargeHasAPlainPage() async throws {
        let test = try await TestTracker()
        try await test.servingWithQuestions { port in
            try await answering(test, { $0.index == 1 ? .gone : $0.index == 2 ? .tooLarge : .unable }) {
                #expect(try await ask(port, "GET \(test.path("v", .view, index: 1))").status == 410)
                #expect(try await ask(port, "GET \(test.path("v", .view, index: 2))").status == 404)
                let unable = try await ask(port, "GET \(test.path("v", .view, index: 3))")
                #expect(unable.status == 503 && unable.text.contains("Retry-After: 10"))
                // Whoever is not known can still unsubscribe.
                let page = try await ask(port, "GET \(test.path("p", .preferences, index: 1))")
                #expect(page.status == 200 && page.text.contains("Stop these messages"))
                #expect(try await ask(port, "GET \(test.path("v", .unsubscribe, index: 1))").status == 404)
            }
        }
    }

    /// A short link leads where the ledger says, as far as a message could have said so.
    @Test func shortLinksLeadWhereTheLedgerSays() async throws {
        let test = try await TestTracker()
        let answers: [UInt32: Answer] = [
            1: .target(Array("https://shop.example/a?b=c#d".utf8)), 2: .gone, 3: .unable, 4: .tooLarge, 5: .page(Array("<p>".utf8)),
            6: .target(Array("javascript:alert(1)".utf8)), 7: .target(Array("https:///x".utf8)), 8: .target(Array("//evil.example".utf8)),
            9: .target(Array("https://a.example/\r\nX: y".utf8)), 10: .target([]), 11: .target(Array("https://köln.example/ü".utf8)),
        ]
        try await test.servingWithQuestions { port in
            try await answering(test, { $0.kind == .link ? answers[$0.link] : .gone }) {
                func link(_ number: UInt16) throws -> String { try test.shortLink(number) }
                for method in ["GET", "HEAD"] {
                    let found = try await ask(port, "\(method) \(link(1))")
                    #expect(found.status == 302 && found.text.contains("ocation: https://shop.example/a?b=c#d\r\n"), "\(found.text)")
                }
                #expect(try await ask(port, "GET \(link(11))").text.contains("ocation: https://k%C3%B6ln.example/%C3%BC\r\n"))
                for (number, status) in [(2, 410), (3, 503), (4, 410), (5, 503), (6, 410), (7, 410), (8, 410), (9, 410), (10, 410)] {
                    let found = try await ask(port, "GET \(link(UInt16(number)))")
                    #expect(found.status == status && !found.text.contains("ocation:"), "\(number) \(found.text)")
                }
                #expect(try await ask(port, "POST \(link(1))", "x=1").status == 405)
                let events = try await test.arrived(3)
                #expect(events.allSatisfy { $0.action == .click && ($0.mailing, $0.batch, $0.index) == (7, 8, 9) })
                #expect(events.map(\.link).sorted() == [1, 1, 11] && events.contains { $0.method == .head })
            }
            // What is known is remembered; what is not known needs a collector.
            #expect(try await ask(port, "GET \(test.shortLink(1))").status == 302)
            #expect(try await ask(port, "GET \(test.shortLink(12))").status == 503)
        }
    }

    /// Without a collector, and without Redis, visitors get the page of two buttons soon, and choices are kept.
    @Test func withoutAnAnswerChoicesAreKept() async throws {
        let test = try await TestTracker()
        try await test.servingWithQuestions { port in
            var events: [TrackedEvent] = []
            for isThere in [true, false] {
                if !isThere {
                    // What Redis has it takes with it.
                    events += try await test.arrived(3)
                    test.redis.stop()
                }
                let start = ContinuousClock.now
                let page = try await ask(port, "GET \(test.path("p", .preferences))")
                #expect(page.status == 200 && page.text.contains("Stop these messages"))
                #expect(try await ask(port, "GET \(test.path("v", .view))").status == 503)
                let saved = try await ask(port, "POST \(test.path("p", .preferences))?save", "w=news&m=news")
                #expect(saved.status == 200 && saved.text.contains("Your choice is taken") && !saved.text.contains("saved"))
                // Who complained stays on the list: without the ledger nobody is told to be subscribed.
                let again = try await ask(port, "POST \(test.path("p", .preferences, index: 8))?again")
                #expect(again.status == 200 && again.text.contains("Your choice is taken") && !again.text.contains("subscribed"))
                #expect(ContinuousClock.now - start < .seconds(9))
                #expect(try await ask(port, "GET \(test.path("o", .open))").status == 200)
            }
            try await test.redis.start()
            events += try await test.arrived(3)
            #expect(events.filter { $0.action == .unsubscribe }.count == 2)
            #expect(events.filter { $0.action == .resubscribe && $0.index == 8 }.count == 2)
        }
    }

    /// Many visitors of many messages, none of whom is answered: Redis and the tracker hold a bounded number of questions.
    @Test func aFloodOfQuestionsIsBounded() async throws {
        let test = try await TestTracker()
        let asker = QuestionAsker(test.broker, bounds: QuestionBounds(questions: 300, waiters: 500), logger: quietLogger)
        try await running([asker]) {
            await withTaskGroup(of: Answer?.self) { tasks in
                for index in 0..<3000 {
                    let question = Question(.view, mailing: 1, batch: UInt32(index / 100), index: UInt32(index % 100))
                    tasks.addTask { await asker.answer(to: question) }
                }
                for await answer in tasks { #expect(answer == nil) }
            }
        }
        let length = try #require(Int(try test.redis.cli("XLEN", "{test}:questions").trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(length <= 2000)
        let store = QuestionStore(test.broker)
        for _ in 0..<3 {
            for index in 0..<1000 {
                try await store.ask(QuestionBatch(asker: 1, [.init(UInt64(index), Question(.view, mailing: 1, batch: 1, index: 1))]))
            }
        }
        #expect(try await store.unanswered() <= 1200)
        await store.close()
    }
}

extension TestTracker {
    /// Runs a tracker that asks the ledger while `body` works, and stops it gracefully.
    func servingWithQuestions(_ body: (Int) async throws -> Void) async throws {
        let events = try buffer()
        let asker = QuestionAsker(broker, logger: quietLogger)
        try await TestServers.serving(
            { onListening in
                let server = TrackerServer(
                    Tracker(.init(url: "http://localhost", keys: keys)), at: ListenAddress(host: "127.0.0.1", port: 0),
                    connections: connections, events: events, asker: asker, logger: quietLogger,
                    onListening: { onListening($0.port) })
                return [events, asker, server]
            }, body)
    }
}
