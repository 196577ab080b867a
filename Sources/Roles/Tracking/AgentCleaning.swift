import Model

/// What is kept of a `User-Agent`.
enum AgentCleaning {
    /// The text without control characters, `TrackedEvent.agentBytes` at most.
    static func cleaned(_ agent: String) -> String {
        let bytes = agent.utf8
        if bytes.count <= TrackedEvent.agentBytes, bytes.allSatisfy({ 0x20...0x7e ~= $0 }) { return agent }
        var kept = String.UnicodeScalarView()
        kept.append(
            contentsOf: agent.unicodeScalars.lazy.filter { $0.properties.generalCategory != .control }.prefix(TrackedEvent.agentBytes))
        return String(kept).prefix(utf8Bytes: TrackedEvent.agentBytes)
    }
}
