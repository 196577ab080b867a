import Testing

/// Asks again until there is a value, for at most a minute.
func eventually<Value>(_ body: () async throws -> Value?) async throws -> Value {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
        if let value = try await body() { return value }
        try await Task.sleep(for: .milliseconds(5))
    }
    return try #require(try await body(), "nothing within a minute")
}
