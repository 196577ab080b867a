import Foundation
import Telemetry

/// Commands that belong to `flotilla-lab` now. For this version `flotilla` still takes them, and becomes the `flotilla-lab` that lies
/// beside it.
enum MovedCommands {
    private static let names: Set<String> = ["sink", "generate", "simulate", "loadtest"]
    private static let laboratory = "flotilla-lab"

    /// Replaces the process where the first argument is a command of the laboratory, also behind `help`. The process keeps its number,
    /// its open files and its environment, so that signals, standard input and output and the exit status are those of `flotilla-lab`.
    /// - Parameter arguments: the command line, beginning with the name of the program.
    /// - Returns: only when the command is one of ours.
    static func forward(_ arguments: [String]) {
        let words = arguments.dropFirst()
        guard let name = words.first(where: { $0 != "help" }), names.contains(name), words.prefix(2).contains(name) else { return }
        let terminal = Terminal()
        terminal.log("warning: 'flotilla \(name)' has become '\(laboratory) \(name)'; the next version drops the old name")
        let folder = Bundle.main.executableURL?.deletingLastPathComponent().path ?? "."
        let path = "\(folder)/\(laboratory)"
        var pointers = ([path] + words).map { strdup($0) }
        pointers.append(nil)
        execv(path, pointers)
        let reason = String(cString: strerror(errno))
        terminal.log("error: \(path) cannot be started: \(reason). Build it with deploy/build, and install it beside flotilla.")
        exit(1)
    }
}
