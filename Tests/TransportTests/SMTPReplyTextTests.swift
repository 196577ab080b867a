import Model
import Testing

@testable import Transport

@Suite struct SMTPReplyTextTests {
    @Test(arguments: [
        ("2.0.0 Ok: queued as 4XYz12QqRr", "4XYz12QqRr"),
        ("Ok: queued as 9C4B21234.", "9C4B21234"),
        ("OK id=1rABcd-0000xy-Ab", "1rABcd-0000xy-Ab"),
        ("2.0.0 OK id=1q-2 (queued)", "1q-2"),
        ("2.0.0 15A0b1cd012345 Message accepted for delivery", "15A0b1cd012345"),
        (
            "2.6.0 <abc@example.com> [InternalId=12345, Hostname=x.example.com] 8192 bytes Queued mail for delivery",
            "abc@example.com"
        ),
        ("2.0.0 OK  1700000000 d9443c01a7336-1cc0a1b2c3dsi123.45 - gsmtp", "d9443c01a7336-1cc0a1b2c3dsi123.45"),
        ("Ok 0102018bd0f1e2d3-4a5b6c7d-000000", "0102018bd0f1e2d3-4a5b6c7d-000000"),
        ("2.0.0 Ok", ""),
        ("2.0.0 OK", ""),
        ("Message accepted", ""),
        ("2.0.0 Message accepted for delivery", ""),
        ("queued as ", ""),
        ("Great success", ""),
        ("", ""),
    ])
    func theServersNameForAMessageIsFound(_ text: String, _ id: String) {
        #expect(SMTPReplyText.messageID(Array(text.utf8).span) == id)
    }

    @Test(arguments: [
        ("5.1.1 a\n5.1.1 b\nc", "5.1.1 a b c"), ("tab\tbell\u{7}", "tab bell "), ("fin\u{85}e\u{2028}", "fin e "),
        ("plain", "plain"),
    ])
    func textsBecomeOneLine(_ text: String, _ line: String) {
        #expect(SMTPReplyText.oneLine(Array(text.utf8).span) == line)
    }

    @Test func invalidUTF8IsRepairedAndLongTextCut() {
        #expect(SMTPReplyText.oneLine([0x61, 0xff, 0x62].span) == "a\u{fffd}b")
        #expect(SMTPReplyText.oneLine(Array(repeating: 0x61, count: 9_000).span).utf8.count == 500)
        #expect(SMTPReplyText.oneLine(Array(repeating: 0xff, count: 9_000).span).utf8.count <= 500)
    }

    @Test func randomBytesNeverHarm() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<3_000 {
            let bytes = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
                UInt8.random(in: Bool.random(using: &generator) ? 0...255 : 32...60, using: &generator)
            }
            #expect(SMTPReplyText.oneLine(bytes.span).utf8.count <= 500)
            #expect(SMTPReplyText.messageID(bytes.span).utf8.count <= 200)
        }
    }
}
