import NIOCore
import Testing

@testable import Model
@testable import Transport

@Suite struct MailDialogueTests {
    private final class Run {
        var dialogue: MailDialogue
        var input = ByteBuffer()
        var mails: [IncomingMail] = []
        var replies = ""
        var isClosed = false
        var now: Int64 = 0

        init(_ bounds: MailServer.Bounds = .init()) { dialogue = MailDialogue(hostname: "mx.example.com", bounds: bounds, at: 0) }

        func send(_ text: String, verdict: MailVerdict = .taken) {
            input.writeString(text)
            while !isClosed {
                var out = ByteBuffer()
                let step = dialogue.take(&input, into: &out, at: now)
                if step == .message {
                    if dialogue.refusal == nil { mails.append(dialogue.message()) }
                    dialogue.finish(dialogue.refusal ?? verdict, into: &out, at: now)
                }
                replies += String(buffer: out)
                isClosed = step == .close
                if step != .message { return }
            }
        }

        var codes: [String] { replies.split(separator: "\r\n").filter { $0.dropFirst(3).first == " " }.map { String($0.prefix(3)) } }
    }

    private static let session =
        "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<bounces+x@example.com>\r\nDATA\r\nSubject: a\r\n\r\n..dot\r\n.\r\nQUIT\r\n"

    @Test func aSessionInOnePieceAndByteByByteIsTheSame() {
        let whole = Run()
        whole.send(Self.session)
        let pieces = Run()
        for character in Self.session.unicodeScalars { pieces.send(String(character)) }
        #expect(whole.codes == ["250", "250", "250", "354", "250", "221"] && whole.isClosed)
        #expect(whole.replies == pieces.replies && whole.mails == pieces.mails)
        #expect(whole.mails.map { String(decoding: $0.head, as: UTF8.self) } == ["Subject: a\r\n\r\n.dot\r\n"])
        #expect(whole.mails.first?.recipients == ["bounces+x@example.com"])
    }

    /// What lone line ends hide in a text is text (CVE-2023-51764 and its kin).
    @Test(arguments: ["\n.\n", "\r.\r", "\r\n.\n", "\n.\r\n", "\r\n.\r", "\r\n..\r\n", "\r\r\n.\r"])
    func onlyDotBetweenWholeLineEndsEndsAText(_ end: String) {
        let run = Run()
        run.send("EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.c>\r\nDATA\r\none\(end)MAIL FROM:<x@y.z>\r\nRCPT TO:<d@e.f>\r\nDATA\r\n")
        #expect(run.codes == ["250", "250", "250", "354"] && run.mails.isEmpty)
        run.send("two\r\n.\r\n")
        #expect(run.mails.count == 1 && run.codes.count == 5)
    }

    @Test func lmtpAnswersEachRecipient() {
        let run = Run()
        run.send("LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.c>\r\nRCPT TO:<d@e.f>\r\nDATA\r\nx\r\n.\r\n", verdict: .later)
        #expect(run.codes == ["250", "250", "250", "250", "354", "451", "451"])
    }

    @Test func theBeginningOfALargeTextIsKeptAndOneThatIsTooLargeIsRefused() {
        var bounds = MailServer.Bounds()
        (bounds.keptBytes, bounds.mostBytes) = (100, 5000)
        let run = Run(bounds)
        run.send("EHLO a\r\nMAIL FROM:<> SIZE=5001\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.c>\r\nDATA\r\n")
        run.send(String(repeating: "0123456789\r\n", count: 200) + ".\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.c>\r\nDATA\r\n")
        run.send(String(repeating: "0123456789\r\n", count: 500) + ".\r\n")
        #expect(run.codes == ["250", "552", "250", "250", "354", "250", "250", "250", "354", "552"])
        #expect(run.mails.map(\.head.count) == [100] && run.mails.map(\.isWhole) == [false] && run.mails.map(\.size) == [2403])
    }

    @Test func whatIsNoSessionEndsOrIsAnswered() {
        let run = Run()
        run.send(
            "DATA\r\nMAIL FROM:<a@b.c>\r\nEHLO a\r\nMAIL FROM:a\r\nRCPT TO:<a@b.c>\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<>\r\nDATA\r\nBDAT 3\r\n"
        )
        #expect(run.codes == ["503", "503", "250", "501", "503", "250", "501", "503", "502"])
        let long = Run()
        long.send(String(repeating: "a", count: 3000))
        #expect(long.codes == ["500"] && long.isClosed)
        let wrong = Run()
        for _ in 0..<30 { wrong.send("X\r\n") }
        #expect(wrong.codes.last == "421" && wrong.isClosed)
        let many = Run()
        many.send("EHLO a\r\nMAIL FROM:<>\r\n" + String(repeating: "RCPT TO:<a@b.c>\r\n", count: 101))
        #expect(many.codes.last == "452" && many.codes.count == 103)
    }

    /// Bytes one by one do not keep a connection.
    @Test func aCommandAndATextHaveToComeInTime() {
        let run = Run()
        run.now = 100_000
        run.send("EH")
        #expect(run.dialogue.deadline == 300_000)
        run.send("LO a\r\n")
        #expect(run.dialogue.deadline == 400_000)
        run.send("MAIL FROM:<>\r\nRCPT TO:<a@b.c>\r\nDATA\r\n")
        #expect(run.dialogue.deadline == 280_000)
        run.now = 200_000
        run.send("0123456789")
        #expect(run.dialogue.deadline == 280_010)
    }

    @Test func randomBytesNeverTrap() {
        var generator = SeededGenerator(seed: 3)
        let words = [
            "EHLO a\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<a@b>\r\n", "DATA\r\n", ".\r\n", "\r", "\n", ".", "<", ">", "@:", "\0", "ü",
        ]
        for _ in 0..<300 {
            let run = Run()
            for _ in 0..<60 { run.send(words.randomElement(using: &generator) ?? "") }
            #expect(run.dialogue.keptBytes <= run.dialogue.bounds.keptBytes)
        }
    }
}
