import Planning
import Testing

/// Files as spreadsheets and DOS write them.
extension CSVReaderTests {
    @Test(arguments: [
        ("sep=;\nid;a,b\n1;2\n", ["id", "a,b"]), ("\u{feff}SEP=|\r\nid|a,b,c\r\n1|2\r\n", ["id", "a,b,c"]),
        ("\"sep=\t\"\nid\tx\n1\t2\n", ["id", "x"]),
        ("sep=;;;\r\nid;x\r\n1;2\r\n", ["id", "x"]), ("sep=;,,,\nid,x\n1,2\n", ["id", "x"]),
        ("\"sep=;\";;\nid;x\n1;2\n", ["id", "x"]), ("sep=,\nid;x\n1;2\n", ["id", "x"]), ("sep=|\r\nid\tx\r\n1\t2\r\n", ["id", "x"]),
        (",,\n , \n\nid,x\n1,2\n", ["id", "x"]), (";;\r\nid,x\n1,2\n", ["id", "x"]), ("\"\",\"\"\nid,x\n1,2\n", ["id", "x"]),
        ("sep=^\rid^x\r1^2\r", ["id", "x"]), ("id|x|y,z\n1|2|\n", ["id", "x", "y,z"]), ("id , \"x\" \n1,2\n", ["id", "x"]),
        ("  \n\u{a0}\nid,x\n1,2\n", ["id", "x"]),
    ])
    func takesHeadersAsSpreadsheetsWriteThem(_ text: String, _ columns: [String]) throws {
        let found = try read(text)
        #expect(found.columns == columns)
        #expect(found.rows == [["1", "2"] + columns.dropFirst(2).map { _ in "" }])
    }

    @Test func aColumnMayBeCalledSep() throws {
        #expect(try read("sep=,email\n1,2\n").columns == ["sep=", "email"])
        #expect(try read("sep,email\n1,2\n").columns == ["sep", "email"])
    }

    @Test(arguments: [
        // Blanks around quotation marks, and as values.
        ("1, \"A, B\" ,x\n", [["1", "A, B", "x"]]), ("1,   , x \n", [["1", "   ", " x "]]), ("1,5\" disk,x\n", [["1", "5\" disk", "x"]]),
        // Lines of nothing that anybody sees.
        ("1,a,x\n   \n\t\n\u{a0}\n\u{0}\u{0}\u{0}\n2,b,y\n", [["1", "a", "x"], ["2", "b", "y"]]),
        // Rows of nothing but delimiters, of any number.
        ("1,a,x\n,,\n , ,\u{a0}\n,\n,,,,\r\n\u{2800},,\n2,b,y\n,,", [["1", "a", "x"], ["2", "b", "y"]]),
        ("1,a,x\n,b,\n,,y\n", [["1", "a", "x"], ["", "b", ""], ["", "", "y"]]),
        // What DOS and fixed blocks leave at the end.
        ("1,a,x\r\n\u{1a}", [["1", "a", "x"]]), ("1,a,x\r\n\u{1a}\r\n", [["1", "a", "x"]]), ("1,a,x\n\u{1a}\u{1a}\n\n", [["1", "a", "x"]]),
        ("1,a,x\u{1a}", [["1", "a", "x"]]), ("1,a,x\n\u{0}\u{0}\u{0}\u{0}", [["1", "a", "x"]]),
        // Delimiters behind the last value.
        ("1,a,x,\n2,b,y,, \n", [["1", "a", "x"], ["2", "b", "y"]]),
    ])
    func takesRowsAsSpreadsheetsWriteThem(_ text: String, _ rows: [[String]]) throws {
        #expect(try read("id,name,note\n" + text).rows == rows)
    }

    @Test func aHeaderWithADelimiterBehindItNamesNoFurtherColumn() throws {
        #expect(
            try read("id,name,\n1,a\n2,b,\n3\n").rows == [
                ["1", "a", ""], ["2", "b", ""],
                ["line 4: expected 3 fields, found 1; the first missing one is 'name'. Is a quotation mark missing, or a delimiter?"],
            ])
    }
}
