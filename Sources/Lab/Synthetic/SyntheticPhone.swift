/// Telephone numbers that belong to nobody: ranges that regulators keep for fiction, and behind them area codes of the North
/// American Numbering Plan with a 9 in the middle, which are kept for longer numbers to come.
enum SyntheticPhone {
    /// Area codes 201...998 but those that end in 11; each has 555-0100...555-0199 for fiction (North American Numbering Plan).
    private static let areas = (201...998).filter { $0 % 100 != 11 }
    private static let american = areas.count * 100
    /// +44 7700 900000...900999 (Ofcom).
    private static let british = 1_000
    /// +33 6 39 98 00 00...99 99 (Arcep).
    private static let french = 10_000

    /// Area codes that are not assigned.
    private static let reserved = (2...9).flatMap { first in (0...9).map { "\(first)9\($0)" } }

    /// Appends the number of a row in E.164, another one for each row.
    static func append(_ row: Int, to out: inout [UInt8]) {
        let text: String
        if row < american {
            text = "+1\(areas[row % areas.count])55501\(padded(row / areas.count, 2))"
        } else if row < american + british {
            text = "+447700900\(padded(row - american, 3))"
        } else if row < american + british + french {
            text = "+3363998\(padded(row - american - british, 4))"
        } else {
            let further = row - american - british - french
            text = "+1\(reserved[further % reserved.count])\(2_000_000 + further / reserved.count)"
        }
        out.append(contentsOf: text.utf8)
    }

    /// Writes a number as people do: with spaces, hyphens, parentheses or 00 in front.
    static func decorate(_ number: inout [UInt8], _ dice: UInt64) {
        switch dice % 5 {
        case 0: number.replaceSubrange(0..<1, with: [UInt8(ascii: "0"), UInt8(ascii: "0")])
        case 1:
            number.insert(UInt8(ascii: " "), at: number.count - 4)
            number.insert(UInt8(ascii: " "), at: 2)
        case 2 where number[1] == UInt8(ascii: "1"):
            number.insert(UInt8(ascii: "-"), at: 8)
            number.insert(contentsOf: [UInt8(ascii: ")"), UInt8(ascii: " ")], at: 5)
            number.insert(contentsOf: [UInt8(ascii: " "), UInt8(ascii: "(")], at: 2)
        default: break
        }
    }

    private static func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
