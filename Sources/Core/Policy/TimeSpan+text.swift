extension TimeSpan {
    /// How long something took, for people: below ten seconds with a decimal, `0.1 s`.
    package static func text(taken seconds: Double) -> String {
        let tenths = Int((min(max(seconds, 0), 1e12) * 10).rounded())
        return tenths < 100 ? "\(tenths / 10).\(tenths % 10) s" : text(seconds: seconds)
    }

    /// A length of time for people, in its two largest units: `4 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
    /// - Parameter seconds: rounded up to whole ones.
    package static func text(seconds: Double) -> String {
        let whole = Int(min(max(seconds, 0), 1e12).rounded(.up))
        let units = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)]
        guard let first = units.firstIndex(where: { whole >= $0.1 }) else { return "0 s" }
        let (name, size) = units[first]
        var text = "\(whole / size) \(name)"
        if first + 1 < units.count, whole % size / units[first + 1].1 > 0 {
            text += " \(whole % size / units[first + 1].1) \(units[first + 1].0)"
        }
        return text
    }
}
