import Foundation
import Logging
import Model
import NIOCore
import TestServers
import Testing

@testable import Sink

/// A sink with SMTP and HTTP on free ports and a record, for one test.
struct TestSink {
    let running: RunningSink
    let folder: TemporaryFolder

    var smtp: String { "\(running.port(.smtp) ?? 0)" }
    var http: String { "\(running.port(.http) ?? 0)" }

    /// Starts a sink, calls `body`, and stops it.
    static func with(
        _ change: (inout SinkConfiguration) throws -> Void = { _ in }, body: (TestSink) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        var configuration = SinkConfiguration(listeners: [.init(scheme: .smtp), .init(scheme: .http)])
        configuration.record = "\(folder.path)/record.tsv"
        try change(&configuration)
        let running = try await SinkServer.start(configuration: configuration, logger: quiet)
        do {
            try await body(TestSink(running: running, folder: folder))
        } catch {
            await running.stop()
            throw error
        }
        await running.stop()
    }

    static var quiet: Logger { Logger(label: "sink") { _ in SwiftLogNoOpLogHandler() } }

    /// What the record holds now; every line of it has to be whole.
    func records() throws -> [SinkRecord] {
        running.flush()
        let text = try #require(folder.text("record.tsv"))
        let records = SinkRecord.read(text)
        #expect(records.count == text.split(separator: "\n").count)
        return records
    }
}

/// A session without a socket: gives back what is left over with more behind it, as the handler does.
struct Dispatcher<Session: SinkSession> {
    var session: Session
    var out = ByteBuffer()
    var steps: [SinkStep] = []
    /// Microseconds.
    var now: Int64 = 1
    private var pending: [UInt8] = []

    init(_ shared: SinkContext) {
        session = Session(shared: shared, number: 1, isSecure: false)
        _ = session.open(into: &out)
    }

    var text: String { String(buffer: out) }

    mutating func feed(_ bytes: some Sequence<UInt8>) {
        guard steps.last != .close, steps.last != .drop else { return }
        pending.append(contentsOf: bytes)
        while !pending.isEmpty {
            let (taken, next) = pending.withUnsafeBytes { session.process($0, now: now, into: &out) }
            pending.removeFirst(taken)
            if case .hold = next { _ = session.release(into: &out) }
            if next == .more { break }
            steps.append(next)
            if next == .close || next == .drop || next == .stall { break }
        }
    }
}

func shared(
    record: String? = nil, _ change: (inout SinkConfiguration) throws -> Void = { _ in }
) throws -> SinkContext {
    var configuration = SinkConfiguration(listeners: [])
    configuration.record = record
    try change(&configuration)
    return try SinkContext(configuration, logger: TestSink.quiet, firstID: 0)
}
