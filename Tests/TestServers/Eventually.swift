/// What a test waited for did not come.
package struct TimedOut: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}

/// Waits until something is so. It looks often at first and less often then, as many looks start a process or ask a server.
/// - Parameters:
///   - what: the event, for the message when it does not come.
///   - seconds: the deadline. It is long, for a machine may be busy: no test judges speed by it.
/// - Throws: `TimedOut` at the deadline, and what `condition` throws.
package func eventually(
    _ what: @autoclosure () -> String = "what is waited for", within seconds: Double = 150, file: String = #fileID, line: Int = #line,
    _ condition: () async throws -> Bool
) async throws {
    let _: Bool = try await eventually(what(), within: seconds, file: file, line: line) { try await condition() ? true : nil }
}

/// Waits until there is a value.
/// - Returns: the value.
@discardableResult
package func eventually<Value>(
    _ what: @autoclosure () -> String = "what is waited for", within seconds: Double = 150, file: String = #fileID, line: Int = #line,
    _ value: () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + .seconds(seconds)
    var pause = Duration.milliseconds(1)
    while true {
        let isLast = ContinuousClock.now >= deadline
        if let value = try await value() { return value }
        // The last look is one after the deadline: a process that was stopped itself does not miss what came meanwhile.
        guard !isLast else { throw TimedOut(description: "not within \(seconds) s, \(file):\(line): \(what())") }
        try await Task.sleep(for: pause)
        pause = min(pause * 2, .milliseconds(20))
    }
}
