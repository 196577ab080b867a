import Foundation
import Testing
import Text

@testable import Model

extension SeededGenerator {
    /// A text with everything in it that wire formats stumble over.
    mutating func text() -> String {
        let pieces = ["a", "\"", "\\", "\n", "\r", "\t", "\u{0}", "\u{1f}", "/", "é", "日", "🎈", "\u{2028}", "[", ",", "Zoë", " "]
        return (0..<Int.random(in: 0...12, using: &self)).map { _ in pieces.randomElement(using: &self) ?? "" }.joined()
    }
}

@Suite struct WireTests {
    @Test(arguments: 0..<200 as Range<UInt64>)
    func recipientsComeBackAsTheyWere(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let width = Int.random(in: 1...6, using: &random)
        let rows = (0..<Int.random(in: 0...20, using: &random)).map { _ in (0..<width).map { _ in random.text() } }
        var recipients = Recipients(width: width)
        for row in rows { recipients.append(row: row) }
        let wire = recipients.encoded()
        let read = try Recipients(decoding: wire, width: width)
        #expect(read.count == rows.count)
        for (index, row) in rows.enumerated() { #expect((0..<width).map { read[index, $0] } == row) }
        if width > 1 {
            let addresses = try Recipients(decodingAddresses: wire)
            for (index, row) in rows.enumerated() { #expect([addresses[index, 0], addresses[index, 1]] == Array(row.prefix(2))) }
        }
        // Any other reader of JSON sees the same.
        let foreign = try JSONDecoder().decode([[String]].self, from: Data(wire))
        #expect(foreign == rows)
    }

    /// Values of which none is escaped are written by another way.
    @Test(arguments: 0..<6, 1...3)
    func plainRecipientsHaveTheSameWireForm(rows: Int, width: Int) throws {
        var recipients = Recipients(width: width)
        var expected: [[String]] = []
        for row in 0..<rows {
            let values = (0..<width).map { String(repeating: $0 == 1 ? "é" : "x", count: (row + $0) % 4 * 5) }
            expected.append(values)
            recipients.append(row: values)
        }
        let wire = recipients.encoded()
        let text = expected.map { "[" + $0.map { "\"\($0)\"" }.joined(separator: ",") + "]" }.joined(separator: ",")
        #expect(String(decoding: wire, as: UTF8.self) == "[\(text)]")
        #expect(try JSONDecoder().decode([[String]].self, from: Data(wire)) == expected)
    }

    @Test func columnsOfARowAreAppendedInTheirOrder() {
        var recipients = Recipients(width: 3)
        Array("one,two,,four".utf8).withUnsafeBufferPointer { bytes in
            recipients.append(bytes, [0..<3, 4..<7, 8..<8, 9..<13], of: [3, 2, 0])
        }
        #expect((0..<3).map { recipients[0, $0] } == ["four", "", "one"])
    }

    @Test func jsonOfOthersIsRead() throws {
        let wire = Array(#" [ [ "\u00e9\ud83c\udf88\/\b\f" , "x" ] ] "#.utf8)
        let read = try Recipients(decoding: wire, width: 2)
        #expect(read[0, 0] == "é🎈/\u{8}\u{c}" && read[0, 1] == "x")
    }

    @Test(arguments: [
        "", "[", "[[", #"[["a"]"#, #"[["a","b"],["c"]]"#, #"[["a","b]]"#, #"[["a","\x"]]"#, #"[["a","\ud800"]]"#,
        #"[["a","b"]] x"#, #"[[1,2]]"#, #"{"a":1}"#, #"[["a","\u00g0"]]"#,
    ])
    func brokenRecipientsAreRefused(wire: String) {
        #expect(throws: WireError.self) { try Recipients(decoding: Array(wire.utf8), width: 2) }
        #expect(throws: WireError.self) { try Recipients(decodingAddresses: Array(wire.utf8)) }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func resultsComeBackAsTheyWere(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let base: Int64 = 1_700_000_000_000
        let results = (0..<Int.random(in: 0...30, using: &random)).map { index in
            let state = RecipientState.allCases.randomElement(using: &random) ?? .sent
            let isSent = state == .sent
            let response = ProviderResponse(
                isSent ? .accepted : ResponseReason.allCases.randomElement(using: &random) ?? .unknown, .retry, about: .unclear,
                stage: isSent ? .response : DeliveryStage.allCases.randomElement(using: &random) ?? .rcpt,
                code: Int.random(in: 0...599, using: &random), text: random.text(), messageID: random.text())
            var result = RecipientResult(
                index: index, state: state, attempts: Int.random(in: 0...100, using: &random),
                at: base + Int64.random(in: 0...1_000_000, using: &random),
                due: state == .deferred ? base + Int64.random(in: 1...9_000_000, using: &random) : 0,
                response: isSent || Bool.random(using: &random) ? response : nil)
            if state == .deferred { result.doubt = [nil, .beforeAcceptance, .ofUs, .sinceAcceptance].randomElement(using: &random) ?? nil }
            if state == .uncertain { result.response?.missed = [nil, .timedOut, .connectionEnded].randomElement(using: &random) ?? nil }
            return result
        }
        let read = try [RecipientResult](decoding: results.encoded(base: base), base: base)
        // What is to be done is not carried: it was done.
        let carried = results.map { result in
            var result = result
            if let place = read.firstIndex(where: { $0.index == result.index }) {
                result.response?.action = read[place].response?.action ?? .retry
            }
            return result
        }
        #expect(read == carried)
        _ = try JSONSerialization.jsonObject(with: Data(results.encoded(base: base)))
    }

    @Test func eventsAndOpenRecipientsComeBackAsTheyWere() throws {
        let events = EventKind.allCases.enumerated().map { index, kind in
            RecipientEvent(batch: index, index: 499, kind: kind, at: 1_700_000_000_000, detail: "https://example.com/\"\\")
        }
        #expect(try [RecipientEvent](decoding: events.encoded()) == events)
        let open = [OpenRecipient(index: 0, attempts: 0), OpenRecipient(index: 499, attempts: 4)]
        #expect(try [OpenRecipient](decoding: open.encoded()) == open)
    }

    @Test func numbersBeyondTheRangeAreRefused() {
        #expect(throws: WireError.self) { try [OpenRecipient](decoding: Array("[[99999999999999999999,1]]".utf8)) }
    }
}

@Suite struct MailingIDTests {
    @Test func idsSortByTimeAndComeBackFromText() throws {
        var random = SeededGenerator(seed: 1)
        let ids = (0..<1000).map { MailingID(milliseconds: 1_760_000_000_000 + $0, using: &random) }
        #expect(ids == ids.sorted())
        #expect(Set(ids).count == ids.count)
        for id in ids { #expect(MailingID(id.description) == id) }
    }

    @Test(arguments: ["", "short", "UPPERCASE0000", "with:colons:00", "0123456789abcd"])
    func otherTextIsNoID(text: String) {
        #expect(MailingID(text) == nil)
    }
}

@Suite struct SecretTests {
    @Test func noDumpShowsASecret() {
        let secret = Secret("hunter2")
        var dumped = ""
        dump(
            Provider(name: "p", scheme: .smtp, host: "h", port: 25).with {
                $0.password = secret
                $0.headers = ["X": secret]
            }, to: &dumped)
        #expect(!"\(secret) \(String(reflecting: secret)) \(dumped)".contains("hunter2"))
    }
}
