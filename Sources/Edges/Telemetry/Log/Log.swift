package import Logging

/// Sets up logging, once, before the first logger is made.
package enum Log {
    package enum Format: String, Sendable, CaseIterable {
        /// A line for a person: time, level, message, `key=value`.
        case human
        /// A JSON object a line (RFC 8259), for collectors of logs.
        case json
    }

    /// Keys of metadata that have the same meaning in every module.
    package enum Key {
        package static let mailing = "mailing"
        package static let batch = "batch"
        package static let worker = "worker"
        package static let provider = "provider"
        /// Always through `Masking.address`, unless `log.addresses` is `shown`.
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
}
