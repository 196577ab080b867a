import Foundation
import Model
import Testing

@testable import Text

@Suite struct JSONCursorTests {
    private func read<Value>(
        _ json: String, _ tolerance: JSONCursor.Tolerance = .strict, _ body: (inout JSONCursor) throws(JSONSyntaxError) -> Value
    ) throws(JSONSyntaxError) -> Value {
        try Array(json.utf8).withUnsafeBufferPointer { bytes throws(JSONSyntaxError) in
            var cursor = JSONCursor(bytes, tolerance: tolerance)
            let value = try body(&cursor)
            try cursor.end()
            return value
        }
    }

    private func isValid(_ json: String) -> Bool {
        do {
            try read(json) { cursor throws(JSONSyntaxError) in try cursor.skipValue() }
            return true
        } catch {
            return false
        }
    }

    private func problem(_ json: String, _ tolerance: JSONCursor.Tolerance = .strict) -> JSONSyntaxError.Problem? {
        do {
            try read(json, tolerance) { cursor throws(JSONSyntaxError) in try cursor.skipValue() }
            return nil
        } catch {
            return error.problem
        }
    }

    @Test func readsValues() throws {
        #expect(
            try read(#" "\u00e9\ud83c\udf88\/\b\f\n\r\t\"\\" "#) { c throws(JSONSyntaxError) in try c.string() }
                == "é🎈/\u{8}\u{c}\n\r\t\"\\")
        #expect(try read("-9223372036854775808") { c throws(JSONSyntaxError) in try c.integer() } == .min)
        #expect(try read(" -1.5E+3 ") { c throws(JSONSyntaxError) in try c.number() } == 1..<8)
    }

    @Test(arguments: [
        ("", JSONSyntaxError.Problem.endsBeforeValue), ("[1,]", .noValue), ("[1 2]", .noCommaInArray), ("{\"a\" 1}", .noColon),
        ("{\"a\":1 \"b\":2}", .noCommaInObject), ("{a:1}", .noString), ("{\"a\":1,}", .noString), ("\"a", .unfinishedString),
        ("\"a\\", .unfinishedString), ("\"a\nb\"", .controlCharacter), ("\"\\x\"", .unknownEscape), ("\"\\u12g4\"", .badHexadecimal),
        ("\"\\ud800\"", .halfSurrogate), ("\"\\udc00\"", .halfSurrogate), ("\"\\ud800\\u0041\"", .halfSurrogate), ("01", .leadingZero),
        ("1.", .noDigitsBehindDot), ("1e", .noDigitsInExponent), ("-", .noValue), ("tru", .noValue), ("nul]", .noValue),
        ("1 2", .textBehind),
        ("[}", .noValue), ("[1}", .noCommaInArray), ("{\"a\":[1}", .noCommaInArray),
    ])
    func namesTheProblem(json: String, expected: JSONSyntaxError.Problem) { #expect(problem(json) == expected) }

    @Test func depthIsBounded() {
        func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        #expect(
            problem(nested(64)) == nil && problem(nested(66)) == .tooDeep
                && problem(String(repeating: "{\"a\":", count: 100_000)) == .tooDeep)
    }

    @Test func toleranceIsForTextsFromOutside() throws {
        #expect(problem("\"\\u0000\"", .withoutNUL) == .nul && problem("\"\\u0000\"") == nil)
        let text = try read("\"a\nb\\x\\ud800!\"", .lenient) { c throws(JSONSyntaxError) in try c.string() }
        #expect(text == "a\nbx\u{fffd}!")
    }

    /// Foundation's parser is the judge: of random texts near JSON, both take the same.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func takesWhatFoundationTakes(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let pieces = [
            "{", "}", "[", "]", ",", ":", "\"a\"", "\"\\u00e9\"", "\"\\ud83d\\ude00\"", "1", "-0.5", "true", "false", "null", " ", "0",
        ]
        for _ in 0..<2_000 {
            let json = (0..<Int.random(in: 1...8, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            // Foundation takes a comma before a '}', which RFC 8259 does not know.
            if json.replacing(" ", with: "").contains(",}") { continue }
            let judge = (try? JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed)) != nil
            #expect(isValid(json) == judge, "\(json)")
        }
    }

    @Test func noBytesTrap() {
        var random = SeededGenerator(seed: 1)
        let alphabet = Array(#"{}[]",:\u01ae-. tfn"#.utf8) + [0x00, 0xff]
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0..<40, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
            for tolerance in [JSONCursor.Tolerance.strict, .lenient] {
                bytes.withUnsafeBufferPointer { buffer in
                    var cursor = JSONCursor(buffer, tolerance: tolerance)
                    do { while cursor.peek() != nil { try cursor.skipValue() } } catch { #expect(cursor.position <= bytes.count) }
                }
            }
        }
    }
}

