import Model
import Policy
import Testing

@testable import Sink

@Suite struct ProfileTests {
    @Test func faultsGoWhereTheirCodesAreAtHome() throws {
        let profile = try FailureProfile(
            parsing: "550=0.05, 450=0.10, 554=0.2,421=0.01,drop=0.001,429=0.02;retry-after=1500ms,503=0.01,data:451=0.1"
        )
        #expect(profile[.rcpt].map(\.fault.code) == [550, 450, 421])
        #expect(profile[.data].map(\.fault.code) == [554, 0, 451])
        #expect(profile[.http].map(\.fault.code) == [0, 429, 503])
        #expect(String(decoding: profile[.http][1].fault.reply, as: UTF8.self).contains("\r\nRetry-After: 2\r\n"))
        let own = try FailureProfile(parsing: "mail:553=1;status=5.1.8;text=not you")
        #expect(own[.mail].map(\.fault.reply) == [Array("553 5.1.8 not you\r\n".utf8)])
        #expect(try FailureProfile(parsing: "") == FailureProfile())
    }

    @Test(arguments: [
        "550", "550=", "550=2", "550=-1", "250=0.1", "900=0.1", "rcp:550=0.1", "crash=0.1", "550=0.6,450=0.5",
        "429=0.1;retry-after=x", "550=0.1;retry-after=2s", "429=0.1;status=4.2.0", "550=0.1;status=5",
        "drop=0.1;text=x",
        "rcpt:drop-after=0.1", "550=0.1;text=\"", "550=0.1;text=a\r\nb", "550=0.1;", "550=nan", "550=0.1;colour=red",
    ])
    func wrongProfilesAreRefusedByName(text: String) {
        let error = #expect(throws: SinkError.self) { try FailureProfile(parsing: text) }
        #expect(error?.description.isEmpty == false)
    }

    @Test func sharesAddUpToTheWhole() throws {
        let tenth = Array(repeating: "550=0.1", count: 10).joined(separator: ",")
        let profile = try FailureProfile(parsing: tenth)
        #expect(profile.fault(at: .rcpt, draw: 0.9999999) != nil)
        #expect(profile.fault(at: .rcpt, draw: 0) != nil)
    }

    /// The codes that attempts 1 to 3 of many recipients meet at a stage.
    private func fates(seed: UInt64, _ text: String, reversed: Bool = false) throws -> [String: [Int]] {
        let faultSelector = FaultSelector(profile: try FailureProfile(parsing: text), latency: .none, seed: seed)
        var fates: [String: [Int]] = [:]
        for _ in 1...3 {
            for number in reversed ? Array((0..<5000).reversed()) : Array(0..<5000) {
                let recipient = "user\(number)@example.com"
                let attempt = Array(recipient.utf8).withUnsafeBytes { faultSelector.begin($0, nil) }
                fates[recipient, default: []].append(faultSelector.fault(at: .rcpt, attempt)?.code ?? 250)
            }
        }
        return fates
    }

    @Test func sharesAreKeptAndRunsAreRepeatable() throws {
        let fates = try fates(seed: 3, "550=0.05,450=0.10,421=0.01")
        let all = fates.values.flatMap { $0 }
        // Five standard deviations of a binomial share of 15,000 draws.
        for (code, share) in [(550, 0.05), (450, 0.10), (421, 0.01)] {
            let found = Double(all.count { $0 == code }) / Double(all.count)
            #expect(abs(found - share) < 5 * (share * (1 - share) / Double(all.count)).squareRoot(), "\(code)")
        }
        #expect(try self.fates(seed: 3, "550=0.05,450=0.10,421=0.01", reversed: true) == fates)
        #expect(try self.fates(seed: 4, "550=0.05,450=0.10,421=0.01") != fates)
        // Attempts are drawn apart: about a tenth of those deferred at first are deferred again, not all.
        let again = fates.values.filter { $0[0] == 450 }.count { $0[1] == 450 }
        #expect((10...100).contains(again))
    }

    @Test func latencyIsReadAndSpread() throws {
        #expect(try SinkLatency(parsing: "50ms") == SinkLatency(least: 50_000_000, most: 50_000_000))
        #expect(try SinkLatency(parsing: "50-500ms") == SinkLatency(least: 50_000_000, most: 500_000_000))
        #expect(try SinkLatency(parsing: "500us-1.5s") == SinkLatency(least: 500_000, most: 1_500_000_000))
        for text in ["", "50", "ms", "-5ms", "5-ms", "500-50ms", "1h", "1e30s", "1-2-3ms"] {
            #expect(throws: SinkError.self, "\(text)") { try SinkLatency(parsing: text) }
        }
        let faultSelector = FaultSelector(profile: FailureProfile(), latency: try SinkLatency(parsing: "10-20ms"), seed: 1)
        let waits = (0..<1000).map { faultSelector.latency(.init(key: UInt64($0) &* 0x9e37_79b9_7f4a_7c15, number: 0)) }
        #expect(waits.allSatisfy { (10_000_000..<20_000_000).contains($0) })
        #expect((14_500_000...15_500_000).contains(waits.reduce(0, +) / 1000))
    }

