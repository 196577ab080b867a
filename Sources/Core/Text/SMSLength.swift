/// How long the text of an SMS is, as networks count it (3GPP TS 23.038 and 23.040): in septets where all of its characters are of GSM's
/// alphabet, else in 16-bit units.
package struct SMSLength: Sendable, Equatable {
    /// GSM's 7-bit default alphabet can write it.
    package let isGSM: Bool
    /// Septets or 16-bit units.
    package let units: Int
    /// Messages that it is sent in; 0 for an empty text.
    package let segments: Int

    package init(_ text: String) {
        let septets = text.unicodeScalars.map(Self.septets)
        isGSM = !septets.contains(0)
        let sizes = isGSM ? septets : text.unicodeScalars.map { UTF16.width($0) }
        units = sizes.reduce(0, +)
        segments = Self.segments(sizes, units, whole: isGSM ? 160 : 70, part: isGSM ? 153 : 67)
    }

    /// - Parameters:
    ///   - sizes: of the characters, none of which is divided.
    ///   - whole: units of a message by itself.
    ///   - part: units of one of several, which have a header.
    private static func segments(_ sizes: [Int], _ units: Int, whole: Int, part: Int) -> Int {
        if units <= whole { return units == 0 ? 0 : 1 }
        var (segments, used) = (1, 0)
        for size in sizes {
            if used + size > part { (segments, used) = (segments + 1, 0) }
            used += size
        }
        return segments
    }

    /// What a character takes; 0 where the alphabet lacks it.
    private static func septets(_ scalar: Unicode.Scalar) -> Int {
        switch scalar {
        case "^", "{", "}", "\\", "[", "~", "]", "|", "€", "\u{0c}": 2
        case "`", "\t": 0
        case " "..."~", "\n", "\r": 1
        default: others.contains(scalar) ? 1 : 0
        }
    }

    private static let others = Set("@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà".unicodeScalars)
}
