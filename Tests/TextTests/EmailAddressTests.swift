import Model
import Testing
import Text

@Suite struct EmailAddressTests {
    @Test(
        arguments: [
            ("anna@example.com", "anna@example.com"),
            ("  Anna.Smith+news@Example.COM\r\n", "Anna.Smith+news@example.com"),
            ("\u{feff}anna@example.com\u{a0}", "anna@example.com"),
            ("a@b.co", "a@b.co"),
            ("!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"),
            ("x_1@a-b.xn--p1ai", "x_1@a-b.xn--p1ai"),
            ("anna@123.example", "anna@123.example"),
            ("\"anna smith\"@example.com", "\"anna smith\"@example.com"),
            ("\"a\\\"b@c\"@Example.com", "\"a\\\"b@c\"@example.com"),
            ("anna@[192.0.2.1]", "anna@[192.0.2.1]"),
            ("anna@[IPv6:2001:db8::1]", "anna@[ipv6:2001:db8::1]"),
            ("олена@приклад.укр", "олена@приклад.укр"),
            ("Jürgen@BÜCHER.Example", "Jürgen@bücher.example"),
            ("user@उदाहरण.भारत", "user@उदाहरण.भारत"),
            // Normalisation form C, the mapping of TR46, and what stays as it is.
            ("jose\u{301}@bu\u{308}cher.example", "josé@bücher.example"), ("anna@ｅｘａｍｐｌｅ。com", "anna@example.com"),
            ("anna@STRAẞE.example", "anna@straße.example"), ("anna@XN--BCHER-KVA.example", "anna@xn--bcher-kva.example"),
            ("\u{202a}anna@example.com\u{202c}", "anna@example.com"), ("\u{3000}anna@example.com\u{2009}\u{ad}", "anna@example.com"),
            ("\u{85}anna@example.com\u{2028}\u{2060}\u{200e}", "anna@example.com"),
            ("\u{2066}anna@example.com\u{2069}", "anna@example.com"),
            // Quotation marks and backslashes that change nothing.
            ("\"Anna.S\"@example.com", "Anna.S@example.com"), ("\"an\\na\"@example.com", "anna@example.com"),
            ("\"anna\\ smith\"@example.com", "\"anna smith\"@example.com"), ("\"a\\\\b\"@example.com", "\"a\\\\b\"@example.com"),
            ("\"an..na\"@example.com", "\"an..na\"@example.com"), ("\"jürgen\"@bücher.example", "jürgen@bücher.example"),
            ("\"\(String(repeating: "a", count: 64))\"@b.co", "\(String(repeating: "a", count: 64))@b.co"),
            // A joiner where letters join; a name that IDNA 2008 leaves out, and that is registered.
            ("نامه\u{200c}ای@example.com", "نامه\u{200c}ای@example.com"), ("anna@xn--ls8h.la", "anna@xn--ls8h.la"),
            // What is no letter, mark or digit, and that languages need (RFC 5892, section 2.6 and appendix A).
            ("anna@צה\u{5f4}ל.example", "anna@צה\u{5f4}ל.example"), ("anna@א\u{5f3}.example", "anna@א\u{5f3}.example"),
            ("anna@\u{375}α.example", "anna@\u{375}α.example"), ("anna@བོད\u{f0b}ཡིག.example", "anna@བོད\u{f0b}ཡིག.example"),
            ("anna@\u{3007}.example", "anna@\u{3007}.example"), ("anna@ا\u{6fe}.example", "anna@ا\u{6fe}.example"),
        ])
    func takesAndNormalises(_ text: String, _ normal: String) throws {
        #expect(try EmailAddress(text).description == normal)
    }

