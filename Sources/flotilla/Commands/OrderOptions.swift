import ArgumentParser
import Foundation
import Telemetry

/// Who gives an order about a mailing, which the ledger keeps as its reason and everybody is shown.
struct OrderOptions: ParsableArguments {
    @Option(help: "Who does this, as others are to see it; your user and host, as in alice@ops1, where nothing is said.")
    var by: String?

    /// A name longer than this is no name.
    private static let longest = 100

    func validate() throws {
        guard let by else { return }
        guard !by.allSatisfy(\.isWhitespace), by.count <= Self.longest, LogText.isPlain(by) else {
            throw ValidationError("--by takes a name of up to \(Self.longest) printable characters")
        }
    }

    /// Who it is, as far as can be told: behind `sudo` the person, not the user that the command runs as.
    var name: String {
        if let by { return by }
        let process = ProcessInfo.processInfo
        let user = process.environment["SUDO_USER"] ?? process.userName
        return "\(user.isEmpty ? "uid\(getuid())" : user)@\(process.hostName)"
    }
}
