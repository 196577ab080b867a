import Testing

@Suite struct SinkPlace {
    @Test func builds() {}
}
