/// The Prometheus text exposition format, version 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/): names, escapes and numbers.
enum PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// A name that matches `[a-zA-Z_:][a-zA-Z0-9_:]*`: every other character becomes `_`.
    /// - Parameter suffix: what the name must end in; added where it is missing.
    static func metricName(_ name: String, suffix: String = "") -> String {
        let valid = identifier(name, allowingColon: true)
        return valid.hasSuffix(suffix) ? valid : valid + suffix
    }

    /// A name that matches `[a-zA-Z_][a-zA-Z0-9_]*` and has no two leading underscores, which Prometheus keeps to
    /// itself.
    static func labelName(_ name: String) -> String {
        let valid = identifier(name, allowingColon: false)
        return valid.hasPrefix("__") ? "label" + valid : valid
    }

    private static func identifier(_ name: String, allowingColon: Bool) -> String {
        var out = ""
        out.reserveCapacity(name.utf8.count)
        for scalar in name.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "_": out.unicodeScalars.append(scalar)
            case "0"..."9":
                if out.isEmpty { out.append("_") }
                out.unicodeScalars.append(scalar)
            case ":" where allowingColon: out.append(":")
            default: out.append("_")
            }
        }
        return out.isEmpty ? "_" : out
    }

    /// Escapes backslash, line feed and double quote.
    static func escapedLabelValue(_ value: String) -> String { escaped(value, quotes: true) }

    /// Escapes backslash and line feed.
    static func escapedHelp(_ text: String) -> String { escaped(text, quotes: false) }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var out = ""
        out.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\"" where quotes: out += "\\\""
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    /// A number as Go's ParseFloat reads it, whole ones without a fraction.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == value.rounded(), value.magnitude < 9_007_199_254_740_992 { return "\(Int64(value))" }
        return "\(value)"
    }
}
