import Model
import Policy
import Testing

@Suite struct PhoneNumberTests {
    @Test(
        arguments: [
            ("+491701234567", nil, "+491701234567"), ("+49 (0) 170 / 123-45.67", nil, "+491701234567"),
            ("0049 170 1234567", nil, "+491701234567"), ("0049 (0)170 1234567", nil, "+491701234567"),
            ("0170 1234567", "DE", "+491701234567"), ("(0170) 1234567", "de", "+491701234567"),
            ("+33 6 39 98 01 23", "DE", "+33639980123"), ("06 39 98 01 23", "FR", "+33639980123"),
            ("07700 900123", "GB", "+447700900123"), ("(212) 555-0123", "US", "+12125550123"),
            ("1-212-555-0123", "US", "+12125550123"), ("011 44 7700 900123", "US", "+447700900123"),
            ("8 912 345-67-89", "RU", "+79123456789"), ("06 20 123 4567", "HU", "+36201234567"),
            ("02 1234 5678", "IT", "+390212345678"), ("612 345 678", "ES", "+34612345678"),
            ("80 29 123-45-67", "BY", "+375291234567"), ("0011 44 7700 900123", "AU", "+447700900123"),
            ("\u{202a}+1\u{a0}212\u{2011}555\u{2013}0123\u{202c}", nil, "+12125550123"),
        ] as [(String, String?, String)])
    func takesAndNormalises(_ text: String, _ country: String?, _ normal: String) throws {
        #expect(try PhoneNumber(text, country: country.flatMap { PhoneCountry($0) }).description == normal)
    }

    @Test(
        arguments: [
            ("", nil, PhoneNumberError.empty), ("+", nil, .noDigits), ("()", "DE", .noDigits),
            ("0170 1234567", nil, .noCountry),
            ("+49+170", nil, .misplacedPlus), ("49+1701234567", nil, .misplacedPlus),
            ("+0170 1234567", nil, .zeroAfterPlus),
            ("+49 170", nil, .tooShort), ("+4917012345678901", nil, .tooLong), ("+1 212 555 012", nil, .notTenDigits),
            ("555-0123", "US", .notTenDigits), ("+49 170 CALL", nil, .badCharacter("C")),
            ("+49170#5", nil, .badCharacter("#")),
            ("+49 170 ١٢٣", nil, .badCharacter("١")), (String(repeating: "1", count: 100), "DE", .tooLong),
        ] as [(String, String?, PhoneNumberError)])
    func refusesSayingWhy(_ text: String, _ country: String?, _ fault: PhoneNumberError) {
        #expect(throws: fault) { try PhoneNumber(text, country: country.flatMap { PhoneCountry($0) }) }
        #expect(!fault.description.isEmpty)
    }

    @Test func everyCountryHasACallingCodeOfOneToThreeDigits() {
        #expect(PhoneCountry.codes.count > 235)
        for code in PhoneCountry.codes {
            let country = PhoneCountry(code.lowercased())
            #expect(code.utf8.count == 2 && (1...3).contains(country?.callingCode.utf8.count ?? 0), "\(code)")
            #expect(country?.callingCode.utf8.allSatisfy { (48...57).contains($0) } == true, "\(code)")
        }
        #expect(PhoneCountry("UK") == nil && PhoneCountry("") == nil)
    }

    @Test func normalisingTwiceChangesNothing() throws {
        var generator = SeededGenerator(seed: 5)
        let letters = Array("0123456789+ -()./x")
        let country = PhoneCountry("DE")
        var taken = 0
        for _ in 0..<10_000 {
            let length = Int.random(in: 6...18, using: &generator)
            let text = String((0..<length).map { _ in letters.randomElement(using: &generator) ?? "0" })
            guard let number = try? PhoneNumber(text, country: country) else { continue }
            taken += 1
            #expect(try PhoneNumber(number.description) == number)
            #expect(try PhoneNumber(number.description, country: PhoneCountry("US")) == number)
            #expect((9...16).contains(number.description.utf8.count))
        }
        #expect(taken > 500)
    }
}
