import Text

/// A telephone number as somebody wrote it, without what nobody sees and in one script: digits and signs of all scripts become ASCII's,
/// marks of writing direction and zero-width characters go, dashes become hyphens and white space spaces.
struct PhoneText {
    /// From the first digit or plus sign on.
    private(set) var text = ""
    /// The first letter, and what stands before it. The letters may be the word for an extension, and nothing else.
    private(set) var letter: (before: String, scalar: Unicode.Scalar)?

    /// Characters that are read; a number with a few words is no longer than that.
    private static let longest = 128

    /// - Parameter raw: UTF-8.
    init(_ raw: UnsafeBufferPointer<UInt8>) throws(PhoneNumberError) {
        let bytes = raw.trimmed
        guard !bytes.isEmpty else { throw .empty }
        guard bytes.count <= 4 * Self.longest else { throw .tooLong }
        guard let written = String(validating: bytes, as: UTF8.self) else { throw .notUTF8 }
        var clean = ""
        for scalar in written.unicodeScalars {
            if let scalar = Self.cleaned(scalar) { clean.unicodeScalars.append(scalar) }
        }
        guard clean.unicodeScalars.count <= Self.longest else { throw .tooLong }
        let scheme = clean.prefix(4).lowercased()
        let isURI = scheme == "tel:" || scheme == "sms:"
        if isURI { clean.removeFirst(4) }
        // The parameters of a URI (RFC 3966) are words, and the library reads them.
        let spoken = isURI ? clean.prefix { $0 != ";" } : clean[...]
        guard let start = spoken.firstIndex(where: { $0 == "+" || ("0"..."9").contains($0) }) else {
            throw clean.unicodeScalars.first { $0.properties.isAlphabetic }.map { .badCharacter($0) } ?? .noDigits
        }
        try Self.refuseAmounts(clean)
        text = String(clean[start...])
        if !isURI { try refuseExtensionSigns() }
        guard let index = spoken.unicodeScalars.firstIndex(where: \.properties.isAlphabetic) else { return }
        guard index > start else { throw .badCharacter(clean.unicodeScalars[index]) }
        letter = (String(clean[start..<index]), clean.unicodeScalars[index])
    }

    /// A currency, a share, or a minus sign makes a text an amount. What stands around a number is otherwise passed over.
    private static func refuseAmounts(_ text: String) throws(PhoneNumberError) {
        if let sign = text.unicodeScalars.first(where: { $0 == "%" || $0.properties.generalCategory == .currencySymbol }) {
            throw .badCharacter(sign)
        }
        guard text.first == "-", text.dropFirst().first?.isNumber == true else { return }
        throw .lookalike(.amount)
    }

    /// Signs in which the library sees an extension, and drops what follows.
    private static let extensionSigns: Set<Character> = [",", ";", "#", "~"]

    /// Without a word for an extension such a sign is more likely a slip, or parts two numbers, and a shorter number would get the message.
    /// What ends a text says nothing, and neither do the decimals that a table has given to a column of numbers.
    private mutating func refuseExtensionSigns() throws(PhoneNumberError) {
        while let last = text.last, last == " " || last == "." || Self.extensionSigns.contains(last) { text.removeLast() }
        if let point = text.lastIndex(where: { $0 == "." || $0 == "," }), text[point...].dropFirst().allSatisfy({ $0 == "0" }) {
            let number = text[..<point].drop { $0 == "+" }
            if number.count >= 7, number.allSatisfy(\.isNumber) { text.removeSubrange(point...) }
        }
        guard !text.unicodeScalars.contains(where: \.properties.isAlphabetic) else { return }
        if let sign = text.first(where: Self.extensionSigns.contains) { throw .badCharacter(sign.unicodeScalars.first ?? ",") }
    }

    /// The text as that of a number with a country code and without a plus sign; nil where it cannot be one. Two zeros in front stand
    /// for a plus sign in most countries.
    var behindPlus: String? {
        guard let first = text.first, first != "+" else { return nil }
        guard first == "0" else { return "+" + text }
        let rest = text.dropFirst().drop { !$0.isNumber }
        return rest.first == "0" ? "+" + rest.dropFirst() : nil
    }

    /// The first character that no number has; nil for none.
    var strangeScalar: Unicode.Scalar? {
        text.unicodeScalars.first {
            !($0.value < 0x80 && ($0.properties.numericType != nil || " -.()/[]~+,;#".unicodeScalars.contains($0)))
        }
    }

    /// What is read in place of a character; nil for one that is not seen.
    private static func cleaned(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
        if scalar.value < 0x80 { return scalar == "\t" ? " " : scalar }
        // Full width forms of ASCII.
        if 0xff01...0xff5e ~= scalar.value { return Unicode.Scalar(scalar.value - 0xfee0) }
        // Minus signs, the prolonged sound mark that stands for a dash in Japan, and middle dots.
        if [0x2212, 0x30fc, 0xff70].contains(scalar.value) { return "-" }
        if [0xb7, 0x2022, 0x2219, 0x22c5].contains(scalar.value) { return "." }
        switch scalar.properties.generalCategory {
        case .format: return nil
        case .spaceSeparator: return " "
        case .dashPunctuation: return "-"
        case .decimalNumber: return scalar.properties.numericValue.flatMap { Unicode.Scalar(UInt8(48 + $0)) } ?? scalar
        default: return scalar
        }
    }
}
