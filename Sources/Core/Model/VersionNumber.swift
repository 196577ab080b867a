/// The version of a server or a library: numbers with dots.
package struct VersionNumber: Sendable, Comparable, CustomStringConvertible {
    private let parts: [Int]

    /// The oldest Redis that understands what we ask: XAUTOCLAIM, and XPENDING with IDLE.
    package static let oldestRedis = VersionNumber(6, 2)
    /// The oldest SQLite that understands the ledger's tables and queries: STRICT tables, and `->>`.
    package static let oldestSQLite = VersionNumber(3, 38)

    private init(_ parts: Int...) { self.parts = parts }

    /// - Parameter text: `7.0.15`, perhaps with more behind the numbers; at most four numbers of nine digits count.
    /// - Returns: nil where it begins with no number.
    package init?(_ text: some StringProtocol) {
        let numbers = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }.split(separator: ".").prefix(4)
        parts = numbers.compactMap { $0.count < 10 ? Int($0) : nil }
        guard !parts.isEmpty, parts.count == numbers.count else { return nil }
    }

    package static func < (left: VersionNumber, right: VersionNumber) -> Bool {
        for index in 0..<max(left.parts.count, right.parts.count) where left[index] != right[index] { return left[index] < right[index] }
        return false
    }

    package static func == (left: VersionNumber, right: VersionNumber) -> Bool { !(left < right) && !(right < left) }

    private subscript(index: Int) -> Int { index < parts.count ? parts[index] : 0 }

    package var description: String { parts.map(String.init).joined(separator: ".") }
}
