import Testing
import Text

@Suite struct CSVValueTests {
    @Test(arguments: [
        ("", ""), ("a b", "a b"), ("a,b", "\"a,b\""), ("say \"hi\"", "\"say \"\"hi\"\"\""), ("a\r\nb", "\"a\r\nb\""), (" a", "\" a\""),
        ("a;b", "\"a;b\""), ("a|b", "\"a|b\""), ("a\tb", "\"a\tb\""),
    ])
    func isQuotedWhereItMustBe(_ value: String, _ encoded: String) { #expect(CSVValue.encoded(value) == encoded) }
}
