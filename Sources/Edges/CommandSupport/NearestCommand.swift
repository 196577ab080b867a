import ArgumentParser
import Text

/// Finds the command that somebody may have meant by one that does not exist.
enum NearestCommand {
    /// The message of an error, whose first line names the nearest command where it quotes a word in the place of one.
    static func hint(_ root: any ParsableCommand.Type, _ arguments: [String], in message: String) -> String {
        guard let (path, word) = unknown(root, arguments) else { return message }
        var lines = message.split(separator: "\n", omittingEmptySubsequences: false)
        let names = path[path.count - 1].configuration.subcommands.filter { $0.configuration.shouldDisplay }.map { name($0) }
        guard let first = lines.first, first.contains("'\(word)'"), let meant = NearestName.of(word, among: names) else { return message }
        lines[0] = "\(first); did you mean '\((path.map { name($0) } + [meant]).joined(separator: " "))'?"
        return lines.joined(separator: "\n")
    }

    /// The commands that the first words name, and the first word that names none of the last one's.
    private static func unknown(
        _ root: any ParsableCommand.Type, _ arguments: [String]
    ) -> (path: [any ParsableCommand.Type], word: String)? {
        var path = [root]
        for word in arguments {
            if word.hasPrefix("-") { return nil }
            let subcommands = path[path.count - 1].configuration.subcommands
            guard !subcommands.isEmpty else { return nil }
            guard let next = subcommands.first(where: { name($0) == word || $0.configuration.aliases.contains(word) }) else {
                return (path, word)
            }
            path.append(next)
        }
        return nil
    }

    private static func name(_ command: any ParsableCommand.Type) -> String { command.configuration.commandName ?? command._commandName }
}
