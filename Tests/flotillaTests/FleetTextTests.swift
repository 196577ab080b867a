import Foundation
import Telemetry
import Testing

@testable import flotilla

/// What `flotilla top` prints, of fleets that are made up.
@Suite struct FleetTextTests {
    /// Everything as long as it can be.
    private static let large: FleetSnapshot = {
        var view = FleetSnapshot(at: 1_800_000_000_000)
        for (number, name) in [
            "The quarterly newsletter to everybody who ever bought anything", "春のセール、すべてのお客様へのお知らせです。どうぞお楽しみに", "a\u{1B}[31mb\nc",
        ].enumerated() {
            view.mailings.append(
                .init(
                    id: "a40me1hk\(number)wxyz", name: name, channel: "messenger", provider: "p", state: "collecting", recipients: .max,
                    sent: 999_999_999, failed: 123_456_789, open: 1_234_567_890, perSecond: 123_456, secondsLeft: 86_399,
                    blockingKind: "limit",
                    blockingReason: "limited by provider:smtps://\(String(repeating: "relay.", count: 30))example.com:465",
                    isStuck: false))
        }
        for isAlive in [true, false] {
            view.processes.append(
                .init(
                    name: "ip-10-0-12-34.eu-central-1.compute.internal.example.com-1234567-3k4j5h6g7", role: "collector", host: "h",
                    version: "1.20.300-beta.4+build.20261122", isAlive: isAlive, seenSeconds: 599, isLeader: true, inFlight: 250_000,
                    batches: 250_000, perSecond: 1_234_567, cpu: 127.9, memoryBytes: 512_000_000_000, uptimeSeconds: 86_400 * 364.9))
        }
        view.lanes = [.init(channel: "messenger", provider: "bot", ready: 12_345_678, inFlight: 1_000_000, oldestSeconds: 1e6)]
        view.resultStreams = [
            .init(partition: 0, waiting: 0, pending: 0, oldestSeconds: 0),
            .init(partition: 31, waiting: 1_000_000_000, pending: 1, oldestSeconds: 1e9),
        ]
        view.eventStreams = [.init(stream: 1, waiting: 200_000, pending: 20, oldestSeconds: 90)]
        view.uncountedEvents = 250_000
        view.receiptStreams = [.init(waiting: 3_000, pending: 2, oldestSeconds: 90)]
        view.unknownReceipts = 10_000
        view.problems = ["Redis cannot be read: " + String(repeating: "word ", count: 60)]
        return view
    }()

    @Test(arguments: [80, 81, 100, 132, 200]) func noLineIsWiderThanTheTerminalAndNoFigureIsCut(width: Int) {
        let lines = FleetText(snapshot: Self.large, width: width).lines
        for line in lines { #expect(line.columns <= width && !line.contains("\u{1B}"), "\(line)") }
        let text = lines.joined(separator: "\n")
        let figures =
            width < 132
            ? ["999M", "123M", "1.23G", "123k", "23h", "LOST 9m", "12790%", "512GB", "364d", "12,345,678"]
            : ["999,999,999", "1,234,567,890", "123,456"]
        for figure in figures {
            #expect(lines.contains { $0.split(separator: " ").joined(separator: " ").contains(figure) }, "\(figure) in\n\(text)")
        }
        #expect(lines.count { $0.contains("-1234567 ") } == 2, "the process number stays:\n\(text)")
        // The blocking reason is complete, on as many lines as it needs.
        let joined = lines.map { $0.trimmingCharacters(in: .whitespaces) }.joined()
        #expect(joined.contains(String(repeating: "relay.", count: 30) + "example.com:465"))
        #expect(joined.count(of: "word") == 60)
        #expect(!text.contains("partition 0") && text.contains("partition 31"))
        #expect(text.contains("visits, stream 1") && text.contains("visits in the ledger, not counted"))
        #expect(text.contains("receipts of providers") && text.contains("receipts that name no message"))
    }

    @Test func whereThereIsRoomFiguresAreWhole() {
        var view = FleetSnapshot(at: 0)
        view.mailings = [
            .init(
                id: "a40me1hk0wxyz", name: "Spring sale", channel: "email", provider: "main", state: "sending", recipients: 20_000,
                sent: 3_887,
                failed: 41, open: 15_578, perSecond: 274.4, secondsLeft: 56.8, blockingKind: "", blockingReason: "", isStuck: false)
        ]
        view.processes = [
            .init(
                name: "mx1-71-3k4j", role: "worker", host: "mx1", version: "0.1.0", isAlive: true, seenSeconds: 0.4, isLeader: false,
                inFlight: 150,
                batches: 14, cpu: nil, memoryBytes: 46_300_000, uptimeSeconds: 200)
        ]
        #expect(
            FleetText(snapshot: view, width: 80).lines == [
                "flotilla top  1970-01-01T00:00:00Z  1 mailing, 1 process", "",
                "MAILING   STATE    DONE   SENT  FAILED    OPEN  PER S  LEFT  NAME",
                "a40me1hk  sending  22 %  3,887      41  15,578    274  57 s  Spring sale", "",
                "PROCESS  ROLE    SEEN  MSGS  BATCH  PER S  CPU    RSS          UP  VERSION",
                "mx1-71   worker   0 s   150     14      -    -  46 MB  3 min 20 s  0.1.0",
            ])
    }

