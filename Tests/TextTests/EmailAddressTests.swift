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
            ("анна\u{a0}петрова@example.com", .badCharacter("\u{a0}")),
        ])
    func refusesSayingWhy(_ text: String, _ fault: EmailAddressError) {
        #expect(throws: fault) { try EmailAddress(text) }
        #expect(!fault.description.isEmpty)
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
        #expect(key("ЇЖАК@example.com") == "їжак@example.com")
    }
}
