/// A telephone number as ITU-T E.164 writes it: a plus sign, the country calling code and the national number.
package struct PhoneNumber: Sendable, Hashable, CustomStringConvertible {
    package let description: String
    /// It stands in a range that the numbering plan is known to have. Ranges that were opened after the library's metadata are not.
    package let isVerified: Bool

    /// - Parameter country: of numbers that are written as in that country (`0170 …`); nil takes none of these.
    package init(_ text: String, country: PhoneCountry? = nil) throws(PhoneNumberError) {
        self = try Array(text.utf8).withUnsafeBufferPointer { raw throws(PhoneNumberError) in try PhoneNumber(raw, country: country) }
    }

    /// Reads a number from UTF-8. An extension is dropped.
    package init(_ raw: UnsafeBufferPointer<UInt8>, country: PhoneCountry?) throws(PhoneNumberError) {
        let written = try PhoneText(raw)
        guard let lookalike = PhoneLookalike.found(in: written.text) else {
            try self.init(written, country: country)
            return
        }
        // Where a number may have that form too, one that the plan of its country knows is taken.
        guard !lookalike.isCertain, let number = try? PhoneNumber(written, country: country), number.isVerified else {
            throw .lookalike(lookalike.what)
        }
        self = number
    }

    private init(_ written: PhoneText, country: PhoneCountry?) throws(PhoneNumberError) {
        guard let letter = written.letter else {
            try self.init(Self.read(written, country))
            return
        }
        // Words other than that for an extension are refused: the library takes their letters for digits of a keypad.
        guard let whole = try? Self.read(written, country), whole.hasExtension,
            let head = try? PhoneNumber(letter.before, country: country),
            head.description == whole.number
        else { throw .badCharacter(letter.scalar) }
        self = head
    }

    private init(_ reading: PhoneReading) throws(PhoneNumberError) {
        switch reading.fit {
        case .tooShort: throw .tooShort
        case .tooLong: throw .tooLong
        case .wrongLength: throw .wrongLength
        case .local: throw .noAreaCode
        case .possible, .valid, .mobile: break
        }
        // ITU-T E.164 has 15 digits at most, and the library's plans sometimes more.
        guard reading.number.utf8.count <= 16 else { throw .tooLong }
        description = reading.number
        isVerified = reading.fit >= .valid
        // A number with zeros in front that nobody dials is no number, though it has as many digits as one.
        guard isVerified || (try? PhoneReading(description, country: nil))?.number == description else { throw .noNumber }
    }

    /// Reads a number in the way that its writer meant it.
    private static func read(_ written: PhoneText, _ country: PhoneCountry?) throws(PhoneNumberError) -> PhoneReading {
        let asWritten = Result { () throws(PhoneReading.Failure) in try PhoneReading(written.text, country: country) }
        let behindPlus = written.behindPlus.flatMap { try? PhoneReading($0, country: country) }
        guard let country else {
            if case .failure = asWritten, !written.text.hasPrefix("+") {
                guard written.text.hasPrefix("0"), let behindPlus else { throw .noCountry }
                return behindPlus
            }
            return try get(asWritten, written)
        }
        let isExplicit = written.text.hasPrefix("0") || behindPlus?.callingCode == country.callingCode
        return try get(choose(asWritten, behindPlus, isExplicit: isExplicit), written)
    }

    private static func get(
        _ reading: Result<PhoneReading, PhoneReading.Failure>, _ written: PhoneText
    ) throws(PhoneNumberError) -> PhoneReading {
        switch reading {
        case .success(let found): return found
        case .failure(let failure): throw PhoneNumberError(failure, of: written)
        }
    }

    /// Which of two readings of a number without a plus sign is meant: as it is dialled in the country of the list, or behind the plus sign
    /// that a spreadsheet dropped. The better fit counts. Where that does not tell, or where the code would be another country's, the
    /// number is refused, so that no message goes to a number that nobody wrote.
    /// - Parameter isExplicit: the second reading has the country code of the list's country, or two zeros in place of the plus sign.
    static func choose(
        _ asWritten: Result<PhoneReading, PhoneReading.Failure>, _ behindPlus: PhoneReading?, isExplicit: Bool
    ) throws(PhoneNumberError) -> Result<PhoneReading, PhoneReading.Failure> {
        guard let behindPlus, behindPlus.fit >= .possible else { return asWritten }
        guard case .success(let national) = asWritten, national.fit >= .possible else {
            guard isExplicit || behindPlus.fit == .possible else { throw .ambiguous }
            return isExplicit ? .success(behindPlus) : asWritten
        }
        if national.number == behindPlus.number || national.fit > behindPlus.fit { return asWritten }
        if national.fit == behindPlus.fit, !isExplicit { return asWritten }
        guard isExplicit, national.fit < behindPlus.fit else { throw .ambiguous }
        return .success(behindPlus)
    }
}