    @Test func theCommonestResponseStandsBelowTheReason() {
        var view = FleetSnapshot(at: 0)
        view.mailings = [
            .init(
                id: "a40me1hk0wxyz", name: "Spring sale", channel: "email", provider: "main", state: "sending", recipients: 3, sent: 0,
                failed: 0,
                open: 3, perSecond: 0, secondsLeft: nil, blockingKind: "not_due", blockingReason: "all wait", isStuck: false,
                commonestResponse: "451 4.7.1 try\u{1B} later")
        ]
        let lines = FleetText(snapshot: view, width: 80).lines
        #expect(Array(lines.suffix(from: 4).prefix(2)) == ["  ^ all wait", "    most who wait got: 451 4.7.1 try\\u{1b} later"])
    }

    @Test func figuresAreShortenedDownwards() {
        let texts = [0, 99_999, 100_000, 999_999, 1_000_000, 1_009_999, 12_345_678, 999_999_999, -1_234_567, Int.max].map(brief)
        #expect(texts == ["0", "99999", "100k", "999k", "1.00M", "1.00M", "12.3M", "999M", "-1.23M", "9.22E"])
        #expect(whole(1e300) == 1_000_000_000_000_000 && whole(.nan) == 0 && whole(-0.6) == -1)
    }

    @Test func namesAreCutWithAnEllipsis() {
        #expect("abcdefgh".cut(to: 8, at: .end) == "abcdefgh" && "abcdefgh".cut(to: 5, at: .end) == "abcd…")
        #expect("abcdefgh".cut(to: 5, at: .middle) == "ab…gh" && "abcdefgh".cut(to: 0, at: .end) == "")
        #expect("春のセール".columns == 10 && "春のセール".cut(to: 6, at: .end) == "春の…" && "❤️".columns == 2)
    }

    @Test func theDocumentedFieldsAreThoseOfTheJSON() throws {
        var view = Self.large
        view.mailings.removeLast(2)
        view.mailings[0].warnings = ["complaints: 0.6 % of the last hour's messages"]
        let json = try JSONSerialization.jsonObject(with: Data(try ScriptJSON.text(view).utf8))
        let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "docs/operations.md")
        let section = try #require(
            try String(contentsOf: page, encoding: .utf8).components(separatedBy: "### The fields of `top --output json`\n").dropFirst()
                .first?
                .components(separatedBy: "\n#").first)
        let rows = section.split(separator: "\n").filter { $0.hasPrefix("| `") }.flatMap { row in
            row.split(separator: "|")[0].split(separator: "`").enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
        }
        #expect(rows.count == Set(rows).count)
        #expect(Set(rows) == Self.keys(json))
    }

    @Test func theOutputHasTheDeprecatedKeysToo() throws {
        let json = try JSONSerialization.jsonObject(with: Data(try Self.large.json().utf8))
        let added = try Self.keys(json).subtracting(Self.keys(JSONSerialization.jsonObject(with: Data(ScriptJSON.text(Self.large).utf8))))
        #expect(
            added == [
                "mailings[].planned", "mailings[].holdup", "mailings[].holdup_kind", "processes[].has_duty", "batch_streams[].channel",
                "batch_streams[].ready",
                "batch_streams[].in_work", "batch_streams[].oldest_seconds",
            ])
        let mailing = ((json as? [String: Any])?["mailings"] as? [[String: Any]])?.first
        #expect(mailing?["blocking_kind"] as? String == "limit" && mailing?["holdup_kind"] as? String == "limited")
        #expect(mailing?["holdup"] as? String == mailing?["blocking_reason"] as? String)
    }

    /// Every key of an object by its path, as `mailings[].name`.
    private static func keys(_ value: Any, _ path: String = "") -> Set<String> {
        if let object = value as? [String: Any] {
            return object.reduce(into: []) { $0.formUnion(keys($1.value, path.isEmpty ? $1.key : "\(path).\($1.key)")) }
        }
        guard let list = value as? [Any], !path.isEmpty, list.first is [String: Any] else { return [value is [Any] ? path + "[]" : path] }
        return list.reduce(into: []) { $0.formUnion(keys($1, path + "[]")) }
    }
}

extension String {
    fileprivate func count(of word: String) -> Int { components(separatedBy: word).count - 1 }
}
