import Testing
import Text

@Suite struct PluralTests {
    @Test func oneIsOne() {
        #expect(Plural.text(1, "row") == "1 row" && Plural.text(0, "row") == "0 rows" && Plural.text(2, "batch", "batches") == "2 batches")
        #expect(Plural.list(["a", "b"]) == "a, b" && Plural.list(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more")
    }
}
