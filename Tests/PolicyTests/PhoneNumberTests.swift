import Model
import Testing

@testable import Policy

@Suite struct PhoneNumberTests {
    @Test(
        arguments: [
            ("+49 170 1234567", nil, "+491701234567"), ("0049-170-1234567", nil, "+491701234567"),
            ("00 44 (0)7700 900001", nil, "+447700900001"),
            ("0170 1234567", "DE", "+491701234567"), ("170/1234567", "DE", "+491701234567"), ("(0170) 1234567", "DE", "+491701234567"),
            ("+49 0151 23456780", "DE", "+4915123456780"), ("+49 (0) 170 1234567", "FR", "+491701234567"),
            ("0170.123.45.67", "DE", "+491701234567"), ("0170·1234567", "DE", "+491701234567"),
            // Without the plus sign that a spreadsheet dropped.
            ("491701234567", "DE", "+491701234567"), ("49 0170 1234567", "DE", "+491701234567"), ("4915123456781", "DE", "+4915123456781"),
            ("447700900001", "GB", "+447700900001"), ("44 7700 900006", "GB", "+447700900006"), ("919876543213", "IN", "+919876543213"),
            ("12015550130", "US", "+12015550130"), ("79123456786", "RU", "+79123456786"),
            // Two zeros stand for a plus sign everywhere.
            ("011 49 170 1234567", "US", "+491701234567"), ("0049 170 1234567", "US", "+491701234567"),
            ("010 49 170 1234567", "JP", "+491701234567"), ("0049 170 1234567", "JP", "+491701234567"),
            // Rules of mobile numbers and trunk prefixes.
            ("011 15 2345-6789", "AR", "+5491123456789"), ("044 55 1234 5678", "MX", "+525512345678"),
            ("8 912 345-67-86", "RU", "+79123456786"),
            ("+36 06 20 123 4570", "HU", "+36201234570"), ("06 1234567", "IT", "+39061234567"), ("+39 (0)6 1234567", nil, "+39061234567"),
            // Other scripts, and what is not seen.
            ("０９０－１２３４－５６７９", "JP", "+819012345679"), ("٠١٠٠١٢٣٤٥٧١", "EG", "+201001234571"),
            ("\u{202a}+49\u{a0}170 1234567\u{202c}", nil, "+491701234567"),
            ("+49\u{200b}170\u{2011}1234567", nil, "+491701234567"), ("'0170 1234567", "DE", "+491701234567"),
            // URIs and extensions.
            ("tel:+1-201-555-0130", nil, "+12015550130"), ("TEL:+1-201-555-0130;ext=12", "DE", "+12015550130"),
            ("tel:0170-1234567;phone-context=+49", nil, "+491701234567"), ("0170 1234567 ext. 5", "DE", "+491701234567"),
            ("+1 201 555 0130 x12", nil, "+12015550130"), ("030 12345678, ext. 5", "DE", "+493012345678"),
            // What a table of numbers, or a slip, leaves behind a number.
            ("491701234598.0", "DE", "+491701234598"), ("9876543210.0", "IN", "+919876543210"), ("+491701234567,00", nil, "+491701234567"),
            ("0170 12 34 607#", "DE", "+491701234607"), ("1 415 555 0139#", "US", "+14155550139"), ("0170 1234567,", "DE", "+491701234567"),
        ] as [(String, String?, String)])
    func readsEverySpelling(_ text: String, _ country: String?, _ normal: String) throws {
        #expect(try PhoneNumber(text, country: country.flatMap { PhoneCountry($0) }).description == normal)
    }

    @Test(
        arguments: [
            ("", nil, PhoneNumberError.empty), ("+", nil, .tooShort), ("()", "DE", .noDigits), ("\u{200b} ", nil, .empty),
            ("0170 1234567", nil, .noCountry), ("491701234567", nil, .noCountry), ("1", "DE", .tooShort), ("110", "DE", .noAreaCode),
            ("+49 170 123456789012", nil, .tooLong),
            ("+49 170 1234567 +49 171 7654321", nil, .misplacedPlus), ("0170 1234567 / 0171 7654321", "DE", .tooLong),
            ("+0170 1234567", nil, .unknownCountryCode), ("+999 12345678", nil, .unknownCountryCode),
            ("+1 201 555 013", nil, .tooShort), ("+1 201 555 01300", nil, .tooLong), ("5551234", "US", .noAreaCode),
            ("Tel 0170 1234567", "DE", .badCharacter("T")), ("0170 1234567 mobile", "DE", .badCharacter("m")),
            ("2 x 0170 1234567", "DE", .badCharacter("x")), ("1-800-FLOWERS", "US", .badCharacter("F")),
            ("0170_1234567", "DE", .badCharacter("_")),
            // No sign parts a number from an extension: it would be a shorter number, or the first of two.
            ("0170,1234567", "DE", .badCharacter(",")), ("01701234567;01717654321", "DE", .badCharacter(";")),
            ("0170#1234567", "DE", .badCharacter("#")), ("0170~1234567", "DE", .badCharacter("~")),
            ("+491701234567,5", nil, .badCharacter(",")),
            ("0170 1234567\n0171 7654321", "DE", .badCharacter("\n")), ("anna@example.com", nil, .badCharacter("a")),
            // Another country's number without its plus sign, and one that is a number either way.
            ("33612345678", "DE", .ambiguous), ("33612345678", "GB", .ambiguous), ("49636083", "DE", .ambiguous),
            ("468186700", "SE", .ambiguous),
        ] as [(String, String?, PhoneNumberError)])
    func refusesSayingWhy(_ text: String, _ country: String?, _ fault: PhoneNumberError) {
        #expect(throws: fault) { try PhoneNumber(text, country: country.flatMap { PhoneCountry($0) }) }
    }

