import Customers
import Testing

@Suite struct AttributeValueTests {
    @Test(
        arguments: [
            ("0", 0), ("12", 12_000_000), ("-12.5", -12_500_000), ("+1", 1_000_000), (".5", 500_000), ("7.", 7_000_000),
            ("0.000001", 1), ("1.100000000", 1_100_000), ("1000000000000", 1_000_000_000_000_000_000), ("007", 7_000_000),
        ] as [(String, Int64)])
    func numbersAreExact(text: String, millionths: Int64) throws {
        #expect(try AttributeValue(text, .number) == .number(millionths))
    }

    @Test(arguments: ["1e3", "1,000", "--1", "abc", ".", "-", "0.0000001", "1000000000001", "99999999999999999999999", "1.2.3", "٣", "NaN"])
    func whatIsNoNumberIsRefused(text: String) {
        #expect(throws: AttributeValue.Fault.self) { try AttributeValue(text, .number) }
    }

    @Test func everyValueIsReadBackAsItIsWritten() throws {
        let values: [(String, AttributeType)] = [
            ("Zürich", .text), ("-0.000001", .number), ("1234.5", .number), ("2024-02-29", .date), ("2024-02-29T23:59:59Z", .date),
            ("1969-12-31", .date), ("true", .boolean), ("no", .boolean), ("b|a|b", .list), ("[\"x|y\",\"\\\"\"]", .list),
        ]
        for (text, type) in values {
            let value = try #require(try AttributeValue(text, type))
            #expect(try AttributeValue(value.description, type) == value)
        }
        #expect(try AttributeValue("b|a|b", .list) == .list(["a", "b"]))
        #expect(try AttributeValue("-0.000001", .number)?.description == "-0.000001")
    }

    @Test func anEmptyTextIsNoValue() throws {
        for type in AttributeType.allCases { #expect(try AttributeValue("  ", type) == nil) }
        #expect(try AttributeValue("[]", .list) == nil)
        #expect(try AttributeValue("||", .list) == nil)
    }

    @Test(arguments: [
        ("2024-02-30", AttributeType.date), ("yesterday", .date), ("maybe", .boolean), ("[1,2]", .list), ("[\"a\"", .list),
        ("[\"a\\u001fb\"]", .list), ("a\0b", .text), (String(repeating: "x", count: 65_537), .text),
    ])
    func whatIsNoValueIsRefused(text: String, type: AttributeType) {
        #expect(throws: AttributeValue.Fault.self) { try AttributeValue(text, type) }
    }

    @Test func aListIsPackedSoThatAnElementIsFoundAlone() {
        let packed = AttributeValue.packed(["a\"", "ab", "b"])
        #expect(packed == "\u{1f}a\"\u{1f}ab\u{1f}b\u{1f}")
        #expect(AttributeValue.unpacked(packed ?? "") == ["a\"", "ab", "b"])
        #expect(AttributeValue.packed([]) == nil)
    }

    @Test(arguments: [
        "Age", "1st", "", "a-b", "status", "email", "subscribed_sms", "tags", "created", "changed", String(repeating: "a", count: 65),
    ])
    func namesAreWords(name: String) { #expect(Attribute.fault(ofName: name) != nil) }

    @Test(arguments: ["a", "age", "birth_date", "x9", String(repeating: "a", count: 64)])
    func usualNamesAreTaken(name: String) { #expect(Attribute.fault(ofName: name) == nil) }
}
