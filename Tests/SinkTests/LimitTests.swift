import Foundation
import Model
import Policy
import Testing

@testable import Sink

/// What a sink limits, seen from clients that we did not write, and judged by its record.
@Suite struct LimitTests {
    /// The most by which the moments in any window exceed rate x window + burst.
    private func excess(_ moments: [Int64], _ limit: RateLimit) -> Double {
        let rate = Double(limit.count) / Double(limit.period)
        // Of moment i, the window from i to j holds j - i + 1: the largest of (j - rate x j's time) against the least before.
        var least = Double.infinity
        var worst = -Double.infinity
        for (index, moment) in moments.sorted().enumerated() {
            let level = Double(index) - rate * Double(moment)
            least = min(least, level)
            worst = max(worst, level - least + 1)
        }
        return worst - Double(limit.burst)
    }

    @Test(arguments: [1, 2, 3]) func aBucketNeverLetsMoreThroughAndWastesNothing(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for text in ["1/s", "25/s,burst=3", "600/min,burst=40", "12345/s,burst=100", "7/h"] {
            let limit = try RateLimit(text)
            let bucket = TokenBucket(limit)
            let step = max(Double(limit.period) / Double(limit.count), 1)
            var now: Int64 = 1_700_000_000_000_000
            let start = now
            var taken: [Int64] = []
            for _ in 0..<5000 {
                if bucket.take(at: now) { taken.append(now) }
                // Two for each token, at no even pace, and at times out of order.
                now += Int64(Double.random(in: 0..<step, using: &generator))
                if Int.random(in: 0..<10, using: &generator) == 0, bucket.take(at: now - 100) { taken.append(now) }
            }
            #expect(excess(taken, limit) <= 1e-3, "\(text)")
            // A bucket that holds one token loses what comes while it is full.
            guard limit.burst > 1 else { continue }
            let due = Double(now - start) / Double(limit.period) * Double(limit.count)
            #expect(Double(taken.count) >= due + Double(limit.burst) - 3, "\(text)")
        }
    }

    @Test func aBucketOutlivesAClockThatIsSetBack() throws {
        let bucket = TokenBucket(try RateLimit("10/s"))
        #expect(bucket.take(at: 10_000_000_000))
        #expect(!bucket.take(at: 5_000_000_000))
        #expect(bucket.take(at: 5_000_200_000))
    }

    @Test func webClientsThatAreTooFastGetRetryAfterAndAreInTheRecord() async throws {
        let limit = try SinkLimit(parsing: "20/s,burst=10;code=429;retry-after=1s;text=slow down")
        try await TestSink.with {
            $0.limit = limit
        } body: { sink in
            let run = try await Program.python(
                """
                import collections, http.client, sys, threading
                seen = collections.Counter()
                def run(name):
                    c = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]))
                    for n in range(60):
                        c.request('POST', '/sms', '{"to":"%d.%d"}' % (name, n)); r = c.getresponse(); r.read()
                        seen[r.status, r.headers['Retry-After']] += 1
                threads = [threading.Thread(target=run, args=(i,)) for i in range(3)]
                for t in threads: t.start()
                for t in threads: t.join()
                for (code, wait), count in sorted(seen.items()): print(code, wait, count)
                """, [sink.http])
            #expect(run.status == 0, "\(run.errors)")
            let records = try sink.records()
            let taken = records.filter(\.accepted)
            // The sink's threads may be kept from their turns for a second.
            #expect(excess(taken.map(\.decided), limit.rate) <= 20)
            let refused = records.filter { !$0.accepted }
            #expect(refused.count > 0 && refused.allSatisfy { $0.code == 429 && $0.stage == .response })
            #expect(run.output == "200 None \(taken.count)\n429 1 \(refused.count)\n")
            #expect(sink.running.counts.refused == [429: refused.count])
        }
    }

    @Test func mailThatIsTooFastIsRefusedAtItsRecipient() async throws {
        try await TestSink.with {
            $0.limit = try SinkLimit(parsing: "1/h,burst=2;code=454;status=4.7.0;text=throttling failure")
        } body: { sink in
            let run = try await Program.python(FaultTests.client, [sink.smtp, "a@x.y", "b@x.y", "c@x.y"])
            #expect(run.status == 0, "\(run.errors)")
            let codes = ["a@x.y 250", "b@x.y 250"] + Array(repeating: "c@x.y 454", count: 4)
            #expect(run.output == Self.lines(codes))
            let refused = try sink.records().filter { !$0.accepted }
            #expect(refused.allSatisfy { $0.code == 454 && $0.stage == .rcpt && !$0.recipient.isEmpty })
            #expect(try sink.records().count(where: \.accepted) == 2)
        }
    }

