import Foundation

extension ProviderScheme.Time {
    /// In milliseconds since 1970; nil where there is no time of this form, or one that no event has.
    func milliseconds(_ value: JSONValue) -> Int64? {
        let seconds: Double? =
            switch self {
            case .seconds(let path):
                if case .number(let number)? = value[path] { number } else { value[path]?.plain.flatMap(Double.init) }
            case .text(let path): value[path]?.plain.flatMap(Self.seconds)
            }
        // From 1970 to 2286.
        guard let seconds, 0..<10_000_000_000 ~= seconds else { return nil }
        return Int64((seconds * 1000).rounded())
    }

    /// Seconds since 1970 of a time by RFC 3339, with a fraction or without.
    static func seconds(_ text: String) -> Double? {
        guard text.utf8.count <= 40 else { return nil }
        // Postmark writes seven digits of a second.
        let parts = text.split(separator: ".", maxSplits: 1)
        let fraction = parts.count == 2 ? parts[1].prefix { $0.isASCII && $0.isNumber } : ""
        let whole = parts.count == 2 ? parts[0] + parts[1].dropFirst(fraction.count) : text[...]
        guard let date = try? Date(String(whole), strategy: .iso8601) else { return nil }
        return date.timeIntervalSince1970 + (fraction.isEmpty ? 0 : Double("0.\(fraction)") ?? 0)
    }
}
