import Dispatch
import Sink
import Synchronization
import Testing

@testable import Model
@testable import Transport

/// Texts that take long to make, as signed ones do, are made anew for a server where no connection waits for them.
@Suite struct SMTPRecomposeTests {
    private final class Threads: Sendable {
        private let key = DispatchSpecificKey<Bool>()
        private let queue = DispatchQueue(label: "elsewhere")
        /// How often texts were made there, and on other threads.
        let counts = Mutex((here: 0, elsewhere: 0))

        init() { queue.setSpecific(key: key, value: true) }

        func run(_ work: @escaping @Sendable () -> Void) { queue.async(execute: work) }

        func note() {
            let isElsewhere = DispatchQueue.getSpecific(key: key) == true
            counts.withLock { if isElsewhere { $0.elsewhere += 1 } else { $0.here += 1 } }
        }
    }

    private func group(_ number: Int, _ threads: Threads) -> MessageGroup {
        var group = MessageGroup.numbered(10, from: number * 10) { "Subject: \($0)\r\n\r\nsigned for another server\r\n" }
        group.extensions = MailExtensions(eightBitMIME: false, smtpUTF8: true)
        group.recompose = { _ in
            threads.note()
            let texts = MessageGroup.numbered(10, from: number * 10) { "Subject: \($0)\r\n\r\nsigned\r\n" }
            return MessageGroup.Texts(bytes: texts.bytes, bodies: texts.messages.map(\.body))
        }
        group.elsewhere = { threads.run($0) }
        return group
    }

    @Test(.timeLimit(.minutes(1)), arguments: [1, 4]) func theTransportWaitsForNoSignature(connections: Int) async throws {
        var configuration = SinkConfiguration(listeners: [SinkListener(scheme: .smtp)])
        configuration.without = [.smtpUTF8]
        let sink = try await SinkServer.start(configuration: configuration)
        let provider = Provider(name: "sink", scheme: .smtp, host: "127.0.0.1", port: sink.port(.smtp) ?? 0).with {
            $0.connections = connections
        }
        let threads = Threads()
        let responses = try await withTransport(provider) { transport in
            await withTaskGroup(of: [ProviderResponse?].self) { tasks in
                for number in 0..<20 { tasks.addTask { await transport.deliver(group(number, threads)) { true } } }
                return await tasks.reduce(into: []) { $0 += $1 }
            }
        }
        await sink.stop()
        #expect(responses.count == 200 && responses.allSatisfy { $0?.action == .accept } && sink.counts.accepted == 200)
        #expect(threads.counts.withLock { $0 } == (here: 0, elsewhere: 20))
    }

    /// Texts that cannot be made to suit are not made again and again.
    @Test(.timeLimit(.minutes(1))) func whatNeverSuitsIsMadeOnce() async throws {
        var configuration = SinkConfiguration(listeners: [SinkListener(scheme: .smtp)])
        configuration.without = [.smtpUTF8]
        let sink = try await SinkServer.start(configuration: configuration)
        let provider = Provider(name: "sink", scheme: .smtp, host: "127.0.0.1", port: sink.port(.smtp) ?? 0)
        let threads = Threads()
        var broken = group(0, threads)
        broken.recompose = { _ in
            threads.note()
            return MessageGroup.Texts(bytes: [], bodies: [])
        }
        let group = broken
        let responses = try await withTransport(provider) { await $0.deliver(group) { true } }
        await sink.stop()
        #expect(responses.count == 10 && threads.counts.withLock { $0.elsewhere } == 1)
    }
}
