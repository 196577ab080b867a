package import Logging
import Model

/// Writes one line for each log event to a terminal.
package struct LineHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let format: Log.Format
    private let terminal: Terminal

    package init(
        label: String, level: Logger.Level, format: Log.Format, terminal: Terminal,
        metadataProvider: Logger.MetadataProvider? = nil
    ) {
        self.label = label
        logLevel = level
        self.format = format
        self.terminal = terminal
        self.metadataProvider = metadataProvider
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        if let error = event.error, all["error"] == nil { all["error"] = "\(error)" }
        let line = LogLine(
            time: Clock.milliseconds(), level: event.level, message: event.message.description, label: label, metadata: all)
        switch format {
        case .human: terminal.log(line.human)
        case .json: terminal.log(line.json)
        }
    }
}
