import Model
import Planning
import Policy
import TestServers
import Testing

@Suite struct CSVReaderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func read(_ text: String) throws -> (columns: [String], rows: [[String]]) { try read(Array(text.utf8)) }

    private func read(_ bytes: [UInt8]) throws -> (columns: [String], rows: [[String]]) {
        var reader = try CSVReader(path: try folder.write(bytes, to: "recipients.csv"))
        var row = InputRow()
        var rows: [[String]] = []
        while try reader.next(&row) {
            #expect(row.number == rows.count + 1)
            rows.append((0..<row.count).map { row[$0] })
        }
        return (reader.columns, rows)
    }

    @Test func readsQuotesLineBreaksAndDoubledMarks() throws {
        let (columns, rows) = try read(
            "id,name,note\n1,\"Smith, Anna\",\"She said \"\"hi\"\"\nand left\"\n2,\"\",5\" disk\n")
        #expect(columns == ["id", "name", "note"])
        #expect(rows == [["1", "Smith, Anna", "She said \"hi\"\nand left"], ["2", "", "5\" disk"]])
    }

    @Test(arguments: ["\n", "\r\n", "\r"])
    func takesAnyLineEndWithOrWithoutTheLast(_ end: String) throws {
        for tail in ["", end, end + end] {
            let (columns, rows) = try read("\u{feff} id , email \(end)1,a@example.com\(end)\(end)2,\(tail)")
            #expect(columns == ["id", "email"])
            #expect(rows == [["1", "a@example.com"], ["2", ""]])
        }
    }

    @Test(arguments: [(",", ","), (";", ";"), ("\t", "\t")])
    func findsTheDelimiter(_ delimiter: String, _ expected: Character) throws {
        let (columns, rows) = try read(
            "id\(delimiter)\"a,b;c,d;\te\"\(delimiter)email\(delimiter)x\n1\(delimiter)2\(delimiter)3\(delimiter)4")
        #expect(columns == ["id", "a,b;c,d;\te", "email", "x"])
        #expect(rows == [["1", "2", "3", "4"]])
    }

    @Test func readsASingleColumn() throws {
        let (columns, rows) = try read("email\na@example.com\n\"\"\nb@example.com")
        #expect(columns == ["email"])
        #expect(rows == [["a@example.com"], [""], ["b@example.com"]])
    }

    @Test func readsBackWhatIsWrittenWhateverTheBuffersBoundaries() throws {
        var generator = SeededGenerator(seed: 21)
        let letters = ["a", "é", "字", "🪁", "\"", ",", "\n", "\r\n", " ", ";", "x"]
        for end in ["\n", "\r\n"] {
            var rows: [[String]] = []
            var text = "a,b,c" + end
            // Past several of the reader's buffers of 256 KB, some rows longer than a buffer.
            for number in 0..<6_000 {
                let longest = number % 1500 == 7 ? 150_000 : 40
                let row = (0..<3).map { _ in
                    (0..<Int.random(in: 0...longest, using: &generator))
                        .map { _ in letters.randomElement(using: &generator) ?? "" }.joined()
                }
                rows.append(row)
                text +=
                    row.map {
                        "\"\($0.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
                    }
                    .joined(separator: ",") + end
            }
            let found = try read(text).rows
            #expect(found.count == rows.count)
            #expect(found == rows)
        }
    }

    @Test(
        arguments: [
            ("", "recipients.csv: is empty"), ("\n\r\n\n", "has only blank lines"),
            (
                "id,email\n1,a@example.com\n\n2\n",
                "recipients.csv:4: row 2: expected 2 fields, found 1; the first missing one is 'email'"
            ),
            (
                "id,email\n1,a@example.com,x\n",
                "recipients.csv:2: row 1: expected 2 fields, found 3; put a value with the delimiter ','"
            ),
            ("id,email,id\n", "recipients.csv:1: column 'id': stands twice in the header, as columns 1 and 3"),
            (
                "id,email\n\"1\nx\",\"a@example.com\n",
                "recipients.csv:2: row 1, column 'email': has an opening quotation mark in line 3"
            ),
            (
                "id,email\n\"1\" x,a\n",
                "recipients.csv:2: row 1, column 'id': has text behind the closing quotation mark"
            ),
            (",,\n1,2,3\n", "has no names in its first line"),
            ("id,email\n1,a\u{0}b\n", "row 1, column 'email': has a NUL byte"),
            ("\u{feff}", "has only blank lines"),
        ])
    func saysWhereWhatAndWhatToDo(_ text: String, _ part: String) {
        #expect { try read(text) } throws: { error in
            #expect("\(error)".contains(part), "\(error)")
            return error is InputError
        }
    }

    @Test(
        arguments: [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]]
            as [[UInt8]])
    func namesTheRowAndColumnOfInvalidUTF8(_ bad: [UInt8]) throws {
        let good = "id,name\n1,\"two\nlines\"\n2,Jürgen 字 🪁\n"
        let bytes = Array((good + "3,abcdefgh").utf8) + bad + Array("\n".utf8)
        #expect { try read(bytes) } throws: { error in
            #expect(
                "\(error)".contains("recipients.csv:5: row 3, column 'name': is no valid UTF-8 (byte 9"), "\(error)")
            return true
        }
        // The halves of a character in two neighbours are no character.
        #expect(throws: InputError.self) { try read(Array("a,b\n".utf8) + [0xc3, 0x2c, 0xa9, 0x0a]) }
    }

    @Test func refusesAFieldOfTenMegabytesWithoutReadingItWhole() throws {
        let giant = String(repeating: "x", count: 10 << 20)
        for (value, hint) in [(giant, "is it really CSV"), ("\"\(giant)\"", "closing quotation mark missing")] {
            #expect { try read("id,note\n1,a\n2,\(value)\n") } throws: { error in
                #expect(
                    "\(error)".contains("recipients.csv:3: row 2, column 'note': has a value of more than 1 MB"),
                    "\(error)")
                return "\(error)".contains(hint)
            }
        }
        let largest = String(repeating: "x", count: 1 << 20)
        #expect(
            try read("id,note\n1,\(largest)\n2,\"\(largest)\"\n").rows.map { $0[1].utf8.count } == [1 << 20, 1 << 20])
    }

    @Test func refusesWhatIsNoTextFile() throws {
        let folder = self.folder
        for (path, part) in [
            (folder.path, "is a directory"), (folder.path + "/none.csv", "no such file"),
            ("/dev/null", "no regular file"),
            (try folder.write([0xff, 0xfe, 0x69, 0x00], to: "utf16.csv"), "UTF-16"),
            (try folder.write([0x50, 0x4b, 0x03, 0x04, 0], to: "sheet.csv"), "spreadsheet"),
            (try folder.write([0x1f, 0x8b, 0x08, 0x00], to: "packed.csv"), "gunzip"),
        ] {
            #expect { try CSVReader(path: path) } throws: { "\($0)".hasPrefix(path) && "\($0)".contains(part) }
        }
    }
}
