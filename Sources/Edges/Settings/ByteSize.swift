/// Numbers of bytes as settings have them: `512KB`, `1MB`; a KB is 1,024 bytes.
enum ByteSize {
    private static let units = [("B", 1), ("KB", 1 << 10), ("MB", 1 << 20), ("GB", 1 << 30)]

    /// Takes a whole number and a unit; nil for anything else.
    static func parse(_ text: String) -> Int? {
        let digits = text.prefix { ("0"..."9").contains($0) }
        guard let unit = units.first(where: { $0.0 == text.dropFirst(digits.count) }), let number = Int(digits) else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: unit.1)
        return overflow ? nil : bytes
    }

    /// In the largest unit that divides it.
    static func text(_ bytes: Int) -> String {
        let unit = units.last { bytes % $0.1 == 0 } ?? ("B", 1)
        return "\(bytes / unit.1)\(unit.0)"
    }
}
