import Testing
import Text

@Suite struct CSVValueTests {
    @Test(arguments: [
        ("", ""), ("a b", "a b"), ("a,b", "\"a,b\""), ("say \"hi\"", "\"say \"\"hi\"\"\""), ("a\r\nb", "\"a\r\nb\""), (" a", "\" a\""),
        ("a;b", "\"a;b\""), ("a|b", "\"a|b\""), ("a\tb", "\"a\tb\""),
    ])
    func isQuotedWhereItMustBe(_ value: String, _ encoded: String) { #expect(CSVValue.encoded(value) == encoded) }

    /// The beginnings that OWASP names (CSV Injection), and their full-width forms.
    @Test(arguments: [
        "=1+1", "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1", "''@x", "＝1", "＋1+1", "－1-1", "＠x",
        "+ab", "'+a",
    ])
    func whatASpreadsheetWouldCalculateIsText(_ value: String) {
        #expect(CSVValue.guarded(value) == "'" + value)
        #expect(CSVValue.unguarded(CSVValue.guarded(value)) == value)
    }

    @Test(arguments: ["", "a", "a=1", "ann@example.com", "+4915112345678", "-5", "-1.5", "'", "'plain", "O'Neill", "é", " =1", "''", "-"])
    func otherValuesStay(_ value: String) {
        #expect(CSVValue.guarded(value) == value)
        #expect(CSVValue.unguarded(value) == value)
    }

    @Test func alsoManyApostrophesAreRead() {
        let value = String(repeating: "'", count: 1 << 20) + "="
        #expect(CSVValue.unguarded(CSVValue.guarded(value)) == value)
    }
}
