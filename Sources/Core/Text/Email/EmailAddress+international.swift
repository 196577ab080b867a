extension EmailAddress {
    /// Checks and appends an address with characters beyond ASCII (RFC 6531 section 3.3), whose ASCII part is in order: its local part
    /// in normalisation form C, its domain as people read it.
    /// - Parameter at: where its `@` stands.
    static func international(
        _ bytes: UnsafeBufferPointer<UInt8>, at: Int, into out: inout [UInt8]
    ) -> EmailAddressError? {
        guard let written = String(validating: bytes[..<at], as: UTF8.self),
            let domain = String(validating: bytes[(at + 1)...], as: UTF8.self)
        else { return .notUTF8 }
        let local = written.nfc
        let scalars = Array(local.unicodeScalars)
        for index in scalars.indices where !isAllowed(scalars[index]) && !scalars.isJoiner(at: index) {
            return .badCharacter(scalars[index])
        }
        guard local.utf8.count <= 64 else { return .longLocalPart }
        var ascii = domain.lowercased()
        var shown = ascii
        if domain.utf8.contains(where: { $0 >= 0x80 }) {
            // The library drops some characters that it does not allow.
            for scalar in ascii.unicodeScalars where scalar.value >= 0x80 && !isAllowedInDomain(scalar) { return .badCharacter(scalar) }
            do throws(InternationalDomain.Failure) {
                ascii = try InternationalDomain.ascii(ascii)
            } catch {
                return EmailAddressError(error)
            }
            // What the mapping made of the name has to be a name too.
            if let fault = fault(ofDomain: ascii) { return fault }
            shown = InternationalDomain.unicode(ascii)
        }
        guard local.utf8.count + 1 + max(ascii.utf8.count, shown.utf8.count) <= 254 else { return .tooLong }
        out.append(contentsOf: local.utf8)
        out.append(UInt8(ascii: "@"))
        out.append(contentsOf: shown.utf8)
        return nil
    }

    /// The form in which any mail server takes an address: with the A-labels of its domain (RFC 5891 section 4.4). Nil where the local
    /// part is not ASCII: such an address needs SMTPUTF8 (RFC 6531), whatever its domain is.
    /// - Parameter normal: an address in its normal form.
    package static func asciiForm(of normal: String) -> String? {
        if normal.utf8.withContiguousStorageIfAvailable({ !ByteKinds($0).hasHigh }) == true { return normal }
        guard normal.utf8.contains(where: { $0 >= 0x80 }) else { return normal }
        guard let at = normal.lastIndex(of: "@"), normal[..<at].utf8.allSatisfy({ $0 < 0x80 }), let domain = asciiDomain(of: normal)
        else { return nil }
        return normal[...at] + domain
    }

    /// The form that people read: with the U-labels of its domain.
    package static func readableForm(of normal: String) -> String {
        guard let at = normal.lastIndex(of: "@") else { return normal }
        return normal[...at] + InternationalDomain.unicode(String(normal[normal.index(after: at)...]))
    }

    /// The A-labels of an address's domain; nil for an address that is none.
    package static func asciiDomain(of normal: String) -> String? {
        normal.lastIndex(of: "@").flatMap { try? InternationalDomain.ascii(String(normal[normal.index(after: $0)...])) }
    }

    /// Appends the key of an address beyond ASCII.
    static func appendInternationalKey(of normal: UnsafeBufferPointer<UInt8>, to out: inout [UInt8]) {
        let text = String(decoding: normal, as: UTF8.self)
        let at = text.lastIndex(of: "@") ?? text.endIndex
        out.append(contentsOf: text[..<at].lowercased().nfc.utf8)
        out.append(UInt8(ascii: "@"))
        out.append(contentsOf: (asciiDomain(of: text) ?? text[at...].dropFirst().lowercased()).utf8)
    }

    private static func fault(ofDomain ascii: String) -> EmailAddressError? {
        var text = ascii
        var isForeign = false
        return text.withUTF8 { domain($0, from: 0, &isForeign) }
    }

    /// A character of a local part: one that is printed.
    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x80 { return true }
        if scalar.properties.isDefaultIgnorableCodePoint { return false }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator,
            .paragraphSeparator:
            return false
        default: return true
        }
    }

    /// A letter, mark or digit (RFC 5892 section 2.1), what languages need besides (section 2.6, appendix A), or what is read as a dot or a
    /// hyphen (Unicode TR46).
    private static func isAllowedInDomain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .lowercaseLetter, .otherLetter, .modifierLetter, .uppercaseLetter, .titlecaseLetter, .nonspacingMark, .spacingMark,
            .decimalNumber:
            true
        default: furtherInDomain.contains(scalar.value)
        }
    }

    private static let furtherInDomain: Set<UInt32> = [
        // Joiners; the middle dots of Catalan and of Katakana, the keraia, the geresh and the gershayim.
        0x200c, 0x200d, 0xb7, 0x30fb, 0x375, 0x5f3, 0x5f4,
        // Two signs of Sindhi, the tsheg between Tibetan syllables, the zero of Han digits.
        0x6fd, 0x6fe, 0xf0b, 0x3007,
        // Full stops and a hyphen.
        0x3002, 0xff0e, 0xff61, 0xff0d,
    ]
}
