import Model
import Planning
import Policy
import TestServers
import Testing

@Suite struct CSVReaderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    func read(_ text: String) throws -> (columns: [String], rows: [[String]]) { try read(Array(text.utf8)) }

    func read(_ bytes: [UInt8]) throws -> (columns: [String], rows: [[String]]) {
        var reader = try CSVReader(path: try folder.write(bytes, to: "recipients.csv"))
        var row = InputRow()
        var rows: [[String]] = []
        while try reader.next(&row) {
            #expect(row.number == rows.count + 1)
            rows.append(row.fault.map { ["\($0.description)"] } ?? (0..<row.count).map { row[$0] })
        }
        return (reader.columns, rows)
    }

    /// The fault of a row, by its number.
    private func fault(_ text: String, row: Int) throws -> String {
        let rows = try read(text).rows
        try #require(rows.count >= row)
        return rows[row - 1].count == 1 ? rows[row - 1][0] : "none: \(rows[row - 1])"
    }

    /// Lines without a quotation mark are cut by another way than the others.
    @Test(arguments: [",", ";", "\t", "|"], ["\n", "\r\n", "\r"])
    func aLineIsCutTheSameWithAndWithoutQuotationMarks(delimiter: String, end: String) throws {
        var random = SeededGenerator(seed: 7)
        let pieces = ["a", "é", "bc", " ", "x@example.com", "0123456789", "\u{1}", "日本"]
        let rows = (0..<200).map { row in
            // A row of blanks is none.
            ["\(row)"]
                + (0..<5).map { _ in
                    (0..<Int.random(in: 0...3, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
                }
        }
        let header = (0..<6).map { "c\($0)" }.joined(separator: delimiter) + end
        let plain = rows.map { $0.joined(separator: delimiter) + end }.joined()
        let quoted = rows.map { $0.map { "\"\($0)\"" }.joined(separator: delimiter) + end }.joined()
        #expect(try read(header + plain).rows == rows)
        #expect(try read(header + quoted).rows == rows)
        #expect(try read(header + plain.dropLast(end.count) + "\"").rows.count == 200)
    }

    @Test func aLineIsCutThatIsLongerThanItsEndIsLookedFor() throws {
        for length in [4_000, 4_095, 4_096, 5_000, 300_000] {
            let long = String(repeating: "x", count: length)
            #expect(try read("a,b\n1,\(long)\n\(long),2\n").rows == [["1", long], [long, "2"]])
        }
    }

    @Test func readsQuotesLineBreaksAndDoubledMarks() throws {
        let (columns, rows) = try read(
            "id,name,note\n1,\"Smith, Anna\",\"She said \"\"hi\"\"\nand left\"\n2,\"\",5\" disk\n")
        #expect(columns == ["id", "name", "note"])
        #expect(rows == [["1", "Smith, Anna", "She said \"hi\"\nand left"], ["2", "", "5\" disk"]])
    }

    @Test(arguments: [" ", "\t", "\u{a0}", "\u{3000}", "\u{feff}", "\u{200b} \t"])
    func blanksOfAnyKindAroundQuotationMarksAreNoText(_ blank: String) throws {
        let rows = try read("id,name,note\n1,\(blank)\"Smith, Anna\"\(blank),\(blank)\"x\"\(blank)\n2,\(blank)Östen,\(blank)\n").rows
        #expect(rows.first == ["1", "Smith, Anna", "x"] && rows.last?.count == 3)
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
            (",,\n", "has only blank lines"),
            ("\u{feff}", "has only blank lines"), ("id,na\u{0}me\n", "recipients.csv:1: column '2': has a NUL byte"),
            ("id,\"name\n1,a\n", "recipients.csv:1: column '2': has an opening quotation mark in line 1 and no closing one"),
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
        let rows = try read(bytes + Array("4,x\n".utf8)).rows
        #expect(rows[2].first?.contains("line 5: column 'name' is no valid UTF-8 (byte 9") == true, "\(rows)")
        #expect(rows[3] == ["4", "x"])
        // The halves of a character in two adjacent values are no character.
        #expect(try read(Array("a,b\n".utf8) + [0xc3, 0x2c, 0xa9, 0x0a]).rows.first?.first?.contains("no valid UTF-8") == true)
    }

    @Test func passesARowOfTenMegabytes() throws {
        let giant = String(repeating: "x", count: 10 << 20)
        for (value, hint) in [(giant, "is it really CSV"), ("\"\(giant)\"", "closing quotation mark missing")] {
            let rows = try read("id,note\n1,a\n2,\(value)\n3,b\n").rows
            #expect(rows.count == 3 && rows[2] == ["3", "b"])
            #expect(rows[1].first?.contains("line 3: column 'note' has a value of more than 1 MB") == true)
            #expect(rows[1].first?.contains(hint) == true)
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
            (try folder.write([0x50, 0x4b, 0x03, 0x04, 0], to: "sheet.csv"), "spreadsheet"),
            (try folder.write([0x1f, 0x8b, 0x08, 0x00], to: "packed.csv"), "gunzip"),
        ] {
            #expect { try CSVReader(path: path) } throws: { "\($0)".hasPrefix(path) && "\($0)".contains(part) }
        }
    }

    @Test(arguments: [
        ("id,email\n1,a@example.com\n\n2\n3,c\n", 2, "line 4: expected 2 fields, found 1; the first missing one is 'email'"),
        ("id,email\n1,a@example.com,x\n3,c\n", 1, "line 2: expected 2 fields, found 3; put a value with the delimiter ','"),
        ("id,email\n1,a\u{0}b\n3,c\n", 1, "line 2: column 'email' has a NUL byte"),
        ("id,email\n\"1\" x,a\n3,c\n", 1, "line 2: column 'id' has text behind the closing quotation mark"),
    ])
    func aRowThatIsNoneCostsNoOther(_ text: String, _ row: Int, _ words: String) throws {
        #expect(try fault(text, row: row).contains(words))
        #expect(try read(text).rows.last == ["3", "c"])
    }

    @Test func aMissingQuotationMarkSwallowsNobody() throws {
        let broken = "id,name,email\n1,\"Anna,a@example.com\n2,\"Bob\",b@example.com\n3,Cy,c@example.com\n"
        let rows = try read(broken).rows
        #expect(rows.count == 3 && rows[0][0].contains("line 2: column 'name' has text behind the closing quotation mark"))
        #expect(rows[1...] == [["2", "Bob", "b@example.com"], ["3", "Cy", "c@example.com"]])
        // Up to the end of the file.
        #expect(try fault("id,email\n1,\"a\n2,b\n", row: 1).contains("has an opening quotation mark in line 2 and no closing one"))
        #expect(try read("id,email\n1,\"a\n2,b\n").rows.last == ["2", "b"])
    }

    @Test func aHeaderNameThatIsNoUTF8FailsOnlyWhatUsesIt() throws {
        let file = try read(Array("id,Stra".utf8) + [0xdf] + Array("e,x\n1,a,b\n".utf8))
        #expect(file.columns == ["id", "Stra\u{fffd}e", "x"])
        #expect(file.rows == [["1", "a", "b"]])
    }

    /// Lines of a value that look like rows.
    private static let hidden = "\n9,victim@x.example\n"

    private static let brokenRows: [(row: String, fault: String)] = [
        (row: "1,\"\(String(repeating: "x", count: 1_100_000))\(hidden)\"", fault: "has a value of more than 1 MB"),
        (row: "1,\"\(String(repeating: "x\n", count: 600_000))\(hidden)\"", fault: "has a value of more than 1 MB"),
        (row: "1,\"\(String(repeating: "\"\"x\n", count: 400_000))\(hidden)\"", fault: "has a value of more than 1 MB"),
        (
            row: "1,\"a\"\(String(repeating: ",\"\(String(repeating: "x", count: 900_000))\(hidden)\"", count: 12))",
            fault: "longer than 8 MB"
        ),
        (row: "1,a,\"Ann\(hidden)\",q", fault: "expected 2 fields, found 4"),
        (row: "\"Ann\(hidden)\"", fault: "expected 2 fields, found 1"),
        (row: "1,\"a\(hidden)\"x", fault: "text behind"),
        (row: "1,\"a\"b\(hidden),\" q\" x", fault: "text behind"),
        (row: "1,\"say \"hello\(hidden)\" to all\(hidden)\"", fault: "text behind"),
        (row: "\"5\" disk\",\"a\(hidden)\"", fault: "text behind"),
        (row: "\"5\" disk\(hidden)\",a", fault: "text behind"),
        (row: "1,\"a\(hidden)\"x,\"b\(hidden)\"", fault: "text behind"),
    ]

    @Test(arguments: brokenRows.indices, ["\n", "\r\n"]) func linesInsideOfAValueAreNoRows(_ index: Int, _ end: String) throws {
        let (text, fault) = Self.brokenRows[index]
        let row = text.replacing("\n", with: end)
        let rows = try read("id,email\(end)\(row)\(end)2,b@x.example\(end)3,\"c\",d\(end)").rows
        #expect(rows.count >= 2 && rows[1] == ["2", "b@x.example"], "\(rows.map { $0.map { $0.prefix(80) } })")
        #expect(rows[0].count == 1 && rows[0][0].contains(fault), "\(rows[0][0].prefix(200))")
        // What follows has its right line.
        let lines = 2 + text.count { $0 == "\n" }
        #expect(try read("id,email\(end)\(row)\(end)2\(end)").rows.last?.first?.hasPrefix("line \(lines + 1):") == true)
    }

    @Test(arguments: [
        "1,\"Anna,a@x\n2,\"Bob\",b@x\n", "1,\"Anna,a@x\n2,Bob,\"b@x\"\n", "1,\"Anna,a@x\n2, \"Bob \"\"B\"\"\" ,b@x\n",
        "1,\"" + String(repeating: "x", count: 1_100_000) + ",a@x\n2,\"Bob\",b@x\n", "1,\"Anna,a@x\n2,Bob,b@x\n3,\"\",c@x\n",
    ])
    func onlyWithoutAClosingMarkReadingBeginsAnew(_ text: String) throws {
        #expect(try read("id,name,email\n" + text).rows.count { $0.last == "b@x" } == 1)
    }

    @Test func rowsOfManyMarksCostNoTime() throws {
        var generator = SeededGenerator(seed: 3)
        let pieces = ["\"", "\"\"", "\"a", "a\"", "\"a\"", ",", "\n", "1,", "\n2,\"", " ", "x"]
        let start = cpuTime()
        for _ in 0..<30 {
            let pattern = (0..<Int.random(in: 1...9, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            let head = (0..<Int.random(in: 0...9, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            _ = try read("id,name\n" + head + String(repeating: pattern, count: 20_000))
        }
        #expect(cpuTime() - start < 60)
    }

    @Test(arguments: [false, true]) func readsUTF16(isBigEndian: Bool) throws {
        var generator = SeededGenerator(seed: 7)
        let letters = ["a", "é", "字", "🪁", ",", "\n", "ж", "\u{feff}"]
        let rows = (0..<20_000).map { number in
            [
                "\(number)",
                (0..<Int.random(in: 0...20, using: &generator)).map { _ in letters.randomElement(using: &generator) ?? "" }.joined(),
            ]
        }
        let text = "\u{feff}id\tname\r\n" + rows.map { "\($0[0])\t\"\($0[1])\"\r\n" }.joined()
        let bytes = text.utf16.flatMap { unit in
            isBigEndian ? [UInt8(unit >> 8), UInt8(unit & 0xff)] : [UInt8(unit & 0xff), UInt8(unit >> 8)]
        }
        #expect(try read(bytes).rows == rows)
        // Half a surrogate pair is no text.
        let half: [UInt8] = isBigEndian ? [0xd8, 0x3d, 0, 0x0a] : [0x3d, 0xd8, 0x0a, 0]
        #expect(try read(bytes + half).rows.last?.first?.contains("expected 2 fields") == true)
    }

    @Test func brokenRowsOfAllKindsCostNoTime() throws {
        let lines = (0..<60_000).map { number in number % 3 == 0 ? "\(number),\"open" : number % 3 == 1 ? "\(number)" : "\(number),\"a\"" }
        let start = cpuTime()
        #expect(try read("id,name\n" + lines.joined(separator: "\n")).rows.count == 60_000)
        #expect(cpuTime() - start < 60)
    }

    @Test func anyBytesAreReadToTheirEnd() throws {
        var generator = SeededGenerator(seed: 99)
        let pieces: [[UInt8]] =
            ["a", ",", ";", "\"", "\"\"", "\n", "\r", "\r\n", " ", "\t", "|", "é", "sep=", "\u{0}", "\u{1a}"].map { Array($0.utf8) }
            + [[0xff], [0xff, 0xfe], [0xc3]]
        for round in 0..<3_000 {
            let bytes = (0..<Int.random(in: 1...40, using: &generator)).flatMap { _ in pieces.randomElement(using: &generator) ?? [] }
            guard let file = try? read((round % 3 == 0 ? [0xff, 0xfe] : Array("x,y\n".utf8)) + bytes) else { continue }
            #expect(file.rows.allSatisfy { $0.count == file.columns.count || $0.count == 1 && $0[0].hasPrefix("line ") })
            #expect(file.rows.count <= bytes.count)
        }
    }
}
