import Logging
import NIOCore
import NIOEmbedded
import NIOPosix
import Policy
import Synchronization
import TestServers
import Testing

@testable import Model
@testable import Transport

/// A connection and its pool, with the channel in the test's hands: what comes when is the test's choice.
@Suite struct SMTPConnectionTests {
    private static let hello = "220 ready\r\n250-test\r\n250 PIPELINING\r\n"
    private static let envelope = "250 ok\r\n250 ok\r\n354 go on\r\n"

    /// A pool whose own connections never get a greeting, so that jobs wait for those of the test.
    private func pool(_ listener: SilentServer) -> SMTPPool {
        SMTPPool(
            provider: Provider(name: "test", scheme: .smtp, host: "127.0.0.1", port: listener.port),
            hostname: "client.example.com", responses: .standard, group: MultiThreadedEventLoopGroup.singleton, fleet: { 1 },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func job(_ number: Int, _ waiter: CheckedContinuation<[ProviderResponse?], Never>) -> SMTPJob {
        SMTPJob(.deliver(SMTPGroupDelivery(.numbered(1, from: number)) { true }, waiter), stop: SMTPCancellation())
    }

    /// A connection of the pool on a channel without a socket.
    private struct Line {
        let channel = EmbeddedChannel()
        let handler: SMTPConnectionHandler

        init(_ pool: SMTPPool, id: Int, settings: SMTPDialogue.Settings = .plain) throws {
            handler = SMTPConnectionHandler(id: id, pool: pool, settings: settings)
            try channel.pipeline.syncOperations.addHandler(handler)
        }

        func adopt() { handler.adopt() }

        /// Hands on what the server says, in one read.
        func receive(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }

        /// What was sent since the last call.
        func sent() throws -> String {
            var all = ""
            while let part = try channel.readOutbound(as: ByteBuffer.self) { all += String(buffer: part) }
            return all
        }

        func end() throws { _ = try channel.finish(acceptAlreadyClosed: true) }
    }

    @Test func aServerThatIsReadyBeforeTheConnectReturnsIsSentTheFirstJob() async throws {
        let listener = try SilentServer()
        let pool = pool(listener)
        let responses = await withCheckedContinuation { waiter in
            pool.add(job(1, waiter))
            do {
                let line = try Line(pool, id: 100)
                try line.receive(Self.hello)
                #expect(try line.sent() == "EHLO client.example.com\r\n")
                line.adopt()
                #expect(try line.sent() == "MAIL FROM:<news@example.com>\r\nRCPT TO:<user1@example.com>\r\nDATA\r\n")
                try line.receive(Self.envelope)
                try line.receive("250 taken\r\n")
                try line.end()
            } catch {
                Issue.record(error)
            }
        }
        #expect(responses.map { $0?.action } == [.accept])
        await pool.close()
    }

    @Test func aGoodbyeBehindTheLastResponseLeavesTheNextJobToAnotherConnection() async throws {
        let listener = try SilentServer()
        let pool = pool(listener)
        let (added, add) = AsyncStream<Void>.makeStream()
        let first = Task {
            await withCheckedContinuation { waiter in
                pool.add(job(1, waiter))
                add.finish()
            }
        }
        for await _ in added {}
        let second = await withCheckedContinuation { waiter in
            pool.add(job(2, waiter))
            do {
                let leaving = try Line(pool, id: 100)
                leaving.adopt()
                try leaving.receive(Self.hello)
                try leaving.receive(Self.envelope)
                _ = try leaving.sent()
                try leaving.receive("250 taken\r\n421 enough for one connection\r\n")
                #expect(try leaving.sent().isEmpty)
                try leaving.end()
                let staying = try Line(pool, id: 101)
                staying.adopt()
                try staying.receive(Self.hello)
                #expect(try staying.sent().contains("RCPT TO:<user2@example.com>"))
                try staying.receive(Self.envelope)
                try staying.receive("250 taken\r\n")
                try staying.end()
            } catch {
                Issue.record(error)
            }
        }
        #expect(second.map { $0?.action } == [.accept])
        #expect(await first.value.map { $0?.action } == [.accept])
        await pool.close()
    }

    /// One recipient with whom the server takes long keeps nobody else waiting, and gets its response all the same.
    @Test func aGroupGoesOnWithoutTheMessageWhoseResponseIsLate() async throws {
        let listener = try SilentServer()
        let pool = pool(listener)
        var settings = SMTPDialogue.Settings.plain
        settings.lateAfter = 0
        let line = try Line(pool, id: 100, settings: settings)
        let late = Mutex<[Int: LateResponse]>([:])
        var group = MessageGroup.numbered(3)
        group.detach = { index, response in late.withLock { $0[index] = response } }
        let run = SMTPGroupDelivery(group) { true }
        let responses = await withCheckedContinuation { waiter in
            pool.add(SMTPJob(.deliver(run, waiter), stop: SMTPCancellation()))
            do {
                line.adopt()
                try line.receive(Self.hello)
                // The first message's envelope is taken, and behind its text the second's is on its way.
                try line.receive(Self.envelope)
                #expect(try line.sent().contains("RCPT TO:<user1@example.com>"))
                line.channel.embeddedEventLoop.advanceTime(to: .now() + .seconds(1))
            } catch {
                Issue.record(error)
            }
        }
        // The third was not begun: the worker sends it elsewhere.
        #expect(responses.allSatisfy { $0 == nil } && late.withLock { $0.keys.sorted() } == [0, 1])
        try line.receive("250 taken at last\r\n" + Self.envelope)
        try line.receive("250 taken too\r\n")
        #expect(await late.withLock { $0[0] }?.value()?.text == "taken at last")
        #expect(await late.withLock { $0[1] }?.value()?.text == "taken too")
        #expect(try !line.sent().contains("user2"))
        try line.end()
        pool.abort()
    }
}
