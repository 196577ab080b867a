import Testing

@Suite struct TelemetryPlace {
    @Test func builds() {}
}
