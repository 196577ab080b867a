package import ArgumentParser
import Foundation
import Telemetry

/// A command line that is wrong whatever ledger, files and settings hold, as a command finds it when it runs; the exit status is 64, as
/// where ArgumentParser finds it.
package struct UsageError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// Runs a command line, and ends the process.
package enum CommandRun {
    /// ArgumentParser writes `Error:`; all other lines of ours begin with `error:` and `warning:`.
    private static func plain(_ message: String) -> String {
        message.hasPrefix("Error: ") ? "error: " + message.dropFirst(7) : message
    }

    /// The same as `AsyncParsableCommand.main`, but that errors, which quote files and arguments, are printed without controls.
    /// - Parameters:
    ///   - arguments: without the name of the program.
    ///   - end: what is done before the process ends; it is told whether the command failed.
    package static func main(
        _ root: any AsyncParsableCommand.Type, _ arguments: [String], atEnd end: (_ isFailed: Bool) -> Void = { _ in }
    ) async -> Never {
        do {
            var command = try root.parseAsRoot(arguments)
            if var waiting = command as? any AsyncParsableCommand {
                try await waiting.run()
            } else {
                try command.run()
            }
            end(false)
            exit(ExitCode.success.rawValue)
        } catch {
            let code = error is UsageError ? .validationFailure : root.exitCode(for: error)
            var message = plain(root.fullMessage(for: PlainError.of(error)))
            if code == .validationFailure { message = NearestCommand.hint(root, arguments, in: message) }
            // Help, versions and completion scripts.
            if code.isSuccess { StandardOutput.write(own: message) } else if !message.isEmpty { StandardError.write(message) }
            end(!code.isSuccess)
            exit(code.rawValue)
        }
    }
}
