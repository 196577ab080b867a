import Foundation
import Model
import TestServers
import NIOCore
import Testing

@testable import Sink

@Suite struct RecordTests {
    private func line(recipient: [UInt8], id: [UInt8], code: Int = 250) -> [UInt8] {
        var out: [UInt8] = []
        recipient.withUnsafeBytes { recipient in
            id.withUnsafeBytes { id in
                RecordLine(
                    begun: 1_700_000_000_000_001, decided: 1_700_000_000_000_002, channel: .email, recipient: recipient,
                    messageID: id, code: code, accepted: code == 250, stage: .response, bytes: 10, queueID: 255,
                    connection: 7
                ).append(to: &out)
            }
        }
        return out
    }

    @Test func aLineHasItsTwelveColumns() {
        let text = String(
            decoding: line(recipient: Array("b@example.com".utf8), id: Array("0123456789abc.4.17@example.com".utf8)),
            as: UTF8.self)
        #expect(
            text == "1700000000000001\t1700000000000002\temail\tb@example.com\t0123456789abc\t"
                + "0123456789abc.4.17@example.com\t250\t1\tresponse\t10\t00000000000000ff\t7\n")
    }

    @Test func whateverAValueHoldsALineStaysOneLine() throws {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<3000 {
            let value = (0..<Int.random(in: 0...30, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            let bytes = line(recipient: value, id: value)
            #expect(bytes.count { $0 == 10 } == 1 && bytes.last == 10 && bytes.count { $0 == 9 } == 11)
            #expect(!bytes.contains(0x22) && !bytes.contains(0) && !bytes.contains(13))
            let text = try #require(String(validating: bytes, as: UTF8.self))
            let record = try #require(SinkRecord(line: text.dropLast()))
            #expect(record.recipient == String(decoding: value, as: UTF8.self))
        }
        let name = "jürgen\t\"\\x41\"@例え.example"
        let text = String(decoding: line(recipient: Array(name.utf8), id: []), as: UTF8.self)
        #expect(text.contains("jürgen\\x09\\x22\\x5cx41\\x22@例え.example"))
        #expect(SinkRecord(line: text.dropLast())?.recipient == name)
    }

    @Test func onlyOurIDsNameAMailing() {
        func mailing(_ text: String) -> String {
            Array(text.utf8).withUnsafeBytes { String(decoding: RecordLine.mailing(of: $0), as: UTF8.self) }
        }
        #expect(mailing("0123456789abc.4.17@example.com") == "0123456789abc")
        #expect(mailing("0123456789abc.4.17") == "0123456789abc")
        for text in ["", "a", "a.1", "a.b.1", "a.1.b", "a..1", ".", "..", "a.1.@x", "1.2@x"] {
            #expect(mailing(text) == "")
        }
    }

    @Test func aHalfLineOfAnEarlierRunSpoilsNoneOfOurs() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/record"
        try Data("170000\thalf".utf8).write(to: URL(fileURLWithPath: path))
        let file = try RecordFile(path: path, logger: TestSink.quiet)
        Array("b@example.com".utf8).withUnsafeBytes { recipient in
            file.append(
                RecordLine(
                    begun: 1, decided: 2, channel: .webhook, recipient: recipient, messageID: recipient.slice(0..<0),
                    code: 0, accepted: true, stage: .response, bytes: 0, queueID: 0, connection: 1))
        }
        file.close()
        let records = SinkRecord.read(try #require(folder.text("record")))
        #expect(records.map(\.recipient) == ["b@example.com"])
        #expect(records.first?.accepted == true && records.first?.queueID == "")
    }

    @Test func anImpossibleFileIsRefusedByName() {
        let error = #expect(throws: SinkError.self) {
            try RecordFile(path: "/nowhere/at/all", logger: TestSink.quiet)
        }
        #expect(error?.description.contains("/nowhere/at/all") == true)
    }

    @Test func recipientsAreFoundInJSON() {
        func recipient(_ text: String) -> String {
            var out: [UInt8] = []
            JSONMember.recipient(in: ByteBuffer(string: text), into: &out)
            return String(decoding: out, as: UTF8.self)
        }
        #expect(recipient(#"{"to":"a@b"}"#) == "a@b")
        #expect(
            recipient(#" { "x" : [1, {"to":"no"}, "\"to\""] , "y":-1.5e3, "z":null, "address" : "a\"b\\" } "#)
                == #"a"b\"#)
        #expect(recipient(#"{"recipient":["one","two"]}"#) == "one")
        #expect(recipient(#"{"to":"\ud83d\ude00\u00e4\n"}"#) == "😀ä\n")
        #expect(recipient(#"{"to":"\ud83d!"}"#) == "\u{FFFD}!")
        for text in [
            "", "{", "[]", "null", #"{"to""#, #"{"to":"#, #"{"to":"a"#, #"{"to":1}"#, #"{"a" 1}"#, "{\"a\":}",
            "{\"a\":{",
        ] {
            #expect(recipient(text) == "", "\(text)")
        }
        // However a text is cut, nothing is read beyond its end.
        let whole = #"{"a":[{"b":"\\\""},true],"c":"\ud83d\ude00","to":"x\u00e4"}"#
        for end in 0..<whole.utf8.count { _ = recipient(String(decoding: whole.utf8.prefix(end), as: UTF8.self)) }
    }
}