@Suite struct EscapingTests {
    @Test func jsonStringsAreReadBack() throws {
        let text = "a\"\\\n\r\t\u{0}\u{1f}\u{7f}\u{9f}é\u{2028}🎈/"
        let json = text.jsonString
        #expect(try JSONDecoder().decode(String.self, from: Data(json.utf8)) == text)
        #expect(json.contains("\\u007f\\u009f") && "plain".jsonString == "\"plain\"")
        var bytes: [UInt8] = []
        Array(text.utf8).withUnsafeBufferPointer { bytes.appendJSONEscaped($0) }
        #expect(try JSONDecoder().decode(String.self, from: Data("\"\(String(decoding: bytes, as: UTF8.self))\"".utf8)) == text)
    }

    @Test func htmlHasNoMarkup() {
        #expect("<b a='1'>\"&\u{338}".htmlEscaped == "&lt;b a=&#39;1&#39;&gt;&quot;&amp;\u{338}" && "plain".htmlEscaped == "plain")
    }
}

@Suite struct NearestNameTests {
    @Test func findsTheNearestUnlessItIsFar() {
        let names = ["url", "username", "password", "prefix", "timeout"]
        #expect(NearestName.of("pasword", among: names) == "password")
        #expect(NearestName.of("tiemout", among: names) == "timeout")
        #expect(NearestName.of("uri", among: names) == "url")
        #expect(NearestName.of("colour", among: names) == nil)
        #expect(NearestName.of("", among: names) == nil)
    }

    @Test func caseAndJoinersDoNotCount() {
        #expect(NearestName.of("FirstName", among: ["last_name", "first_name"]) == "first_name")
        #expect(NearestName.of("reply-to", among: ["reply_to"]) == "reply_to")
    }

    @Test func theDistanceIsThatOfOptimalStringAlignment() {
        #expect(NearestName.editDistance(Array("ca"), Array("abc")) == 3)
        #expect(NearestName.editDistance([], Array("abc")) == 3)
        #expect(NearestName.editDistance(Array("abcd"), Array("acbd")) == 1)
    }
}

@Suite struct TextPieceTests {
    @Test func hashesAreThoseOfTheDraft() {
        #expect(
            "foobar".utf8.reduce(FNV.seed32, FNV.step) == 0xbf9c_f968 && "foobar".utf8.reduce(FNV.seed64, FNV.step) == 0x8594_4171_f739_67e8
        )
    }

    @Test func percentEncodingIsUndone() {
        #expect(
            PercentEncoding.decode("a%40b%C3%A9%25") == "a@bé%" && PercentEncoding.decode("%4") == nil
                && PercentEncoding.decode("%ff") == nil)
        #expect(PercentEncoding.encode("a b/é", allowing: PercentEncoding.isUnreserved) == "a%20b%2F%C3%A9")
    }

    @Test func aLineIsOne() {
        #expect(
            SingleLine.clean(" over\r\n\tquota \u{0}".utf8, longest: 500) == "over quota" && SingleLine.clean("aé".utf8, longest: 2) == "a")
    }

    @Test func classesOfBytesAreThoseOfASCII() {
        for byte in UInt8.min...UInt8.max {
            let character = Character(Unicode.Scalar(byte))
            #expect(byte.isDigit == (byte < 0x80 && character.isNumber) && byte.isLetter == (byte < 0x80 && character.isLetter))
            #expect(byte.hexadecimalValue.map(Int.init) == (byte < 0x80 ? character.hexDigitValue : nil))
            #expect(byte.lowercased == (byte < 0x80 ? Character(Unicode.Scalar(byte)).lowercased().utf8.first : byte))
            #expect(byte.isSpace == (byte < 0x80 && character.isWhitespace && byte < 0x21 && !(0x1c...0x1f).contains(byte)))
        }
    }
}
