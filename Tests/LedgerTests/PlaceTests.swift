import Testing

@Suite struct LedgerPlace {
    @Test func builds() {}
}
