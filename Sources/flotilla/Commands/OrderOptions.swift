import ArgumentParser
import Foundation
import Telemetry

/// The person who gives an order about a mailing. The ledger keeps it in the mailing's reason.
struct OrderOptions: ParsableArguments {
    @Option(help: "Your name as others see it; by default your user and host, as in alice@ops1.")
    var by: String?

    /// Characters of a name at most.
    private static let longest = 100

    func validate() throws {
        guard let by else { return }
        guard !by.allSatisfy(\.isWhitespace), by.count <= Self.longest, LogText.isPlain(by) else {
            throw ValidationError("--by takes a name of up to \(Self.longest) printable characters")
        }
    }

    /// The given name, or user and host. Behind `sudo` the user is the one who called it.
    var name: String {
        if let by { return by }
        let process = ProcessInfo.processInfo
        let user = process.environment["SUDO_USER"] ?? process.userName
        return "\(user.isEmpty ? "uid\(getuid())" : user)@\(process.hostName)"
    }
}
