/// The names of keys as environment variables: `worker.flush` is `FLOTILLA_WORKER_FLUSH`. swift-configuration's environment provider, which
/// reads the values, has the same rule.
enum EnvironmentName {
    static let prefix = "FLOTILLA_"

    /// One component: capitals, with `_` for every other character than letters and digits, and between a small letter
    /// and a capital.
    static func part(_ component: String) -> String {
        var out = ""
        var wasLower = false
        for character in component {
            if wasLower, character.isUppercase { out += "_" }
            wasLower = character.isLowercase
            out += character.isLetter || character.isNumber ? character.uppercased() : "_"
        }
        return out
    }
}
