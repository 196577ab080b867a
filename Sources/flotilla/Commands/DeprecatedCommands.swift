import Telemetry

/// Old names of commands. This version still takes them, and warns with the new name; `docs/changelog.md` lists them.
enum DeprecatedCommands {
    private static let replacements = ["answers": "responses"]

    /// The arguments with an old command replaced by the new one.
    static func replacing(_ arguments: [String]) -> [String] {
        guard let first = arguments.first, let replacement = replacements[first] else { return arguments }
        StandardError.warn("flotilla \(first) is deprecated; write flotilla \(replacement)")
        return [replacement] + arguments.dropFirst()
    }
}