    @Test(
        arguments: [
            ("", EmailAddressError.empty), (" \t\u{200b}", .empty), ("anna", .noAt), ("anna.example.com", .noAt),
            ("anna@@example.com", .twoAt), ("anna@b@example.com", .twoAt), ("@example.com", .noLocalPart),
            ("anna@", .noDomain),
            ("anna@localhost", .noDot), ("anna@10.0.0.1", .numericDomain), ("anna smith@example.com", .space),
            ("anna@exam ple.com", .space), ("anna\u{1}@example.com", .control), ("anna@example.com\u{0}x", .control),
            ("Anna <anna@example.com>", .displayName), ("<anna@example.com>", .displayName),
            ("anna(work)@example.com", .comment), ("anna@example.com, bob@example.com", .several),
            ("anna@example.com;bob@example.com", .several), ("an\"na@example.com", .misplacedQuote),
            ("\"anna@example.com", .misplacedQuote), ("\"anna\"", .noAt), ("\"anna\"x@example.com", .misplacedQuote),
            (".anna@example.com", .dots), ("anna.@example.com", .dots), ("an..na@example.com", .dots),
            ("anna@.example.com", .dots), ("anna@example..com", .dots), ("anna@example.com.", .dots),
            ("anna@-example.com", .hyphen), ("anna@example-.com", .hyphen), ("anna@[192.0.2.256]", .badLiteral),
            ("anna@[192.0.2.1", .badLiteral), ("anna@[IPv6:1::2::3]", .badLiteral), ("anna@[]", .badLiteral),
            ("anna@exam_ple.com", .badCharacter("_")), ("mailto:anna@example.com", .badCharacter(":")),
            ("anna\u{202e}@example.com", .badCharacter("\u{202e}")),
            ("anna@ex\u{2665}mple.com", .badCharacter("\u{2665}")),
            ("анна\u{a0}петрова@example.com", .badCharacter("\u{a0}")), ("anna@-bücher.example", .hyphen),
            ("anna@bücher..example", .dots), ("anna@bücher", .noDot), ("anna@bücher.１２", .numericDomain),
            ("\"\"@example.com", .noLocalPart), ("an\u{200c}na@example.com", .badCharacter("\u{200c}")),
            ("éé\u{200d}é@example.com", .badCharacter("\u{200d}")), ("é\u{fe0f}@example.com", .badCharacter("\u{fe0f}")),
            ("anna@bücher.ex＠mple", .badCharacter("＠")), ("anna@bü\u{200b}cher.example", .badCharacter("\u{200b}")),
        ])
    func refusesSayingWhy(_ text: String, _ fault: EmailAddressError) {
        #expect(throws: fault) { try EmailAddress(text) }
        #expect(!fault.description.isEmpty)
    }

    @Test(arguments: ["xn--a", "XN--A", "xn--zzzzzzzzz99999", "xn--example-x-", "xn--a-0hb", "xn--a-ecp", "xn--0"])
    func aLabelThatStandsForNothingIsRefused(_ label: String) throws {
        for domain in ["\(label).example", "mail.\(label)", "bücher.\(label).example"] {
            let fault = try #require(throws: EmailAddressError.self) { try EmailAddress("anna@\(domain)") }
            #expect("\(fault)".hasPrefix("no internationalised domain name: ") || fault == .hyphen, "\(fault)")
        }
    }