    /// No message may go to a number that nobody wrote.
    @Test(
        arguments: [
            ("192.168.178.20", PhoneLookalike.address), ("10.0.0.1", .address), ("203.0.113.195:8080", .address),
            ("10.0.30.40/24", .address),
            ("8.8.8.8", .address), ("172.217.16.142", .address), ("2024-01-15", .date), ("15.01.2024", .date), ("1/15/2024", .date),
            ("2024-01-15 10:30:00", .date), ("31.12.24", .date), ("10.15.7", .version), ("2.4.1.1234", .version), ("11.0.2021", .version),
            ("1.234.567", .amount), ("12.345.678", .amount), ("1234567.50", .amount), ("4711.5", .amount), ("-1234567", .amount),
        ] as [(String, PhoneLookalike)])
    func whatIsNoNumberIsNoneThoughItsDigitsCouldBeDialled(_ text: String, _ what: PhoneLookalike) {
        for country in ["DE", "US", "FR", "GB", "NO", nil] {
            #expect(throws: PhoneNumberError.self, "\(country ?? "-")") {
                try PhoneNumber(text, country: country.flatMap { PhoneCountry($0) })
            }
        }
        #expect(throws: PhoneNumberError.lookalike(what)) { try PhoneNumber(text, country: PhoneCountry("DE")) }
        #expect(throws: PhoneNumberError.lookalike(what)) { try PhoneNumber(" \u{200b}" + text, country: PhoneCountry("DE")) }
    }

    @Test(arguments: ["$1234567", "1234567 €", "12345678%", "1'234'567", "2001:0:3238:1:63::1", "1.234.567,89", "1,234,567.00"])
    func amountsAreNoNumbers(_ text: String) {
        for country in ["DE", "US", "NO", "CH"] {
            #expect(throws: PhoneNumberError.self, "\(country)") { try PhoneNumber(text, country: PhoneCountry(country)) }
        }
    }

    /// Some countries write their numbers like that.
    @Test(
        arguments: [
            ("612.345.678", "ES", "+34612345678"), ("601.234.567", "PL", "+48601234567"), ("1.415.555.2671", "US", "+14155552671"),
            ("06.12.34.56.78", "FR", "+33612345678"), ("40.61.23.45", "NO", "+4740612345"), ("415.555.2671", "US", "+14155552671"),
            ("0170.1234567", "DE", "+491701234567"), ("+49.170.123.45.67", "FR", "+491701234567"),
        ] as [(String, String, String)])
    func numbersWithDotsAreStillRead(_ text: String, _ country: String, _ normal: String) throws {
        #expect(try PhoneNumber(text, country: PhoneCountry(country)).description == normal)
    }

    @Test func aNumberThatIsPossibleAndNotKnownIsUnverified() throws {
        #expect(try PhoneNumber("+447700900001").isVerified == false)
        #expect(try PhoneNumber("+12015550130").isVerified)
    }

    @Test func knowsTheCountries() {
        #expect(PhoneCountry.codes.count > 235)
        for code in PhoneCountry.codes {
            let country = PhoneCountry(code.lowercased())
            #expect(country?.code == code && 1...3 ~= "\(country?.callingCode ?? 0)".count)
        }
        #expect(PhoneCountry("UK") == nil && PhoneCountry("") == nil && PhoneCountry("001") == nil)
    }

    @Test func whatIsTakenIsTakenAgainAsItIs() throws {
        var generator = SeededGenerator(seed: 3)
        let letters = Array("0123456789012345678901234567890123456789+ -./()")
        for code in ["DE", "US", "IT", "BR", "JP"] {
            let country = PhoneCountry(code)
            var taken = 0
            for _ in 0..<2_000 {
                let text = String(
                    (0..<Int.random(in: 8...16, using: &generator)).map { _ in letters.randomElement(using: &generator) ?? "0" })
                guard let number = try? PhoneNumber(text, country: country) else { continue }
                taken += 1
                #expect(number.description.wholeMatch(of: /\+[1-9][0-9]{3,14}/) != nil, "\(number)")
                #expect(try PhoneNumber(number.description).description == number.description, "\(text)")
            }
            #expect(taken > 20)
        }
    }

    @Test func theBetterOfTwoReadingsCounts() throws {
        func reading(_ fit: PhoneReading.Fit, _ number: String = "+1") -> PhoneReading {
            PhoneReading(number: number, callingCode: 1, fit: fit)
        }
        let fits: [PhoneReading.Fit] = [.tooShort, .local, .possible, .valid, .mobile]
        for national in fits {
            for other in fits {
                for isExplicit in [false, true] {
                    let chosen = Result { () throws(PhoneNumberError) in
                        try PhoneNumber.choose(.success(reading(national)), reading(other, "+2"), isExplicit: isExplicit)
                    }
                    let usable = (national >= .possible, other >= .possible)
                    switch chosen {
                    case .success(.success(let found)) where found.number == "+2":
                        // Only what says that it has a country code is read as one.
                        #expect(isExplicit && other > national && usable.1)
                    case .success:
                        let isBetter = national > other || (national == other && !isExplicit)
                        #expect(!usable.1 || (usable.0 && isBetter) || (!usable.0 && !isExplicit && other == .possible))
                    case .failure: #expect(usable.1)
                    }
                }
            }
        }
    }
}
