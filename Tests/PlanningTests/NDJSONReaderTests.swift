import Planning
import TestServers
import Testing

@Suite struct NDJSONReaderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func read(_ text: String) throws -> (reader: NDJSONReader, rows: [[String]]) {
        var reader = try NDJSONReader(path: try folder.write(text, to: "recipients.ndjson"))
        var row = InputRow()
        var rows: [[String]] = []
        while try reader.next(&row) {
            #expect(row.number == rows.count + 1)
            rows.append(row.fault.map { ["\($0.description)"] } ?? (0..<row.count).map { row[$0] })
        }
        return (reader, rows)
    }

    /// 1,000 keys in another order in each of 300 rows: looked for one after another they would be 150 million comparisons.
    @Test func keysInAnyOrderAreFoundAtOnce() throws {
        let keys = (0..<1_000).map { "some longer key, number \($0)" }
        func object(_ keys: [String]) -> String { "{" + keys.map { "\"\($0)\":1" }.joined(separator: ",") + "}\n" }
        let start = cpuTime()
        let (reader, rows) = try read(object(keys) + String(repeating: object(keys.reversed()), count: 300))
        #expect(rows.count == 301)
        #expect(reader.columns == keys)
        #expect(cpuTime() - start < 20)
        #expect(throws: InputError.self) { try read(object(keys + ["one more"])) }
    }

    @Test func takesTextsNumbersAndNestedValues() throws {
        let (reader, rows) = try read(
            #"""
            {"id": 1, "name": "Zo\u00eb \"Z\" \ud83e\ude81\n", "vip": true, "tags": ["a", {"b": null}], "none": null}

              {"vip":false,"id":-1.50e+3,"name":"字"}
            """#)
        #expect(reader.columns == ["id", "name", "vip", "tags", "none"])
        #expect(
            rows == [["1", "Zoë \"Z\" 🪁\n", "true", #"["a", {"b": null}]"#, ""], ["-1.50e+3", "字", "false", "", ""]])
        #expect(reader.ignored.isEmpty)
    }

    @Test func theFirstThousandObjectsNameTheColumns() throws {
        let (reader, rows) = try read(
            "\u{feff}{\"id\":\"1\"}\r\n{\"id\":\"2\",\"extra\":[1]}\r\n{\"more\":{},\"extra\":1,\"id\":\"3\"}\r\n")
        #expect(reader.columns == ["id", "extra", "more"])
        #expect(rows == [["1", "", ""], ["2", "[1]", ""], ["3", "1", "{}"]])
    }

    @Test func countsAndLeavesOutKeysThatComeLater() throws {
        let first = String(repeating: "{\"id\":\"x\"}\n", count: 1000)
        let (reader, rows) = try read(first + "{\"id\":\"2\",\"extra\":[1]}\n{\"more\":{},\"extra\":1,\"id\":\"3\"}\n")
        #expect(reader.columns == ["id"] && rows.suffix(2) == [["2"], ["3"]])
        #expect(reader.ignored.map(\.name) == ["extra", "more"])
        #expect(reader.ignored.map(\.count) == [2, 1])
        #expect(reader.ignored.map(\.row) == [1001, 1002])
    }

    @Test func aLineThatIsNoObjectCostsNoOther() throws {
        let rows = try read(
            "null\n{\"a\":\"1\"}\n\n{\"a\":x}\n{\"a\":1,\"a\":2}\n\u{0}\u{0}\n"
                + "{\"a\":\"\(String(repeating: "x", count: 10 << 20))\"}\n{\"a\":\"2\"}\n\u{1a}"
        ).rows
        #expect(rows.count == 6 && rows[1] == ["1"] && rows[5] == ["2"])
        #expect(rows[0][0].contains("line 1: is no JSON object"))
        #expect(rows[2][0].contains("line 4: column 'a' has no JSON value"))
        #expect(rows[3][0].contains("line 5: column 'a' stands twice"))
        #expect(rows[4][0].contains("line 7: column 'a' has a value of more than 1 MB"))
    }

    @Test(
        arguments: [
            ("", "is empty"), ("\n \n", "only blank lines"), ("{}\n", "has 0 keys"),
            ("[1]\n", "recipients.ndjson:1: is no JSON object"),
            ("\n{\"a\":x}\n", "recipients.ndjson:2: column 'a': has no JSON value"),
            ("{\"a\":1,\"a\":2}\n", "column 'a': stands twice"),
            ("{\"a\":1} {\"a\":2}\n", "text behind the object"), ("{\"a\":\"x\n\"}\n", "no closing quotation mark"),
            ("{\"a\":\"\t\"}\n", "control character"), ("{\"a\":\"\\x\"}\n", "unknown escape"),
            ("{\"a\":\"\\u12\"}\n", "hexadecimal"),
            ("{\"a\":\"\\ud800x\"}\n", "surrogate"), ("{\"a\":\"\\udc00\"}\n", "surrogate"),
            ("{\"a\":\"\\u0000\"}\n", "NUL"),
            ("{\"a\":01}\n", "leading zero"), ("{\"a\":1.}\n", "digits"), ("{\"a\":-}\n", "no JSON value"),
            ("{\"a\":1e}\n", "exponent"),
            ("{\"a\":tru}\n", "no JSON value"), ("{\"a\"}\n", "':'"), ("{\"a\":1,}\n", "quotation marks"),
            ("{a:1}\n", "quotation marks"),
            ("{\"a\":[1,2}\n", "',' or ']'"), ("{\"a\":{\"b\" 1}}\n", "':'"), ("{\"a\":1\n", "',' or '}'"),
            ("{\"a\":\n", "ends before a value"),
            ("{\"a\":\(String(repeating: "[", count: 100_000))\n", "nested more than 64 deep"),
            ("{\"a\":\"\(String(repeating: "x", count: 2 << 20))\"}\n", "more than 1 MB"),
            ("{\"b\":\"\(String(repeating: "x", count: 10 << 20))", "longer than 8 MB"),
            ("{\"a\":\"b\u{0}\"}\n", "NUL byte"),
        ])
    func saysWhereWhatAndWhatToDo(_ text: String, _ part: String) {
        #expect { try read(text) } throws: { error in
            #expect("\(error)".contains(part), "\(error)")
            return error is InputError
        }
    }

    @Test func namesTheRowOfInvalidUTF8() throws {
        let bytes = Array("{\"a\":\"b\"}\n{\"a\":\"".utf8) + [0xc3, 0x28] + Array("\"}\n".utf8)
        var reader = try NDJSONReader(path: try folder.write(bytes, to: "bad.ndjson"))
        var row = InputRow()
        #expect(try reader.next(&row))
        #expect(try reader.next(&row))
        #expect(row.fault?.description.contains("line 2: is no valid UTF-8 (byte 7") == true)
    }
}
