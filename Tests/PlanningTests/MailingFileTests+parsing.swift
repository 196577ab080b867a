import Foundation
import Model
import Planning
import TestServers
import Testing
import Text

/// What the parser of YAML accepts and refuses.
extension MailingFileTests {
    /// JSON is YAML, and writes characters beyond 16 bits as two escapes.
    @Test func pairsOfEscapesAreOneCharacterEach() throws {
        for (text, expected) in [
            ("text: \"a\\ud83d\\ude00\\uD83D\\uDE01 \\\\ud83d \\u00e9\"", "a😀😁 \\ud83d é"),
            ("\"text\": \"\\\"\\ud83d\\ude00\\\"\"", "\"😀\""),
            ("text: |\n  \\ud83d\\ude00 \"\\ud83d\\ude00\"", "\\ud83d\\ude00 \"\\ud83d\\ude00\"\n"),
            ("text: '\\ud83d\\ude00'", "\\ud83d\\ude00"), ("# é \\ud83d\r\ntext: \"\n  \\ud83d\\ude00\n\n  b\"", " 😀\nb"),
        ] {
            let file = try load(short.replacing("subject: Hi", with: "subject: \"\\ud83d\\udc4b\"").replacing("text: Hello", with: text))
            #expect(file.mailing.text.source.utf8.elementsEqual(expected.utf8), "\(text): \(file.mailing.text.source)")
            #expect(file.mailing.subject.source == "👋")
        }
    }

    @Test(arguments: [
        ("text: \"a \\ud83d b\"", 5, 12), ("text: \"\\ude00\\ud83d\"", 5, 10), ("text: \"\\ud83d\\ude00 \\ud83d\\u0041\"", 5, 21),
        ("text: \"\\U00110000\"", 5, 10),
    ]) func halfAPairIsToldWithItsPlace(_ text: String, _ line: Int, _ column: Int) {
        let found = problems(short.replacing("text: Hello", with: text))
        #expect(found.count == 1 && found[0].hasPrefix("mailing.yaml:\(line):\(column): "), "\(found)")
        #expect(found[0].contains("stands for no character; write both halves of a pair"))
    }

    @Test(arguments: ["", "# nothing\n", "just a text\n", "- a\n- b\n"])
    func refusesWhatIsNoMailing(_ text: String) {
        #expect(problems(text).first?.contains("is no mailing") == true)
    }

    /// Each list stands for ten of the one before: a few lines for billions of values, also where they are compared as keys.
    @Test func refusesAliasesBeforeTheyAreFollowed() throws {
        let lists = (1..<30).map { "a\($0): &a\($0) [\(Array(repeating: "*a\($0 - 1)", count: 10).joined(separator: ", "))]" }
        let values = "a0: &a0 [x]\n" + lists.joined(separator: "\n") + "\n"
        let start = cpuTime()
        for text in [
            values, values + "? *a29 \n: y\n", values + "*a29 : y\n", values + "b: {*a29 : y, *a28 : z}\n", values + "? [*a29]\n: y\n",
        ] {
            #expect(problems(text).contains { $0.contains("anchor or alias") })
        }
        #expect(cpuTime() - start < 5)
        // What looks alike in a text is none.
        let text = "text: |\n  Tea &amp; cake, R &D\n" + String(repeating: "  *bold* & *more*\n", count: 20)
        #expect(!problems(short.replacing("text: Hello", with: text)).contains { $0.contains("alias") })
    }

    @Test func refusesFilesThatWouldBreakTheParser() throws {
        for unit in ["[", "{a: ", "- ", "? "] {
            #expect(
                problems(String(repeating: unit, count: 100_000)).first?.contains("is nested too deep") == true,
                "\(unit)")
        }
        for (path, part) in [
            (folder.path + "/none.yaml", "does not exist"), (folder.path, "is a directory"),
            (try folder.write([0x6e, 0xfc], to: "latin.yaml"), "is not UTF-8"),
        ] {
            #expect { try MailingFile.load(path) } throws: { "\($0)".hasPrefix(path) && "\($0)".contains(part) }
        }
    }
}
