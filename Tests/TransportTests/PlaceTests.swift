import Testing

@Suite struct TransportPlace {
    @Test func builds() {}
}
