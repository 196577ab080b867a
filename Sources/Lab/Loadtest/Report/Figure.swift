import Telemetry

/// Numbers as the report writes them; `report.js` has the same rules for the plots.
enum Figure {
    static let absent = "n/a"

    /// Three significant figures below a hundred, whole numbers above.
    static func rounded(_ value: Double) -> String {
        let size = abs(value)
        guard size < 1e15 else { return value.isFinite ? String(value) : absent }
        let digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3
        let power = [1, 10, 100, 1000][digits]
        let parts = Int((size * Double(power)).rounded()).quotientAndRemainder(dividingBy: power)
        var fraction = String(String(power + parts.remainder).dropFirst())
        while fraction.hasSuffix("0") { fraction.removeLast() }
        let isZero = parts.quotient == 0 && fraction.isEmpty
        return (value < 0 && !isZero ? "-" : "") + grouped(parts.quotient) + (fraction.isEmpty ? "" : "." + fraction)
    }

    /// A value in a panel's unit: seconds as µs to min, bytes as kB to GB, any other unit as it is.
    static func text(_ value: Double?, unit: String) -> String {
        guard let value, value.isFinite else { return absent }
        let (divisor, name) = scale(unit, abs(value))
        return rounded(value / divisor) + (name.isEmpty ? "" : " " + name)
    }

    private static func scale(_ unit: String, _ size: Double) -> (Double, String) {
        switch unit {
        case "s" where size >= 300: (60, "min")
        case "s" where size == 0 || size >= 1: (1, "s")
        case "s" where size >= 1e-3: (1e-3, "ms")
        case "s": (1e-6, "µs")
        case "B" where size >= 1e9: (1e9, "GB")
        case "B" where size >= 1e6: (1e6, "MB")
        case "B" where size >= 1e3: (1e3, "kB")
        default: (1, unit)
        }
    }

    /// A time for people: `41.5 s`, `33 min 22 s`, `1 h 02 min 05 s`.
    static func duration(_ seconds: Double) -> String {
        guard abs(seconds) >= 60, abs(seconds) < 1e12 else { return rounded(seconds) + " s" }
        let whole = Int(seconds.rounded())
        let minutes = whole / 60 % 60
        let hours = whole / 3600
        let front = hours > 0 ? "\(grouped(hours)) h \(twoDigits(minutes))" : "\(minutes)"
        return "\(front) min \(twoDigits(whole % 60)) s"
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
}
