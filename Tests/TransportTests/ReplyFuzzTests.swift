import Model
import Policy
import TestServers
import Testing

@testable import Transport

/// No reply of a provider ends the process: a trap would end this run.
@Suite struct ReplyFuzzTests {
    private static let replies = Array(
        "220 mx.example.com ESMTP\r\n250-mx.example.com\r\n250-SIZE 35882577\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n".utf8)

    @Test(arguments: 0..<10 as Range<UInt64>)
    func noReplyOfSMTPEndsTheProcess(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<1_000 {
            let bytes = Bool.random(using: &random) ? Mutation.spoil(Self.replies, using: &random) : Mutation.noise(using: &random)
            var parser = SMTPReplyParser()
            var start = 0
            while start < bytes.count {
                // As they may come: in pieces.
                let end = min(bytes.count, start + Int.random(in: 1...60, using: &random))
                let piece = Array(bytes[start..<end])
                var offset = 0
                do throws(SMTPReplyParser.Problem) {
                    while let reply = try parser.next(in: piece.span, from: &offset) {
                        let text = reply.text.map { Array(piece[$0]) } ?? parser.takeText()
                        #expect((100...599).contains(reply.code))
                        _ = SMTPCapabilities(reply: text.span)
                        _ = SMTPReplyText.string(text.span)
                    }
                } catch { parser.reset() }
                start = end
            }
        }
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func noResponseOfHTTPEndsTheProcess(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let body = Array(#"{"id":"a-1","n":12345678901234567890,"error":{"message":"no \ud83d","code":[1,2,{"x":null}]}}"#.utf8)
        let waits = ["120", "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        let paths = ["id", "error.message", "n"].map { JSONPath($0) }
        for _ in 0..<1_000 {
            let bytes = Mutation.spoil(body, using: &random)
            for path in paths { _ = path.text(in: bytes) }
            _ = HTTPErrorText.reason(in: bytes)
            let wait = Mutation.spoil(Array((waits.randomElement(using: &random) ?? "").utf8), using: &random)
            if let seconds = RetryAfter.seconds(wait, now: 1_700_000_000) { #expect((0...RetryAfter.longest).contains(seconds)) }
        }
        for number in Mutation.numbers { _ = RetryAfter.seconds(Array(number.utf8), now: 1_700_000_000) }
    }
}
