import Broker
import Foundation
import Model
import NIOPosix
import Policy
import Signing
import Synchronization
import TestServers
import Testing
import Text
import Transport

@testable import BounceIntake

/// The way of mails into a real Redis, by Python's SMTP and LMTP and from a Maildir.
@Suite(.timeLimit(.minutes(5))) struct MailIntakeTests {
    private let redis: RedisServer
    private let broker: Broker
    private let keys: SigningKeys
    private let folder: TemporaryFolder

    init() async throws {
        redis = try await RedisServer()
        var endpoint = RedisEndpoint(place: .unix(path: redis.socket))
        endpoint.timeout = .milliseconds(300)
        broker = Broker(
            endpoint: endpoint, prefix: "test", partitions: 1, name: "test", group: .singletonMultiThreadedEventLoopGroup,
            logger: quietLogger)
        keys = try SigningKeys([1: Secret(String(repeating: "k", count: 32))])
        folder = try TemporaryFolder()
    }

    private var intake: MailIntake { MailIntake(broker, MailMatcher(keys: keys), logger: quietLogger) }

    private func signed() throws -> String {
        var out: [UInt8] = []
        let path = try #require(ReturnPath("bounces.example.com"))
        #expect(path.append(mailing: "0123456789abc", batch: 4, index: 7, keys: keys, to: &out))
        return String(decoding: out, as: UTF8.self)
    }

    private func serving(_ bounds: MailServer.Bounds = .init(), _ body: (Int) async throws -> Void) async throws {
        try await TestServers.serving(
            { onListening in
                [
                    MailServer(
                        host: "127.0.0.1", port: 0, hostname: "mx.example.com", bounds: bounds,
                        group: .singletonMultiThreadedEventLoopGroup,
                        logger: quietLogger, onListening: onListening, handler: { [intake] in await intake.take($0) })
                ]
            }, body)
    }

    private func receipts() async throws -> [ProviderReceipt] {
        let streams = ReceiptStreams(broker)
        let entries = try await streams.read(consumer: "test", count: 1000, block: nil)
        await streams.close()
        return entries.compactMap(\.batch).flatMap(\.receipts)
    }

    @Test(.enabled(if: BounceCorpus.isThere, "there is no ../shared/data/bounces beside the checkout"), arguments: ["smtp", "lmtp"])
    func everyMailOfTheCorpusIsTakenAndCountsForItsSignedAddress(kind: String) async throws {
        let corpus = try #require(BounceCorpus.folder)
        let found = Mutex<[ProviderReceipt]>([])
        try await serving { port in
            let count = try FileManager.default.contentsOfDirectory(atPath: corpus).count { $0.hasSuffix(".eml") }
            #expect(try await MailClient.send(kind, port: port, to: try signed(), corpus + "/*.eml") == "250=\(count)")
            let all = try await receipts()
            found.withLock { $0 = all }
        }
        let all = found.withLock { $0 }
        #expect(all.count > 200)
        #expect(all.allSatisfy { $0.messageID == "0123456789abc.4.7" && $0.webhook == ProviderReceipt.returnedMail })
    }

    @Test func withoutRedisMailIsToComeAgain() async throws {
        let mail = try folder.write(MailMatcherTests.report(), to: "mail")
        try await serving { port in
            redis.stop()
            #expect(try await MailClient.send("smtp", port: port, to: try signed(), mail) == "451=1")
            try await redis.start()
            try await eventually("Redis takes it") { try await MailClient.send("lmtp", port: port, to: try signed(), mail) == "250=1" }
            #expect(try await receipts().map(\.kind) == [.bounced])
        }
    }

    @Test func aConnectionBeyondTheBoundIsPutOff() async throws {
        var bounds = MailServer.Bounds()
        bounds.connections = 0
        let mail = try folder.write("x", to: "mail")
        try await serving(bounds) { port in
            await #expect(throws: TimedOut.self) { try await MailClient.send("smtp", port: port, to: "a@b.c", mail) }
        }
    }

    @Test func aConnectionThatSaysNothingIsEnded() async throws {
        var bounds = MailServer.Bounds()
        bounds.commandTime = 100
        let script = "import socket, sys; print(socket.create_connection(('127.0.0.1', int(sys.argv[1]))).makefile().read())"
        try await serving(bounds) { port in
            let client = try ServerProcess("python3", ["-c", script, "\(port)"], package: "python3-venv", output: folder.path("out"))
            try await eventually("it is ended") { !client.isRunning }
        }
        let lines = folder.lines("out").map { $0.prefix(3) }
        #expect(lines == ["220", "421"])
    }

    @Test func mailWithoutMemoryIsPutOff() async throws {
        var bounds = MailServer.Bounds()
        bounds.memory = 1000
        let mail = try folder.write(MailMatcherTests.report(), to: "mail")
        try await serving(bounds) { port in
            let address = try signed()
            #expect(try await MailClient.send("smtp", port: port, to: address, mail) == "451=1")
        }
    }

    private func makeMaildir() throws -> String {
        let path = folder.path("Maildir")
        for name in ["new", "cur", "tmp", "done"] {
            try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: true)
        }
        return path
    }

    private func names(_ path: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }

    @Test func mailLeavesAMaildirWhenItIsInRedis() async throws {
        let path = try makeMaildir()
        let text = "Return-Path: <>\r\nDelivered-To: \(try signed())\r\n" + MailMatcherTests.report()
        try text.write(toFile: "\(path)/new/1", atomically: false, encoding: .utf8)
        try FileManager.default.createDirectory(atPath: "\(path)/new/folder", withIntermediateDirectories: false)
        redis.stop()
        try await running([MaildirReader(try Maildir(path), logger: quietLogger) { [intake] in await intake.take($0) }]) {
            try text.write(toFile: "\(path)/tmp/2", atomically: false, encoding: .utf8)
            #expect(rename("\(path)/tmp/2", "\(path)/new/2") == 0)
            #expect(try names("\(path)/new") == ["1", "2", "folder"])
            try await redis.start()
            try await eventually("both are taken") { try names("\(path)/cur") == ["1:2,S", "2:2,S"] }
            // The kernel tells of this one.
            try text.write(toFile: "\(path)/tmp/3", atomically: false, encoding: .utf8)
            #expect(rename("\(path)/tmp/3", "\(path)/new/3") == 0)
            try await eventually("the third is taken") { try names("\(path)/cur").count == 3 }
        }
        #expect(try names("\(path)/new") == ["folder"])
        #expect(try await receipts().map(\.messageID) == Array(repeating: "0123456789abc.4.7", count: 3))
    }

    @Test func readMailGoesToItsOwnFolder() async throws {
        let path = try makeMaildir()
        try "Subject: x\n\nHello".write(toFile: "\(path)/new/1:2,", atomically: false, encoding: .utf8)
        let maildir = try Maildir(path, done: path + "/done")
        try await running([MaildirReader(maildir, logger: quietLogger) { [intake] in await intake.take($0) }]) {
            try await eventually("it is taken") { try names("\(path)/done") == ["1:2,"] }
        }
        #expect(throws: MaildirError.self) { try Maildir(path + "/none") }
    }
}
