import Testing

@Suite struct flotillaPlace {
    @Test func builds() {}
}