    private static func lines(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }

    @Test func whatWasTooFastIsNoAttempt() throws {
        let shared = try shared { $0.limit = try SinkLimit(parsing: "1/s;code=450") }
        let driver = try SessionDriver<SMTPSession>(shared)
        try driver.feed("EHLO x\r\nMAIL FROM:<a@x.y>\r\nRCPT TO:<b@x.y>\r\nRCPT TO:<defer@x.y>\r\n".utf8)
        driver.now += 1_000_000
        try driver.feed("RCPT TO:<defer@x.y>\r\n".utf8)
        driver.now += 1_000_000
        try driver.feed("RCPT TO:<defer@x.y>\r\n".utf8)
        let replies = driver.text.split(separator: "\r\n").suffix(4).map { $0.prefix(9) }
        #expect(replies == ["250 2.1.5", "450 4.2.0", "450 4.2.0", "250 2.1.5"])
        #expect(shared.counter.snapshot.refused == [450: 2])
    }

    @Test func aMailConnectionEndsAfterItsMessages() async throws {
        try await TestSink.with {
            $0.messagesPerConnection = 3
        } body: { sink in
            let run = try await Program.python(
                """
                import smtplib, sys
                s = None; n = 0
                while n < 7:
                    if s is None: s = smtplib.SMTP('127.0.0.1', int(sys.argv[1]), timeout=60)
                    try: s.sendmail('a@x.y', ['u%d@x.y' % n], 'Subject: x\\r\\n\\r\\nx\\r\\n'); print(250); n += 1
                    except smtplib.SMTPSenderRefused as e:
                        print(e.smtp_code, e.smtp_error.decode())
                        s.close(); s = None
                """, [sink.smtp])
            #expect(run.status == 0, "\(run.errors)")
            let end = "421 4.7.0 too many messages over this connection, closing it"
            #expect(run.output == Self.lines(["250", "250", "250", end, "250", "250", "250", end, "250"]))
            let records = try sink.records()
            #expect(records.filter { $0.code == 421 }.map(\.stage) == [.mail, .mail])
            #expect(records.filter(\.accepted).map(\.connection) == [1, 1, 1, 2, 2, 2, 3])
        }
    }

    @Test func aWebConnectionEndsAfterItsMessages() async throws {
        try await TestSink.with {
            $0.messagesPerConnection = 4
        } body: { sink in
            let url = "http://127.0.0.1:\(sink.http)/"
            let run = try await Program.run(
                "curl",
                ["-s", "-d", "{}", "-w", "%{http_code} %{num_connects}\n"]
                    + (0..<10).flatMap { _ in ["-o", "/dev/null", url] },
                package: "curl")
            #expect(run.status == 0, "\(run.errors)")
            let connects = [1, 0, 0, 0, 1, 0, 0, 0, 1, 0]
            #expect(run.output == Self.lines(connects.map { "200 \($0)" }))
            #expect(sink.running.counts.opened == 3 && sink.running.counts.accepted == 10)
        }
    }

    @Test func eachResponseWaitsAtLeastItsOwnTime() async throws {
        let latency = try SinkLatency(parsing: "p50:10ms,p99:60ms")
        try await TestSink.with {
            $0.latency = latency
            $0.seed = 9
        } body: { sink in
            let run = try await Program.python(
                """
                import http.client, sys, time
                c = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]))
                for n in range(100):
                    begun = time.monotonic()
                    c.request('POST', '/', '{"to":"u%d"}' % n); c.getresponse().read()
                    print(int((time.monotonic() - begun) * 1e9))
                """, [sink.http])
            #expect(run.status == 0, "\(run.errors)")
            let faultSelector = FaultSelector(profile: FailureProfile(), latency: latency, seed: 9)
            let times = run.output.split(separator: "\n").compactMap { Int64($0) }
            #expect(times.count == 100)
            for (number, time) in times.enumerated() {
                let due = Array("u\(number)".utf8).withUnsafeBytes { faultSelector.latency(faultSelector.begin($0, nil)) }
                #expect(time >= due, "u\(number)")
            }
        }
    }
}
