extension EmailAddress {
    /// Checks and appends an address with characters beyond ASCII (RFC 6531 section 3.3), whose ASCII part is in order.
    /// - Parameter at: where its `@` stands.
    static func international(
        _ bytes: UnsafeBufferPointer<UInt8>, at: Int, into out: inout [UInt8]
    ) -> EmailAddressError? {
        guard let local = String(validating: bytes[..<at], as: UTF8.self),
            let domain = String(validating: bytes[(at + 1)...], as: UTF8.self)
        else { return .notUTF8 }
        for scalar in local.unicodeScalars where !isAllowed(scalar) { return .badCharacter(scalar) }
        let lowered = domain.lowercased()
        for label in lowered.unicodeScalars.split(separator: ".") {
            var isForeign = false
            for scalar in label where scalar.value >= 0x80 {
                isForeign = true
                guard isLetter(scalar) else { return .badCharacter(scalar) }
            }
            // As an A-label it has "xn--" in front and at least as many characters (RFC 5890 section 2.3.2.1).
            if isForeign, label.count > 59 { return .longLabel }
        }
        let start = out.count
        out.append(contentsOf: local.utf8)
        out.append(UInt8(ascii: "@"))
        out.append(contentsOf: lowered.utf8)
        return out.count - start <= 254 ? nil : .tooLong
    }

    /// A character of a local part: printed, or a joiner that scripts such as Persian need between letters.
    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x80 || scalar.value == 0x200c || scalar.value == 0x200d { return true }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator,
            .paragraphSeparator:
            return false
        default: return true
        }
    }

    /// A character of a U-label: a letter, mark or digit (RFC 5892 section 2.1), or a joiner.
    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .lowercaseLetter, .otherLetter, .modifierLetter, .uppercaseLetter, .titlecaseLetter, .nonspacingMark,
            .spacingMark,
            .decimalNumber:
            true
        // The middle dot of Catalan and that of Katakana (RFC 5892 appendix A.3, A.7).
        default: scalar.value == 0x200c || scalar.value == 0x200d || scalar.value == 0xb7 || scalar.value == 0x30fb
        }
    }
}
