import ArgumentParser
import CommandSupport
import Foundation
import Telemetry

/// `flotilla-lab manual`, for deploy/install.
struct ManualCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manual",
        abstract: "Write the manual pages of a program, whose --experimental-dump-help is on standard input, into a folder.",
        shouldDisplay: false)

    @Argument(help: "The folder, such as /usr/local/share/man/man1.") var folder: String

    func run() throws {
        guard let dump = try FileHandle.standardInput.readToEnd() else { throw ValidationError("nothing is on standard input") }
        let pages = try ManualPage.pages(of: dump, version: Build.version)
        for (name, text) in pages.sorted(by: { $0.key < $1.key }) {
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder).appending(path: name))
        }
    }
}
