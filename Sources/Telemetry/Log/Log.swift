package import Logging

/// How the process logs: set up once, before the first logger is made.
package enum Log {
    package enum Format: String, Sendable, CaseIterable {
        /// A line for a person: time, level, message, `key=value`.
        case human
        /// A JSON object a line (RFC 8259), for collectors of logs.
        case json
    }

    /// Keys of metadata that mean the same in every module.
    package enum Key {
        package static let mailing = "mailing"
        package static let batch = "batch"
        package static let worker = "worker"
        package static let provider = "provider"
        /// Always through `Log.masked`.
        package static let recipient = "recipient"
    }

    /// Makes swift-log write to the terminal. May be called once in a process.
    package static func bootstrap(level: Logger.Level, format: Format, terminal: Terminal) {
        LoggingSystem.bootstrap(
            { label, provider in
                LineHandler(label: label, level: level, format: format, terminal: terminal, metadataProvider: provider)
            },
            metadataProvider: nil)
    }

    /// An address as logs may show it: enough to recognise one that is known, too little to find one that is not.
    /// `ada@example.com` becomes `a…@example.com`, `+4917012345689` becomes `+4917…89`.
    package static func masked(_ address: String) -> String {
        if let at = address.lastIndex(of: "@") {
            return address[..<at].prefix(1) + "…" + address[at...]
        }
        let isNumber = address.hasPrefix("+") && address.dropFirst().allSatisfy(\.isNumber)
        guard isNumber, address.count >= 10 else { return address.prefix(1) + "…" }
        return address.prefix(5) + "…" + address.suffix(2)
    }
}