    @Test func latencyIsLogNormalByTwoOfItsPercentiles() throws {
        let latency = try SinkLatency(parsing: "p50:120ms,p99:900ms")
        #expect(latency == SinkLatency(p50: 120_000_000, p99: 900_000_000))
        for text in ["p50:1s", "p99:1s,p50:1s", "p50:2s,p99:1s", "p50:0ms,p99:1s", "p50:1,p99:2s", "p50:1s,p99:1h"] {
            #expect(throws: SinkError.self, "\(text)") { try SinkLatency(parsing: text) }
        }
        func waits(seed: UInt64, reversed: Bool = false) -> [Int: Int64] {
            let faultSelector = FaultSelector(profile: FailureProfile(), latency: latency, seed: seed)
            var waits: [Int: Int64] = [:]
            for number in reversed ? Array((0..<20_000).reversed()) : Array(0..<20_000) {
                waits[number] = Array("user\(number)@example.com".utf8).withUnsafeBytes {
                    faultSelector.latency(faultSelector.begin($0, nil))
                }
            }
            return waits
        }
        let found = waits(seed: 5)
        let sorted = found.values.sorted()
        // Five standard deviations of the share of 20,000 draws that lies below the percentile.
        #expect(abs(sorted.count { $0 <= 120_000_000 } - 10_000) < 354)
        #expect(abs(sorted.count { $0 <= 900_000_000 } - 19_800) < 71)
        #expect((sorted.last ?? 0) <= 9_000_000_000 && (sorted.first ?? 0) > 0)
        #expect(waits(seed: 5, reversed: true) == found)
        #expect(waits(seed: 6) != found)
        let fixed = try #require(SinkLatency(p50: 7, p99: 7))
        #expect(fixed.at(0.9999, 0) == 7)
    }

    @Test func limitsAreReadAsTheirProtocolWantsThem() throws {
        func replies(_ text: String) throws -> [String] {
            let limit = try SinkLimit(parsing: text)
            return [limit.smtp, limit.http].map {
                String(decoding: $0.reply, as: UTF8.self).split(separator: "\r\n").joined(separator: "|")
            }
        }
        #expect(try SinkLimit(parsing: "6000/min,burst=50").rate == RateLimit("6000/min,burst=50"))
        #expect(
            try replies("9/s;code=454;status=4.7.0;text=slow down") == [
                "454 4.7.0 slow down",
                "HTTP/1.1 429 Too Many Requests|Content-Type: application/json|Content-Length: 29|{\"error\":\"Too Many Requests\"}",
            ])
        #expect(
            try replies("9/s;code=503;retry-after=1500ms;text=slow down") == [
                "421 4.7.0 too much mail, closing the connection, try again later",
                "HTTP/1.1 503 slow down|Content-Type: application/json|Retry-After: 2|Content-Length: 21|{\"error\":\"slow down\"}",
            ])
        #expect(
            try replies("9/s;retry-after=1s;status=4.7.1;text=no").map { $0.prefix(12) } == [
                "421 4.7.1 no", "HTTP/1.1 429",
            ])
        for text in [
            "", "9", "9/s;code=200", "9/s;code=x", "9/s;code=429;status=4.7.0", "9/s;code=421;retry-after=1s",
            "9/s;colour=red", "9/s;text=\"",
        ] {
            #expect(throws: SinkError.self, "\(text)") { try SinkLimit(parsing: text) }
        }
    }

    @Test func addressesThatMisbehaveAreKnownByWholeWords() {
        func behaviour(_ text: String) -> AddressBehaviour? {
            Array(text.utf8).withUnsafeBytes { AddressBehaviour($0) }
        }
        #expect(behaviour("bounce@example.com") == .bounce)
        #expect(behaviour("bounce-17@example.com") == .bounce)
        #expect(behaviour("defer@x") == .defer(1))
        #expect(behaviour("defer2.x@x") == .defer(2))
        #expect(behaviour("drop3") == .drop(3))
        #expect(behaviour("lost+a@x") == .lost(1))
        #expect(behaviour("stall99999999999999999999@x") == .stall(1_000_000))
        #expect(behaviour("reject@x") == .reject)
        for text in ["", "bouncer@x", "deferrari@x", "dropper@x", "Bounce@x", "stallone@x", "d", "a@bounce"] {
            #expect(behaviour(text) == nil, "\(text)")
        }
    }

    @Test func listenersAreRead() throws {
        #expect(try SinkListener(scheme: .smtp, parsing: "127.0.0.1:2525").description == "smtp://127.0.0.1:2525")
        #expect(try SinkListener(scheme: .https, parsing: "[::1]:0").description == "https://[::1]:0")
        for text in ["", "2525", ":2525", "host:", "host:99999", "host:-1"] {
            #expect(throws: SinkError.self, "\(text)") { try SinkListener(scheme: .smtp, parsing: text) }
        }
    }
}
