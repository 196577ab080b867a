import Foundation
import Ledger
import Logging
import Model
import NIOPosix
import Signing
import TestServers
import Testing
import Text

@testable import Broker
@testable import Collecting

/// Questions of trackers, answered from a ledger by way of a real Redis; the test is the tracker.
@Suite(.timeLimit(.minutes(5))) struct AnsweringServiceTests {
    private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let server: RedisServer
    private let folder: TemporaryFolder
    private let broker: Broker
    private let ledger: SQLiteLedger
    private let keys: SigningKeys
    private let number: UInt32
    private let asker: UInt64 = 77

    init() async throws {
        server = try await RedisServer()
        folder = try TemporaryFolder()
        broker = Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket)), prefix: "test", partitions: 2, name: "test",
            group: .singletonMultiThreadedEventLoopGroup, logger: quiet)
        ledger = try SQLiteLedger.open(folder.path("ledger.sqlite"), logger: quiet)
        keys = try SigningKeys([1: Secret(String(repeating: "k", count: 32))])
        var generator = SystemRandomNumberGenerator()
        let id = MailingID(milliseconds: Clock.milliseconds(), using: &generator)
        var mailing = Mailing(name: "m", channel: .email, provider: "p", fields: ["id", "email", "name"])
        mailing.html = .init(source: #"<p>Hello {{name}}</p><a href="https://a.example/{{id}}">A</a><a href="{{unsubscribe_url}}">B</a>"#)
        mailing.tracking = MailingTracking()
        try await ledger.create(id, mailing: mailing, source: nil, origin: "", state: .collecting, now: 1)
        var recipients = Recipients(width: 3)
        for place in 0..<100 { recipients.append(row: ["\(place)", "p\(place)@example.com", "Zoë \(place)"]) }
        try await ledger.appendPlan(id, batches: [PlannedBatch(number: 0, recipients: recipients)], exclusions: [], rowsRead: 100)
        try await ledger.finishPlan(id, now: 2)
        number = try #require(try await ledger.number(of: id))
    }

    private func hold(_ name: String) async throws {
        _ = try await EpochStore(broker).hold(FencingToken(ledger: name, number: 1), time: .seconds(3600))
    }

    private func question(_ kind: Question.Kind, _ index: Int) -> Question {
        Question(kind, mailing: number, batch: 0, index: UInt32(index))
    }

    /// Runs a service while `body` works.
    private func answering(keys: SigningKeys?, _ body: (QuestionStore) async throws -> Void) async throws {
        let service = AnsweringService(
            broker: broker, ledger: ledger, url: "https://t.example", keys: keys, name: "c", logger: quiet)
        let running = Task { try? await service.run() }
        let store = QuestionStore(broker)
        let result: Result<Void, any Error>
        do { result = .success(try await body(store)) } catch { result = .failure(error) }
        running.cancel()
        _ = await running.value
        await store.close()
        try result.get()
    }

    /// Asks, and waits for all answers.
    private func ask(_ store: QuestionStore, _ questions: [Question]) async throws -> [Answer] {
        try await store.ask(QuestionBatch(asker: asker, questions.enumerated().map { .init(UInt64($0), $1) }))
        var found: [UInt64: Answer] = [:]
        try await eventually("all are answered") {
            for one in try await store.answers(to: asker, atMost: .milliseconds(100)) { found[one.number] = one.answer }
            return found.count == questions.count
        }
        return questions.indices.map { found[UInt64($0)] ?? .gone }
    }

    @Test func theLedgerAnswers() async throws {
        try await hold(try await ledger.identity())
        try await answering(keys: keys) { store in
            let questions = [question(.preferences, 1), question(.view, 2), question(.view, 100), question(.view, 2)]
            let answers = try await ask(store, questions)
            #expect(answers[0] == .preferences(.init(channel: .email, category: "", all: .wanted, categories: [])))
            guard case .page(let html) = answers[1] else { throw WireError("no page") }
            let text = String(decoding: html, as: UTF8.self)
            #expect(text.contains("<p>Hello Zoë 2</p>") && text.contains("https://t.example/c/") && text.contains("https://t.example/u/"))
            #expect(answers[2] == .gone && answers[3] == answers[1])
            try await eventually("none waits") { try await store.unanswered() == 0 }
            // Many at once.
            let many = try await ask(store, (0..<100).map { question(.view, $0) })
            #expect(many.allSatisfy { if case .page = $0 { true } else { false } })
        }
    }

    @Test func withoutKeysNoMessageIsShown() async throws {
        try await hold(try await ledger.identity())
        try await answering(keys: nil) { store in
            let answers = try await ask(store, [question(.view, 2)])
            #expect(answers == [.unable])
        }
    }

    /// A Redis that carries another ledger's mailings gets no answers; once it is ours, old questions have none either.
    @Test func anotherLedgersQuestionsAreNotAnswered() async throws {
        try await hold("another")
        try await answering(keys: keys) { store in
            try await store.ask(QuestionBatch(asker: asker, [.init(1, question(.preferences, 1))]))
            #expect(try await store.answers(to: asker, atMost: .seconds(3)).isEmpty)
            #expect(try await store.unanswered() == 1)
            _ = try await broker.redis.send(["DEL", "{test}:epoch", "{test}:leader"])
            try await hold(try await ledger.identity())
            try await eventually("the old one is dropped") { try await store.unanswered() == 0 }
            #expect(try await store.answers(to: asker, atMost: .milliseconds(100)).isEmpty)
            #expect(try await ask(store, [question(.preferences, 1)]).count == 1)
        }
    }

    /// What another program writes is passed over, and a lost stream is made again.
    @Test func foreignEntriesAndALostStreamStopNothing() async throws {
        try await hold(try await ledger.identity())
        try await answering(keys: keys) { store in
            #expect(try await ask(store, [question(.preferences, 1)]).count == 1)
            _ = try await broker.redis.send(["XADD", "{test}:questions", "*", "d", "junk"])
            _ = try await broker.redis.send(["RPUSH", "{test}:answers:4d", "junk"])
            #expect(try await ask(store, [question(.preferences, 2)]).count == 1)
            _ = try await broker.redis.send(["FLUSHALL"])
            try await hold(try await ledger.identity())
            try await eventually("it answers again") {
                try await store.ask(QuestionBatch(asker: asker, [.init(5, question(.preferences, 3))]))
                return try await !store.answers(to: asker, atMost: .milliseconds(500)).isEmpty
            }
        }
    }
}
