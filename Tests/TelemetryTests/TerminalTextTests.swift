import Foundation
import Testing
import Text

@testable import Telemetry

@Suite struct TerminalTextTests {
    /// Wide since Unicode 16 (hexagrams, monograms, counting rods), which the system's libc may not know; and halves of flags.
    private static let newer: [ClosedRange<UInt32>] = [0x2630...0x2637, 0x268a...0x268f, 0x1d300...0x1d376, 0x1f1e6...0x1f1ff]

    /// libc judges, where it knows the character; it is of another Unicode than ours.
    @Test func widthsAreThoseOfTheSystem() throws {
        let locale = try #require(newlocale(LC_CTYPE_MASK, "C.UTF-8", nil))
        let before = uselocale(locale)
        defer {
            uselocale(before)
            freelocale(locale)
        }
        // Swift's module of libc hides it.
        let symbol = try #require(dlsym(nil, "wcwidth"))
        let wcwidth = unsafeBitCast(symbol, to: (@convention(c) (wchar_t) -> CInt).self)
        var different: [String] = []
        var compared = 0
        for value in UInt32(0x20)..<0x3_0000 {
            guard let scalar = Unicode.Scalar(value), scalar.properties.generalCategory != .unassigned else { continue }
            let theirs = Int(wcwidth(wchar_t(value)))
            guard theirs >= 0, !Self.newer.contains(where: { $0.contains(value) }) else { continue }
            compared += 1
            let ours = String(Character(scalar)).columns
            if ours != theirs { different.append("U+\(String(value, radix: 16)) \(ours) not \(theirs)") }
        }
        #expect(compared > 100_000)
        #expect(different.count < 20, "\(different.prefix(300))")
    }

    @Test(arguments: [
        ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("春のセール", 10), ("ｱ", 1), ("한국", 4), ("\u{1112}\u{1161}\u{11ab}", 2), ("नमस्ते", 4),
        ("क्षि", 3), ("ไทย", 3), ("ที่", 1), ("👍", 2), ("👍🏽", 2), ("👩‍💻", 2), ("👨‍👩‍👧‍👦", 2), ("🇩🇪", 2),
        ("❤️", 2), ("❤", 1), ("❤\u{200d}🔥", 2), ("🏳️‍🌈", 2), ("👁\u{200d}🗨", 2), ("⛹\u{200d}♀", 2),
        ("1️⃣", 2), ("שָׁלוֹם", 4),
        ("a\u{200b}b", 2), ("مَرْحَبًا", 5), ("𠮷", 2),
    ]) func aTextIsAsWide(_ text: String, _ columns: Int) {
        #expect(text.columns == columns, "\(text)")
        for most in 0...columns + 1 {
            #expect(text.fitting(most).columns <= most)
            #expect(text.cut(to: most, at: .end).columns <= most)
            #expect(text.cut(to: most, at: .middle).columns <= most)
        }
    }

    @Test(arguments: [
        "Spring sale", "春の特別セール：全商品二十パーセントオフのお知らせ",
        String(repeating: "long name ", count: 30), "नमस्ते दुनिया को सबसे बड़ी बिक्री", "a\u{1b}[2J\nb",
    ])
    func figuresStayBesideALongName(_ name: String) {
        let figures = ["sending 16 %", "sent 1,234,567 of 9,999,999", "failed 12,345", "deferred 3", "1,234/s", "3 h 2 min left"]
        let text = ProgressText(name: name, figures: figures)
        for columns in 0...200 {
            let line = text.fitting(columns)
            #expect(line.columns <= columns, "\(columns): \(line)")
            #expect(LogText.isPlain(line))
            if columns >= 30 { #expect(line.contains("16 %"), "\(columns): \(line)") }
            if columns >= 60 { #expect(line.contains("of 9,999,999")) }
            if columns >= 120 { #expect(line.hasSuffix("left"), "\(columns): \(line)") }
        }
        #expect(text.fitting(80).hasPrefix(LogText.line(name).fitting(13)))
    }

    @Test func controlsAreShownAndNotObeyed() throws {
        let bad = "a\u{1b}[2J\u{9b}\u{7f}\r\t\u{202e}\u{2066}\u{2028}\nb"
        #expect(LogText.line(bad) == #"a\u{1b}[2J\u{9b}\u{7f}\r\t\u{202e}\u{2066}\u{2028}\nb"#)
        #expect(LogText.lines(bad) == #"a\u{1b}[2J\u{9b}\u{7f}\r\t\u{202e}\u{2066}\u{2028}"# + "\nb")
        #expect(LogText.line("Zoë 春 👩‍💻 \u{200f}שלום") == "Zoë 春 👩‍💻 \u{200f}שלום")
        let json = try ScriptJSON.text(["k": bad])
        let shown = LogText.json(json)
        #expect(shown.unicodeScalars.allSatisfy { $0 == "\n" || !$0.isTerminalControl })
        #expect(try JSONDecoder().decode([String: String].self, from: Data(shown.utf8)) == ["k": bad])
        #expect(TextTable(header: [], rows: [["\u{1b}[31mx\n", "y"]]).text == #"\u{1b}[31mx\n  y"#)
    }

    @Test func logLinesOfEveryKindAreOneLineWithoutControls() throws {
        let pipe = Pipe()
        let terminal = Terminal(descriptor: pipe.fileHandleForWriting.fileDescriptor, environment: [:], isTerminal: true, columns: 40)
        terminal.log("a\u{1b}]0;title\u{7}\nb")
        terminal.progress(ProgressText(name: "\u{9b}31m\n", figures: ["1 %\u{1b}[2J"]))
        try pipe.fileHandleForWriting.close()
        let text = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        #expect(text == #"a\u{1b}]0;title\u{7}\nb"# + "\n" + #"\u{9b}31m\n: 1 %\u{1b}[2J"#)
    }
}
