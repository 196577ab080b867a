import Testing

@Suite struct PolicyPlace {
    @Test func builds() {}
}
