import Testing

@Suite struct ModelPlace {
    @Test func builds() {}
}
