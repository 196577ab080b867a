import CIDN2

/// Domain names beyond ASCII, by libidn2: IDNA 2008 (RFC 5891) with the mapping of Unicode TR46, non-transitional.
enum InternationalDomain {
    /// Why a name has no form in ASCII.
    enum Failure: Error, Equatable {
        case longLabel, longDomain
        case badCharacter(Unicode.Scalar)
        /// What the library says.
        case other(String)
    }

    /// A name's A-labels (`bücher.de` is `xn--bcher-kva.de`), in lower case.
    static func ascii(_ domain: String) throws(Failure) -> String {
        let code: Int32
        do throws(Code) {
            return try lookup(domain)
        } catch {
            code = error.value
        }
        switch code {
        case IDN2_TOO_BIG_LABEL.rawValue, IDN2_PUNYCODE_BIG_OUTPUT.rawValue: throw .longLabel
        case IDN2_TOO_BIG_DOMAIN.rawValue: throw .longDomain
        default: break
        }
        // The library does not say which character it is. Behind a letter each may stand but those that are not allowed.
        for scalar in domain.unicodeScalars where scalar.value >= 0x80 && (try? lookup("a\(scalar)")) == nil { throw .badCharacter(scalar) }
        throw .other(words(code))
    }

    /// Why a label that begins with `xn--` is no A-label; nil for one that is, and for any other label. Labels of characters that IDNA 2008
    /// leaves out and Unicode TR46 has, such as emoji, are registered and get mail.
    static func fault(ofLabel label: Slice<UnsafeBufferPointer<UInt8>>) -> Failure? {
        // Every domain has its labels looked at here, and hardly one has the mark.
        let start = label.startIndex
        guard label.count >= 4, label[start].lowercased == UInt8(ascii: "x"), label[start + 1].lowercased == UInt8(ascii: "n"),
            label[start + 2] == UInt8(ascii: "-"), label[start + 3] == UInt8(ascii: "-")
        else { return nil }
        do throws(Code) {
            _ = try lookup(String(decoding: label, as: UTF8.self))
            return nil
        } catch {
            return error.value == IDN2_DISALLOWED.rawValue ? nil : .other(words(error.value))
        }
    }

    /// A name of A-labels as people read it; as it is where a label is no A-label.
    static func unicode(_ ascii: String) -> String {
        var found: UnsafeMutablePointer<CChar>?
        guard idn2_to_unicode_8z8z(ascii, &found, 0) == IDN2_OK.rawValue, let found else { return ascii }
        defer { idn2_free(found) }
        return String(cString: found)
    }

    private static func words(_ code: Int32) -> String { String(cString: idn2_strerror(code)) }

    /// A result code of the library's.
    private struct Code: Error {
        var value: Int32
    }

    private static func lookup(_ domain: String) throws(Code) -> String {
        let flags = IDN2_NFC_INPUT.rawValue | IDN2_NONTRANSITIONAL.rawValue | IDN2_USE_STD3_ASCII_RULES.rawValue
        var found: UnsafeMutablePointer<CChar>?
        let code = idn2_to_ascii_8z(domain, &found, Int32(flags))
        guard code == IDN2_OK.rawValue, let found else { throw Code(value: code) }
        defer { idn2_free(found) }
        return String(cString: found)
    }
}