    @Test func keepsToTheLengthsOfRFC5321() throws {
        let local = String(repeating: "a", count: 64)
        let label = String(repeating: "b", count: 63)
        _ = try EmailAddress("\(local)@\(label).example")
        #expect(throws: EmailAddressError.longLocalPart) { try EmailAddress("a\(local)@example.com") }
        #expect(throws: EmailAddressError.longLabel) { try EmailAddress("a@b\(label).example") }
        let domain = [label, label, label].joined(separator: ".")
        _ = try EmailAddress("\(String(repeating: "a", count: 254 - 1 - 191))@\(domain)")
        #expect(throws: EmailAddressError.tooLong) { try EmailAddress("\(local)@\(domain)") }
        #expect(throws: EmailAddressError.longDomain) { try EmailAddress("a@\(domain).\(label).\(label)") }
        #expect(throws: EmailAddressError.tooLong) { try EmailAddress(String(repeating: "a", count: 1_000_000)) }
        #expect(throws: EmailAddressError.longLabel) {
            try EmailAddress("a@\(String(repeating: "ж", count: 60)).example")
        }
    }

    @Test func bytesThatAreNotUTF8AreRefused() {
        let bytes: [UInt8] = Array("an".utf8) + [0xff] + Array("na@example.com".utf8)
        var out: [UInt8] = []
        #expect(bytes.withUnsafeBufferPointer { EmailAddress.normalise($0, into: &out) } == .notUTF8)
    }

    @Test func normalisingTwiceChangesNothingAndSpaceAroundDoesNotMatter() throws {
        var generator = SeededGenerator(seed: 11)
        let letters = Array("abcXYZ019.-_+@ \"\\éЖ字[]:<")
        var taken = 0
        for _ in 0..<10_000 {
            let length = Int.random(in: 1...9, using: &generator)
            var text = String((0..<length).map { _ in letters.randomElement(using: &generator) ?? "a" })
            if Bool.random(using: &generator) { text += "@example.com" }
            guard let address = try? EmailAddress(text) else { continue }
            taken += 1
            #expect(try EmailAddress(address.description) == address)
            #expect(try EmailAddress(" \(text)\u{a0}\n") == address)
            #expect(address.description.utf8.count <= 254)
        }
        #expect(taken > 1_000)
    }

    @Test func theKeyFoldsCaseOfAllScripts() {
        func key(_ text: String) -> String {
            var text = text
            var out: [UInt8] = []
            text.withUTF8 { EmailAddress.appendKey(of: $0, to: &out) }
            return String(decoding: out, as: UTF8.self)
        }
        #expect(key("Anna.SMITH@example.com") == "anna.smith@example.com")
        // An older release kept quotation marks that are not needed.
        #expect(key("\"Ann\"@example.com") == "ann@example.com" && key("\"a\\nn\"@example.com") == "ann@example.com")
        #expect(key("\"їж\"@example.com") == key("їж@example.com"))
        #expect(key("\"ann lee\"@example.com") == "\"ann lee\"@example.com" && key("\"\"@x.com") == "\"\"@x.com" && key("\"") == "\"")
        #expect(key("ЇЖАК@example.com") == "їжак@example.com")
        #expect(key("Anna@bücher.example") == "anna@xn--bcher-kva.example" && key("ZOÉ@example.com") == key("zoé@example.com"))
    }

    @Test(
        arguments: [
            ("anna@example.com", "anna@example.com"), ("anna@bücher.example", "anna@xn--bcher-kva.example"),
            ("info@пример.рф", "info@xn--e1afmkfd.xn--p1ai"), ("jürgen@bücher.example", nil), ("anna", "anna"), ("ä", nil),
        ] as [(String, String?)])
    func hasAFormForAnyServer(_ normal: String, _ ascii: String?) {
        #expect(EmailAddress.asciiForm(of: normal) == ascii)
    }

    private func pasted(_ text: String) -> String {
        var out: [UInt8] = []
        let fault = Array(text.utf8).withUnsafeBufferPointer { EmailAddress.normalise(pasted: $0, into: &out) }
        return fault?.description ?? String(decoding: out, as: UTF8.self)
    }

    @Test(arguments: [
        "anna@example.com", "<anna@example.com>", "mailto:anna@example.com", "<MAILTO:anna@example.com>,", "Anna Ö. <anna@example.com>",
        "\"Smith, Anna\" <anna@example.com>;", "'anna@example.com'", "“anna@example.com”", "\u{200e}<anna@example.com>\u{200e}",
        "anna@example.com.",
        "anna@example.com;", " anna@example.com , ", "<<anna@example.com>>", "\"anna@example.com\"", "« anna@example.com »",
        "=\"anna@example.com\"", "an\u{200b}na@exam\u{ad}ple.com", "anna\u{200c}@\u{200d}example.com", "a\u{2060}nna@example\u{feff}.com",
        "<anna@exa\u{200b}mple.com>,", "“\u{200e}anna\u{200f}@example.com\u{200b}”", "Anna\u{200b} <\u{ad}anna@example.com>",
        "\"an\u{200b}na\"@example.com", "\u{200b}mail\u{ad}to:anna@exam\u{fe0f}ple.com",
    ])
    func takesOffWhatPastingLeaves(_ text: String) { #expect(pasted(text) == "anna@example.com") }

    @Test(arguments: [
        ("anna@example.com, bob@example.com", "more than one address, or a comma in it"),
        ("old@a.example <new@b.example>", "name or angle brackets in it"),
        ("mailto:anna@example.com?subject=x", "character ':' not allowed"), ("anna@example.com (Anna)", "space in it"),
        ("<anna@example>", "name or angle brackets in it"),
        ("anna@example.", "dot at the start, at the end, or twice in a row"), ("anna smith@example.com", "space in it"),
        ("<>", "name or angle brackets in it"),
        ("an\u{202e}na@example.com", "invisible character U+202E in it"),
        ("an\u{2067}na@exa\u{200b}mple.com", "invisible character U+2067 in it"),
        ("anna@exa\u{200b}mple com", "space in it"), (",", "more than one address, or a comma in it"),
    ])
    func takesOffNothingElse(_ text: String, _ fault: String) { #expect(pasted(text) == fault) }

    @Test func whatJoinsLettersStays() {
        #expect(pasted("نامه\u{200c}ای\u{200b}@exam\u{200d}ple.com") == "نامه\u{200c}ای@example.com")
        #expect(pasted("anna@bü\u{200b}\u{200c}cher.example") == "anna@bücher.example")
    }

    @Test func pastedTextNeverTrapsAndIsAnAddressOrAFault() {
        var generator = SeededGenerator(seed: 5)
        let letters = Array("ab@.<>\"'“”«»,;: mailto:é字\u{200e}\u{a0}-")
        for _ in 0..<20_000 {
            let text = String((0..<Int.random(in: 0...14, using: &generator)).map { _ in letters.randomElement(using: &generator) ?? "a" })
            let found = pasted(text)
            if found.contains("@"), let address = try? EmailAddress(found) { #expect(address.description == found) }
        }
    }
}
