import Testing

@Suite struct BrokerPlace {
    @Test func builds() {}
}
