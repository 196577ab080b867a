import Foundation
import Model
import TestServers
import Testing

@testable import Sink

/// However the network cuts what a client sends, the responses and the record are the same.
@Suite struct SplitTests {
    static let mail = """
        EHLO client.example.com\r
        MAIL FROM:<a@example.com> SIZE=100 BODY=8BITMIME\r
        RCPT TO:<one@example.com>\r
        RCPT TO:<bounce@example.com>\r
        RCPT TO:<two@example.com>\r
        DATA\r
        Subject: one\r
        Message-ID:\r
         <0123456789abc.0.1@example.com>\r
        \r
        .. a dot\r
        \r.\r
        text\r
        .\r
        MAIL FROM:<>\r
        RCPT TO:<three@example.com>\r
        DATA\r
        .\r
        RSET\r
        mail from:<"a b>c"@example.com>\r
        rcpt to:<@relay.example.com:four@example.com>\r
        DATA\r
        message-id: <0123456789abc.0.2@example.com>\r
        .\r
        MAIL FROM:<a@example.com>\r
        RCPT TO:<five@example.com>\r
        DATA\r
        \r
        .\r\r
        .\n\
        .\r
        .\r
        NONSENSE\r
        QUIT\r

        """

    static let web = """
        POST /sms HTTP/1.1\r
        Host: x\r
        Content-Length: 32\r
        Idempotency-Key: "0123456789abc.0.1"\r
        \r
        {"n":{"to":"no"},"to":"one","b":POST / HTTP/1.1\r
        host:x\r
        transfer-encoding: chunked\r
        \r
        a;x=y\r
        {"address"\r
        C\r
        :"t\\u00e4o"}\r
        0\r
        Trailer: x\r
        \r
        \r
        PUT / HTTP/1.1\r
        Host: x\r
        Idempotency-Key: three\r
        Content-Length: 0\r
        Connection: close\r
        \r

        """

    /// The responses, and the lines of the record.
    private func outcome<Session: SinkSession>(
        _ type: Session.Type, _ pieces: [ArraySlice<UInt8>]
    ) throws -> [String] {
        let folder = try TemporaryFolder()
        let shared = try shared(record: "\(folder.path)/record")
        let driver = try SessionDriver<Session>(shared)
        for piece in pieces { try driver.feed(piece) }
        shared.records?.close()
        return [driver.text, try #require(folder.text("record")), "\(driver.steps)"]
    }

    private func check<Session: SinkSession>(_ type: Session.Type, _ text: String) throws -> [String] {
        let bytes = Array(text.utf8)
        let whole = try outcome(type, [bytes[...]])
        for split in 1..<bytes.count {
            #expect(try outcome(type, [bytes[..<split], bytes[split...]]) == whole, "split at byte \(split)")
        }
        #expect(try outcome(type, bytes.indices.map { bytes[$0...$0] }) == whole, "byte by byte")
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<100 {
            var rest = bytes[...]
            var pieces: [ArraySlice<UInt8>] = []
            while !rest.isEmpty {
                pieces.append(rest.prefix(Int.random(in: 1...40, using: &generator)))
                rest = rest.dropFirst(pieces.last?.count ?? 1)
            }
            #expect(try outcome(type, pieces) == whole)
        }
        return whole
    }

    @Test func mailIsTheSameHoweverItIsCut() throws {
        let whole = try check(SMTPSession.self, Self.mail)
        let records = SinkRecord.read(whole[1])
        #expect(
            records.map { "\($0.recipient) \($0.messageID) \($0.code)" } == [
                "bounce@example.com  550", "one@example.com 0123456789abc.0.1@example.com 250",
                "two@example.com 0123456789abc.0.1@example.com 250", "three@example.com  250",
                "four@example.com 0123456789abc.0.2@example.com 250", "five@example.com  250",
            ])
        #expect(records.map(\.mailing) == ["", "0123456789abc", "0123456789abc", "", "0123456789abc", ""])
        let codes = whole[0].split(separator: "\r\n").filter { !$0.hasPrefix("250-") }.map { $0.prefix(3) }
        #expect(
            codes == [
                "220", "250", "250", "250", "550", "250", "354", "250", "250", "250", "354", "250", "250", "250", "250",
                "354", "250", "250", "250", "354", "250", "500", "221",
            ])
    }

    @Test func webMessagesAreTheSameHoweverTheyAreCut() throws {
        let whole = try check(HTTPSession.self, Self.web)
        let records = SinkRecord.read(whole[1])
        #expect(records.map(\.recipient) == ["one", "täo", "three"])
        #expect(records.map(\.channel) == [.sms, .webhook, .webhook])
        #expect(records.map(\.mailing) == ["0123456789abc", "", ""])
        #expect(records.map(\.bytes) == [32, 22, 0])
        #expect(whole[0].components(separatedBy: "HTTP/1.1 200 OK\r\n").count == 4)
        #expect(whole[2] == "[Sink.SinkStep.close]")
    }

    /// Bodies made of the end's own bytes: the end is found where RFC 5321 says, and nowhere else.
    @Test func theEndOfAMessageIsFoundAmongItsOwnBytes() throws {
        var generator = SeededGenerator(seed: 11)
        let letters = Array("\r\n.\r\n.a".utf8)
        for _ in 0..<2000 {
            var body = Array("\r\n".utf8)
            for _ in 0..<Int.random(in: 0...40, using: &generator) {
                body.append(letters.randomElement(using: &generator) ?? 0)
            }
            body.append(contentsOf: "\r\n.\r\n".utf8)
            let head = Array("EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n".utf8)
            // The model: the first ".CRLF" at the beginning of a line that CRLF ended.
            let wanted = (0...body.count - 3).first { place in
                body[place...].starts(with: ".\r\n".utf8)
                    && (place == 0 || place >= 2 && body[place - 2..<place].elementsEqual("\r\n".utf8))
            }
            let size = try #require(wanted)
            let folder = try TemporaryFolder()
            let shared = try shared(record: "\(folder.path)/record")
            let driver = try SessionDriver<SMTPSession>(shared)
            try driver.feed(head)
            var rest = body[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...9, using: &generator))
                try driver.feed(piece)
                rest = rest.dropFirst(piece.count)
            }
            shared.records?.close()
            let record = SinkRecord.read(try #require(folder.text("record"))).first
            #expect(record?.bytes == size, "\(body)")
        }
    }
}
