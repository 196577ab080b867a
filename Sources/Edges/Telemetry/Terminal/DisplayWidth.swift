extension String {
    /// Columns that a terminal shows it in: East Asian wide characters (Unicode TR 11) and emoji take two, combining marks none.
    package var columns: Int {
        utf8.allSatisfy { 0x20..<0x7f ~= $0 } ? utf8.count : reduce(0) { $0 + $1.columns }
    }

    package enum Cut { case middle, end }

    /// As much of it as fits some columns, with an ellipsis in place of the rest.
    package func cut(to most: Int, at place: Cut) -> String {
        guard columns > most else { return self }
        guard most > 0 else { return "" }
        let room = most - 1
        // More of what stands behind: hosts' names begin alike, and the process number is there.
        let behind = place == .middle ? room * 2 / 3 : 0
        return fitting(room - behind) + "…" + String(String(reversed()).fitting(behind).reversed())
    }

    /// Characters from its beginning, as many as some columns take.
    package func fitting(_ most: Int) -> String {
        var left = most
        return String(
            prefix {
                left -= $0.columns
                return left >= 0
            })
    }
}

extension Character {
    /// ZERO WIDTH JOINER: what it joins is one emoji, also where a part of it has no variation selector (UTS 51, ED-16).
    private static let joiner: UInt32 = 0x200d

    /// A sequence of emoji takes two columns, any other cluster as many as its characters: in Devanagari a cluster is as wide as the
    /// letters and vowel signs that it is written with.
    fileprivate var columns: Int {
        let scalars = unicodeScalars
        guard let first = scalars.first else { return 0 }
        guard scalars.dropFirst().first != nil else { return first.columns }
        let second = scalars[scalars.index(after: scalars.startIndex)]
        let isEmoji =
            first.properties.isEmojiPresentation
            || first.properties.isEmoji && (second.value == 0xfe0f || second.value == Self.joiner || second.properties.isEmojiModifier)
        // Flags are two regional indicators, which are emoji by themselves.
        return isEmoji ? 2 : scalars.reduce(0) { $0 + $1.columns }
    }
}

extension Unicode.Scalar {
    /// Columns of a character by itself, as wcwidth(3) has it; 0 for controls, which are never printed.
    fileprivate var columns: Int {
        if value < 0x300 { return value < 0x20 || 0x7f..<0xa0 ~= value ? 0 : 1 }
        if WideScalars.contains(value) { return 2 }
        switch value {
        // Vowels and final consonants of Hangul, which are written into the block of the consonant before them.
        case 0x1160...0x11ff, 0xd7b0...0xd7ff: return 0
        // Arabic signs that stand before a number and are visible.
        case 0x600...0x605, 0x6dd, 0x70f, 0x890...0x891, 0x8e2, 0x110bd, 0x110cd: return 1
        default: break
        }
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .lineSeparator, .paragraphSeparator: return 0
        default: return 1
        }
    }
}
