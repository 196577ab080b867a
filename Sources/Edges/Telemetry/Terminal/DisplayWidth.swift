extension String {
    /// Columns that a terminal shows it in: characters of East Asian width wide (Unicode TR 11) and emoji take two, as terminals have it.
    package var columns: Int {
        utf8.count == count ? count : reduce(0) { $0 + $1.columns }
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
    fileprivate var columns: Int {
        guard let first = unicodeScalars.first?.value else { return 0 }
        switch first {
        case 0x1100...0x115f, 0x2e80...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6,
            0x1f300...0x1faff, 0x20000...0x3fffd:
            return 2
        // A symbol with the mark that makes an emoji of it.
        default: return unicodeScalars.contains { $0.value == 0xfe0f } ? 2 : 1
        }
    }
}
