import Foundation
import Logging
import Model
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

func shared(
    record: String? = nil, _ change: (inout SinkConfiguration) throws -> Void = { _ in }
) throws -> SinkContext {
    var configuration = SinkConfiguration(listeners: [])
    configuration.record = record
    try change(&configuration)
    return try SinkContext(configuration, logger: TestSink.quiet, firstID: 0)
}
