import Foundation
import Model
import TestServers
import Testing

@testable import Sink

/// Nothing that the sink is sent, told or given to read ends the process: a trap would end this run.
@Suite struct SinkFuzzTests {
    private static let login = "AUTH PLAIN AHUAcA==\r\nAUTH LOGIN\r\ndQ==\r\ncA==\r\n"
    private static let limits = ["100/s", "6000/min,burst=50", "30/s,burst=30;code=429;retry-after=1s;text=slow down"]
    private static let failures = ["550=0.05,450=0.10,421=0.01,drop=0.001", "rcpt:550=0.1;status=5.1.1;text=no,429=0.02;retry-after=2s"]
    private static let latencies = ["50ms", "50-500ms", "p50:120ms,p99:900ms"]
    private static let records =
        "1700000000000000\t1700000000000001\tsmtp\ta\\x40b\tm\tm.0.1\t250\t1\tend\t100\t1f\t7\n"
    private static let profile = """
        name: x
        channel: email
        latency: {value: 'p50:120ms,p99:900ms', chosen: no figure}
        limit: {rate: {value: 100/s, chosen: no figure}}
        connections: {value: 20, chosen: no figure}
        """

    private func talk<Session: SinkSession>(_ type: Session.Type, _ text: String, _ random: inout SeededGenerator) throws {
        let driver = try SessionDriver<Session>(shared { $0.maxBodyBytes = 4_096 })
        var rest = Mutation.spoil(Array(text.utf8), using: &random)[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...400, using: &random))
            try driver.feed(piece)
            rest = rest.dropFirst(piece.count)
        }
    }

    @Test(arguments: 0..<8 as Range<UInt64>) func noClientEndsTheProcess(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            try talk(SMTPSession.self, SplitTests.mail, &random)
            try talk(SMTPSession.self, Self.login + SplitTests.mail, &random)
            try talk(HTTPSession.self, SplitTests.web, &random)
        }
    }

    @Test(arguments: 0..<4 as Range<UInt64>) func noOptionOrFileEndsTheProcess(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let folder = try TemporaryFolder()
        func spoilt(_ texts: [String]) -> String {
            String(decoding: Mutation.spoil(Array((texts.randomElement(using: &random) ?? "").utf8), using: &random), as: UTF8.self)
        }
        for _ in 0..<2_000 {
            _ = try? SinkLimit(parsing: spoilt(Self.limits))
            _ = try? FailureProfile(parsing: spoilt(Self.failures))
            if let latency = try? SinkLatency(parsing: spoilt(Self.latencies)) { #expect(latency.at(0.99, 0.5) >= 0) }
            _ = try? SinkListener(scheme: .smtp, parsing: spoilt(["127.0.0.1:2525", "[::1]:25"]))
            for record in SinkRecord.read(spoilt([Self.records])) { #expect(record.bytes >= 0) }
        }
        for _ in 0..<100 { _ = try? SinkProfileFile.read(folder.write(spoilt([Self.profile]), to: "p.yaml")) }
    }
}
