import Testing

/// Asks again until there is a value, for at most 10 seconds.
func eventually<Value>(_ body: () async throws -> Value?) async throws -> Value {
    let deadline = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < deadline {
        if let value = try await body() { return value }
        try await Task.sleep(for: .milliseconds(5))
    }
    return try #require(try await body(), "nothing within 10 seconds")
}
